using Pristine.Datasets;
using Pristine.Media;
using Pristine.Native;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>What became of an item, in the order of the dataset.</summary>
/// <param name="ItemIndex">The item's position in the dataset, from 0.</param>
/// <param name="Id">The item's id.</param>
/// <param name="Kept">True when it is kept.</param>
public readonly record struct ItemDecision(long ItemIndex, string Id, bool Kept);

/// <summary>How many items were dropped for a reason.</summary>
/// <param name="Reason">For example <c>fails brisque &lt;= 40</c>.</param>
/// <param name="Count">Number of items.</param>
public sealed record ReasonCount(string Reason, long Count);

/// <summary>
/// Codes of decisions that no comparison of a rule made; those of comparisons follow, negative where a score was missing.
/// </summary>
internal static class SelectionCode
{
    public const int Passes = 0;
    public const int KeptWithoutImage = 1;
    public const int DroppedWithoutImage = 2;
    public const int InvalidRecord = 3;
    public const int BrokenImage = 4;
    public const int KeptByHand = 5;
    public const int DroppedByHand = 6;

    /// <summary>SQL: whether a decision keeps.</summary>
    public const string Kept = "code IN (0, 1, 5)";
}

/// <summary>
/// A selection over a score table, computed by DuckDB within bounded memory. The same table and options give the same decisions, whatever
/// the number of threads. It touches no pixels, and the dataset only when a rule names <c>item.FIELD</c>.
/// </summary>
public sealed partial class SelectionRun : IDisposable
{
    private readonly DuckDbConnection _database;
    private readonly ScoreTable _table;
    private readonly ParsedSelection _parsed;
    private readonly ReasonList _reasons;
    private readonly RecordPart _record;
    private readonly Func<Dataset> _openDataset;
    private readonly ScratchFolder _folder;
    private readonly int _threads;
    private readonly long _rowsPerRange;
    private readonly bool _isAskedOften;
    private readonly Stack<(string Name, bool IsView)> _decisions = [];
    private int _steps;
    private string _decided = "";

    private SelectionRun(ScoreTable table, SelectionOptions options, Func<Dataset> openDataset, SelectionResources resources)
    {
        _table = table;
        options = options.WithIssueRules(table);
        Options = options;
        _openDataset = openDataset;
        (_threads, _rowsPerRange, _isAskedOften) = (resources.Threads, resources.RowsPerRange, resources.KeepsFileMetadata);
        _parsed = ParsedSelection.Of(options, new RuleColumns(table.Columns, options.Known));
        _reasons = new ReasonList(_parsed.ScoreExpression);
        _record = new RecordPart(_parsed.ScoreExpression);
        _folder = ScratchFolder.Create("select");
        _database = DuckDbConnection.Open(
            new DuckDbOptions
            {
                // On the disk, where they are compressed: decisions of millions of items.
                File = _folder.FileOf("decisions.duckdb"),
                Threads = resources.Threads,
                MemoryLimit = resources.MemoryLimit,
                TemporaryFolder = _folder.FileOf("spill"),
                KeepsFileMetadata = resources.KeepsFileMetadata,
            });
        // The file goes with the run.
        _database.Execute("PRAGMA disable_checkpoint_on_shutdown");
    }

    /// <summary>What was asked for.</summary>
    public SelectionOptions Options { get; }

    /// <summary>Number of items in the table.</summary>
    public long Items { get; private set; }

    /// <summary>Number of items that are kept.</summary>
    public long Kept { get; private set; }

    /// <summary>
    /// Number of items without an image that are kept because a rule or step needs one; rules on the record alone have judged them.
    /// </summary>
    public long KeptWithoutImage { get; private set; }

    /// <summary>Number of items that are dropped.</summary>
    public long Dropped => Items - Kept;

    /// <summary>Why items were dropped, the most frequent reason first.</summary>
    public IReadOnlyList<ReasonCount> Reasons { get; private set; } = [];

    internal DuckDbConnection Database => _database;

    /// <summary>The table's folder.</summary>
    public string Table => _table.Folder;

    internal ParsedSelection Parsed => _parsed;

    internal ScoreTable ScoreTable => _table;

    internal string TableSource => _table.Source;

    /// <summary>The table's columns.</summary>
    internal TableSchema Columns => _table.Columns;

    /// <summary>Selects.</summary>
    /// <param name="table">The table.</param>
    /// <param name="options">What to keep.</param>
    /// <param name="resources">Threads and memory.</param>
    /// <param name="openDataset">Opens the table's dataset; by default at the place that the table remembers.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="RuleException">A rule cannot be understood, or names a column that the table does not have.</exception>
    /// <exception cref="DatasetException">A rule names a field of items and the dataset cannot be read.</exception>
    public static SelectionRun Run(
        ScoreTable table, SelectionOptions options, SelectionResources? resources = null, Func<Dataset>? openDataset = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(options);
        resources ??= new SelectionResources();
        var run = new SelectionRun(table, options, openDataset ?? (() => OpenDataset(table)), resources);
        try
        {
            using var interruption = cancellation.Register(run._database.Interrupt);
            run.Select(cancellation);
            return run;
        }
        catch (DuckDbException) when (cancellation.IsCancellationRequested)
        {
            run.Dispose();
            throw new OperationCanceledException(cancellation);
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    /// <summary>Checks rules against the columns of a table, before any output is opened.</summary>
    /// <param name="table">The table.</param>
    /// <param name="options">What to keep.</param>
    /// <exception cref="RuleException">A rule cannot be understood, or names a column that the table does not have.</exception>
    internal static void CheckRules(ScoreTable table, SelectionOptions options) =>
        ParsedSelection.Of(options, new RuleColumns(table.Columns, options.Known));

    /// <summary>Opens the dataset that a table is about, at the place where it was scored.</summary>
    /// <param name="table">The table.</param>
    /// <param name="remote">Reads addresses; null for the default limits.</param>
    /// <exception cref="DatasetException">It is not there.</exception>
    public static Dataset OpenDataset(ScoreTable table, RemoteAccess? remote = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        var source = table.Provenance.Dataset;
        // In the words of the user where they still mean the same: folders and globs name their items after them.
        var isSame = Tables.TableSource.PlaceOf(source.Input) == source.Path;
        return Dataset.Open(
            isSame ? source.Input
                : source.Path, new DatasetOptions { ImageRoot = source.ImageRoot, ImageField = source.ImageField, Remote = remote });
    }

    /// <summary>The decisions, in the order of the dataset, computed while they are read.</summary>
    public IEnumerable<ItemDecision> Decisions()
    {
        using var connection = _database.Another();
        foreach (var range in _table.Ranges(_rowsPerRange))
        {
            using var rows = connection.Query(
                $"SELECT d.item_index, r.id, d.{SelectionCode.Kept} FROM {_decided} d JOIN {range.Source} r ON d.key = r.key " +
                $"WHERE {InRange(range)} ORDER BY d.item_index");
            while (rows.Read())
                yield return new ItemDecision(rows.Int64(0), rows.Text(1)!, rows.Boolean(2));
        }
    }

    /// <summary>Reads the dataset again and gives the kept items, unchanged and in order.</summary>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DatasetException">The dataset is not the one that was scored: an item has no row, or another id.</exception>
    public IEnumerable<DatasetItem> KeptItems(CancellationToken cancellation = default) =>
        DecidedItems(_openDataset(), Decisions(), cancellation).Where(decided => decided.Decision.Kept).Select(decided => decided.Item);

    /// <summary>The scores of the kept items, of each those of the image that decided, computed while they are read.</summary>
    /// <returns>The names of the scores; for each kept item, in order, their values, NaN where one is missing.</returns>
    internal (IReadOnlyList<string> Names, IEnumerator<double[]> Scores) KeptScores()
    {
        string[] names = [.. _table.Provenance.Columns.Where(column => column.IsScore).Select(column => column.Metric)];
        return (names, Rows().GetEnumerator());

        IEnumerable<double[]> Rows()
        {
            using var connection = _database.Another();
            var columns = string.Concat(names.Select(name => $", r.{DuckDbConnection.Identifier(name)}::DOUBLE"));
            foreach (var range in _table.Ranges(_rowsPerRange))
            {
                using var rows = connection.Query(
                    $"SELECT d.item_index{columns} FROM {_decided} d JOIN {range.Source} r ON d.key = r.key " +
                    $"WHERE d.{SelectionCode.Kept} AND {InRange(range)} ORDER BY d.item_index");
                while (rows.Read())
                    yield return [.. names.Select((_, i) => rows.IsNull(i + 1) ? double.NaN : rows.Double(i + 1))];
            }
        }
    }

    /// <summary>The dataset's items with what became of them.</summary>
    internal static IEnumerable<(DatasetItem Item, ItemDecision Decision)> DecidedItems(
        Dataset dataset, IEnumerable<ItemDecision> decisions, CancellationToken cancellation)
    {
        using var next = decisions.GetEnumerator();
        var garbage = new GarbageBudget();
        foreach (var item in dataset.Read(cancellation))
        {
            garbage.Check();
            if (!next.MoveNext() || next.Current.ItemIndex != item.Index || next.Current.Id != item.Id)
            {
                throw new DatasetException(
                    $"Item {item.Index} of {dataset.Source}, '{item.Id}', is not the one that was scored. Bring the table up to date " +
                    $"with 'pristine score' and select again.");
            }
            yield return (item, next.Current);
        }
        if (next.MoveNext())
            throw new DatasetException(
                $"{dataset.Source} ends before item {next.Current.ItemIndex}, '{next.Current.Id}', which was scored. Bring the table up " +
                $"to date with 'pristine score' and select again.");
    }

    /// <summary>What became of every item and why, in the order of the dataset, computed while it is read.</summary>
    public IEnumerable<LedgerEntry> Entries()
    {
        using var connection = _database.Another();
        foreach (var range in _table.Ranges(_rowsPerRange))
        {
            using var rows = connection.Query(
                $"SELECT \"index\", id, kept, rule, reason FROM ({LedgerQuery(droppedOnly: false, InRange(range), range.Source)})");
            while (rows.Read())
                yield return new LedgerEntry(rows.Int64(0), rows.Text(1)!, rows.Boolean(2), rows.Text(3), rows.Text(4)!);
        }
    }

    /// <summary>Writes the ledger: a line or row per item, in the order of the dataset.</summary>
    /// <param name="stream">Where to write.</param>
    /// <param name="format"><c>parquet</c>, <c>csv</c> or <c>jsonl</c>.</param>
    /// <param name="droppedOnly">Leaves the kept items out.</param>
    internal void WriteLedger(Stream stream, string format, bool droppedOnly)
    {
        // DuckDB writes where it is confined to; from there the bytes go to wherever the user wants them, also to a pipe.
        ScoreTable.Copy(
            _database, _table.Ranges(_rowsPerRange).Select(range => LedgerQuery(droppedOnly, InRange(range), range.Source)), format,
            _folder,
            stream);
    }

    /// <summary>
    /// SQL: whether a decision <c>d</c> is about a row <c>r</c> of a range. Both are said, so that neither is read in full.
    /// </summary>
    private static string InRange(RowRange range) => $"{range.Has("d.key")} AND {range.Has("r.key")}";

    /// <summary>Frees the database and what it spilled.</summary>
    public void Dispose()
    {
        _database.Dispose();
        _folder.Dispose();
    }

    private void Select(CancellationToken cancellation)
    {
        var fields = _parsed.ItemFields;
        if (fields.Count > 0)
            ReadFields(fields, cancellation);
        _database.Confine([_table.Folder, _folder.Path], []);
        CreateRows(fields, cancellation);
        Judge();
        if (Options.Dedup is { } method)
            KeepOneOfDuplicates(method, cancellation);
        if (Options.Between is { } range)
            KeepBetween(range);
        if (Options.Top is { } top)
            KeepTop(top);
        if (Options.Limit is { } limit)
            KeepFirst(limit);
        if (Options.Overrides is { } file)
            Override(file);
        cancellation.ThrowIfCancellationRequested();
        Count();
    }

    private void ReadFields(IReadOnlyList<string> fields, CancellationToken cancellation)
    {
        _database.Execute(
            $"CREATE TABLE fields (item_index BIGINT, " +
            $"{string.Join(", ", fields.Select(field => $"{DuckDbConnection.Identifier($"item.{field}")} VARCHAR"))})");
        var dataset = _openDataset();
        using var appender = _database.Append("fields");
        var known = new KnownFields(fields, dataset);
        var garbage = new GarbageBudget();
        foreach (var item in dataset.Read(cancellation))
        {
            garbage.Check();
            appender.Append(item.Index);
            foreach (var value in item.Record?.Fields(fields) ?? new string?[fields.Count])
                appender.Append(value);
            appender.EndRow();
            known.Add(item);
        }
        appender.Complete();
        known.Check();
    }

    /// <summary>The view <c>rows</c>: what rules can see.</summary>
    private void CreateRows(IReadOnlyList<string> fields, CancellationToken cancellation)
    {
        var derived = TableSchema.Row.Where(column => column.Derivation != null)
            .Select(column => $"{column.Derivation} AS {column.Identifier}");
        var sql = $"SELECT *, {string.Join(", ", derived)} FROM {_table.Source}";
        if (_parsed.NamesCopies)
            sql = WithCopies(sql, cancellation);
        if (fields.Count > 0)
            sql = $"SELECT r.*, f.* EXCLUDE (item_index) FROM ({sql}) r LEFT JOIN fields f ON r.item_index = f.item_index";
        var hasSeveral = _database.QueryInt64($"SELECT max(image_index) FROM {_table.Source}") > 0;
        if (hasSeveral && Options.Images == ImagePolicy.Mean)
            sql = MeanOf(sql, fields);
        if (_parsed.ScoreExpression is { } score)
            sql = $"SELECT *, {score.NumberSql(Width.Double)} AS {ParsedSelection.Score} FROM ({sql})";
        _database.Execute($"CREATE VIEW rows AS {sql}");
        HasSeveralImages = hasSeveral && Options.Images != ImagePolicy.Mean;
    }

    private bool HasSeveralImages { get; set; }

    private const string ItemIndex = "item_index";

    /// <summary>
    /// One row per item: the mean of each number over the images that have it, sizes in whole pixels; of texts that of the first image that
    /// could be read.
    /// </summary>
    private string MeanOf(string rows, IReadOnlyList<string> fields)
    {
        const string isRead = "status IN ('ok', 'too_small', 'partial')";
        var columns = _table.Columns.Where(column => column.Name != ItemIndex && (_parsed.NamesCopies || !column.ComparesImages))
            .Select(column => $"{column.MeanSql(isRead)} AS {column.Identifier}")
            .Concat(fields.Select(field => DuckDbConnection.Identifier($"item.{field}")).Select(name => $"any_value({name}) AS {name}"));
        return $"SELECT {ItemIndex}, {string.Join(", ", columns)} FROM ({rows}) GROUP BY {ItemIndex}";
    }

    private void Count()
    {
        var byReason = new Dictionary<string, long>(StringComparer.Ordinal);
        var known = _reasons.All.ToDictionary(reason => reason.Code);
        // Of a row that skipped scores, only its own text tells whether the missing one is among them.
        var decisions = _database.QueryInt64($"SELECT 1 FROM {_table.Source} WHERE {SkippedScores.Column} IS NOT NULL LIMIT 1") == null
            ? $"SELECT code, status, false AS is_skipped FROM {_decided}"
            : $"""
              SELECT code, d.status, code < 0 AND {_reasons.SkippedOfCode("-code", "r.skipped")} IS NOT NULL AS is_skipped
              FROM {_decided} d LEFT JOIN {_table.Source} r ON d.key = r.key AND r.{SkippedScores.Column} IS NOT NULL
              """;
        using var counts = _database.Query($"SELECT code, status, is_skipped, count(*) FROM ({decisions}) GROUP BY ALL");
        while (counts.Read())
        {
            var (code, status, isSkipped, count) = ((int)counts.Int64(0), (ImageStatus)counts.Int64(1), counts.Boolean(2), counts.Int64(3));
            Items += count;
            if (code is SelectionCode.Passes or SelectionCode.KeptWithoutImage or SelectionCode.KeptByHand)
            {
                Kept += count;
                KeptWithoutImage += code == SelectionCode.KeptWithoutImage ? count : 0;
                continue;
            }
            var reason = code switch
            {
                SelectionCode.DroppedWithoutImage => "no image",
                SelectionCode.InvalidRecord => status == ImageStatus.Unreadable
                    ? "unreadable record, sound or film"
                    : $"sound or film {status.Name()}",
                SelectionCode.BrokenImage => $"image {status.Name()}",
                SelectionCode.DroppedByHand => "dropped by hand",
                < 0 when known[-code].IsOfRecord => $"missing {known[-code].Column}",
                < 0 when status is not (ImageStatus.Ok or ImageStatus.TooSmall or ImageStatus.Partial) => $"image {status.Name()}",
                < 0 => $"missing score {known[-code].Column}{(isSkipped ? " (skipped)" : "")}",
                _ when code == _duplicateCode => known[code].Rule,
                _ => $"fails {known[code].Rule}",
            };
            byReason[reason] = byReason.GetValueOrDefault(reason) + count;
        }
        Reasons = [.. byReason.Select(pair => new ReasonCount(pair.Key, pair.Value)).OrderByDescending(reason => reason.Count)
            .ThenBy(reason => reason.Reason, StringComparer.Ordinal)];
    }

    /// <summary>The ledger as a query.</summary>
    /// <param name="droppedOnly">Leaves the kept items out.</param>
    /// <param name="condition">Further condition on decisions <c>d</c> and the table's rows <c>r</c>.</param>
    /// <param name="source">The table's rows; null for all.</param>
    internal string LedgerQuery(bool droppedOnly, string condition = "true", string? source = null)
    {
        string Text(Func<DropReason, string?> text) =>
            _reasons.CaseOfCode("abs(code)", reason => text(reason) is { } found ? DuckDbConnection.Literal(found) : null, "VARCHAR");
        // Four decimals, as a person reads them; whole numbers without any.
        const string shown = "rtrim(rtrim(printf('%.4f', d.value), '0'), '.')";
        return
            $"""
            SELECT d.item_index AS "index", r.id, r.image, d.{SelectionCode.Kept} AS kept, r.status,
              CASE WHEN abs(code) >= {ReasonList.FirstCode} THEN {Text(reason => reason.Rule)} WHEN {IsByHand} THEN '{OverrideRule}' END AS rule,
              CASE WHEN abs(code) >= {ReasonList.FirstCode} THEN {Text(reason => reason.Column)} END AS "column",
              CASE WHEN code >= {ReasonList.FirstCode} THEN round(d.value, 6) END AS value,
              CASE WHEN abs(code) >= {ReasonList.FirstCode} THEN round(d.threshold, 6) END AS threshold,
              CASE WHEN code >= {ReasonList.FirstCode} THEN round(d.value - d.threshold, 6) END AS margin,
              CASE
                {(_duplicateCode == null ? "" : $"WHEN code = {_duplicateCode} THEN {DuplicateReason()} WHEN code = {SelectionCode.Passes} AND o.copies IS NOT NULL THEN concat('passes every rule; kept instead of ', o.copies, CASE o.copies WHEN 1 THEN ' duplicate' ELSE ' duplicates' END)")}
                WHEN code = {SelectionCode.Passes} THEN 'passes every rule'
                WHEN code = {SelectionCode.KeptWithoutImage} THEN 'kept: no image to judge'
                WHEN code = {SelectionCode.DroppedWithoutImage} THEN 'no image'
                WHEN {IsByHand} THEN {OverrideReason()}
                WHEN code = {SelectionCode.InvalidRecord} THEN r.error
                WHEN code = {SelectionCode.BrokenImage} THEN concat('image ', r.status, ': ' || r.error)
                WHEN code < 0 THEN coalesce({_reasons.CaseOfCode("-code", reason => reason.IsOfRecord ? DuckDbConnection.Literal($"missing {reason.Column}") : null, "VARCHAR")},
                  concat('missing score ', {Text(reason => reason.Column)}, ': ', coalesce('skipped, ' || {_reasons.SkippedOfCode("-code", "r.skipped")}, concat(r.status, ', ' || r.error))))
                ELSE concat({Text(reason => reason.Column)} || coalesce(' ' || {shown}, '') || ' ', 'fails ', {Text(reason => reason.Comparison)})
              END AS reason
            FROM {_decided} d JOIN {source ?? _table.Source} r ON d.key = r.key{DuplicateJoins()}{OverrideJoin()}
            WHERE ({condition}){(droppedOnly ? $" AND NOT d.{SelectionCode.Kept}" : "")}
            ORDER BY d.item_index
            """;
    }
}

/// <summary>What a selection may use.</summary>
public sealed record SelectionResources
{
    /// <summary>Threads; by default one per core. They do not change the result.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes for sorts and joins; beyond them they spill to disk. By default 1 GiB.</summary>
    public long MemoryLimit { get; init; } = 1L << 30;

    /// <summary>Whether a selection is asked many times, so that what the table's files say of themselves is worth its memory.</summary>
    internal bool KeepsFileMetadata { get; init; }

    /// <summary>Rows that are sorted at a time where they are read in order.</summary>
    internal long RowsPerRange { get; init; } = ScoreTable.RowsPerRange;
}
