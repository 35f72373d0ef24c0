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
    public TarMembers(Stream stream, string name) => (_stream, _name, _reader) = (stream, name, new TarReader(stream, leaveOpen: true));

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
