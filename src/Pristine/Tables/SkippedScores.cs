using System.Collections;
using Pristine.Native;

namespace Pristine.Tables;

/// <summary>
/// Which scores of an image were not computed, and why: the reason by the metric's name, for example <c>brisque 71.2 fails brisque &lt;=
/// 60</c> by <c>resnet50@biq2021</c>. Equal when names, reasons and their order are. No reason has a semicolon.
/// </summary>
public sealed class SkippedScores : IReadOnlyList<KeyValuePair<string, string>>, IEquatable<SkippedScores>
{
    /// <summary>The column's name.</summary>
    internal const string Column = "skipped";

    private const string Separator = "; ";
    private const string Colon = ": ";
    private readonly KeyValuePair<string, string>[] _reasons;

    private SkippedScores(KeyValuePair<string, string>[] reasons) => _reasons = reasons;

    /// <inheritdoc/>
    public int Count => _reasons.Length;

    /// <inheritdoc/>
    public KeyValuePair<string, string> this[int index] => _reasons[index];

    /// <summary>The names of the metrics.</summary>
    public IEnumerable<string> Metrics => _reasons.Select(reason => reason.Key);

    /// <summary>Some metrics that are skipped for one reason; null for none.</summary>
    internal static SkippedScores? Of(IEnumerable<string> metrics, string reason)
    {
        reason = reason.Replace(';', ',');
        return OrNull([.. metrics.Select(metric => KeyValuePair.Create(metric, reason))]);
    }

    /// <summary>These, and those of another row that name a metric for which <paramref name="isCarried"/> is true; null for none.</summary>
    internal static SkippedScores? With(SkippedScores? some, SkippedScores? others, Func<string, bool> isCarried) =>
        OrNull([.. some?._reasons ?? [], .. (others?._reasons ?? [])
        .Where(reason => isCarried(reason.Key) && some?.Metrics.Contains(reason.Key) != true)]);

    /// <summary>Reads what <see cref="ToString"/> writes; null for null.</summary>
    internal static SkippedScores? Parse(string? text) => text == null ? null : OrNull([.. text.Split(Separator).Select(part =>
    {
        var colon = part.IndexOf(Colon, StringComparison.Ordinal);
        return colon < 0 ? KeyValuePair.Create("", part) : KeyValuePair.Create(part[..colon], part[(colon + Colon.Length)..]);
    })]);

    /// <summary>SQL of the text of a map; NULL for NULL.</summary>
    internal static string TextSql(string map) =>
        $"array_to_string(list_transform(map_entries({map}), lambda e: e.key || '{Colon}' || e.value), '{Separator}')";

    /// <summary>SQL of the map of a text; NULL for NULL.</summary>
    internal static string MapSql(string text)
    {
        const string colon = $"strpos(p, '{Colon}')";
        return
            $"CASE WHEN {text} IS NOT NULL THEN map_from_entries(list_transform(string_split({text}, '{Separator}'), " +
            $"lambda p: {{'k': left(p, {colon} - 1), 'v': substr(p, {colon} + {Colon.Length})}})) END";
    }

    /// <summary>SQL of the reason why a metric was skipped; NULL where it was not.</summary>
    /// <param name="map">SQL of the map.</param>
    /// <param name="metric">The metric's name.</param>
    internal static string ReasonSql(string map, string metric) =>
        $"list_extract(map_extract({map}, {DuckDbConnection.Literal(metric)}), 1)";

    /// <inheritdoc/>
    public bool Equals(SkippedScores? other) => other != null && _reasons.SequenceEqual(other._reasons);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SkippedScores);

    /// <inheritdoc/>
    public override int GetHashCode() => _reasons.Aggregate(0, HashCode.Combine);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() =>
        ((IEnumerable<KeyValuePair<string, string>>)_reasons).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => _reasons.GetEnumerator();

    /// <summary>As one text: <c>METRIC: REASON; METRIC: REASON</c>.</summary>
    public override string ToString() => string.Join(Separator, _reasons.Select(reason => $"{reason.Key}{Colon}{reason.Value}"));

    private static SkippedScores? OrNull(KeyValuePair<string, string>[] reasons) => reasons.Length == 0 ? null : new SkippedScores(reasons);
}
