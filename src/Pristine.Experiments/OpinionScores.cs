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
/// <param name="Original">What the image is a copy of, where it is one: copies of one original stay together in cross-validation.</param>
public readonly record struct OpinionScore(string Image, double Value, string? Original = null);

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
        ["dis_img_path", "dist_img", "dist_name", "image_name", "image name", "img_name", "image", "img", "name", "file_name", "filename",
        "file", "path", "image_path"];

    /// <summary>Far beyond any scale; the squares and sums of larger numbers would leave the range of a double.</summary>
    private const double Largest = 1e100;

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
    /// <exception cref="DatasetException">
    /// The file cannot be read or has another layout; file, line, expected and found are named.
    /// </exception>
    public static OpinionScores Read(string file, OpinionOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        options ??= new OpinionOptions();
        string text;
        try
        {
            var bytes = File.ReadAllBytes(file);
            if (Binary(bytes) is { } kind)
                throw new DatasetException(
                    $"Expected a text file with a column of images and one of opinion scores; '{file}' is {kind}. Save it as CSV, or " +
                    $"take the dataset's file from github.com/icbcbicc/IQA-Dataset.");
            text = Encoding.UTF8.GetString(bytes).TrimStart('\uFEFF');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot read '{file}': {e.Message}", e);
        }
        var table = ReadTable(file, text, options);
        var scores = new List<OpinionScore>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (line, fields) in table.Rows)
        {
            if (fields.Count <= Math.Max(table.Image, table.Score))
                throw new DatasetException(
                    $"{file}:{line}: expected at least {Math.Max(table.Image, table.Score) + 1} fields; found {fields.Count}.");
            var (image, number) = (fields[table.Image].Replace('\\', '/'), fields[table.Score]);
            if (image.Length == 0)
                throw new DatasetException($"{file}:{line}: expected the name of an image; found an empty field.");
            if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
                throw new DatasetException($"{file}:{line}: expected a number as the opinion score of '{image}'; found '{number}'.");
            if (Math.Abs(value) > Largest)
                throw new DatasetException($"{file}:{line}: expected an opinion score from {-Largest:G} to {Largest:G}; found '{number}'.");
            if (!seen.TryAdd(image, line))
                throw new DatasetException($"{file}:{line}: expected every image once; '{image}' stands in line {seen[image]} already.");
            scores.Add(new OpinionScore(image, value));
        }
        if (scores.Count == 0)
            throw new DatasetException($"Expected a line per image in '{file}'; found only a header.");
        var known = Recognise(table.Columns, scores);
        var direction = options.Direction ?? known?.Direction
            ?? (table.ScoreColumn.Contains("dmos", StringComparison.OrdinalIgnoreCase)
            ? OpinionDirection.LowerIsBetter
            : OpinionDirection.HigherIsBetter);
        return new OpinionScores(file, known?.Name, direction, scores);
    }

    private sealed record Table(IReadOnlyList<LabelRow> Rows, int Image, int Score, IReadOnlyList<string> Columns)
    {
        public string ScoreColumn => Columns.Count > 0 ? Columns[Score] : "";
    }

    private static Table ReadTable(string file, string text, OpinionOptions options)
    {
        var lines = text.Split('\n');
        var first = Array.Find(lines, line => !string.IsNullOrWhiteSpace(line))
            ?? throw new DatasetException($"Expected a line per image in '{file}'; found an empty file.");
        if (ScoreThenName().IsMatch(first.TrimEnd('\r')))
        {
            var rows = lines.Select((line, i) => new LabelRow(i + 1, line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
            return new([.. rows.Where(row => row.Fields.Count > 0)], 1, 0, []);
        }
        var table = LabelTable.Read(file, text);
        var image = table.Require(options.ImageColumn is { } named ? [named] : ImageColumns, "an image");
        var score = table.Require(options.ScoreColumn is { } asked ? [asked] : ScoreColumns, "an opinion score");
        return new(table.Rows, image, score, table.Columns);
    }

    /// <summary>The known dataset that all of the images, or the header, belong to.</summary>
    private static KnownDataset? Recognise(IReadOnlyList<string> columns, List<OpinionScore> scores) => Known.FirstOrDefault(known =>
        (known.Counts.Length == 0 || known.Counts.Contains(scores.Count))
        && (known.Column == null || columns.Contains(known.Column, StringComparer.OrdinalIgnoreCase))
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
