using System.Globalization;
using System.Text;

namespace Pristine.Metrics.Text;

/// <summary>The share of the characters (code points) of a text that are of a kind; 0 for an empty text.</summary>
public sealed class CharacterShare : TextMetric
{
    private readonly string _name;
    private readonly string _summary;
    private readonly string _formula;
    private readonly string _notes;
    private readonly string _citation;
    private readonly Func<Rune, bool> _counts;

    private CharacterShare(string name, string summary, string formula, string notes, string citation, Func<Rune, bool> counts) =>
        (_name, _summary, _formula, _notes, _citation, _counts) = (name, summary, formula, notes, citation, counts);

    /// <summary><c>alnum_ratio</c>: letters and numerals, Python's <c>isalnum</c>.</summary>
    public static CharacterShare Alphanumeric { get; } = new(
        "alnum_ratio", "Share of letters and digits in the item's text.", "letters and numerals / characters; 0 for an empty text",
        "Of every script: Unicode's categories L, Nd, Nl and No, which are those of Python's isalnum.",
        "alnum_ratio of alphanumeric_filter",
        rune => Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber
            or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber);

    /// <summary><c>special_char_ratio</c>: <see cref="SpecialCharacters"/>.</summary>
    public static CharacterShare Special { get; } = new(
        "special_char_ratio", "Share of punctuation, digits, white space, symbols and emoji in the item's text.",
        "special characters / characters; 0 for an empty text",
        "Digits and spaces are special characters too: English prose has about 0.2. The emoji are those of the package emoji 2.2.0, which " +
        "data-juicer pins, of one code point.",
        "special_char_ratio of special_characters_filter", SpecialCharacters.Contains);

    /// <inheritdoc/>
    public override string Name => _name;

    /// <inheritdoc/>
    public override string Summary => _summary;

    /// <inheritdoc/>
    public override string Formula => _formula;

    /// <inheritdoc/>
    public override string Notes => _notes;

    /// <inheritdoc/>
    public override string Citation => $"{_citation}, {DataJuicer}.";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override double Measure(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (all, counted) = (0L, 0L);
        foreach (var rune in text.EnumerateRunes())
        {
            all++;
            counted += _counts(rune) ? 1 : 0;
        }
        return all == 0 ? 0 : (double)counted / all;
    }
}
