namespace Pristine.Metrics.Arniqa;

/// <summary>
/// A regressor of ARNIQA: the dataset whose ratings it was trained on, and how its value is scaled. scaled = (raw - Low) / (High - Low),
/// and 1 minus that where the ratings measure how bad an image is. Scaled scores are not clipped.
/// </summary>
/// <param name="Name">The dataset, for example <c>kadid10k</c>.</param>
/// <param name="Low">Smallest rating.</param>
/// <param name="High">Largest rating.</param>
/// <param name="Direction">Which end of the ratings is good: <see cref="MetricDirection.LowerIsBetter"/> for DMOS.</param>
public sealed record ArniqaHead(string Name, double Low, double High, MetricDirection Direction)
{
    /// <summary>The upstream default.</summary>
    public const string Default = "kadid10k";

    /// <summary>All published regressors.</summary>
    public static IReadOnlyList<ArniqaHead> All { get; } =
    [
        new(Default, 1, 5, MetricDirection.HigherIsBetter),
        new("koniq10k", 1, 100, MetricDirection.HigherIsBetter),
        new("spaq", 1, 100, MetricDirection.HigherIsBetter),
        new("flive", 1, 100, MetricDirection.HigherIsBetter),
        new("clive", 1, 100, MetricDirection.HigherIsBetter),
        new("tid2013", 0, 9, MetricDirection.HigherIsBetter),
        new("live", 1, 100, MetricDirection.LowerIsBetter),
        new("csiq", 0, 1, MetricDirection.LowerIsBetter),
    ];

    /// <summary>Finds a regressor.</summary>
    /// <param name="name">Its dataset.</param>
    /// <exception cref="ArgumentException">There is none; the message lists all.</exception>
    public static ArniqaHead Get(string name) =>
        All.FirstOrDefault(head => head.Name == name)
        ?? throw new ArgumentException(
            $"ARNIQA has no regressor '{name}'. Known: {string.Join(", ", All.Select(head => head.Name))}.", nameof(name));

    /// <summary>The score of a raw value.</summary>
    /// <param name="raw">What the linear regressor gives, in the range of the ratings.</param>
    /// <param name="mode">pyiqa, alone, takes FLIVE's ratings as 0 to 100.</param>
    public double Scale(double raw, ArniqaMode mode)
    {
        var low = mode == ArniqaMode.Pyiqa && Name == "flive" ? 0 : Low;
        var share = (raw - low) / (High - low);
        return Direction == MetricDirection.LowerIsBetter ? 1 - share : share;
    }
}

/// <summary>What of an image the encoder sees. The modes differ by up to 0.1, so the mode is part of the metric's name.</summary>
public enum ArniqaMode
{
    /// <summary>
    /// single_image_inference of the release: five crops of 224 pixels (centre and corners; black where the image is smaller) of the
    /// image and of its half size by Pillow's antialiased bilinear filter; the mean of the five scores.
    /// </summary>
    Official,

    /// <summary>test.py and training of the release: as <see cref="Official"/>, but halved by Pillow's bicubic filter.</summary>
    Training,

    /// <summary>pyiqa and PaddleMIX: the whole image, and its 2x2 means.</summary>
    Pyiqa,

    /// <summary>torchmetrics: the whole image, and its half size by torch's antialiased bilinear filter.</summary>
    TorchMetrics,
}
