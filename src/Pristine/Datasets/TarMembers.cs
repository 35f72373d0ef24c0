using System.Formats.Tar;

namespace Pristine.Datasets;

/// <summary>A member of a tar archive.</summary>
/// <param name="Name">Its name as the archive has it, long names (GNU, PAX) included.</param>
/// <param name="IsFile">True for a regular file; false for folders, links, devices and global headers.</param>
/// <param name="DataStart">Where its content begins.</param>
/// <param name="Length">Bytes of its content.</param>
internal sealed record TarMember(string Name, bool IsFile, long DataStart, long Length)
{
    /// <summary>Headers and contents begin at multiples of this.</summary>
    public const int BlockBytes = 512;

    /// <summary>Where the next member begins.</summary>
    public long End => DataStart + ((Length + BlockBytes - 1) / BlockBytes * BlockBytes);
}

/// <summary>Goes through the headers of a tar archive (V7, ustar, PAX, GNU); contents are passed over.</summary>
internal sealed class TarMembers : IDisposable
{
    private readonly Stream _stream;
    private readonly string _name;
    private readonly TarReader _reader;
    private long _end;
    private DatasetException? _cut;

    /// <summary>Starts reading.</summary>
    /// <param name="stream">
    /// The archive, which the caller closes. Where it cannot seek, its position must count the bytes that were read.
    /// </param>
    /// <param name="name">Its name for messages.</param>
    public TarMembers(Stream stream, string name) => (_stream, _name, _reader) =
        (stream, name, new TarReader(new LongHeaderGuard(stream), leaveOpen: true));

    /// <summary>Reads the next header. A member whose content is cut off is given, and the call after it throws.</summary>
    /// <returns>Null at the end of the archive.</returns>
    /// <exception cref="DatasetException">It is no tar archive, is damaged or cut off, or another archive follows.</exception>
    public TarMember? Next()
    {
        if (_cut != null)
            throw _cut;
        TarEntry? entry;
        try
        {
            entry = _reader.GetNextEntry();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or OverflowException
            or ArgumentException or NotSupportedException)
        {
            throw new DatasetException(
                $"{_name}: expected the header of a member of a tar archive; {e.Message} (byte {_end} of the archive).", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot read '{_name}': {e.Message}", e);
        }
        if (entry == null)
        {
            CheckEnd();
            return null;
        }
        var isFile = entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile;
        // What is no file counts as far as the reader has gone; the next member begins where its own header does.
        var dataStart = isFile && _stream.CanSeek && entry.DataOffset >= 0 ? entry.DataOffset : _stream.Position;
        dataStart = (dataStart + TarMember.BlockBytes - 1) / TarMember.BlockBytes * TarMember.BlockBytes;
        var member = new TarMember(entry.Name, isFile, dataStart, isFile ? entry.Length : 0);
        _end = member.End;
        if (_stream.CanSeek && member.DataStart + member.Length > _stream.Length)
        {
            _cut = new DatasetException(
                $"{_name}: expected {member.Length} bytes of '{member.Name}' from byte {member.DataStart} on; the archive ends at byte " +
                $"{_stream.Length}, so it is cut off.");
        }
        return member;
    }

    public void Dispose() => _reader.Dispose();

    /// <summary>
    /// The reader of .NET takes as much memory as a header of names and attributes says that follows, before it has read any of it. A
    /// damaged size would take gigabytes; real ones are some kilobytes.
    /// </summary>
    private sealed class LongHeaderGuard(Stream inner) : Stream
    {
        private const long MostBytes = 1 << 20;
        private const int SizeAt = 124;
        private const int SizeLength = 12;
        private const int KindAt = 156;
        private const int MagicAt = 257;

        public override bool CanRead => true;

        public override bool CanSeek => inner.CanSeek;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            // Headers are asked for block by block.
            if (buffer.Length != TarMember.BlockBytes)
                return inner.Read(buffer);
            var read = inner.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            if (read == buffer.Length && buffer[MagicAt..].StartsWith("ustar"u8) && "xgLK"u8.Contains(buffer[KindAt])
                && SizeOf(buffer.Slice(SizeAt, SizeLength)) is var size and > MostBytes)
                throw new InvalidDataException($"expected at most {MostBytes} bytes of names and attributes; found {size}");
            return read;
        }

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void Flush() => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        /// <summary>A number in octal digits, or in GNU's bytes for large ones, of which none is small.</summary>
        private static long SizeOf(ReadOnlySpan<byte> field)
        {
            if ((field[0] & 0x80) != 0)
                return long.MaxValue;
            var size = 0L;
            foreach (var digit in field)
                if (digit is >= (byte)'0' and <= (byte)'7')
                    size = size * 8 + (digit - '0');
            return size;
        }
    }

    /// <summary>An archive ends with zeros. What other programs would silently leave out is told of.</summary>
    private void CheckEnd()
    {
        if (!_stream.CanSeek)
            return;
        _stream.Position = _end;
        var buffer = new byte[1 << 16];
        for (int read; (read = _stream.Read(buffer)) > 0;)
        {
            if (buffer.AsSpan(0, read).IndexOfAnyExcept((byte)0) is var at and >= 0)
            {
                throw new DatasetException(
                    $"{_name}: expected nothing after the end of the archive at byte {_end}; found more at byte " +
                    $"{_stream.Position - read + at}. Was another archive put behind it? Name the archives one by one.");
            }
        }
    }
}
