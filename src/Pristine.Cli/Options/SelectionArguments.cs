using System.CommandLine;
using System.Globalization;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Selection.Duplicates;

namespace Pristine.Cli.Options;

/// <summary>The options that say what to keep, the same for every command that selects.</summary>
internal sealed class SelectionArguments
{
    private readonly Option<string[]> _keep = new("--keep")
    {
        Description = "Rule that a kept image fulfils, for example \"brisque <= 40 and min_side >= 256\"; may be repeated, all must hold",
        HelpName = "RULE",
    };

    private readonly Option<string[]> _drop = new("--drop")
    {
        Description = "Rule that no kept image fulfils; may be repeated",
        HelpName = "RULE",
    };

    private readonly Option<string[]> _dropIssue = new("--drop-issue")
    {
        Description = "Issues that no kept image has, separated by commas, for example dark,blurry: short for --drop with their rules, " +
            "which 'pristine check' shows; may be repeated",
        HelpName = "A,B",
    };

    private readonly IssueThresholds _thresholds = new();

    private readonly Option<double?> _minQuality = new("--min-quality")
    {
        Description = "Keep images whose quality (0..1, 1 best) is at least this",
        HelpName = "Q",
    };

    private readonly Option<double?> _maxQuality = new("--max-quality")
    {
        Description = "Keep images whose quality is at most this",
        HelpName = "Q",
    };

    private readonly Option<string?> _score = new("--score")
    {
        Description = "Ensemble, for example \"0.8*arniqa_quality + 0.2*brisque_quality\"; rules and --by know it as the column score",
        HelpName = "EXPRESSION",
    };

    private readonly Option<string?> _dedup = new("--dedup")
    {
        Description = $"Keep one of several duplicates: exact (same bytes), or near (perceptual hashes that differ in at most " +
            $"{DuplicateMethod.DefaultDistance} bits; near:6 for 6), or a feature such as resnet50-embedding (a cosine of at least " +
            $"{DuplicateMethod.DefaultSimilarity.ToString(CultureInfo.InvariantCulture)}; resnet50-embedding:0.97 for 0.97)",
        HelpName = "exact|near|FEATURE",
    };

    private readonly Option<string?> _keepBest = new("--keep-best")
    {
        Description =
            "With --dedup: the column that says which duplicate is kept, for example pixels or resnet50; default: the first in the dataset",
        HelpName = "COLUMN",
    };

    private readonly Option<string?> _top = new("--keep-top")
    {
        Description = "Keep the best N items, or the best P%, by the column --by",
        HelpName = "N|P%",
    };

    private readonly Option<string?> _between = new("--keep-between")
    {
        Description = "Keep what lies between two percentiles of --by, for example p5..p95",
        HelpName = "pA..pB",
    };

    private readonly Option<string?> _by = new("--by")
    {
        Description = "The column of --keep-top and --keep-between; the metric of --min-quality and --max-quality (default: brisque)",
        HelpName = "COLUMN",
    };

    private readonly Option<string?> _per = new("--per")
    {
        Description = "--dedup, --keep-top and --keep-between hold within each value of this column: folder, format, item.FIELD, ...",
        HelpName = "COLUMN",
    };

    private readonly Option<long?> _limit = new("--limit")
    {
        Description = "Keep at most N items, the first in the dataset",
        HelpName = "N",
    };

    private readonly Option<string?> _overrides = new("--overrides")
    {
        Description = "Decisions about single items, which have the last word: overrides.jsonl, which 'pristine serve' writes",
        HelpName = "FILE",
    };

    private readonly Option<string> _images = new("--images")
    {
        Description = "Items with several images: every image must pass (worst), the mean must, one (best), or for each rule one, which " +
            "may be another (any)",
        DefaultValueFactory = _ => "worst",
    };

    private readonly Option<string> _noImage = new("--no-image")
    {
        Description = "What becomes of items without an image",
        DefaultValueFactory = _ => "keep",
    };

    public void AddTo(Command command)
    {
        _noImage.OneOf("keep", "drop");
        _images.OneOf("worst", "mean", "best", "any");
        _limit.AtLeast(0);
        _minQuality.Number("0 to 1", quality => quality is >= 0 and <= 1);
        _maxQuality.Number("0 to 1", quality => quality is >= 0 and <= 1);
        foreach (var option in (Option[])[_keep, _drop, _dropIssue, _thresholds.Option, _minQuality, _maxQuality, _score, _dedup, _keepBest,
            _top, _between, _by, _per, _limit, _overrides, _images, _noImage])
            command.Options.Add(option);
    }

    /// <summary>What was asked for; empty when nothing was.</summary>
    public SelectionOptions Read(ParseResult parsed, MetricSet? known = null)
    {
        var keep = (parsed.GetValue(_keep) ?? []).ToList();
        var by = parsed.GetValue(_by);
        var (min, max) = (parsed.GetValue(_minQuality), parsed.GetValue(_maxQuality));
        if (min != null || max != null)
        {
            var metric = Inputs.Metrics(by ?? "brisque", known ?? MetricSet.BuiltIn, "--by")[0];
            if (!metric.HasQuality)
                throw new UsageException($"--by: expected a metric with a quality; '{metric.Name}' has no good end.");
            keep.Add(Rule.QualityBetween(metric.Name, min ?? 0, max ?? 1));
        }
        var dedup = parsed.GetValue(_dedup);
        if (dedup == null && parsed.GetValue(_keepBest) is { } best)
            throw new UsageException($"--keep-best {best}: expected --dedup exact, --dedup near or --dedup FEATURE.");
        var (top, between) = (parsed.GetValue(_top), parsed.GetValue(_between));
        var issues = IssueNames.Read(parsed.GetValue(_dropIssue) ?? []);
        var options = new SelectionOptions
        {
            DropIssues = issues,
            IssueThresholds = _thresholds.Read(parsed, issues),
            Known = known ?? MetricSet.BuiltIn,
            Keep = keep,
            Drop = parsed.GetValue(_drop) ?? [],
            Score = parsed.GetValue(_score),
            Dedup = dedup == null ? null : DuplicateMethod.Parse(dedup),
            KeepBest = parsed.GetValue(_keepBest),
            Top = top == null ? null : TopShare.Parse(top),
            Between = between == null ? null : PercentileRange.Parse(between),
            By = top == null && between == null && (min != null || max != null) ? null : by,
            Per = parsed.GetValue(_per),
            Limit = parsed.GetValue(_limit),
            Overrides = parsed.GetValue(_overrides) is { } overrides ? Path.GetFullPath(overrides) : null,
            Images = Enum.Parse<ImagePolicy>(parsed.GetRequiredValue(_images), ignoreCase: true),
            KeepItemsWithoutImage = parsed.GetValue(_noImage) == "keep",
        };
        if (options.By == null && (top ?? between) != null)
            throw new UsageException($"{(top != null ? "--keep-top" : "--keep-between")}: expected --by COLUMN.");
        return options;
    }

    /// <summary>What was asked for.</summary>
    /// <exception cref="UsageException">Nothing was.</exception>
    public SelectionOptions ReadSome(ParseResult parsed, MetricSet? known = null) => Read(parsed, known) is { IsEmpty: false } options
        ? options
        : throw new UsageException(
            "Expected --keep RULE, --drop RULE, --drop-issue NAME, --min-quality, --max-quality, --dedup, --keep-top, --keep-between, " +
            "--limit or --overrides; found none of them.");
}
