namespace Pristine.Models;

/// <summary>
/// A model is missing, damaged, or not the one that was asked for. The message says what was expected and found, and the remedy.
/// </summary>
/// <param name="message">Expected, found, file and remedy.</param>
/// <param name="innerException">The cause; null if there is none.</param>
public sealed class ModelException(string message, Exception? innerException = null) : PristineException(message, innerException);
