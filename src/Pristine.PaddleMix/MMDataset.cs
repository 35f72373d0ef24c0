using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Pristine.Datasets;

namespace Pristine.PaddleMix;

/// <summary>
/// A dataset in memory, the counterpart of the class of the same name in PaddleMIX. Immutable: every operation gives another dataset with
/// the same schema, and none changes one that is already there. For files larger than memory use <see cref="Dataset"/>.
/// </summary>
public sealed class MMDataset : IReadOnlyList<MMItem>
{
    private readonly ImmutableArray<MMItem> _items;
    private readonly ImmutableArray<MapFailure> _failures;

    /// <summary>Makes a dataset of items.</summary>
    /// <param name="items">The items.</param>
    /// <param name="schema">The shape they should have; it is not checked here, see <see cref="Sanitize"/>.</param>
    public MMDataset(IEnumerable<MMItem> items, MMSchema schema = MMSchema.MM)
        : this([.. items], schema, [])
    {
    }

    private MMDataset(ImmutableArray<MMItem> items, MMSchema schema, ImmutableArray<MapFailure> failures) =>
        (_items, Schema, _failures) = (items, schema, failures);

    /// <summary>The items in their order.</summary>
    public IReadOnlyList<MMItem> Items => _items;

    /// <summary>The shape the items should have.</summary>
    public MMSchema Schema { get; }

    /// <summary>The items whose function threw in the operations that led to this dataset, in the order of those operations.</summary>
    public IReadOnlyList<MapFailure> Failures => _failures;

    /// <summary>Number of items.</summary>
    public int Count => _items.Length;

    /// <summary>An item.</summary>
    /// <param name="index">Position from 0; <c>^1</c> is the last.</param>
    /// <exception cref="IndexOutOfRangeException">There is no such item.</exception>
    public MMItem this[int index] => _items[index];

    /// <summary>A slice. As in Python, ends beyond the dataset are cut: <c>dataset[..1000]</c> of 10 items has 10.</summary>
    /// <param name="range">For example <c>1..5</c> or <c>^100..</c>.</param>
    public MMDataset this[Range range]
    {
        get
        {
            var start = Math.Clamp(range.Start.GetOffset(Count), 0, Count);
            var end = Math.Clamp(range.End.GetOffset(Count), start, Count);
            return Derive(_items[start..end]);
        }
    }

    /// <summary>The items at the positions, in the order of the positions.</summary>
    /// <param name="indices">Positions from 0; one may occur more than once.</param>
    /// <exception cref="IndexOutOfRangeException">There is no such item.</exception>
    public MMDataset this[IEnumerable<int> indices] => Derive([.. indices.Select(i => _items[i])]);

    /// <summary>The items of one dataset, then those of another. Different schemas give <see cref="MMSchema.None"/>.</summary>
    /// <param name="left">First part.</param>
    /// <param name="right">Second part.</param>
    public static MMDataset operator +(MMDataset left, MMDataset right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return left.Add(right);
    }

    /// <summary>The items of this dataset, then those of another. Different schemas give <see cref="MMSchema.None"/>.</summary>
    /// <param name="other">Second part.</param>
    public MMDataset Add(MMDataset other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var failures = _failures.Concat(other._failures).Distinct(ReferenceEqualityComparer.Instance).Cast<MapFailure>();
        return new MMDataset([.. _items, .. other._items], Schema == other.Schema ? Schema : MMSchema.None, [.. failures]);
    }

    /// <summary>Reads a file, every file of a folder (not of its subfolders), or every file a glob matches, in ordinal order.</summary>
    /// <param name="path">A .json, .jsonl or .h5 file, a folder, or a glob; files of other kinds in a folder are passed over.</param>
    /// <param name="schema">
    /// The shape of the items; null to take MIX where the first item with images has <c>images</c>, otherwise MM.
    /// </param>
    /// <exception cref="DatasetException">There is no such file, or one cannot be read.</exception>
    public static MMDataset FromAuto(string path, MMSchema? schema = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            return FromAuto(Directory.EnumerateFiles(path).Order(StringComparer.Ordinal), schema, path);
        if (File.Exists(path))
            return FromAuto([path], schema, path);
        if (!GlobPattern.IsGlob(path))
            throw new DatasetException($"Expected a .json, .jsonl or .h5 file, a folder or a glob; '{path}' does not exist.");
        var pattern = GlobPattern.Parse(path);
        var search = new FolderSearch(pattern.MatchesHidden, pattern.IsMatch, pattern.CanMatchWithin, pattern.Positions);
        var files = Directory.Exists(pattern.Folder)
            ? FolderSearch.Items(pattern.Folder, pattern.Prefix, "", search, default)
            .SelectMany(item => item.Images, (_, file) => file.LocalPath!)
            : [];
        return FromAuto(files, schema, path);
    }

    /// <summary>Reads files, in the order of the list.</summary>
    /// <param name="paths">.json, .jsonl and .h5 files; others are passed over.</param>
    /// <param name="schema">
    /// The shape of the items; null to take MIX where the first item with images has <c>images</c>, otherwise MM.
    /// </param>
    /// <exception cref="DatasetException">None of the files is .json, .jsonl or .h5, or one cannot be read.</exception>
    public static MMDataset FromAuto(IEnumerable<string> paths, MMSchema? schema = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return FromAuto(paths, schema, "the list");
    }

    /// <summary>Reads a JSON array of records.</summary>
    /// <param name="path">The file.</param>
    /// <param name="schema">
    /// The shape of the items; null to take MIX where the first item with images has <c>images</c>, otherwise MM.
    /// </param>
    /// <exception cref="DatasetException">The file cannot be read, or a record is neither an object nor null.</exception>
    public static MMDataset FromJson(string path, MMSchema? schema = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = DatasetFile.OpenRead(path);
        var elements = new JsonArrayReader(stream, path);
        var items = ImmutableArray.CreateBuilder<MMItem>();
        while (elements.Next(out var element))
            items.Add(Parse(element.Value, path, element.Line));
        return Make(items.ToImmutable(), schema);
    }

    /// <summary>Reads one record per line; blank lines are passed over.</summary>
    /// <param name="path">The file.</param>
    /// <param name="schema">
    /// The shape of the items; null to take MIX where the first item with images has <c>images</c>, otherwise MM.
    /// </param>
    /// <exception cref="DatasetException">The file cannot be read, or a line is neither an object nor null.</exception>
    public static MMDataset FromJsonl(string path, MMSchema? schema = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = DatasetFile.OpenRead(path);
        var lines = new LineReader(stream, path);
        var items = ImmutableArray.CreateBuilder<MMItem>();
        while (lines.Next(out var line))
            if (!line.Text.Span.Trim(" \t\r"u8).IsEmpty)
                items.Add(Parse(line.Text, path, line.Number));
        return Make(items.ToImmutable(), schema);
    }

    /// <summary>
    /// Reads a part file of PaddleMIX in HDF5 (<c>NAME-part-00000_0000.h5</c>). Not in programs that are compiled ahead of time.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="schema">
    /// The shape of the items; null to take MIX where the first item with images has <c>images</c>, otherwise MM.
    /// </param>
    /// <exception cref="DatasetException">The file cannot be read, or a record is neither an object nor null.</exception>
    public static MMDataset FromH5(string path, MMSchema? schema = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Make([.. MMPartFile.Read(path).Select(part => Parse(part.Record, path, part.Index + 1))], schema);
    }

    /// <summary>Applies a function to every item.</summary>
    /// <param name="function">
    /// Gives the new item; null leaves <see cref="MMItem.Null"/> in its place, which <see cref="Nonempty"/> drops. Called by several
    /// threads.
    /// </param>
    /// <param name="options">Workers, progress, errors; null for the defaults.</param>
    /// <param name="cancellation">Stops the operation.</param>
    /// <returns>As many items, in the same order. An item whose function threw stays as it was and is in <see cref="Failures"/>.</returns>
    /// <exception cref="DatasetException">
    /// The function threw and <see cref="MapOptions.OnError"/> is <see cref="ItemErrors.Throw"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was stopped.</exception>
    public MMDataset Map(Func<MMItem, MMItem?> function, MapOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(function);
        var (results, failures) = Run(item => function(item) ?? MMItem.Null, item => item, options, cancellation);
        return new MMDataset([.. results], Schema, [.. _failures, .. failures]);
    }

    /// <summary>Keeps the items for which a condition holds.</summary>
    /// <param name="condition">Tells whether an item is kept. Called by several threads.</param>
    /// <param name="options">Workers, progress, errors; null for the defaults.</param>
    /// <param name="cancellation">Stops the operation.</param>
    /// <returns>The kept items in the same order. An item whose condition threw is left out and is in <see cref="Failures"/>.</returns>
    /// <exception cref="DatasetException">
    /// The condition threw and <see cref="MapOptions.OnError"/> is <see cref="ItemErrors.Throw"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was stopped.</exception>
    public MMDataset Filter(Func<MMItem, bool> condition, MapOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        var (results, failures) = Run(condition, _ => false, options, cancellation);
        return new MMDataset([.. _items.Where((_, i) => results[i])], Schema, [.. _failures, .. failures]);
    }

    /// <summary>Keeps the items that are valid, see <see cref="MMSchemas.Violation"/>.</summary>
    /// <param name="schema">The schema; null for the dataset's own.</param>
    public MMDataset Sanitize(MMSchema? schema = null) =>
        Derive([.. _items.Where(item => MMSchemas.Violation(item, schema ?? Schema) is null)]);

    /// <summary>Drops <see cref="MMItem.Null"/> and items without fields.</summary>
    public MMDataset Nonempty() => Derive([.. _items.Where(item => !item.IsEmpty)]);

    /// <summary>The items in random order.</summary>
    /// <param name="seed">The same seed gives the same order; null for another one each time.</param>
    public MMDataset Shuffle(int? seed = null)
    {
        var items = _items.ToArray();
        Generator(seed).Shuffle(items);
        return Derive([.. items]);
    }

    /// <summary>Some items, drawn without putting back, in random order.</summary>
    /// <param name="count">How many, 0 to <see cref="Count"/>.</param>
    /// <param name="seed">The same seed gives the same items; null for others each time.</param>
    /// <exception cref="ArgumentOutOfRangeException">The dataset has not that many.</exception>
    public MMDataset Sample(int count, int? seed = null)
    {
        if (count < 0 || count > Count)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"Expected 0 to {Count}, the number of items.");
        return Shuffle(seed)[..count];
    }

    /// <summary>The items in rising order of a key; equal ones keep their order. Text is compared ordinally.</summary>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="key">Gives the key of an item.</param>
    public MMDataset Sort<TKey>(Func<MMItem, TKey> key) => Derive([.. _items.OrderBy(key, Ordinal<TKey>())]);

    /// <summary>The items in falling order of a key; equal ones keep their order. Text is compared ordinally.</summary>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="key">Gives the key of an item.</param>
    public MMDataset SortDescending<TKey>(Func<MMItem, TKey> key) => Derive([.. _items.OrderByDescending(key, Ordinal<TKey>())]);

    /// <summary>The first items.</summary>
    /// <param name="count">How many; all where there are fewer.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public MMDataset Head(int count = 10) => this[..count];

    /// <summary>Counts what is in the dataset.</summary>
    public MMDatasetInfo Info()
    {
        var info = new MMDatasetInfo(Count, Schema);
        foreach (var item in _items)
        {
            var images = item["image"] is null && item["images"] is null or { ValueKind: JsonValueKind.Null } ? 0 : CountImages(item);
            info = info with
            {
                Empty = info.Empty + (item.IsEmpty ? 1 : 0),
                WithoutImage = info.WithoutImage + (images == 0 ? 1 : 0),
                Images = info.Images + images,
                Turns = info.Turns + (item["conversations"] is { ValueKind: JsonValueKind.Array } turns ? turns.GetArrayLength() : 0),
                Invalid = info.Invalid + (MMSchemas.Violation(item, Schema) is null ? 0 : 1),
            };
        }
        return info;
    }

    /// <summary>Converts every item to another schema, see <see cref="MMSchemas.ToMix"/>.</summary>
    /// <param name="schema">The dataset's own schema, or MIX for a dataset of MM items.</param>
    /// <returns>The converted dataset; an item that cannot be converted stays as it was and is in <see cref="Failures"/>.</returns>
    /// <exception cref="NotSupportedException">There is no conversion between the two.</exception>
    public MMDataset ConvertSchema(MMSchema schema)
    {
        if (schema == Schema)
            return this;
        if (Schema != MMSchema.MM || schema != MMSchema.MIX)
            throw new NotSupportedException($"Expected a conversion from MM to MIX; asked for {Schema} to {schema}.");
        var converted = Map(MMSchemas.ToMix, new MapOptions { Workers = 1 });
        return new MMDataset(converted._items, schema, converted._failures);
    }

    /// <summary>
    /// Writes a JSON array with the bytes of Python's <c>json.dump(items, f, indent=4, ensure_ascii=False)</c>; numbers keep their
    /// spelling.
    /// </summary>
    /// <param name="path">The file; it has its name only when it is complete. An existing one is replaced.</param>
    /// <exception cref="DatasetException">The file cannot be written.</exception>
    public void ExportJson(string path) =>
        Export(path, text => new PythonJsonWriter(text, PythonJsonStyle.Indented).Write(_items));

    /// <summary>
    /// Writes one record per line with the bytes of Python's <c>json.dumps(item, separators=(',', ':'))</c>, which escapes all that is not
    /// ASCII; numbers keep their spelling. Lines are separated by LF; as PaddleMIX writes it, none follows the last.
    /// </summary>
    /// <param name="path">The file; it has its name only when it is complete. An existing one is replaced.</param>
    /// <exception cref="DatasetException">The file cannot be written.</exception>
    public void ExportJsonl(string path) =>
        Export(path, text =>
        {
            var writer = new PythonJsonWriter(text, PythonJsonStyle.Compact);
            for (var i = 0; i < _items.Length; i++)
            {
                if (i > 0)
                    text.Write('\n');
                writer.Write(_items[i]);
            }
        });

    /// <summary>
    /// Writes a part file of PaddleMIX in HDF5: the records as <see cref="ExportJsonl"/> has them, without line ends, and where each
    /// begins. Not in programs that are compiled ahead of time.
    /// </summary>
    /// <param name="path">The file; it has its name only when it is complete. An existing one is replaced.</param>
    /// <exception cref="DatasetException">The file cannot be written, or the records have about 2 GiB or more.</exception>
    public void ExportH5(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        MMPartFile.Write(path, _items);
    }

    /// <inheritdoc/>
    public IEnumerator<MMItem> GetEnumerator() => Items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private MMDataset Derive(ImmutableArray<MMItem> items) => new(items, Schema, _failures);

    private static Random Generator(int? seed) => seed is { } value ? new Random(value) : new Random();

    private static IComparer<TKey> Ordinal<TKey>() => StringComparer.Ordinal as IComparer<TKey> ?? Comparer<TKey>.Default;

    private static int CountImages(MMItem item)
    {
        try
        {
            return item.Images.Count;
        }
        catch (FormatException)
        {
            return 0; // counted as invalid
        }
    }

    private static void Export(string path, Action<TextWriter> write)
    {
        using var file = PartialFile.Create(path, null);
        using (var text = new StreamWriter(file.Stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true))
            write(text);
        file.Complete();
    }

    private static MMDataset FromAuto(IEnumerable<string> paths, MMSchema? schema, string source)
    {
        var parts = new List<MMDataset>();
        foreach (var path in paths)
        {
            switch (Path.GetExtension(path))
            {
                case ".json":
                    parts.Add(FromJson(path, schema));
                    break;
                case ".jsonl":
                    parts.Add(FromJsonl(path, schema));
                    break;
                case ".h5":
                    parts.Add(FromH5(path, schema));
                    break;
            }
        }
        if (parts.Count == 0)
            throw new DatasetException($"Expected at least one .json, .jsonl or .h5 file in '{source}'; found none.");
        return Make([.. parts.SelectMany(part => part._items)], schema);
    }

    private static MMDataset Make(ImmutableArray<MMItem> items, MMSchema? schema)
    {
        var typical = items.FirstOrDefault(item => item["images"] is not null || item["image"] is not null);
        return new MMDataset(items, schema ?? (typical?["images"] is null ? MMSchema.MM : MMSchema.MIX), []);
    }

    private static MMItem Parse(ReadOnlyMemory<byte> record, string path, long line)
    {
        try
        {
            return MMItem.Parse(record.Span);
        }
        catch (FormatException e)
        {
            throw new DatasetException(string.Create(CultureInfo.InvariantCulture, $"{path}:{line}: {e.Message}."), e);
        }
    }

    private (T[] Results, IEnumerable<MapFailure> Failures) Run<T>(
        Func<MMItem, T> function, Func<MMItem, T> onError, MapOptions? options, CancellationToken cancellation)
    {
        options ??= new MapOptions();
        if (options.Workers < 1)
            throw new ArgumentOutOfRangeException(nameof(options), options.Workers, "Expected at least 1 worker.");
        var results = new T[Count];
        var errors = new Exception?[Count];
        var progress = new ProgressTicker(options.Progress, Count);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Workers, CancellationToken = cancellation };
        Parallel.For(0, Count, parallel, (i, loop) =>
        {
            try
            {
                results[i] = function(_items[i]);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                throw;
            }
            // Whatever an item's function throws is that item's failure, recorded or rethrown below; the others go on.
            catch (Exception e)
            {
                errors[i] = e;
                results[i] = onError(_items[i]);
                if (options.OnError == ItemErrors.Throw)
                    loop.Stop();
            }
            progress.Tick(errors[i] != null);
        });
        progress.End();
        var failures = Enumerable.Range(0, Count).Where(i => errors[i] != null).Select(i => new MapFailure(i, _items[i], errors[i]!))
            .ToList();
        if (options.OnError == ItemErrors.Throw && failures is [var first, ..])
            throw new DatasetException($"Item {first.Index} (id '{first.Item.Id}') failed: {first.Error.Message}", first.Error);
        return (results, failures);
    }

    /// <summary>Reports at most ten times a second, one thread at a time, with rising counts.</summary>
    private sealed class ProgressTicker(IProgress<MapProgress>? progress, int total)
    {
        private const int IntervalMilliseconds = 100;

        private readonly Lock _gate = new();
        private int _done;
        private int _failed;
        private long _last = Environment.TickCount64;

        public void Tick(bool hasFailed)
        {
            if (progress is null)
                return;
            lock (_gate)
            {
                _done++;
                _failed += hasFailed ? 1 : 0;
                if (Environment.TickCount64 - _last < IntervalMilliseconds)
                    return;
                _last = Environment.TickCount64;
                progress.Report(new MapProgress(_done, total, _failed));
            }
        }

        public void End() => progress?.Report(new MapProgress(_done, total, _failed));
    }
}

/// <summary>What is in an <see cref="MMDataset"/>.</summary>
/// <param name="Count">Items.</param>
/// <param name="Schema">The dataset's schema.</param>
public sealed record MMDatasetInfo(int Count, MMSchema Schema)
{
    /// <summary>Items without fields.</summary>
    public int Empty { get; init; }

    /// <summary>Items without an image.</summary>
    public int WithoutImage { get; init; }

    /// <summary>Images of all items.</summary>
    public int Images { get; init; }

    /// <summary>Turns of all conversations.</summary>
    public int Turns { get; init; }

    /// <summary>Items that are not valid under the schema.</summary>
    public int Invalid { get; init; }
}
