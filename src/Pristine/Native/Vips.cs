using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>
/// libvips through operation objects and GValues. Its variadic C functions are not used: calling them from here is undefined on arm64.
/// One thread per operation (the workers are the parallelism), no operation cache, and only the loaders of the formats that Pristine
/// reads: JPEG, PNG, WebP, GIF, TIFF and AVIF.
/// </summary>
internal static unsafe partial class Vips
{
    private static readonly Lazy<string> Started = new(Start);
    private static readonly ReaderWriterLockSlim Errors = new(LockRecursionPolicy.NoRecursion);

    // How long a thread waits for the error log to itself, and in what steps: while it waits, other threads begin no operation.
    private const int ExclusiveStep = 20;
    private const int ExclusiveSteps = 250;

    [ThreadStatic]
    private static List<string>? _warnings;

    /// <summary>The library's version, for example <c>8.18.7</c>. Starts the library if need be.</summary>
    /// <exception cref="DllNotFoundException">
    /// The library is not here, or does not start; the message says where it was looked for, or why.
    /// </exception>
    public static string Version => Started.Value;

    /// <summary>
    /// libvips has one error log for the whole process. Operations whose message nobody will read run between
    /// <see cref="EnterShared"/> and <see cref="ExitShared"/>; one that failed is repeated alone with
    /// <see cref="TryEnterExclusive"/>, so that a message never depends on what other threads do.
    /// </summary>
    internal static void EnterShared() => Errors.EnterReadLock();

    internal static void ExitShared() => Errors.ExitReadLock();

    /// <returns>
    /// False when an operation of another thread did not end for seconds; <see cref="ExitExclusive"/> must then not be called.
    /// </returns>
    internal static bool TryEnterExclusive()
    {
        for (var step = 0; step < ExclusiveSteps; step++)
        {
            if (Errors.TryEnterWriteLock(ExclusiveStep))
            {
                vips_error_clear();
                return true;
            }
            // Lets the operations begin that wait behind this thread.
            Thread.Sleep(1);
        }
        return false;
    }

    /// <returns>What was logged since <see cref="TryEnterExclusive"/>, one message per line.</returns>
    internal static string ExitExclusive()
    {
        var text = vips_error_buffer_copy();
        Errors.ExitWriteLock();
        try
        {
            return Marshal.PtrToStringUTF8(text) ?? "";
        }
        finally
        {
            g_free(text);
        }
    }

    /// <summary>
    /// Takes the warnings that libvips and the libraries below it gave on this thread since the last call, in order. A damaged image
    /// is often decoded all the same and leaves nothing but a warning.
    /// </summary>
    internal static IReadOnlyList<string> TakeWarnings()
    {
        if (_warnings is not { Count: > 0 } taken)
            return [];
        _warnings = null;
        return taken;
    }

    /// <summary>
    /// Whether a path leads, through any links, to a regular file: not to a folder, pipe, socket or device. Never blocks on a pipe.
    /// </summary>
    internal static bool IsRegularFile(string path)
    {
        const int isRegular = 1;
        return g_file_test(path, isRegular) != 0;
    }

    private static string Start()
    {
        if (vips_init("pristine") != 0)
        {
            var message = Marshal.PtrToStringUTF8(vips_error_buffer());
            throw new DllNotFoundException($"libvips does not start: {message?.Trim()}");
        }
        vips_concurrency_set(1);
        vips_cache_set_max(0);
        vips_operation_block_set("VipsForeignLoad", 1);
        foreach (var loader in (ReadOnlySpan<string>)["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"])
            vips_operation_block_set("VipsForeignLoad" + loader, 0);
        vips_block_untrusted_set(1);
        // Without a handler, warnings would land on stderr, between the lines of progress.
        const int everyLevel = -1 & ~3;
        g_log_set_handler("VIPS", everyLevel, &Note, 0);
        return Marshal.PtrToStringUTF8(vips_version_string()) ?? "";
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Note(byte* domain, int level, byte* message, nint data)
    {
        const int warning = 1 << 4;
        const int most = 32;
        if ((level & warning) != 0 && (_warnings ??= []).Count < most && Marshal.PtrToStringUTF8((nint)message) is { } text)
            _warnings.Add(text);
    }

    /// <summary>The type of one sample (VipsBandFormat).</summary>
    internal enum SampleType
    {
        UInt8 = 0,
        Int8 = 1,
        UInt16 = 2,
        Int16 = 3,
        UInt32 = 4,
        Int32 = 5,
        Float = 6,
        Complex = 7,
        Double = 8,
        DoubleComplex = 9,
    }

    /// <summary>From which fault on a loader fails (VipsFailOn).</summary>
    internal enum FailOn
    {
        /// <summary>Never, as long as any pixels can be made up.</summary>
        None,

        /// <summary>Where the file ends too early.</summary>
        Truncated,

        /// <summary>At every error of the library that reads the format; its warnings are in <see cref="TakeWarnings"/>.</summary>
        Error,
    }

    /// <summary>What the bands stand for (VipsInterpretation), as far as loaders produce it.</summary>
    internal enum Interpretation
    {
        Multiband = 0,
        Grey = 1,
        Xyz = 12,
        Lab = 13,
        Cmyk = 15,
        Rgb = 17,
        LabShort = 21,
        Srgb = 22,
        Rgb16 = 25,
        Grey16 = 26,
        LinearRgb = 28,
    }

    /// <summary>
    /// An image of libvips: a header, and pixels that are computed when they are fetched. Every method that returns false has logged
    /// why. Used by one thread.
    /// </summary>
    internal readonly ref struct Image : IDisposable
    {
        private readonly nint _image;

        private Image(nint image) => _image = image;

        public int Width => vips_image_get_width(_image);

        public int Height => vips_image_get_height(_image);

        public int Bands => vips_image_get_bands(_image);

        public SampleType SampleType => (SampleType)vips_image_get_format(_image);

        public Interpretation Interpretation => (Interpretation)vips_image_get_interpretation(_image);

        /// <summary>EXIF orientation 1..8; 1 when there is none.</summary>
        public int Orientation => vips_image_get_orientation(_image);

        /// <summary>
        /// Reads the header of an encoded image: its first page or frame. The bytes must stay where they are until the image is
        /// disposed. Rows must be fetched from top to bottom.
        /// </summary>
        /// <param name="loader">For example <c>jpegload_buffer</c>.</param>
        /// <param name="failOn">From which fault on loading or fetching fails.</param>
        /// <param name="file">Address of the encoded bytes.</param>
        /// <param name="length">How many they are.</param>
        /// <param name="image">The image.</param>
        public static bool TryLoad(string loader, FailOn failOn, nint file, int length, out Image image)
        {
            image = default;
            var operation = vips_operation_new(loader);
            if (operation == 0)
                return false;
            var value = default(GValue);
            g_value_init(&value, vips_blob_get_type());
            vips_value_set_blob(&value, 0, file, (nuint)length);
            g_object_set_property(operation, "buffer", &value);
            g_value_unset(&value);
            return TryBuild(operation, failOn switch
            {
                FailOn.Truncated => "access=sequential,fail_on=truncated",
                FailOn.Error => "access=sequential,fail_on=error",
                _ => "access=sequential,fail_on=none",
            }, out image);
        }

        /// <summary>Converts to 8-bit sRGB.</summary>
        public bool TryConvertToSrgb(out Image converted) => TryBuild(Operation("colourspace"), "space=srgb", out converted);

        /// <summary>Makes an image of pixels, which are copied.</summary>
        /// <param name="rgb">Width x height x 3 bytes, sRGB.</param>
        /// <param name="width">Pixels across.</param>
        /// <param name="height">Pixels down.</param>
        /// <param name="image">The image.</param>
        public static bool TryCreate(ReadOnlySpan<byte> rgb, int width, int height, out Image image)
        {
            image = default;
            fixed (byte* pixels = rgb)
            {
                using var untyped = new Image(
                    vips_image_new_from_memory_copy(pixels, (nuint)rgb.Length, width, height, 3, (int)SampleType.UInt8));
                return untyped._image != 0 && TryBuild(untyped.Operation("copy"), "interpretation=srgb", out image);
            }
        }

        /// <summary>
        /// Shrinks the image, keeping its proportions, so that neither side is longer than asked; a smaller one stays as it is.
        /// </summary>
        /// <param name="side">The longest side in pixels.</param>
        /// <param name="small">The smaller image.</param>
        public bool TryShrink(int side, out Image small) =>
            TryBuild(Operation("thumbnail_image"), string.Create(
                CultureInfo.InvariantCulture, $"width={side},height={side},size=down"), out small);

        /// <summary>Encodes the image.</summary>
        /// <param name="saver">For example <c>jpegsave_buffer</c>.</param>
        /// <param name="options">For example <c>Q=90</c>.</param>
        /// <param name="file">The encoded bytes.</param>
        public bool TrySave(string saver, string options, out byte[] file)
        {
            file = [];
            var built = Build(Operation(saver), options);
            if (built == 0)
                return false;
            var value = default(GValue);
            g_value_init(&value, vips_blob_get_type());
            g_object_get_property(built, "buffer", &value);
            nuint length;
            var bytes = vips_blob_get(g_value_get_boxed(&value), &length);
            file = new ReadOnlySpan<byte>(bytes, checked((int)length)).ToArray();
            g_value_unset(&value);
            Free(built);
            return true;
        }

        /// <summary>Opens the image for fetching rows.</summary>
        public bool TryOpen(out Region region)
        {
            var handle = vips_region_new(_image);
            region = new Region(handle);
            return handle != 0;
        }

        public void Dispose()
        {
            if (_image != 0)
                g_object_unref(_image);
        }

        /// <summary>An operation with this image as its input; 0 when libvips lacks it.</summary>
        private nint Operation(string name)
        {
            var operation = vips_operation_new(name);
            if (operation == 0)
                return 0;
            var value = default(GValue);
            g_value_init(&value, vips_image_get_type());
            g_value_set_object(&value, _image);
            g_object_set_property(operation, "in", &value);
            g_value_unset(&value);
            return operation;
        }

        private static bool TryBuild(nint operation, string options, out Image image)
        {
            image = default;
            var built = Build(operation, options);
            if (built == 0)
                return false;
            var value = default(GValue);
            g_value_init(&value, vips_image_get_type());
            g_object_get_property(built, "out", &value);
            image = new Image(g_object_ref(g_value_get_object(&value)));
            g_value_unset(&value);
            Free(built);
            return true;
        }

        /// <summary>Runs an operation, which is used up; 0 when it failed or was 0.</summary>
        private static nint Build(nint operation, string options)
        {
            if (operation == 0)
                return 0;
            var built = vips_object_set_from_string(operation, options) == 0 ? vips_cache_operation_build(operation) : 0;
            if (built == 0)
                vips_object_unref_outputs(operation);
            g_object_unref(operation);
            return built;
        }

        private static void Free(nint built)
        {
            vips_object_unref_outputs(built);
            g_object_unref(built);
        }
    }

    /// <summary>A window on an image.</summary>
    internal readonly ref struct Region : IDisposable
    {
        private readonly nint _region;

        internal Region(nint region) => _region = region;

        /// <summary>Computes full rows and copies them out, bands interleaved, 16-bit samples in the machine's byte order.</summary>
        /// <param name="top">First row.</param>
        /// <param name="width">The image's width.</param>
        /// <param name="rows">How many rows.</param>
        /// <param name="samples">Exactly their bytes.</param>
        public bool TryFetch(int top, int width, int rows, Span<byte> samples)
        {
            nuint length;
            var data = vips_region_fetch(_region, 0, top, width, rows, &length);
            if (data == null)
                return false;
            new ReadOnlySpan<byte>(data, checked((int)length)).CopyTo(samples);
            g_free((nint)data);
            return true;
        }

        public void Dispose()
        {
            if (_region != 0)
                g_object_unref(_region);
        }
    }

    // GValue of gobject/gvalue.h: a type and two 64-bit unions.
    [StructLayout(LayoutKind.Sequential)]
    private struct GValue
    {
        public nuint Type;
        public long Data0;
        public long Data1;
    }

    private const string Library = NativeLibraries.Vips;

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int vips_init(string name);

    [LibraryImport(Library)]
    private static partial nint vips_version_string();

    [LibraryImport(Library)]
    private static partial void vips_concurrency_set(int threads);

    [LibraryImport(Library)]
    private static partial void vips_cache_set_max(int operations);

    [LibraryImport(Library)]
    private static partial void vips_block_untrusted_set(int blocked);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void vips_operation_block_set(string className, int blocked);

    [LibraryImport(Library)]
    private static partial nint vips_error_buffer();

    [LibraryImport(Library)]
    private static partial nint vips_error_buffer_copy();

    [LibraryImport(Library)]
    private static partial void vips_error_clear();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint vips_operation_new(string name);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int vips_object_set_from_string(nint instance, string options);

    [LibraryImport(Library)]
    private static partial nint vips_cache_operation_build(nint operation);

    [LibraryImport(Library)]
    private static partial void vips_object_unref_outputs(nint operation);

    [LibraryImport(Library)]
    private static partial nuint vips_blob_get_type();

    [LibraryImport(Library)]
    private static partial nuint vips_image_get_type();

    [LibraryImport(Library)]
    private static partial void vips_value_set_blob(GValue* value, nint free, nint data, nuint length);

    [LibraryImport(Library)]
    private static partial byte* vips_blob_get(nint blob, nuint* length);

    [LibraryImport(Library)]
    private static partial nint vips_image_new_from_memory_copy(byte* data, nuint size, int width, int height, int bands, int format);

    [LibraryImport(Library)]
    private static partial int vips_image_get_width(nint image);

    [LibraryImport(Library)]
    private static partial int vips_image_get_height(nint image);

    [LibraryImport(Library)]
    private static partial int vips_image_get_bands(nint image);

    [LibraryImport(Library)]
    private static partial int vips_image_get_format(nint image);

    [LibraryImport(Library)]
    private static partial int vips_image_get_interpretation(nint image);

    [LibraryImport(Library)]
    private static partial int vips_image_get_orientation(nint image);

    [LibraryImport(Library)]
    private static partial nint vips_region_new(nint image);

    [LibraryImport(Library)]
    private static partial byte* vips_region_fetch(nint region, int left, int top, int width, int height, nuint* length);

    [LibraryImport(Library)]
    private static partial nint g_object_ref(nint instance);

    [LibraryImport(Library)]
    private static partial void g_object_unref(nint instance);

    [LibraryImport(Library)]
    private static partial void g_value_init(GValue* value, nuint type);

    [LibraryImport(Library)]
    private static partial void g_value_unset(GValue* value);

    [LibraryImport(Library)]
    private static partial void g_value_set_object(GValue* value, nint instance);

    [LibraryImport(Library)]
    private static partial nint g_value_get_object(GValue* value);

    [LibraryImport(Library)]
    private static partial nint g_value_get_boxed(GValue* value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void g_object_set_property(nint instance, string name, GValue* value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void g_object_get_property(nint instance, string name, GValue* value);

    [LibraryImport(Library)]
    private static partial void g_free(nint memory);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int g_file_test(string path, int test);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint g_log_set_handler(
        string domain, int levels, delegate* unmanaged[Cdecl]<byte*, int, byte*, nint, void> handler, nint data);
}
