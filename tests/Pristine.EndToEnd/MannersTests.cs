using System.Reflection;
using System.Text.RegularExpressions;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>How the command behaves towards people and scripts: help, mistakes, surroundings that lack something.</summary>
public partial class MannersTests
{
    private const string Photos = "samples/photos";

    /// <summary>The command as a line of shell can call it.</summary>
    private static readonly string Command = PristineCommand.InShell;

    private static readonly string[] ModelCommands =
        ["models list", "models pull", "models import", "models add", "models verify", "models remove", "models convert"];

    private static readonly string[] SlurmCommands = ["slurm submit", "slurm status"];

    private static string[] Commands() =>
        [.. PristineCommand.Run("--help").Expect(0).Output.Split("Commands:\n")[1].Split("\n\n")[0].Split('\n')
        .Where(line => line.StartsWith("  ", StringComparison.Ordinal) && line[2] != ' ')
            .Select(line => line.Trim().Split(' ')[0])];

    private static void AssertOneLine(CommandResult result, string message)
    {
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("bug", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INPUT: expected a text", "filter", "", "--keep", "width > 0", "--out", "x")]
    [InlineData("--out: expected a text", "score", Photos, "--out", "")]
    [InlineData("--keep: expected a text", "filter", Photos, "--keep", " ", "--out", "x")]
    [InlineData("ARNIQA has no regressor 'koniq10k:pyiqa'. Known: kadid10k, koniq10k", "score", Photos, "-m", "arniqa@koniq10k:pyiqa")]
    [InlineData("ARNIQA has no variant 'matlab'", "score", Photos, "-m", "arniqa:matlab")]
    [InlineData("ARNIQA has no variant 'matlab'", "filter", Photos, "--keep", "\"arniqa:matlab\" > 0.5", "--out", "x")]
    [InlineData("ARNIQA has no regressor 'x'", "metrics", "arniqa@x")]
    [InlineData("Nearest: resnet50", "score", Photos, "-m", "resnet")]
    [InlineData("has no command 'filtr'. Did you mean filter?", "filtr", Photos)]
    [InlineData("has no command 'imprt'. Did you mean import?", "models", "imprt")]
    [InlineData("Expected a command after 'pristine models'", "models")]
    [InlineData("has no option '--kep'. Did you mean --keep", "filter", Photos, "--kep", "brisque <= 40", "--out", "x")]
    [InlineData("has no option '--worker'. Did you mean --workers?", "score", Photos, "--worker=3")]
    [InlineData("takes INPUT; found 'more' as well", "score", Photos, "more")]
    [InlineData("found 'blr'. Did you mean", "degrade", Photos, "--out", "x", "--kinds", "blr")]
    [InlineData("found 'gausian_blur'. Did you mean gaussian_blur", "degrade", Photos, "--out", "x", "--kinds", "gausian_blur")]
    [InlineData("There is no model 'arnica'. Did you mean arniqa", "models", "pull", "arnica")]
    [InlineData(
        "--images: expected worst, mean, best or any; found 'first'.", "filter", Photos, "--keep", "width > 0", "--images", "first",
        "--out", "x")]
    [InlineData("--format: expected table, jsonl or csv; found 'json'. Did you mean jsonl?", "score", Photos, "--format", "json")]
    [InlineData("--workers: expected a whole number; found 'two'.", "score", Photos, "-j", "two")]
    [InlineData("--workers: expected 1 to 1024; found 0.", "score", Photos, "-j", "0")]
    [InlineData(
        "--min-quality: expected a number with a point; found '0,5'. Write 0.5.", "filter", Photos, "--min-quality", "0,5", "--out", "x")]
    [InlineData("--max-megapixels: expected a number with a point; found '1,5'.", "score", Photos, "--max-megapixels", "1,5")]
    [InlineData("Write 80%.", "filter", Photos, "--keep-top", "0.8", "--by", "brisque", "--out", "x")]
    [InlineData("Write p5..p95.", "filter", Photos, "--keep-between", "5-95", "--by", "brisque", "--out", "x")]
    [InlineData(
        "Expected --out PATH; found none. --dropped, --ledger and --report may stand alone, too.", "filter", Photos, "--keep", "width > 0")]
    [InlineData("Expected INPUT; found none.", "score")]
    [InlineData("--keep: expected RULE behind it; found nothing.", "filter", Photos, "--out", "x", "--keep")]
    [InlineData("A text stands in single quotes: 'jpeg'", "filter", Photos, "--keep", "format = \"jpeg\"", "--out", "x")]
    [InlineData("no '&&' here; write and", "filter", Photos, "--keep", "brisque < 40 && width > 3", "--out", "x")]
    public void A_mistake_ends_with_exit_code_2_and_says_what_was_meant(string message, params string[] arguments) =>
        AssertOneLine(PristineCommand.Run(arguments).Expect(2), message);

    [Fact]
    public void Opinions_beyond_any_scale_are_refused_with_their_line()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["mos.csv"], "image,mos\nleaf.jpg,1e308\nmoss.jpg,-1.5e308\nstorm.jpg,1\n");
        AssertOneLine(PristineCommand.Run("bench", "--images", Photos, "--mos", folder["mos.csv"], "-m", "brisque")
            .Expect(1), "mos.csv:2: expected an opinion score from");
    }

    [Theory]
    [InlineData("2>/dev/full")]
    [InlineData("2>&-")]
    public void Messages_that_nobody_can_read_do_not_end_the_work(string redirection)
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "Needs /dev/full.");
        using var folder = TestFiles.NewFolder();
        var result = PristineCommand.Shell($"{Command} score {Photos} -m width {redirection}", TestFiles.Root).Expect(0);
        Assert.Equal(PristineCommand.Run("score", Photos, "-m", "width").Expect(0).OutputBytes, result.OutputBytes);
        PristineCommand.Shell($"{Command} filter {Photos} --keep 'width > 0' --out {folder["kept.txt"]} {redirection}", TestFiles.Root)
            .Expect(0);
        Assert.NotEmpty(File.ReadAllLines(folder["kept.txt"]));
        PristineCommand.Shell($"{Command} score {redirection}", TestFiles.Root).Expect(2);
    }

    [Fact]
    public void Too_few_open_files_are_told_before_any_work()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs ulimit.");
        AssertOneLine(PristineCommand.Shell($"ulimit -n 64; {Command} score {Photos}", TestFiles.Root)
            .Expect(1), "at least 128 open files; found 64");
        AssertOneLine(PristineCommand.Shell($"ulimit -n 140; {Command} score {Photos} -j 64", TestFiles.Root)
            .Expect(2), "at least 256 open files; found 140");
    }

    [Theory]
    [InlineData("score - -m width <&-", "without a standard input")]
    [InlineData("score - -m width --out TABLE <&-", "without it")]
    [InlineData("score samples/photos -m width >&-", "without it")]
    [InlineData("filter samples/photos --keep 'width > 0' --out - >&-", "without it")]
    [InlineData("metrics >&-", "without it")]
    public void Standard_streams_that_are_not_there_end_the_command_instead_of_letting_it_hang(string line, string message)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Closes descriptors as a POSIX shell does.");
        using var folder = TestFiles.NewFolder();
        AssertOneLine(PristineCommand.Shell($"{Command} {line.Replace("TABLE", folder["table"], StringComparison.Ordinal)}", TestFiles.Root)
            .Expect(1), message);
    }

    [Theory]
    [InlineData("score samples/photos -m width")]
    [InlineData("score samples/photos -m width --format csv")]
    [InlineData("score samples/photos -m width --format table")]
    [InlineData("filter samples/photos --keep 'width > 0' --out -")]
    [InlineData("metrics --markdown")]
    [InlineData("models list")]
    [InlineData("--help")]
    public void A_reader_that_has_seen_enough_is_no_error(string line)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs a POSIX shell.");
        // 'true' has gone before the first byte comes, which no buffer of a pipe can hide.
        var result = PristineCommand.Shell($"(sleep 0.3; exec {Command} {line}) | true; exit ${{PIPESTATUS[0]}}", TestFiles.Root).Expect(0);
        Assert.DoesNotContain("pristine:", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("pipe", result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_ledger_is_written_though_nobody_reads_the_kept_items()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs a POSIX shell.");
        using var folder = TestFiles.NewFolder();
        PristineCommand.Shell(
            $"(sleep 0.3; exec {Command} filter {Photos} --keep 'width > 0' --out - --ledger {folder["all.csv"]}) | true; exit " +
            $"${{PIPESTATUS[0]}}", TestFiles.Root).Expect(0);
        Assert.Equal(Directory.GetFiles(TestFiles.InRepository("samples", "photos"))
            .Count(file => file.EndsWith(".jpg", StringComparison.Ordinal)) + 1, File.ReadAllLines(folder["all.csv"]).Length);
    }

    /// <summary>The program's own judgement of an exception: no command line is known to produce a bug.</summary>
    private static (string Message, int Code) Judge(Exception exception)
    {
        var judge = Assembly.LoadFrom(PristineCommand.Assembly)
            .GetType("Pristine.Cli.Failure")!.GetMethod("Describe", BindingFlags.Static | BindingFlags.Public)!;
        return ((string, int))judge.Invoke(null, [exception])!;
    }

    [Fact]
    public void A_bug_is_told_from_a_failure()
    {
        var (bug, code) = Judge(new InvalidOperationException("Sequence contains\nno elements"));
        Assert.Equal(1, code);
        Assert.Equal(
            "This is a bug of Pristine, please report it with the command: InvalidOperationException: Sequence contains no elements " +
            "(PRISTINE_DEBUG=1 shows where)", bug);
        Assert.StartsWith("This is a bug", Judge(new AggregateException(new ArgumentNullException("x"))).Message, StringComparison.Ordinal);
        Assert.Equal(("No space left", 1), Judge(new IOException("No space left")));
        Assert.Equal(
            ("No library", 1), Judge(new TypeInitializationException("X", new AggregateException(new DllNotFoundException("No library")))));
    }

    [Fact]
    public void PRISTINE_DEBUG_shows_where_a_failure_came_from()
    {
        var result = PristineCommand.Run(["score", "no-such-folder"], TestFiles.Root, null, ("PRISTINE_DEBUG", "1")).Expect(1);
        Assert.Contains("'no-such-folder' does not exist", result.Error.Split('\n')[0], StringComparison.Ordinal);
        Assert.Contains("   at Pristine.Datasets.Dataset.Open", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("kind", "long")]
    public void Every_help_fits_80_columns_and_has_two_examples_with_options_that_exist()
    {
        var commands = Commands();
        Assert.Superset(new HashSet<string>(["score", "filter", "select", "models", "help", "completion"]), commands.ToHashSet());
        foreach (var command in commands.Concat(ModelCommands).Concat(SlurmCommands).Append("fit brisque").Append(""))
        {
            var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var help = PristineCommand.Run([.. words, "--help"]).Expect(0).Output;
            Assert.All(help.Split('\n'), line => Assert.True(line.Length <= 80, $"{command}: {line}"));
            var examples = help.Split("Examples:\n")[1].Split("\n\n")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.True(examples.Length >= 2, $"Expected two examples in the help of '{command}'.");
            Assert.All(
                examples, example => Assert.Contains(words is [var first, ..] ? first : "pristine", example, StringComparison.Ordinal));
            if (words.Length == 0)
                continue;
            foreach (var example in examples)
            {
                // An example of a command of commands is one of them, or of the command itself (pristine fit --mos ...).
                var shown = help.Contains("Commands:\n", StringComparison.Ordinal)
                    && example.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var group, var member, ..]
                    && !member.StartsWith('-')
                    ? PristineCommand.Run(group, member, "--help").Expect(0).Output : help;
                Assert.All(LongOption().Matches(example), option =>
                    Assert.Contains(option.Value + " ", shown.Split("Options:\n")[1], StringComparison.Ordinal));
            }
            Assert.Equal(help, PristineCommand.Run(["help", .. words]).Expect(0).Output);
        }
        Assert.Contains("Did you mean filter?", PristineCommand.Run("help", "filtre").Expect(2).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pristine fil", "filter")]
    [InlineData("pristine models pull arniqa-k", "arniqa-kadid10k arniqa-koniq10k")]
    [InlineData("pristine metrics bris", "brisque brisque-live")]
    [InlineData("pristine score photos --form", "--format")]
    [InlineData("pristine slurm s", "submit status")]
    [InlineData("pristine slurm submit photos --sh", "--shards")]
    [InlineData("pristine score photos --format ", "csv jsonl table")]
    public void Bash_completes_commands_options_metrics_and_models(string line, string words)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs bash.");
        var result = PristineCommand.Shell(
            $"pristine() {{ {Command} \"$@\"; }}; source <(pristine completion bash); COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; " +
            $"_pristine; echo \"${{COMPREPLY[@]}}\"", TestFiles.Root).Expect(0);
        var found = result.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        Assert.Superset(new HashSet<string>(words.Split(' ')), found.ToHashSet());
        Assert.All(found, word => Assert.StartsWith(line[(line.LastIndexOf(' ') + 1)..], word, StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_for_people_fits_80_columns()
    {
        using var folder = TestFiles.NewFolder();
        File.Copy(TestFiles.InRepository("samples", "photos", "leaf.jpg"), folder[$"{new string('x', 100)}.jpg"]);
        File.WriteAllText(folder["broken.jpg"], "no image");
        var lines = PristineCommand.Run("score", folder.Path, "--format", "table").Expect(0).Lines;
        Assert.All(lines.Where(line => !line.StartsWith("  ", StringComparison.Ordinal)), line => Assert.True(line.Length <= 80, line));
        Assert.Contains(lines, line => line.StartsWith("broken.jpg ", StringComparison.Ordinal) && line.Contains(
            "unreadable", StringComparison.Ordinal));
        Assert.Contains("xxx.jpg", lines[^1], StringComparison.Ordinal);
        Assert.EndsWith("0.569", lines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("jsonl")]
    public void Whole_numbers_are_written_without_a_fraction(string format)
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("score", Photos, "-m", "pixels,min_side,brisque", "--out", folder["table"]).Expect(0);
        PristineCommand.Run("export", folder["table"], "--format", format, "--out", folder["rows"]).Expect(0);
        PristineCommand.Run("select", folder["table"], "--drop", "pixels > 0", "--ledger", folder["ledger." + format]).Expect(0);
        foreach (var file in (string[])["rows", "ledger." + format])
        {
            var text = File.ReadAllText(folder[file]);
            Assert.DoesNotMatch(@"[0-9]\.0[,}\n]", text);
            Assert.Contains("368640", text, StringComparison.Ordinal);
        }
        // As 'score' writes it on stdout.
        Assert.Contains("43.092976", File.ReadAllText(folder["rows"]), StringComparison.Ordinal);
    }

    [GeneratedRegex("(?<= )--[a-z0-9-]+")]
    private static partial Regex LongOption();
}
