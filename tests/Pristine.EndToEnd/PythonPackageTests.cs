using System.Runtime.InteropServices;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// The Python package: the wheel is built around the program of this build, installed into a fresh environment, and tested there with
/// pytest.
/// </summary>
[Trait("kind", "long")]
public sealed class PythonPackageTests(PythonPackage package) : IClassFixture<PythonPackage>
{
    public static TheoryData<string> TestFilesOfPython =>
        [.. Directory.GetFiles(TestFiles.InRepository("python", "tests"), "test_*.py").Select(file => Path.GetFileName(file))
        .Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(TestFilesOfPython))]
    public void Its_tests_pass_where_the_wheel_is_installed(string file)
    {
        Assert.SkipWhen(package.Missing != null, package.Missing ?? "");
        var result = package.Run(
            package.Python, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--tb=short", Path.Combine("tests", file));
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        TestContext.Current.TestOutputHelper?.WriteLine(result.Output);
    }

    [Fact]
    public void The_wheel_is_of_this_platform_and_any_python_3()
    {
        Assert.SkipWhen(package.Missing != null, package.Missing ?? "");
        var version = System.Reflection.AssemblyName.GetAssemblyName(PristineCommand.Assembly).Version!.ToString(3);
        var tag = RuntimeInformation.RuntimeIdentifier switch
        {
            "linux-x64" => "manylinux_2_28_x86_64",
            "linux-arm64" => "manylinux_2_28_aarch64",
            "osx-arm64" => "macosx_14_0_arm64",
            var other => other,
        };
        Assert.Equal($"pristine_iqa-{version}-py3-none-{tag}.whl", Path.GetFileName(package.Wheel));
        using var wheel = System.IO.Compression.ZipFile.OpenRead(package.Wheel!);
        var names = wheel.Entries.Select(entry => entry.FullName).ToArray();
        Assert.Contains("pristine_iqa/py.typed", names);
        Assert.Contains("pristine_iqa/program/pristine", names);
        Assert.DoesNotContain(
            names, name => name.Contains("leaf.jpg", StringComparison.Ordinal) || name.EndsWith(".pdb", StringComparison.Ordinal));
    }
}

/// <summary>The wheel of this build, installed.</summary>
public sealed class PythonPackage : IDisposable
{
    private const string SystemPython = "/usr/bin/python3";

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    /// <summary>Builds and installs.</summary>
    public PythonPackage()
    {
        const string modules = "build, ensurepip, pytest, setuptools, venv, wheel";
        if (!File.Exists(SystemPython) || Run(SystemPython, "-c", $"import {modules}").ExitCode != 0)
        {
            Missing = $"Needs {SystemPython} with {modules} (Debian: apt-get install python3-build python3-pytest python3-setuptools " +
                $"python3-venv python3-wheel).";
            return;
        }
        // Compressing the native libraries would take longer than the tests.
        File.WriteAllText(_folder["stored.cfg"], "[bdist_wheel]\ncompression = stored\n");
        Expect(Run("bash", TestFiles.InRepository("python", "build.sh"), _folder["wheels"], RuntimeInformation.RuntimeIdentifier));
        Wheel = Directory.GetFiles(_folder["wheels"]).Single();
        Expect(Run(SystemPython, "-m", "venv", "--system-site-packages", _folder["venv"]));
        Expect(Run(Python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", Wheel));
    }

    /// <summary>What the tests need and this machine lacks; null when all is there.</summary>
    public string? Missing { get; }

    /// <summary>The wheel.</summary>
    public string? Wheel { get; }

    /// <summary>The interpreter of the environment that the wheel is installed in.</summary>
    public string Python => _folder["venv/bin/python"];

    /// <summary>Runs a program in the folder of the package, with nothing of the repository on Python's path.</summary>
    internal CommandResult Run(string program, params string[] arguments)
    {
        var runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var process = PristineCommand.StartProgram(
            program,
            arguments,
            TestFiles.InRepository("python"),
            ("PROGRAM", Path.GetDirectoryName(PristineCommand.Assembly)!),
            ("PYTHON", SystemPython),
            ("DIST_EXTRA_CONFIG", _folder["stored.cfg"]),
            // The program of a build finds .NET by this.
            ("DOTNET_ROOT", runtime),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("PYTHONPATH", ""),
            ("PRISTINE_PROGRAM", ""));
        return PristineCommand.Finish(process, null);
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    private static void Expect(CommandResult result) => result.Expect(0);
}
