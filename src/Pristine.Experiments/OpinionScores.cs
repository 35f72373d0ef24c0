using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Pristine.Datasets;
using Pristine.Tables;

namespace Pristine.Experiments;

/// <summary>Which end of an opinion scale is good.</summary>
public enum OpinionDirection
{
    /// <summary>Mean opinion scores (MOS): larger is better.</summary>
    HigherIsBetter,

    /// <summary>Differential mean opinion scores (DMOS), the distance from a perfect reference: smaller is better.</summary>
    LowerIsBetter,
}

/// <summary>What people said of one image.</summary>
/// <param name="Image">The image as the label file names it.</param>
/// <param name="Value">The mean opinion, in the file's own unit.</param>
public readonly record struct OpinionScore(string Image, double Value);

/// <summary>How to read a label file whose layout is not recognised, or not to be trusted.</summary>
public sealed record OpinionOptions
{
    /// <summary>The column with the image; null to find it by its name.</summary>
    public string? ImageColumn { get; init; }

    /// <summary>The column with the opinion; null to find it by its name.</summary>
    public string? ScoreColumn { get; init; }

    /// <summary>The good end of the scale; null to follow the dataset or the column's name.</summary>
    public OpinionDirection? Direction { get; init; }
}

/// <summary>
/// The opinion scores of an image quality dataset. Reads CSV with a header (separated by commas, semicolons or tabs), and lines of a score
/// and a name as in TID2013. Known datasets are recognised by how they name their images and columns, in their own label files and in the
/// collection github.com/icbcbicc/IQA-Dataset (<c>dis_img_path, dis_type, ref_img_path, score</c>).
/// </summary>
public sealed partial class OpinionScores
{
    // The columns that public label files use, the most telling first: koniq10k has MOS beside MOS_zscore, IQA-Dataset a reference image.
    internal static readonly string[] ImageColumns =
        ["dis_img_path", "dist_img", "dist_name", "image_name", "image name", "img_name", "image", "img", "name", "file_name", "filename", "file", "path", "image_path"];

    private static readonly string[] ScoreColumns = ["mos", "dmos", "score", "mean_opinion_score", "opinion"];

    /// <param name="Name">The dataset.</param>
    /// <param name="Direction">The good end of its scale.</param>
    /// <param name="Image">What the path of every image matches.</param>
    /// <param name="Column">A column that no other dataset has.</param>
    /// <param name="Counts">How many images the file has, where paths alone (plain numbers) could be anyone's.</param>
    private sealed record KnownDataset(string Name, OpinionDirection Direction, Regex Image, string? Column = null, params int[] Counts);

    private static readonly KnownDataset[] Known =
    [
        // LIVE and CSIQ publish differences from the reference. KADID-10k's column is called dmos, but 5 is best in it.
        new("LIVE", OpinionDirection.LowerIsBetter, LivePaths()),
        new("CSIQ", OpinionDirection.LowerIsBetter, CsiqPaths()),
        // Not otherwise supported, but the collection calls their DMOS a score like any other.
        new("LIVE_MD", OpinionDirection.LowerIsBetter, LiveMdPaths()),
        new("MDID2013", OpinionDirection.LowerIsBetter, MdidPaths()),
        new("A57", OpinionDirection.LowerIsBetter, A57Paths()),
        new("TID2013", OpinionDirection.HigherIsBetter, TidPaths()),
        // TID2008 names its images alike.
        new("TID2013", OpinionDirection.HigherIsBetter, TidNames(), null, 3000),
        new("KADID-10k", OpinionDirection.HigherIsBetter, KadidPaths()),
        new("KonIQ-10k", OpinionDirection.HigherIsBetter, KoniqPaths()),
        new("KonIQ-10k", OpinionDirection.HigherIsBetter, AnyPath(), "mos_zscore"),
        new("BIQ2021", OpinionDirection.HigherIsBetter, BiqPaths()),
        new("FLIVE", OpinionDirection.HigherIsBetter, FlivePaths()),
        new("CLIVE", OpinionDirection.HigherIsBetter, ClivePaths()),
        new("CLIVE", OpinionDirection.HigherIsBetter, CliveNumbers(), null, 1162, 1169),
        new("SPAQ", OpinionDirection.HigherIsBetter, SpaqPaths()),
        new("SPAQ", OpinionDirection.HigherIsBetter, SpaqNumbers(), null, 11125),
    ];

    internal OpinionScores(string source, string? dataset, OpinionDirection direction, IReadOnlyList<OpinionScore> scores) =>
        (Source, Dataset, Direction, Scores) = (source, dataset, direction, scores);

    /// <summary>The label file.</summary>
    public string Source { get; }

    /// <summary>The recognised dataset, for example <c>KonIQ-10k</c>; null for another.</summary>
    public string? Dataset { get; }

    /// <summary>The good end of the scale.</summary>
    public OpinionDirection Direction { get; }

    /// <summary>The scores in the file's order; at least one.</summary>
    public IReadOnlyList<OpinionScore> Scores { get; }

    /// <summary>Reads a label file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="options">Columns and direction where the file does not tell; null to recognise everything.</param>
    /// <exception cref="DatasetException">The file cannot be read or has another layout; file, line, expected and found are named.</exception>
    public static OpinionScores Read(string file, OpinionOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        options ??= new OpinionOptions();
        string[] lines;
        try
        {
            var bytes = File.ReadAllBytes(file);
            if (Binary(bytes) is { } kind)
                throw new DatasetException(
                    $"Expected a text file with a column of images and one of opinion scores; '{file}' is {kind}. Save it as CSV, or take the dataset's file from github.com/icbcbicc/IQA-Dataset.");
            lines = Encoding.UTF8.GetString(bytes).TrimStart('\uFEFF').Split('\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot read '{file}': {e.Message}", e);
        }
        var first = Array.FindIndex(lines, line => !string.IsNullOrWhiteSpace(line));
        if (first < 0)
            throw new DatasetException($"Expected a line per image in '{file}'; found an empty file.");
        var header = lines[first].TrimEnd('\r');
        var table = ScoreThenName().IsMatch(header) ? new Table(' ', 1, 0, "", first) : Header(file, header, first, options);
        var scores = new List<OpinionScore>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = table.FirstLine; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd('\r');
            if (string.IsNullOrWhiteSpace(line))
                continue;
            var fields = table.Separator == ' ' ? line.Split(' ', StringSplitOptions.RemoveEmptyEntries) : DelimitedLine.Fields(line, table.Separator);
            if (fields.Length <= Math.Max(table.Image, table.Score))
                throw new DatasetException($"{file}:{i + 1}: expected at least {Math.Max(table.Image, table.Score) + 1} fields; found {fields.Length}.");
            var (image, text) = (fields[table.Image].Replace('\\', '/'), fields[table.Score]);
            if (image.Length == 0)
                throw new DatasetException($"{file}:{i + 1}: expected the name of an image; found an empty field.");
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
                throw new DatasetException($"{file}:{i + 1}: expected a number as the opinion score of '{image}'; found '{text}'.");
            if (!seen.TryAdd(image, i + 1))
                throw new DatasetException($"{file}:{i + 1}: expected every image once; '{image}' stands in line {seen[image]} already.");
            scores.Add(new OpinionScore(image, value));
        }
        if (scores.Count == 0)
            throw new DatasetException($"Expected a line per image in '{file}'; found only a header.");
        var known = Recognise(header, scores);
        var direction = options.Direction ?? known?.Direction
            ?? (table.ScoreColumn.Contains("dmos", StringComparison.OrdinalIgnoreCase) ? OpinionDirection.LowerIsBetter : OpinionDirection.HigherIsBetter);
        return new OpinionScores(file, known?.Name, direction, scores);
    }

    private sealed record Table(char Separator, int Image, int Score, string ScoreColumn, int FirstLine);

    private static Table Header(string file, string header, int line, OpinionOptions options)
    {
        var separator = DelimitedLine.SeparatorOf(header);
        var columns = DelimitedLine.Fields(header, separator).Select(column => column.Trim()).ToArray();
        var image = Find(options.ImageColumn, ImageColumns, "an image");
        var score = Find(options.ScoreColumn, ScoreColumns, "an opinion score");
        return new Table(separator, image, score, columns[score], line + 1);

        int Find(string? asked, string[] names, string what)
        {
            foreach (var name in asked == null ? names : [asked])
                if (Array.FindIndex(columns, column => column.Equals(name, StringComparison.OrdinalIgnoreCase)) is >= 0 and var found)
                    return found;
            throw new DatasetException(
                $"{file}:{line + 1}: expected a column with {what}, called {string.Join(", ", asked == null ? names : [asked])}; found the columns {string.Join(", ", columns)}.");
        }
    }

    /// <summary>The known dataset that all of the images, or the header, belong to.</summary>
    private static KnownDataset? Recognise(string header, List<OpinionScore> scores) => Known.FirstOrDefault(known =>
        (known.Counts.Length == 0 || known.Counts.Contains(scores.Count))
        && (known.Column == null || header.Split(',', ';', '\t').Any(column => column.Trim().Equals(known.Column, StringComparison.OrdinalIgnoreCase)))
        && scores.All(score => known.Image.IsMatch(score.Image)));

    private static string? Binary(ReadOnlySpan<byte> file) =>
        file.StartsWith("MATLAB"u8) ? "a MATLAB file"
        : file.StartsWith("PK\u0003\u0004"u8) ? "an Excel workbook or a ZIP archive"
        : file.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0]) ? "an old Excel workbook"
        : file.Contains((byte)0) ? "binary"
        : null;

    [GeneratedRegex(@"^\s*[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?\s+\S+\s*$")]
    private static partial Regex ScoreThenName();

    [GeneratedRegex(@"(?:^|/)(?:jp2k|jpeg|wn|gblur|fastfading)/img[0-9]+\.[a-z]+$", RegexOptions.IgnoreCase)]
    private static partial Regex LivePaths();

    [GeneratedRegex(@"\.(?:AWGN|BLUR|contrast|fnoise|JPEG|jpeg2000)\.[1-5]\.[a-z]+$", RegexOptions.IgnoreCase)]
    private static partial Regex CsiqPaths();

    [GeneratedRegex("^LIVE_MD/")]
    private static partial Regex LiveMdPaths();

    [GeneratedRegex("^MDID2013/")]
    private static partial Regex MdidPaths();

    [GeneratedRegex("^A57/")]
    private static partial Regex A57Paths();

    [GeneratedRegex("^TID2013/")]
    private static partial Regex TidPaths();

    [GeneratedRegex(@"^i[0-9]{2}_[0-9]{2}_[1-5]\.[a-z]+$", RegexOptions.IgnoreCase)]
    private static partial Regex TidNames();

    [GeneratedRegex(@"(?:^|/)I[0-9]{2}_[0-9]{2}_0[1-5]\.[a-z]+$", RegexOptions.IgnoreCase)]
    private static partial Regex KadidPaths();

    [GeneratedRegex(@"^KonIQ-10k/", RegexOptions.IgnoreCase)]
    private static partial Regex KoniqPaths();

    [GeneratedRegex("")]
    private static partial Regex AnyPath();

    [GeneratedRegex(@"(?:^|/)ss[0-9]{2} \([0-9]+\)\.jpg$", RegexOptions.IgnoreCase)]
    private static partial Regex BiqPaths();

    [GeneratedRegex(@"(?:^|/)(?:voc_emotic_ava|EE371R|blur_dataset)/|^FLIVE/")]
    private static partial Regex FlivePaths();

    [GeneratedRegex("^LIVE_Challenge/")]
    private static partial Regex ClivePaths();

    [GeneratedRegex(@"^t?[0-9]{1,4}\.[a-z]+$", RegexOptions.IgnoreCase)]
    private static partial Regex CliveNumbers();

    [GeneratedRegex("^SPAQ/")]
    private static partial Regex SpaqPaths();

    [GeneratedRegex(@"^[0-9]{5}\.jpg$")]
    private static partial Regex SpaqNumbers();
}
