using System.Diagnostics;
using System.Globalization;
using Pristine.Models;

namespace Pristine.Cli;

/// <summary>
/// Tells on stderr how a download goes: one line that renews itself on a terminal, else a plain line every half minute. Notices stand on
/// lines of their own.
/// </summary>
internal sealed class PullDisplay : IProgress<PullProgress>, IDisposable
{
    private static readonly TimeSpan TerminalInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(30);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private TimeSpan _next;
    private bool _lineOpen;
    private string? _file;
    private (TimeSpan Time, long Received) _start;

    public PullDisplay() => _next = _terminal ? TimeSpan.Zero : PlainInterval;

    public void Report(PullProgress value)
    {
        if (value.Notice is { } notice)
        {
            Clear();
            Console.Error.WriteLine(notice);
        }
        // What an earlier attempt brought says nothing about the speed of this one.
        if (value.File != _file || value.Notice != null || value.Received < _start.Received)
            (_file, _start) = (value.File, (_clock.Elapsed, value.Received));
        if (value.File == null || value.Notice != null || _clock.Elapsed < _next)
            return;
        _next = _clock.Elapsed + (_terminal ? TerminalInterval : PlainInterval);
        Show(value);
    }

    /// <summary>Clears the line, so that results and messages stand on lines of their own.</summary>
    public void Clear()
    {
        if (_lineOpen)
            Console.Error.Write("\r\u001b[K");
        _lineOpen = false;
    }

    public void Dispose() => Clear();

    private void Show(PullProgress value)
    {
        var rate = (value.Received - _start.Received) / Math.Max((_clock.Elapsed - _start.Time).TotalSeconds, 1e-3);
        var text = $"{value.File}: {Megabytes(value.Received)}{(value.Total is { } total ? $" of {Megabytes(total)}" : "")} MB, {Megabytes(rate)} MB/s";
        if (value.Total > value.Received && rate > 0)
            text += $", {Progress.Duration(TimeSpan.FromSeconds((value.Total.Value - value.Received) / rate))} left";
        if (_terminal)
            Console.Error.Write($"\r\u001b[K{text}");
        else
            Console.Error.WriteLine(text);
        _lineOpen = _terminal;
    }

    private static string Megabytes(double bytes) => (bytes / 1e6).ToString("N1", CultureInfo.InvariantCulture);
}
