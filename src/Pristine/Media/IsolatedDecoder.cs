using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Pristine.Native;

namespace Pristine.Media;

/// <summary>Decodes in a process of its own, which is started again when it has died. Used by one thread at a time.</summary>
/// <param name="options">Limits, and how the process is started.</param>
internal sealed class IsolatedDecoder(ImagingOptions options) : IDisposable
{
    // A crash may be the system's: an image is tried again in a fresh process before it is blamed.
    private const int MostCrashes = 2;

    // Nothing within a decoder sends itself SIGKILL; somebody else did, or the system is short of memory, perhaps because of the image.
    // Only one that is killed again and again is to blame.
    private const int MostKills = 20;

    // A process that is killed before it is ready has decoded nothing: no image is to blame, and the next attempt may be left alone.
    private const int MostStarts = 100;
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    // The child asks for the time itself, and is given this much to notice.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly DecoderIsolation _isolation = options.Isolation!;
    private DecoderProcess? _process;
    private DecodedPlanes _planes;

    /// <summary>Interleaved R G B of the last image, if asked for.</summary>
    public ReadOnlySpan<byte> Rgb => _planes.RgbLength == 0 ? default : _process!.Memory.Slice(_planes.RgbAt, _planes.RgbLength);

    /// <summary>Luma of the last image, if asked for.</summary>
    public ReadOnlySpan<byte> Luma => _planes.LumaLength == 0 ? default : _process!.Memory.Slice(_planes.LumaAt, _planes.LumaLength);

    /// <summary>Whether libjpeg-turbo decoded the last image.</summary>
    public bool UsedTurboJpeg { get; private set; }

    /// <summary>Decodes a file.</summary>
    /// <param name="file">The encoded bytes.</param>
    /// <param name="input">The planes to make.</param>
    /// <exception cref="IOException">The process cannot be started.</exception>
    public DecodeResult Decode(ReadOnlySpan<byte> file, ImageInput input)
    {
        UsedTurboJpeg = false;
        var (crashes, kills) = (0, 0);
        while (true)
        {
            _process ??= Start();
            if (_process.Decode(file, input, options.Timeout + Grace) is { } reply)
            {
                _planes = new DecodedPlanes(file.Length, reply.RgbLength, reply.LumaLength);
                UsedTurboJpeg = reply.UsedTurboJpeg;
                // One that was short of memory may stay so: the next image gets a fresh one.
                if (reply.Result.Status == ImageStatus.Crashed)
                    End();
                return reply.Result;
            }
            var (isLate, wasKilled, reason) = (_process.IsLate, _process.WasKilled, _process.Death);
            End();
            if (isLate)
                return new(
                    ImageStatus.Timeout,
                    $"not decoded within {options.Timeout.TotalSeconds.ToString("0.#######", CultureInfo.InvariantCulture)} seconds", null);
            if (wasKilled ? ++kills >= MostKills : ++crashes >= MostCrashes)
                return DecoderIsolation.Crashed($"the decoder's process died: {reason}");
            if (wasKilled)
                PauseAfter(kills);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _process?.Dispose();

    /// <summary>Starts a process; one that somebody kills before it is ready is no reason to end a run.</summary>
    private DecoderProcess Start()
    {
        for (var kills = 1; ; kills++)
        {
            try
            {
                return DecoderProcess.Start(_isolation, options);
            }
            catch (ChildKilledException) when (kills < MostStarts)
            {
                PauseAfter(kills);
            }
        }
    }

    // Where memory is short, others may give some back.
    private static void PauseAfter(int kills)
    {
        var pause = TimeSpan.FromMilliseconds(10 * (kills - 1));
        Thread.Sleep(pause < LongestPause ? pause : LongestPause);
    }

    private void End()
    {
        _process?.Dispose();
        _process = null;
    }
}

/// <summary>A child was killed before it was ready.</summary>
internal sealed class ChildKilledException(string message, Exception innerException) : IOException(message, innerException);

/// <summary>A child that decodes, as its parent sees it.</summary>
internal sealed class DecoderProcess : IDisposable
{
    private const int SignalBase = 128;
    private const int Kill = 9;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Stream _requests;
    private readonly BinaryReader _replies;
    private readonly Timer _alarm;
    private readonly Lock _gate = new();
    private bool _isWaiting;
    private string? _lastWords;
    private TimeSpan _processorTime;
    private long _needed;
    private static long _processorTicks;

    private DecoderProcess(Process process, SharedMemory memory)
    {
        (_process, Memory) = (process, memory);
        _requests = process.StandardInput.BaseStream;
        _replies = new BinaryReader(new BufferedStream(process.StandardOutput.BaseStream, 512));
        _alarm = new Timer(_ => EndLate());
        process.ErrorDataReceived += (_, line) => _lastWords = line.Data ?? _lastWords;
        process.BeginErrorReadLine();
    }

    /// <summary>Processor time of all children of this process.</summary>
    public static TimeSpan ProcessorTime => new(Interlocked.Read(ref _processorTicks));

    /// <summary>Where files go and planes come from.</summary>
    public SharedMemory Memory { get; }

    /// <summary>True if it was ended because an image took too long.</summary>
    public bool IsLate { get; private set; }

    /// <summary>True if it died of SIGKILL, which no image causes by itself.</summary>
    public bool WasKilled => !OperatingSystem.IsWindows() && Exit == SignalBase + Kill;

    /// <summary>How it died.</summary>
    public string Death => Exit > SignalBase && !OperatingSystem.IsWindows()
        ? string.Create(CultureInfo.InvariantCulture, $"signal {Exit - SignalBase}{NameOf(Exit - SignalBase)}")
        : string.Create(CultureInfo.InvariantCulture, $"exit code {Exit}");

    private int Exit
    {
        get
        {
            _process.WaitForExit();
            return _process.ExitCode;
        }
    }

    /// <summary>Starts one and waits until it is ready.</summary>
    /// <exception cref="IOException">It cannot be started.</exception>
    public static DecoderProcess Start(DecoderIsolation isolation, ImagingOptions options)
    {
        var memory = SharedMemory.Create();
        var settings = new DecoderChildSettings(memory.Path, Environment.ProcessId, options, isolation.MemoryLimit);
        var start = new ProcessStartInfo(isolation.Program, [.. isolation.Arguments, .. settings.ToArguments()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        Process? process = null;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            memory.Dispose();
            throw new IOException($"The decoder's process {isolation.Program} cannot be started: {exception.Message}", exception);
        }
        var started = new DecoderProcess(process, memory);
        try
        {
            Span<byte> hello = stackalloc byte[DecoderReply.Hello.Length];
            started._replies.BaseStream.ReadExactly(hello);
            if (!hello.SequenceEqual(DecoderReply.Hello))
                throw new IOException("Expected the greeting of a decoder's process; found other bytes.");
            return started;
        }
        catch (IOException exception)
        {
            if (!process.HasExited)
                process.Kill();
            var message = $"The decoder's process {isolation.Program} did not start ({started.Death}): " +
                $"{started._lastWords ?? exception.Message}";
            var wasKilled = started.WasKilled;
            started.Dispose();
            throw wasKilled ? new ChildKilledException(message, exception) : new IOException(message, exception);
        }
    }

    /// <summary>Decodes a file.</summary>
    /// <returns>Null when it died, or was ended because it was late.</returns>
    public DecoderReply? Decode(ReadOnlySpan<byte> file, ImageInput input, TimeSpan time)
    {
        // What one large image took is given back after the next that is small: large ones often come one after the other.
        Memory.Reserve(file.Length, mayShrink: _needed <= SharedMemory.KeptCapacity);
        file.CopyTo(Memory.Slice(0, file.Length));
        lock (_gate)
            _isWaiting = true;
        _alarm.Change(time, Timeout.InfiniteTimeSpan);
        try
        {
            new DecoderRequest(Memory.Capacity, file.Length, input).Write(_requests);
            var reply = DecoderReply.Read(_replies);
            Memory.Follow(reply.Capacity);
            _needed = new DecodedPlanes(file.Length, reply.RgbLength, reply.LumaLength).End;
            Interlocked.Add(ref _processorTicks, (reply.ProcessorTime - _processorTime).Ticks);
            _processorTime = reply.ProcessorTime;
            return reply;
        }
        catch (Exception exception) when (exception is IOException or FormatException)
        {
            // The pipe is broken: it died. One that answers with something else is as good as dead.
            lock (_gate)
                _isWaiting = false;
            if (!_process.HasExited && !_process.WaitForExit(Patience))
                _process.Kill();
            return null;
        }
        finally
        {
            lock (_gate)
                _isWaiting = false;
            _alarm.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _alarm.Dispose();
        _requests.Dispose();
        if (!_process.WaitForExit(Patience))
            _process.Kill();
        _replies.Dispose();
        _process.Dispose();
        Memory.Dispose();
    }

    private void EndLate()
    {
        lock (_gate)
        {
            if (!_isWaiting)
                return;
            IsLate = true;
            _process.Kill();
        }
    }

    private static string NameOf(int signal) => signal switch
    {
        4 => " (SIGILL)",
        5 => " (SIGTRAP)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        Kill => " (SIGKILL)",
        11 => " (SIGSEGV)",
        31 => " (SIGSYS)",
        _ => "",
    };
}
