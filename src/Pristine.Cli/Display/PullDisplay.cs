using System.Globalization;
using Pristine.Models;

namespace Pristine.Cli.Display;

/// <summary>
/// Tells on stderr how a download goes: one line that renews itself on a terminal, else a plain line every half minute. Notices stand on
/// lines of their own.
/// </summary>
internal sealed class PullDisplay : IProgress<PullProgress>, IDisposable
{
    private readonly LiveLine _line = new();
    private string? _file;
    private (TimeSpan Time, long Received) _start;

    public void Report(PullProgress value)
    {
        if (value.Notice is { } notice)
        {
            LiveLine.Clear();
            Console.Error.WriteLine(notice);
        }
        // What an earlier attempt brought says nothing about the speed of this one.
        if (value.File != _file || value.Notice != null || value.Received < _start.Received)
            (_file, _start) = (value.File, (_line.Elapsed, value.Received));
        if (value.File != null && value.Notice == null && _line.IsDue)
            Show(value);
    }

    public void Dispose() => LiveLine.Clear();

    private void Show(PullProgress value)
    {
        var rate = (value.Received - _start.Received) / Math.Max((_line.Elapsed - _start.Time).TotalSeconds, 1e-3);
        var text = $"{value.File}: {Megabytes(value.Received)}{(value.Total is { } total ? $" of {Megabytes(total)}" : "")} MB, " +
            $"{Megabytes(rate)} MB/s";
        if (value.Total > value.Received && rate > 0)
            text += $", {Progress.Duration(TimeSpan.FromSeconds((value.Total.Value - value.Received) / rate))} left";
        _line.Show(text);
    }

    private static string Megabytes(double bytes) => (bytes / 1e6).ToString("N1", CultureInfo.InvariantCulture);
}
