using System.Globalization;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Hashes;
using Pristine.Native;

namespace Pristine.Tables;

// CA1720: the names are those of SQL's types.
#pragma warning disable CA1720
/// <summary>What a column holds, named as in SQL.</summary>
public enum ColumnType
{
    /// <summary>32-bit floats: scores and qualities.</summary>
    Float,

    /// <summary>64-bit floats: what is computed from the header exactly.</summary>
    Double,

    /// <summary>Whole numbers of 32 bits.</summary>
    Integer,

    /// <summary>Whole numbers of 64 bits.</summary>
    BigInt,

    /// <summary>Text.</summary>
    Varchar,

    /// <summary>A time in UTC; text to rules, JSON lines and CSV.</summary>
    Timestamp,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>Texts by names; to rules one text, <c>NAME: TEXT; NAME: TEXT</c>.</summary>
    Map,

    /// <summary>A list of 32-bit floats, all of one length: a feature. Rules cannot compare it.</summary>
    Floats,
}
#pragma warning restore CA1720

/// <summary>What has to be known before a column has its value.</summary>
public enum ColumnSource
{
    /// <summary>The item.</summary>
    Item,

    /// <summary>The text of the item's record.</summary>
    ItemText,

    /// <summary>The headers of the item's sounds and films, which are read while it is scored.</summary>
    ItemMedia,

    /// <summary>What the dataset says of an image: its name and positions.</summary>
    Place,

    /// <summary>The image's file; scores too. Known while the image is scored.</summary>
    File,

    /// <summary>What became of the image when everything was computed; a rule on it cannot be judged while the image is scored.</summary>
    Outcome,
}

/// <summary>How a column is put together where the images of an item count as one row (<c>--images mean</c>).</summary>
public enum ColumnMean
{
    /// <summary>That of the first image that could be read.</summary>
    First,

    /// <summary>The mean over the images that have a value.</summary>
    Mean,

    /// <summary>The mean in whole numbers.</summary>
    RoundedMean,

    /// <summary>The smallest: positions, which are those of the first image.</summary>
    Smallest,
}

/// <summary>
/// One column of score tables, JSON lines and CSV, and what rules, reports and documentation need to know of it. Nothing else in the
/// program lists columns or their properties; a new column of every row is one entry in <see cref="TableSchema.Row"/>.
/// </summary>
/// <param name="Name">The name, as in files and rules.</param>
/// <param name="Type">What it holds.</param>
public sealed record Column(string Name, ColumnType Type)
{
    /// <summary>What is added to a metric's name for its quality in [0,1].</summary>
    public const string QualitySuffix = "_quality";

    /// <summary>What it holds, in a few words; empty for scores, which docs/metrics.md describes.</summary>
    public string Summary { get; init; } = "";

    /// <summary>Unit of its numbers; may be empty.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Which end is good.</summary>
    public MetricDirection Direction { get; init; }

    /// <summary>Smallest and largest number it can hold.</summary>
    public MetricRange Range { get; init; } = new(double.NegativeInfinity, double.PositiveInfinity);

    /// <summary>What has to be known before it has its value.</summary>
    public ColumnSource Source { get; init; } = ColumnSource.File;

    /// <summary>How it is put together for an item with several images.</summary>
    public ColumnMean Mean { get; init; }

    /// <summary>The metric whose score or quality it is; null for a column that every row has.</summary>
    public string? Metric { get; init; }

    /// <summary>Null for a column of tables; otherwise the SQL by which rules get it from other columns.</summary>
    internal string? Derivation { get; init; }

    /// <summary>True for what is known only when images are compared with one another: rules ask for it, files do not have it.</summary>
    internal bool ComparesImages { get; init; }

    /// <summary>How a row gives its number, of a timestamp its microseconds since 1970; NaN where it is missing.</summary>
    internal Func<ScoreRow, double>? NumberOf { get; init; }

    /// <summary>How a row gives its text; null where it is missing.</summary>
    internal Func<ScoreRow, string?>? TextOf { get; init; }

    /// <summary>How a row gives its texts by names; null where it is missing.</summary>
    internal Func<ScoreRow, SkippedScores?>? MapOf { get; init; }

    /// <summary>How a row gives its vector; null where it is missing.</summary>
    internal Func<ScoreRow, float[]?>? VectorOf { get; init; }

    /// <summary>How it is put into a row that is read from a table; null for scores, which a table reads by their metrics.</summary>
    internal Action<ScoreRowDraft, DuckDbReader, int>? Restore { get; init; }

    /// <summary>
    /// True for scores and qualities, which are compared with constants in 32 bits, so that <c>brisque_quality &gt;= 0.6</c> includes 0.6.
    /// </summary>
    public bool IsFloat => Type == ColumnType.Float;

    /// <summary>True for numbers, false for text, times, maps and truth values.</summary>
    public bool IsNumber => Type is ColumnType.Float or ColumnType.Double or ColumnType.Integer or ColumnType.BigInt;

    /// <summary>True for features and hashes: a row that is read from a table does not hold them, they stay in the file.</summary>
    internal bool StaysInFile => Type == ColumnType.Floats || (Type == ColumnType.Varchar && Metric != null);

    /// <summary>
    /// True for what the item tells without its images: rules on it judge every item, also one without an image.
    /// </summary>
    public bool IsOfRecord => Source is ColumnSource.Item or ColumnSource.ItemText or ColumnSource.ItemMedia;

    /// <summary>The number in a row; NaN when it is missing.</summary>
    /// <param name="row">The row.</param>
    /// <exception cref="InvalidOperationException">The column holds no numbers, or is known in tables only.</exception>
    public double Number(ScoreRow row) => IsNumber && NumberOf != null ? NumberOf(row) : throw Mismatch("numbers");

    /// <summary>The text in a row, of a time and a map as rules see them; null when it is missing.</summary>
    /// <param name="row">The row.</param>
    /// <exception cref="InvalidOperationException">The column holds no text, or is known in tables only.</exception>
    public string? Text(ScoreRow row) => Type switch
    {
        ColumnType.Varchar when TextOf != null => TextOf(row),
        ColumnType.Timestamp when NumberOf != null => TimeText(NumberOf(row)),
        ColumnType.Map when MapOf != null => MapOf(row)?.ToString(),
        ColumnType.Floats when VectorOf != null => VectorOf(row) is { } vector
            ? $"[{string.Join(", ", vector.Select(number => number.ToString("R", CultureInfo.InvariantCulture)))}]"
            : null,
        _ => throw Mismatch("text"),
    };

    /// <summary>The type in SQL.</summary>
    internal string SqlType => Type switch
    {
        ColumnType.Map => "MAP(VARCHAR, VARCHAR)",
        ColumnType.Floats => "FLOAT[]",
        _ => Type.ToString().ToUpperInvariant(),
    };

    /// <summary>The type in which rows are handed to DuckDB: maps and vectors as text.</summary>
    internal string StagingType => Type is ColumnType.Map or ColumnType.Floats ? "VARCHAR" : SqlType;

    /// <summary>The name as an SQL identifier.</summary>
    internal string Identifier => DuckDbConnection.Identifier(Name);

    /// <summary>SQL of the column as rules see it: a time and a map as text.</summary>
    internal string RuleSql => Type switch
    {
        ColumnType.Timestamp => $"CAST({Identifier} AS VARCHAR)",
        ColumnType.Map => SkippedScores.TextSql(Identifier),
        _ => Identifier,
    };

    /// <summary>SQL of the column in the one row that stands for all images of an item.</summary>
    /// <param name="isRead">SQL of whether an image could be read.</param>
    internal string MeanSql(string isRead) => Mean switch
    {
        ColumnMean.First => $"arg_min({Identifier}, CASE WHEN {isRead} THEN image_index ELSE image_index + 1000000000 END)",
        ColumnMean.Smallest => $"min({Identifier})",
        ColumnMean.RoundedMean => $"CAST(round(avg({Identifier})) AS BIGINT)",
        _ => IsFloat ? $"CAST(avg({Identifier}) AS FLOAT)" : $"avg({Identifier})",
    };

    /// <summary>Appends the value of a row to a table whose column has the <see cref="StagingType"/>.</summary>
    internal void Append(DuckDbAppender appender, ScoreRow row)
    {
        switch (Type)
        {
            case ColumnType.Float:
                appender.AppendFloat(Number(row));
                break;
            case ColumnType.Double:
                appender.AppendDouble(Number(row));
                break;
            case ColumnType.Integer or ColumnType.BigInt:
                appender.Append(Whole(Number(row)));
                break;
            case ColumnType.Timestamp:
                appender.AppendTimestamp(Whole(NumberOf!(row)));
                break;
            default:
                appender.Append(Text(row));
                break;
        }
    }

    /// <summary>The columns of a metric: its score and, where it has one, its quality.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="index">Its position among the scores of a row.</param>
    internal static IEnumerable<Column> Of(Metric metric, int index)
    {
        if (metric is HashColumn)
        {
            yield return OfHash(metric.Name) with
            {
                TextOf = row => PerceptualHash.Of(row.Vectors?[index]) is { } hash ? PerceptualHash.Text(hash) : null,
            };
            yield break;
        }
        if (metric is FeatureColumn)
        {
            yield return OfFeature(metric.Name) with { VectorOf = row => row.Vectors?[index] };
            yield break;
        }
        var score = OfScore(metric.Name, metric.Input != ImageInput.Header, metric.Unit, metric.Direction, metric.Range);
        yield return score with { NumberOf = row => row.Scores.Span[index], Source = SourceOf((metric as ItemMetric)?.Scope) };
        if (metric.HasQuality)
            yield return OfQuality(metric.Name + QualitySuffix, metric.Name) with
            {
                NumberOf = row => (float)metric.Quality(row.Scores.Span[index]),
            };
    }

    /// <summary>The columns of a metric in a table, whether or not this program has the metric.</summary>
    internal static IEnumerable<Column> Of(ColumnProvenance metric)
    {
        if (metric.Length != null)
        {
            yield return OfFeature(metric.Metric);
            yield break;
        }
        if (metric.Bits != null)
        {
            yield return OfHash(metric.Metric);
            yield break;
        }
        var range = new MetricRange(metric.Low ?? double.NegativeInfinity, metric.High ?? double.PositiveInfinity);
        yield return OfScore(metric.Metric, metric.IsFloat, metric.Unit, metric.Direction, range) with { Source = SourceOf(metric.Scope) };
        if (metric.QualityColumn is { } quality)
            yield return OfQuality(quality, metric.Metric);
    }

    private static Column OfScore(string metric, bool isFloat, string unit, MetricDirection direction, MetricRange range) =>
        new(metric, isFloat ? ColumnType.Float : ColumnType.Double)
        {
            Unit = unit,
            Direction = direction,
            Range = range,
            Mean = ColumnMean.Mean,
            Metric = metric
        };

    /// <summary>What a score comes from: the text of the item's record, its sound or film, or the image's file.</summary>
    private static ColumnSource SourceOf(string? scope) => scope switch
    {
        null => ColumnSource.File,
        "text" => ColumnSource.ItemText,
        _ => ColumnSource.ItemMedia,
    };

    private static Column OfHash(string name) => new(name, ColumnType.Varchar) { Metric = name };

    private static Column OfFeature(string name) => new(name, ColumnType.Floats) { Metric = name };

    private static Column OfQuality(string name, string metric) => new(name, ColumnType.Float)
    {
        Direction = MetricDirection.HigherIsBetter,
        Range = new MetricRange(0, 1),
        Mean = ColumnMean.Mean,
        Metric = metric,
    };

    private static long? Whole(double number) => double.IsNaN(number) ? null : (long)number;

    /// <summary>As DuckDB writes a timestamp as text: the fraction without trailing zeros.</summary>
    private static string? TimeText(double microseconds) => double.IsNaN(microseconds)
        ? null
        : DateTime.UnixEpoch.AddTicks((long)microseconds * TimeSpan.TicksPerMicrosecond)
        .ToString("yyyy-MM-dd HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture);

    private InvalidOperationException Mismatch(string expected) =>
        new($"Expected {expected} that a row has in the column '{Name}'; its type is " +
        $"{SqlType}{(NumberOf == null && TextOf == null && MapOf == null && VectorOf == null ? ", and only a table has it" : "")}.");
}
