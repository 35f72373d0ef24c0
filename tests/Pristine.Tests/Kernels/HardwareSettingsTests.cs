using System.Diagnostics;
using System.Runtime.InteropServices;
using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

/// <summary>
/// Runs the tests of trait kind=kernel again, in child processes in which .NET sees a lesser processor, or uses wider vectors. .NET
/// reads these settings at start, so no test can change them for itself. This class is not of that trait, so children have none.
/// </summary>
[Trait("kind", "long")]
public class HardwareSettingsTests
{
    [Theory]
    [InlineData("DOTNET_EnableHWIntrinsic", "0", SimdPath.Scalar)]
    // Without AVX2 .NET has no FMA and no AVX-512 either: the 128-bit path then rounds products and sums itself.
    [InlineData("DOTNET_EnableAVX2", "0", SimdPath.Vector128)]
    [InlineData("DOTNET_EnableAVX512", "0", SimdPath.Vector256)]
    [InlineData("DOTNET_PreferredVectorBitWidth", "512", SimdPath.Vector512)]
    public async Task Kernels_pass_their_tests_under(string setting, string value, SimdPath best)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, $"{setting} is about x64 processors.");
        Assert.SkipUnless(Simd.IsSupported(best), $"This processor lacks {best}, so {setting}={value} would show nothing.");

        var (exitCode, output) = await RunKernelTests(new()
        {
            [setting] = value,
            [SimdPathTests.ExpectedPaths] = string.Join(',', Enum.GetValues<SimdPath>().Where(path => path <= best)),
            [SimdPathTests.ExpectedVector512] = setting == "DOTNET_PreferredVectorBitWidth" ? bool.TrueString : null,
        });
        Assert.True(exitCode == 0, $"{setting}={value}: exit code {exitCode}{Environment.NewLine}{output}");
        // Exit code 0 with nothing run would be no proof.
        Assert.Contains(nameof(SimdPathTests.Supported_paths_are_those_that_the_settings_leave), output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_fails_where_a_setting_has_no_effect()
    {
        var (exitCode, output) = await RunKernelTests(new() { [SimdPathTests.ExpectedPaths] = "none" }, nameof(SimdPathTests));
        Assert.True(exitCode == 2, $"Expected exit code 2, failed tests; found {exitCode}{Environment.NewLine}{output}");
    }

    private static async Task<(int ExitCode, string Output)> RunKernelTests(
        Dictionary<string, string?> environment, string? onlyClass = null)
    {
        var tests = typeof(HardwareSettingsTests).Assembly.Location;
        var executable = Path.ChangeExtension(tests, OperatingSystem.IsWindows() ? ".exe" : null);
        var start = new ProcessStartInfo(executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--filter-trait", "kind=kernel", "--output", "Detailed", "--no-progress", "--no-ansi"])
            start.ArgumentList.Add(argument);
        if (onlyClass != null)
        {
            start.ArgumentList.Add("--filter-class");
            start.ArgumentList.Add($"*{onlyClass}");
        }
        // A path forced on this process would hide what the settings do.
        start.Environment.Remove(Simd.Variable);
        foreach (var (name, value) in environment.Where(variable => variable.Value != null))
            start.Environment[name] = value;
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            if (!child.HasExited)
                child.Kill(entireProcessTree: true);
        }
        return (child.ExitCode, await output + await errors);
    }
}
