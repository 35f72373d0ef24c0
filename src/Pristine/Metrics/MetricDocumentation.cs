using System.Globalization;
using System.Text;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// Describes the metrics of <see cref="MetricCatalog"/> to people: docs/metrics.md and the command <c>pristine metrics</c> are made from
/// it.
/// </summary>
public static class MetricDocumentation
{
    private const string Introduction = """
        <!-- Made from the metric catalog; refresh it with: dotnet run -c Release -v q --project src/Pristine.Cli -- metrics --markdown > docs/metrics.md -->

        # Metrics

        A metric turns an image into a number, its *score*, in the unit and on the scale that the metric's own users know. A metric with a good
        end also has a *quality*: the score mapped to 0..1, 1 best. Metrics without a good end describe a size or a style; rules can use them,
        but nothing ranks images by them.

        Pixel metrics see the decoded image: EXIF orientation applied, first frame of an animation, alpha dropped (a transparent pixel counts with
        the colour stored for it, in every format), 16 bits reduced to the high byte, CMYK by the plain formula, grey spread to RGB. A picture
        that was not decoded whole has no scores, unless `--truncated keep` asks for what is there. Luma is (9798 R + 19235 G + 3735 B + 16384) >> 15, which is OpenCV's 8-bit grey (ITU-R BT.601
        weights). Metrics that need only the header do not decode the pixels. An image with a side below a metric's smallest side has no score
        of that metric and the status `too_small`.

        Metrics that need `text` are numbers of the item: all of its rows have them, also that of an item without an image, and a dataset of texts
        alone can be scored and filtered by them. The text is that of the column `text_length` (captions, texts and messages), joined by line
        ends where there are several. An item without a record has no such number; a record without text has that of the empty text.

        Metrics that need `audio` or `video` are numbers of the item too: the mean over the files that it names. WAV is read without help, every other
        container by FFmpeg's `ffprobe`; without it such a file has the status `unsupported`. A sound or film that is missing or broken gives its
        status to all rows of the item, and the item has none of these numbers. Headers are read anew in every run, of each file once.
        `audio_duration_in:[1:20]` is the number of files whose duration lies from 1 to 20; a round bracket leaves an end out, and `inf` is an end. So it is of every
        number of sounds and films: for rules on each file of an item instead of their mean. `video_resolution_in:[640:inf]x[360:inf]` counts the films whose width and height
        both lie within.

        `token_count` is the number of tokens of the item's text. `--tokenizer tokenizer.json` names the tokenizer: Hugging Face's file of a byte pair encoding of bytes
        (GPT-2, GPT-NeoX, Qwen, LLaMA 3); the tokens that begin and end a text are not counted.

        `lang_score` says how probable the most probable language of the item's text is, and `lang_score:en` the same where that is English, otherwise 0: `"lang_score:en" >= 0.8`
        is data-juicer's language_id_score_filter. The model, fastText's lid.176.ftz, is brought by one command (docs/models.md). A language that another program has written is
        a field for rules: `item.lang = 'en'`.

        Any metric of images is one of films too, on evenly spaced frames: `video_mean_NAME`, `video_min_NAME` and `video_max_NAME`, for example `video_min_sharpness`, are the
        mean, smallest and largest score of 8 frames, or as many as `--frames N` says; with `--frames` the metrics of `--metrics` have all three. Frame k of N is the one nearest to
        (k + 0.5) / N of the film's duration; a film of fewer frames has all of them; of several films of an item all frames count. FFmpeg's `ffmpeg` decodes them, one process for a
        film, and turns them into upright RGB; without it such a metric is refused before the run. A film that cannot be decoded, or whose end is missing, gives its status to its item. Films
        are decoded anew in every run that asks for them.

        """;

    private const string Columns = """
        ## Columns

        Every image gives one row, in tables, CSV and JSONL alike. [tables.md](tables.md#columns) lists the columns that every row has; then come
        one per metric asked for, followed by `<metric>_quality` where the metric has a quality. `width`, `height` and `bytes` are the header
        metrics of the same names. The column `status` says what became of the image:

        | status | meaning |
        | --- | --- |
        | `ok` | decoded; every metric that was not skipped gave a score |
        | `too_small` | decoded, but smaller than a metric needs; that score is missing, the others are there |
        | `truncated` | the file ends before its picture does, as unfinished downloads do; the reason says how many of its rows are there |
        | `partial` | as `truncated`, but what is there was scored (`--truncated keep`) |
        | `unreadable` | the file is there, but it is no picture, it is damaged, or it may not be read |
        | `unsupported` | a picture of a kind that is not decoded: another format (HEIC, BMP), or a rare kind of one that is (12-bit JPEG, LZMA in TIFF) |
        | `missing` | there is no file at the path |
        | `too_large` | the header promises more pixels than the limit; the pixels were not read |
        | `timeout` | decoding took longer than allowed (`--image-timeout`) |
        | `no_image` | the item has no image |
        | `skipped` | the image was not opened: a rule on the item's record had dropped the item |

        A score that does not exist is `null` in JSONL and empty in CSV, never NaN.
        """;

    /// <summary>
    /// The whole of docs/metrics.md: an introduction, a table of all metrics, the columns of a row, then every metric in full.
    /// </summary>
    /// <returns>Markdown with line feeds, ending in one; the same on every machine.</returns>
    public static string ToMarkdown()
    {
        var text = new StringBuilder(Introduction).Append('\n');
        text.Append("| name | measures | good end | range | unit | needs | smallest side |\n");
        text.Append("| --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var metric in MetricCatalog.All)
        {
            string[] cells =
            [
                $"[`{metric.Name}`](#{Anchor(metric.Name)})", metric.Summary, GoodEnd(metric), Range(metric), metric.Unit, Needs(metric),
                metric.MinSide.ToString(CultureInfo.InvariantCulture),
            ];
            text.Append("| ").AppendJoin(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
        }
        text.Append('\n').Append(Columns).Append('\n');
        foreach (var metric in MetricCatalog.All)
        {
            text.Append('\n');
            // GitHub leaves the @ out of an anchor, DocFX what follows it too.
            if (Anchor(metric.Name) != metric.Name)
                text.Append(CultureInfo.InvariantCulture, $"<a id=\"{Anchor(metric.Name)}\"></a>\n\n");
            text.Append(ToMarkdown(metric));
        }
        return text.ToString();
    }

    /// <summary>The anchor that GitHub and DocFX make of a heading.</summary>
    private static string Anchor(string heading) =>
        string.Concat(heading.ToLowerInvariant().Where(character => char.IsLetterOrDigit(character) || character is '-' or '_'));

    /// <summary>One metric in full, as a section of docs/metrics.md.</summary>
    /// <param name="metric">The metric.</param>
    /// <returns>Markdown with line feeds, ending in one.</returns>
    public static string ToMarkdown(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        var text = new StringBuilder($"## {metric.Name}\n\n{metric.Summary}\n\n");
        foreach (var (label, value) in Facts(metric))
            text.Append(CultureInfo.InvariantCulture, $"- **{label}:** {(label is "Formula" or "Quality" ? $"`{value}`" : value)}\n");
        return text.ToString();
    }

    /// <summary>
    /// What there is to say of a metric besides name and summary: labels such as <c>Formula</c>, each with its text. Leaves out what is
    /// empty.
    /// </summary>
    /// <param name="metric">The metric.</param>
    public static IEnumerable<(string Label, string Text)> Facts(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        (string Label, string Text)[] facts =
        [
            ("Formula", metric.Formula),
            ("Range", metric.Unit.Length == 0 ? Range(metric) : $"{Range(metric)} ({metric.Unit})"),
            ("Good end", GoodEnd(metric)),
            ("Quality", metric.QualityFormula),
            ("Needs", metric.MinSide > 1 ? string.Create(
                CultureInfo.InvariantCulture, $"{Needs(metric)}, both sides at least {metric.MinSide} pixels") : Needs(metric)),
            ("Notes", metric.Notes),
            ("Source", metric.Citation),
            ("Version", metric.Version),
        ];
        return facts.Where(fact => fact.Text.Length > 0);
    }

    /// <summary>Which end of the scale is good: <c>high</c>, <c>low</c> or <c>none</c>.</summary>
    /// <param name="metric">The metric.</param>
    public static string GoodEnd(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        return metric.Direction switch
        {
            MetricDirection.HigherIsBetter => "high",
            MetricDirection.LowerIsBetter => "low",
            _ => "none",
        };
    }

    /// <summary>The native range in words: <c>0 to 100</c>, <c>0 and more</c>, <c>any number</c>.</summary>
    /// <param name="metric">The metric.</param>
    public static string Range(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        var (low, high) = (Number(metric.Range.Low), Number(metric.Range.High));
        return (double.IsFinite(metric.Range.Low), double.IsFinite(metric.Range.High)) switch
        {
            (true, true) => $"{low} to {high}",
            (true, false) => $"{low} and more",
            (false, true) => $"{high} and less",
            (false, false) => "any number",
        };
    }

    /// <summary>What a metric needs of the image: <c>header</c>, <c>luma</c>, <c>RGB</c> or <c>luma and RGB</c>.</summary>
    /// <param name="metric">The metric.</param>
    public static string Needs(Metric metric)
    {
        ArgumentNullException.ThrowIfNull(metric);
        return metric is ItemMetric item ? item.Scope : metric.Input switch
        {
            ImageInput.Header => "header",
            ImageInput.Luma => "luma",
            ImageInput.Rgb => "RGB",
            _ => "luma and RGB",
        };
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
