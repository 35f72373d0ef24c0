namespace Pristine.Metrics.Text;

/// <summary>
/// Words as data-juicer's <c>words_num_filter</c> counts them with <c>tokenization: false</c>: what stands between spaces, tabs and line
/// feeds, without <see cref="SpecialCharacters"/> at either end; what has nothing else is no word.
/// </summary>
public sealed class WordCount : TextMetric
{
    /// <inheritdoc/>
    public override string Name => "num_words";

    /// <inheritdoc/>
    public override string Unit => "words";

    /// <inheritdoc/>
    public override string Summary => "Words of the item's text that are more than punctuation, digits and symbols.";

    /// <inheritdoc/>
    public override string Formula =>
        "number of words: text split at spaces, tabs and line feeds, special characters stripped from both ends, empty ones left out";

    /// <inheritdoc/>
    public override string Notes =>
        "A number such as 2024 is no word, for digits are special characters. The column word_count counts every run of characters that " +
        "are not white space.";

    /// <inheritdoc/>
    public override string Citation => $"num_words of words_num_filter, {DataJuicer}.";

    /// <inheritdoc/>
    public override double Measure(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var count = 0;
        foreach (var part in text.AsSpan().SplitAny(' ', '\n', '\t'))
            if (!SpecialCharacters.Strip(text.AsSpan()[part]).IsEmpty)
                count++;
        return count;
    }
}
