using System.Runtime.InteropServices;
using ParquetSharp;

namespace Pristine.Native;

/// <summary>
/// Arrow's Parquet library, through the package ParquetSharp. <see cref="NativeLibraries"/> finds it. DuckDB, which is here as well, reads
/// and writes Parquet but not the same file again: it turns every column into a type of its own (a required column becomes optional, field
/// ids, the Arrow schema and types such as 32-bit decimals get lost), and it holds groups of rows of images in memory. Arrow's library
/// copies columns as they are stored, page by page; bench/results/2026-11-26-intel-xeon/parquet.md has the figures.
/// </summary>
internal static class ParquetLibrary
{
    private static readonly Lazy<string> Started = new(Start);

    /// <summary>The package's version.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    public static string Version => Started.Value;

    /// <summary>Makes the library ready for the package. Must come before its first use.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    public static void Load() => _ = Version;

    /// <summary>Copies bytes out of the library's memory, which holds until the next batch is read.</summary>
    public static byte[] Copy(in ByteArray value) => Copy(value.Pointer, value.Length);

    /// <summary>Copies bytes of a fixed length out of the library's memory.</summary>
    public static byte[] Copy(in FixedLenByteArray value, int length) => Copy(value.Pointer, length);

    private static byte[] Copy(nint from, int length)
    {
        if (length == 0)
            return [];
        var bytes = GC.AllocateUninitializedArray<byte>(length);
        Marshal.Copy(from, bytes, 0, length);
        return bytes;
    }

    private static string Start()
    {
        NativeLibraries.Require(NativeLibraries.Parquet);
        NativeLibraries.Serve(typeof(ParquetFileReader).Assembly, NativeLibraries.Parquet);
        return typeof(ParquetFileReader).Assembly.GetName().Version!.ToString();
    }
}
