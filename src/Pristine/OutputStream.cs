namespace Pristine;

/// <summary>A stream that is only written, from start to end. A derived class says where the bytes go.</summary>
internal abstract class OutputStream : Stream
{
    private long _position;

    public sealed override bool CanRead => false;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => true;

    /// <summary>Gets the number of bytes that were written.</summary>
    public sealed override long Length => _position;

    /// <summary>Gets the number of bytes that were written.</summary>
    public sealed override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public sealed override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public sealed override void Write(ReadOnlySpan<byte> buffer)
    {
        WriteNext(buffer);
        _position += buffer.Length;
    }

    /// <summary>Writes on.</summary>
    /// <param name="buffer">The bytes, all of which are written.</param>
    protected abstract void WriteNext(ReadOnlySpan<byte> buffer);

    /// <summary>Does nothing, unless a derived class keeps bytes back.</summary>
    public override void Flush()
    {
    }

    public sealed override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();
}
