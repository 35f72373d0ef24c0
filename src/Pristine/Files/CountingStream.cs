namespace Pristine.Files;

/// <summary>A stream that is only written and knows its position, which pipes do not.</summary>
/// <param name="inner">Where the bytes go.</param>
/// <param name="leaveOpen">False where that is closed with the stream.</param>
internal sealed class CountingStream(Stream inner, bool leaveOpen = true) : OutputStream
{
    public override void Flush() => inner.Flush();

    protected override void WriteNext(ReadOnlySpan<byte> buffer) => inner.Write(buffer);

    protected override void Dispose(bool disposing)
    {
        if (disposing && !leaveOpen)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
