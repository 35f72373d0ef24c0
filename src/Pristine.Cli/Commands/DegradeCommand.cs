using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Experiments;

namespace Pristine.Cli.Commands;

/// <summary>
/// <c>pristine degrade INPUT --out DIR</c>: a copy of a dataset with a share of its images made worse, and a log of what was done.
/// </summary>
internal static class DegradeCommand
{
    public static Command Create()
    {
        var inputs = new Inputs();
        var output = new Option<string>("--out", "-o")
        {
            Description = $"Folder for the images, the dataset file and the log {DegradationRun.LogName}",
            HelpName = "DIR",
            Required = true,
        };
        var share = new Option<string>("--share")
        {
            Description = "Share of the images to degrade, for example 0.3 or 30%; exactly this share is drawn",
            HelpName = "SHARE",
            DefaultValueFactory = _ => "100%",
        };
        var kinds = new Option<string?>("--kinds")
        {
            Description = $"Kinds to draw from, separated by commas; default all: " +
                $"{string.Join(", ", DegradationDefinition.All.Select(kind => kind.Name))}",
            HelpName = "A,B",
        };
        var levels = new Option<string>("--levels")
        {
            Description = "Levels to draw from, for example 3 or 2,4 or 3-5; 5 is the strongest",
            HelpName = "LEVELS",
            DefaultValueFactory = _ => "1-5",
        };
        var seed = new Option<long>("--seed")
        {
            Description = "The same seed gives the same files",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        var command = new CliCommand(
            "degrade",
            "Copies a dataset and makes a share of its images worse on purpose, with a log: ground truth for 'pristine bench --degraded'.",
            "pristine degrade photos --out degraded --share 30%",
            "pristine degrade photos --out degraded --kinds jpeg,gaussian_blur --levels 3-5");
        inputs.AddImagesTo(command);
        foreach (var option in (Option[])[output, share, kinds, levels, seed])
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, inputs, parsed.GetRequiredValue(output), new DegradationOptions
        {
            Share = Share(parsed.GetRequiredValue(share)),
            Kinds = parsed.GetValue(kinds) is { } names ? Kinds(names) : Enum.GetValues<DegradationKind>(),
            Levels = Levels(parsed.GetRequiredValue(levels)),
            Seed = parsed.GetValue(seed),
            Workers = inputs.Workers(parsed),
            Imaging = inputs.Imaging(parsed),
        }));
        return command;
    }

    private static int Run(ParseResult parsed, Inputs inputs, string target, DegradationOptions options)
    {
        // To draw an exact share the list is read twice; standard input can be read once.
        using var list = inputs.Input(parsed) == "-" ? ScratchFolder.Create("degrade") : null;
        var dataset = list == null ? inputs.Open(parsed) : TableScoring.KeepList(list.Path, inputs.Options(parsed));
        using var progress = new Progress(dataset);
        var outcomes = new Dictionary<DegradationOutcome, long>();
        var kinds = new Dictionary<DegradationKind, long>();
        return Job.Run(
            () => $"Stopped after {progress.Items:N0} items. To go on: the same command again; files that are there are kept.",
            cancellation =>
        {
            foreach (var item in DegradationRun.Run(dataset, target, options, cancellation))
            {
                foreach (var image in item.Images)
                {
                    if (image.Outcome == DegradationOutcome.Missing)
                        progress.AddMissing(image.Image);
                    outcomes[image.Outcome] = outcomes.GetValueOrDefault(image.Outcome) + 1;
                    if (image.Degradation is { } done)
                        kinds[done.Kind] = kinds.GetValueOrDefault(done.Kind) + 1;
                }
                progress.Add(item.Images.Count, item.Images.Count(
                    image => image.Outcome is DegradationOutcome.Failed or DegradationOutcome.Missing));
            }
            LiveLine.Clear();
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Count(DegradationOutcome.Degraded):N0} of {progress.Images:N0} images degraded, {Count(DegradationOutcome.Copied):N0} " +
                $"copied, {progress.Failed:N0} failed or missing -> {target}"));
            foreach (var (kind, count) in kinds.OrderBy(pair => pair.Key))
                Console.Error.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"{count,9:N0}  {DegradationDefinition.Get(kind).Name}"));
            Console.Error.WriteLine($"What was done to which image: {Path.Combine(target, DegradationRun.LogName)}");
            return inputs.ExitCodeOf(parsed, progress, dataset);
        });

        long Count(DegradationOutcome outcome) => outcomes.GetValueOrDefault(outcome);
    }

    private static double Share(string text)
    {
        var percent = text.EndsWith('%');
        if (double.TryParse(percent ? text[..^1] : text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share)
            && (percent ? share / 100 : share) is var value and >= 0 and <= 1)
            return value;
        throw new UsageException($"--share: expected a number from 0 to 1 or a percentage; found '{text}'.");
    }

    private static IReadOnlyList<DegradationKind> Kinds(string names)
    {
        var known = DegradationDefinition.All.Select(kind => kind.Name).ToArray();
        var list = names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var unknown = list.FirstOrDefault(name => !known.Contains(name));
        if (list.Length == 0 || unknown != null)
            throw new UsageException(
                $"--kinds: expected some of {string.Join(", ", known)}; found " +
                $"'{unknown ?? names}'.{NearestNames.Question(unknown ?? "", known)}");
        return [.. list.Distinct().Select(name => DegradationDefinition.Get(name).Kind)];
    }

    private static IReadOnlyList<int> Levels(string text)
    {
        var levels = new SortedSet<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                || first < 1 || last < first || last > DegradationDefinition.Levels)
                throw new UsageException(
                    $"--levels: expected levels from 1 to {DegradationDefinition.Levels} such as 3, 2,4 or 3-5; found '{text}'.");
            levels.UnionWith(Enumerable.Range(first, last - first + 1));
        }
        return [.. levels];
    }
}
