using Pristine.Media;
using Pristine.Metrics;
using Pristine.Native;

namespace Pristine.Tables;

/// <summary>
/// The text of the column <c>skipped</c>: <c>METRIC: REASON</c> for each score that was not computed, separated by a semicolon and a space.
/// No reason has a semicolon, so that the text can be taken apart again.
/// </summary>
internal static class SkippedScores
{
    /// <summary>The column's name.</summary>
    public const string Column = "skipped";

    private const string Separator = "; ";

    /// <summary>The text for some metrics; null for none.</summary>
    public static string? Text(IEnumerable<string> metrics, string reason)
    {
        reason = reason.Replace(';', ',');
        var text = string.Join(Separator, metrics.Select(metric => $"{metric}: {reason}"));
        return text.Length == 0 ? null : text;
    }

    /// <summary>The names of the metrics that a text says were skipped.</summary>
    public static IEnumerable<string> Metrics(string? text) =>
        text == null ? [] : text.Split(Separator).Select(part => part[..Math.Max(0, part.IndexOf(": ", StringComparison.Ordinal))]);

    /// <summary>SQL of the reason why a metric was skipped; NULL where it was not.</summary>
    /// <param name="column">SQL of the text.</param>
    /// <param name="metric">The metric's name.</param>
    public static string ReasonSql(string column, string metric)
    {
        var pattern = $"(?:^|{Separator}){System.Text.RegularExpressions.Regex.Escape(metric)}: ([^;]*)";
        return $"nullif(regexp_extract({column}, {DuckDbConnection.Literal(pattern)}, 1), '')";
    }
}
