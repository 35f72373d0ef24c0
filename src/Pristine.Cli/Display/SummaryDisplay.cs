using System.Globalization;
using Pristine.Media;
using Pristine.Tables;

namespace Pristine.Cli.Display;

/// <summary>Tells on stderr what a run that made a score table found: where the scores lie, what failed, and what to do next.</summary>
internal static class SummaryDisplay
{
    /// <summary>Writes the summary.</summary>
    /// <param name="summary">The table's numbers.</param>
    /// <param name="folder">The table, as the user names it.</param>
    /// <param name="unit">What rows are.</param>
    public static void Write(TableSummary summary, string folder, string unit)
    {
        var writer = Console.Error;
        var rows = summary.Metrics.Select(metric => new[] { metric.Metric, metric.Count.ToString(
            "N0", CultureInfo.InvariantCulture), Number(metric.Low), Number(metric.Median), Number(metric.High) }).ToArray();
        if (rows.Length > 0)
        {
            string[] headings = ["metric", unit, "p5", "median", "p95"];
            var widths = Enumerable.Range(0, headings.Length).Select(column => rows.Append(headings).Max(row => row[column].Length))
                .ToArray();
            foreach (var row in rows.Prepend(headings))
                writer.WriteLine("  " + string.Join(
                    "  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))));
        }
        var failed = summary.Statuses.Where(status => status.Key is not (ImageStatus.Ok or ImageStatus.NoImage or ImageStatus.Skipped))
            .ToArray();
        if (failed.Length > 0)
            writer.WriteLine(
                $"  not ok: " +
                $"{string.Join(", ", failed.Select(status => string.Create(CultureInfo.InvariantCulture, $"{status.Value:N0} {status.Key.Name()}")))}");
        var table = PlainText.ShellWord(folder);
        writer.WriteLine($"Next: pristine check {table}");
        writer.WriteLine($"      pristine report {table} --out report.html");
    }

    /// <summary>Four digits, as a person reads them.</summary>
    private static string Number(double value) =>
        double.IsNaN(value)
        ? "-" : Math.Abs(value) >= 1000
        ? value.ToString("N0", CultureInfo.InvariantCulture)
        : value.ToString("G4", CultureInfo.InvariantCulture);
}
