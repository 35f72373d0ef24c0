using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>DuckDB through its C API.</summary>
public static partial class DuckDb
{
    /// <summary>The library's version, for example <c>v1.5.5</c>.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    public static string Version => Marshal.PtrToStringUTF8(duckdb_library_version()) ?? "";

    [LibraryImport(NativeLibraries.DuckDb)]
    private static partial nint duckdb_library_version();
}
