using System.CommandLine;
using System.Globalization;
using Pristine.Reports;
using Pristine.Selection;

namespace Pristine.Cli.Options;

/// <summary>Names of issues on a command line.</summary>
internal static class IssueNames
{
    /// <summary>Stands for all issues that follow cleanvision's formulas.</summary>
    public const string Cleanvision = "cleanvision";

    /// <summary>The issues of lists separated by commas, each once, without those that have a minus before their name.</summary>
    /// <exception cref="RuleException">A name is none of an issue.</exception>
    public static IReadOnlyList<Issue> Read(IEnumerable<string> lists)
    {
        var names = lists.SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .ToLookup(name => name.StartsWith('-'));
        return [.. names[false].SelectMany(Named).Except(names[true].SelectMany(name => Named(name[1..])))];
    }

    private static IEnumerable<Issue> Named(string name) => name switch
    {
        "all" => Issue.All,
        "default" => Issue.All.Where(issue => issue.IsDefault),
        Cleanvision => Issue.All.Where(issue => issue.Name.StartsWith(Issue.Cleanvision, StringComparison.Ordinal)),
        _ => [Issue.Get(name)],
    };
}

/// <summary><c>--set dark=0.3</c>: thresholds of issues.</summary>
internal sealed class IssueThresholds
{
    public Option<string[]> Option { get; } = new("--set")
    {
        Description = "Threshold of an issue instead of its default, for example dark=0.3; may be repeated",
        HelpName = "ISSUE=NUMBER",
    };

    /// <summary>The thresholds that were given.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="issues">The issues that are asked for.</param>
    /// <exception cref="UsageException">It is no threshold of one of them.</exception>
    public IReadOnlyDictionary<string, double> Read(ParseResult parsed, IReadOnlyList<Issue> issues)
    {
        var thresholds = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var text in (parsed.GetValue(Option) ?? []).SelectMany(list => list.Split(',', StringSplitOptions.TrimEntries)))
        {
            var parts = text.Split('=', StringSplitOptions.TrimEntries);
            if (parts.Length != 2 || !double.TryParse(
                parts[1], NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                throw new UsageException($"--set: expected ISSUE=NUMBER, for example dark=0.3; found '{text}'.");
            var issue = Issue.Get(parts[0]);
            if (issue.Threshold == null)
                throw new UsageException($"--set: expected an issue with a threshold; '{issue.Name}' has none.");
            if (!issues.Contains(issue))
                throw new UsageException(
                    $"--set {text}: expected an issue that is asked for; found " +
                    $"{(issues.Count == 0 ? "none" : string.Join(", ", issues.Select(other => other.Name)))}.");
            thresholds[issue.Name] = number;
        }
        return thresholds;
    }
}

/// <summary><c>--fail-on "duplicates &gt; 0"</c>: a condition on what a check found.</summary>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Name">The issue, or <see cref="Any"/>.</param>
/// <param name="Operator">One of &lt; &lt;= &gt; &gt;= = !=.</param>
/// <param name="Number">What the count, or the share in percent, is compared with.</param>
/// <param name="IsPercent">Whether it is a share.</param>
internal sealed record FailCondition(string Text, string Name, string Operator, double Number, bool IsPercent)
{
    /// <summary>Stands for images with any issue.</summary>
    public const string Any = "any";

    private static readonly string[] Operators = ["<=", ">=", "!=", "<", ">", "="];

    /// <summary>Reads a condition.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static FailCondition Parse(string text, IReadOnlyList<Issue> issues)
    {
        if (Operators.FirstOrDefault(sign => text.Contains(sign, StringComparison.Ordinal)) is { } found)
        {
            var at = text.IndexOf(found, StringComparison.Ordinal);
            var (name, value) = (text[..at].Trim(), text[(at + found.Length)..].Trim());
            var isPercent = value.EndsWith('%');
            if (double.TryParse(
                isPercent ? value[..^1] : value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                if (name != Any && !issues.Contains(Issue.Get(name)))
                    throw new UsageException(
                        $"--fail-on \"{text}\": expected any, or an issue that is looked for; --issues does not name '{name}'.");
                return new FailCondition(text, name, found, number, isPercent);
            }
        }
        throw new UsageException(
            $"--fail-on: expected a condition such as \"duplicates > 0\", \"dark > 5%\" or \"any > 10%\"; found '{text}'.");
    }

    /// <summary>Whether a check fulfils it.</summary>
    /// <exception cref="UsageException">The issue could not be looked for.</exception>
    public bool Holds(CheckResult result)
    {
        var found = Name == Any ? null : result.Find(Name);
        if (found?.Obstacle is { } obstacle)
            throw new UsageException($"--fail-on \"{Text}\": expected an issue that can be looked for; {obstacle}.");
        // An issue of texts where there is none, or of images, was not found.
        var count = Name == Any ? result.WithIssue : found?.Count ?? 0;
        var all = result.Of(found?.Rule.Issue);
        var value = IsPercent ? all == 0 ? 0 : 100.0 * count / all : count;
        return Operator switch
        {
            "<" => value < Number,
            "<=" => value <= Number,
            ">" => value > Number,
            ">=" => value >= Number,
            "=" => value == Number,
            _ => value != Number,
        };
    }
}
