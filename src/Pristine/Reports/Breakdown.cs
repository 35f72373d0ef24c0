using System.Globalization;
using System.Text;
using Pristine.Media;
using Pristine.Native;

namespace Pristine.Reports;

/// <summary>Some of the items of a table.</summary>
internal sealed class ItemGroup
{
    private readonly ThresholdCounts[] _counts;

    public ItemGroup(string label, IReadOnlyList<ThresholdScale?> scales)
    {
        Label = label;
        _counts = [.. scales.Select(scale => new ThresholdCounts(scale?.Positions.Length ?? 0))];
    }

    /// <summary>What the items have in common; empty where they have no such property.</summary>
    public string Label { get; }

    public long Items { get; private set; }

    /// <summary>Items without an image, which every selection keeps unless it is told otherwise.</summary>
    public long WithoutImage { get; private set; }

    /// <summary>For each metric.</summary>
    public IReadOnlyList<ThresholdCounts> Counts => _counts;

    public void Add(bool withoutImage, ReadOnlySpan<ThresholdPlace?> places)
    {
        Items++;
        if (withoutImage)
            WithoutImage++;
        for (var i = 0; i < places.Length; i++)
            if (places[i] is { } place)
                _counts[i].Add(place);
    }
}

/// <summary>A way to divide the items, for example by format.</summary>
/// <param name="Name">What divides them.</param>
/// <param name="Groups">The largest groups, and the rest as one where there are more.</param>
/// <param name="Others">How many groups the last one stands for; 0 when all are listed.</param>
internal sealed record Grouping(string Name, IReadOnlyList<ItemGroup> Groups, long Others);

/// <summary>
/// Items of which the page knows where each stands on the scale of every metric, so that it can count what several rules together keep: all
/// items of a small table, of a larger one some, spread evenly over it and the same in every run.
/// </summary>
internal sealed class JointSample
{
    /// <summary>The most items: two numbers of two bytes for each and each metric.</summary>
    private const int Most = 5000;

    /// <summary>Stands for an item without a value.</summary>
    public const ushort None = ushort.MaxValue;

    private const long Modulus = 1L << 32;
    private readonly long _limit;
    private readonly List<(long Item, bool WithoutImage, ThresholdPlace?[] Places)> _items = [];

    public JointSample(long items)
    {
        IsWhole = items <= Most;
        _limit = IsWhole ? Modulus : (long)((double)Most / items * Modulus);
    }

    /// <summary>Whether these are all items of the table.</summary>
    public bool IsWhole { get; }

    public int Items => _items.Count;

    /// <summary>One byte per item: 1 for one without an image, which a selection keeps.</summary>
    public byte[] WithoutImage => [.. _items.Select(item => (byte)(item.WithoutImage ? 1 : 0))];

    /// <summary>For each metric the places of <see cref="ThresholdPlace.AtMost"/>.</summary>
    public IReadOnlyList<ushort[]> AtMost => Slots(place => place.AtMost);

    /// <summary>For each metric the places of <see cref="ThresholdPlace.AtLeast"/>.</summary>
    public IReadOnlyList<ushort[]> AtLeast => Slots(place => place.AtLeast);

    /// <summary>Takes an item, or passes over it.</summary>
    public void Add(long item, bool withoutImage, ThresholdPlace?[] places)
    {
        // As the sample of images: multiples of the golden ratio modulo 1.
        if ((item % int.MaxValue * 2654435769) % Modulus < _limit)
            _items.Add((item, withoutImage, [.. places]));
    }

    /// <summary>Brings the items into the order of the dataset, whatever the order of the pass.</summary>
    public void Complete() => _items.Sort((left, right) => left.Item.CompareTo(right.Item));

    private ushort[][] Slots(Func<ThresholdPlace, int> slot) => _items.Count == 0
        ? []
        : [.. Enumerable.Range(0, _items[0].Places.Length)
        .Select(metric => _items.Select(item => item.Places[metric] is { } place ? (ushort)slot(place) : None).ToArray())];
}

/// <summary>
/// Counts, in one pass over the table, how many items pass each threshold of each metric: all of them, and by source, folder, format and
/// size. An item is judged as the default of a selection does: it is as good as its worst image, and one without a value is dropped.
/// </summary>
internal sealed class Breakdown
{
    /// <summary>Groups of a grouping that are listed by themselves.</summary>
    private const int LargestGroups = 14;

    private readonly TableReading _reading;
    private readonly IReadOnlyList<ThresholdScale?> _scales;

    private Breakdown(TableReading reading, IReadOnlyList<ThresholdScale?> scales)
    {
        (_reading, _scales) = (reading, scales);
        All = new ItemGroup("", scales);
    }

    /// <summary>Whether items have several images.</summary>
    public bool HasSeveralImages => _reading.HasSeveralImages;

    /// <summary>All items.</summary>
    public ItemGroup All { get; }

    /// <summary>Items for counts of several rules together.</summary>
    public JointSample Joint { get; private set; } = new(0);

    /// <summary>The groupings that divide the items at all.</summary>
    public IReadOnlyList<Grouping> Groupings { get; private set; } = [];

    /// <summary>Counts.</summary>
    /// <param name="reading">The table.</param>
    /// <param name="scales">One per metric; null for a metric that no image has.</param>
    /// <param name="cancellation">Ends the pass.</param>
    public static Breakdown Of(TableReading reading, IReadOnlyList<ThresholdScale?> scales, CancellationToken cancellation)
    {
        var breakdown = new Breakdown(reading, scales);
        breakdown.CreateItems();
        breakdown.Count(cancellation);
        return breakdown;
    }

    /// <summary>The view <c>items</c>: one row per item, with the smallest and largest value of each metric over its images.</summary>
    private void CreateItems()
    {
        // As a selection has it: what the header of a broken image says passes no rule.
        var isBroken = $"status IN ('{ImageStatus.Unreadable.Name()}', '{ImageStatus.Truncated.Name()}')";
        var names = _reading.Metrics.Select(metric => $"CASE WHEN NOT {isBroken} THEN {DuckDbConnection.Identifier(metric.Name)} END")
            .ToArray();
        const string withoutImage = "status = 'no_image'";
        if (!_reading.HasSeveralImages)
        {
            var values = names.Select((name, i) => $"{name} AS low{i}");
            _reading.Database.Execute(
                $"CREATE VIEW items AS SELECT item_index, {withoutImage} AS without_image, folder, format, least(width, height) AS " +
                $"short_side, {string.Join(", ", values)} FROM images");
            return;
        }
        // An item with an image that has no value has none itself: that image would be dropped, and the item with it.
        var extremes = names.Select(
            (name, i) =>
                $"CASE WHEN count({name}) = count(*) THEN min({name}) END AS low{i}, CASE WHEN count({name}) = count(*) THEN max({name}) " +
                $"END AS high{i}");
        _reading.Database.Execute(
            $"""
            CREATE VIEW items AS SELECT item_index, bool_and({withoutImage}) AS without_image, arg_min(folder, image_index) AS folder, arg_min(format, image_index) AS format,
              arg_min(least(width, height), image_index) AS short_side, {string.Join(", ", extremes)} FROM images GROUP BY item_index
            """);
    }

    private void Count(CancellationToken cancellation)
    {
        var groupings = Expressions().Select((pair, i) => Create(pair.Name, pair.Sql, i)).ToArray();
        var positions = _scales.Select((scale, i) => scale == null ? [] : ThresholdCounts.Compared(scale, _reading.Metrics[i].IsFloat))
            .ToArray();
        var stride = _reading.HasSeveralImages ? 2 : 1;
        var values = Enumerable.Range(0, positions.Length).Select(i => _reading.HasSeveralImages ? $"low{i}, high{i}" : $"low{i}");
        var labels = groupings.Select((_, i) => $"coalesce(grouping{i}.id, {LargestGroups})");
        var joins = groupings.Select((grouping, i) => $"LEFT JOIN grouping{i} ON grouping{i}.label = {grouping.Sql}");
        Joint = new JointSample(_reading.Database.QueryInt64("SELECT count(*) FROM items") ?? 0);
        using var reader = _reading.Database.Query(
            $"SELECT without_image, item_index, {string.Join(", ", labels.Concat(values))} FROM items {string.Join(' ', joins)}");
        var places = new ThresholdPlace?[positions.Length];
        const int checkEvery = 1 << 16;
        for (var row = 0L; reader.Read(); row++)
        {
            if (row % checkEvery == 0)
                cancellation.ThrowIfCancellationRequested();
            for (int i = 0, column = 2 + groupings.Length; i < places.Length; i++, column += stride)
                places[i] = reader.IsNull(column)
                    ? null
                    : ThresholdPlace.Of(positions[i], reader.Double(column), reader.Double(column + stride - 1));
            var withoutImage = reader.Boolean(0);
            All.Add(withoutImage, places);
            for (var i = 0; i < groupings.Length; i++)
                groupings[i].Groups[(int)reader.Int64(2 + i)].Add(withoutImage, places);
            Joint.Add(reader.Int64(1), withoutImage, places);
        }
        Joint.Complete();
        Groupings = [.. groupings.Select(grouping => grouping.Finish()).Where(grouping => grouping.Groups.Count > 1)];
    }

    private IEnumerable<(string Name, string Sql)> Expressions()
    {
        var (first, last) = ("", "");
        using (var reader = _reading.Database.Query(
            "SELECT coalesce(min(folder), ''), coalesce(max(folder), '') FROM items WHERE NOT without_image"))
            if (reader.Read())
                (first, last) = (reader.Text(0)!, reader.Text(1)!);
        // Below the folder that all have in common, the first level tells the sources of a collection apart.
        var start = 1 + SharedFolder(first, last).EnumerateRunes().Count();
        const string folder = "coalesce(folder, '')";
        var source = string.Create(CultureInfo.InvariantCulture, $"split_part(substr({folder}, {start}), '/', 1)");
        var sources = _reading.Database.QueryInt64($"SELECT count(DISTINCT {source}) FROM items WHERE NOT without_image");
        var folders = _reading.Database.QueryInt64($"SELECT count(DISTINCT {folder}) FROM items WHERE NOT without_image");
        if (sources < folders)
            yield return ("source", source);
        yield return ("folder", folder);
        yield return ("format", "coalesce(format, '')");
        yield return ("short side",
            """
            CASE WHEN short_side IS NULL THEN '' WHEN short_side < 256 THEN 'below 256 px' WHEN short_side < 512 THEN '256 to 511 px'
              WHEN short_side < 1024 THEN '512 to 1023 px' WHEN short_side < 2048 THEN '1024 to 2047 px' ELSE '2048 px and more' END
            """);
    }

    /// <summary>The folder, with its slash, in which both paths lie, and so every path between them in their order.</summary>
    internal static string SharedFolder(string first, string last)
    {
        var shared = new StringBuilder();
        foreach (var (left, right) in first.Zip(last))
        {
            if (left != right)
                break;
            shared.Append(left);
        }
        return shared.ToString(0, shared.ToString().LastIndexOf('/') + 1);
    }

    private PendingGrouping Create(string name, string sql, int index)
    {
        _reading.Database.Execute(
            $"""
            CREATE TEMP TABLE grouping{index} AS
            SELECT CAST(row_number() OVER (ORDER BY n DESC, label) - 1 AS INTEGER) AS id, label FROM (
              SELECT {sql} AS label, count(*) AS n FROM items GROUP BY label ORDER BY n DESC, label LIMIT {LargestGroups})
            """);
        var groups = new List<ItemGroup>();
        using (var reader = _reading.Database.Query($"SELECT label FROM grouping{index} ORDER BY id"))
            while (reader.Read())
                groups.Add(new ItemGroup(reader.Text(0)!, _scales));
        var distinct = _reading.Database.QueryInt64($"SELECT count(DISTINCT {sql}) FROM items") ?? 0;
        while (groups.Count <= LargestGroups)
            groups.Add(new ItemGroup("", _scales));
        return new PendingGrouping(name, sql, [.. groups], Math.Max(0, distinct - LargestGroups));
    }

    /// <summary>A grouping that is being counted: the largest groups, and in the last place the rest.</summary>
    private sealed record PendingGrouping(string Name, string Sql, ItemGroup[] Groups, long Others)
    {
        public Grouping Finish() => new(Name, [.. Groups.Where(group => group.Items > 0)], Others);
    }
}
