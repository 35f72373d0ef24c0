using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>
/// Standard output as raw bytes. Unlike the console's stream it tells when the reader of a pipe has gone, so that
/// <c>pristine score ... | head</c> ends instead of scoring on for nobody.
/// </summary>
internal sealed partial class StandardOutputStream : OutputStream
{
    private const int Descriptor = 1;
    private const int InterruptedCall = 4;
    private const int BrokenPipe = 32;
    private readonly Stream? _console;

    /// <summary>Opens standard output.</summary>
    /// <exception cref="IOException">The process was started without it.</exception>
    public StandardOutputStream()
    {
        var console = StandardStreams.OpenOutput();
        _console = OperatingSystem.IsWindows() ? console : null;
    }

    /// <summary>True once a write has failed.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>True once a write has failed because the reader of the pipe has gone: nobody is left to tell.</summary>
    public bool HasNoReader { get; private set; }

    /// <summary>Writes all bytes; after a failed write, nothing more.</summary>
    /// <param name="buffer">The bytes.</param>
    /// <exception cref="IOException">The reader has gone, or the disk is full.</exception>
    protected override void WriteNext(ReadOnlySpan<byte> buffer)
    {
        if (IsBroken)
            return;
        if (_console != null)
        {
            _console.Write(buffer);
            return;
        }
        while (!buffer.IsEmpty)
        {
            var written = write(Descriptor, ref MemoryMarshal.GetReference(buffer), (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }
            var error = Marshal.GetLastPInvokeError();
            if (error == InterruptedCall)
                continue;
            IsBroken = true;
            HasNoReader = error == BrokenPipe;
            throw new IOException($"Standard output cannot be written: {Marshal.GetPInvokeErrorMessage(error)}.");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, ref byte buffer, nuint count);
}
