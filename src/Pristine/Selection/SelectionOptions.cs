using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>How the images of one item count together.</summary>
public enum ImagePolicy
{
    /// <summary>Every image must pass: the item is as good as its worst image.</summary>
    Worst,

    /// <summary>The mean of each number over the images that have it must pass.</summary>
    Mean,

    /// <summary>One image that passes every rule is enough.</summary>
    Best,

    /// <summary>
    /// For each rule one image that passes it is enough, for another rule another image: data-juicer's <c>any_or_all: any</c>.
    /// </summary>
    Any,
}

/// <summary>The best items to keep: a number of them, or a share.</summary>
/// <param name="Amount">How many, or how many percent.</param>
/// <param name="IsPercent">True for a share; of a share that is no whole number of items, one more is kept.</param>
public sealed record TopShare(decimal Amount, bool IsPercent)
{
    /// <summary>Reads <c>1000</c> or <c>80%</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="RuleException">It is neither, or a share above 100 %.</exception>
    public static TopShare Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var isPercent = text.EndsWith('%');
        return decimal.TryParse(isPercent ? text[..^1] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
            && amount >= 0 && (isPercent ? amount <= 100 : amount == decimal.Floor(amount))
            ? new TopShare(amount, isPercent)
            : throw new RuleException($"Expected a number of items such as 1000, or a share from 0% to 100%; found '{text}'.{Hint(text)}");
    }

    /// <summary>A share below 1 was meant as a percentage.</summary>
    private static string Hint(string text) =>
        decimal.TryParse(text.Replace(',', '.'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share)
        && share is > 0 and < 1
            ? string.Create(CultureInfo.InvariantCulture, $" Write {100 * share:0.####}%.")
            : "";

    /// <inheritdoc/>
    public override string ToString() => Amount.ToString(CultureInfo.InvariantCulture) + (IsPercent ? "%" : "");
}

/// <summary>A range of percentiles; both ends are kept.</summary>
/// <param name="Low">Lower percentile, 0 to 100.</param>
/// <param name="High">Upper percentile, not below the lower.</param>
public sealed record PercentileRange(decimal Low, decimal High)
{
    /// <summary>Reads <c>p5..p95</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="RuleException">It is no such range.</exception>
    public static PercentileRange Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ends = text.Split("..");
        if (ends.Length == 2 && TryParse(ends[0], out var low) && TryParse(ends[1], out var high) && low <= high && high <= 100)
            return new PercentileRange(low, high);
        throw new RuleException($"Expected percentiles such as p5..p95, from p0 to p100, the smaller first; found '{text}'.{Hint(text)}");
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"p{Low}..p{High}");

    /// <summary>Other ways to write a range, put right.</summary>
    private static string Hint(string text)
    {
        var numbers = text.Split(["..", "-", ",", " "], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Trim('p', 'P', '%')).ToArray();
        return numbers.Length == 2
            && numbers.All(number => decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _))
            ? $" Write p{numbers[0]}..p{numbers[1]}."
            : "";
    }

    private static bool TryParse(string text, out decimal percentile)
    {
        percentile = 0;
        return text.StartsWith('p')
            && decimal.TryParse(text[1..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out percentile);
    }
}

/// <summary>
/// What to keep of a table. The steps follow one another, each sees what the ones before have left: keep rules, drop rules,
/// <see cref="Dedup"/>, <see cref="Between"/>, <see cref="Top"/>, <see cref="Limit"/>.
/// </summary>
public sealed partial record SelectionOptions
{
    private static readonly SelectionJson Json = new(new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters =
        {
            new JsonStringEnumConverter<ImagePolicy>(JsonNamingPolicy.SnakeCaseLower),
            new JsonStringEnumConverter<DuplicateKind>(JsonNamingPolicy.SnakeCaseLower),
        },
    });

    /// <summary>A selection that keeps everything.</summary>
    public SelectionOptions()
    {
    }

    /// <summary>For JSON: a generated reader sets every other property, to null or 0 where the JSON leaves it out.</summary>
    [JsonConstructor]
    internal SelectionOptions(bool keepItemsWithoutImage = true) => KeepItemsWithoutImage = keepItemsWithoutImage;

    /// <summary>The metrics that rules may name: those of this library, and the user's own.</summary>
    [JsonIgnore]
    public Metrics.MetricSet Known { get; init; } = Pristine.Metrics.MetricSet.BuiltIn;

    /// <summary>Rules that a kept image fulfils, all of them.</summary>
    public IReadOnlyList<string> Keep { get; init => field = value ?? []; } = [];

    /// <summary>
    /// Rules that no kept image fulfils; where such a rule is unknown because a score is missing, the image is dropped too.
    /// </summary>
    public IReadOnlyList<string> Drop { get; init => field = value ?? []; } = [];

    /// <summary>
    /// Issues that no kept image has, after the rules of <see cref="Drop"/>; see <see cref="Issue"/>. A selection turns them into rules of
    /// its table and remembers those.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<Issue> DropIssues { get; init => field = value ?? []; } = [];

    /// <summary>Thresholds of <see cref="DropIssues"/> by name, where they are not the default ones.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string,
    double> IssueThresholds
    { get; init => field = value ?? new Dictionary<string, double>(); } = new Dictionary<string, double>();

    /// <summary>
    /// A weighted sum or other expression, such as <c>0.8*arniqa_quality + 0.2*brisque_quality</c>: rules and <see cref="By"/> can name it
    /// as the column <c>score</c>, in which larger is better.
    /// </summary>
    public string? Score { get; init; }

    /// <summary>
    /// Keeps one of several items that are duplicates of each other, image by image; null keeps all. Items without an image have none.
    /// </summary>
    public DuplicateMethod? Dedup { get; init; }

    /// <summary>
    /// The column that says which of several duplicates is kept: the best one by it, of equals the first in the dataset; null for the
    /// first. Which end is best, the metric says; else the largest is.
    /// </summary>
    public string? KeepBest { get; init; }

    /// <summary>Keeps only the best by <see cref="By"/>; of equals the first in the dataset.</summary>
    public TopShare? Top { get; init; }

    /// <summary>
    /// Keeps only what lies between two percentiles of <see cref="By"/>, both ends included; percentiles are exact and interpolated.
    /// </summary>
    public PercentileRange? Between { get; init; }

    /// <summary>
    /// The column of <see cref="Top"/> and <see cref="Between"/>. Which end is best, the metric says; else the largest is.
    /// </summary>
    public string? By { get; init; }

    /// <summary>
    /// A column or <c>item.FIELD</c>: <see cref="Dedup"/>, <see cref="Top"/> and <see cref="Between"/> hold within each of its values.
    /// </summary>
    public string? Per { get; init; }

    /// <summary>Keeps at most this many items, the first in the dataset.</summary>
    public long? Limit { get; init; }

    /// <summary>
    /// A column of numbers that pages of items are ordered by, where nothing is selected by another; see <see cref="ItemPage"/>.
    /// </summary>
    [JsonIgnore]
    internal string? Order { get; init; }

    /// <summary>
    /// A file of single decisions (<see cref="Selection.Overrides"/>), which have the last word about their items; null for none.
    /// </summary>
    public string? Overrides { get; init; }

    /// <summary>How the images of one item count together; by default the worst decides.</summary>
    public ImagePolicy Images { get; init; } = ImagePolicy.Worst;

    /// <summary>Whether items without an image are kept; by default they are, and no step but <see cref="Limit"/> counts them.</summary>
    public bool KeepItemsWithoutImage { get; init; } = true;

    /// <summary>True when nothing is asked for.</summary>
    [JsonIgnore]
    public bool IsEmpty =>
        Keep.Count == 0 && Drop.Count == 0 && DropIssues.Count == 0 && Dedup == null && Top == null && Between == null && Limit == null
        && Overrides == null;

    /// <summary>Reads the rules, once for all that asks what they need.</summary>
    /// <exception cref="RuleException">One of them cannot be understood, or the steps do not go together.</exception>
    public ParsedSelection Parse()
    {
        var columns = RuleColumns.Any(Known);
        // Rules of issues have their numbers from a table; what they need is known before.
        var needed = DropIssues.Count == 0 ? null
            : ParsedSelection.Of(WithIssueRules(DropIssues.Where(issue => !issue.ComparesImages).Select(issue => issue.AnyRule)), columns);
        return ParsedSelection.Of(this, columns, needed);
    }

    /// <summary>The issues that are dropped.</summary>
    internal IssueOptions Issues => new() { Issues = DropIssues, Thresholds = IssueThresholds };

    /// <summary>The same with the issues as rules of a table, and as <see cref="Dedup"/> where they compare images.</summary>
    internal SelectionOptions WithIssueRules(ScoreTable table) => DropIssues.Count == 0 ? this : WithIssueRules(
        IssueRules.Of(table, Issues).Select(issue => issue.Rule)
            .OfType<string>());

    private SelectionOptions WithIssueRules(IEnumerable<string> rules)
    {
        // Near duplicates hold the exact ones.
        var methods = DropIssues.Select(issue => IssueRules.MethodOf(issue, Issues.ThresholdOf(issue))).OfType<DuplicateMethod>();
        return this with { Drop = [.. Drop, .. rules], DropIssues = [], Dedup = Dedup ?? methods.MaxBy(method => method.Kind) };
    }

    internal string ToJson() => JsonSerializer.Serialize(this, Json.SelectionOptions);

    internal static SelectionOptions FromJson(string json) =>
        JsonSerializer.Deserialize(json, Json.SelectionOptions) ?? throw new JsonException("Expected a selection; found null.");

    [JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(SelectionOptions))]
    private sealed partial class SelectionJson : JsonSerializerContext;
}
