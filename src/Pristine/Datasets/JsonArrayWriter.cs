namespace Pristine.Datasets;

/// <summary>
/// Writes a JSON array whose elements, and the white space around them, are those of the input. Keeping every item gives the input back
/// byte for byte. An output that is abandoned is closed with a bracket, so that it can be read.
/// </summary>
/// <param name="file">The output, owned by the writer.</param>
/// <param name="frame">The bytes around the elements, as far as they are known when it is called.</param>
internal sealed class JsonArrayWriter(PartialFile file, Func<JsonFrame> frame) : DatasetWriter
{
    private bool _isStarted;
    private bool _isFirst = true;
    private bool _isDisposed;

    public override void Write(DatasetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        Start();
        if (!_isFirst)
            file.Stream.Write(item.Before.IsEmpty ? ",\n"u8 : item.Before.Span);
        _isFirst = false;
        file.Stream.Write(item.Raw.Span);
    }

    public override void Complete()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        Close();
        file.Complete();
    }

    public override void Dispose()
    {
        // Without an item there is nothing to go on from.
        if (!_isDisposed && _isStarted)
            Close();
        file.Dispose();
    }

    private void Start()
    {
        if (!_isStarted)
            file.Stream.Write(frame().Opening.Span);
        _isStarted = true;
    }

    private void Close()
    {
        _isDisposed = true;
        Start();
        file.Stream.Write(frame().Closing.Span);
    }
}
