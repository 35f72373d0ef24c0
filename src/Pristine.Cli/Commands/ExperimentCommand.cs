using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Experiments.Training;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Selection;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine experiment INPUT --out DIR</c>: trains the same model with and without filters and compares.</summary>
internal static class ExperimentCommand
{
    private const string DefaultShares = "90%,80%,70%,50%";
    private const string DefaultMetrics = "brisque,pristine-large,sharpness";

    public static Command Create()
    {
        var inputs = new Inputs();
        var arguments = new ExperimentArguments();
        var command = new CliCommand(
            "experiment",
            "Does filtering help? Trains the same model on everything, on what each filter keeps, and on as many random images, and " +
            "compares. Prints the answer.",
            "pristine experiment clothes --out experiment",
            "pristine experiment clothes --out experiment --keep \"brisque <= 40\" --seeds 3");
        arguments.AddTo(command);
        inputs.AddHeadsTo(command);
        inputs.AddDecodingTo(command);
        command.SetAction(parsed =>
        {
            var selections = arguments.Selections(parsed, inputs.Known(parsed));
            var dataset = arguments.Open(parsed);
            var options = arguments.Options(parsed, selections) with { Scoring = inputs.Scoring(parsed, []) };
            var folder = arguments.Folder(parsed);
            if (File.Exists(folder))
                throw new UsageException($"--out: expected a folder; '{folder}' is a file.");
            ExperimentReport.CheckPlace(folder);
            using var progress = new ExperimentDisplay();
            return Job.Run(() => $"Stopped. What is finished is kept in {folder}; the same command goes on from there.", cancellation =>
            {
                var trainer = TrainerOf(arguments.Trainer(parsed), arguments.Features(parsed), folder, inputs.Device(parsed));
                var jobs = arguments.Jobs(parsed, inputs);
                return Tell(ExperimentRun.Run(dataset, trainer, folder, options with { Jobs = jobs }, progress, cancellation));
            });

            int Tell(ExperimentResult result)
            {
                LiveLine.Clear();
                foreach (var (image, reason) in result.Unusable.Take(10))
                    Console.Error.WriteLine($"{image}: {reason}");
                if (result.Unusable.Count > 0)
                    Console.Error.WriteLine(
                        string.Create(CultureInfo.InvariantCulture, $"{result.Unusable.Count:N0} images cannot be used and are left out."));
                var report = new ExperimentReport(result);
                report.Write(folder);
                Console.Out.Write(report.ToTable());
                Console.Out.WriteLine();
                foreach (var sentence in report.Answer())
                    Console.Out.WriteLine(sentence);
                Console.Error.WriteLine($"Written to {folder}: experiment.html, experiment.md, experiment.json");
                return inputs.ExitCodeOf(parsed, result.Unusable.Count);
            }
        });
        return command;
    }

    /// <summary>The trainer of the command line.</summary>
    private static Trainer TrainerOf(string? command, string named, string folder, string device)
    {
        if (command != null)
            return new ExternalTrainer(command, Path.Combine(folder, "tasks"));
        var features = MetricCatalog.GetFeature(named).WithDevice(device);
        return features.Missing is { } missing
            ? throw new ModelException($"{missing}; or add --features {PristineNetwork.Large.Name}, which needs nothing")
            : new LinearProbe(new LinearProbeOptions { Features = features, Table = Path.Combine(folder, "features") });
    }

    /// <summary>The options that say what is compared on what.</summary>
    private sealed class ExperimentArguments
    {
        private readonly Argument<string> _input = new("INPUT")
        {
            Description = "Images with classes: a folder with a folder per class, perhaps within train, validation and test; or a .csv, " +
                ".json or .jsonl with a label for each image",
        };

        private readonly Option<string> _output = new("--out", "-o")
        {
            Description = "Folder for the page and for what is computed; the same command goes on from it",
            HelpName = "DIR",
            Required = true,
        };
        private readonly Option<string[]> _keep = new("--keep", "-k")
        {
            Description = "A rule to compare, such as \"brisque <= 40\"; each is a condition of its own; may be repeated",
            HelpName = "RULE",
        };
        private readonly Option<string?> _top = new("--keep-top")
        {
            Description = $"Shares to keep, by each metric of --by; default, without other conditions: {DefaultShares}",
            HelpName = "A,B",
        };
        private readonly Option<string?> _between = new("--keep-between")
        {
            Description = "Ranges of percentiles to keep, by each metric of --by, such as p5..p95",
            HelpName = "A,B",
        };
        private readonly Option<string> _by = new("--by")
        {
            Description = "Metrics of --keep-top and --keep-between",
            HelpName = "A,B",
            DefaultValueFactory = _ => DefaultMetrics,
        };
        private readonly Option<bool> _reverse = new("--reverse")
        {
            Description = "Train on the opposite of each selection too: the worst images",
        };
        private readonly Option<int> _seeds = new("--seeds")
        {
            Description = "How often everything is repeated with other random draws",
            HelpName = "N",
            DefaultValueFactory = _ => 5,
        };
        private readonly Option<long> _seed = new("--seed")
        {
            Description = "The first seed; the others follow it",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        private readonly Option<double?> _trainShare = new("--train-share")
        {
            Description = "Share of each class's training images that a seed trains on; default 0.8 where the parts are given, else 1",
            HelpName = "S",
        };
        private readonly Option<double> _testShare = new("--test-share")
        {
            Description = "Share of each class for testing, if the dataset does not say",
            HelpName = "S",
            DefaultValueFactory = _ => new SplitOptions().TestShare,
        };
        private readonly Option<double> _validationShare = new("--validation-share")
        {
            Description = "Share of each class to choose settings with, if the dataset has no validation images",
            HelpName = "S",
            DefaultValueFactory = _ => new SplitOptions().ValidationShare,
        };
        private readonly Option<string?> _trainer = new("--trainer")
        {
            Description = "Command that trains a model of yours: it gets a JSON file and writes one (docs/trainers.md); default: a " +
                "linear probe on an ImageNet ResNet-50",
            HelpName = "COMMAND",
        };
        private readonly Option<string> _features = new("--features")
        {
            Description =
                "What the linear probe sees of an image: the ImageNet network, or one of ours, which needs nothing installed and " +
                "was trained on opinions",
            DefaultValueFactory = _ => new ResNetEmbeddingFeature().Name,
        };
        private readonly Option<int?> _jobs = new("--jobs")
        {
            Description = "Models trained at the same time; default: one per worker, with --trainer one",
            HelpName = "N",
        };
        private readonly Option<string?> _degraded = new("--degraded")
        {
            Description = "Log of 'pristine degrade': tells how many degraded images each condition trains on",
            HelpName = "LOG",
        };
        private readonly Option<string?> _imageRoot = new("--image-root")
        {
            Description = "Folder of relative image paths; default: the folder of the file",
            HelpName = "DIR",
        };
        private readonly Option<string?> _imageColumn = new("--image-column")
        {
            Description = "The table's column with the image, if it is not found by its name",
            HelpName = "NAME",
        };
        private readonly Option<string?> _labelColumn = new("--label-column")
        {
            Description = "The column or field with the class; default: label, class, category or target",
            HelpName = "NAME",
        };
        private readonly Option<string?> _splitColumn = new("--split-column")
        {
            Description = "The column or field with train, validation or test; default: split, part, subset or set, if there is one",
            HelpName = "NAME",
        };

        public void AddTo(Command command)
        {
            command.Arguments.Add(_input);
            foreach (var option in (Option[])
                [
                    _output, _keep, _top, _between, _by, _reverse, _seeds, _seed, _trainShare, _testShare, _validationShare, _trainer,
                    _features, _jobs, _degraded,
                    _imageRoot, _imageColumn, _labelColumn, _splitColumn,
                ])
                command.Options.Add(option);
            _features.OneOf([new ResNetEmbeddingFeature().Name, .. PristineNetwork.Names]);
            _seeds.Between(1, 10_000);
            _jobs.Between(1, Inputs.MostWorkers);
        }

        public ClassifiedImages Open(ParseResult parsed) =>
            ClassifiedImages.Open(parsed.GetRequiredValue(_input), new ClassifiedImagesOptions
            {
                ImageRoot = parsed.GetValue(_imageRoot),
                ImageColumn = parsed.GetValue(_imageColumn),
                LabelColumn = parsed.GetValue(_labelColumn),
                SplitColumn = parsed.GetValue(_splitColumn),
            });

        /// <summary>What the linear probe sees.</summary>
        /// <exception cref="UsageException">It was named, and another trainer too.</exception>
        public string Features(ParseResult parsed) =>
            parsed.GetResult(_trainer) is { Implicit: false } && parsed.GetResult(_features) is { Implicit: false }
            ? throw new UsageException("--features: expected without --trainer, whose command sees the images themselves; found both.")
            : parsed.GetRequiredValue(_features);

        public string Folder(ParseResult parsed) => parsed.GetRequiredValue(_output);

        public IReadOnlyList<TrainingSelection> Selections(ParseResult parsed, MetricSet known)
        {
            var (rules, shares, ranges) = (parsed.GetValue(_keep) ?? [], parsed.GetValue(_top), parsed.GetValue(_between));
            if (rules.Length == 0 && shares == null && ranges == null)
                shares = DefaultShares;
            var by = shares == null && ranges == null ? [] : Inputs.Scores(parsed.GetRequiredValue(_by), known, "--by");
            if (shares != null && by.FirstOrDefault(metric => !metric.HasQuality) is { } open)
                throw new UsageException(
                    $"--by: expected metrics with a good end for --keep-top; '{open.Name}' has none. Use --keep-between or --keep.");
            return
            [
                .. rules.Select(rule => TrainingSelection.Of(rule, known)),
                .. by.SelectMany(metric => List(shares).Select(share => TrainingSelection.Of(TopShare.Parse(share), metric))),
                .. by.SelectMany(metric => List(ranges).Select(range => TrainingSelection.Of(PercentileRange.Parse(range), metric))),
            ];
        }

        public ExperimentOptions Options(ParseResult parsed, IReadOnlyList<TrainingSelection> selections)
        {
            var options = new ExperimentOptions
            {
                Selections = selections,
                Seeds = [.. Enumerable.Range(0, parsed.GetValue(_seeds)).Select(i => parsed.GetValue(_seed) + i)],
                Reverse = parsed.GetValue(_reverse),
                Split = new SplitOptions
                {
                    TrainShare = parsed.GetValue(_trainShare),
                    TestShare = parsed.GetValue(_testShare),
                    ValidationShare = parsed.GetValue(_validationShare),
                },
                Degraded = parsed.GetValue(_degraded) is { } log ? Degraded(log) : null,
            };
            if (options.Problem is { } problem)
                throw new UsageException(problem);
            return options;
        }

        public string? Trainer(ParseResult parsed) => parsed.GetValue(_trainer);

        /// <summary>Models at the same time: one of the user's may need the whole machine.</summary>
        public int Jobs(ParseResult parsed, Inputs inputs) =>
            parsed.GetValue(_jobs) ?? (parsed.GetValue(_trainer) == null ? inputs.Workers(parsed) : 1);

        private static string[] List(string? text) =>
            text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

        private static HashSet<string> Degraded(string log)
        {
            var root = Path.GetDirectoryName(Path.GetFullPath(log))!;
            return [.. DegradationLog.Read(log).Where(entry => entry is { Outcome: DegradationOutcome.Degraded, Output: not null })
                .Select(entry => Path.GetFullPath(Path.Combine(root, entry.Output!)))];
        }
    }
}
