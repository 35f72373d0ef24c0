using System.CommandLine;
using System.Globalization;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Remote;
using Pristine.Reports;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Options;

/// <summary>Where the kept items and the ledgers go.</summary>
internal sealed class SelectionOutputs
{
    private readonly Option<string?> _out = new("--out", "-o")
    {
        Description = "File for the kept items, in the input's format or as .parquet, .tar, .jsonl, .csv; - for stdout; a folder with " +
            "--copy, --link or --hardlink; also kept-{000000..}.tar or .parquet, or a folder/",
        HelpName = "PATH",
    };

    private readonly Option<string?> _dropped = new("--dropped")
    {
        Description = "File for the dropped items: id, rule, value, threshold, margin, reason (.jsonl, .csv or .parquet)",
        HelpName = "FILE",
    };

    private readonly Option<string?> _ledger = new("--ledger")
    {
        Description = "The same for every item, kept or dropped",
        HelpName = "FILE",
    };

    private readonly Option<string?> _report = new("--report")
    {
        Description = "HTML report about the score table, as 'pristine report' makes it",
        HelpName = "FILE",
    };

    private readonly Option<bool> _copy = new("--copy")
    {
        Description =
            "Copy the kept images into the folder --out; those of a dataset file with metadata.jsonl, as Hugging Face's imagefolder",
    };

    private readonly Option<bool> _link = new("--link") { Description = "The same with symbolic links" };

    private readonly Option<bool> _hardLink = new("--hardlink") { Description = "The same with hard links" };

    /// <param name="isRequired">Whether the command makes no sense without a file for the kept items.</param>
    public SelectionOutputs(bool isRequired = false) => _out.Required = isRequired;

    /// <summary>Refuses a command line that asks for nothing.</summary>
    /// <exception cref="UsageException">No output is named.</exception>
    public void RequireAny(ParseResult parsed)
    {
        if (((Option<string?>[])[_out, _dropped, _ledger, _report]).All(option => parsed.GetValue(option) == null))
            throw new UsageException("Expected --out PATH; found none. --dropped, --ledger and --report may stand alone, too.");
    }

    public void AddTo(Command command)
    {
        AddItemsTo(command);
        command.Options.Add(_dropped);
        command.Options.Add(_ledger);
        command.Options.Add(_report);
    }

    /// <summary>Adds the options for items, without those for ledgers.</summary>
    public void AddItemsTo(Command command)
    {
        foreach (var option in (Option[])[_out, _copy, _link, _hardLink])
            command.Options.Add(option);
    }

    public string? Out(ParseResult parsed) => parsed.GetValue(_out);

    public string? Dropped(ParseResult parsed) => parsed.GetValue(_dropped);

    public bool HasReport(ParseResult parsed) => parsed.GetValue(_report) != null;

    /// <summary>Writes the report about a table where one is asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="table">The table.</param>
    /// <param name="name">The table as the user names it.</param>
    /// <param name="remote">Reads images at addresses.</param>
    /// <param name="cancellation">Stops it.</param>
    public void WriteReport(ParseResult parsed, ScoreTable table, string name, RemoteAccess remote, CancellationToken cancellation)
    {
        if (parsed.GetValue(_report) is { } file)
            Report.Write(table, name, file, new ReportOptions { Remote = remote }, cancellation);
    }

    /// <summary>How images are put into a folder; null when items are written to a file.</summary>
    public FileExportMode? Mode(ParseResult parsed, Dataset? dataset)
    {
        var modes = ((Option<bool> Option, FileExportMode Mode)[])
            [(_copy, FileExportMode.Copy), (_link, FileExportMode.Link), (_hardLink, FileExportMode.HardLink)];
        var asked = modes.Where(mode => parsed.GetValue(mode.Option)).ToArray();
        if (asked.Length > 1)
            throw new UsageException(
                $"Expected one of --copy, --link and --hardlink; found {string.Join(" and ", asked.Select(mode => mode.Option.Name))}.");
        if (dataset != null && Out(parsed) is { } output && !(asked is [{ Mode: not FileExportMode.Copy }]) &&
            ItemExport.Refusal(
                dataset, output, OpenOutputs.IsFolderOfRecords(dataset, asked is [var one] ? one.Mode : null)) is { } refusal)
            throw new UsageException($"--out {output}: {refusal}");
        if (asked.Length == 0)
        {
            return dataset is { IsFolderWithImages: true } && Out(parsed) != null
                ? throw new UsageException(
                    "--out: expected --copy, --link or --hardlink with it: the kept rows of a Hugging Face folder are exported together " +
                    "with their images.")
                : null;
        }
        if (dataset is { HasRecords: true, IsFolderWithImages: false } && asked[0].Mode != FileExportMode.Copy)
            throw new UsageException(
                $"{asked[0].Option.Name} exports the images of a folder or a list; this is a dataset file: --copy puts its images and " +
                $"metadata.jsonl into a folder.");
        if (Out(parsed) == null)
            throw new UsageException($"{asked[0].Option.Name}: expected a folder in --out.");
        return asked[0].Mode;
    }

    /// <summary>Opens the outputs. That comes before the work: a place that cannot be written to is found at once.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="dataset">The dataset; null when no items are written.</param>
    /// <param name="source">The dataset's file, which no ledger may overwrite.</param>
    /// <param name="mode">How images are put into a folder; null when items are written to a file.</param>
    /// <param name="remote">Writes to buckets.</param>
    public OpenOutputs Open(ParseResult parsed, Dataset? dataset, string source, FileExportMode? mode, RemoteAccess remote)
    {
        var places = new[] { Out(parsed), parsed.GetValue(_dropped), parsed.GetValue(_ledger), parsed.GetValue(_report) }.OfType<string>()
            .ToArray();
        if (places.FirstOrDefault(place => places.Count(other => FullPath(other) == FullPath(place)) > 1) is { } twice)
            throw new UsageException(
                $"Expected a place of its own for each of --out, --dropped, --ledger and --report; found '{twice}' more than once.");
        if (parsed.GetValue(_report) is { } report && report != "-")
            OutputPlace.CheckFile(OutputName.Page(report));
        if (mode == null && Out(parsed) is { } file && dataset is { HasRecords: false }
            && (Directory.Exists(file) || Path.EndsInDirectorySeparator(file)))
            throw new UsageException(
                $"--out: expected the name of a file for the list of kept images; '{file}' is a folder. --copy, --link or --hardlink put " +
                $"the images into a folder.");
        return new OpenOutputs(dataset, Out(parsed), parsed.GetValue(_dropped), parsed.GetValue(_ledger), source, mode, remote);
    }

    private static string FullPath(string place) => place == "-" ? place : Path.GetFullPath(place);

    /// <summary>Says on stderr what was kept, and why the rest was not.</summary>
    public void Summarize(ParseResult parsed, SelectionRun run)
    {
        static string Share(long part, long all) =>
            all == 0 ? "     -" : (100.0 * part / all).ToString("0.0", CultureInfo.InvariantCulture).PadLeft(5) + "%";
        static string Arrow(string? path) => path == null ? "" : $"  -> {path}";
        var writer = Console.Error;
        var culture = CultureInfo.InvariantCulture;
        writer.WriteLine(string.Create(culture, $"kept     {run.Kept,9:N0}  {Share(run.Kept, run.Items)}{Arrow(Out(parsed))}"));
        if (run.KeptWithoutImage > 0)
            writer.WriteLine(string.Create(
                culture, $"         {run.KeptWithoutImage,9:N0}  without an image, which a rule needs (--no-image drop drops them)"));
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
    private readonly bool _hasScores;

    public OpenOutputs(
        Dataset? dataset, string? output, string? dropped, string? ledger, string? source, FileExportMode? mode, RemoteAccess remote)
    {
        try
        {
            if (dataset != null && output != null && IsFolderOfRecords(dataset, mode))
                _items = ItemExport.Open(dataset, output, asFolder: true);
            else if (dataset != null && output != null && mode is { } copy)
            {
                _images = FileExport.For(dataset, output, copy);
                _items = dataset.IsFolderWithImages ? dataset.CreateWriter(output) : null;
            }
            else if (dataset != null && output != null)
                _items = dataset.CreateExport(output);
            _hasScores = dataset is { HasRecords: false };
            _dropped = dropped == null ? null : new LedgerWriter(dropped, source, remote);
            _ledger = ledger == null ? null : new LedgerWriter(ledger, source, remote);
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
        var (names, scores) = _hasScores && _items is { NeedsScores: true } ? run.KeptScores() : ([], null);
        using (scores)
        {
            if (scores != null)
                _items!.SetScores(names, scores);
            return WriteAll(run, cancellation);
        }
    }

    /// <summary>True where the images of a dataset of records are put into a folder, with their records.</summary>
    public static bool IsFolderOfRecords(Dataset dataset, FileExportMode? mode) =>
        mode == FileExportMode.Copy && dataset is { HasRecords: true, IsFolderWithImages: false };

    private long WriteAll(SelectionRun run, CancellationToken cancellation)
    {
        var failed = _items != null || _images != null ? Write(() => run.KeptItems(cancellation)) : 0;
        _dropped?.Write(run, droppedOnly: true);
        _ledger?.Write(run);
        return failed;
    }

    /// <summary>Writes items to the file, or their images into the folder.</summary>
    /// <param name="items">Gives the items, from the first on, as often as it is called.</param>
    /// <returns>How many images could not be put into the folder; each is told of on stderr.</returns>
    public long Write(Func<IEnumerable<DatasetItem>> items)
    {
        if (_items is { NeedsSurvey: true })
            foreach (var item in items())
                _items.Survey(item);
        long failed = 0;
        foreach (var item in items())
        {
            // A row stands for images that are there.
            if ((AddImages(item) ?? _items?.TryWrite(item)) is not { } reason)
                continue;
            failed++;
            Console.Error.WriteLine($"pristine: {reason}");
        }
        _items?.Complete();
        TellRemoved(_items);
        return failed;
    }

    /// <summary>Says which files of an earlier export a writer has removed.</summary>
    public static void TellRemoved(DatasetWriter? writer)
    {
        foreach (var file in writer?.Removed ?? [])
            Console.Error.WriteLine($"pristine: removed {file}, which an earlier export had written and this one does not");
    }

    /// <summary>Puts an item's images into the folder.</summary>
    /// <returns>Null, or why one of them could not be.</returns>
    private string? AddImages(DatasetItem item)
    {
        try
        {
            foreach (var image in _images == null ? [] : item.Images)
                Add(_images!, image);
            return null;
        }
        catch (DatasetException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Puts an image into the folder; a row that names it would not find it by another name.</summary>
    private void Add(FileExport images, MediaSource image)
    {
        if (images.Add(image) is var name && _items != null && name != images.PlaceOf(image))
            throw new DatasetException(
                $"Expected to put '{image.Reference}' into the folder under its name, by which its row finds it; another file is there " +
                $"already, so that it is '{name}'.");
    }

    public void Dispose()
    {
        _items?.Dispose();
        _dropped?.Dispose();
        _ledger?.Dispose();
    }
}
