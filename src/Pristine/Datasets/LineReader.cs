namespace Pristine.Datasets;

/// <summary>One line of a file.</summary>
/// <param name="Text">The line without its end.</param>
/// <param name="End">What ended it: LF, CRLF or NUL; empty where the file ends without.</param>
/// <param name="Number">Line number, from 1.</param>
internal readonly record struct Line(ReadOnlyMemory<byte> Text, ReadOnlyMemory<byte> End, long Number);

/// <summary>Cuts a stream into lines, each in memory of its own; holds one line at a time.</summary>
/// <param name="stream">The stream, which the caller closes.</param>
/// <param name="name">Its name for messages.</param>
/// <param name="bufferSize">First size of the buffer in bytes; it grows to the longest line.</param>
/// <param name="longest">Longest line that is read, in bytes.</param>
internal sealed class LineReader(
    Stream stream, string name, int bufferSize = LineReader.DefaultBufferSize, int longest = LineReader.MaxRecordBytes)
{
    public const int DefaultBufferSize = 1 << 16;

    /// <summary>Longest record that is read, in bytes: a file of another kind must not fill the memory before it is refused.</summary>
    public const int MaxRecordBytes = 1 << 26;

    /// <summary>The UTF-8 byte order mark.</summary>
    public static ReadOnlySpan<byte> Bom => [0xEF, 0xBB, 0xBF];

    private byte[] _buffer = new byte[bufferSize];
    private int _start;
    private int _end;
    private long _number;
    private bool _atEnd;

    /// <summary>
    /// True when the stream began with a byte order mark, which is not part of the first line. Known after the first line.
    /// </summary>
    public bool HasBom { get; private set; }

    /// <summary>True where the stream is not at the beginning of its file, so that no byte order mark stands there.</summary>
    public bool IsWithin { get; init; }

    /// <summary>Where the next line begins in the stream.</summary>
    public long Position { get; private set; }

    /// <summary>The byte that ends a line: LF, or NUL after <see cref="DetectNul"/> found one.</summary>
    public byte Separator { get; set; } = (byte)'\n';

    /// <summary>
    /// Looks for a NUL in the first 8 KiB, twice the longest path, and takes it as the separator where it is found. Of a pipe, what has
    /// come when the first line is whole decides: waiting for more would hold that line back.
    /// </summary>
    public void DetectNul()
    {
        while (_end < 2 * 4096 && !_atEnd && Pending.IndexOfAny((byte)0, (byte)'\n') < 0)
            Fill();
        if (Pending.Contains((byte)0))
            Separator = 0;
    }

    /// <summary>The bytes that follow the lines read so far, at least some thousand of them where the stream has so many.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        while (_end - _start < 4096 && !_atEnd)
            Fill();
        return Pending;
    }

    /// <summary>Refuses a stream that is no text in UTF-8.</summary>
    /// <param name="expected">What it should be, for the message.</param>
    /// <param name="isJson">True where a NUL byte cannot be.</param>
    /// <exception cref="DatasetException">The first bytes are those of another kind of file.</exception>
    public void Check(string expected, bool isJson)
    {
        // Of a pipe no more is waited for than is needed to tell.
        while (_end - _start < FileKind.Bytes && !_atEnd && (isJson || FileKind.IsUndecided(Pending)))
            Fill();
        if ((isJson ? FileKind.OtherThanJson(Pending) : FileKind.OtherThanText(Pending)) is { } found)
            throw FileKind.Refusal(name, expected, found);
    }

    /// <summary>Reads one byte; a byte order mark is passed over. For those who look at the beginning alone.</summary>
    /// <returns>-1 at the end.</returns>
    public int NextByte()
    {
        if (Position == 0)
            SkipBom();
        if (_start == _end && !_atEnd)
            Fill();
        if (_start == _end)
            return -1;
        Position++;
        return _buffer[_start++];
    }

    /// <summary>Reads the next line.</summary>
    /// <param name="line">The line; it stays valid.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="DatasetException">The line is longer than is read.</exception>
    public bool Next(out Line line)
    {
        var length = Measure();
        return length >= 0
            ? Cut(length, out line)
            : throw new DatasetException(
                $"{name}:{_number + 1}: expected lines of at most {longest >> 20} MiB; found one that is longer. Is this file made of " +
                $"lines?");
    }

    /// <summary>Reads the next line, or passes over one that is too long.</summary>
    /// <param name="line">The line; it stays valid. Without text where it is too long.</param>
    /// <param name="isTooLong">True when the line is longer than is read.</param>
    /// <returns>False at the end.</returns>
    public bool Next(out Line line, out bool isTooLong)
    {
        var length = Measure();
        isTooLong = length < 0;
        if (!isTooLong)
            return Cut(length, out line);
        SkipLine();
        line = new Line(default, default, ++_number);
        return true;
    }

    /// <summary>The length of the next line with its end; 0 at the end of the stream, -1 for a line that is too long.</summary>
    private int Measure()
    {
        if (_number == 0 && !IsWithin)
            SkipBom();
        var searched = 0;
        int at;
        while ((at = Pending[searched..].IndexOf(Separator)) < 0 && !_atEnd && _end - _start <= longest)
        {
            searched = _end - _start;
            Fill();
        }
        var text = at < 0 ? _end - _start : searched + at;
        return text > longest ? -1 : at < 0 ? text : text + 1;
    }

    private bool Cut(int length, out Line line)
    {
        if (length == 0)
        {
            line = default;
            return false;
        }
        var bytes = Pending[..length].ToArray();
        _start += length;
        Position += length;
        var text = bytes.Length;
        if (bytes[^1] == Separator)
            text = Separator == '\n' && length > 1 && bytes[^2] == '\r' ? length - 2 : length - 1;
        line = new Line(bytes.AsMemory(0, text), bytes.AsMemory(text), ++_number);
        return true;
    }

    /// <summary>Passes over the bytes up to the end of the line.</summary>
    private void SkipLine()
    {
        int end;
        while ((end = Pending.IndexOf(Separator)) < 0 && !_atEnd)
        {
            Position += _end - _start;
            _start = _end;
            Fill();
        }
        var skipped = end < 0 ? _end - _start : end + 1;
        Position += skipped;
        _start += skipped;
        // The long line has made the buffer large.
        if (_buffer.Length > bufferSize && _end - _start <= bufferSize)
        {
            var pending = Pending.ToArray();
            _buffer = new byte[bufferSize];
            pending.CopyTo(_buffer, 0);
            (_start, _end) = (0, pending.Length);
        }
    }

    private Span<byte> Pending => _buffer.AsSpan(_start, _end - _start);

    private void SkipBom()
    {
        while (_end - _start < Bom.Length && !_atEnd && Bom.StartsWith(Pending))
            Fill();
        HasBom = Pending.StartsWith(Bom);
        if (HasBom)
        {
            _start += Bom.Length;
            Position += Bom.Length;
        }
    }

    private void Fill()
    {
        if (_start > 0)
        {
            Pending.CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = DatasetFile.Read(stream, _buffer.AsSpan(_end), name);
        _end += read;
        _atEnd = read == 0;
    }
}
