using Pristine.Media;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>The row of an image, some of whose scores may wait until a network computes several images together.</summary>
/// <param name="row">The row; its scores and vectors are filled in as they come.</param>
/// <param name="scores">The memory of the row's scores; empty where all are known.</param>
internal sealed class RowUnderWay(ScoreRow row, double[] scores)
{
    private readonly List<(int Metric, FeatureExtractor Extractor)> _waiting = [];
    private readonly Dictionary<FeatureExtractor, PreparedImage> _images = [];
    private ScoreRow? _item;
    private ScoredFile? _file;
    private FileScores? _scored;

    /// <summary>The row; final unless it <see cref="IsWaiting"/>.</summary>
    public ScoreRow Row { get; private set; } = row;

    /// <summary>One per metric.</summary>
    public double[] Scores => scores;

    /// <summary>Which metrics are computed; the others have their scores from a table.</summary>
    public bool[] Wanted { get; init; } = [];

    /// <summary>True when every metric was asked for, and not only those that the row of a table lacked.</summary>
    public bool IsWhole { get; init; } = true;

    /// <summary>The last stage that the image has reached.</summary>
    public int LastStage { get; set; }

    /// <summary>The text of the image's item; null where no metric reads it, or there is none.</summary>
    public string? ItemText { get; init; }

    /// <summary>What a gate skipped.</summary>
    public SkippedScores? Skipped { get; set; }

    /// <summary>For each metric why it could not score the image; null for no failure at all.</summary>
    public string?[]? Failures { get; private set; }

    /// <summary>Whether scores are missing that a network will compute.</summary>
    public bool IsWaiting => _waiting.Count > 0;

    /// <summary>The extractors that it waits for.</summary>
    public IEnumerable<FeatureExtractor> Extractors => _images.Keys;

    /// <summary>Notes that a metric has failed.</summary>
    /// <param name="metric">Its position.</param>
    /// <param name="reason">Why.</param>
    public void Fail(int metric, string reason) => (Failures ??= new string?[scores.Length])[metric] = reason;

    /// <summary>Lets a metric wait; the image's part of the batch is prepared once for all metrics of a feature.</summary>
    /// <param name="metric">Its position.</param>
    /// <param name="extractor">What computes its feature.</param>
    /// <param name="image">The image.</param>
    public void Wait(int metric, FeatureExtractor extractor, in ImageView image)
    {
        if (!_images.ContainsKey(extractor))
            _images.Add(extractor, extractor.Prepare(image));
        _waiting.Add((metric, extractor));
    }

    /// <summary>The image as an extractor has prepared it.</summary>
    public PreparedImage Prepared(FeatureExtractor extractor) => _images[extractor];

    /// <summary>The metrics that wait for an extractor.</summary>
    public IEnumerable<int> WaitingFor(FeatureExtractor extractor) =>
        _waiting.Where(entry => entry.Extractor == extractor).Select(entry => entry.Metric);

    /// <summary>Forgets what was prepared.</summary>
    public void Release()
    {
        foreach (var image in _images.Values)
            image.Dispose();
        _images.Clear();
        _waiting.Clear();
    }

    /// <summary>Gives the row its final form, and the scores to those who wait for the file.</summary>
    /// <param name="final">The row of the file.</param>
    public void Settle(ScoreRow final)
    {
        Row = final;
        _scored = new FileScores(final.File, IsWhole, final);
        Publish();
    }

    /// <summary>Says that the scores are those of a file which other items may name too.</summary>
    /// <param name="file">The file; null when nobody waits for it.</param>
    /// <param name="item">The row as far as it is known of the item that names the file here.</param>
    public void Share(ScoredFile? file, ScoreRow item)
    {
        (_file, _item) = (file, item);
        Publish();
    }

    /// <summary>The row of an item that names a file whose scores are known.</summary>
    public static ScoreRow OfItem(ScoreRow item, ScoreRow file) => item with
    {
        Status = file.Status,
        Error = file.Error,
        Skipped = file.Skipped,
        Header = file.Header,
        ContentHash = file.ContentHash,
        Scores = file.Scores,
        Vectors = file.Vectors,
    };

    private void Publish()
    {
        if (_scored == null || _item == null)
            return;
        _file?.Complete(_scored);
        Row = OfItem(_item, _scored.Row);
    }
}
