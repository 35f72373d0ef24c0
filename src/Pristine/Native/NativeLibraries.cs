using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>
/// Finds the native libraries by their logical names. Order: the environment variable of the library (a full path), the folders where
/// the runtime expects the libraries of packages, the folder beside the assembly, then the system's own search.
/// </summary>
internal static class NativeLibraries
{
    internal const string Vips = "vips";
    internal const string TurboJpeg = "turbojpeg";
    internal const string OnnxRuntime = "onnxruntime";
    internal const string DuckDb = "duckdb";
    internal const string Parquet = "ParquetSharpNative";

    private sealed record Entry(string Variable, string[] Files, string[] SystemNames);

    private static readonly Dictionary<string, Entry> Known = new(StringComparer.Ordinal)
    {
        [Vips] = new("PRISTINE_VIPS", ["libvips.so.42", "libvips.42.dylib", "libvips-42.dll"], ["libvips.so.42", "libvips.42.dylib"]),
        // libjpeg-turbo's 2.x ABI; never bundled, used where the system has it.
        [TurboJpeg] = new("PRISTINE_TURBOJPEG", [], ["libturbojpeg.so.0", "libturbojpeg.0.dylib"]),
        [OnnxRuntime] = new("PRISTINE_ORT", ["libonnxruntime.so", "libonnxruntime.dylib", "onnxruntime.dll"], []),
        [DuckDb] = new("PRISTINE_DUCKDB", ["libduckdb.so", "libduckdb.dylib", "duckdb.dll"], []),
        [Parquet] = new("PRISTINE_PARQUET", ["ParquetSharpNative.so", "ParquetSharpNative.dylib", "ParquetSharpNative.dll"], []),
    };

    private static readonly Dictionary<string, (nint Handle, string? Path)> Loaded = new(StringComparer.Ordinal);
    private static readonly Lock Gate = new();

    // CA2255: the resolver must stand before the first P/Invoke of any binding in this assembly; nothing else runs here.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
#pragma warning restore CA2255

    /// <summary>Tries to load a library. A library that does not load is not an error here: the caller decides.</summary>
    /// <param name="name">
    /// Logical name: <c>vips</c>, <c>turbojpeg</c>, <c>onnxruntime</c>, <c>duckdb</c> or <c>ParquetSharpNative</c>.
    /// </param>
    /// <param name="path">Where it was found: a full path, or the system's name for it; null when it was not.</param>
    /// <returns>True when the library is loaded.</returns>
    /// <exception cref="ArgumentException">The name is none of these.</exception>
    public static bool TryLoad(string name, out string? path)
    {
        if (!Known.TryGetValue(name, out var entry))
            throw new ArgumentException($"Expected one of {string.Join(", ", Known.Keys)}; found '{name}'.", nameof(name));
        lock (Gate)
        {
            if (!Loaded.TryGetValue(name, out var found))
                Loaded[name] = found = Load(entry);
            path = found.Path;
            return found.Handle != 0;
        }
    }

    /// <summary>Whether a library loads and has a function.</summary>
    internal static bool HasExport(string name, string function) =>
        TryLoad(name, out _) && NativeLibrary.TryGetExport(Loaded[name].Handle, function, out _);

    /// <summary>The environment variable that names another file for this library.</summary>
    internal static string Variable(string name) => Known[name].Variable;

    /// <summary>Where a library was found: a full path, or the system's name for it; null when it was not.</summary>
    internal static string? PathOf(string name) => TryLoad(name, out var path) ? path : null;

    /// <summary>Loads a library that must be there.</summary>
    /// <exception cref="DllNotFoundException">It is not; the message says where it was looked for, and the remedy.</exception>
    internal static nint Require(string name)
    {
        if (TryLoad(name, out _))
            return Loaded[name].Handle;
        var variable = Variable(name);
        throw new DllNotFoundException(Environment.GetEnvironmentVariable(variable) is { Length: > 0 } configured
            ? $"The native library '{name}' could not be loaded from {configured}, which {variable} names. Run 'pristine doctor'."
            : $"The native library '{name}' was not found in {string.Join(", ", Folders())} or on the system; the build copies it there " +
            $"from " +
                $"its NuGet package. Run 'pristine doctor', or set {variable} to the full path of the library.");
    }

    /// <summary>Makes the P/Invokes of a package use the library that was found here. Their name for it is its logical name.</summary>
    internal static void Serve(Assembly assembly, string name)
    {
        var handle = Require(name);
        try
        {
            NativeLibrary.SetDllImportResolver(assembly, (wanted, _, _) => wanted == name ? handle : 0);
        }
        catch (InvalidOperationException)
        {
            // The program has a resolver of its own for this package: its choice of the library stands.
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search) => Known.ContainsKey(name) ? Require(name) : 0;

    private static (nint Handle, string? Path) Load(Entry entry)
    {
        var configured = Environment.GetEnvironmentVariable(entry.Variable);
        if (!string.IsNullOrEmpty(configured))
            return NativeLibrary.TryLoad(configured, out var handle) ? (handle, configured) : (0, null);
        foreach (var folder in Folders())
            foreach (var file in entry.Files.Select(name => Path.Combine(folder, name)).Where(File.Exists))
                if (NativeLibrary.TryLoad(file, out var handle))
                    return (handle, file);
        foreach (var name in entry.SystemNames)
            if (NativeLibrary.TryLoad(name, out var handle))
                return (handle, name);
        return (0, null);
    }

    /// <summary>Existing folders, the likeliest first.</summary>
    private static string[] Folders()
    {
        // Where the host found native files in the application's dependencies; absent where there is no host, as in NativeAOT.
        var known = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        return [.. known.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Append(AppContext.BaseDirectory)
            .Select(Path.TrimEndingDirectorySeparator).Distinct(StringComparer.Ordinal).Where(Directory.Exists)];
    }
}
