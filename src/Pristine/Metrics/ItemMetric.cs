using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// A number that an item has without its images: of its text, its sound or its film. All rows of the item have it, also that of an item
/// without an image. It is computed anew in every run, because it costs little.
/// </summary>
public abstract class ItemMetric : Metric
{
    private protected ItemMetric()
    {
    }

    /// <summary>What it is computed of, in a word: <c>text</c>, <c>audio</c> or <c>video</c>.</summary>
    public abstract string Scope { get; }

    /// <summary>Nothing of an image.</summary>
    public sealed override ImageInput Input => ImageInput.Header;

    /// <summary>There is none: it is no function of an image.</summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    public sealed override MetricScorer CreateScorer() =>
        throw new InvalidOperationException($"{Name} is computed of an item's {Scope}; an image has no score.");
}
