using System.Collections.Concurrent;
using System.Globalization;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Models;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.PaddleMix;

/// <summary>
/// The image quality operations of PaddleMIX's DataCopilot, for <see cref="MMDataset"/>: <c>dataset.Filter(ItemOps.IqaBrisque(0.3, 1))</c>,
/// <c>dataset.Map(ItemOps.TagBrisque())</c>. Scores are qualities in [0,1], 1 best; ranges include both ends; an item without an image is
/// kept. Where PaddleMIX gives an image that is missing the best quality, here it has none and is not kept.
/// </summary>
public static partial class ItemOps
{
    /// <summary>Keeps items whose <c>brisque</c> quality, (100 - score) / 100, lies in a range.</summary>
    /// <param name="min">Smallest quality that is kept.</param>
    /// <param name="max">Largest quality that is kept.</param>
    /// <param name="imageRoot">Folder of relative image paths; by default, as in PaddleMIX, the current one.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">min is above max, or one of them is not a number.</exception>
    public static Func<MMItem, bool> IqaBrisque(double min = 0, double max = 1, string? imageRoot = null) =>
        Between(TagBrisque(imageRoot).Quality, min, max);

    /// <summary>Writes the <c>brisque</c> quality into the field <c>__tag_brisque</c>.</summary>
    /// <param name="imageRoot">Folder of relative image paths; by default the current one.</param>
    /// <returns>A function for <see cref="MMDataset.Map"/>; threads may share it.</returns>
    public static QualityTagger TagBrisque(string? imageRoot = null) => new("brisque", MetricCatalog.Get("brisque"), imageRoot);

    /// <summary>
    /// Keeps items whose <c>arniqa</c> quality lies in a range. As in PaddleMIX that is ARNIQA on the whole image with the regressor of
    /// KonIQ-10k, <c>arniqa:pyiqa@koniq10k</c>; here it is clipped to [0,1].
    /// </summary>
    /// <param name="min">Smallest quality that is kept.</param>
    /// <param name="max">Largest quality that is kept.</param>
    /// <param name="imageRoot">Folder of relative image paths; by default the current one.</param>
    /// <param name="options">
    /// Another regressor, mode, precision, device or store; when null as PaddleMIX has it, from the user's store.
    /// </param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">min is above max, or one of them is not a number.</exception>
    /// <exception cref="ModelException">The weights are not installed; the message names the command that gets them.</exception>
    public static Func<MMItem, bool> IqaArniqa(double min = 0, double max = 1, string? imageRoot = null, ArniqaOptions? options = null) =>
        Between(TagArniqa(imageRoot, options).Quality, min, max);

    /// <summary>Writes the <c>arniqa</c> quality, that of <see cref="IqaArniqa"/>, into the field <c>__tag_arniqa</c>.</summary>
    /// <param name="imageRoot">Folder of relative image paths; by default the current one.</param>
    /// <param name="options">As for <see cref="IqaArniqa"/>.</param>
    /// <returns>A function for <see cref="MMDataset.Map"/>; threads may share it.</returns>
    /// <exception cref="ModelException">The weights are not installed; the message names the command that gets them.</exception>
    public static QualityTagger TagArniqa(string? imageRoot = null, ArniqaOptions? options = null)
    {
        var metric = new ArniqaMetric(options ?? new ArniqaOptions { Mode = ArniqaMode.Pyiqa, Head = ArniqaHead.Get("koniq10k") });
        return metric.Missing is { } missing ? throw new ModelException(missing) : new("arniqa", metric, imageRoot);
    }

    /// <summary>Keeps items whose weighted sum of qualities lies in a range.</summary>
    /// <param name="taggers">The qualities.</param>
    /// <param name="weights">One weight per tagger; they are used as they are and need not sum to 1.</param>
    /// <param name="min">Smallest sum that is kept.</param>
    /// <param name="max">Largest sum that is kept.</param>
    /// <returns>A condition for <see cref="MMDataset.Filter"/>; threads may share it.</returns>
    /// <exception cref="ArgumentException">There is no tagger, the numbers of taggers and weights differ, or min is above max.</exception>
    public static Func<MMItem,
    bool> Ensemble(IReadOnlyList<QualityTagger> taggers, IReadOnlyList<double> weights, double min = 0, double max = 1)
    {
        ArgumentNullException.ThrowIfNull(taggers);
        ArgumentNullException.ThrowIfNull(weights);
        if (taggers.Count == 0 || taggers.Count != weights.Count)
            throw new ArgumentException(
                $"Expected one weight for each of at least one tagger; found {taggers.Count} taggers and {weights.Count} weights.",
                nameof(weights));
        return Between(item => taggers.Zip(weights, (tagger, weight) => tagger.Quality(item) * weight).Sum(), min, max);
    }

    private static Func<MMItem, bool> Between(Func<MMItem, double> quality, double min, double max)
    {
        if (!(min <= max))
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"Expected min <= max; found min {min} and max {max}."), nameof(min));
        return item => item.Images.Count == 0 || (quality(item) is var value && value >= min && value <= max);
    }
}

/// <summary>Computes one metric's quality of an item and writes it into the item's field <c>__tag_NAME</c>.</summary>
public sealed class QualityTagger
{
    private readonly Metric _metric;
    private readonly string? _imageRoot;
    private readonly ConcurrentBag<ImageScorer> _idle = [];

    internal QualityTagger(string name, Metric metric, string? imageRoot)
    {
        Field = $"__tag_{name}";
        _metric = metric;
        _imageRoot = imageRoot;
    }

    /// <summary>The field that <see cref="Apply"/> writes.</summary>
    public string Field { get; }

    /// <summary>The quality of the item's worst image.</summary>
    /// <param name="item">The item.</param>
    /// <returns>
    /// In [0,1], 1 best; NaN where an image has no score (missing, unreadable, too small) and for an item without an image.
    /// </returns>
    public double Quality(MMItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        return item.Images.Count == 0 ? double.NaN : Rows(item).Min(row => _metric.Quality(row.Scores.Span[0]));
    }

    /// <summary>The rows of the item's images.</summary>
    internal IReadOnlyList<ScoreRow> Rows(MMItem item)
    {
        // Workers come and go with each Map or Filter; scorers, with their warm memory, stay.
        if (!_idle.TryTake(out var scorer))
            scorer = new ImageScorer(new ScoringOptions { Metrics = [_metric] });
        try
        {
            return [.. item.Images.Select(image => scorer.Score(_imageRoot == null ? image : Path.Combine(_imageRoot, image)))];
        }
        finally
        {
            _idle.Add(scorer);
        }
    }

    /// <summary>
    /// The item with the field <see cref="Field"/>: its quality, or null where there is none. An item without an image stays as it is.
    /// </summary>
    /// <param name="item">The item; it is not changed.</param>
    public MMItem? Apply(MMItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.Images.Count == 0)
            return item;
        var quality = Quality(item);
        return item.With(Field, double.IsNaN(quality) ? null : quality);
    }

    /// <summary>The tagger as the function that <see cref="MMDataset.Map"/> takes.</summary>
    public Func<MMItem, MMItem?> ToFunc() => Apply;

    /// <summary>So that a tagger can be passed to <see cref="MMDataset.Map"/> as it is.</summary>
    /// <param name="tagger">The tagger.</param>
    public static implicit operator Func<MMItem, MMItem?>(QualityTagger tagger)
    {
        ArgumentNullException.ThrowIfNull(tagger);
        return tagger.Apply;
    }
}
