using System.Globalization;

namespace Pristine.Metrics.Text;

/// <summary>Counts of sequences of a length; what occurs often is boilerplate, or a model that repeats itself.</summary>
public abstract class RepetitionMetric : TextMetric
{
    /// <summary>The length where the name says none, as in data-juicer.</summary>
    public const int DefaultLength = 10;

    private protected RepetitionMetric(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        Length = length;
    }

    /// <summary>How many characters or words a sequence has.</summary>
    public int Length { get; }

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    private protected string Suffix =>
        Length == DefaultLength ? "" : string.Create(CultureInfo.InvariantCulture, $":{Length}");

    /// <summary>How often each sequence occurs.</summary>
    /// <param name="text">The text.</param>
    /// <param name="starts">Where its units begin, and after the last one where it ends.</param>
    /// <param name="gap">Characters between two units, which are no part of a sequence at its end.</param>
    private protected Dictionary<string, int> Count(string text, List<int> starts, int gap)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var i = 0; i + Length < starts.Count; i++)
        {
            var sequence = text.AsSpan(starts[i], starts[i + Length] - gap - starts[i]);
            lookup[sequence] = lookup.TryGetValue(sequence, out var count) ? count + 1 : 1;
        }
        return counts;
    }
}

/// <summary>
/// data-juicer's <c>char_rep_ratio</c>. Of the different sequences of N characters the most frequent are taken: as many as occur more than
/// once, at most the whole part of the square root of how many there are. The number is their share of all sequences.
/// </summary>
/// <param name="length">Characters of a sequence.</param>
public sealed class CharacterRepetition(int length = RepetitionMetric.DefaultLength) : RepetitionMetric(length)
{
    internal const string Base = "char_rep_ratio";

    /// <inheritdoc/>
    public override string Name => Base + Suffix;

    /// <inheritdoc/>
    public override string Summary => "How much of the item's text is sequences of characters that it repeats.";

    /// <inheritdoc/>
    public override string Formula =>
        $"occurrences of the min(floor(sqrt(d)), r) most frequent sequences of {Length} characters / all sequences; d different ones, r " +
        "of them more than once; 0 for a shorter text";

    /// <inheritdoc/>
    public override string Notes => "char_rep_ratio:N takes sequences of N characters (rep_len).";

    /// <inheritdoc/>
    public override string Citation => $"char_rep_ratio of character_repetition_filter, {DataJuicer}.";

    /// <inheritdoc/>
    public override double Measure(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var starts = new List<int>(text.Length + 1);
        for (var i = 0; i < text.Length; i++)
            if (!char.IsLowSurrogate(text[i]) || i == 0 || !char.IsHighSurrogate(text[i - 1]))
                starts.Add(i);
        starts.Add(text.Length);
        var counts = Count(text, starts, gap: 0).Values.ToArray();
        if (counts.Length == 0)
            return 0;
        Array.Sort(counts);
        var most = Math.Min((int)Math.Sqrt(counts.Length), counts.Count(count => count > 1));
        return (double)counts[^most..].Sum(count => (long)count) / counts.Sum(count => (long)count);
    }
}

/// <summary>data-juicer's <c>word_rep_ratio</c>: the share of sequences of N words that occur more than once.</summary>
/// <param name="length">Words of a sequence.</param>
public sealed class WordRepetition(int length = RepetitionMetric.DefaultLength) : RepetitionMetric(length)
{
    internal const string Base = "word_rep_ratio";

    /// <inheritdoc/>
    public override string Name => Base + Suffix;

    /// <inheritdoc/>
    public override string Summary => "How much of the item's text is sequences of words that it repeats.";

    /// <inheritdoc/>
    public override string Formula =>
        $"occurrences of the sequences of {Length} words that occur more than once / all sequences; words as for num_words, in lower " +
        "case; 0 for a shorter text";

    /// <inheritdoc/>
    public override string Notes =>
        "word_rep_ratio:N takes sequences of N words (rep_len). Characters become lower case one by one.";

    /// <inheritdoc/>
    public override string Citation => $"word_rep_ratio of word_repetition_filter, {DataJuicer}.";

    /// <inheritdoc/>
    public override double Measure(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lower = text.ToLowerInvariant();
        var joined = new System.Text.StringBuilder(lower.Length + 1);
        var starts = new List<int> { 0 };
        foreach (var part in lower.AsSpan().SplitAny(' ', '\n', '\t'))
        {
            var word = SpecialCharacters.Strip(lower.AsSpan()[part]);
            if (word.IsEmpty)
                continue;
            joined.Append(word).Append(' ');
            starts.Add(joined.Length);
        }
        var counts = Count(joined.ToString(), starts, gap: 1);
        return counts.Count == 0 ? 0
            : (double)counts.Values.Sum(count => count > 1 ? (long)count : 0) / counts.Values.Sum(count => (long)count);
    }
}

/// <summary>The metrics of repetition with a length of their own, by their names: <c>char_rep_ratio:5</c>.</summary>
internal sealed class RepetitionFamily : MetricFamily
{
    /// <inheritdoc/>
    public override Metric? Parse(string name, out string? fault)
    {
        fault = null;
        if (name.Split(':') is not [CharacterRepetition.Base or WordRepetition.Base, var length])
            return null;
        if (int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 1000
            && number != RepetitionMetric.DefaultLength)
            return name.StartsWith('c') ? new CharacterRepetition(number) : new WordRepetition(number);
        fault = $"Expected a length of sequences from 1 to 1000 after the colon of '{name}'; 10 is that of the name without one.";
        return null;
    }
}
