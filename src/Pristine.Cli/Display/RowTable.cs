using System.Globalization;
using System.Text;
using Pristine.Cli.Options;
using Pristine.Media;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Cli.Display;

/// <summary>
/// Rows as aligned columns for a person. Rows appear as they are scored, so widths are fixed beforehand: the names of images get what the
/// other columns leave of the line. Why an image has no score stands in a line of its own.
/// </summary>
internal sealed class RowTable
{
    private const int LeastImage = 16;
    private const int MostImage = 60;
    private const int StatusWidth = 10;
    private const int SizeWidth = 11;
    private const int LeastScore = 8;
    private const int HashWidth = 16;
    private readonly Column[] _scores;
    private readonly int _imageWidth;
    private bool _started;

    public RowTable(TableSchema columns)
    {
        _scores = [.. columns.Where(column => column.Metric != null && (column.IsNumber || column.Type == ColumnType.Varchar))];
        var others = 2 + StatusWidth + SizeWidth + _scores.Sum(column => 1 + Width(column));
        _imageWidth = Math.Clamp(TerminalWidth.Of(Console.IsOutputRedirected, plain: 80) - others, LeastImage, MostImage);
    }

    public void Write(ScoreRow row)
    {
        if (!_started)
            Console.Out.WriteLine(Line("image", "status", "size", [.. _scores.Select(column => column.Name)]));
        _started = true;
        var size = row.Header is { } header ? $"{header.Width}x{header.Height}" : "";
        Console.Out.WriteLine(Line(row.Image ?? row.Id, row.Status.Name(), size, [
            .. _scores.Select(column => column.IsNumber ? Number(column.Number(row)) : column.Text(row) ?? "-")]));
        if ((row.Error ?? (row.Skipped == null ? null : $"skipped {row.Skipped}")) is { } reason)
            Console.Out.WriteLine($"  {PlainText.Clean(reason)}");
    }

    private string Line(string image, string status, string size, string[] scores)
    {
        var line = new StringBuilder().Append(Fit(image)).Append(' ').Append(status.PadRight(StatusWidth)).Append(' ')
            .Append(size.PadLeft(SizeWidth));
        for (var i = 0; i < scores.Length; i++)
            line.Append(' ').Append(scores[i].PadLeft(Width(_scores[i])));
        return line.ToString().TrimEnd();
    }

    private static int Width(Column column) => Math.Max(column.IsNumber ? LeastScore : HashWidth, column.Name.Length);

    private static string Number(double value) =>
        double.IsNaN(value) ? "-" : value.ToString(Math.Abs(value) >= 1000 ? "0" : "0.###", CultureInfo.InvariantCulture);

    /// <summary>The end of a long path says more than its beginning.</summary>
    private string Fit(string text)
    {
        var clean = PlainText.Clean(text);
        return clean.Length <= _imageWidth ? clean.PadRight(_imageWidth) : $"\u2026{clean[^(_imageWidth - 1)..]}";
    }
}
