using System.Globalization;
using Pristine.Metrics;

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

    /// <summary>
    /// The cosine of their features is large, or a chain of such images joins them; images without the feature as <see cref="Exact"/>.
    /// </summary>
    Similar,
}

/// <summary>How duplicates are found. See docs/duplicates.md.</summary>
/// <param name="Kind">What is compared.</param>
/// <param name="Distance">Of near duplicates the most bits in which two hashes differ, from 0 to <see cref="MostDistance"/>.</param>
/// <param name="Feature">Of similar images the feature, for example <c>resnet50-embedding</c>; otherwise null.</param>
/// <param name="Similarity">Of similar images the smallest cosine, above 0 and at most 1; otherwise null.</param>
public sealed record DuplicateMethod(
    DuplicateKind Kind, int Distance = DuplicateMethod.DefaultDistance, string? Feature = null, double? Similarity = null)
{
    /// <summary>The similarity of similar images unless another is asked for; docs/duplicates.md says what it finds.</summary>
    public const double DefaultSimilarity = 0.95;

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

    /// <summary>Images whose features have a large cosine.</summary>
    /// <param name="feature">The feature, for example <c>resnet50-embedding</c>.</param>
    /// <param name="similarity">The smallest cosine, above 0 and at most 1.</param>
    public static DuplicateMethod Similar(string feature, double similarity = DefaultSimilarity) =>
        new(DuplicateKind.Similar, 0, feature, similarity);

    /// <summary>Reads <c>exact</c>, <c>near</c>, <c>near:6</c>, <c>resnet50-embedding</c> or <c>resnet50-embedding:0.97</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="RuleException">It is none of them.</exception>
    public static DuplicateMethod Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':', 2);
        return text switch
        {
            "exact" => Exact,
            "near" => Near,
            _ when parts is ["near", var most]
                && int.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits <= MostDistance =>
                Near with { Distance = bits },
            _ when FeatureColumn.Named(parts[0]) is not null && parts.Length == 1 => Similar(parts[0]),
            _ when FeatureColumn.Named(parts[0]) is not null
                && double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var similarity)
                && similarity is > 0 and <= 1 => Similar(parts[0], similarity),
            _ => throw new RuleException(
                $"Expected exact, near, near:BITS with at most {MostDistance} bits, or a feature " +
                $"({string.Join(", ", MetricCatalog.Features.Select(feature => feature.Name))}), also with the smallest cosine, above 0 " +
                $"and at most 1, such as {MetricCatalog.Features[^2].Name}:{DefaultSimilarity.ToString(CultureInfo.InvariantCulture)}; " +
                $"found " +
                $"'{text}'."),
        };
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => Kind switch
    {
        DuplicateKind.Exact => "exact",
        DuplicateKind.Near => string.Create(CultureInfo.InvariantCulture, $"near:{Distance}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Feature}:{Similarity}"),
    };

    /// <summary>For people: <c>exact duplicates</c>, <c>near duplicates within 4 bits</c>.</summary>
    internal string Description => Kind switch
    {
        DuplicateKind.Exact => "exact duplicates",
        DuplicateKind.Near => string.Create(CultureInfo.InvariantCulture, $"near duplicates within {Distance} bits"),
        _ => string.Create(CultureInfo.InvariantCulture, $"near duplicates by {Feature} from {Similarity}"),
    };

    /// <summary>The column that a table needs.</summary>
    internal string Column => Kind switch
    {
        DuplicateKind.Exact => ImageGroups.Content,
        DuplicateKind.Near => ImageGroups.Hash,
        _ => FeatureColumn.NameOf(Feature!),
    };

    /// <summary>Throws for what <see cref="Parse"/> would not give.</summary>
    /// <exception cref="RuleException">The distance, the feature or the similarity is out of its range.</exception>
    internal void Check()
    {
        if (Distance is < 0 or > MostDistance)
            throw new RuleException($"Expected a distance of near duplicates from 0 to {MostDistance} bits; found {Distance}.");
        if (Kind == DuplicateKind.Similar && (Feature == null || Similarity is not (> 0 and <= 1)))
            throw new RuleException(
                $"Expected a feature and a similarity above 0 and at most 1; found '{Feature}' and " +
                $"{Similarity?.ToString(CultureInfo.InvariantCulture) ?? "none"}.");
    }
}
