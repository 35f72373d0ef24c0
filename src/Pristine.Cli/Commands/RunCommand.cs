using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Cli.Recipes;
using Pristine.Metrics;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine run RECIPE</c>: does what a file says: one of Pristine's recipes, or a configuration of data-juicer.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("RECIPE")
        {
            Description = $"A recipe, as --write-recipe of {string.Join(", ", Recipe.Commands)} writes it, or a configuration of " +
                "data-juicer (YAML)",
        };
        var set = new Option<string[]>("--set")
        {
            Description = "Another value for a key of the recipe, for example out=kept.jsonl; may be repeated",
            HelpName = "KEY=VALUE",
        };
        var skip = new Option<string[]>("--skip")
        {
            Description = "An operation of data-juicer that Pristine does not have and that is left out; may be repeated",
            HelpName = "OP",
        };
        var show = new Option<bool>("--show") { Description = "Only print the command line that the recipe stands for" };
        var command = new CliCommand(
            "run",
            "Does what a recipe says, and leaves a copy of it beside what it writes.",
            "pristine run recipe.yaml",
            "pristine run data-juicer.yaml --skip perplexity_filter") { file, set, skip, show };
        command.SetAction(async parsed =>
        {
            var name = parsed.GetRequiredValue(file);
            var root = RecipeNode.Read(name);
            var skipped = parsed.GetValue(skip) ?? [];
            Recipe recipe;
            if (root is RecipeFields fields && DataJuicerRecipe.Is(fields))
            {
                var own = OwnMetrics(parsed.GetValue(set) ?? []);
                recipe = DataJuicerRecipe.Read(fields, name, skipped, own, Console.Error.WriteLine);
            }
            else if (skipped.Length > 0)
                throw new UsageException(
                    "--skip: expected a configuration of data-juicer, whose operations Pristine may not have; this is a recipe of Pristine.");
            else
                recipe = Recipe.Of(root, name, CommandLine.CommandOf);
            var target = CommandLine.CommandOf(recipe.Command);
            foreach (var change in parsed.GetValue(set) ?? [])
            {
                var equals = change.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0)
                    throw new UsageException($"--set: expected KEY=VALUE; found '{change}'.");
                recipe = recipe.With(change[..equals], change[(equals + 1)..], target);
            }
            var arguments = recipe.Arguments(target);
            if (parsed.GetValue(show))
            {
                Console.Out.WriteLine(
                    $"pristine " +
                    $"{string.Join(' ', arguments.Where(argument => !argument.StartsWith(RecipeArguments.VersionsOption, StringComparison.Ordinal)).Select(Quoted))}");
                return ExitCode.Done;
            }
            if (recipe.Place is { } place)
                arguments = [arguments[0], $"{RecipeArguments.WriteOption}={place}", .. arguments.Skip(1)];
            return await CommandLine.RunAsync([.. arguments]);
        });
        return command;
    }

    /// <summary>Names of the metrics in files that are given beside a configuration: <c>--set metric=clip.json</c>.</summary>
    private static string[] OwnMetrics(string[] changes) =>
    [
        .. MetricCatalog.Files.SelectMany(file => changes.Where(change => change.StartsWith($"{file.Kind}=", StringComparison.Ordinal))
            .Select(change => file.Read(change[(file.Kind.Length + 1)..]).Name)),
    ];

    /// <summary>An argument as a shell takes it.</summary>
    private static string Quoted(string argument) =>
        argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_=./,:@%+".Contains(c, StringComparison.Ordinal))
        ? argument
        : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
