using System.Diagnostics;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.PaddleMix;

namespace Pristine.Tests.Documentation;

/// <summary>
/// Compiles a C# example as the program that a user's own project would make of it, and runs it as a process of its own in a fresh
/// folder that holds the samples.
/// </summary>
internal static class ExampleProgram
{
    private const string Name = "Example";

    // What <ImplicitUsings> gives to a console project.
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly string[] Libraries = FindLibraries();

    /// <summary>The program's standard output. Fails the test when it does not compile, or ends with another exit code than 0.</summary>
    public static string Run(string source)
    {
        using var folder = TestFiles.NewFolder();
        Compile(source, folder);
        CopySamples(folder["samples"]);
        var start = new ProcessStartInfo("dotnet", [folder[Name + ".dll"]])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A project of a user's gets the native libraries beside its program; here they stay where the build put them.
        foreach (var library in (string[])["vips", "turbojpeg", "duckdb"])
            if (NativeLibraries.TryLoad(library, out var path))
                start.Environment[NativeLibraries.Variable(library)] = path;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"The example ended with exit code {process.ExitCode}.\n{output}\n{error.Result}");
        return output.ReplaceLineEndings("\n");
    }

    /// <summary>The assemblies that a project gets with the packages Pristine and Pristine.PaddleMix.</summary>
    private static string[] FindLibraries()
    {
        var waiting = new Stack<string>([typeof(Metric).Assembly.GetName().Name!, typeof(MMDataset).Assembly.GetName().Name!]);
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        while (waiting.TryPop(out var name))
        {
            var path = Path.Combine(AppContext.BaseDirectory, name + ".dll");
            if (!File.Exists(path) || !found.TryAdd(name, path))
                continue;
            foreach (var reference in Assembly.LoadFrom(path).GetReferencedAssemblies())
                waiting.Push(reference.Name!);
        }
        return [.. found.Values];
    }

    private static void Compile(string source, TemporaryFolder folder)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var compilation = CSharpCompilation.Create(
            Name,
            [CSharpSyntaxTree.ParseText(ImplicitUsings, options), CSharpSyntaxTree.ParseText(source, options)],
            platform.Where(path => Path.GetDirectoryName(path) == runtime).Concat(Libraries)
                .Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        var result = compilation.Emit(folder[Name + ".dll"]);
        var problems = result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning);
        Assert.True(result.Success, string.Join('\n', problems));
        Assert.Empty(problems);

        foreach (var library in Libraries)
            File.Copy(library, folder[Path.GetFileName(library)]);
        File.WriteAllText(
            folder[Name + ".runtimeconfig.json"],
            $$"""
            {
              "runtimeOptions": {
                "framework": { "name": "Microsoft.NETCore.App", "version": "{{Environment.Version}}" },
                "configProperties": { "System.Globalization.Invariant": true }
              }
            }
            """);
    }

    // Copies, so that no example can change the originals.
    private static void CopySamples(string target)
    {
        var samples = TestFiles.InRepository("samples");
        foreach (var file in Directory.EnumerateFiles(samples, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(samples, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
