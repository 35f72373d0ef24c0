namespace Pristine.Metrics.ResNet;

/// <summary>
/// <c>pristine</c>, <c>pristine@NAME</c> and <c>pristine-large</c>: what networks that were trained in this repository
/// (training/README.md) say of a photograph. The small one: the opinion that people would have of it, whether it was damaged, and by what,
/// from the same features, which are computed once; the large one: the opinion alone, closer to people's. score = bias + w . features, and
/// the logistic function of that for all but the opinion. The networks: K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image
/// Recognition", CVPR 2016, DOI 10.1109/CVPR.2016.90, without their last blocks. Opinions: N. Ahmed, H. M. S. Asif, "BIQ2021: a
/// large-scale blind image quality assessment database", Journal of Electronic Imaging 31(5), 2022, DOI 10.1117/1.JEI.31.5.053010. Damage:
/// the degradations of ARNIQA (L. Agnolucci et al., WACV 2024, arXiv 2310.14918). Networks and regressors are part of this library.
/// </summary>
public sealed class PristineMetric : FeatureMetric
{
    /// <summary>Name of the small network's features, and of its opinion.</summary>
    public const string BaseName = "pristine";

    private const string Opinions = PristineCheckpoint.Quality;
    private const string DamageName = "damage";

    private readonly string _head;
    private readonly QualityHead? _own;
    private readonly PristineFeature _feature;

    /// <summary>The metric of a regressor.</summary>
    /// <param name="head">The regressor.</param>
    /// <exception cref="ArgumentException">The regressor was trained on other features.</exception>
    public PristineMetric(QualityHead head)
        : this(
            (head ?? throw new ArgumentNullException(nameof(head))).Name, head,
            new PristineFeature(PristineNetwork.Of(head) ?? PristineNetwork.Small))
    {
        if (head.Features != Feature.Identity || head.Weights.Length != Feature.Count)
            throw new ArgumentException(
                $"Expected a head for the {Feature.Count} features {Feature.Identity}; '{head.Name}' is for the {head.Weights.Length} " +
                $"features {head.Features}.", nameof(head));
    }

    /// <summary>With the bundled head of a name, or one of the user's own.</summary>
    private PristineMetric(string head, QualityHead? own, PristineFeature feature) => (_head, _own, _feature) = (head, own, feature);

    /// <summary>
    /// <c>pristine</c>, <c>pristine@damage</c> and one metric for each kind of damage; <c>pristine-large</c>.
    /// </summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        .. PristineNetwork.All.SelectMany(
            network => network.Outputs.Select(head => new PristineMetric(head, null, new PristineFeature(network)))),
    ];

    private PristineNetwork Network => _feature.Network;

    private QualityHead Head => _own ?? Network.Head(_head);

    private bool IsOpinion => _own == null && _head == Opinions;

    /// <inheritdoc/>
    public override string Name => IsOpinion ? Network.Name : $"{Network.Name}@{_head}";

    /// <inheritdoc/>
    public override string Summary => _own != null
        ? $"Score of a regression on the features of this library's own network, trained on {_head}."
        : _head switch
        {
            Opinions when Network == PristineNetwork.Large =>
                "The same opinion from a larger network of this library: closer to people's, and slower.",
            Opinions => "Opinion that people would have of a photograph, as a network of this library predicts it; nothing to download.",
            DamageName => "Damage (blur, noise, compression, wrong exposure, lost resolution) as the same network finds it.",
            "blur" => "Out of focus, moved or smoothed, as the same network finds it.",
            "noise" => "Noise, as the same network finds it.",
            "compression" => "Traces of compression or of few levels, as the same network finds them.",
            "dark" => "Darkened, as the same network finds it.",
            "bright" => "Brightened, as the same network finds it.",
            "contrast" => "Contrast that was changed, as the same network finds it.",
            "color" => "Saturation that was changed, as the same network finds it.",
            _ => "Enlarged from few pixels, as the same network finds it.",
        };

    /// <inheritdoc/>
    public override string Formula =>
        (_own == null && _head != Opinions ? "logistic function of a" : "a") +
        $" linear function of mean and deviation of every channel of {Network.Architecture} (int8), " +
        string.Join(" and ", Network.Views.Select(
            view => (view.Piece is { } piece ? $"the middle {piece} x {piece} pixels of it" : "image") +
            $" at {view.Side} x {view.Side} pixels' area"));

    /// <inheritdoc/>
    public override string Citation =>
        "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition. CVPR 2016, doi:10.1109/CVPR.2016.90"
        + (_own != null ? "" : _head == Opinions
            ? "; ratings: Ahmed, Asif: BIQ2021. J. Electronic Imaging 31(5), 2022, doi:10.1117/1.JEI.31.5.053010"
            : "; degradations: Agnolucci, Galteri, Bertini, Del Bimbo: ARNIQA. WACV 2024, arXiv:2310.14918");

    /// <inheritdoc/>
    public override string Unit => _own != null ? $"label of {_head}" : _head switch
    {
        Opinions => "mean opinion of BIQ2021, 0 worst to 1 best",
        DamageName => "probability of damage, 0 to 1",
        _ => "probability of this kind of damage, 0 to 1",
    };

    /// <inheritdoc/>
    public override string Notes => _own != null ? "" : _head switch
    {
        Opinions =>
            $"0.5 is the middle of the scale of BIQ2021's raters. Measured in docs/results/{Network.Name}.md, which says where it " +
            "fails.",
        DamageName => "Says whether something happened to a photograph, not whether people like it; the kinds are in `pristine@blur` and " +
            "so on. Measured in docs/results/pristine.md.",
        _ => "Of copies that `pristine degrade` makes; several kinds may be likely at once. Measured in docs/results/pristine.md.",
    };

    /// <inheritdoc/>
    public override MetricDirection Direction => _own == null
        ? _head == Opinions ? MetricDirection.HigherIsBetter : MetricDirection.LowerIsBetter
        : _own.Best > _own.Worst ? MetricDirection.HigherIsBetter : MetricDirection.LowerIsBetter;

    /// <summary>The scale of the ratings; the opinion is not clipped and may lie a little outside.</summary>
    public override MetricRange Range => _own == null ? new(0, 1) : new(Math.Min(_own.Worst, _own.Best), Math.Max(_own.Worst, _own.Best));

    /// <inheritdoc/>
    public override Feature Feature => _feature;

    /// <inheritdoc/>
    public override Metric WithDevice(string device) =>
        device == Device ? this : new PristineMetric(_head, _own, _feature.WithDevice(device));

    /// <summary>SHA-256 of the regressor; the network is pinned by the version of the library.</summary>
    public override string ModelSha256 => Head.Sha256;

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) => Head.Score(features);
}
