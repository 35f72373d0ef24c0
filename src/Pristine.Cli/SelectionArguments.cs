using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Options;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Cli;

/// <summary>The options that say what to keep, the same for every command that selects.</summary>
internal sealed class SelectionArguments
{
    private readonly Option<string[]> _keep = new("--keep")
    {
        Description = "Rule that a kept image fulfils, for example \"brisque <= 40 and min_side >= 256\"; may be repeated, all must hold",
        HelpName = "RULE",
    };

    private readonly Option<string[]> _drop = new("--drop") { Description = "Rule that no kept image fulfils; may be repeated", HelpName = "RULE" };

    private readonly Option<double?> _minQuality = new("--min-quality") { Description = "Keep images whose quality (0..1, 1 best) is at least this", HelpName = "Q" };

    private readonly Option<double?> _maxQuality = new("--max-quality") { Description = "Keep images whose quality is at most this", HelpName = "Q" };

    private readonly Option<string?> _score = new("--score")
    {
        Description = "Ensemble, for example \"0.8*arniqa_quality + 0.2*brisque_quality\"; rules and --by know it as the column score",
        HelpName = "EXPRESSION",
    };

    private readonly Option<string?> _top = new("--keep-top") { Description = "Keep the best N items, or the best P%, by the column --by", HelpName = "N|P%" };

    private readonly Option<string?> _between = new("--keep-between") { Description = "Keep what lies between two percentiles of --by, for example p5..p95", HelpName = "pA..pB" };

    private readonly Option<string?> _by = new("--by")
    {
        Description = "The column of --keep-top and --keep-between; the metric of --min-quality and --max-quality (default: brisque)",
        HelpName = "COLUMN",
    };

    private readonly Option<string?> _per = new("--per")
    {
        Description = "--keep-top and --keep-between hold within each value of this column: folder, format, item.FIELD, ...",
        HelpName = "COLUMN",
    };

    private readonly Option<long?> _limit = new("--limit") { Description = "Keep at most N items, the first in the dataset", HelpName = "N" };

    private readonly Option<string> _images = new("--images")
    {
        Description = "Items with several images: every image must pass (worst), the mean must, or one (best)",
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
        _images.OneOf("worst", "mean", "best");
        _limit.AtLeast(0);
        _minQuality.Number("0 to 1", quality => quality is >= 0 and <= 1);
        _maxQuality.Number("0 to 1", quality => quality is >= 0 and <= 1);
        foreach (var option in (Option[])[_keep, _drop, _minQuality, _maxQuality, _score, _top, _between, _by, _per, _limit, _images, _noImage])
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
        var (top, between) = (parsed.GetValue(_top), parsed.GetValue(_between));
        var options = new SelectionOptions
        {
            Known = known ?? MetricSet.BuiltIn,
            Keep = keep,
            Drop = parsed.GetValue(_drop) ?? [],
            Score = parsed.GetValue(_score),
            Top = top == null ? null : TopShare.Parse(top),
            Between = between == null ? null : PercentileRange.Parse(between),
            By = top == null && between == null && (min != null || max != null) ? null : by,
            Per = parsed.GetValue(_per),
            Limit = parsed.GetValue(_limit),
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
        : throw new UsageException("Expected --keep RULE, --drop RULE, --min-quality, --max-quality, --keep-top, --keep-between or --limit; found none of them.");
}

/// <summary>Where the kept items and the ledgers go.</summary>
internal sealed class SelectionOutputs
{
    private readonly Option<string?> _out = new("--out", "-o")
    {
        Description = "File for the kept items, in the input's format; - for stdout; a folder with --copy, --link or --hardlink; for archives also kept-{000000..}.tar or a folder/",
        HelpName = "PATH",
    };

    private readonly Option<string?> _dropped = new("--dropped")
    {
        Description = "File for the dropped items: id, rule, value, threshold, margin, reason (.jsonl, .csv or .parquet)",
        HelpName = "FILE",
    };

    private readonly Option<string?> _ledger = new("--ledger") { Description = "The same for every item, kept or dropped", HelpName = "FILE" };

    private readonly Option<bool> _copy = new("--copy") { Description = "Copy the kept images of a folder into the folder --out" };

    private readonly Option<bool> _link = new("--link") { Description = "The same with symbolic links" };

    private readonly Option<bool> _hardLink = new("--hardlink") { Description = "The same with hard links" };

    /// <param name="isRequired">Whether the command makes no sense without a file for the kept items.</param>
    public SelectionOutputs(bool isRequired) => _out.Required = isRequired;

    public void AddTo(Command command)
    {
        AddItemsTo(command);
        command.Options.Add(_dropped);
        command.Options.Add(_ledger);
    }

    /// <summary>Adds the options for items, without those for ledgers.</summary>
    public void AddItemsTo(Command command)
    {
        foreach (var option in (Option[])[_out, _copy, _link, _hardLink])
            command.Options.Add(option);
    }

    public string? Out(ParseResult parsed) => parsed.GetValue(_out);

    public string? Dropped(ParseResult parsed) => parsed.GetValue(_dropped);

    /// <summary>How images are put into a folder; null when items are written to a file.</summary>
    public FileExportMode? Mode(ParseResult parsed, Dataset? dataset)
    {
        var modes = ((Option<bool> Option, FileExportMode Mode)[])
            [(_copy, FileExportMode.Copy), (_link, FileExportMode.Link), (_hardLink, FileExportMode.HardLink)];
        var asked = modes.Where(mode => parsed.GetValue(mode.Option)).ToArray();
        if (asked.Length > 1)
            throw new UsageException($"Expected one of --copy, --link and --hardlink; found {string.Join(" and ", asked.Select(mode => mode.Option.Name))}.");
        if (asked.Length == 0)
            return null;
        if (dataset is { HasRecords: true })
            throw new UsageException($"{asked[0].Option.Name} exports the images of a folder or a list; this is a dataset file, whose items are exported unchanged.");
        if (Out(parsed) == null)
            throw new UsageException($"{asked[0].Option.Name}: expected a folder in --out.");
        return asked[0].Mode;
    }

    /// <summary>Opens the outputs. That comes before the work: a place that cannot be written to is found at once.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="dataset">The dataset; null when no items are written.</param>
    /// <param name="source">The dataset's file, which no ledger may overwrite.</param>
    /// <param name="mode">How images are put into a folder; null when items are written to a file.</param>
    public OpenOutputs Open(ParseResult parsed, Dataset? dataset, string source, FileExportMode? mode)
    {
        var places = new[] { Out(parsed), parsed.GetValue(_dropped), parsed.GetValue(_ledger) }.OfType<string>().ToArray();
        if (places.FirstOrDefault(place => places.Count(other => FullPath(other) == FullPath(place)) > 1) is { } twice)
            throw new UsageException($"Expected a place of its own for each of --out, --dropped and --ledger; found '{twice}' more than once.");
        if (mode == null && Out(parsed) is { } file && dataset is { HasRecords: false } && (Directory.Exists(file) || Path.EndsInDirectorySeparator(file)))
            throw new UsageException($"--out: expected the name of a file for the list of kept images; '{file}' is a folder. --copy, --link or --hardlink put the images into a folder.");
        return new OpenOutputs(dataset, Out(parsed), parsed.GetValue(_dropped), parsed.GetValue(_ledger), source, mode);
    }

    private static string FullPath(string place) => place == "-" ? place : Path.GetFullPath(place);

    /// <summary>Says on stderr what was kept, and why the rest was not.</summary>
    public void Summarize(ParseResult parsed, SelectionRun run)
    {
        static string Share(long part, long all) => all == 0 ? "     -" : (100.0 * part / all).ToString("0.0", CultureInfo.InvariantCulture).PadLeft(5) + "%";
        static string Arrow(string? path) => path == null ? "" : $"  -> {path}";
        var writer = Console.Error;
        var culture = CultureInfo.InvariantCulture;
        writer.WriteLine(string.Create(culture, $"kept     {run.Kept,9:N0}  {Share(run.Kept, run.Items)}{Arrow(Out(parsed))}"));
        if (run.KeptWithoutImage > 0)
            writer.WriteLine(string.Create(culture, $"         {run.KeptWithoutImage,9:N0}  without an image, which a rule needs (--no-image drop drops them)"));
        writer.WriteLine(string.Create(culture, $"dropped  {run.Dropped,9:N0}  {Share(run.Dropped, run.Items)}{Arrow(Dropped(parsed))}"));
        foreach (var reason in run.Reasons)
            writer.WriteLine(string.Create(culture, $"         {reason.Count,9:N0}  {reason.Reason}"));
    }
}

/// <summary>Outputs that have their names only when they are complete.</summary>
internal sealed class OpenOutputs : IDisposable
{
    private readonly DatasetWriter? _items;
    private readonly FileExport? _images;
    private readonly LedgerWriter? _dropped;
    private readonly LedgerWriter? _ledger;

    public OpenOutputs(Dataset? dataset, string? output, string? dropped, string? ledger, string? source, FileExportMode? mode)
    {
        try
        {
            if (dataset != null && output != null && mode is { } copy)
                _images = FileExport.For(dataset, output, copy);
            else if (dataset != null && output != null)
                _items = dataset.CreateWriter(output);
            _dropped = dropped == null ? null : new LedgerWriter(dropped, source);
            _ledger = ledger == null ? null : new LedgerWriter(ledger, source);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Writes kept items and ledgers.</summary>
    /// <returns>How many images could not be put into the target folder; each is told of on stderr.</returns>
    public long Write(SelectionRun run, CancellationToken cancellation)
    {
        var failed = _items != null || _images != null ? Write(run.KeptItems(cancellation)) : 0;
        _dropped?.Write(run, droppedOnly: true);
        _ledger?.Write(run);
        return failed;
    }

    /// <summary>Writes items to the file, or their images into the folder.</summary>
    /// <returns>How many images could not be put into the folder; each is told of on stderr.</returns>
    public long Write(IEnumerable<DatasetItem> items)
    {
        long failed = 0;
        foreach (var item in items)
        {
            _items?.Write(item);
            try
            {
                foreach (var image in _images == null ? [] : item.Images)
                    _images!.Add(image);
            }
            catch (DatasetException exception)
            {
                failed++;
                Console.Error.WriteLine($"pristine: {exception.Message}");
            }
        }
        _items?.Complete();
        return failed;
    }

    public void Dispose()
    {
        _items?.Dispose();
        _dropped?.Dispose();
        _ledger?.Dispose();
    }
}
