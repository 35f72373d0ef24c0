using System.Reflection;
using System.Runtime.InteropServices;
using Pristine.Native;

namespace Pristine.Tests.Media;

/// <summary>Makes image files for tests with the savers of libvips.</summary>
internal static unsafe partial class VipsEncoder
{
    private const string Library = "vips";

    static VipsEncoder()
    {
        _ = Vips.Version;
        Assert.True(NativeLibraries.TryLoad(Library, out var path));
        var handle = NativeLibrary.Load(path!);
        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), (name, _, _) => name == Library ? handle : 0);
    }

    /// <summary>Encodes pixels.</summary>
    /// <param name="saver">For example <c>pngsave_buffer</c>.</param>
    /// <param name="options">For example <c>Q=90,interlace=true</c>.</param>
    /// <param name="pixels">Samples, bands interleaved.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="bands">Samples per pixel.</param>
    /// <param name="interpretation">What they stand for.</param>
    /// <param name="pageHeight">Height of a frame when the image is a stack of frames; 0 otherwise.</param>
    /// <param name="orientation">EXIF orientation to write; 0 for none.</param>
    public static byte[] Encode<T>(
        string saver, string options, T[] pixels, int width, int height, int bands, string interpretation, int pageHeight = 0,
        int orientation = 0)
        where T : unmanaged
    {
        var type = typeof(T) == typeof(byte)
            ? Vips.SampleType.UInt8 : typeof(T) == typeof(ushort) ? Vips.SampleType.UInt16 : Vips.SampleType.Float;
        Assert.Equal(width * height * bands, pixels.Length);
        fixed (T* data = pixels)
        {
            var raw = vips_image_new_from_memory_copy(data, (nuint)(pixels.Length * sizeof(T)), width, height, bands, (int)type);
            var image = Image(Build("copy", raw, $"interpretation={interpretation}"), "out");
            if (pageHeight > 0)
                vips_image_set_int(image, "page-height", pageHeight);
            if (orientation > 0)
                vips_image_set_int(image, "orientation", orientation);
            var built = Build(saver, image, options);
            var value = default(Value);
            g_value_init(&value, vips_blob_get_type());
            g_object_get_property(built, "buffer", &value);
            nuint length;
            var bytes = new ReadOnlySpan<byte>(vips_blob_get(g_value_get_boxed(&value), &length), (int)length).ToArray();
            g_value_unset(&value);
            vips_object_unref_outputs(built);
            g_object_unref(built);
            g_object_unref(image);
            g_object_unref(raw);
            return bytes;
        }
    }

    private static nint Build(string name, nint input, string options)
    {
        var operation = vips_operation_new(name);
        Assert.True(operation != 0, $"libvips has no {name}.");
        var value = default(Value);
        g_value_init(&value, vips_image_get_type());
        g_value_set_object(&value, input);
        g_object_set_property(operation, "in", &value);
        g_value_unset(&value);
        if (options.Length > 0)
            Assert.Equal(0, vips_object_set_from_string(operation, options));
        var built = vips_cache_operation_build(operation);
        g_object_unref(operation);
        Assert.True(built != 0, $"{name} {options}: {Marshal.PtrToStringUTF8(vips_error_buffer())}");
        return built;
    }

    private static nint Image(nint built, string property)
    {
        var value = default(Value);
        g_value_init(&value, vips_image_get_type());
        g_object_get_property(built, property, &value);
        var image = g_object_ref(g_value_get_object(&value));
        g_value_unset(&value);
        vips_object_unref_outputs(built);
        g_object_unref(built);
        return image;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Value
    {
        public nuint Type;
        public long Data0;
        public long Data1;
    }

    [LibraryImport(Library)]
    private static partial nint vips_image_new_from_memory_copy(void* data, nuint size, int width, int height, int bands, int format);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void vips_image_set_int(nint image, string name, int value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint vips_operation_new(string name);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int vips_object_set_from_string(nint operation, string options);

    [LibraryImport(Library)]
    private static partial nint vips_cache_operation_build(nint operation);

    [LibraryImport(Library)]
    private static partial void vips_object_unref_outputs(nint operation);

    [LibraryImport(Library)]
    private static partial nint vips_error_buffer();

    [LibraryImport(Library)]
    private static partial nuint vips_image_get_type();

    [LibraryImport(Library)]
    private static partial nuint vips_blob_get_type();

    [LibraryImport(Library)]
    private static partial void* vips_blob_get(nint blob, nuint* length);

    [LibraryImport(Library)]
    private static partial nint g_object_ref(nint instance);

    [LibraryImport(Library)]
    private static partial void g_object_unref(nint instance);

    [LibraryImport(Library)]
    private static partial void g_value_init(Value* value, nuint type);

    [LibraryImport(Library)]
    private static partial void g_value_unset(Value* value);

    [LibraryImport(Library)]
    private static partial void g_value_set_object(Value* value, nint instance);

    [LibraryImport(Library)]
    private static partial nint g_value_get_object(Value* value);

    [LibraryImport(Library)]
    private static partial nint g_value_get_boxed(Value* value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void g_object_set_property(nint instance, string name, Value* value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void g_object_get_property(nint instance, string name, Value* value);
}

/// <summary>Makes JPEGs with any chroma subsampling; only where libjpeg-turbo is.</summary>
internal static unsafe class TurboEncoder
{
    private static readonly nint Library = NativeLibraries.TryLoad("turbojpeg", out var path) ? NativeLibrary.Load(path!) : 0;

    public static void SkipUnlessHere()
    {
        if (!TurboJpeg.IsAvailable)
            Assert.Skip("Needs libturbojpeg.so.0 (Debian: apt-get install libturbojpeg0); without it every JPEG is decoded by libvips.");
    }

    /// <summary>Encodes RGB.</summary>
    /// <param name="rgb">Width x height x 3 bytes.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="subsampling">A chroma subsampling.</param>
    /// <param name="progressive">Progressive instead of baseline.</param>
    /// <param name="quality">1..100.</param>
    public static byte[] Encode(byte[] rgb, int width, int height, Subsampling subsampling, bool progressive, int quality = 90)
    {
        const int progressiveFlag = 16384;
        var compress = (delegate* unmanaged<nint, byte*, int, int, int, int, byte**, nuint*, int, int, int, int>)NativeLibrary.GetExport(
            Library, "tjCompress2");
        var start = (delegate* unmanaged<nint>)NativeLibrary.GetExport(Library, "tjInitCompress");
        var end = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(Library, "tjDestroy");
        var free = (delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(Library, "tjFree");
        var handle = start();
        byte* bytes = null;
        nuint length = 0;
        fixed (byte* pixels = rgb)
            Assert.Equal(
                0, compress(
                    handle, pixels, width, 3 * width, height, 0, &bytes, &length, (int)subsampling, quality, progressive
                        ? progressiveFlag
                        : 0));
        var jpeg = new ReadOnlySpan<byte>(bytes, (int)length).ToArray();
        free(bytes);
        _ = end(handle);
        return jpeg;
    }
}

/// <summary>TJSAMP.</summary>
public enum Subsampling
{
    None444 = 0,
    Half422 = 1,
    Quarter420 = 2,
    Grey = 3,
    Vertical440 = 4,
    Quarter411 = 5,
}
