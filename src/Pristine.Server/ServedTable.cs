using System.Globalization;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Native;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Server;

/// <summary>
/// A table that many ask at a time: its rows, its images, and the selections that were asked for last, each computed once. Memory
/// is bounded by the number of selections that are kept.
/// </summary>
internal sealed class ServedTable : IDisposable
{
    /// <summary>Selections that are kept; each holds a decision for every item.</summary>
    private const int MostSelections = 4;

    /// <summary>How many of the rows after one are looked for with it, where it is on no page.</summary>
    private const int RowsTogether = 500;

    private const long SelectionMemory = 512L << 20;

    private readonly ServerOptions _options;
    private readonly DuckDbConnection _database;
    private readonly Lock _databaseLock = new();
    private readonly Lock _selectionsLock = new();
    private readonly List<KeptSelection> _selections = [];
    private readonly ImageFinder _finder;
    private readonly HeldImages _held;
    private readonly string[] _folders;

    /// <summary>The items of the page that was asked for last, as a list for a query.</summary>
    private string _page = "-1";

    public ServedTable(ScoreTable table, ServerOptions options)
    {
        (Table, _options) = (table, options);
        var source = table.Provenance.Dataset;
        ImageRoot = options.ImageRoot ?? source.ImageRoot;
        _finder = new ImageFinder(ImageRoot, remote: options.Remote);
        _held = new HeldImages(() => SelectionRun.OpenDataset(Table, options.Remote));
        _folders = [.. ((string[])[ImageRoot, FolderOf(source.Path), .. options.Folders])
            .Where(folder => folder.Length > 0 && !RemoteAddress.IsRemote(folder))
            .Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar)];
        _database = DuckDbConnection.Open(
            new DuckDbOptions { Threads = options.Scoring.Workers, MemoryLimit = SelectionMemory, KeepsFileMetadata = true });
        try
        {
            _database.Confine([table.Folder], []);
            // A metric that was asked for, but that no run has computed yet, has no column in any part.
            var absent = table.Columns.Stored.Where(column => TableSchema.Row.Find(column.Name) == null
                && !table.Parts.Any(part => part.Contents.Columns.ContainsKey(column.Metric ?? column.Name)));
            var columns = absent.Select(column => $", NULL::{column.SqlType} AS {column.Identifier}");
            _database.Execute($"CREATE VIEW images AS SELECT *{string.Concat(columns)} FROM {table.Source}");
        }
        catch
        {
            _database.Dispose();
            throw;
        }
        ImageColumns = [.. table.Columns.Stored.Where(column => column.Name is not ("id" or "item_index" or "folder")
            && column.Type is not (ColumnType.Floats or ColumnType.Boolean))];
    }

    public ScoreTable Table { get; }

    /// <summary>Folder of relative image paths.</summary>
    public string ImageRoot { get; }

    /// <summary>The columns of an image that answers have.</summary>
    public IReadOnlyList<Column> ImageColumns { get; }

    /// <summary>Uses a selection, which is computed where it is not there yet. One request at a time has it.</summary>
    /// <exception cref="RuleException">A rule cannot be understood.</exception>
    public T Use<T>(SelectionOptions options, Func<SelectionRun, T> use, CancellationToken cancellation)
    {
        while (true)
        {
            var kept = Keep($"{options.ToJson()} {options.Order} {string.Join(',', options.DropIssues.Select(issue => issue.Name))}");
            lock (kept.Lock)
            {
                // Another request may have made room in between.
                if (kept.IsGone)
                    continue;
                kept.Run ??= SelectionRun.Run(
                    Table,
                    options,
                    new SelectionResources
                    {
                        Threads = _options.Scoring.Workers,
                        MemoryLimit = SelectionMemory,
                        KeepsFileMetadata = true,
                    },
                    () => SelectionRun.OpenDataset(Table, _options.Remote), cancellation);
                return use(kept.Run);
            }
        }
    }

    /// <summary>Calls for each image of some items, in the order of the dataset, with a reader that stands on its columns.</summary>
    /// <param name="items">Positions of items.</param>
    /// <param name="read">Gets the item's position and the reader; the first column is that of <see cref="ImageColumns"/>.</param>
    public void ReadImages(IEnumerable<long> items, Action<long, DuckDbReader> read)
    {
        var list = string.Join(',', items.Select(item => item.ToString(CultureInfo.InvariantCulture)));
        if (list.Length == 0)
            return;
        var columns = ImageColumns.Select(column => column.Type is ColumnType.Map ? $"{column.RuleSql} AS {column.Identifier}"
            : column.Type is ColumnType.Timestamp ? $"{column.Identifier}::VARCHAR" : column.Identifier);
        _held.ForgetAbsent();
        lock (_databaseLock)
        {
            _page = list;
            using var rows = _database.Query(
                $"SELECT {string.Join(", ", columns)}, item_index AS place FROM images WHERE item_index IN ({list}) ORDER BY images.key");
            while (rows.Read())
                read(rows.Int64(ImageColumns.Count), rows);
        }
    }

    /// <summary>The id of the item at a position; null where there is none.</summary>
    public string? IdOf(long item)
    {
        lock (_databaseLock)
        {
            using var rows = _database.Query("SELECT id FROM images WHERE item_index = $1 LIMIT 1", item);
            return rows.Read() ? rows.Text(0) : null;
        }
    }

    /// <summary>Where the bytes of an image are.</summary>
    /// <param name="key">The key of its row.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="RequestException">There is no such image, or it may not leave.</exception>
    public MediaSource SourceOf(long key, CancellationToken cancellation)
    {
        string? reference;
        lock (_databaseLock)
        {
            using var rows = _database.Query("SELECT image FROM images WHERE key = $1", key);
            reference = rows.Read() ? rows.Text(0) : null;
        }
        if (reference == null)
            throw new RequestException(404, string.Create(CultureInfo.InvariantCulture, $"The table has no image with the key {key}."));
        if (reference.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            return _held.Find(reference, () => AskedWith(key, reference), cancellation)
                ?? throw new RequestException(404, "The dataset no longer holds this image.");
        }
        return _finder.Find(reference, place => Check(reference, place));
    }

    /// <summary>Checks that something may leave. A link in a folder of the dataset is part of it, wherever it leads.</summary>
    /// <param name="reference">An image, a sound or a film, as the dataset names it.</param>
    /// <param name="place">The file or address that it is read from: its own, or that of the archive it lies in.</param>
    /// <exception cref="RequestException">It lies outside of the dataset, or at an address and none is read.</exception>
    public void Check(string reference, string place)
    {
        if (RemoteAddress.HasScheme(place))
        {
            if (!_options.ReadsAddresses)
                throw new RequestException(403, $"'{reference}' is at an address, and addresses are not read here (--no-addresses).");
            return;
        }
        // A name with NUL is that of no file.
        if (place.Contains('\0'))
            return;
        var full = Path.GetFullPath(place);
        if (!Array.Exists(_folders, folder => full.StartsWith(folder, StringComparison.Ordinal)))
        {
            throw new RequestException(
                403, $"'{reference}' lies outside of the dataset. --allow-folder {Path.GetDirectoryName(full)} shows it.");
        }
    }

    public void Dispose()
    {
        foreach (var selection in _selections)
            selection.Dispose();
        _database.Dispose();
    }

    /// <summary>
    /// Images that the dataset holds itself and that will be asked for with one: those of its page, or of the rows after it.
    /// </summary>
    private List<string> AskedWith(long key, string reference)
    {
        lock (_databaseLock)
        {
            var page = Held($"item_index IN ({_page})");
            return page.Contains(reference) ? page : Held(string.Create(CultureInfo.InvariantCulture, $"key >= {key}"));
        }

        List<string> Held(string condition)
        {
            using var rows = _database.Query(
                $"SELECT image FROM images WHERE {condition} AND image ILIKE 'data:%' ORDER BY key LIMIT {RowsTogether}");
            var found = new List<string>();
            while (rows.Read())
                found.Add(rows.Text(0)!);
            return found;
        }
    }

    private static string FolderOf(string path) =>
        RemoteAddress.IsRemote(path) ? "" : Directory.Exists(path) ? path : Path.GetDirectoryName(path) ?? "";

    private KeptSelection Keep(string name)
    {
        KeptSelection? gone = null;
        KeptSelection found;
        lock (_selectionsLock)
        {
            found = _selections.Find(selection => selection.Name == name) ?? new KeptSelection(name);
            _selections.Remove(found);
            _selections.Add(found);
            if (_selections.Count > MostSelections)
            {
                gone = _selections[0];
                _selections.RemoveAt(0);
            }
        }
        // Waits for who uses it.
        gone?.Dispose();
        return found;
    }

    private sealed class KeptSelection(string name) : IDisposable
    {
        public string Name { get; } = name;

        public Lock Lock { get; } = new();

        public SelectionRun? Run { get; set; }

        public bool IsGone { get; private set; }

        public void Dispose()
        {
            lock (Lock)
            {
                IsGone = true;
                Run?.Dispose();
            }
        }
    }
}
