using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>
/// libjpeg-turbo's TurboJPEG API (the functions of 2.x, which 3.x still has). The library is optional: it is used where the system
/// has it and never bundled.
/// </summary>
internal static partial class TurboJpeg
{
    /// <summary>Whether the library is here with the functions that are used.</summary>
    public static bool IsAvailable { get; } =
        NativeLibraries.HasExport(NativeLibraries.TurboJpeg, nameof(tjDecompressHeader3)) &&
        NativeLibraries.HasExport(NativeLibraries.TurboJpeg, nameof(tjDecompress2));

    /// <summary>
    /// The API generation, <c>2.x</c> or <c>3.x</c> (the library does not tell its exact version); null when it is not here.
    /// </summary>
    public static string? Version { get; } =
        !IsAvailable ? null : NativeLibraries.HasExport(NativeLibraries.TurboJpeg, "tj3Init") ? "3.x" : "2.x";

    /// <summary>What the samples of a JPEG stand for (TJCS).</summary>
    internal enum ColourSpace
    {
        Rgb = 0,
        YCbCr = 1,
        Grey = 2,
        Cmyk = 3,
        Ycck = 4,
    }

    /// <summary>The order of the decoded samples (TJPF).</summary>
    internal enum PixelFormat
    {
        Rgb = 0,
        Grey = 6,
    }

    /// <summary>
    /// A decompressor for one image. A decompressor that is used again would lend an image without tables those of the image before,
    /// and stays defective after some errors.
    /// </summary>
    internal readonly ref struct Decompressor : IDisposable
    {
        private const int StopOnWarning = 8192;
        private readonly nint _handle;

        private Decompressor(nint handle) => _handle = handle;

        /// <exception cref="InvalidOperationException">The library has no memory for one.</exception>
        public static Decompressor Create()
        {
            var handle = tjInitDecompress();
            return handle != 0 ? new(handle) : throw new InvalidOperationException("libturbojpeg could not make a decompressor.");
        }

        /// <summary>Reads the header. False on any error or warning.</summary>
        public bool TryReadHeader(ReadOnlySpan<byte> file, out int width, out int height, out ColourSpace colourSpace)
        {
            var failed = tjDecompressHeader3(_handle, file, (nuint)file.Length, out width, out height, out _, out var space);
            colourSpace = (ColourSpace)space;
            return failed == 0;
        }

        /// <summary>
        /// Decodes at full size with the accurate integer transform and smooth chroma upsampling, libjpeg's defaults. False on any error
        /// or warning; the content of <paramref name="pixels"/> is then undefined.
        /// </summary>
        public bool TryDecode(ReadOnlySpan<byte> file, Span<byte> pixels, int width, int height, PixelFormat format)
        {
            var pitch = format == PixelFormat.Grey ? width : 3 * width;
            if (pixels.Length != (long)pitch * height)
                throw new ArgumentException(
                    $"Expected {(long)pitch * height} bytes for {width}x{height} {format}; found {pixels.Length}.", nameof(pixels));
            return tjDecompress2(_handle, file, (nuint)file.Length, pixels, width, pitch, height, (int)format, StopOnWarning) == 0;
        }

        public void Dispose() => _ = tjDestroy(_handle);
    }

    [LibraryImport(NativeLibraries.TurboJpeg)]
    private static partial nint tjInitDecompress();

    [LibraryImport(NativeLibraries.TurboJpeg)]
    private static partial int tjDestroy(nint handle);

    // The sizes are unsigned long in C: as wide as nuint wherever this library is looked for (never on Windows).
    [LibraryImport(NativeLibraries.TurboJpeg)]
    private static partial int tjDecompressHeader3(
        nint handle, ReadOnlySpan<byte> jpeg, nuint size, out int width, out int height, out int subsampling, out int colourSpace);

    [LibraryImport(NativeLibraries.TurboJpeg)]
    private static partial int tjDecompress2(
        nint handle, ReadOnlySpan<byte> jpeg, nuint size, Span<byte> pixels, int width, int pitch, int height, int format, int flags);
}
