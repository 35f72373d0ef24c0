using System.IO.Compression;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// Wheels of platforms that this is not: what python/build.sh makes of a program of theirs. The programs here are only the beginnings of
/// such files.
/// </summary>
[Trait("kind", "long")]
public sealed class PythonWheelTests : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private static readonly Dictionary<string, byte[]> Beginnings = new(StringComparer.Ordinal)
    {
        ["linux-x64"] = [0x7F, .. "ELF"u8, .. new byte[14], 0x3E, 0],
        ["linux-arm64"] = [0x7F, .. "ELF"u8, .. new byte[14], 0xB7, 0],
        ["osx-arm64"] = [0xCF, 0xFA, 0xED, 0xFE, 0x0C, 0, 0, 1],
        ["win-x64"] = [.. "MZ"u8, .. new byte[58], 64, 0, 0, 0, .. "PE\0\0"u8, 0x64, 0x86],
    };

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("linux-x64", "manylinux_2_28_x86_64", "pristine")]
    [InlineData("linux-arm64", "manylinux_2_28_aarch64", "pristine")]
    [InlineData("osx-arm64", "macosx_14_0_arm64", "pristine")]
    [InlineData("win-x64", "win_amd64", "pristine.exe")]
    public void A_wheel_names_its_platform_and_its_program_can_be_run(string platform, string tag, string program)
    {
        var built = Build(platform, platform).Expect(0);
        var version = System.Reflection.AssemblyName.GetAssemblyName(PristineCommand.Assembly).Version!.ToString(3);
        var name = $"pristine_iqa-{version}-py3-none-{tag}.whl";
        Assert.Contains(name, built.Output, StringComparison.Ordinal);
        using var wheel = ZipFile.OpenRead(Path.Combine(_folder["wheels"], name));
        var entry = wheel.GetEntry($"pristine_iqa/program/{program}")!;
        if (!OperatingSystem.IsWindows() && program == "pristine")
            Assert.Equal(Convert.ToInt32("111", 8), (entry.ExternalAttributes >> 16) & Convert.ToInt32("111", 8));
        Assert.NotNull(wheel.GetEntry("pristine_iqa/program/library.bin"));
        Assert.NotNull(wheel.GetEntry("pristine_iqa/py.typed"));
        Assert.Contains($"Tag: py3-none-{tag}", Text("WHEEL"), StringComparison.Ordinal);
        Assert.Contains("Root-Is-Purelib: false", Text("WHEEL"), StringComparison.Ordinal);
        foreach (var line in (string[])["Name: pristine-iqa", $"Version: {version}", "Requires-Python: >=3.9", "License: Apache-2.0"])
            Assert.Contains(line + "\n", Text("METADATA"), StringComparison.Ordinal);
        Assert.Contains("pristine = pristine_iqa.__main__:main", Text("entry_points.txt"), StringComparison.Ordinal);

        string Text(string file)
        {
            using var reader = new StreamReader(wheel.GetEntry($"pristine_iqa-{version}.dist-info/{file}")!.Open());
            return reader.ReadToEnd().ReplaceLineEndings("\n");
        }
    }

    [Fact]
    public void A_program_of_another_platform_makes_no_wheel()
    {
        Assert.Contains("Expected a program for linux-x64 in", Build("linux-arm64", "linux-x64").Expect(1).Error, StringComparison.Ordinal);
        Assert.Contains("there is none", Build("win-x64", "osx-arm64").Expect(1).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["wheels"]) && Directory.EnumerateFiles(_folder["wheels"]).Any());
    }

    [Fact]
    public void A_Python_that_cannot_make_a_wheel_is_told_of_before_the_program_is_built()
    {
        // No file at all: bash says so where a Python without the modules fails.
        var bare = _folder["no-python"];
        var result = PristineCommand.Finish(
            PristineCommand.StartProgram(
                "bash", [TestFiles.InRepository("python", "build.sh"), _folder["wheels"], "linux-x64"], _folder.Path, ("PYTHON", bare)),
            null).Expect(1);
        Assert.Contains($"expected build, setuptools and wheel in {bare}", result.Error, StringComparison.Ordinal);
        Assert.Contains("pip install build setuptools wheel", result.Error, StringComparison.Ordinal);
    }

    private CommandResult Build(string program, string platform)
    {
        const string modules = "build, setuptools, wheel";
        Assert.SkipUnless(
            File.Exists(Python) && PristineCommand.Finish(
                PristineCommand.StartProgram(Python, ["-c", $"import {modules}"], _folder.Path), null).ExitCode == 0,
            $"Needs {Python} with {modules} (Debian: apt-get install python3-build python3-setuptools python3-wheel).");
        Directory.CreateDirectory(_folder[program]);
        // As a build names it.
        File.WriteAllBytes(Path.Combine(_folder[program], program.StartsWith("win", StringComparison.Ordinal) ? "Pristine.Cli.exe"
            : "Pristine.Cli"), [.. Beginnings[program], .. new byte[64]]);
        File.WriteAllText(Path.Combine(_folder[program], "library.bin"), "a library");
        return PristineCommand.Finish(
            PristineCommand.StartProgram(
                "bash", [TestFiles.InRepository("python", "build.sh"), _folder["wheels"], platform], _folder.Path,
                ("PROGRAM", _folder[program]), ("PYTHON", Python)),
            null);
    }
}
