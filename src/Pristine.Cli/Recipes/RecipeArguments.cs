using System.CommandLine;
using Pristine.Metrics;
using Pristine.Tables;

namespace Pristine.Cli.Recipes;

/// <summary>
/// The options of commands that recipes are made of: <c>--write-recipe</c>, and the versions that a recipe was made with.
/// </summary>
internal sealed class RecipeArguments
{
    /// <summary>The option that writes a recipe.</summary>
    public const string WriteOption = "--write-recipe";

    /// <summary>The hidden option by which a recipe says which version of a metric it was made with.</summary>
    public const string VersionsOption = "--expect-version";

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
    /// Compares the metrics of a run with the versions that its recipe was made with, then writes the recipe where one is asked for.
    /// </summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="metrics">The metrics of the run.</param>
    /// <exception cref="UsageException">A metric has another version or model.</exception>
    public void Apply(ParseResult parsed, IEnumerable<Metric> metrics) => Apply(parsed, metrics.Select(ColumnProvenance.Of));

    /// <summary>The same for columns of a table.</summary>
    public void Apply(ParseResult parsed, IEnumerable<ColumnProvenance> columns)
    {
        var here = columns.Select(column => KeyValuePair.Create(column.Metric, column.Fingerprint)).ToArray();
        foreach (var expected in parsed.GetValue(_versions) ?? [])
        {
            var name = expected[..Math.Max(0, expected.LastIndexOf('=', expected.Length - 1))];
            var version = expected[(name.Length + 1)..];
            if (Array.Find(here, known => known.Key == name) is { Key: not null } found && found.Value != version)
            {
                throw new UsageException(
                    $"The recipe was made with {name} of version and model '{version}'; found '{found.Value}', which gives other numbers. "
                    + $"Use the program that wrote the recipe, or take {name} out of its versions to accept the new numbers.");
            }
        }
        if (parsed.GetValue(_write) is { } file)
            Recipe.Of(parsed, here.OrderBy(version => version.Key, StringComparer.Ordinal)
                .Prepend(KeyValuePair.Create(Recipe.ProgramKey, TableProvenance.CurrentProgram))).Write(file);
    }
}
