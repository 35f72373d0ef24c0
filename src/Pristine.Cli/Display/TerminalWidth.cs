namespace Pristine.Cli.Display;

/// <summary>How many characters a line may have.</summary>
internal static class TerminalWidth
{
    private const int Least = 40;

    /// <summary>The terminal's width, or what is usual where the output goes elsewhere.</summary>
    /// <param name="isRedirected">True if the output goes to a file or a pipe.</param>
    /// <param name="plain">The width of a file or a pipe, and of a terminal that does not tell its own.</param>
    /// <param name="most">Longer lines are hard to read.</param>
    public static int Of(bool isRedirected, int plain, int most = int.MaxValue)
    {
        if (isRedirected)
            return plain;
        try
        {
            return Console.WindowWidth is > 0 and var width ? Math.Clamp(width, Least, most) : plain;
        }
        catch (IOException)
        {
            return plain;
        }
    }
}
