using System.Text;
using Pristine.Native;

namespace Pristine.Cli.Display;

/// <summary>Standard error as a place for messages: when it cannot be written to, the messages are lost and the work goes on.</summary>
internal sealed class Messages : OutputStream
{
    private readonly Stream _error = Console.OpenStandardError();

    private Messages()
    {
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

    protected override void WriteNext(ReadOnlySpan<byte> buffer)
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

    /// <summary>Stands for a standard output that the program was started without.</summary>
    private sealed class ClosedOutput : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => StandardStreams.OpenOutput();

        public override void Write(byte[] buffer, int offset, int count) => StandardStreams.OpenOutput();
    }
}
