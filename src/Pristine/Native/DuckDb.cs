using DuckDB.NET.Native;

namespace Pristine.Native;

/// <summary>
/// DuckDB's native library, whose C API the package DuckDB.NET.Bindings declares. <see cref="NativeLibraries"/> finds it.
/// </summary>
internal static class DuckDb
{
    private static readonly Lazy<string> Started = new(Start);

    /// <summary>The library's version, for example <c>v1.5.6</c>.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    public static string Version => Started.Value;

    /// <summary>Makes the library ready for the package. Must come before its first use.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    internal static void Load() => _ = Version;

    private static string Start()
    {
        NativeLibraries.Require(NativeLibraries.DuckDb);
        NativeLibraries.Serve(typeof(NativeMethods).Assembly, NativeLibraries.DuckDb);
        return NativeMethods.Startup.DuckDBLibraryVersion();
    }
}
