using System.Security.Cryptography;
using System.Text;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.Arniqa;

/// <summary>Which ARNIQA.</summary>
public sealed record ArniqaOptions
{
    /// <summary>The regressor; <c>kadid10k</c> by default, as upstream.</summary>
    public ArniqaHead Head { get; init; } = ArniqaHead.Get(ArniqaHead.Default);

    /// <summary>What of the image the encoder sees.</summary>
    public ArniqaMode Mode { get; init; } = ArniqaMode.Official;

    /// <summary>Arithmetic of the encoder.</summary>
    public NetworkPrecision Precision { get; init; } = NetworkPrecision.Float;

    /// <summary>Where the encoder runs: <c>cpu</c> or <c>cuda:N</c>; by default <see cref="NetworkDevice.Default"/>.</summary>
    public string Device { get; init; } = NetworkDevice.Default;

    /// <summary>Where the model is; null is <see cref="ModelStore.Default"/>.</summary>
    public ModelStore? Store { get; init; }
}

/// <summary>
/// ARNIQA. L. Agnolucci, L. Galteri, M. Bertini, A. Del Bimbo, "ARNIQA: Learning Distortion Manifold for Image Quality Assessment", WACV
/// 2024, arXiv:2310.14918. score = scale(w . [e(x), e(half x)] + b), where e is a ResNet-50 whose output is divided by its L2 norm, x the
/// image normalised with ImageNet's mean and deviation, and w, b a ridge regression on the ratings of one dataset.
/// </summary>
/// <remarks>
/// Names: <c>arniqa</c> is the official mode with the regressor of KADID-10k; <c>arniqa@koniq10k</c> another regressor;
/// <c>arniqa:pyiqa</c>, <c>arniqa:torchmetrics</c>, <c>arniqa:training</c> another mode; <c>arniqa:int8</c> the 8-bit encoder. They
/// combine: <c>arniqa:pyiqa:int8@koniq10k</c>. Deviations from the release: batch normalisations are folded into the convolutions, which
/// moves embeddings by about 1e-6. In the modes of whole images memory grows with the image: by about 240 bytes per pixel.
/// </remarks>
public sealed class ArniqaMetric : FeatureMetric
{
    private readonly Lock _gate = new();
    private LinearHead? _head;

    /// <summary>The metric.</summary>
    /// <param name="options">Regressor, mode, precision, device, store; the defaults when null.</param>
    public ArniqaMetric(ArniqaOptions? options = null)
    {
        Options = options ?? new ArniqaOptions();
        Feature = new ArniqaFeature(Options.Mode, Options.Precision, Options.Device, Options.Store);
        Name = Feature.Name + (Options.Head.Name == ArniqaHead.Default ? "" : "@" + Options.Head.Name);
    }

    /// <summary>The official mode with each of the regressors; other modes are reached by name.</summary>
    public static IReadOnlyList<ArniqaMetric> All { get; } = [.. ArniqaHead.All.Select(head => new ArniqaMetric(new() { Head = head }))];

    /// <summary>What the metric was made with.</summary>
    public ArniqaOptions Options { get; }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string Summary =>
        $"ARNIQA, a neural metric; mode {Options.Mode.ToString().ToLowerInvariant()}, trained on the ratings of {Options.Head.Name}.";

    /// <inheritdoc/>
    public override string Formula =>
        "linear regression of two L2-normalised ResNet-50 embeddings, of the image and of its half size, scaled to [0,1]";

    /// <inheritdoc/>
    public override string Citation =>
        "Agnolucci, Galteri, Bertini, Del Bimbo: ARNIQA: Learning Distortion Manifold for Image Quality Assessment. WACV 2024, " +
        "arXiv:2310.14918";

    /// <inheritdoc/>
    public override string Unit => $"share of the range of {Options.Head.Name}'s ratings";

    /// <inheritdoc/>
    public override MetricDirection Direction => MetricDirection.HigherIsBetter;

    /// <summary>0 to 1; scores are not clipped and may lie a little outside.</summary>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override Feature Feature { get; }

    /// <inheritdoc/>
    public override Metric WithDevice(string device) =>
        device == Options.Device ? this : new ArniqaMetric(Options with { Device = device });

    /// <summary>
    /// Of the encoder's and the regressor's hashes, and in int8 of the graph's: SHA-256 of the lines "hash, two spaces, name, newline".
    /// </summary>
    public override string? ModelSha256
    {
        get
        {
            var (encoder, head) = (Store.Find(ArniqaModel.Encoder), Store.Find(ArniqaModel.HeadName(Options.Head.Name)));
            if (encoder == null || head == null)
                return null;
            var lines = $"{encoder.Sha256()}  {encoder.Name}\n{head.Sha256()}  {head.Name}\n";
            if (Options.Precision == NetworkPrecision.Int8)
            {
                if (ArniqaModel.EncoderSha256(Store, NetworkPrecision.Int8) is not { } graph)
                    return null;
                lines += $"{graph}  int8\n";
            }
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines)));
        }
    }

    /// <inheritdoc/>
    public override string? Missing =>
        Store.Find(ArniqaModel.Encoder) != null && Store.Find(HeadModel) == null ? ArniqaModel.NotInstalled(HeadModel) : Feature.Missing;

    private ModelStore Store => Options.Store ?? ModelStore.Default;

    private string HeadModel => ArniqaModel.HeadName(Options.Head.Name);

    /// <inheritdoc/>
    /// <exception cref="ModelException">
    /// A file in the store is not the one that was imported, or the regressor does not fit the encoder.
    /// </exception>
    /// <exception cref="PlatformNotSupportedException">The device is not available; the message says why.</exception>
    public override MetricScorer CreateScorer()
    {
        Load();
        return base.CreateScorer();
    }

    /// <inheritdoc/>
    /// <exception cref="ModelException">
    /// The regressor in the store is not the one that was imported, or takes another number of features, or the score is not finite.
    /// </exception>
    public override double Score(ReadOnlySpan<double> features) => Score(features, Load(), Options.Head, Options.Mode);

    /// <summary>The score of an image's embeddings.</summary>
    /// <exception cref="ModelException">The regressor takes another number of features, or the score is not finite.</exception>
    internal static double Score(ReadOnlySpan<double> features, LinearHead head, ArniqaHead scale, ArniqaMode mode)
    {
        if (features.Length != head.Weights.Count)
            throw new ModelException(
                $"Expected a regressor on {features.Length} features, twice those of the encoder; that of {scale.Name} has " +
                $"{head.Weights.Count}.");
        var raw = 0.0;
        for (var i = 0; i < features.Length; i++)
            raw += features[i] * head.Weights[i];
        var score = scale.Scale(raw + head.Bias, mode);
        return double.IsFinite(score) ? score : throw new ModelException("Expected a finite score; the encoder overflows on this image.");
    }

    private LinearHead Load()
    {
        if (Volatile.Read(ref _head) is { } loaded)
            return loaded;
        lock (_gate)
        {
            if (_head == null)
            {
                if (Missing is { } message)
                    throw new ModelException(message);
                Volatile.Write(ref _head, ArniqaModel.LoadHead(Store, Options.Head.Name));
            }
            return _head;
        }
    }
}
