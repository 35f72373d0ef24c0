namespace Pristine.Media;

/// <summary>What the header of a sound or a film says. NaN where it has no such thing, as the width of a sound.</summary>
internal readonly record struct MediaHeader
{
    /// <summary>Nothing known.</summary>
    public MediaHeader()
    {
    }

    /// <summary>Seconds; of a film those of its first video stream, or of the file where the stream does not say.</summary>
    public double Duration { get; init; } = double.NaN;

    /// <summary>Size of the file.</summary>
    public double Bytes { get; init; } = double.NaN;

    /// <summary>Samples per second of the first audio stream.</summary>
    public double SampleRate { get; init; } = double.NaN;

    /// <summary>Channels of the first audio stream.</summary>
    public double Channels { get; init; } = double.NaN;

    /// <summary>Width of the first video stream in pixels, as it is stored.</summary>
    public double Width { get; init; } = double.NaN;

    /// <summary>Height of the first video stream in pixels, as it is stored.</summary>
    public double Height { get; init; } = double.NaN;

    /// <summary>Mean frames per second of the first video stream.</summary>
    public double FramesPerSecond { get; init; } = double.NaN;

    /// <summary>
    /// Frames of the first video stream; duration times frames per second, rounded, where the header does not count them.
    /// </summary>
    public double Frames { get; init; } = double.NaN;
}
