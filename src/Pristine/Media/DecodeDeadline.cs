using System.Diagnostics;

namespace Pristine.Media;

/// <summary>When decoding of one image must be over. The decoding thread asks; another thread may end it early.</summary>
/// <param name="limit">The time that decoding one image may take.</param>
internal sealed class DecodeDeadline(TimeSpan limit)
{
    private long _start = Stopwatch.GetTimestamp();
    private volatile bool _ended;

    /// <summary>Whether the time is over.</summary>
    public bool IsOver => _ended || Stopwatch.GetElapsedTime(_start) > limit;

    /// <summary>What is left; zero when it is over.</summary>
    public TimeSpan Left => IsOver ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Max(0, (limit - Stopwatch.GetElapsedTime(_start)).Ticks));

    /// <summary>Gives the whole time again, for the next image.</summary>
    public void Restart()
    {
        _ended = false;
        _start = Stopwatch.GetTimestamp();
    }

    /// <summary>Ends the time now.</summary>
    public void End() => _ended = true;
}
