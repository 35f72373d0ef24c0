using System.CommandLine;
using Pristine.Metrics;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Recipes;

/// <summary>
/// The options of commands that recipes are made of: <c>--write-recipe</c>, and the versions that a recipe was made with.
/// </summary>
internal sealed class RecipeArguments
{
    /// <summary>The option that writes a recipe.</summary>
    public const string WriteOption = "--write-recipe";

    /// <summary>The hidden option by which a recipe says which version of a metric, and rule of an issue, it was made with.</summary>
    public const string VersionsOption = "--expect-version";

    /// <summary>What stands before the name of an issue among the versions.</summary>
    private const string IssuePrefix = "issue ";

    private readonly Option<string?> _write = new(WriteOption)
    {
        Description = "Also write this command line as a recipe, for 'pristine run'",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _versions = new(VersionsOption) { Hidden = true };

    public void AddTo(Command command)
    {
        command.Options.Add(_write);
        command.Options.Add(_versions);
    }

    /// <summary>
    /// Compares the metrics and issues of a run with those that its recipe was made with, then writes the recipe where one is asked for.
    /// </summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="metrics">The metrics of the run.</param>
    /// <param name="issues">The issues of the run; null where it has none.</param>
    /// <exception cref="UsageException">A metric has another version or model, or an issue another rule.</exception>
    public void Apply(ParseResult parsed, IEnumerable<Metric> metrics, IssueOptions? issues = null) =>
        Apply(parsed, metrics.Select(ColumnProvenance.Of), issues);

    /// <summary>The same for columns of a table.</summary>
    public void Apply(ParseResult parsed, IEnumerable<ColumnProvenance> columns, IssueOptions? issues = null)
    {
        var here = columns.Select(column => KeyValuePair.Create(column.Metric, column.Fingerprint))
            .Concat(issues?.Issues.Select(
                issue => KeyValuePair.Create(IssuePrefix + issue.Name, IssueRules.Definition(issue, issues))) ?? [])
            .ToArray();
        var expected = (parsed.GetValue(_versions) ?? []).Select(Read).ToArray();
        foreach (var (name, version) in expected)
        {
            if (Array.Find(here, known => known.Key == name) is { Key: not null } found && found.Value != version)
            {
                var isIssue = name.StartsWith(IssuePrefix, StringComparison.Ordinal);
                throw new UsageException(
                    $"The recipe was made with {name} {(isIssue ? "as" : "of version and model")} '{version}'; found '{found.Value}', "
                    + $"which gives other {(isIssue ? "images" : "numbers")}. Use the program that wrote the recipe, or take {name} out of "
                    + $"its versions to accept the new ones.");
            }
        }
        // Names such as default may stand for other issues than they did.
        var (made, now) = (Issues(expected), Issues(here));
        if (made.Length > 0 && !made.Order(StringComparer.Ordinal).SequenceEqual(now.Order(StringComparer.Ordinal), StringComparer.Ordinal))
            Console.Error.WriteLine(
                $"pristine: the recipe was made with the issues {string.Join(", ", made)}; this run has " +
                $"{(now.Length == 0 ? "none" : string.Join(", ", now))}.");
        if (parsed.GetValue(_write) is { } file)
            Recipe.Of(parsed, here.OrderBy(version => version.Key, StringComparer.Ordinal)
                .Prepend(KeyValuePair.Create(Recipe.ProgramKey, TableProvenance.CurrentProgram))).Write(file);
    }

    private static string[] Issues(IEnumerable<KeyValuePair<string, string>> versions) =>
        [.. versions.Where(version => version.Key.StartsWith(IssuePrefix, StringComparison.Ordinal))
            .Select(version => version.Key[IssuePrefix.Length..])];

    /// <summary>Reads <c>NAME=VERSION</c>: the rule of an issue, unlike the name of a metric, may have a = of its own.</summary>
    private static KeyValuePair<string, string> Read(string text)
    {
        var end = text.StartsWith(IssuePrefix, StringComparison.Ordinal)
            ? text.IndexOf('=', StringComparison.Ordinal) : text.LastIndexOf('=', text.Length - 1);
        return KeyValuePair.Create(text[..Math.Max(0, end)], text[(Math.Max(0, end) + 1)..]);
    }
}
