using System.Globalization;
using Pristine.Reports;
using Pristine.Selection;

namespace Pristine.Cli.Display;

/// <summary>What a check found, for a person: a few lines per issue, with a rule that can be copied.</summary>
internal static class CheckDisplay
{
    private const string Indent = "  ";

    /// <summary>Writes the findings.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="name">The dataset or table, as the user names it.</param>
    /// <param name="result">The findings.</param>
    /// <param name="width">The longest line that is not to be copied.</param>
    public static void Write(TextWriter writer, string name, CheckResult result, int width)
    {
        var found = result.Issues.Where(issue => issue.Count > 0).OrderByDescending(issue => issue.Count).ToArray();
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {Counted(result)}, {result.WithIssue:N0} with an issue ({Share(result.WithIssue, result.Of(null))})"));
        var (names, counts) = (found.Select(issue => issue.Rule.Issue.Name.Length).DefaultIfEmpty()
            .Max(), found.Select(issue => Number(issue.Count).Length).DefaultIfEmpty().Max());
        foreach (var issue in found)
        {
            writer.WriteLine();
            var share = Share(issue.Count, result.Of(issue.Rule.Issue));
            var head = $"{issue.Rule.Issue.Name.PadRight(names)}  {Number(issue.Count).PadLeft(counts)}  {share,6}  ";
            HelpPage.WriteWrapped(writer, issue.Rule.Issue.Summary, new string(' ', head.Length), width, head);
            HelpPage.WriteWrapped(writer, Examples(issue), Indent + "    ", width, Indent);
            writer.WriteLine(
                issue.Rule.Rule is { } rule ? $"{Indent}--drop {PlainText.ShellWord(rule)}" : $"{Indent}--dedup {issue.Rule.Dedup}");
        }
        List(writer, "Looked for and not found", result.Issues.Where(issue => issue.Count == 0 && issue.Obstacle == null)
            .Select(issue => issue.Rule.Issue.Name), width);
        foreach (var issue in result.Issues.Where(issue => issue.Obstacle != null))
            List(writer, "Not looked for", [$"{issue.Rule.Issue.Name}: {issue.Obstacle}"], width);
        var notJudged = result.Issues.Where(issue => issue.Obstacle == null).Select(issue => issue.NotJudged).DefaultIfEmpty().Max();
        if (notJudged > 0)
            List(writer, "Not judged", [$"{Images(notJudged)} without scores; a rule about a score drops them too"], width);
        foreach (var issue in result.Issues.Where(issue => issue.OutOfScope > 0))
            List(writer, "Not judged", [$"{issue.Rule.Issue.Name}: {Images(issue.OutOfScope)} {issue.Rule.Issue.Scope!.Others}"], width);
    }

    /// <summary>Writes command lines that go on from here.</summary>
    public static void WriteNext(TextWriter writer, IEnumerable<(string What, string Command)> commands)
    {
        foreach (var (what, command) in commands)
        {
            writer.WriteLine();
            writer.WriteLine($"{what}:");
            writer.WriteLine($"{Indent}{command}");
        }
    }

    private static void List(TextWriter writer, string title, IEnumerable<string> names, int width)
    {
        var text = string.Join(", ", names);
        if (text.Length == 0)
            return;
        writer.WriteLine();
        HelpPage.WriteWrapped(writer, $"{title}: {text}.", Indent, width, "");
    }

    private static string Counted(CheckResult result)
    {
        var images = Images(result.Images);
        var texts = string.Create(CultureInfo.InvariantCulture, $"{result.Texts:N0} {(result.Texts == 1 ? "text" : "texts")}");
        return result.Texts == 0 ? images : result.Images == 0 ? texts : $"{images}, {texts}";
    }

    private static string Images(long count) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? "image" : "images")}");

    private static string Examples(FoundIssue issue)
    {
        var examples = issue.Examples.Select(example => PlainText.Clean(example.Image)
            + (example.Value is { } value ? string.Create(CultureInfo.InvariantCulture, $" ({value:0.###})") : ""));
        return string.Join(", ", examples) + (issue.Count > issue.Examples.Count ? ", ..." : "");
    }

    private static string Number(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Share(long part, long all)
    {
        if (all == 0)
            return "-";
        var share = 100.0 * part / all;
        return part > 0 && share < 0.05
            ? "<0.1%" : part < all && share > 99.95 ? ">99.9%" : share.ToString("0.0", CultureInfo.InvariantCulture) + "%";
    }
}
