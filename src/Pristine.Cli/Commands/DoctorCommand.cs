using System.CommandLine;
using System.Runtime.InteropServices;
using Pristine.Cli.Display;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Native;
using Pristine.Networks;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine doctor</c>: what was found on this machine, and for what is missing, the remedy.</summary>
internal static class DoctorCommand
{
    private sealed record Finding(string Name, string? Found, string? Missing = null, bool Required = false);

    public static Command Create()
    {
        var command = new CliCommand(
            "doctor",
            "Prints versions of the native libraries, SIMD width, models and cores, and what is missing with its remedy.",
            "pristine doctor",
            "pristine doctor | grep -v ^ok");
        command.SetAction(_ => Run(Console.Out));
        return command;
    }

    private static int Run(TextWriter writer)
    {
        var findings = Findings().ToArray();
        var width = findings.Max(finding => finding.Name.Length);
        foreach (var finding in findings)
            writer.WriteLine(
                $"{(finding.Found != null ? "ok     " : finding.Required ? "MISSING" : "absent ")}  {finding.Name.PadRight(width)}  " +
                $"{finding.Found ?? finding.Missing}");
        var broken = findings.Count(finding => finding is { Found: null, Required: true });
        writer.WriteLine(broken == 0 ? "Everything that is required is here." : $"{broken} required part(s) missing.");
        return broken == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static IEnumerable<Finding> Findings()
    {
        yield return new("pristine", ProgramVersion.Number);
        yield return new(
            "runtime",
            $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.OSDescription}");
        yield return new("cores", $"{Environment.ProcessorCount}");
        yield return new("SIMD", $"{Simd.Current} in use; supported: {string.Join(", ", Simd.Supported)}");
        const string rebuild =
            "rebuild (dotnet build copies it from its NuGet package), or set its PRISTINE_ variable to the full path of the library";
        yield return Library("libvips", "vips", () => Vips.Version, rebuild, required: true);
        yield return Library("libturbojpeg", "turbojpeg", () => TurboJpeg.Version,
            "optional, decodes JPEG about twice as fast (Debian: apt-get install libturbojpeg0)", required: false);
        yield return Library("ONNX Runtime", "onnxruntime", () => OnnxRuntime.Version, rebuild, required: false);
        foreach (var finding in Devices())
            yield return finding;
        yield return Library("DuckDB", "duckdb", () => DuckDb.Version, rebuild, required: false);
        yield return Library("Arrow's Parquet library", "ParquetSharpNative", () => ParquetLibrary.Version, rebuild, required: false);
        yield return new(
            "ffprobe", MediaProbe.Version(), "optional, reads sounds and films other than WAV (Debian: apt-get install ffmpeg)");
        yield return new("ffmpeg", MediaProbe.VersionOf("ffmpeg"), "optional, decodes frames of films (Debian: apt-get install ffmpeg)");
        foreach (var metric in MetricCatalog.All.Where(metric => metric.ModelSha256 != null || metric.Missing != null))
            yield return new($"model {metric.Name}", metric.Missing == null ? $"sha256 {metric.ModelSha256}" : null, metric.Missing);
        yield return new("model store", ModelStore.Default.Folder);
    }

    /// <summary>What networks can run on.</summary>
    private static IEnumerable<Finding> Devices()
    {
        if (!NativeLibraries.TryLoad("onnxruntime", out _))
            yield break;
        yield return new("execution providers", string.Join(", ", OnnxRuntime.Providers));
        var cuda = NetworkDevice.FindCuda();
        yield return new("devices", string.Join(", ", cuda.Prepend(NetworkDevice.Cpu)));
        if (cuda.Count == 0)
        {
            yield return new("CUDA", null,
                "optional, runs networks on an NVIDIA GPU: build with -p:OnnxRuntimeGpu=true and install CUDA 13 (docs/models.md); " +
                "'pristine score --device cuda:0' says what is missing");
        }
    }

    private static Finding Library(string name, string logicalName, Func<string?> version, string remedy, bool required) =>
        NativeLibraries.TryLoad(logicalName, out var path)
            ? new(name, $"{version() ?? "version unknown"}  {path}", Required: required)
            : new(name, null, remedy, required);
}
