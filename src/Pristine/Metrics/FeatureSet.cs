using Pristine.Media;
using Pristine.Metrics.Brisque;
using Pristine.Metrics.ResNet;
using Pristine.Models;

namespace Pristine.Metrics;

/// <summary>Numbers computed from an image that a regressor can be trained on. Listed once, in <see cref="All"/>.</summary>
public abstract class FeatureSet
{
    /// <summary>All feature sets.</summary>
    public static IReadOnlyList<FeatureSet> All { get; } = [new ResNetFeatureSet(), new ResNetEmbeddingSet(), new BrisqueLiveFeatureSet()];

    /// <summary>What it is called on the command line, for example <c>resnet50</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Name and version; changes whenever the same pixels may give other numbers, so that a regressor never meets features it was not trained on.</summary>
    public abstract string Identity { get; }

    /// <summary>Numbers per image.</summary>
    public abstract int Count { get; }

    /// <summary>Both sides of an image must have at least this many pixels.</summary>
    public abstract int MinSide { get; }

    /// <summary>Where it is computed, as <see cref="NetworkDevice"/> names it: the CPU, unless it has a network.</summary>
    public virtual string Device => NetworkDevice.Cpu;

    /// <summary>The features on another device; those without a network stay where they are.</summary>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    public virtual FeatureSet WithDevice(string device) => this;

    /// <summary>Null when the features can be computed here; otherwise what is missing and the command that remedies it.</summary>
    public virtual string? Missing => null;

    /// <summary>Makes one worker's extractor, which owns its scratch memory; not thread-safe. The images it gets have RGB pixels.</summary>
    /// <exception cref="InvalidOperationException">The features cannot be computed here; the message is <see cref="Missing"/>.</exception>
    public abstract FeatureExtractor CreateExtractor();

    /// <summary>Finds a feature set by its exact name.</summary>
    /// <param name="name">For example <c>resnet50</c>.</param>
    /// <exception cref="ArgumentException">There is none; the message lists all.</exception>
    public static FeatureSet Get(string name) =>
        All.FirstOrDefault(set => set.Name == name)
        ?? throw new ArgumentException($"There are no features '{name}'. Known: {string.Join(", ", All.Select(set => set.Name))}.", nameof(name));
}

/// <summary>One worker's extractor of a <see cref="FeatureSet"/>.</summary>
public abstract class FeatureExtractor : IDisposable
{
    /// <summary>Computes the features of one image.</summary>
    /// <param name="image">RGB, both sides at least <see cref="FeatureSet.MinSide"/>; nothing of it may be kept.</param>
    /// <param name="features"><see cref="FeatureSet.Count"/> values, overwritten. NaN where a feature does not exist (a constant image).</param>
    public abstract void Compute(in ImageView image, Span<float> features);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the extractor owns.</summary>
    /// <param name="disposing">False when called by a finaliser.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary><c>brisque-live</c>: the 36 features of <see cref="BrisqueLiveFeatures"/>, before scaling.</summary>
public sealed class BrisqueLiveFeatureSet : FeatureSet
{
    /// <inheritdoc/>
    public override string Name => "brisque-live";

    /// <inheritdoc/>
    public override string Identity => "brisque-live:1";

    /// <inheritdoc/>
    public override int Count => BrisqueLiveFeatures.Count;

    /// <inheritdoc/>
    public override int MinSide => BrisqueLiveFeatures.MinSide;

    /// <inheritdoc/>
    public override FeatureExtractor CreateExtractor() => new Extractor();

    private sealed class Extractor : FeatureExtractor
    {
        private readonly BrisqueLiveFeatures _extractor = new();
        private readonly double[] _features = new double[BrisqueLiveFeatures.Count];

        public override void Compute(in ImageView image, Span<float> features)
        {
            _extractor.Compute(image, _features);
            for (var i = 0; i < _features.Length; i++)
                features[i] = (float)_features[i];
        }
    }
}
