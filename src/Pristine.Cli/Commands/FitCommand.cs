using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;

namespace Pristine.Cli.Commands;

/// <summary>
/// <c>pristine fit --images DIR --mos FILE --out FILE</c>: trains a head for <c>resnet50</c> or <c>pristine</c> on ratings;
/// <c>--failures FILE</c> instead of them: on the errors of a model; <c>--degraded LOG</c> instead of both: on images that
/// <c>pristine degrade</c> made worse; <c>pristine fit brisque</c>: trains the regressor of <c>brisque-live</c>.
/// </summary>
internal static class FitCommand
{
    public static Command Create()
    {
        var ratings = new Ratings();
        var features = new Option<string>("--features")
        {
            Description = "Features of the regression; those of pristine and pristine-large need nothing installed, and ratings and " +
                "failures begin with what that network says",
            DefaultValueFactory = _ => ResNetMetric.BaseName,
        };
        features.OneOf([ResNetMetric.BaseName, .. PristineNetwork.Names]);
        var output = new Option<string>("--out", "-o")
        {
            Description = "File for the head; 'pristine score --head' takes it",
            HelpName = "FILE",
            Required = true,
        };
        var name = new Option<string?>("--name")
        {
            Description = "The metric will be called resnet50@NAME, pristine@NAME or pristine-large@NAME; default: the name of the file " +
                "without its extension",
            HelpName = "NAME",
        };
        var penalties = new Option<string?>("--penalties")
        {
            Description = "Penalties to try, separated by commas; default: 1e2 to 1e6 in half decades",
            HelpName = "A,B",
        };
        var command = new CliCommand(
            "fit",
            "Trains a metric on opinion scores, on degraded images or on a model's errors: ridge regression with the penalty chosen by " +
            "cross-validation.",
            "pristine fit --images dir --mos mos.csv --features pristine --out my.head",
            "pristine fit --degraded degraded/degraded.jsonl --out mydamage.head") { CreateBrisque() };
        foreach (var option in (Option[])[features, output, name, penalties])
            command.Options.Add(option);
        ratings.AddTo(command);
        ratings.Inputs.AddDeviceTo(command);
        command.SetAction(parsed =>
        {
            var device = ratings.Inputs.Device(parsed);
            var target = parsed.GetRequiredValue(output);
            var label = parsed.GetValue(name) ?? Path.GetFileNameWithoutExtension(target);
            if (label.Length == 0 || !label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                throw new UsageException($"--name: expected letters, digits, - and _; found '{label}'.");
            var options = new RidgeOptions { Folds = ratings.Folds(parsed), Seed = ratings.Seed(parsed) };
            if (parsed.GetValue(penalties) is { } list)
                options = options with { Penalties = Numbers("--penalties", list) };
            OutputPlace.CheckFile(target);
            var chosen = parsed.GetRequiredValue(features);
            var feature = MetricCatalog.GetFeature(chosen).WithDevice(device);
            // What finds damage has little to do with what people like; the errors of a model may have.
            var start = feature is PristineFeature own && !ratings.AreDegraded(parsed) ? own.Network.Opinion : null;
            return ratings.Run(parsed, feature, (images, scale, cancellation) =>
            {
                var fit = HeadFit.Fit(
                    images.Features, images.Ratings, start, options with { Groups = images.Originals }, cancellation);
                var ridge = fit.Ridge;
                foreach (var trial in ridge.Trials)
                    Console.Out.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"penalty {trial.Penalty,9:G4}: left-out images {Agreement(trial)}, RMSE {trial.RootMeanSquareError:0.0000}" +
                        $"{(trial.Penalty == ridge.Penalty ? "  <- chosen" : "")}"));
                var training = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{images.Features.Count} images of {scale.Source}; ridge{(start == null ? "" : $" beginning with {chosen}")}, " +
                    $"penalty {ridge.Penalty:G4} by {options.Folds}-fold cross-validation, seed {options.Seed}");
                fit.Head(label, feature.Identity, scale.Worst, scale.Best, training).Write(target);
                Console.Error.WriteLine(
                    $"Written: {target}. Use it: pristine score INPUT --head {target} --metrics {chosen}@{label}");

                // Of labels that are 0 or 1 people ask how often the right one of two is told.
                string Agreement(PenaltyTrial trial) => ratings.AreFailures(parsed)
                    ? string.Create(CultureInfo.InvariantCulture, $"AUC {FailureLabels.Auc(trial.Spearman, images.Ratings):0.0000}")
                    : string.Create(CultureInfo.InvariantCulture, $"SRCC {trial.Spearman:0.0000}, PLCC {trial.Pearson:0.0000}");
            });
        });
        return command;
    }

    private static CliCommand CreateBrisque()
    {
        var ratings = new Ratings();
        var defaults = new BrisqueTrainerOptions();
        var output = new Option<string>("--out", "-o")
        {
            Description = "Folder for allmodel and allrange, in LIBSVM's formats",
            HelpName = "DIR",
            Required = true,
        };
        var costs = new Option<string>("--costs")
        {
            Description = "Values of C to try, separated by commas",
            HelpName = "A,B",
            DefaultValueFactory = _ => Text(defaults.Costs),
        };
        var gammas = new Option<string>("--gammas")
        {
            Description = "Widths of the kernel to try, separated by commas",
            HelpName = "A,B",
            DefaultValueFactory = _ => Text(defaults.Gammas),
        };
        var epsilon = new Option<double>("--epsilon")
        {
            Description = "Deviations that do not count, in points of 0..100",
            HelpName = "N",
            DefaultValueFactory = _ => defaults.Epsilon,
        };
        var command = new CliCommand(
            "brisque",
            "Trains BRISQUE's support vector regression; the result can be imported as brisque-live.",
            "pristine fit brisque --images photos --mos ratings.csv --out model",
            "pristine fit brisque --images photos --mos mos.csv --out model --folds 10");
        foreach (var option in (Option[])[output, costs, gammas, epsilon])
            command.Options.Add(option);
        ratings.AddTo(command);
        command.SetAction(parsed =>
        {
            var options = new BrisqueTrainerOptions
            {
                Costs = Numbers("--costs", parsed.GetRequiredValue(costs)),
                Gammas = Numbers("--gammas", parsed.GetRequiredValue(gammas)),
                Epsilon = parsed.GetValue(epsilon) is >= 0 and var value
                    ? value
                    : throw new UsageException("--epsilon: expected 0 or more."),
                Folds = ratings.Folds(parsed),
                Seed = ratings.Seed(parsed),
            };
            var target = parsed.GetRequiredValue(output);
            var isNew = !Directory.Exists(target);
            OutputPlace.CheckFolder(target, "allmodel", "allrange");
            try
            {
                return Train();
            }
            finally
            {
                if (isNew)
                    OutputPlace.RemoveEmpty(target);
            }

            int Train() => ratings.Run(parsed, MetricCatalog.GetFeature("brisque-live"), (images, scale, cancellation) =>
            {
                var trained = BrisqueTrainer.Train(images, scale.Worst, scale.Best, options, cancellation);
                foreach (var trial in trained.Trials)
                    Console.Out.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"C {trial.Cost,6:G4}, gamma {trial.Gamma,6:G4}: left-out images SRCC {trial.Spearman:0.0000}, PLCC " +
                        $"{trial.Pearson:0.0000}{((trial.Cost, trial.Gamma) == trained.Chosen ? "  <- chosen" : "")}"));
                trained.Write(target);
                Console.Error.WriteLine(
                    $"{trained.Regressor.Coefficients.Length:N0} support vectors. Written: {target}/allmodel and allrange. Use it: " +
                    $"pristine models import brisque-live {target} --trust");
            });
        });
        return command;
    }

    private static string Text(IEnumerable<double> numbers) =>
        string.Join(',', numbers.Select(number => number.ToString(CultureInfo.InvariantCulture)));

    private static double[] Numbers(string option, string list)
    {
        var numbers = list.Split(',').Select(text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : double.NaN).ToArray();
        return numbers.All(number => number > 0 && double.IsFinite(number))
            ? numbers
            : throw new UsageException($"{option}: expected numbers above 0, separated by commas; found '{list}'.");
    }

    /// <summary>What the labels are called in the head, and the ends of their scale.</summary>
    private sealed record RatingScale(string Source, double Worst, double Best);

    /// <summary>The options that name rated images, and the part of a training run that is the same for all metrics.</summary>
    private sealed class Ratings
    {
        public Inputs Inputs { get; } = new();

        private readonly Option<string?> _images = new("--images") { Description = "Folder of the images", HelpName = "DIR" };
        private readonly Option<string?> _mos = new("--mos")
        {
            Description = "Label file with opinion scores, as for 'pristine bench'; only images to train on",
            HelpName = "FILE",
        };

        private readonly Option<string[]> _degraded = new("--degraded")
        {
            Description = $"Logs of 'pristine degrade' ({DegradationRun.LogName}) instead of --images and --mos: learns damage, 0 (left " +
                $"as it was) to 1 (level 5)",
            HelpName = "LOG",
            AllowMultipleArgumentsPerToken = true,
        };

        private readonly Option<string?> _failures = new("--failures")
        {
            Description = $"Label file with the columns image and {FailureLabels.Column}, 1 where a model was wrong and 0 where it was " +
                $"right, instead of --mos: learns which images the model fails on",
            HelpName = "FILE",
        };

        private readonly Option<double?> _worst = new("--worst")
        {
            Description = "Rating of the worst image on the scale; default: the worst in the file",
            HelpName = "N",
        };
        private readonly Option<double?> _best = new("--best")
        {
            Description = "Rating of the best; below --worst where small is good; default: the best in the file",
            HelpName = "N",
        };
        private readonly Option<string?> _table = new("--table", "--cache")
        {
            Description = "Score table that keeps the features, made if it is not there: a stopped run goes on, and another one need not " +
                "compute them",
            HelpName = "DIR",
        };

        private readonly Option<int> _folds = new("--folds")
        {
            Description = "Parts for cross-validation",
            HelpName = "N",
            DefaultValueFactory = _ => 5,
        };
        private readonly Option<long> _seed = new("--seed")
        {
            Description = "The same seed gives the same result",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };

        public void AddTo(Command command)
        {
            foreach (var option in (Option[])[_images, _mos, _failures, _degraded, _worst, _best, _table, _folds, _seed])
                command.Options.Add(option);
            Inputs.AddDecodingTo(command);
            _folds.AtLeast(2);
            _worst.Number("a number from -1e100 to 1e100", rating => Math.Abs(rating) <= 1e100);
            _best.Number("a number from -1e100 to 1e100", rating => Math.Abs(rating) <= 1e100);
        }

        public bool AreDegraded(ParseResult parsed) => parsed.GetValue(_degraded) is { Length: > 0 };

        public bool AreFailures(ParseResult parsed) => parsed.GetValue(_failures) != null;

        public int Folds(ParseResult parsed) => parsed.GetValue(_folds);

        public long Seed(ParseResult parsed) => parsed.GetValue(_seed);

        public int Run(ParseResult parsed, Feature features, Action<RatedFeatures, RatingScale, CancellationToken> train)
        {
            var (opinions, folder) = Labels(parsed);
            var scale = Scale(parsed, opinions);
            using var progress = new Progress();
            var table = parsed.GetValue(_table);
            if (table != null)
                OutputPlace.CheckFolder(table);
            var stopped = () => table == null
                ? "Stopped; nothing was written."
                : $"Stopped; the features that were computed are kept in {table}. To go on: the same command again.";
            return Job.Run(stopped, cancellation =>
            {
                var images = RatedFeatures.Compute(
                    opinions, folder, features, Inputs.Scoring(parsed, []), table, usable => progress.Add(1, usable ? 0 : 1), cancellation);
                LiveLine.Clear();
                foreach (var image in images.Unusable.Take(10))
                    Console.Error.WriteLine($"{image.Path}: {image.Error}");
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{images.Features.Count:N0} rated images with {features.Count:N0} features each; {images.Unusable.Count:N0} of " +
                    $"{opinions.Scores.Count:N0} cannot be used."));
                var originals = images.Originals.Distinct(StringComparer.Ordinal).Count();
                if (originals < Math.Max(Folds(parsed), 2))
                    throw new DatasetException(
                        $"Expected at least {Folds(parsed)} usable images; found " +
                        $"{originals}{(originals < images.Features.Count ? " and copies of them" : "")}.");
                train(images, scale, cancellation);
                return Inputs.ExitCodeOf(parsed, images.Unusable.Count);
            });
        }

        private (OpinionScores Labels, string Folder) Labels(ParseResult parsed)
        {
            var (folder, mos, logs) = (parsed.GetValue(_images), parsed.GetValue(_mos), parsed.GetValue(_degraded) ?? []);
            var failures = parsed.GetValue(_failures);
            var found = new List<string>();
            if (folder != null)
                found.Add("--images");
            if (mos != null)
                found.Add("--mos");
            if (failures != null)
                found.Add("--failures");
            if (logs.Length > 0)
                found.Add("--degraded");
            if (logs.Length > 0 ? found.Count > 1 : found.Count != 2 || folder == null)
                throw new UsageException(
                    $"Expected --images DIR and --mos FILE, --images DIR and --failures FILE, or --degraded LOG; found " +
                    $"{(found.Count == 0 ? "neither" : string.Join(" and ", found))}.");
            if (logs.Length > 0)
                return DamageLabels.Read(logs);
            if (!Directory.Exists(folder))
                throw new DatasetException($"Expected a folder of images; '{folder}' is not one.");
            return (failures != null ? FailureLabels.Read(failures) : OpinionScores.Read(mos!), folder);
        }

        private RatingScale Scale(ParseResult parsed, OpinionScores opinions)
        {
            var (low, high) = (opinions.Scores.Min(score => score.Value), opinions.Scores.Max(score => score.Value));
            var higher = opinions.Direction == OpinionDirection.HigherIsBetter;
            var (worst, best) = (parsed.GetValue(_worst) ?? (higher ? low : high), parsed.GetValue(_best) ?? (higher ? high : low));
            if (worst == best)
                throw new UsageException($"Expected ratings that differ; --worst and --best are both {worst}.");
            if (best > worst != higher)
                throw new UsageException(
                    $"--worst {worst} and --best {best}: the other way round than '{opinions.Source}', where " +
                    $"{(higher ? "higher" : "lower")} is better.");
            return new(AreDegraded(parsed) ? opinions.Source : Path.GetFileName(opinions.Source), worst, best);
        }
    }
}
