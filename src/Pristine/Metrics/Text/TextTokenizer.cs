using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
using Pristine.Models;
using Pristine.Native;

namespace Pristine.Metrics.Text;

/// <summary>
/// A tokenizer that is read from the files of a language model: byte pair encoding of bytes, as GPT-2, GPT-NeoX, CLIP, Qwen and LLaMA 3
/// have it. Thread-safe.
/// </summary>
internal sealed class TextTokenizer
{
    /// <summary>How CLIP splits a text into words.</summary>
    private const string ClipWords = @"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

    /// <summary>How GPT-2 does; spaces stand before words.</summary>
    private const string Gpt2Words = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private static readonly Lazy<DuckDbConnection> Unicode = new(() => DuckDbConnection.Open(new DuckDbOptions { Threads = 1 }));

    private readonly BpeTokenizer _tokenizer;
    private readonly Dictionary<string, int> _ids;
    private readonly IReadOnlyList<Func<string, string>> _normalisers;

    private TextTokenizer(
        Dictionary<string, int> vocabulary, IEnumerable<string> merges, Dictionary<string, int> added, string? endOfWord, string words,
        IReadOnlyList<Func<string, string>> normalisers)
    {
        _ids = new(vocabulary, StringComparer.Ordinal);
        foreach (var (token, id) in added)
            _ids[token] = id;
        _normalisers = normalisers;
        _tokenizer = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = merges,
            ByteLevel = true,
            EndOfWordSuffix = endOfWord,
            SpecialTokens = added.Count > 0 ? added : null,
            PreTokenizer = new RegexPreTokenizer(new Regex(words, RegexOptions.CultureInvariant), added.Count > 0 ? added : null),
        });
    }

    /// <summary>Reads Hugging Face's <c>tokenizer.json</c>, or CLIP's <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    /// <param name="file">The first of them.</param>
    /// <param name="merges">The second; null for <c>tokenizer.json</c>.</param>
    /// <exception cref="ModelException">It is none, or of a kind that is not known here; the message says which.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TextTokenizer Read(string file, string? merges = null)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            return merges == null
                ? OfJson(document.RootElement)
                : new TextTokenizer(
                    Vocabulary(document.RootElement),
                    File.ReadLines(merges).Where(line => line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal)), [],
                    "</w>", ClipWords, [Compose, OneSpace, Lower]);
        }
        catch (Exception failure) when (failure is JsonException or FormatException or KeyNotFoundException or InvalidOperationException
            or ArgumentException)
        {
            throw new ModelException(
                $"{file}: expected {(merges == null ? "a tokenizer.json of Hugging Face" : "CLIP's vocab.json and merges.txt")} with " +
                $"byte pair encoding of bytes; {failure.Message.Split('\n')[0].TrimEnd('.')}.", failure);
        }
    }

    /// <summary>The ids of a text's tokens, without those that begin and end a text.</summary>
    /// <param name="text">The text.</param>
    public IReadOnlyList<int> Encode(string text) => _tokenizer.EncodeToIds(Normalised(text));

    /// <summary>How many tokens a text has.</summary>
    /// <param name="text">The text.</param>
    public int Count(string text) => _tokenizer.CountTokens(Normalised(text));

    /// <summary>The id of a token; null where there is none.</summary>
    /// <param name="token">The token as the vocabulary spells it.</param>
    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    private string Normalised(string text) => _normalisers.Aggregate(text, (before, normalise) => normalise(before));

    private static TextTokenizer OfJson(JsonElement root)
    {
        var model = root.GetProperty("model");
        if (model.TryGetProperty("type", out var type) && type.GetString() is not "BPE")
            throw new FormatException($"found the kind {type.GetString()}");
        var merges = model.GetProperty("merges").EnumerateArray().Select(merge => merge.ValueKind == JsonValueKind.Array
            ? string.Join(' ', merge.EnumerateArray().Select(part => part.GetString()))
            : merge.GetString()!).ToList();
        var endOfWord = model.TryGetProperty("end_of_word_suffix", out var suffix) && suffix.GetString() is { Length: > 0 } end
            ? end
            : null;
        var added = new Dictionary<string, int>(StringComparer.Ordinal);
        if (root.TryGetProperty("added_tokens", out var tokens) && tokens.ValueKind == JsonValueKind.Array)
            foreach (var token in tokens.EnumerateArray())
                added[token.GetProperty("content").GetString()!] = token.GetProperty("id").GetInt32();
        var normalisers = new List<Func<string, string>>();
        AddNormalisers(root.TryGetProperty("normalizer", out var normaliser) ? normaliser : default, normalisers);
        var words = WordsOf(root.TryGetProperty("pre_tokenizer", out var splitter) ? splitter : default, normalisers);
        return new TextTokenizer(Vocabulary(model.GetProperty("vocab")), merges, added, endOfWord, words, normalisers);
    }

    private static Dictionary<string, int> Vocabulary(JsonElement vocabulary) =>
        vocabulary.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetInt32(), StringComparer.Ordinal);

    private static void AddNormalisers(JsonElement normaliser, List<Func<string, string>> normalisers)
    {
        if (normaliser.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return;
        switch (normaliser.GetProperty("type").GetString())
        {
            case "Sequence":
                foreach (var part in normaliser.GetProperty("normalizers").EnumerateArray())
                    AddNormalisers(part, normalisers);
                break;
            case "NFC":
                normalisers.Add(Compose);
                break;
            case "Lowercase":
                normalisers.Add(Lower);
                break;
            case "Replace" when normaliser.GetProperty("pattern").TryGetProperty("Regex", out var pattern):
                var (regex, content) = (new Regex(pattern.GetString()!, RegexOptions.CultureInvariant), normaliser.GetProperty("content")
                    .GetString()!);
                normalisers.Add(text => regex.Replace(text, content.Replace("$", "$$", StringComparison.Ordinal)));
                break;
            case var other:
                throw new FormatException($"found the normalizer {other}");
        }
    }

    /// <summary>The expression whose matches are the words of a text.</summary>
    private static string WordsOf(JsonElement splitter, List<Func<string, string>> normalisers)
    {
        string? words = null;
        var isOfBytes = false;
        foreach (var part in splitter.ValueKind != JsonValueKind.Object ? []
            : splitter.TryGetProperty("pretokenizers", out var parts) ? parts.EnumerateArray().ToArray() : [splitter])
        {
            switch (part.GetProperty("type").GetString())
            {
                case "ByteLevel":
                    isOfBytes = true;
                    if (part.TryGetProperty("add_prefix_space", out var prefix) && prefix.GetBoolean())
                        normalisers.Add(text => text.StartsWith(' ') ? text : " " + text);
                    if (words == null && !(part.TryGetProperty("use_regex", out var uses) && !uses.GetBoolean()))
                        words = Gpt2Words;
                    break;
                case "Split" when words == null && part.GetProperty("pattern").TryGetProperty("Regex", out var pattern):
                    words = pattern.GetString();
                    break;
                case var other:
                    throw new FormatException($"found the pre-tokenizer {other}");
            }
        }
        return isOfBytes ? words ?? @"[\s\S]+" : throw new FormatException("found no pre-tokenizer of bytes (ByteLevel)");
    }

    /// <summary>
    /// Unicode's form C. The library runs without the tables of a language (InvariantGlobalization), so .NET does not have it; the database
    /// does, and is asked where a text has something to compose.
    /// </summary>
    private static string Compose(string text)
    {
        if (!text.EnumerateRunes().Any(MayChange))
            return text;
        lock (Unicode.Value)
        {
            using var rows = Unicode.Value.Query("SELECT nfc_normalize($1)", text);
            return rows.Read() && rows.Text(0) is { } composed ? composed : text;
        }
    }

    /// <summary>Accents that stand by themselves, parts of Korean syllables, and letters that are there twice.</summary>
    private static bool MayChange(Rune rune) => rune.Value >= 0x0300
        && (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
            || rune.Value is (>= 0x1100 and <= 0x11FF) or (>= 0x1F00 and <= 0x1FFF) or (>= 0x2000 and <= 0x2001)
            or (>= 0x2126 and <= 0x212B) or (>= 0x2329 and <= 0x232A) or 0x0374 or 0x037E or 0x0387 or (>= 0xF900 and <= 0xFB4E)
            or (>= 0x2F800 and <= 0x2FA1D));

    private static string Lower(string text) => text.ToLowerInvariant();

    private static string OneSpace(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
