using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pristine.Kernels;

namespace Pristine.Media;

/// <summary>
/// Reads the headers of sounds and films. PCM in WAV is read here; all else by <c>ffprobe</c>, a program of FFmpeg that has to be
/// installed. It is only let at containers of sound and film: playlists, which name other files, are refused.
/// </summary>
/// <remarks>
/// Libraries were looked at: TagLibSharp is under the LGPL, which does not go with programs that are compiled ahead of time into one file,
/// finds its readers by reflection, and knows neither frames nor frame rates.
/// </remarks>
internal static partial class MediaProbe
{
    /// <summary>The containers that FFmpeg is let at.</summary>
    internal const string Containers =
        "wav,w64,flac,mp3,ogg,aac,aiff,asf,mov,mp4,m4a,3gp,matroska,webm,avi,flv,mpeg,mpegts,mpegvideo,h264,hevc";

    /// <summary>What a program of FFmpeg may take.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Program = "ffprobe";
    private const long MostBytes = 1L << 31;

    /// <summary>Some 30 MB; a run over more files forgets them all and goes on.</summary>
    private const int MostKnown = 1 << 17;

    /// <summary>
    /// What was read of a file, as long as its size and time are the same: many items name it, or it is opened for its frames too.
    /// </summary>
    private static readonly ConcurrentDictionary<(string Path, SourceStamp Stamp), Lazy<ProbedFile>> Known = [];

    private sealed record ProbedFile(Probed Audio, Probed Video);

    private readonly record struct Probed(DecodeResult? Failure, MediaHeader Header);

    /// <summary>Reads a header.</summary>
    /// <param name="source">A sound or a film.</param>
    /// <param name="header">What it says; nothing where reading failed.</param>
    /// <returns>Null when it was read; otherwise a result with the reason.</returns>
    public static DecodeResult? Read(MediaSource source, out MediaHeader header)
    {
        var read = new MediaHeader();
        var failure = WithFile(source, (path, stamp) => Read(path, stamp, source.Kind, out read));
        header = read;
        return failure;
    }

    /// <summary>Reads the header of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="stamp">Its size and time.</param>
    /// <param name="kind">What it is to be.</param>
    /// <param name="header">What it says; nothing where reading failed.</param>
    /// <returns>Null when it was read; otherwise a result with the reason.</returns>
    public static DecodeResult? Read(string path, SourceStamp stamp, MediaKind kind, out MediaHeader header)
    {
        header = new MediaHeader();
        return OfFile(path, stamp, kind, ref header);
    }

    /// <summary>Does something with a source as a file: where it is none, with a copy in a <see cref="ScratchFolder"/>.</summary>
    /// <param name="source">A sound or a film.</param>
    /// <param name="use">Takes the file, which is not empty, and its size and time.</param>
    /// <returns>Null when all went well; otherwise a result with the reason, of <paramref name="use"/> or why there is no file.</returns>
    public static DecodeResult? WithFile(MediaSource source, Func<string, SourceStamp, DecodeResult?> use)
    {
        if (source.LocalPath is { } path)
        {
            using var nothing = new ReusableBuffer();
            // What is wrong with the path is told in the words in which it is told of images; a readable file is longer than this limit.
            return SourceStamp.Of(path) is { Bytes: > 0 } stamp
                ? use(path, stamp)
                : source.Read(0, nothing) ?? DecodeResult.Unreadable("the file is empty");
        }
        using var buffer = new ReusableBuffer();
        if (source.Read(Math.Min(MostBytes, Array.MaxLength), buffer) is { } failure)
            return failure;
        using var scratch = ScratchFolder.Create("media");
        var copy = scratch.FileOf("copy");
        File.WriteAllBytes(copy, buffer.Span);
        return use(copy, SourceStamp.Of(copy)!.Value);
    }

    /// <summary>The version of the program that reads headers, as it says itself; null where it is not installed.</summary>
    public static string? Version() => VersionOf(Program);

    /// <summary>The version of a program of FFmpeg; null where it is not installed.</summary>
    /// <param name="program"><c>ffprobe</c> or <c>ffmpeg</c>.</param>
    internal static string? VersionOf(string program)
    {
        var start = new ProcessStartInfo(program, "-version")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        try
        {
            using var process = Process.Start(start)!;
            _ = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            // "ffprobe version 5.1.6-0+deb12u1 Copyright ...".
            return output.Split(' ') is [_, "version", var version, ..] ? version : "version unknown";
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static DecodeResult? OfFile(string path, SourceStamp stamp, MediaKind kind, ref MediaHeader header)
    {
        try
        {
            if (kind == MediaKind.Audio && Wave(path, stamp.Bytes, ref header) is { } read)
                return read.Failure;
        }
        catch (UnauthorizedAccessException)
        {
            return DecodeResult.Unreadable("permission denied");
        }
        catch (IOException exception)
        {
            return DecodeResult.Unreadable(DecodeResult.OneLine(exception.Message));
        }
        if (Known.Count >= MostKnown)
            Known.Clear();
        var file = Known.GetOrAdd((Path.GetFullPath(path), stamp), key => new(() => Probe(key.Path, key.Stamp.Bytes))).Value;
        var probed = kind == MediaKind.Video ? file.Video : file.Audio;
        header = probed.Header;
        return probed.Failure;
    }

    /// <summary>Reads PCM in WAV; null for anything else.</summary>
    private static (DecodeResult? Failure, bool IsWave)? Wave(string path, long length, ref MediaHeader header)
    {
        using var file = File.OpenHandle(path);
        Span<byte> bytes = stackalloc byte[16];
        if (RandomAccess.Read(file, bytes[..12], 0) < 12 || !bytes.StartsWith("RIFF"u8) || !bytes[8..12].SequenceEqual("WAVE"u8))
            return null;
        var (rate, channels, bytesPerSecond) = (0u, 0, 0u);
        for (var at = 12L; RandomAccess.Read(file, bytes[..8], at) == 8;)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            if (bytes.StartsWith("fmt "u8))
            {
                if (RandomAccess.Read(file, bytes, at + 8) < 16)
                    break;
                // PCM, floats, and the format that names one of these; the length of what is compressed stands elsewhere.
                if (BinaryPrimitives.ReadUInt16LittleEndian(bytes) is not (1 or 3 or 0xFFFE))
                    return null;
                channels = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
                rate = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
                bytesPerSecond = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
            }
            else if (bytes.StartsWith("data"u8))
            {
                if (bytesPerSecond == 0)
                    return (DecodeResult.Unreadable("a WAV file without a format before its samples"), true);
                // A writer that could not go back, as into a pipe, leaves the largest size.
                var there = length - at - 8;
                if (size != uint.MaxValue && size > there)
                    return (new DecodeResult(
                        ImageStatus.Truncated,
                        string.Create(CultureInfo.InvariantCulture, $"the file has {there} of {size} bytes of samples"), null), true);
                header = new MediaHeader
                {
                    Bytes = length,
                    Duration = (double)Math.Min(size, there) / bytesPerSecond,
                    SampleRate = rate,
                    Channels = channels,
                };
                return (null, true);
            }
            at += 8L + size + (size & 1);
        }
        return (DecodeResult.Unreadable("a WAV file without samples"), true);
    }

    private static ProbedFile Probe(string path, long bytes)
    {
        Probed? failure = Probe(path, out var output) is { } wrong ? new Probed(wrong, new MediaHeader()) : null;
        if (failure is { } both)
            return new ProbedFile(both, both);
        using var document = JsonDocument.Parse(output);
        Probed Of(MediaKind kind)
        {
            var header = new MediaHeader();
            return new Probed(Read(document.RootElement, bytes, kind, ref header), header);
        }
        return new ProbedFile(Of(MediaKind.Audio), Of(MediaKind.Video));
    }

    /// <summary>What the program said, on one line, without the file's name and places in memory, which are others in every run.</summary>
    internal static string Said(string errors, string path) => DecodeResult.OneLine(
        Address().Replace(errors.Replace($"file:{Path.GetFullPath(path)}: ", "", StringComparison.Ordinal), ""));

    private static DecodeResult? Probe(string path, out string json)
    {
        json = "";
        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var argument in new[]
        {
            "-v", "error", "-protocol_whitelist", "file", "-format_whitelist", Containers, "-of", "json", "-show_entries",
            "format=duration:stream=codec_type,sample_rate,channels,width,height,avg_frame_rate,nb_frames,duration:" +
            "stream_disposition=attached_pic", "-i", $"file:{Path.GetFullPath(path)}",
        })
            start.ArgumentList.Add(argument);
        Process? started;
        try
        {
            started = Process.Start(start);
        }
        catch (Win32Exception)
        {
            return DecodeResult.Unsupported($"its header needs {Program}, which is not installed (package ffmpeg)");
        }
        using var process = started!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            process.WaitForExit();
            return new DecodeResult(
                ImageStatus.Timeout,
                string.Create(CultureInfo.InvariantCulture, $"{Program} took more than {Patience.TotalSeconds} s"), null);
        }
        process.WaitForExit();
        if (process.ExitCode != 0)
            return DecodeResult.Unreadable(Said(errors.Result, path) is { Length: > 0 } message ? message : $"{Program} cannot read it");
        json = output.Result;
        return null;
    }

    private static DecodeResult? Read(JsonElement root, long bytes, MediaKind kind, ref MediaHeader header)
    {
        JsonElement? audio = null, video = null;
        if (root.TryGetProperty("streams", out var streams))
        {
            foreach (var stream in streams.EnumerateArray())
            {
                var type = stream.TryGetProperty("codec_type", out var text) ? text.GetString() : null;
                // The cover of a record is a video stream of one picture.
                var isCover = stream.TryGetProperty("disposition", out var disposition) && Number(disposition, "attached_pic") == 1;
                if (type == "audio")
                    audio ??= stream;
                else if (type == "video" && !isCover)
                    video ??= stream;
            }
        }
        if ((kind == MediaKind.Video ? video : audio) is not { } main)
            return DecodeResult.Unreadable(kind == MediaKind.Video ? "the file has no video stream" : "the file has no audio stream");
        var whole = root.TryGetProperty("format", out var format) ? Number(format, "duration") : double.NaN;
        var duration = Number(main, "duration") is var own && double.IsNaN(own) ? whole : own;
        if (double.IsNaN(duration))
            return DecodeResult.Unreadable("the header does not say how long it is");
        var perSecond = video is { } film ? Ratio(film, "avg_frame_rate") : double.NaN;
        header = new MediaHeader
        {
            Bytes = bytes,
            Duration = duration,
            SampleRate = audio is { } sound ? Number(sound, "sample_rate") : double.NaN,
            Channels = audio is { } heard ? Number(heard, "channels") : double.NaN,
            Width = video is { } wide ? Number(wide, "width") : double.NaN,
            Height = video is { } high ? Number(high, "height") : double.NaN,
            FramesPerSecond = perSecond,
            Frames = video is { } seen && Number(seen, "nb_frames") is var frames && !double.IsNaN(frames)
                ? frames
                : Math.Round(duration * perSecond),
        };
        return null;
    }

    [GeneratedRegex(@" @ 0x[0-9a-fA-F]+(?=\])")]
    private static partial Regex Address();

    private static double Number(JsonElement element, string name) =>
        !element.TryGetProperty(name, out var value) ? double.NaN
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble()
        : double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
        : double.NaN;

    private static double Ratio(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.GetString()?.Split('/') is [var above, var below]
            && double.TryParse(above, NumberStyles.Float, CultureInfo.InvariantCulture, out var count)
            && double.TryParse(below, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && count > 0 && seconds > 0
        ? count / seconds
        : double.NaN;
}
