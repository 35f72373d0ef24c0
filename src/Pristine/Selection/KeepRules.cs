using System.Globalization;
using Pristine.Imaging;
using Pristine.Metrics;
using Pristine.Scoring;

namespace Pristine.Selection;

/// <summary>How the images of one item count together.</summary>
public enum ImagePolicy
{
    /// <summary>Every image must pass: the item is as good as its worst image.</summary>
    Worst,

    /// <summary>The mean of each number over the images that have it must pass.</summary>
    Mean,

    /// <summary>One image that passes is enough.</summary>
    Best,
}

/// <summary>What to keep.</summary>
public sealed record SelectionOptions
{
    /// <summary>How the images of one item count together; by default the worst decides.</summary>
    public ImagePolicy Images { get; init; } = ImagePolicy.Worst;

    /// <summary>Whether items without an image are kept; by default they are.</summary>
    public bool KeepItemsWithoutImage { get; init; } = true;
}

/// <summary>What was decided about one item, and why: one line of the ledger.</summary>
public sealed record Decision
{
    /// <summary>True when the item is kept.</summary>
    public required bool Kept { get; init; }

    /// <summary>One sentence that a person understands, for example <c>brisque 63.21 fails brisque &lt;= 40</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>The row that decided; null for an item without an image.</summary>
    public ScoreRow? Row { get; init; }

    /// <summary>The rule that dropped the item, as the user wrote it; null when it was kept or when no rule was reached.</summary>
    public string? Rule { get; init; }

    /// <summary>The comparison within the rule that decided, for example <c>brisque &lt;= 40</c>; null where <see cref="Rule"/> is.</summary>
    public string? Comparison { get; init; }

    /// <summary>The column of the deciding comparison.</summary>
    public string? Column { get; init; }

    /// <summary>The value of that column; null when it is missing or not a number.</summary>
    public double? Value { get; init; }

    /// <summary>What it was compared with; of a range, the end that was passed.</summary>
    public double? Threshold { get; init; }

    /// <summary>Value minus threshold: how far the image was from passing.</summary>
    public double? Margin => Value - Threshold;

    /// <summary>The status of the deciding image; <c>no_image</c> for an item without one.</summary>
    public ImageStatus Status { get; init; }
}

/// <summary>Several rules that must all hold. It sees scores only, never pixels.</summary>
public sealed class KeepRules
{
    private readonly SelectionOptions _options;

    /// <summary>Makes a selection from rules.</summary>
    /// <param name="rules">The rules, in the order in which they are tried; at least one.</param>
    /// <param name="options">Items with several images or with none.</param>
    /// <exception cref="ArgumentException">There is no rule.</exception>
    public KeepRules(IReadOnlyList<Rule> rules, SelectionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(rules);
        if (rules.Count == 0)
            throw new ArgumentException("Expected at least one rule; found none.", nameof(rules));
        Rules = rules;
        _options = options ?? new SelectionOptions();
        Metrics = [.. rules.SelectMany(rule => rule.Columns).Select(ScoreColumns.MetricOf).OfType<Metric>().DistinctBy(metric => metric.Name)];
        Columns = new ScoreColumns(Metrics);
    }

    /// <summary>Reads the rules; see <see cref="Rule.Parse"/>.</summary>
    /// <param name="rules">SQL boolean expressions, which must all hold.</param>
    /// <exception cref="RuleException">A text is not a rule.</exception>
    public static KeepRules Parse(params IEnumerable<string> rules) => new([.. rules.Select(Rule.Parse)]);

    /// <summary>The rules.</summary>
    public IReadOnlyList<Rule> Rules { get; }

    /// <summary>The metrics that the rules need; pass them to the scoring run.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>The columns of rows that were scored with <see cref="Metrics"/>.</summary>
    public ScoreColumns Columns { get; }

    /// <summary>Decides about one item.</summary>
    /// <param name="item">The item, scored with exactly <see cref="Metrics"/>.</param>
    public Decision Decide(ScoredItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var rows = item.Rows;
        if (item.Item.Error != null)
            return new Decision { Kept = false, Reason = item.Item.Error, Status = ImageStatus.Unreadable };
        if (rows[0].Status == ImageStatus.NoImage)
        {
            var kept = _options.KeepItemsWithoutImage;
            return new Decision { Kept = kept, Reason = kept ? "kept: no image to judge" : "no image", Status = ImageStatus.NoImage };
        }
        if (_options.Images == ImagePolicy.Mean && rows.Count > 1)
            return Decide(Mean(rows));
        Decision? dropped = null;
        foreach (var row in rows)
        {
            var decision = Decide(row);
            if (decision.Kept == (_options.Images == ImagePolicy.Best))
                return decision;
            dropped ??= decision;
        }
        return dropped!;
    }

    private Decision Decide(ScoreRow row)
    {
        foreach (var rule in Rules)
        {
            var result = rule.Evaluate(row, Columns);
            if (result == true)
                continue;
            var verdict = rule.Explain(row, Columns);
            return new Decision
            {
                Kept = false,
                Reason = result == null ? Missing(row, verdict) : Failed(verdict),
                Row = row,
                Rule = rule.Text,
                Comparison = verdict.Comparison,
                Column = verdict.Column,
                Value = verdict.Value,
                Threshold = verdict.Threshold,
                Status = row.Status,
            };
        }
        return new Decision { Kept = true, Reason = "passes every rule", Row = row, Status = row.Status };
    }

    private static string Missing(ScoreRow row, Verdict verdict) =>
        $"missing score{(verdict.Column == null ? "" : $" {verdict.Column}")}: {row.Status.Name()}{(row.Error == null ? "" : $", {row.Error}")}";

    private static string Failed(Verdict verdict) => verdict is { Column: { } column, Value: { } value }
        ? string.Create(CultureInfo.InvariantCulture, $"{column} {value:0.####} fails {verdict.Comparison}")
        : $"fails {verdict.Comparison}";

    private static int MeanOf(ScoreRow[] rows, Func<ImageHeader, int> side) => (int)Math.Round(rows.Average(row => side(row.Header!.Value)));

    /// <summary>One row that stands for all images of an item: the mean of each number over the images that have it (whole pixels for sizes).</summary>
    private static ScoreRow Mean(IReadOnlyList<ScoreRow> rows)
    {
        var scored = rows.Where(row => !row.Failed).ToArray();
        if (scored.Length == 0)
            return rows[0];
        var means = new double[rows[0].Scores.Length];
        for (var i = 0; i < means.Length; i++)
        {
            var known = scored.Select(row => row.Scores.Span[i]).Where(score => !double.IsNaN(score)).ToArray();
            means[i] = known.Length == 0 ? double.NaN : known.Average();
        }
        var first = scored[0];
        return new ScoreRow
        {
            Key = first.Key,
            Id = first.Id,
            Image = first.Image,
            Status = first.Status,
            Error = first.Error,
            Header = new ImageHeader(
                MeanOf(scored, header => header.Width), MeanOf(scored, header => header.Height), first.Header!.Value.Format,
                (long)Math.Round(scored.Average(row => (double)row.Header!.Value.Bytes))),
            ContentHash = first.ContentHash,
            Scores = means,
        };
    }
}
