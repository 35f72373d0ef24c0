using System.Buffers;
using System.Globalization;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>A part of a dataset that can be read on its own: a file, a range of one, or a group of rows.</summary>
public sealed class InputPart
{
    private readonly Func<PartNumbers, CancellationToken, IEnumerable<DatasetItem>> _read;

    /// <param name="name">Names the part within its dataset, and the same in every run.</param>
    /// <param name="read">Reads the part's items in order.</param>
    internal InputPart(string name, Func<PartNumbers, CancellationToken, IEnumerable<DatasetItem>> read) => (Name, _read) = (name, read);

    /// <summary>Names the part within its dataset, and the same in every run.</summary>
    public string Name { get; }

    /// <summary>The bytes of the dataset that it is; null where that is not known before it is read.</summary>
    public long? Bytes { get; internal init; }

    /// <summary>How many items it has; null where that is not known before it is read.</summary>
    public long? Items { get; internal init; }

    /// <summary>The local file that it lies in, whose size and time tell whether it is still the same; null where there is none.</summary>
    internal string? File { get; init; }

    /// <summary>Whether it is all of <see cref="File"/>, so that no other part depends on what is in it.</summary>
    internal bool IsWholeFile { get; init; }

    /// <summary>Reads the part's items in order, numbered from 0.</summary>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DatasetException">The part cannot be read on; the message names file and position.</exception>
    public IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) => ReadFrom(new PartNumbers(), cancellation);

    /// <summary>Reads the part's items in order, numbered as is asked for.</summary>
    internal IEnumerable<DatasetItem> ReadFrom(PartNumbers numbers, CancellationToken cancellation) => _read(numbers, cancellation);

    /// <summary>A range of a file as a part.</summary>
    /// <param name="file">The file, or its address.</param>
    /// <param name="range">The range, in bytes.</param>
    /// <param name="read">Reads the items of a range.</param>
    internal static InputPart OfRange(
        string file, (long Start, long End) range, Func<long, long, PartNumbers, CancellationToken, IEnumerable<DatasetItem>> read) =>
        new(NameOf(range.Start, range.End), (numbers, cancellation) => read(range.Start, range.End, numbers, cancellation))
        {
            Bytes = range.End - range.Start,
            File = RemoteAddress.IsRemote(file) ? null : file,
        };

    /// <summary>The name of a range of a file: <c>START-END</c>.</summary>
    internal static string NameOf(long start, long end) => string.Create(CultureInfo.InvariantCulture, $"{start}-{end}");

    /// <summary>True unless a name says a range that begins within a file, whose lines are counted from the file's first.</summary>
    internal static bool BeginsFile(string name) =>
        name[(name.LastIndexOf('#') + 1)..].Split('-') is not [var start, _]
        || !long.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var from) || from == 0;

    /// <summary>The range that a name says.</summary>
    /// <exception cref="DatasetException">The name is that of no range.</exception>
    internal static (long Start, long End) RangeOf(string name) => name.Split('-') is [var first, var last]
        && long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var start)
        && long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var end)
        ? (start, end)
        : throw new DatasetException($"Expected the name of a part to be START-END; found '{name}'.");
}

/// <summary>Where the numbers of a part's items and lines begin, and how many lines it had.</summary>
internal sealed class PartNumbers
{
    /// <summary>The position of the first item.</summary>
    public long FirstItem { get; init; }

    /// <summary>The lines before the first.</summary>
    public long FirstLine { get; init; }

    /// <summary>The lines that were read, where the part is made of lines; known when all items were read.</summary>
    public long Lines { get; set; }
}

/// <summary>
/// The list of what was found in a folder or a bucket, so that it is searched once and each part reads its own range of the list. An entry
/// is four texts, each ended by NUL: the name, an error or nothing, size and time or nothing.
/// </summary>
internal sealed class FileList(Stream list)
{
    /// <summary>A part begins at a multiple of this; a smaller part would cost more than it divides.</summary>
    private const int Step = 128;

    /// <summary>The most entries of a part.</summary>
    private const int MostItems = 4096;

    /// <summary>How many parts a dataset has that is neither small nor large.</summary>
    private const int Parts = 256;

    private readonly List<long> _starts = [];
    private readonly ArrayBufferWriter<byte> _pending = new();
    private long _position;
    private long _count;

    /// <summary>Appends an entry.</summary>
    public void Add(string name, string? error = null, SourceStamp? stamp = null)
    {
        if (_count++ % Step == 0)
            _starts.Add(_position + _pending.WrittenCount);
        Append(name);
        Append(error ?? "");
        Append(stamp?.Bytes.ToString(CultureInfo.InvariantCulture) ?? "");
        Append(stamp?.Modified.ToString(CultureInfo.InvariantCulture) ?? "");
        if (_pending.WrittenCount >= 1 << 16)
            Flush();
    }

    /// <summary>Ends the list and divides it into parts.</summary>
    /// <param name="part">Makes a part of the name of a range.</param>
    public InputPart[] Divide(Func<string, long, InputPart> part)
    {
        Flush();
        var steps = (int)Math.Clamp((_count + (Parts * Step) - 1) / (Parts * Step), 1, MostItems / Step);
        var found = new List<InputPart>();
        for (var i = 0; i < _starts.Count; i += steps)
        {
            var end = i + steps < _starts.Count ? _starts[i + steps] : _position;
            found.Add(part(InputPart.NameOf(_starts[i], end), Math.Min(steps * (long)Step, _count - (i * (long)Step))));
        }
        return found.Count > 0 ? [.. found] : [part(InputPart.NameOf(0, 0), 0)];
    }

    /// <summary>Reads the entries of a part.</summary>
    /// <param name="open">Opens the list.</param>
    /// <param name="name">The part's name.</param>
    /// <exception cref="DatasetException">The list ends within the part.</exception>
    public static IEnumerable<(string Name, string? Error, SourceStamp? Stamp)> Read(Func<Stream> open, string name)
    {
        var (start, end) = InputPart.RangeOf(name);
        using var stream = open();
        stream.Position = start;
        var bytes = new byte[end - start];
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw new DatasetException($"The list of the dataset's files is shorter than {end} bytes: a part of it is missing.");
        var at = 0;
        while (at < bytes.Length)
        {
            var (file, error, size, time) = (Next(), Next(), Next(), Next());
            yield return (
                file,
                error.Length == 0 ? null : error,
                size.Length == 0 ? null : new SourceStamp(
                    long.Parse(size, CultureInfo.InvariantCulture), long.Parse(time, CultureInfo.InvariantCulture)));
        }

        string Next()
        {
            var length = bytes.AsSpan(at).IndexOf((byte)0);
            var text = System.Text.Encoding.UTF8.GetString(bytes, at, length);
            at += length + 1;
            return text;
        }
    }

    private void Append(string text)
    {
        _pending.Write(System.Text.Encoding.UTF8.GetBytes(text));
        _pending.Write<byte>([0]);
    }

    private void Flush()
    {
        list.Write(_pending.WrittenSpan);
        _position += _pending.WrittenCount;
        _pending.ResetWrittenCount();
    }
}

/// <summary>Ranges of a file of lines; a line belongs to the range it begins in.</summary>
internal static class TextRanges
{
    private const long LeastBytes = 64 << 10;
    private const long MostBytes = 64 << 20;

    /// <summary>How many parts a file has that is neither small nor large.</summary>
    private const int Parts = 256;

    /// <summary>The size of ranges for a file: large enough that a part is worth its cost, small enough that there are many.</summary>
    public static long SizeFor(long length) => Math.Clamp(length / Parts, LeastBytes, MostBytes);

    /// <summary>Ranges of equal size.</summary>
    /// <param name="length">The file's size.</param>
    /// <param name="size">The size of a range; null to choose.</param>
    public static IEnumerable<(long Start, long End)> Of(long length, long? size)
    {
        var bytes = size ?? SizeFor(length);
        for (var start = 0L; start == 0 || start < length; start += bytes)
            yield return (start, Math.Min(length, start + bytes));
    }
}
