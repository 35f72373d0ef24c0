using System.Globalization;

namespace Pristine.Experiments;

/// <summary>The ways in which an image can be made worse on purpose.</summary>
public enum DegradationKind
{
    /// <summary>A Gaussian filter.</summary>
    GaussianBlur,

    /// <summary>A disc, as a lens out of focus.</summary>
    LensBlur,

    /// <summary>A straight movement in a random direction.</summary>
    MotionBlur,

    /// <summary>JPEG compression.</summary>
    Jpeg,

    /// <summary>Gaussian noise.</summary>
    WhiteNoise,

    /// <summary>Black and white samples (salt and pepper).</summary>
    ImpulseNoise,

    /// <summary>Gaussian noise in proportion to the level (speckle).</summary>
    MultiplicativeNoise,

    /// <summary>A tone curve bent up.</summary>
    Brighten,

    /// <summary>A tone curve bent down.</summary>
    Darken,

    /// <summary>A tone curve made steeper or flatter.</summary>
    Contrast,

    /// <summary>Colours made pale, grey, or inverted.</summary>
    Saturation,

    /// <summary>Nearest-neighbour scaling down and up.</summary>
    Pixelate,

    /// <summary>Few levels per channel.</summary>
    Quantise,

    /// <summary>Scaling down and smoothly up again.</summary>
    Downscale,
}

/// <summary>
/// One kind of degradation with its five levels. Kinds and values are those of ARNIQA's degradation model (Agnolucci et al., WACV 2024,
/// arXiv 2310.14918, which takes them from KADID-10k), except <c>downscale</c>, which it lacks. A level's number says how far down ARNIQA's
/// list it stands; for <c>contrast</c> the list alternates between more and less, and some first levels change next to nothing.
/// </summary>
/// <param name="Kind">The kind.</param>
/// <param name="Name">The name in options and logs, for example <c>gaussian_blur</c>.</param>
/// <param name="Parameter">What the values are, with their unit.</param>
/// <param name="Values">The values of levels 1 to 5.</param>
public sealed record DegradationDefinition(DegradationKind Kind, string Name, string Parameter, IReadOnlyList<double> Values)
{
    /// <summary>Number of levels of every kind; the first is level 1.</summary>
    public const int Levels = 5;

    /// <summary>Every kind, in the order of <see cref="DegradationKind"/>.</summary>
    public static IReadOnlyList<DegradationDefinition> All { get; } =
    [
        new(DegradationKind.GaussianBlur, "gaussian_blur", "standard deviation in pixels", [0.1, 0.5, 1, 2, 5]),
        new(DegradationKind.LensBlur, "lens_blur", "radius in pixels", [1, 2, 4, 6, 8]),
        new(DegradationKind.MotionBlur, "motion_blur", "length in pixels", [1, 2, 4, 6, 10]),
        new(DegradationKind.Jpeg, "jpeg", "quality", [43, 36, 24, 7, 4]),
        new(DegradationKind.WhiteNoise, "white_noise", "variance of levels in [0,1]", [0.001, 0.002, 0.003, 0.005, 0.01]),
        new(DegradationKind.ImpulseNoise, "impulse_noise", "share of samples hit", [0.001, 0.005, 0.01, 0.02, 0.03]),
        new(DegradationKind.MultiplicativeNoise, "multiplicative_noise", "variance of the factor", [0.001, 0.005, 0.01, 0.02, 0.05]),
        new(DegradationKind.Brighten, "brighten", "twice the rise of middle grey", [0.1, 0.2, 0.4, 0.7, 1.1]),
        new(DegradationKind.Darken, "darken", "twice the fall of middle grey", [0.05, 0.1, 0.2, 0.4, 0.8]),
        new(DegradationKind.Contrast, "contrast", "bend of the tone curve, 0.3 and 0.7 moved by a quarter of it", [
            0, 0.15, -0.4, 0.3, -0.6]),
        new(DegradationKind.Saturation, "saturation", "factor of the HSV saturation", [0.4, 0.2, 0.1, 0, -0.4]),
        new(DegradationKind.Pixelate, "pixelate", "strength s: sides times 0.95 - s^0.6 and back", [0.01, 0.05, 0.1, 0.2, 0.5]),
        new(DegradationKind.Quantise, "quantise", "levels per channel", [20, 16, 13, 10, 7]),
        new(DegradationKind.Downscale, "downscale", "factor of both sides", [1.5, 2, 3, 4, 6]),
    ];

    /// <summary>Finds a kind by its name.</summary>
    /// <param name="name">For example <c>lens_blur</c>.</param>
    /// <exception cref="ArgumentException">There is no such kind; the message lists them.</exception>
    public static DegradationDefinition Get(string name) => All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new ArgumentException(
            $"There is no degradation '{name}'. Expected one of {string.Join(", ", All.Select(kind => kind.Name))}.", nameof(name));

    /// <summary>The definition of a kind.</summary>
    /// <param name="kind">A kind.</param>
    public static DegradationDefinition Get(DegradationKind kind) => All[(int)kind];

    /// <summary>The kinds and their values as a Markdown table, as in docs/experiments.md.</summary>
    public static string ToMarkdown() =>
        "| kind | value | level 1 | 2 | 3 | 4 | 5 |\n| --- | --- | --- | --- | --- | --- | --- |\n" + string.Concat(All.Select(kind =>
            $"| `{kind.Name}` | {kind.Parameter} | " +
            $"{string.Join(" | ", kind.Values.Select(value => value.ToString(CultureInfo.InvariantCulture)))} |\n"));
}

/// <summary>One degradation of one image.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Level">How strongly, 1 to 5.</param>
/// <param name="Angle">
/// The direction of <see cref="DegradationKind.MotionBlur"/> in degrees, counter-clockwise from the horizontal; 0 for other kinds.
/// </param>
public readonly record struct Degradation(DegradationKind Kind, int Level, double Angle = 0)
{
    /// <summary>The value of the level, in the unit that <see cref="DegradationDefinition.Parameter"/> names.</summary>
    public double Value => DegradationDefinition.Get(Kind).Values[Level - 1];
}
