using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Pristine.Tests;
using Pristine.Tests.Documentation;

namespace Pristine.EndToEnd;

/// <summary>
/// The pages of docs/start and docs/choosing.md, as a reader follows them: every command and every line of Python runs, in order, in a
/// folder with the samples, and prints what stands below it. A line <c>...</c> stands for any lines.
/// </summary>
[Trait("kind", "long")]
public sealed partial class FirstMinutesTests : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private const char BlockEnd = '\x1e';
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    /// <summary>The pages.</summary>
    public static TheoryData<string> Pages =>
        [.. Directory.GetFiles(TestFiles.InRepository("docs", "start"), "*.md").Select(file => "start/" + Path.GetFileName(file))
            .Order(StringComparer.Ordinal), "choosing.md"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_command_prints_what_the_page_shows(string page)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Runs the commands in bash.");
        var blocks = MarkdownPage.Blocks("docs", page);
        Assert.Contains(blocks, block => block.Language is "sh" or "python");
        var code = blocks.Where(block => block.Language == "python").ToArray();
        Assert.SkipUnless(
            code.Length == 0 || Run(Python, "-c", "import pandas").ExitCode == 0,
            $"Needs {Python} with pandas (Debian: apt-get install python3-pandas).");
        Prepare();
        var folder = page == "start/paddlemix.md" ? _folder["samples"] : _folder.Path;
        var printed = code.Length == 0 ? [] : RunPython(code, folder);
        string? output = null;
        foreach (var block in blocks)
        {
            if (block.Language == "text" && output != null)
                Assert.True(Matches(block.Text, output), $"docs/{page}:{block.Line}: expected\n{block.Text}\nfound\n{output}");
            output = block.Language switch
            {
                "sh" => Run(["bash", "-c", "exec 2>&1\nset -euo pipefail\n" + block.Text], folder).Expect(0).Output,
                "python" => printed[Array.IndexOf(code, block)],
                _ => null,
            };
        }
    }

    [Theory]
    [InlineData("a\nb\n", "a\nb\n", true)]
    [InlineData("37 images in 0.3 s (116/s)\n", "37 images in 12 s (3/s)\n", true)]
    [InlineData("1 images in 1.0 s\na\n", "1 images, 0/s, 0 failed\n1 images in 21 s\nTime of 2 threads: decode 41 %.\na\n", true)]
    [InlineData("a\n...\nd\n", "a\nb\nc\nd\n", true)]
    [InlineData("...\nd\n", "a\nb\nc\nd\n", true)]
    [InlineData("a\n...\nd\n", "a\nb\nc\nd\ne\n", false)]
    [InlineData("b\n...\n", "a\nb\n", false)]
    [InlineData("a\n", "b\n", false)]
    public void A_line_of_dots_stands_for_any_lines(string shown, string printed, bool matches) =>
        Assert.Equal(matches, Matches(shown, printed));

    private static bool Matches(string shown, string printed)
    {
        var lines = WithoutTimes(shown).TrimEnd('\n').Split('\n')
            .Select(line => line.Trim() == "..." ? @"(?:.*\n)*?" : Regex.Escape(line.TrimEnd()) + @" *\n");
        return Regex.IsMatch(WithoutTimes(printed).TrimEnd('\n') + "\n", @"\A" + string.Concat(lines) + @"\z");
    }

    /// <summary>Times differ, and a run that takes long tells of its progress and of where its time went.</summary>
    private static string WithoutTimes(string text) => Times().Replace(LongRuns().Replace(text, ""), "in T");

    /// <summary>The samples, and the command under its own name.</summary>
    private void Prepare()
    {
        var samples = TestFiles.InRepository("samples");
        foreach (var file in Directory.EnumerateFiles(samples, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(_folder["samples"], Path.GetRelativePath(samples, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        Directory.CreateDirectory(_folder["bin"]);
        File.WriteAllText(_folder["bin/pristine"], $"#!/bin/sh\nexec {PristineCommand.InShell} \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder["bin/pristine"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Runs all blocks of a page one after the other in one interpreter: what each printed.</summary>
    private string[] RunPython(MarkdownBlock[] blocks, string folder)
    {
        for (var i = 0; i < blocks.Length; i++)
            File.WriteAllText(_folder[$"block{i}.py"], blocks[i].Text);
        var script = new StringBuilder("names = {'__name__': '__main__'}\n");
        for (var i = 0; i < blocks.Length; i++)
            script.Append($"exec(compile(open('{_folder[$"block{i}.py"]}').read(), 'block{i}', 'exec'), names)\n")
                .Append($"print('\\x{(int)BlockEnd:x2}', end='')\n");
        return Run([Python, "-c", script.ToString()], folder).Expect(0).Output.Split(BlockEnd)[..blocks.Length];
    }

    private CommandResult Run(params string[] words) => Run(words, _folder.Path);

    private CommandResult Run(string[] words, string folder)
    {
        var built = Path.ChangeExtension(PristineCommand.Assembly, OperatingSystem.IsWindows() ? ".exe" : null);
        return PristineCommand.Finish(
            PristineCommand.StartProgram(
                words[0],
                words[1..],
                folder,
                ("PATH", _folder["bin"] + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH")),
                // A newcomer has no models yet.
                ("PRISTINE_MODELS", _folder["models"]),
                ("PYTHONPATH", string.Join(
                    Path.PathSeparator, TestFiles.InRepository("python", "src"), TestFiles.InRepository("python", "tests", "stand_in"))),
                ("PYTHONDONTWRITEBYTECODE", "1"),
                ("PRISTINE_PROGRAM", PristineCommand.Words.Length == 1 ? PristineCommand.Words[0] : built),
                ("DOTNET_ROOT", Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")))),
            null);
    }

    [GeneratedRegex(@"in [\d.]+ m?s(?: \([\d,]+/s\))?")]
    private static partial Regex Times();

    [GeneratedRegex(@"(?m)^(?:Time of \d+ threads?: .*|[\d,]+ images, [\d,]+/s, [\d,]+ failed)\n")]
    private static partial Regex LongRuns();
}
