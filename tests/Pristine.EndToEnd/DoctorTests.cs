using System.Runtime.InteropServices;
using Pristine.Tests;

namespace Pristine.EndToEnd;

public class DoctorTests
{
    [Fact]
    public void Names_each_native_library_with_its_version()
    {
        var lines = PristineCommand.Run("doctor").Expect(0).Lines;
        foreach (var library in (string[])["libvips", "ONNX Runtime", "DuckDB"])
            Assert.Matches($@"^ok +{library} +v?\d+\.\d+\.\d+", lines.Single(line => line.Contains(library, StringComparison.Ordinal)));
        // libjpeg-turbo is the system's and may be absent.
        Assert.Matches(@"^(ok|absent) +libturbojpeg ", lines.Single(line => line.Contains("  libturbojpeg", StringComparison.Ordinal)));
        // FFmpeg's program too.
        Assert.Matches(
            @"^(ok +ffprobe +\S|absent +ffprobe +optional, )", lines.Single(line => line.Contains("  ffprobe", StringComparison.Ordinal)));
        Assert.Matches(
            $@"^ok +cores +{Environment.ProcessorCount}$", lines.Single(line => line.Contains("cores", StringComparison.Ordinal)));
        Assert.Matches(@"^ok +SIMD +\w+ in use", lines.Single(line => line.Contains("SIMD", StringComparison.Ordinal)));
        Assert.Contains("CPUExecutionProvider", lines.Single(
            line => line.Contains("execution providers", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Matches(@"^ok +devices +cpu", lines.Single(line => line.Contains("  devices", StringComparison.Ordinal)));
        Assert.Matches(
            @"^ok +model brisque +sha256 [0-9a-f]{64}$", lines.Single(line => line.Contains("model brisque ", StringComparison.Ordinal)));
        Assert.Equal("Everything that is required is here.", lines[^1]);
    }

    [Fact]
    public void The_version_names_the_build_and_the_native_libraries()
    {
        var lines = PristineCommand.Run("--version").Expect(0).Lines;
        Assert.Matches(@"^pristine \d+\.\d+\.\d+$", lines[0]);
        Assert.Matches($@"^build ([0-9a-f]{{40}}|of no known commit), {RuntimeInformation.RuntimeIdentifier}, \.NET 10\.", lines[1]);
        Assert.Equal(["libvips", "libturbojpeg", "ONNX Runtime", "DuckDB"], lines[2..]
            .Select(line => line[..line.LastIndexOf(' ')].Replace(" not", "", StringComparison.Ordinal)));
        Assert.All(lines.Skip(2)
            .Where(line => !line.StartsWith("libturbojpeg", StringComparison.Ordinal)), line => Assert.Matches(@" v?\d+\.\d+\.\d+$", line));
        var broken = PristineCommand.Run(["--version"], TestFiles.Root, null, ("PRISTINE_VIPS", "/none")).Expect(0);
        Assert.Contains("libvips not found", broken.Lines);
    }

    [Fact]
    public void A_required_library_that_is_not_there_is_missing_with_its_remedy()
    {
        var result = PristineCommand.Run(["doctor"], TestFiles.Root, null, ("PRISTINE_VIPS", "/none")).Expect(1);
        Assert.Matches(
            @"^MISSING +libvips +.*dotnet build", result.Lines.Single(line => line.Contains("libvips", StringComparison.Ordinal)));
        Assert.Equal("1 required part(s) missing.", result.Lines[^1]);
    }

    [Fact]
    public void Without_the_required_library_scoring_says_what_to_do_in_one_line()
    {
        var result = PristineCommand.Run(["score", "samples/photos"], TestFiles.Root, null, ("PRISTINE_VIPS", "/none")).Expect(1);
        Assert.Contains("pristine doctor", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }
}
