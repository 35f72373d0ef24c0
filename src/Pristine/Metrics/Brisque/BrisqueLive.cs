using Pristine.Kernels;
using Pristine.Models;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// BRISQUE as its authors released it, the number that users of MATLAB's original code, pyiqa and piq know. A. Mittal, A. K. Moorthy, A. C.
/// Bovik, "No-Reference Image Quality Assessment in the Spatial Domain", IEEE TIP 21(12), 2012, doi:10.1109/TIP.2012.2214050. 36 features
/// of natural scene statistics (<see cref="BrisqueLiveFeatures"/>), scaled by allrange, and a support vector regression, allmodel.
/// </summary>
/// <remarks>
/// Deviations from the release, each deliberate: (1) where a 7x7 window is exactly flat its coefficient is exactly 0, not the rounding
/// noise of one order of summation; images with flat areas may therefore differ from other tools by some points, as those do among each
/// other. (2) The features are not rounded to six decimals on their way through a text file, which moves scores by up to 0.0004. (3) An
/// image whose features do not exist (a constant one) is infinitely far from every support vector and scores -rho, 153.591 with the LIVE
/// model, where the release fails. Scores are not clipped.
/// </remarks>
public sealed class BrisqueLive : FeatureMetric
{
    private readonly ModelStore? _store;
    private readonly Lock _gate = new();
    private readonly SimdPath _path;
    private (BrisqueLiveModel Model, StoredModel Stored)? _loaded;

    /// <summary>The metric with the model of <see cref="ModelStore.Default"/>.</summary>
    public BrisqueLive()
        : this(null, Simd.Current)
    {
    }

    /// <summary>The metric with the model of a certain store.</summary>
    /// <param name="store">The store.</param>
    public BrisqueLive(ModelStore store)
        : this(store, Simd.Current)
    {
    }

    /// <summary>The metric on a certain path, for tests and measurements.</summary>
    internal BrisqueLive(ModelStore? store, SimdPath path) => (_store, _path, Feature) = (store, path, new BrisqueLiveFeature(path));

    /// <inheritdoc/>
    public override string Name => "brisque-live";

    /// <inheritdoc/>
    public override string Summary => "BRISQUE as the LIVE lab released it for MATLAB; the scores that users of pyiqa and piq know.";

    /// <inheritdoc/>
    public override string Formula =>
        "SVR(RBF) of 36 features: generalised Gaussian fits of (I - mu) / (sigma + 1) and of its products with four neighbours, at full " +
        "and half size";

    /// <inheritdoc/>
    public override string Citation =>
        "Mittal, Moorthy, Bovik: No-Reference Image Quality Assessment in the Spatial Domain. IEEE TIP 2012, " +
        "doi:10.1109/TIP.2012.2214050; LIVE release";

    /// <inheritdoc/>
    public override string Unit => "DMOS of LIVE";

    /// <inheritdoc/>
    public override MetricDirection Direction => MetricDirection.LowerIsBetter;

    /// <summary>Open on both sides; -7 to 154 has been seen.</summary>
    public override MetricRange Range => new(double.NegativeInfinity, double.PositiveInfinity);

    /// <inheritdoc/>
    public override Feature Feature { get; }

    /// <inheritdoc/>
    public override string? ModelSha256
    {
        get
        {
            lock (_gate)
                return (_loaded?.Stored ?? Store.Find(Name))?.Sha256();
        }
    }

    /// <inheritdoc/>
    public override string? Missing => ModelSha256 != null
        ? null
        : "The model brisque-live is not installed; run: pristine models import brisque-live DIR (files allmodel and allrange of the " +
        "LIVE release's BRISQUE)";

    private ModelStore Store => _store ?? ModelStore.Default;

    /// <summary>(100 - score clipped to 0..100) / 100.</summary>
    /// <inheritdoc/>
    public override double Quality(double score) => (100 - Math.Clamp(score, 0, 100)) / 100;

    /// <inheritdoc/>
    /// <exception cref="ModelException">The model in the store is not the one that was imported.</exception>
    public override MetricScorer CreateScorer()
    {
        Load();
        return base.CreateScorer();
    }

    /// <inheritdoc/>
    /// <exception cref="ModelException">The model in the store is not the one that was imported.</exception>
    public override double Score(ReadOnlySpan<double> features)
    {
        var model = Load();
        Span<double> scaled = stackalloc double[BrisqueLiveFeatures.Count];
        model.Range.Scale(features, scaled);
        return model.Regressor.Predict(scaled, _path);
    }

    private BrisqueLiveModel Load()
    {
        lock (_gate)
        {
            if (_loaded == null && Missing is { } message)
                throw new ModelException(message);
            return (_loaded ??= BrisqueLiveModel.Load(Store)).Model;
        }
    }
}
