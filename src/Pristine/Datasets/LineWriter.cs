using System.Buffers;

namespace Pristine.Datasets;

/// <summary>
/// Writes one item per line, each with the line end it was read with. A list of paths that meets a path with a line feed in its name
/// becomes a list separated by NUL, which is read as such again.
/// </summary>
/// <param name="file">The output, owned by the writer.</param>
/// <param name="hasBom">Tells, once an item was read, whether the input began with a byte order mark; then so does the output.</param>
internal sealed class LineWriter(PartialFile file, Func<bool> hasBom) : DatasetWriter
{
    private bool _isStarted;
    private bool _isEnded = true;
    private bool _isNul;
    private bool _isDisposed;

    public override void Write(DatasetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var raw = item.Raw.Span;
        if (!_isStarted && hasBom())
            file.Stream.Write(LineReader.Bom);
        _isStarted = true;
        // NUL-separated input may hold such paths too; its items bring their own NUL.
        if (!_isNul && raw.Contains((byte)'\n') && !item.After.Span.SequenceEqual("\0"u8))
            SeparateByNul(item);
        if (!_isEnded)
            file.Stream.WriteByte(_isNul ? (byte)0 : (byte)'\n');
        file.Stream.Write(item.Before.Span);
        file.Stream.Write(raw);
        if (_isNul)
            file.Stream.WriteByte(0);
        else
            file.Stream.Write(item.After.Span);
        _isEnded = _isNul || !item.After.IsEmpty;
    }

    public override void Complete()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _isDisposed = true;
        file.Complete();
    }

    public override void Dispose()
    {
        _isDisposed = true;
        file.Dispose();
    }

    // Rewrites in place what is there: until now every line feed in it was a separator.
    private void SeparateByNul(DatasetItem item)
    {
        if (!file.Stream.CanSeek)
            throw new DatasetException(
                $"Expected paths without line feeds for a list on standard output; found one in the path of item '{item.Id}'. Write to a " +
                $"file instead.");
        _isNul = true;
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        file.Stream.Position = 0;
        int read;
        while ((read = file.Stream.Read(buffer)) > 0)
        {
            buffer.AsSpan(0, read).Replace((byte)'\n', (byte)0);
            file.Stream.Position -= read;
            file.Stream.Write(buffer.AsSpan(0, read));
        }
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
