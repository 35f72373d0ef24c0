using System.Text;
using Pristine.Native;

namespace Pristine.Cli.Display;

/// <summary>Standard error as a place for messages: when it cannot be written to, the messages are lost and the work goes on.</summary>
internal sealed class Messages : Stream
{
    private readonly Stream _error = Console.OpenStandardError();

    private Messages()
    {
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Lets <see cref="Console.Error"/> write to it; and <see cref="Console.Out"/>, where the program has none, fail.</summary>
    public static void Open()
    {
        var encoding = OperatingSystem.IsWindows() ? Console.OutputEncoding : new UTF8Encoding(false);
        Console.SetError(TextWriter.Synchronized(
            StandardStreams.HasError ? new StreamWriter(new Messages(), encoding, bufferSize: 256) { AutoFlush = true } : TextWriter.Null));
        if (!StandardStreams.HasOutput)
            Console.SetOut(new StreamWriter(new ClosedOutput()) { AutoFlush = true });
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            _error.Write(buffer);
        }
        catch (IOException)
        {
            // There is nowhere left to say so.
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Stands for a standard output that the program was started without.</summary>
    private sealed class ClosedOutput : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => StandardStreams.OpenOutput();

        public override void Write(byte[] buffer, int offset, int count) => StandardStreams.OpenOutput();
    }
}
