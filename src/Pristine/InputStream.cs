namespace Pristine;

/// <summary>A stream that is read once, from start to end. A derived class gives the bytes and closes what it reads from.</summary>
internal abstract class InputStream : Stream
{
    private long _position;

    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException();

    /// <summary>Gets the number of bytes that were read.</summary>
    public sealed override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public sealed override int Read(Span<byte> buffer)
    {
        var read = ReadNext(buffer);
        _position += read;
        return read;
    }

    /// <summary>Reads on.</summary>
    /// <param name="buffer">Gets the bytes.</param>
    /// <returns>The number of bytes; 0 at the end, or for an empty buffer.</returns>
    protected abstract int ReadNext(Span<byte> buffer);

    public sealed override void Flush() => throw new NotSupportedException();

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
