using System.Globalization;
using Pristine.Metrics;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>How the rule of an issue is made.</summary>
internal enum IssueKind
{
    /// <summary>From its text and threshold alone.</summary>
    Rule,

    /// <summary>From the sizes of all images of a table: see <see cref="IssueRules"/>.</summary>
    Sizes,

    /// <summary>There is no rule: images with the same bytes as an earlier one, as <c>--dedup exact</c> finds them.</summary>
    Copies,

    /// <summary>The same for perceptual hashes, as <c>--dedup near</c> finds them.</summary>
    NearCopies,
}

/// <summary>Which images an issue can judge.</summary>
/// <param name="Rule">Holds for them.</param>
/// <param name="Others">What the others are, as in "3 images below the area of 128 x 128 pixels".</param>
internal sealed record IssueScope(string Rule, string Others);

/// <summary>
/// Something that is often wrong with images, as a rule with a name: <c>dark</c> is <c>luma_p95 &lt; 0.2</c>. The rule holds for the images
/// that have the issue. All issues stand in <see cref="All"/>, with why the threshold is what it is and what was measured with it.
/// </summary>
public sealed record Issue
{
    /// <summary>The prefix of issues that follow cleanvision's formulas and thresholds.</summary>
    public const string Cleanvision = "cleanvision_";

    private const string NotMeasured = "A fact of the file: nothing to calibrate.";
    private const string CleanvisionsOwn = "cleanvision's own; for comparison with its results.";

    private Issue(string name) => Name = name;

    /// <summary>The name: letters, digits and underscores.</summary>
    public string Name { get; }

    /// <summary>What is wrong, in a few words.</summary>
    public required string Summary { get; init; }

    /// <summary>Why the threshold is what it is.</summary>
    public required string Reason { get; init; }

    /// <summary>What was measured with the default threshold.</summary>
    public required string Calibration { get; init; }

    /// <summary>The default threshold; null for an issue without one.</summary>
    public double? Threshold { get; init; }

    /// <summary>Whether <c>pristine check</c> looks for it when no issues are named.</summary>
    public bool IsDefault { get; private init; } = true;

    /// <summary>The column, or expression of columns, that tells the worst image; null where images are as bad as one another.</summary>
    internal string? By { get; private init; }

    /// <summary>Whether the largest <see cref="By"/> is the worst.</summary>
    internal bool IsLargestWorst { get; private init; }

    internal IssueKind Kind { get; private init; }

    /// <summary>Whether it is one of an item's text, with or without an image.</summary>
    public bool IsOfText { get; private init; }

    /// <summary>Whether it compares images with one another, so that no rule can say it.</summary>
    internal bool ComparesImages => Kind is IssueKind.Copies or IssueKind.NearCopies;

    /// <summary>The rule, with {0} for the threshold; of <see cref="IssueKind.Sizes"/> {0} and {1} for the ends.</summary>
    internal string Template { get; private init; } = "";

    /// <summary>What it can judge; null where that is every image with a score.</summary>
    internal IssueScope? Scope { get; private init; }

    /// <summary>The metrics that its rule reads.</summary>
    public IReadOnlyList<Metric> Metrics =>
        Kind == IssueKind.Copies
        ? [] : Kind == IssueKind.NearCopies
        ? [MetricSet.BuiltIn.Get(DuplicateMethod.Near.Column)]
        : Selection.Rule.MetricsOf(Selection.Rule.Parse(AnyRule).Columns);

    /// <summary>
    /// Where the rule is no more than a column and its threshold, for all images or some: the column, and whether an image without the
    /// issue has at most the threshold. Null for other rules.
    /// </summary>
    internal (string Metric, bool IsAtMost)? Limit => By == null || ComparesImages ? null
        : Template == $"{By} > {{0}}" ? (By.Trim('"'), true)
        : Template == $"{By} < {{0}}" ? (By.Trim('"'), false)
        : null;

    /// <summary>All issues, in the order in which they are told.</summary>
    public static IReadOnlyList<Issue> All { get; } =
    [
        new("unreadable")
        {
            Summary = "cannot be decoded",
            Template = "status in ('unreadable', 'unsupported', 'too_large', 'timeout', 'crashed')",
            Reason = "The file is damaged, no picture, of a kind that is not decoded, or beyond --max-megapixels or --image-timeout.",
            Calibration = NotMeasured,
        },
        new("missing")
        {
            Summary = "there is no such file",
            Template = "status = 'missing'",
            Reason = "The dataset names an image that is not there.",
            Calibration = NotMeasured,
        },
        new("truncated")
        {
            Summary = "the file ends before its picture does",
            Template = "status in ('truncated', 'partial')",
            Reason = "An unfinished download: the lower part of the picture is missing.",
            Calibration = NotMeasured,
        },
        new("duplicates")
        {
            Summary = "the same bytes as an earlier image",
            Kind = IssueKind.Copies,
            Reason = "The same picture twice counts twice in training, and may stand in the training and the test part.",
            Calibration = "Equal XXH128 of the files; an image that several items name is no duplicate of itself.",
        },
        new("near_duplicates")
        {
            Summary = "looks like an earlier image: resized, compressed again, slightly changed, or the same bytes",
            Kind = IssueKind.NearCopies,
            Threshold = DuplicateMethod.DefaultDistance,
            Reason = "Perceptual hashes that differ in at most 4 of 64 bits, directly or through images between them.",
            Calibration = "docs/duplicates.md says what is found at which distance, and what is mistaken.",
        },
        new("dark")
        {
            Summary = "hardly anything in it is bright",
            Template = "luma_p95 < {0}",
            Threshold = 0.2,
            By = "luma_p95",
            Reason = "95 % of the pixels are below a fifth of white. Night photographs with lights are not dark in this sense.",
            Calibration = "Flags 0.4 % of 1,554 sound photographs of BIQ2021 and 1.6 % of all 2,000. A darkened photograph need not be " +
                "dark: 16 % of copies darkened by level 5 are.",
        },
        new("underexposed")
        {
            Summary = "large parts are black",
            Template = "shadow_clipping > {0}",
            Threshold = 0.4,
            By = "shadow_clipping",
            IsLargestWorst = true,
            Reason = "What is clipped to black is lost. Pictures on a black background have it on purpose.",
            Calibration = "Flags 0.6 % of sound photographs; 43 % of copies darkened by level 5, 2 % of weaker ones.",
        },
        new("bright")
        {
            Summary = "hardly anything in it is dark",
            Template = "luma_p5 > {0}",
            Threshold = 0.7,
            By = "luma_p5",
            IsLargestWorst = true,
            Reason = "Only 5 % of the pixels are below 0.7 of white: washed out, or a drawing on white paper.",
            Calibration = "Flags 0.4 % of sound photographs; 18 % of copies brightened by level 5.",
        },
        new("overexposed")
        {
            Summary = "large parts are white",
            Template = "highlight_clipping > {0}",
            Threshold = 0.3,
            By = "highlight_clipping",
            IsLargestWorst = true,
            Reason = "What is clipped to white is lost. Product photographs on white have it on purpose.",
            Calibration = "Flags 1.3 % of sound photographs; 5, 20 and 64 % of copies brightened by levels 3, 4 and 5.",
        },
        new("blurry")
        {
            Summary = "little detail for its contrast: out of focus, moved or enlarged",
            Template = "sharpness < {0} and sharpness < 2000 * contrast * contrast and (width * height <= 1e6 or sharpness_256 < 300)",
            Threshold = 25,
            By = "sharpness",
            Reason = "The second part leaves out what is merely dark or pale, the third what is large and sharp at 256 pixels: large " +
                "photographs are soft pixel by pixel.",
            Calibration = "Flags 1.4 % of sound photographs, 5.8 % of all; finds 51, 78 and 88 % of copies blurred or enlarged by levels " +
                "3, 4 and 5: from Gaussian blur of sigma 2 on all, of motion less than half.",
        },
        new("noisy")
        {
            Summary = "noise that is strong beside the picture's own detail",
            Template = "noise * noise > {0} * sharpness_256 and noise > 4",
            Threshold = 0.035,
            By = "noise",
            IsLargestWorst = true,
            Reason = "Fine texture counts as noise too, but is still there at 256 pixels, where noise has averaged out.",
            Calibration = "Flags 0.1 % of sound photographs; finds 68, 91 and 96 % of copies with noise of levels 3, 4 and 5.",
        },
        new("flat")
        {
            Summary = "nearly all of it is of single tones: blank pages, placeholders, half-loaded JPEGs",
            Template = "flat_share > {0}",
            Threshold = 0.8,
            By = "flat_share",
            IsLargestWorst = true,
            Reason = "Four of five blocks of 8x8 pixels have one level. Strong JPEG compression flattens blocks as well.",
            Calibration = "Flags 0.1 % of sound photographs. Of JPEGs of quality 7 and 4 it flags some as well.",
        },
        new("gray")
        {
            Summary = "no colour, however it is stored",
            Template = "gray_share >= {0}",
            Threshold = 0.99,
            By = "gray_share",
            IsLargestWorst = true,
            Reason = "JPEG gives grey pictures a tint at a few pixels.",
            Calibration = "Flags 0.9 % of sound photographs, which are grey; finds all copies without saturation and 29 % of those with " +
                "a tenth of theirs.",
        },
        new("blocky")
        {
            Summary = "JPEG's blocks show: compressed too strongly",
            Template = "blockiness > {0}",
            Threshold = 1.8,
            By = "blockiness",
            IsLargestWorst = true,
            Reason = "Steps at the borders of 8x8 blocks are 1.8 times those within.",
            Calibration = "Flags 1.4 % of sound photographs; finds 65 % of copies compressed with quality 24, and all with quality 7 or 4.",
        },
        new("border")
        {
            Summary = "bars or padding of one tone",
            Template = "border_share > {0}",
            Threshold = 0.3,
            By = "border_share",
            IsLargestWorst = true,
            Reason = "Letterboxes of 16:9 in 4:3 take 0.25, in a square 0.44. A plain sky or a black background counts as well.",
            Calibration = "Flags 1.7 % of sound photographs, nearly all of them for a plain sky or a black background.",
        },
        new("low_resolution")
        {
            Summary = "fewer pixels on a side than image encoders take",
            Template = "least(width, height) < {0}",
            Threshold = 224,
            By = "least(width, height)",
            Reason = "The input of most CLIP models and of ImageNet networks is 224 pixels.",
            Calibration = NotMeasured,
        },
        new("odd_size")
        {
            Summary = "a size far from those of the other images",
            Kind = IssueKind.Sizes,
            Template = "not (sqrt(width * height) between {0} and {1})",
            Threshold = 3,
            By = "sqrt(width * height)",
            Reason = "Outside q1 - 3 IQR .. q3 + 3 IQR, as cleanvision has it; q1, q3 are the quartiles of sqrt(width x height) over the " +
                "table, IQR their difference.",
            Calibration = "A statement about the table: nothing to calibrate.",
        },
        new("odd_aspect_ratio")
        {
            Summary = "very long or very tall",
            Template = "greatest(width / height, height / width) > {0}",
            Threshold = 3,
            By = "greatest(width / height, height / width)",
            IsLargestWorst = true,
            Reason = "data-juicer's and DataComp's limit.",
            Calibration = NotMeasured,
        },
        new("low_quality")
        {
            Summary = "BRISQUE finds its statistics far from those of photographs",
            Template = "brisque > {0}",
            Threshold = 65,
            By = "brisque",
            IsLargestWorst = true,
            Reason = "Blur, noise and compression beyond what the issues above name one by one.",
            Calibration = "Flags 2.4 % of sound photographs, 3.5 % of all; finds 12, 31 and 62 % of copies blurred, noisy or compressed " +
                "by levels 3, 4 and 5.",
        },
        new("damaged")
        {
            Summary = "a network trained on degraded photographs finds damage",
            Template = "\"pristine@damage\" > {0}",
            Scope = new("width * height >= 16384", "below the area of 128 x 128 pixels"),
            Threshold = 0.7,
            By = "\"pristine@damage\"",
            IsLargestWorst = true,
            Reason = "Below the area of 128 x 128 pixels the network takes sound photographs for damaged ones. It costs many times what " +
                "all other issues cost; --issues default,-damaged leaves it out.",
            Calibration =
                "Flags 1.4 % of sound photographs that the network was not trained on; finds 60, 84 and 88 % of copies of levels " +
                "3, 4 and 5, damaged in 14 ways (docs/check.md).",
        },
        new("empty_text")
        {
            Summary = "a record without a word",
            Template = "word_count = 0",
            Reason = "Its caption, text and messages are missing, empty, or white space.",
            Calibration = NotMeasured,
            IsOfText = true,
        },
        new("short_text")
        {
            Summary = "hardly any text",
            Template = "text_length < {0} and word_count > 0",
            Threshold = 10,
            By = "text_length",
            Reason = "data-juicer's limit, in characters; DataComp asks for more than 5.",
            Calibration = NotMeasured,
            IsOfText = true,
        },
        new("repetitive_text")
        {
            Summary = "text that repeats itself: boilerplate, or a model that went round in circles",
            Template = "greatest(char_rep_ratio, word_rep_ratio) > {0}",
            Threshold = 0.5,
            By = "greatest(char_rep_ratio, word_rep_ratio)",
            IsLargestWorst = true,
            Reason = "data-juicer's limit: more than half of its sequences of 10 characters or words occur again.",
            Calibration = "data-juicer's own.",
            IsOfText = true,
        },
        new("text_duplicates")
        {
            Summary = "the same text as an earlier record",
            Template = TableSchema.RepeatsText,
            Reason = "Equal to the last character. Captions of one word are often equal.",
            Calibration = NotMeasured,
            IsOfText = true,
        },
        new("token_mismatch")
        {
            Summary = "another number of placeholders such as <image> than images",
            Template = "image_tokens is not null and image_tokens <> image_count",
            Reason = "Trainers stop at such a record, or leave an image out without a word.",
            Calibration = NotMeasured,
            IsOfText = true,
        },
        new("faces")
        {
            Summary = "shows a human face",
            Template = "face_count > {0}",
            Threshold = 0,
            By = "face_count",
            IsLargestWorst = true,
            Reason = "For sets that must not show people. No fault of a picture: looked for only when it is named.",
            Calibration = "13 of 20 faces in 108 photographs of BIQ2021 were found, and one thing that was none (models/blazeface.md).",
            IsDefault = false,
        },
        new("nsfw")
        {
            Summary = "may be pornography",
            Template = "nsfw > {0}",
            Threshold = 0.9,
            By = "nsfw",
            IsLargestWorst = true,
            Reason =
                "Looked for only when it is named, because its network must be imported and harmless pictures are named: look at them.",
            Calibration = "Flags 1 % of 500 harmless photographs of BIQ2021, 8 % with the threshold 0.5. What it finds was not measured.",
            IsDefault = false,
        },
        OfCleanvision("dark", "dark", 0.32, "cleanvision_dark"),
        OfCleanvision("light", "bright", 0.05, "cleanvision_light"),
        OfCleanvision("odd_aspect_ratio", "very long or very tall", 0.35, "least(width / height, height / width)"),
        OfCleanvision("low_information", "low entropy", 0.3, "cleanvision_low_information"),
        OfCleanvision("blurry", "blurred", 0.29, "cleanvision_blurry"),
        new(Cleanvision + "grayscale")
        {
            Summary = "grey at every pixel, as cleanvision defines it",
            Template = "cleanvision_grayscale = 0",
            Reason = "cleanvision asks for Pillow's mode L, which has no file stored in colour; this does not ask how it is stored.",
            Calibration = CleanvisionsOwn,
            IsDefault = false,
        },
        new(Cleanvision + "odd_size")
        {
            Summary = "a size far from those of the other images, as cleanvision defines it",
            Kind = IssueKind.Sizes,
            Template = "not (sqrt(width * height) between {0} and {1})",
            Threshold = 3,
            By = "sqrt(width * height)",
            Reason = "cleanvision's factor of the interquartile range.",
            Calibration = CleanvisionsOwn,
            IsDefault = false,
        },
    ];

    /// <summary>An issue of images whose score of cleanvision's, smallest for the worst, is below its threshold.</summary>
    private static Issue OfCleanvision(string name, string summary, double threshold, string score) => new(Cleanvision + name)
    {
        Summary = $"{summary}, as cleanvision defines it",
        Template = $"{score} < {{0}}",
        Threshold = threshold,
        By = score,
        Reason = "cleanvision's threshold.",
        Calibration = CleanvisionsOwn,
        IsDefault = false,
    };

    /// <summary>The issue's rule.</summary>
    /// <param name="numbers">What stands for {0}, {1}.</param>
    /// <exception cref="RuleException">It has none.</exception>
    internal string Rule(params double[] numbers) => ComparesImages
        ? throw new RuleException($"Expected an issue with a rule; '{Name}' compares images with one another.")
        : string.Format(
            CultureInfo.InvariantCulture, Scope == null ? Template : $"{Template} and {Scope.Rule}",
            [.. numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture))]);

    /// <summary>A rule that reads the same columns, for when the table is not known.</summary>
    internal string AnyRule => Rule(0, 1);

    /// <summary>Finds an issue.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="RuleException">There is none; the message names the nearest ones.</exception>
    public static Issue Get(string name) => All.FirstOrDefault(issue => issue.Name == name)
        ?? throw new RuleException(
            $"There is no issue '{name}'.{NearestNames.Question(name, All.Select(issue => issue.Name))} There are " +
            $"{string.Join(", ", All.Select(issue => issue.Name))}.");
}
