using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// What is published can be installed and used as a stranger would: from a folder of packages, in a folder without anything of the
/// repository. The packages of others, which a build has restored, are read where they are; no registry is asked.
/// </summary>
[Trait("kind", "long")]
public sealed class PackageTests : IDisposable
{
    private const string Version = "0.0.1-test";
    private static readonly string Photo = TestFiles.InRepository("samples", "photos", "leaf.jpg");
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public PackageTests()
    {
        var restored = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } configured
            ? configured
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(
            _folder["nuget.config"],
            $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{_folder["restored"]}" /></config>
              <packageSources><clear /><add key="local" value="{_folder["source"]}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="restored" value="{restored}" /></fallbackPackageFolders>
            </configuration>
            """);
        Directory.CreateDirectory(_folder["source"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_program_of_a_stranger_scores_an_image_with_the_package()
    {
        foreach (var project in (string[])["Pristine", "Pristine.Experiments", "Pristine.PaddleMix"])
            Dotnet(TestFiles.Root, "pack", Path.Combine(
                "src", project), "-c", PristineCommand.Configuration, "--no-build", "-o", _folder["source"], $"-p:Version={Version}");
        Assert.Equal(["MathNet.Numerics", "Pristine", "Sep"], Dependencies("Pristine.Experiments"));
        // PureHDF reads and writes the part files of MMDataset.
        Assert.Equal(["Pristine", "PureHDF"], Dependencies("Pristine.PaddleMix"));
        // The libraries of every platform come from packages of their own; the networks are 15.8 MB of it, 12.6 of these
        // pristine-large.
        Assert.InRange(new FileInfo(_folder[$"source/Pristine.{Version}.nupkg"]).Length, 1, 18_000_000);

        Directory.CreateDirectory(_folder["program"]);
        Dotnet(_folder["program"], "new", "console", "--no-restore");
        Dotnet(_folder["program"], "add", "package", "Pristine", "--version", Version);
        File.WriteAllText(
            _folder["program/Program.cs"],
            """
            using Pristine.Scoring;

            using var scorer = new ImageScorer(new ScoringOptions { Metrics = ["brisque"] });
            var row = scorer.Score(args[0]);
            Console.WriteLine($"{row.Status} {(float)row["brisque"]:R}");
            """);
        var result = Dotnet(_folder["program"], "run", "--", Photo);
        var expected = PristineCommand.Run("score", Photo, "--format", "csv").Expect(0).Lines[1].Split(',')[^2];
        Assert.Equal($"Ok {expected}", result.Lines[^1]);
        // Only this machine's native libraries stand beside the program.
        var platforms = Directory.GetDirectories(Directory.GetDirectories(_folder["program/bin/Debug"]).Single() + "/runtimes")
            .Select(path => Path.GetFileName(path));
        Assert.All(platforms, platform => Assert.Contains(
            platform, (string[])[RuntimeInformation.RuntimeIdentifier, RuntimeInformation.RuntimeIdentifier.Split('-')[0], "unix"]));
    }

    [Fact]
    public void The_tool_is_installed_and_runs()
    {
        var platform = RuntimeInformation.RuntimeIdentifier;
        // Not compiled ahead, which takes longer than the rest and is done by build/pack.sh.
        Dotnet(
            TestFiles.Root, "pack", Path.Combine("src", "Pristine.Cli"), "--artifacts-path", _folder["work"], "-o", _folder["source"],
            $"-p:Version={Version}",
            $"-p:PackPlatforms={platform}", "-p:PublishReadyToRun=false", "-p:RunAnalyzers=false", "-p:GenerateDocumentationFile=false");
        using (var package = ZipFile.OpenRead(_folder[$"source/Pristine.Cli.{platform}.{Version}.nupkg"]))
        {
            var files = package.Entries.Select(entry => entry.Name).ToArray();
            Assert.Equal(1, files.Count(file => file.Contains("onnxruntime.", StringComparison.Ordinal)
                && !file.StartsWith("Microsoft", StringComparison.Ordinal)));
            Assert.DoesNotContain("leaf.jpg", files);
        }
        Dotnet(_folder.Path, "tool", "install", "Pristine.Cli", "--version", Version, "--tool-path", _folder["tools"], "--configfile",
            _folder["nuget.config"]);
        var command = Path.Combine(_folder["tools"], OperatingSystem.IsWindows() ? "pristine.exe" : "pristine");
        var result = PristineCommand.Finish(PristineCommand.StartProgram(command, ["score", Photo, "--format", "csv"], _folder.Path), null)
            .Expect(0);
        Assert.Equal(PristineCommand.Run("score", Photo, "--format", "csv").Expect(0).Output, result.Output);
    }

    private string[] Dependencies(string package)
    {
        using var archive = ZipFile.OpenRead(_folder[$"source/{package}.{Version}.nupkg"]);
        using var nuspec = archive.GetEntry($"{package}.nuspec")!.Open();
        return [.. XDocument.Load(nuspec).Descendants().Where(element => element.Name.LocalName == "dependency")
            .Select(element => element.Attribute("id")!.Value).Order(StringComparer.Ordinal)];
    }

    /// <summary>
    /// Runs the SDK as from a shell: what the process that runs the tests has set for MSBuild must not reach another build.
    /// </summary>
    private static CommandResult Dotnet(string folder, params string[] arguments)
    {
        string[] ofBuild = [.. Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name == "DOTNET_HOST_PATH")];
        return PristineCommand.Finish(
            PristineCommand.StartProgram("dotnet", arguments, folder, [.. ofBuild.Select(
                name => (name, "")), ("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_TELEMETRY_OPTOUT", "1")]), null).Expect(0);
    }
}
