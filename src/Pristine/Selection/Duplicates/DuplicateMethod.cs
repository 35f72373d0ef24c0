using System.Globalization;

namespace Pristine.Selection.Duplicates;

/// <summary>When two images are duplicates of each other.</summary>
public enum DuplicateKind
{
    /// <summary>Their files have the same bytes.</summary>
    Exact,

    /// <summary>
    /// Their perceptual hashes differ in few bits, or a chain of such images joins them; images without such a hash as <see cref="Exact"/>.
    /// </summary>
    Near,
}

/// <summary>How duplicates are found. See docs/duplicates.md.</summary>
/// <param name="Kind">What is compared.</param>
/// <param name="Distance">Of near duplicates the most bits in which two hashes differ, from 0 to <see cref="MostDistance"/>.</param>
public sealed record DuplicateMethod(DuplicateKind Kind, int Distance = DuplicateMethod.DefaultDistance)
{
    /// <summary>
    /// The distance of near duplicates unless another is asked for; docs/duplicates.md says what it finds and what it mistakes.
    /// </summary>
    public const int DefaultDistance = 4;

    /// <summary>The largest distance: beyond it unrelated pictures are near.</summary>
    public const int MostDistance = BlockChoices.MostDistance;

    /// <summary>Equal bytes.</summary>
    public static DuplicateMethod Exact { get; } = new(DuplicateKind.Exact);

    /// <summary>Near hashes, at the usual distance.</summary>
    public static DuplicateMethod Near { get; } = new(DuplicateKind.Near);

    /// <summary>Reads <c>exact</c>, <c>near</c> or <c>near:6</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="RuleException">It is none of them.</exception>
    public static DuplicateMethod Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text switch
        {
            "exact" => Exact,
            "near" => Near,
            _ when text.StartsWith("near:", StringComparison.Ordinal)
                && int.TryParse(text[5..], NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits <= MostDistance =>
                Near with { Distance = bits },
            _ => throw new RuleException($"Expected exact, near, or near:BITS with at most {MostDistance} bits; found '{text}'."),
        };
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() =>
        Kind == DuplicateKind.Exact ? "exact" : string.Create(CultureInfo.InvariantCulture, $"near:{Distance}");

    /// <summary>For people: <c>exact duplicates</c>, <c>near duplicates within 4 bits</c>.</summary>
    internal string Description =>
        Kind == DuplicateKind.Exact
        ? "exact duplicates"
        : string.Create(CultureInfo.InvariantCulture, $"near duplicates within {Distance} bits");
}
