namespace Pristine.Remote;

/// <summary>What a store has under an address.</summary>
/// <param name="Address">The address.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Modified">When it was last written, in UTC.</param>
public sealed record RemoteEntry(string Address, long Bytes, DateTime Modified);

/// <summary>A content on its way to an address, where it is once it is complete. Disposal before that leaves what was there.</summary>
public abstract class UploadStream : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <summary>Ends the content and gives it its name.</summary>
    /// <exception cref="RemoteException">It cannot be written.</exception>
    public abstract void Complete();

    /// <inheritdoc/>
    public abstract override void Write(ReadOnlySpan<byte> buffer);

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Does nothing: what was written is sent in parts of a store's own size.</summary>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
