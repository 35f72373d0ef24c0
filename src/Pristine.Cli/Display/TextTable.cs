using System.Text;

namespace Pristine.Cli.Display;

/// <summary>Aligned columns for a person. Where the line is too short, the widest columns wrap between words.</summary>
internal static class TextTable
{
    private const int LeastColumn = 8;
    private const string Gap = "  ";

    /// <summary>Writes rows below headings.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="headings">One per column; empty for none.</param>
    /// <param name="rows">As many cells each.</param>
    /// <param name="width">The longest line.</param>
    public static void Write(TextWriter writer, IReadOnlyList<string> headings, IReadOnlyList<string[]> rows, int width)
    {
        if (rows.Count == 0)
            return;
        var all = headings.Count == 0 ? rows : [[.. headings], .. rows];
        var widths = Widths(all, width);
        foreach (var row in headings.Count == 0 ? all : [all[0], [.. widths.Select(column => new string('-', column))], .. rows])
            WriteRow(writer, row, widths);
    }

    private static int[] Widths(IReadOnlyList<string[]> rows, int width)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var room = width - Gap.Length * (widths.Length - 1);
        // The first column holds names, which are copied and therefore never broken.
        while (widths.Sum() > room && Enumerable.Range(1, Math.Max(0, widths.Length - 1)).MaxBy(column => widths[column]) is > 0
            and var widest && widths[widest] > LeastColumn)
            widths[widest]--;
        return widths;
    }

    private static void WriteRow(TextWriter writer, string[] row, int[] widths)
    {
        var cells = row.Select((cell, column) => column == 0 ? [cell] : Wrapped(cell, widths[column])).ToArray();
        for (var line = 0; line < cells.Max(cell => cell.Count); line++)
            writer.WriteLine(
                string.Join(Gap, cells.Select((cell, column) => (line < cell.Count ? cell[line] : "").PadRight(widths[column]))).TrimEnd());
    }

    /// <summary>The lines of a text; a word that is too long for one is broken.</summary>
    private static List<string> Wrapped(string text, int width)
    {
        var lines = new List<string>();
        var line = new StringBuilder();
        foreach (var word in text.Split(' ')
            .SelectMany(word => word.Length <= width ? [word] : word.Chunk(width).Select(part => new string(part))))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                lines.Add(line.ToString());
                line.Clear();
            }
            line.Append(line.Length > 0 ? " " : "").Append(word);
        }
        lines.Add(line.ToString());
        return lines;
    }
}
