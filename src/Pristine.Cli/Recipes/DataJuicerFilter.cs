using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Pristine.Metrics;
using Pristine.Metrics.Text;
using Pristine.Metrics.Text.Language;
using Pristine.Tables;

namespace Pristine.Cli.Recipes;

/// <summary>A filter of data-juicer that is a rule here.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="IsOfImages">Whether it judges images, of which an item may have several.</param>
/// <param name="Columns">The columns that the rule names; a filter whose column this program does not have is not here.</param>
/// <param name="Rule">The rule for some parameters.</param>
internal sealed record DataJuicerFilter(
    string Name, bool IsOfImages, IReadOnlyList<string> Columns, Func<DataJuicerParameters, string> Rule)
{
    private const double Infinity = double.PositiveInfinity;
    private const string OwnNetwork =
        "a network of yours, which cannot come with this program: a manifest with the name {0} (docs/networks.md), given with " +
        "--set metric=FILE.json, or known since pristine models add FILE.json";

    /// <summary>What a filter needs that does not come with this program, in words; null for nothing.</summary>
    public string? Needs { get; private init; }

    /// <summary>data-juicer's filters with their parameters and defaults (release 1.4, <c>data_juicer/ops/filter</c>).</summary>
    private static readonly DataJuicerFilter[] All =
    [
        new("image_shape_filter", true, ["width", "height"], given =>
            Both(given.Range("width", given.Number("min_width", 1), given.Number("max_width", Infinity)), given.Range(
                "height", given.Number("min_height", 1), given.Number("max_height", Infinity)))),
        new("image_size_filter", true, ["bytes"], given => given.Range(
            "bytes", given.Size("min_size", "0"), given.Size("max_size", "1TB"))),
        new("image_aspect_ratio_filter", true, ["aspect_ratio"], given => given.Range(
            "aspect_ratio", given.Number("min_ratio", 0.333), given.Number("max_ratio", 3))),
        // The networks are others than data-juicer's: Haar cascades there, and Falconsai's for nsfw.
        new("image_face_count_filter", true, ["face_count"], given => given.Range(
            "face_count", given.Number("min_face_count", 1), given.Number("max_face_count", 1))),
        new("image_face_ratio_filter", true, ["face_ratio"], given => given.Range(
            "face_ratio", given.Number("min_ratio", 0), given.Number("max_ratio", 0.4))),
        new("image_nsfw_filter", true, ["nsfw"], given => given.Range(
            "nsfw", given.Number("min_score", 0), given.Number("max_score", 0.5))),
        new("image_aesthetics_filter", true, ["image_aesthetics_scores"], given =>
        {
            // Which network it is, the manifest says.
            given.Ignore("hf_scorer_model");
            given.Ignore("trust_remote_code");
            return given.Range("image_aesthetics_scores", given.Number("min_score", 0.5), given.Number("max_score", 1));
        })
        {
            Needs = OwnNetwork.Replace("{0}", "image_aesthetics_scores", StringComparison.Ordinal),
        },
        new("image_watermark_filter", true, ["image_watermark_prob"], given =>
        {
            given.Ignore("hf_watermark_model");
            given.Ignore("trust_remote_code");
            return given.Range("image_watermark_prob", double.NegativeInfinity, given.Number("prob_threshold", 0.8));
        })
        {
            Needs = OwnNetwork.Replace("{0}", "image_watermark_prob", StringComparison.Ordinal),
        },
        new("image_text_similarity_filter", true, ["image_text_similarity"], given =>
        {
            given.Ignore("hf_clip");
            given.Ignore("trust_remote_code");
            given.Expect("horizontal_flip", "false");
            given.Expect("vertical_flip", "false");
            given.Expect("reduce_mode", "avg");
            return given.Range("image_text_similarity", given.Number("min_score", 0.1), given.Number("max_score", 1));
        })
        {
            Needs = OwnNetwork.Replace("{0}", "image_text_similarity", StringComparison.Ordinal),
        },
        new("token_num_filter", false, [TokenCount.MetricName], given =>
        {
            given.Ignore("hf_tokenizer");
            given.ExpectKnownText();
            return given.Range(TokenCount.MetricName, given.Number("min_num", 10), given.Number("max_num", Infinity));
        })
        {
            Needs = "the file of its tokenizer: --set tokenizer=tokenizer.json",
        },
        new("text_length_filter", false, [], given => given.Range(
            $"length({DataJuicerParameters.ItemField(given.TextKey)})", given.Number("min_len", 10), given.Number("max_len", Infinity))),
        new("specified_numeric_field_filter", false, [], given => given.Range(
            given.Field("field_key"), given.Number("min_value", double.NegativeInfinity), given.Number("max_value", Infinity))),
        new("specified_field_filter", false, [], given =>
        {
            var rule = $"{given.Field("field_key")} in ({string.Join(", ", given.Texts("target_value").Select(Quoted))})";
            return given.IsTrue("reversed_range", false) ? $"not ({rule})" : rule;
        }),
        Statistic("words_num_filter", "num_words", "min_num", 10, "max_num", Infinity, given => given.Expect(
            "tokenization", "false")),
        Statistic(
            "alphanumeric_filter", "alnum_ratio", "min_ratio", 0.25, "max_ratio", Infinity, given => given.Expect("tokenization", "false")),
        Statistic("average_line_length_filter", "avg_line_length", "min_len", 10, "max_len", Infinity),
        Statistic("maximum_line_length_filter", "max_line_length", "min_len", 10, "max_len", Infinity),
        Statistic("character_repetition_filter", "char_rep_ratio", "min_ratio", 0, "max_ratio", 0.5),
        Statistic("word_repetition_filter", "word_rep_ratio", "min_ratio", 0, "max_ratio", 0.5, given => given.Expect(
            "tokenization", "false")),
        new("language_id_score_filter", false, [LanguageScore.Base], given =>
        {
            given.ExpectKnownText();
            var least = given.Number("min_score", 0.8);
            var languages = given.TextsOrNone("lang");
            // The score of a language is 0 where the text is in another.
            string Reaches(string column) => $"{column} {(least > 0 ? $">= {DataJuicerParameters.Shown(least)}" : "> 0")}";
            return languages.Count == 0
                ? Reaches(LanguageScore.Base)
                : string.Join(" or ", languages.Select(language => Reaches($"\"{given.Language(language)}\"")));
        }),
        Statistic("special_characters_filter", "special_char_ratio", "min_ratio", 0, "max_ratio", 0.25),
        new("audio_size_filter", false, ["audio_bytes"], given => OfFiles(
            "audio_bytes", given.Size("min_size", "0"), given.Size("max_size", "1TB"), given)),
        new("audio_duration_filter", false, ["audio_duration"], given => OfFiles(
            "audio_duration", given.Number("min_duration", 0), given.Number("max_duration", Infinity), given)),
        new("video_duration_filter", false, ["video_duration"], given => OfFiles(
            "video_duration", given.Number("min_duration", 0), given.Number("max_duration", Infinity), given)),
        new("video_aspect_ratio_filter", false, ["video_aspect_ratio"], given => OfFiles(
            "video_aspect_ratio", given.Number("min_ratio", 9.0 / 21), given.Number("max_ratio", 21.0 / 9), given)),
        new("video_resolution_filter", false, ["video_width", "video_height"], given => OfResolutions(
            given.Interval(given.Number("min_width", 1), given.Number("max_width", Infinity)),
            given.Interval(given.Number("min_height", 1), given.Number("max_height", Infinity)), given)),
    ];

    /// <summary>The filters that this program has; some need a file of the user's.</summary>
    public static IEnumerable<string> Names => All.Select(filter => filter.Name);

    /// <summary>Finds a filter that this program has.</summary>
    /// <param name="name">Its name in data-juicer.</param>
    /// <param name="filter">The filter.</param>
    public static bool TryGet(string name, [NotNullWhen(true)] out DataJuicerFilter? filter)
    {
        filter = Array.Find(All, known => known.Name == name);
        return filter != null;
    }

    /// <summary>Whether the columns of its rule are there.</summary>
    /// <param name="own">Names of metrics that the user's files bring.</param>
    public bool IsHere(IReadOnlyList<string> own) => Columns.All(
        column => own.Contains(column) || TableSchema.Row.Find(column) != null || MetricSet.BuiltIn.Find(column) != null);

    /// <summary>A filter on a statistic of text, which the metric of data-juicer's own name computes.</summary>
    private static DataJuicerFilter Statistic(
        string name, string metric, string lowName, double low, string highName, double high,
        params Action<DataJuicerParameters>[] expectations) =>
        new(name, false, [metric], given =>
        {
            foreach (var expect in expectations)
                expect(given);
            var column = metric;
            if (MetricSet.BuiltIn.Find(metric) is TextMetric)
                given.ExpectKnownText();
            if (MetricSet.BuiltIn.Find(metric) is RepetitionMetric repetition && given.Length("rep_len", repetition.Length) is var length
                && length != repetition.Length)
                column = $"{metric}:{length}";
            // What language it is decides only which tokenizer is taken.
            if (name is "words_num_filter" or "word_repetition_filter")
                given.Ignore("lang");
            return given.Range(column, given.Number(lowName, low), given.Number(highName, high));
        });

    /// <summary>
    /// An item without a sound or film is kept; of several one is enough, or all must lie within, as the policy says.
    /// </summary>
    private static string OfFiles(string metric, double low, double high, DataJuicerParameters given)
    {
        var scope = metric[..metric.IndexOf('_', StringComparison.Ordinal)];
        var within = $"\"{metric}_in:{given.Interval(low, high)}\"";
        var isAny = IsAny(given);
        var isOutside = given.IsTrue("reversed_range", false);
        var enough = isAny ? isOutside ? $"< {scope}_count" : ">= 1" : isOutside ? "= 0" : $"= {scope}_count";
        return $"{scope}_count = 0 or {within} {enough}";
    }

    /// <summary>
    /// The same for width and height of each film, both of which must lie within; with <c>reversed_range</c> both must lie outside.
    /// </summary>
    private static string OfResolutions(MediaInterval width, MediaInterval height, DataJuicerParameters given)
    {
        var both = $"\"video_resolution_in:{width}x{height}\"";
        var passing = !given.IsTrue("reversed_range", false) ? both
            : $"video_count - \"video_width_in:{width}\" - \"video_height_in:{height}\" + {both}";
        return $"video_count = 0 or {passing} {(IsAny(given) ? ">= 1" : "= video_count")}";
    }

    private static bool IsAny(DataJuicerParameters given) => given.Choice("any_or_all", "any", "any", "all") == "any";

    private static string Both(string first, string second) => $"({first}) and ({second})";

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
