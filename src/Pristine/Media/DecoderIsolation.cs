using System.Globalization;
using System.Runtime.InteropServices;
using Pristine.Kernels;
using Pristine.Native;

namespace Pristine.Media;

/// <summary>
/// Decoding in processes of their own, one for each decoder: what crashes or hangs inside a library costs one image
/// (<see cref="ImageStatus.Crashed"/>, <see cref="ImageStatus.Timeout"/>), not the run. Pixels come back through shared memory; rows are
/// the same as without it.
/// </summary>
/// <param name="Program">The program to start. It calls <see cref="TryRunChild"/> before anything else.</param>
/// <param name="Arguments">What stands before the arguments of the child.</param>
public sealed record DecoderIsolation(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>The first argument of a child.</summary>
    internal const string Word = "decode-for-parent";

    /// <summary>
    /// Set to <c>1</c> in the environment of a child, a file that ends in <see cref="FaultMark"/> and a fault does it. For tests.
    /// </summary>
    private const string FaultVariable = "PRISTINE_TEST_FAULTS";

    // 16 bytes before the name of a fault, which is the end of a file.
    private static ReadOnlySpan<byte> FaultMark => "\npristine-fault:"u8;

    /// <summary>
    /// Memory in bytes that a child may take besides what it has when it starts; null for no limit. An image that needs more is
    /// <see cref="ImageStatus.Crashed"/>. Linux only.
    /// </summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Whether <see cref="MemoryLimit"/> can be set on this system.</summary>
    public static bool CanLimitMemory => ChildProcess.CanLimitMemory;

    /// <summary>The program that runs now, which must call <see cref="TryRunChild"/>.</summary>
    /// <exception cref="PlatformNotSupportedException">The system does not say what runs.</exception>
    public static DecoderIsolation OfThisProgram()
    {
        var program = Environment.ProcessPath ?? throw new PlatformNotSupportedException("The system does not tell the program's path.");
        // Started as 'dotnet PROGRAM.dll'.
        return Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? new DecoderIsolation(program, [Path.GetFullPath(Environment.GetCommandLineArgs()[0])])
            : new DecoderIsolation(program, []);
    }

    /// <summary>Works as a child if this process was started as one, and returns when its parent needs it no more.</summary>
    /// <param name="arguments">The arguments of the program.</param>
    /// <returns>False for a process that is none: nothing was done.</returns>
    public static bool TryRunChild(IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        if (arguments.Count == 0 || arguments[0] != Word)
            return false;
        var settings = DecoderChildSettings.Parse(arguments);
        // A terminal's Ctrl-C and a scheduler's signals go to all processes; when this one ends is the parent's to say.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => context.Cancel = true);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => context.Cancel = true);
        ChildProcess.EndWith(settings.Parent);
        using var output = ChildProcess.TakeOutput();
        using var input = new BinaryReader(new BufferedStream(StandardStreams.OpenInput(), 256));
        using var memory = SharedMemory.Open(settings.Memory);
        using var decoder = new FileDecoder(settings.Imaging);
        _ = Vips.Version;
        if (settings.MemoryLimit is { } limit)
            ChildProcess.LimitMemory(limit);
        try
        {
            output.Write(DecoderReply.Hello);
            while (DecoderRequest.TryRead(input) is { } request)
            {
                memory.Follow(request.Capacity);
                var reply = Answer(request, memory, decoder, settings) with
                {
                    Capacity = memory.Capacity,
                    ProcessorTime = Environment.CpuUsage.TotalTime,
                };
                output.Write(reply.ToBytes());
            }
        }
        catch (IOException)
        {
            // The parent is gone: nobody waits for an answer.
        }
        return true;
    }

    private static DecoderReply Answer(DecoderRequest request, SharedMemory memory, FileDecoder decoder, DecoderChildSettings settings)
    {
        var file = memory.Slice(0, request.Length);
        try
        {
            if (Environment.GetEnvironmentVariable(FaultVariable) == "1" && file.LastIndexOf(FaultMark) is >= 0 and var mark)
                ChildProcess.Fail(file[(mark + FaultMark.Length)..]);
            file.CopyTo(decoder.File.Resize(file.Length));
            decoder.Deadline.Restart();
            var result = decoder.Decode(request.Input, long.MaxValue);
            if (settings.MemoryLimit is { } limit && IsShortOfMemory(result))
                return new DecoderReply(Crashed(MemoryReason(limit), result.Header));
            if (!result.HasPixels)
                return new DecoderReply(result);
            var rgb = (request.Input & ImageInput.Rgb) != 0 ? decoder.Rgb : default;
            var luma = (request.Input & ImageInput.Luma) != 0 ? decoder.Luma : default;
            var planes = new DecodedPlanes(request.Length, rgb.Length, luma.Length);
            memory.Reserve(planes.End, mayShrink: false);
            rgb.CopyTo(memory.Slice(planes.RgbAt, rgb.Length));
            luma.CopyTo(memory.Slice(planes.LumaAt, luma.Length));
            return new DecoderReply(result)
            {
                RgbLength = rgb.Length,
                LumaLength = luma.Length,
                UsedTurboJpeg = decoder.UsedTurboJpeg,
            };
        }
        catch (OutOfMemoryException) when (settings.MemoryLimit is { } limit)
        {
            return new DecoderReply(Crashed(MemoryReason(limit), decoder.KnownHeader));
        }
    }

    // What libraries say who were given none.
    private static bool IsShortOfMemory(DecodeResult result) =>
        result is { Status: ImageStatus.Unreadable, Error: { } error }
        && (error.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || error.Contains("insufficient memory", StringComparison.OrdinalIgnoreCase)
            || error.Contains("unable to allocate", StringComparison.OrdinalIgnoreCase));

    private static string MemoryReason(long limit) =>
        string.Create(CultureInfo.InvariantCulture, $"decoding needed more memory than the limit of {limit >> 20} MiB");

    internal static DecodeResult Crashed(string reason, ImageHeader? header = null) => new(ImageStatus.Crashed, reason, header);
}

/// <summary>Where the planes of an image stand in shared memory: behind its file, each aligned for the kernels.</summary>
internal readonly record struct DecodedPlanes(int FileLength, int RgbLength, int LumaLength)
{
    private const int Alignment = 64;

    public long RgbAt => Aligned(FileLength);

    public long LumaAt => Aligned(RgbAt + RgbLength);

    public long End => LumaAt + LumaLength;

    private static long Aligned(long offset) => (offset + Alignment - 1) / Alignment * Alignment;
}

/// <summary>What a child is told when it starts.</summary>
internal sealed record DecoderChildSettings(string Memory, int Parent, ImagingOptions Imaging, long? MemoryLimit)
{
    public static DecoderChildSettings Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count != 8)
            throw new IOException($"Expected 8 arguments of a decoder's process; found {arguments.Count}.");
        long Number(int at) => long.Parse(arguments[at], CultureInfo.InvariantCulture);
        var imaging = new ImagingOptions
        {
            MaxPixels = Number(3),
            Timeout = new TimeSpan(Number(4)),
            KeepTruncated = Number(5) == 1,
            UseTurboJpeg = Number(6) == 1,
        };
        return new DecoderChildSettings(arguments[1], (int)Number(2), imaging, Number(7) is > 0 and var limit ? limit : null);
    }

    public IEnumerable<string> ToArguments()
    {
        static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
        return
        [
            DecoderIsolation.Word, Memory, Text(Parent), Text(Imaging.MaxPixels), Text(Imaging.Timeout.Ticks),
            Text(Imaging.KeepTruncated ? 1 : 0), Text(Imaging.UseTurboJpeg ? 1 : 0), Text(MemoryLimit ?? 0),
        ];
    }
}

/// <summary>A file to decode, which stands at the beginning of the shared memory.</summary>
internal readonly record struct DecoderRequest(long Capacity, int Length, ImageInput Input)
{
    /// <summary>The next request; null when there will be none.</summary>
    public static DecoderRequest? TryRead(BinaryReader reader)
    {
        try
        {
            return new DecoderRequest(reader.ReadInt64(), reader.ReadInt32(), (ImageInput)reader.ReadInt32());
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    public void Write(Stream stream)
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, Capacity);
        BitConverter.TryWriteBytes(bytes[8..], Length);
        BitConverter.TryWriteBytes(bytes[12..], (int)Input);
        stream.Write(bytes);
        stream.Flush();
    }
}

/// <summary>What came of a request.</summary>
internal sealed record DecoderReply(DecodeResult Result)
{
    /// <summary>The first bytes of a child that is ready.</summary>
    public static ReadOnlySpan<byte> Hello => "PRSTN1\r\n"u8;

    /// <summary>How large the shared memory is now.</summary>
    public long Capacity { get; init; }

    /// <summary>Processor time of the child since it started.</summary>
    public TimeSpan ProcessorTime { get; init; }

    public int RgbLength { get; init; }

    public int LumaLength { get; init; }

    public bool UsedTurboJpeg { get; init; }

    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write((int)Result.Status);
        writer.Write(Capacity);
        writer.Write(ProcessorTime.Ticks);
        writer.Write(RgbLength);
        writer.Write(LumaLength);
        writer.Write(UsedTurboJpeg);
        writer.Write(Result.RowShare ?? double.NaN);
        writer.Write(Result.Error != null);
        writer.Write(Result.Error ?? "");
        writer.Write(Result.Header != null);
        var header = Result.Header.GetValueOrDefault();
        writer.Write(header.Width);
        writer.Write(header.Height);
        writer.Write(header.Format ?? "");
        writer.Write(header.Bytes);
        return bytes.ToArray();
    }

    /// <summary>Reads a reply.</summary>
    /// <exception cref="IOException">The stream ends, or what is there is no reply.</exception>
    public static DecoderReply Read(BinaryReader reader)
    {
        var status = (ImageStatus)reader.ReadInt32();
        if (!Enum.IsDefined(status))
            throw new IOException($"Expected a status of an image; found {(int)status}.");
        var capacity = reader.ReadInt64();
        var time = new TimeSpan(reader.ReadInt64());
        var (rgb, luma) = (reader.ReadInt32(), reader.ReadInt32());
        var usedTurboJpeg = reader.ReadBoolean();
        var share = reader.ReadDouble();
        var hasError = reader.ReadBoolean();
        var error = reader.ReadString();
        var hasHeader = reader.ReadBoolean();
        var header = new ImageHeader(reader.ReadInt32(), reader.ReadInt32(), reader.ReadString(), reader.ReadInt64());
        var result = new DecodeResult(status, hasError ? error : null, hasHeader ? header : null)
        {
            RowShare = double.IsNaN(share) ? null : share,
        };
        var pixels = (long)header.Width * header.Height;
        if (rgb < 0 || luma < 0 || rgb > 0 && rgb != 3 * pixels || luma > 0 && luma != pixels)
            throw new IOException($"Expected planes of {header.Width}x{header.Height} pixels; found {rgb} and {luma} bytes.");
        return new DecoderReply(result)
        {
            Capacity = capacity,
            ProcessorTime = time,
            RgbLength = rgb,
            LumaLength = luma,
            UsedTurboJpeg = usedTurboJpeg,
        };
    }
}
