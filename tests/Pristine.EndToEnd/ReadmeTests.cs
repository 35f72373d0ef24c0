using System.Text.RegularExpressions;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>What the README shows is what happens.</summary>
public partial class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(TestFiles.InRepository("README.md"));

    [Fact]
    [Trait("kind", "long")]
    public void The_first_command_prints_what_the_readme_shows()
    {
        var blocks = Blocks().Matches(Readme);
        var command = blocks[0].Groups["body"].Value.Trim();
        Assert.Equal("sh", blocks[0].Groups["language"].Value);
        Assert.StartsWith("dotnet run -c Release --project src/Pristine.Cli -- filter samples/", command, StringComparison.Ordinal);
        var result = PristineCommand.Shell(command, TestFiles.Root).Expect(0);
        Assert.Equal(WithoutTimes(blocks[1].Groups["body"].Value), WithoutTimes(result.Output + result.Error));

        // The lines of the ledger that the README quotes are lines of the ledger.
        var ledger = File.ReadAllLines(TestFiles.InRepository("out", "dropped.jsonl"));
        Assert.All(blocks[2].Groups["body"].Value.Trim().Split('\n'), line => Assert.Contains(line, ledger));
    }

    [Fact]
    public void The_check_finds_what_the_readme_shows()
    {
        var blocks = Blocks().Matches(Readme);
        var at = Enumerable.Range(0, blocks.Count)
            .Single(i => blocks[i].Groups["body"].Value.Contains("-- check samples/", StringComparison.Ordinal));
        var arguments = blocks[at].Groups["body"].Value.Trim().Split(" -- ")[1].Split(' ');
        Assert.Equal(blocks[at + 1].Groups["body"].Value.Trim(), PristineCommand.Run(arguments).Expect(0).Output.Trim());
    }

    /// <summary>Two commands run all tests between them, and .ci/run runs both.</summary>
    [Fact]
    public void Its_test_command_and_that_of_the_long_tests_are_those_that_are_run()
    {
        const string quick = "--filter-not-trait kind=long", rest = "--filter-trait kind=long";
        Assert.Equal([quick], TestCommands().Matches(Readme).Select(match => match.Groups[1].Value));
        Assert.Equal(
            [quick, rest],
            TestCommands().Matches(File.ReadAllText(TestFiles.InRepository("CONTRIBUTING.md"))).Select(match => match.Groups[1].Value));
        Assert.Equal(
            [quick, rest],
            File.ReadLines(TestFiles.InRepository(".ci", "run")).Where(line => line.StartsWith("run_tests ", StringComparison.Ordinal))
                .Select(line => line["run_tests ".Length..]));
    }

    [Fact]
    public void Every_command_it_names_exists()
    {
        var named = CommandNames().Matches(Readme).Select(match => match.Groups[1].Value).Distinct().ToArray();
        Assert.Contains("filter", named);
        var help = PristineCommand.Run("--help").Expect(0).Output;
        Assert.All(named, name => Assert.Matches($@"(?m)^\s+{name}\b", help));
    }

    [Fact]
    public void Every_file_it_links_to_exists() =>
        Assert.All(
            Links().Matches(Readme).Select(match => match.Groups[1].Value)
                .Where(link => !link.StartsWith("http", StringComparison.Ordinal)),
            link => Assert.True(Path.Exists(TestFiles.InRepository(link)), $"README.md links to {link}, which does not exist."));

    /// <summary>Times differ, and a run that takes long tells of its progress and of where its time went.</summary>
    private static string WithoutTimes(string text) => Times().Replace(LongRuns().Replace(text.Trim(), ""), "T");

    [GeneratedRegex(@"```(?<language>\w*)\n(?<body>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();

    [GeneratedRegex(@"in [\d.]+ s \([\d,]+/s\)")]
    private static partial Regex Times();

    [GeneratedRegex(@"(?m)^(?:Time of \d+ threads?: .*|[\d,]+ images, [\d,]+/s, [\d,]+ failed)\n")]
    private static partial Regex LongRuns();

    [GeneratedRegex(@"(?m)(?:^|\| )pristine (\w+)")]
    private static partial Regex CommandNames();

    [GeneratedRegex(@"(?m)^dotnet test (--filter.*)$")]
    private static partial Regex TestCommands();

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Links();
}
