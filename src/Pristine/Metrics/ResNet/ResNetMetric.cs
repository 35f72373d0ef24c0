namespace Pristine.Metrics.ResNet;

/// <summary>
/// <c>resnet50@NAME</c>: a ridge regression, trained on the opinion scores of one dataset, on statistics of the four stages of an ImageNet
/// ResNet-50 (<see cref="ResNetFeatures"/>): score = bias + w . features. K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for
/// Image Recognition", CVPR 2016, DOI 10.1109/CVPR.2016.90. <c>resnet50@biq2021</c>, also just <c>resnet50</c>, is trained on BIQ2021: N.
/// Ahmed, H. M. S. Asif, "BIQ2021: a large-scale blind image quality assessment database", Journal of Electronic Imaging 31(5), 2022,
/// DOI 10.1117/1.JEI.31.5.053010. <c>resnet50@damage</c> is trained on copies of BIQ2021's better photographs that the degradations of
/// ARNIQA (L. Agnolucci et al., WACV 2024, arXiv 2310.14918) made worse: 0 is none, 1 the strongest level. Both look at the same features,
/// which are computed once. The regressors are part of this library, the network is imported.
/// </summary>
public sealed class ResNetMetric : FeatureMetric
{
    /// <summary>Name of the network's features, and short name of the bundled metric.</summary>
    public const string BaseName = "resnet50";

    private const string BundledHead = "biq2021";

    private readonly QualityHead _head;
    private readonly ResNetFeature _feature;

    /// <summary>The metric of a regressor.</summary>
    /// <param name="head">The regressor.</param>
    /// <exception cref="ArgumentException">The regressor was trained on other features.</exception>
    public ResNetMetric(QualityHead head)
        : this(head, null)
    {
    }

    /// <summary>The metric of a head, on a network of its own.</summary>
    internal ResNetMetric(QualityHead head, ResNetFeature? features)
    {
        ArgumentNullException.ThrowIfNull(head);
        (_head, _feature) = (head, features ?? new ResNetFeature());
        if (head.Features != Feature.Identity || head.Weights.Length != Feature.Count)
            throw new ArgumentException(
                $"Expected a head for the {Feature.Count} features {Feature.Identity}; '{head.Name}' is for the {head.Weights.Length} " +
                $"features {head.Features}.", nameof(head));
    }

    /// <summary><c>resnet50@biq2021</c>.</summary>
    public static ResNetMetric Biq2021 { get; } = new(ReadBundled("resnet50-biq2021.head"));

    /// <summary><c>resnet50@damage</c>.</summary>
    public static ResNetMetric Damage { get; } = new(ReadBundled("resnet50-damage.head"));

    private bool IsDamage => _head.Name == "damage";

    /// <inheritdoc/>
    public override string Name => $"{BaseName}@{_head.Name}";

    /// <summary>The short name, for the bundled metric.</summary>
    public override IReadOnlyList<string> Aliases => _head.Name == BundledHead ? [BaseName] : [];

    /// <inheritdoc/>
    public override string Summary => IsDamage
        ? "Damage (blur, noise, compression, wrong exposure, lost resolution) as a regression on an ImageNet network predicts it, " +
        "trained on degraded photographs; its network is imported once."
        : $"Opinion score as a regression on an ImageNet network predicts it, trained on {_head.Name}; its network is imported once.";

    /// <inheritdoc/>
    public override string Formula =>
        "ridge regression on mean and deviation of every channel of the four stages of ResNet-50 (ImageNet, int8), image at 512 x 512 " +
        "pixels' area and at half size";

    /// <inheritdoc/>
    public override string Citation =>
        "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. CVPR 2016, doi:10.1109/CVPR.2016.90"
        + (IsDamage ? "; degradations: Agnolucci, Galteri, Bertini, Del Bimbo: ARNIQA. WACV 2024, arXiv:2310.14918"
            : _head.Name == BundledHead
            ? "; ratings: Ahmed, Asif: BIQ2021. J. Electronic Imaging 31(5), 2022, doi:10.1117/1.JEI.31.5.053010"
            : "");

    /// <inheritdoc/>
    public override string Unit => IsDamage ? "damage, 0 none to 1 strong" : $"opinion score of {_head.Name}";

    /// <inheritdoc/>
    public override string Notes => IsDamage
        ? "Says whether something happened to a photograph, not whether people like it; `resnet50@biq2021` says the latter, from the " +
        "same features. It is "
            + "weakest at photographs that were darkened, brightened or changed in contrast, for others were taken so. Measured in " +
            "docs/results/damage.md."
        : "";

    /// <inheritdoc/>
    public override MetricDirection Direction => _head.Best > _head.Worst ? MetricDirection.HigherIsBetter : MetricDirection.LowerIsBetter;

    /// <summary>The scale of the ratings. Scores are not clipped and may lie a little outside.</summary>
    public override MetricRange Range => new(Math.Min(_head.Worst, _head.Best), Math.Max(_head.Worst, _head.Best));

    /// <inheritdoc/>
    public override Feature Feature => _feature;

    /// <inheritdoc/>
    public override Metric WithDevice(string device) => device == Device ? this : new ResNetMetric(_head, _feature.WithDevice(device));

    /// <summary>SHA-256 of the regressor's file; the network is pinned by the version of the library.</summary>
    public override string ModelSha256 => _head.Sha256;

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) => _head.Score(features);

    private static QualityHead ReadBundled(string name) => QualityHead.Parse(BundledFile.Read(name), name);
}
