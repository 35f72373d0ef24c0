using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pristine.Media;
using Pristine.Metrics.Text;
using Pristine.Metrics.Text.Language;
using Pristine.Models;
using Pristine.Tables;

namespace Pristine.PaddleMix;

/// <content>
/// The operations on conversations that DataCopilot gained later. There they work on one form only, lists of pairs [question, answer], and
/// end with an error on all others; here also on messages with <c>value</c> or <c>content</c>, two of which are a pair. The text of an item
/// is its pairs, joined by empty lines, question and answer one behind the other, without <c>&lt;image&gt;</c>; characters are code points.
/// </content>
public static partial class ItemOps
{
    /// <summary>The characters that DataCopilot calls special.</summary>
    private const string SpecialCharacters = "|:;@()[]{}^'\"’`?$%#!&*+,.";

    /// <summary>
    /// <c>llava_convert</c>: turns messages into pairs, and puts a prefix before the image's path. An item without an image stays as it is,
    /// where DataCopilot drops it; all other fields stay, where it drops them; of an odd number of messages the last has an empty answer.
    /// </summary>
    /// <param name="imagePathPrefix">What stands before the path.</param>
    /// <returns>A function for <see cref="MMDataset.Map"/>; threads may share it.</returns>
    public static Func<MMItem, MMItem?> LlavaConvert(string imagePathPrefix = "")
    {
        ArgumentNullException.ThrowIfNull(imagePathPrefix);
        return item =>
        {
            if (item.GetString("image") is not { Length: > 0 } image)
                return item;
            var pairs = new JsonArray([.. PairsOf(item).Select(pair => (JsonNode)new JsonArray(pair.Question, pair.Answer))]);
            return (imagePathPrefix.Length == 0 ? item : item.With("image", imagePathPrefix + image)).With("conversations", pairs);
        };
    }

    /// <summary>
    /// <c>valid_data_filter</c>: keeps items whose images can be decoded and whose messages are pairs of texts that are not blank and do
    /// not say USER or ASSISTANT. An item without an image is kept for its text, where DataCopilot drops it.
    /// </summary>
    /// <param name="imageRoot">Folder of relative image paths; by default the current one.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    public static Func<MMItem, bool> ValidData(string? imageRoot = null)
    {
        var decoded = new QualityTagger("decoded", Metrics.MetricCatalog.Get("brightness"), imageRoot);
        return item => IsValid(item) && decoded.Rows(item).All(row => row.Status == ImageStatus.Ok);
    }

    /// <summary><c>conversation_length_filter</c>: keeps items with fewer characters than a limit.</summary>
    /// <param name="maxLength">The limit; a text of so many characters is dropped, as there.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    public static Func<MMItem, bool> ConversationLength(long maxLength = 2048) => item => Length(TextOf(item)) < maxLength;

    /// <summary>
    /// <c>average_line_length_filter</c>: keeps items by the mean length of their lines, without the ends of lines. An item without text is
    /// dropped.
    /// </summary>
    /// <param name="min">Smallest length that is kept.</param>
    /// <param name="max">Largest length that is kept.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">min is above max.</exception>
    public static Func<MMItem, bool> AverageLineLength(double min = 10, double max = double.PositiveInfinity) =>
        InRange(item => Lines(TextOf(item)) is { Count: > 0 } lines ? lines.Average(Length) : double.NaN, min, max);

    /// <summary>
    /// <c>maximum_line_length_filter</c>: keeps items by the length of their longest line. An item without text is dropped.
    /// </summary>
    /// <inheritdoc cref="AverageLineLength"/>
    public static Func<MMItem, bool> MaximumLineLength(double min = 10, double max = double.PositiveInfinity) =>
        InRange(item => Lines(TextOf(item)) is { Count: > 0 } lines ? lines.Max(Length) : double.NaN, min, max);

    /// <summary>
    /// <c>conversation_percentage_filter</c>: keeps items whose number of pairs lies between two percentiles of those of a dataset, which
    /// are interpolated as in NumPy.
    /// </summary>
    /// <param name="dataset">The dataset whose percentiles they are: that which is filtered.</param>
    /// <param name="minPercentile">The lower percentile, 0 to 100.</param>
    /// <param name="maxPercentile">The upper percentile, 0 to 100.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">A percentile is beyond 0 to 100, or the lower is above the upper.</exception>
    public static Func<MMItem, bool> ConversationPercentage(MMDataset dataset, double minPercentile = 5, double maxPercentile = 95)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        if (!(minPercentile >= 0 && maxPercentile <= 100 && minPercentile <= maxPercentile))
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"Expected percentiles from 0 to 100, the smaller first; found {minPercentile} and " +
                $"{maxPercentile}."), nameof(minPercentile));
        var counts = dataset.Items.Select(item => (double)PairsOf(item).Count).Order().ToArray();
        return counts.Length == 0
            ? _ => false
            : InRange(item => PairsOf(item).Count, Percentile(counts, minPercentile), Percentile(counts, maxPercentile));
    }

    /// <summary>
    /// <c>token_num_filter</c>: keeps items by the number of their tokens. There the tokenizer is downloaded by its name; here it is a
    /// file.
    /// </summary>
    /// <param name="tokenizer">Hugging Face's <c>tokenizer.json</c>, with byte pair encoding of bytes.</param>
    /// <param name="min">Smallest number that is kept.</param>
    /// <param name="max">Largest number that is kept.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">min is above max.</exception>
    /// <exception cref="ModelException">The file is no such tokenizer.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Func<MMItem, bool> TokenNum(string tokenizer, double min = 10, double max = double.PositiveInfinity)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        var count = TokenCount.Read(tokenizer);
        return InRange(item => count.Measure(TextOf(item)), min, max);
    }

    /// <summary>
    /// <c>language_id_filter</c>: keeps items by how sure the language of their text is, and by which it is, as
    /// <see cref="LanguageScore"/> tells it; its model must be installed.
    /// </summary>
    /// <param name="language">The only language that is kept, such as <c>en</c>; any when null.</param>
    /// <param name="min">Smallest probability that is kept.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">The model does not know the language.</exception>
    /// <exception cref="ModelException">The model is not installed; the message says how to bring it.</exception>
    public static Func<MMItem, bool> LanguageId(string? language = null, double min = 0.8)
    {
        var known = language == null ? LanguageScore.Any : LanguageScore.Of(language);
        if (known.Missing is { } missing)
            throw new ModelException(missing);
        return item => known.Find(TextOf(item)) is var found && found.Probability >= min
            && (language == null || found.Language == language);
    }

    /// <summary><c>alphanumeric_ratio_filter</c>: keeps items by the share of letters and digits; 0 for one without text.</summary>
    /// <param name="min">Smallest share that is kept.</param>
    /// <param name="max">Largest share that is kept.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">min is above max.</exception>
    public static Func<MMItem, bool> AlphanumericRatio(double min = 0.25, double max = double.PositiveInfinity) =>
        InRange(item => Share(TextOf(item), IsAlphanumeric), min, max);

    /// <summary><c>special_characters_filter</c>: keeps items by the share of 25 marks of punctuation; 0 for one without text.</summary>
    /// <inheritdoc cref="AlphanumericRatio"/>
    public static Func<MMItem, bool> SpecialCharactersRatio(double min = 0, double max = 0.25) =>
        InRange(item => Share(TextOf(item), IsSpecial), min, max);

    /// <summary>
    /// <c>char_ngram_repetition_filter</c>: keeps items by the share of sequences of characters that are repeated most, as
    /// <see cref="CharacterRepetition"/> measures it. A text shorter than a sequence repeats nothing and is kept where 0 is, where
    /// DataCopilot drops it.
    /// </summary>
    /// <param name="repLen">Characters of a sequence.</param>
    /// <param name="min">Smallest share that is kept.</param>
    /// <param name="max">Largest share that is kept.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">min is above max, or a sequence has no character.</exception>
    public static Func<MMItem, bool> CharNgramRepetition(int repLen = 10, double min = 0, double max = 0.5)
    {
        var repetition = new CharacterRepetition(repLen);
        return InRange(item => repetition.Measure(TextOf(item)), min, max);
    }

    /// <summary>
    /// <c>word_ngram_repetition_filter</c>: the same for sequences of words, which are what stands between white space. As there the most
    /// frequent sequences count, at most the square root of how many there are.
    /// </summary>
    /// <param name="repLen">Words of a sequence.</param>
    /// <param name="min">Smallest share that is kept.</param>
    /// <param name="max">Largest share that is kept; 0.2 in the code of DataCopilot, 0.5 in what is written about it.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">min is above max, or a sequence has no word.</exception>
    public static Func<MMItem, bool> WordNgramRepetition(int repLen = 10, double min = 0, double max = 0.2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repLen, 1);
        return InRange(item => WordRepetition(TextOf(item), repLen), min, max);
    }

    /// <summary>
    /// <c>image_filesize_filter</c>: keeps items whose image files have so many kilobytes (1,024 bytes). One without an image is kept.
    /// </summary>
    /// <param name="minKilobytes">Smallest size that is kept.</param>
    /// <param name="maxKilobytes">Largest size that is kept.</param>
    /// <param name="imageRoot">Folder of relative image paths; by default the current one.</param>
    /// <returns>
    /// A condition for <see cref="MMDataset.Filter"/>; threads may share it. An image that is missing or broken is not kept.
    /// </returns>
    /// <exception cref="ArgumentException">min is above max.</exception>
    public static Func<MMItem, bool> ImageFilesize(
        double minKilobytes = 10, double maxKilobytes = double.PositiveInfinity, string? imageRoot = null) =>
        OfImages("bytes", row => (row.Bytes ?? double.NaN) / 1024, minKilobytes, maxKilobytes, imageRoot);

    /// <summary>
    /// <c>image_ration_filter</c> (so it is spelt there): keeps items by width over height of their images. One without an image is kept.
    /// </summary>
    /// <param name="min">Smallest ratio that is kept.</param>
    /// <param name="max">Largest ratio that is kept.</param>
    /// <param name="imageRoot">Folder of relative image paths; by default the current one.</param>
    /// <returns>
    /// A condition for <see cref="MMDataset.Filter"/>; threads may share it. An image that is missing or broken is not kept.
    /// </returns>
    /// <exception cref="ArgumentException">min is above max.</exception>
    public static Func<MMItem, bool> ImageRatio(double min = 0.333, double max = 3, string? imageRoot = null) =>
        OfImages("ratio", row => row.Header is { } header ? (double)header.Width / header.Height : double.NaN, min, max, imageRoot);

    /// <summary>
    /// <c>image_resolution_filter</c>: keeps items whose images have such sides, ends included. One without an image is kept.
    /// </summary>
    /// <param name="minWidth">Smallest width that is kept.</param>
    /// <param name="minHeight">Smallest height that is kept.</param>
    /// <param name="maxWidth">Largest width that is kept.</param>
    /// <param name="maxHeight">Largest height that is kept.</param>
    /// <param name="imageRoot">Folder of relative image paths; by default the current one.</param>
    /// <returns>
    /// A condition for <see cref="MMDataset.Filter"/>; threads may share it. An image that is missing or broken is not kept.
    /// </returns>
    /// <exception cref="ArgumentException">A smallest side is above the largest.</exception>
    public static Func<MMItem, bool> ImageResolution(
        int minWidth = 112, int minHeight = 112, double maxWidth = double.PositiveInfinity, double maxHeight = double.PositiveInfinity,
        string? imageRoot = null)
    {
        var width = OfImages("width", row => row.Header?.Width ?? double.NaN, minWidth, maxWidth, imageRoot);
        var height = OfImages("height", row => row.Header?.Height ?? double.NaN, minHeight, maxHeight, imageRoot);
        return item => width(item) && height(item);
    }

    /// <summary>The text of an item's conversations.</summary>
    internal static string TextOf(MMItem item)
    {
        var text = string.Join("\n\n", PairsOf(item).Select(pair => pair.Question + pair.Answer));
        return text.Replace("<image>\n", "", StringComparison.Ordinal).Replace("\n<image>", "", StringComparison.Ordinal)
            .Replace("<image>", "", StringComparison.Ordinal);
    }

    /// <summary>The questions and answers of an item.</summary>
    internal static List<(string Question, string Answer)> PairsOf(MMItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var (pairs, open) = (new List<(string, string)>(), (string?)null);
        if ((item["conversations"] ?? item["messages"]) is not { ValueKind: JsonValueKind.Array } conversations)
            return pairs;
        foreach (var message in conversations.EnumerateArray())
        {
            if (message.ValueKind == JsonValueKind.Array)
            {
                var parts = message.EnumerateArray().Select(Text).ToArray();
                pairs.Add((parts.FirstOrDefault() ?? "", string.Concat(parts.Skip(1))));
                continue;
            }
            var text = message.ValueKind != JsonValueKind.Object ? Text(message)
                : message.TryGetProperty("value", out var value) || message.TryGetProperty("content", out value) ? Text(value)
                : "";
            if (open == null)
            {
                open = text;
            }
            else
            {
                pairs.Add((open, text));
                open = null;
            }
        }
        if (open != null)
            pairs.Add((open, ""));
        return pairs;

        static string Text(JsonElement element) => element.ValueKind == JsonValueKind.String ? element.GetString()! : "";
    }

    private static bool IsValid(MMItem item)
    {
        if (item["conversations"] is not { ValueKind: JsonValueKind.Array } conversations)
            return false;
        var isOfPairs = conversations.EnumerateArray().Any(message => message.ValueKind == JsonValueKind.Array);
        if (isOfPairs && !conversations.EnumerateArray().All(pair => pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2
            && pair.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String)))
            return false;
        return PairsOf(item).All(pair => ((string[])[pair.Question, pair.Answer]).All(part => !string.IsNullOrWhiteSpace(part)
            && !part.Contains("USER", StringComparison.Ordinal) && !part.Contains("ASSISTANT", StringComparison.Ordinal)));
    }

    private static Func<MMItem, bool> OfImages(string name, Func<ScoreRow, double> measure, double min, double max, string? imageRoot)
    {
        var tagger = new QualityTagger(name, Metrics.MetricCatalog.Get("width"), imageRoot);
        var isWithin = InRange<double>(value => value, min, max);
        return item => tagger.Rows(item).All(row => row.Status == ImageStatus.Ok && isWithin(measure(row)));
    }

    private static Func<T, bool> InRange<T>(Func<T, double> measure, double min, double max) => min <= max
        ? item => measure(item) is var value && value >= min && value <= max
        : throw new ArgumentException(
            string.Create(CultureInfo.InvariantCulture, $"Expected min <= max; found min {min} and max {max}."), nameof(min));

    private static Func<MMItem, bool> InRange(Func<MMItem, double> measure, double min, double max) => InRange<MMItem>(measure, min, max);

    private static long Length(string text) => text.EnumerateRunes().LongCount();

    /// <summary>Lines as Python's splitlines gives them.</summary>
    private static List<string> Lines(string text)
    {
        var (lines, start) = (new List<string>(), 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is not ((>= '\n' and <= '\r') or (>= '\x1C' and <= '\x1E') or '\x85' or '\u2028' or '\u2029'))
                continue;
            lines.Add(text[start..i]);
            i += text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n' ? 1 : 0;
            start = i + 1;
        }
        if (start < text.Length)
            lines.Add(text[start..]);
        return lines;
    }

    private static double Share(string text, Func<Rune, bool> counts)
    {
        var (found, all) = (0L, 0L);
        foreach (var rune in text.EnumerateRunes())
            (found, all) = (found + (counts(rune) ? 1 : 0), all + 1);
        return all == 0 ? 0 : (double)found / all;
    }

    private static bool IsSpecial(Rune rune) =>
        rune.IsBmp && SpecialCharacters.Contains((char)rune.Value, StringComparison.Ordinal);

    /// <summary>As Python's isalnum: letters, and digits of all kinds.</summary>
    private static bool IsAlphanumeric(Rune rune) => Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static double WordRepetition(string text, int length)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < length)
            return 0;
        var counts = Enumerable.Range(0, words.Length - length + 1).Select(i => string.Join(' ', words[i..(i + length)]))
            .CountBy(sequence => sequence).Select(pair => pair.Value).OrderDescending().ToArray();
        var most = Math.Min((int)Math.Sqrt(counts.Length), counts.Count(count => count > 1));
        return (double)counts.Take(most).Sum() / counts.Sum();
    }

    /// <summary>A percentile of sorted numbers, interpolated.</summary>
    private static double Percentile(double[] sorted, double percentile)
    {
        var place = percentile / 100 * (sorted.Length - 1);
        var (below, above) = ((int)Math.Floor(place), (int)Math.Ceiling(place));
        return sorted[below] + ((sorted[above] - sorted[below]) * (place - below));
    }
}
