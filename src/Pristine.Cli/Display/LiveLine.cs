using System.Diagnostics;

namespace Pristine.Cli.Display;

/// <summary>
/// Tells on stderr how work goes: a line that renews itself on a terminal, else a plain line every half minute. There is one terminal, so
/// whoever writes something else clears the line of whoever wrote it.
/// </summary>
internal sealed class LiveLine
{
    private const string Erase = "\r\u001b[K";
    private static readonly bool IsTerminal = !Console.IsErrorRedirected;
    private static readonly TimeSpan Interval = IsTerminal ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(30);
    private static bool _isOpen;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _next = Interval;

    /// <summary>True if there is a terminal, so that it is worth knowing how much is left.</summary>
    public static bool IsLive => IsTerminal;

    /// <summary>Since the line was made.</summary>
    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>True if it is time to show the next text.</summary>
    public bool IsDue => _clock.Elapsed >= _next;

    /// <summary>Shows a text in place of the one before.</summary>
    public void Show(string text)
    {
        _next = _clock.Elapsed + Interval;
        if (IsTerminal)
            Console.Error.Write(Erase + text);
        else
            Console.Error.WriteLine(text);
        _isOpen = IsTerminal;
    }

    /// <summary>Clears the line, so that results and messages stand on lines of their own.</summary>
    public static void Clear()
    {
        if (_isOpen)
            Console.Error.Write(Erase);
        _isOpen = false;
    }
}
