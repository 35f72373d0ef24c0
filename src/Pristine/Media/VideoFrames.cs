using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Pristine.Kernels;

namespace Pristine.Media;

/// <summary>Takes a frame of a film; nothing of it may be kept.</summary>
/// <param name="frame">Its pixels, with those planes that were asked for.</param>
internal delegate void FrameAction(in ImageView frame);

/// <summary>
/// Evenly spaced frames of a film, decoded by FFmpeg's <c>ffmpeg</c>: one process for a film, which seeks each place and writes its pixels
/// into a pipe. Reuses its memory; not thread-safe.
/// </summary>
internal sealed class VideoFrames : IDisposable
{
    private const string Program = "ffmpeg";

    /// <summary>What a frame may take beyond a first minute.</summary>
    private static readonly TimeSpan PatiencePerFrame = TimeSpan.FromSeconds(15);

    private static readonly Lazy<bool> Installed = new(() => MediaProbe.VersionOf(Program) != null);

    private readonly ReusableBuffer _rgb = new();
    private readonly ReusableBuffer _luma = new();

    /// <summary>Whether films can be decoded here.</summary>
    public static bool AreReadable => Installed.Value;

    /// <summary>
    /// Where the frames of a film lie: N of them in the middles of N equal parts of its duration, each the frame whose time is nearest. A
    /// film of fewer frames has all of them.
    /// </summary>
    /// <param name="film">The film's header.</param>
    /// <param name="count">How many are asked for.</param>
    /// <returns>Seconds from the beginning; the first frame that begins there or later is the one.</returns>
    public static double[] Places(MediaHeader film, int count)
    {
        if (film.Frames >= 1 && film.Frames < count)
            count = (int)film.Frames;
        var halfFrame = film.FramesPerSecond > 0 ? 0.5 / film.FramesPerSecond : 0;
        return [.. Enumerable.Range(0, count).Select(k => Math.Max(0, film.Duration * (k + 0.5) / count - halfFrame))];
    }

    /// <summary>Decodes frames of a film.</summary>
    /// <param name="path">The file.</param>
    /// <param name="film">Its header.</param>
    /// <param name="count">How many.</param>
    /// <param name="input">The planes that are wanted.</param>
    /// <param name="maxPixels">The most pixels of a frame.</param>
    /// <param name="take">Called for each frame, in order.</param>
    /// <returns>Null when all frames that there are were decoded; otherwise a result with the reason.</returns>
    public DecodeResult? Read(string path, MediaHeader film, int count, ImageInput input, long maxPixels, FrameAction take)
    {
        if (film.Width * film.Height > maxPixels)
            return TooLarge(film.Width, film.Height, maxPixels);
        var places = Places(film, count);
        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in Arguments(path, places))
            start.ArgumentList.Add(argument);
        Process? started;
        try
        {
            started = Process.Start(start);
        }
        catch (Win32Exception)
        {
            return DecodeResult.Unsupported(MissingProgram);
        }
        using var process = started!;
        var errors = process.StandardError.ReadToEndAsync();
        var hasEnded = false;
        using var timer = new Timer(
            _ =>
            {
                hasEnded = true;
                Kill(process);
            }, null, MediaProbe.Patience + (count * PatiencePerFrame), Timeout.InfiniteTimeSpan);
        var frames = 0;
        try
        {
            var output = process.StandardOutput.BaseStream;
            while (ReadHeader(output) is (var width, var height))
            {
                if ((long)width * height > maxPixels)
                {
                    Kill(process);
                    return TooLarge(width, height, maxPixels);
                }
                var rgb = _rgb.Resize(checked(3 * width * height));
                output.ReadExactly(rgb);
                frames++;
                Span<byte> luma = [];
                if ((input & ImageInput.Luma) != 0)
                    Luma.FromRgb(rgb, luma = _luma.Resize(width * height));
                take(new ImageView(new ImageHeader(width, height, "video", (long)film.Bytes), rgb, luma));
            }
        }
        catch (EndOfStreamException)
        {
            // The frame was cut off: why, the program says.
        }
        finally
        {
            if (frames < places.Length && !process.WaitForExit(TimeSpan.FromSeconds(1)))
                Kill(process);
            process.WaitForExit();
        }
        if (hasEnded)
            return new DecodeResult(ImageStatus.Timeout, $"{Program} took too long for {count} frames", null);
        var message = MediaProbe.Said(errors.Result, path);
        if (process.ExitCode != 0 && frames < places.Length)
            return DecodeResult.Unreadable(message.Length == 0 ? $"{Program} cannot decode it" : message);
        if (frames == 0)
            return DecodeResult.Unreadable(message.Length == 0 ? "no frame of it can be decoded" : message);
        return frames < places.Length && message.Length > 0
            ? new DecodeResult(
                ImageStatus.Truncated,
                string.Create(CultureInfo.InvariantCulture, $"{frames} of {places.Length} frames can be decoded: {message}"), null)
            : null;
    }

    /// <summary>What is said where the program is missing.</summary>
    public static string MissingProgram => $"frames of films need {Program}, which is not installed (package ffmpeg)";

    /// <inheritdoc/>
    public void Dispose()
    {
        _rgb.Dispose();
        _luma.Dispose();
    }

    private static DecodeResult TooLarge(double width, double height, long most) => new(
        ImageStatus.TooLarge,
        string.Create(CultureInfo.InvariantCulture, $"frames of {width}x{height} have more than {most} pixels"), null);

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended in the meantime.
        }
    }

    /// <summary>The file once for each place, of which one frame is taken; all one behind the other as images with a size (PPM).</summary>
    private static IEnumerable<string> Arguments(string path, double[] places)
    {
        string[] first = ["-v", "error", "-nostdin", "-filter_complex_threads", "1"];
        var inputs = places.SelectMany(place => (string[])
        [
            "-threads", "1", "-protocol_whitelist", "file", "-format_whitelist", MediaProbe.Containers, "-ss",
            place.ToString("0.######", CultureInfo.InvariantCulture), "-i", $"file:{Path.GetFullPath(path)}",
        ]);
        var graph = new StringBuilder();
        for (var k = 0; k < places.Length; k++)
            graph.Append(CultureInfo.InvariantCulture, $"[{k}:V:0]trim=end_frame=1,setpts=PTS-STARTPTS[f{k}];");
        for (var k = 0; k < places.Length; k++)
            graph.Append(CultureInfo.InvariantCulture, $"[f{k}]");
        graph.Append(CultureInfo.InvariantCulture, $"concat=n={places.Length}:v=1:a=0[out]");
        return first.Concat(inputs).Concat(
        [
            "-filter_complex", graph.ToString(), "-map", "[out]", "-vsync", "passthrough", "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt",
            "rgb24", "pipe:1",
        ]);
    }

    /// <summary>Width and height of the next image; null at the end.</summary>
    /// <exception cref="EndOfStreamException">The output ends within.</exception>
    private static (int Width, int Height)? ReadHeader(Stream output)
    {
        // "P6\n320 180\n255\n".
        Span<int> numbers = stackalloc int[3];
        var (read, number, first) = (0, -1, output.ReadByte());
        if (first < 0)
            return null;
        if (first != 'P' || output.ReadByte() != '6')
            throw new EndOfStreamException();
        while (read < numbers.Length)
        {
            var next = output.ReadByte();
            if (next is >= '0' and <= '9')
            {
                number = checked((number < 0 ? 0 : number * 10) + next - '0');
            }
            else if (next is '\n' or ' ')
            {
                if (number >= 0)
                    (numbers[read++], number) = (number, -1);
            }
            else
            {
                throw new EndOfStreamException();
            }
        }
        return (numbers[0], numbers[1]);
    }
}
