using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using System.Runtime.InteropServices;
using Pristine.Metrics;
using Pristine.Native;

namespace Pristine.Cli;

/// <summary>What this program is made of: its version and build, and the native libraries that it finds.</summary>
internal static class ProgramVersion
{
    private static readonly string[] Parts =
        typeof(Metric).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+');

    /// <summary>The version, for example <c>0.1.0</c>.</summary>
    public static string Number => Parts[0];

    /// <summary>The commit that it was built from; null where the build knew none.</summary>
    public static string? Commit => Parts.Length > 1 ? Parts[1] : null;

    /// <summary>The native libraries by name, with their versions; null where one is not found.</summary>
    public static IEnumerable<(string Name, string? Version)> Libraries =>
    [
        ("libvips", Found("vips", () => Vips.Version)),
        ("libturbojpeg", Found("turbojpeg", () => TurboJpeg.Version)),
        ("ONNX Runtime", Found("onnxruntime", () => OnnxRuntime.Version)),
        ("DuckDB", Found("duckdb", () => DuckDb.Version)),
    ];

    /// <summary>Writes all of it, the version in the first line.</summary>
    public static void Write(TextWriter writer)
    {
        writer.WriteLine($"pristine {Number}");
        writer.WriteLine(
            $"build {Commit ?? "of no known commit"}, {RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.FrameworkDescription}");
        foreach (var (name, version) in Libraries)
            writer.WriteLine($"{name} {version ?? "not found"}");
    }

    private static string? Found(string library, Func<string?> version) =>
        NativeLibraries.TryLoad(library, out _) ? version() ?? "of unknown version" : null;
}

/// <summary>What <c>--version</c> does.</summary>
internal sealed class ShowVersion : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        ProgramVersion.Write(Console.Out);
        return ExitCode.Done;
    }
}
