namespace Pristine.Metrics.Text;

/// <summary>
/// A number of an item's text. The text is that of <c>text_length</c>: captions, texts and messages, here joined by line ends where there
/// are several. An item that has a record without text has the number of the empty text; one without a record (folders, lists) has none.
/// </summary>
public abstract class TextMetric : ItemMetric
{
    private protected const string DataJuicer = "data-juicer 1.4 (github.com/datajuicer/data-juicer, commit 1dc20a5)";

    /// <inheritdoc/>
    public override string Scope => "text";

    /// <summary>Measures a text. Several threads call it at the same time.</summary>
    /// <param name="text">The text; may be empty.</param>
    /// <returns>The number; finite.</returns>
    public abstract double Measure(string text);

    /// <summary>All of them that are listed.</summary>
    internal static IReadOnlyList<TextMetric> All { get; } =
    [
        new WordCount(), CharacterShare.Alphanumeric, CharacterShare.Special, new CharacterRepetition(), new WordRepetition(),
        LineLength.Average, LineLength.Maximum,
    ];
}
