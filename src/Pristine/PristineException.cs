namespace Pristine;

/// <summary>
/// The base of every failure that a caller may want to catch: a dataset, a rule, a score table or a model is not what was expected. The
/// message says what was expected, what was found, and where. Files that cannot be read or written give an <see cref="IOException"/> or an
/// <see cref="UnauthorizedAccessException"/>. Any other exception is a mistake in the calling code or in this library.
/// </summary>
public abstract class PristineException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="message">What was expected and found.</param>
    /// <param name="innerException">The cause; null if there is none.</param>
    protected PristineException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
