namespace Pristine.Cli.Display;

/// <summary>Texts of datasets and rules as a terminal can show them and a shell can read them.</summary>
internal static class PlainText
{
    /// <summary>A text in which control characters, which would disturb the terminal, are replaced.</summary>
    public static string Clean(string text) => new([.. text.Select(letter => char.IsControl(letter) ? '\uFFFD' : letter)]);

    /// <summary>A word for a shell; in double quotes where they do, because other shells than POSIX ones know them too.</summary>
    public static string ShellWord(string text)
    {
        if (text.Length > 0
            && text.All(letter => char.IsAsciiLetterOrDigit(letter) || "_./:@%+=,-".Contains(letter, StringComparison.Ordinal)))
            return text;
        return text.IndexOfAny(['"', '$', '`', '\\', '!', '\n']) < 0
            ? $"\"{text}\""
            : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }
}
