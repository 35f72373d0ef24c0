namespace Pristine.Metrics.Cleanvision;

/// <summary>
/// <c>cleanvision_dark</c>, <c>cleanvision_light</c>, <c>cleanvision_low_information</c>, <c>cleanvision_blurry</c>,
/// <c>cleanvision_grayscale</c>: the scores by which cleanvision (github.com/cleanlab/cleanvision, January 2026) finds its issues, for its
/// users to compare. Small is suspicious.
/// </summary>
/// <remarks>
/// No unit. Range: 0 to 1. No direction: neither end is good for every picture. Deviations from cleanvision: EXIF orientation is applied,
/// alpha is dropped, palettes are resolved before anything is computed; a picture whose pixels are exactly grey counts as Pillow's mode L,
/// also when it is stored in colour.
/// </remarks>
public sealed class CleanvisionMetric : FeatureMetric
{
    private const string Deviations =
        "EXIF orientation is applied, alpha dropped and palettes resolved first; a picture whose pixels are exactly grey counts as " +
        "Pillow's mode L, also when it is stored in colour.";

    private readonly ScoreOf _score;

    private delegate double ScoreOf(ReadOnlySpan<double> features);

    private CleanvisionMetric(string issue, string summary, string formula, double threshold, ScoreOf score)
    {
        (Name, Summary, Formula, _score) = ($"cleanvision_{issue}", summary, formula, score);
        Notes = string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"cleanvision's {issue}_score; it flags images below {threshold}. {Deviations}");
    }

    /// <summary>All of them.</summary>
    public static IReadOnlyList<CleanvisionMetric> All { get; } =
    [
        new(
            "dark", "How bright the brightest parts are: low for dark images, as cleanvision scores it.",
            "99th percentile of sqrt(0.241 R^2 + 0.691 G^2 + 0.068 B^2) / 255 over all pixels, of a grey picture of its level / 255", 0.32,
            features => features[CleanvisionFeature.Brightness99]),
        new(
            "light", "How dark the darkest parts are: low for bright images, as cleanvision scores it.",
            "1 - 5th percentile of sqrt(0.241 R^2 + 0.691 G^2 + 0.068 B^2) / 255 over all pixels, of a grey picture of its level / 255",
            0.05,
            features => 1 - features[CleanvisionFeature.Brightness5]),
        new(
            "low_information", "Entropy of the colours: low for blank pages and simple graphics, as cleanvision scores it.",
            "min(1, 0.1 H), H the entropy in bits of the three channels' histograms taken as one, of a grey picture of its one histogram",
            0.3,
            features => Math.Min(1, 0.1 * features[CleanvisionFeature.Entropy])),
        new(
            "blurry", "Edges at 64 pixels, more where few grey levels are used: low for blurred images, as cleanvision scores it.",
            "min(1, 1 - exp(-0.01 E) + s), s = 1 - exp(-0.01 D), 0 where that is at most 0.18; E the standard deviation of Pillow's " +
            "FIND_EDGES, D that of the counts of the "
            + "histogram, of the image shrunk to 64 pixels (bicubic, Pillow's grey)", 0.29,
            features => Blurry(features[CleanvisionFeature.EdgeDeviation], features[CleanvisionFeature.HistogramDeviation])),
        new(
            "grayscale", "0 for a picture whose pixels are all exactly grey, 1 for others, as cleanvision scores it.",
            "0 where R = G = B at every pixel, else 1", 1,
            features => 1 - features[CleanvisionFeature.IsGrey]),
    ];

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string Summary { get; }

    /// <inheritdoc/>
    public override string Formula { get; }

    /// <inheritdoc/>
    public override string Citation =>
        "cleanvision, github.com/cleanlab/cleanvision, src/cleanvision/issue_managers/image_property.py, January 2026.";

    /// <inheritdoc/>
    public override string Notes { get; }

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override Feature Feature { get; } = new CleanvisionFeature();

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) => _score(features);

    private static double Blurry(double edges, double histogram)
    {
        const double factor = 0.01, leastPlain = 0.18;
        var plain = 1 - Math.Exp(-factor * histogram);
        return Math.Min(1, 1 - Math.Exp(-factor * edges) + (plain <= leastPlain ? 0 : plain));
    }
}
