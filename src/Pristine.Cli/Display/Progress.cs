using System.Globalization;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Cli.Display;

/// <summary>
/// Tells on stderr how a run goes: one line that renews itself on a terminal, else a plain line every half minute. Counts images, not
/// items.
/// </summary>
internal sealed class Progress : IDisposable
{
    private readonly LiveLine _line = new();
    private readonly CancellationTokenSource _counting = new();
    private readonly Task<long>? _total;
    private readonly string _how;
    private readonly Timer? _lines;
    private (RunState State, string? Error) _end = (RunState.Stopped, null);

    /// <param name="dataset">
    /// Counted in the background where that is cheap and somebody looks on, so that the end can be foretold; null where it is not known.
    /// </param>
    /// <param name="watch">What counts the run; null for one that tells only how many images there were.</param>
    /// <param name="how">As <see cref="Options.WatchArguments.Progress"/> gives it.</param>
    public Progress(Dataset? dataset = null, RunWatch? watch = null, string how = "text")
    {
        (Watch, _how) = (watch, how);
        if (dataset is { IsCheapToCount: true } && (how == "json" || how == "text" && LiveLine.IsLive))
        {
            _total = Task.Run(() => dataset.Read(_counting.Token).LongCount());
            if (watch != null)
                // What a run takes that takes part after part is not known before its end.
                _total.ContinueWith(
                    counted => watch.Total ??= watch.ShardCount > 0 ? counted.Result / watch.ShardCount : null, CancellationToken.None,
                    TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        if (how == "json" && watch != null)
            _lines = new Timer(_ => WriteLine(RunState.Running), null, LineInterval, LineInterval);
    }

    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(2);

    // Whoever waits this long asks what the time is spent on.
    private static readonly TimeSpan WorthASentence = TimeSpan.FromSeconds(10);

    /// <summary>What counts the run.</summary>
    public RunWatch? Watch { get; }

    /// <summary>Tells that the run has reached its end, and of one that took long where its time went.</summary>
    public void End()
    {
        _end = (RunState.Done, null);
        if (Watch != null && _how == "text" && Elapsed >= WorthASentence)
            Console.Error.WriteLine(TimeSentence.Of(Watch.Snapshot(RunState.Done)));
    }

    /// <summary>Tells why the run has failed.</summary>
    public void Fail(Exception exception) => _end = (RunState.Failed, Failure.Describe(exception).Message);

    public long Images { get; private set; }

    public long Failed { get; private set; }

    public long Items { get; private set; }

    /// <summary>What was looked at: images, or items where none of them has one.</summary>
    public string Counted => HasImages
        ? string.Create(CultureInfo.InvariantCulture, $"{Images:N0} images")
        : string.Create(CultureInfo.InvariantCulture, $"{Items:N0} {(Items == 1 ? "item" : "items")} without an image");

    /// <summary>As many of them a second.</summary>
    public double Rate => (HasImages ? Images : Items) / Elapsed.TotalSeconds;

    /// <summary>Whether an item has an image, or there is none yet.</summary>
    public bool HasImages => Images > 0 || Items == 0;

    /// <summary>Images whose file is not there.</summary>
    public long Missing { get; private set; }

    /// <summary>The name of the first of them, as the dataset writes it; null for none.</summary>
    public string? FirstMissing { get; private set; }

    /// <summary>Rows of items whose sound or film is missing.</summary>
    public long MissingMedia { get; private set; }

    /// <summary>What is said of the first of them.</summary>
    public string? FirstMissingMedia { get; private set; }

    /// <summary>Images at addresses that the network or a server did not give.</summary>
    public long Unreached { get; private set; }

    /// <summary>The row of the first of them; null for none.</summary>
    public ScoreRow? FirstUnreached { get; private set; }

    /// <summary>Images without scores that a gate made needless.</summary>
    public long Skipped { get; private set; }

    /// <summary>The end of a sentence about them; empty where there are none.</summary>
    public string SkippedText => Skipped == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {Skipped:N0} with skipped scores");

    public TimeSpan Elapsed => _line.Elapsed;

    /// <summary>Items whose text has another number of places for images than they have images.</summary>
    private long _otherTokens;

    private string? _firstOtherTokens;

    /// <summary>Whether any item's text has such a place.</summary>
    private bool _hasTokens;

    public void Add(ScoredItem item)
    {
        _hasTokens |= item.Rows is [{ Text.ImageTokens: > 0 }, ..];
        if (item.HasOtherImageTokens)
        {
            _otherTokens++;
            _firstOtherTokens ??= string.Create(
                CultureInfo.InvariantCulture,
                $"'{item.Item.Id}' has {item.Rows[0].Text?.ImageTokens} for {Count(item.Item.Images.Count, "image")}");
        }
        Skipped += item.Rows.Count(row => row.Skipped != null || row.Status == ImageStatus.Skipped);
        foreach (var row in item.Rows)
            if (row is { Status: ImageStatus.Missing, Image: null } or { Status: ImageStatus.Missing, Header: not null })
                (MissingMedia, FirstMissingMedia) = (MissingMedia + 1, FirstMissingMedia ?? row.Error);
            else if (row.Status == ImageStatus.Missing)
                AddMissing(row.Image);
            else if (row is { Status: ImageStatus.Network, Image: not null })
                (Unreached, FirstUnreached) = (Unreached + 1, FirstUnreached ?? row);
        Add(item.Rows.Count(row => row.Image != null), item.Rows.Count(row => row.Failed));
    }

    /// <summary>Counts an image whose file is not there.</summary>
    /// <param name="image">Its name as the dataset writes it.</param>
    public void AddMissing(string? image)
    {
        Missing++;
        FirstMissing ??= image;
    }

    /// <summary>Counts an item.</summary>
    /// <param name="images">Its images.</param>
    /// <param name="failed">How many of them failed.</param>
    public void Add(int images, int failed)
    {
        Items++;
        Images += images;
        Failed += failed;
        if (_how == "text" && _line.IsDue)
            Show();
    }

    /// <summary>
    /// Says on stderr how many items have another number of placeholders in their text than images. Nothing where no item has a
    /// placeholder: such a dataset is for a trainer that needs none.
    /// </summary>
    public void TellPlaceholders()
    {
        if (_otherTokens == 0 || !_hasTokens)
            return;
        Console.Error.WriteLine(
            $"pristine: {Count(_otherTokens, "item")} {(_otherTokens == 1 ? "has" : "have")} more or fewer placeholders such as <image> " +
            $"than images, first {_firstOtherTokens}. " +
            "To drop such items: --drop \"image_tokens <> image_count and image_tokens is not null\"");
    }

    private static string Count(long number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:N0} {noun}{(number == 1 ? "" : "s")}");

    public void Dispose()
    {
        LiveLine.Clear();
        _counting.Cancel();
        if (_lines == null)
            return;
        _lines.Dispose();
        WriteLine(_end.State, _end.Error);
    }

    private void WriteLine(RunState state, string? error = null) => Console.Error.WriteLine(Watch!.Snapshot(state, error).ToJson());

    private void Show()
    {
        var rate = Images / Elapsed.TotalSeconds;
        long? total = _total is { IsCompletedSuccessfully: true } known ? known.Result : null;
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Images:N0}{(total is { } all ? $" of {all:N0}" : "")} images, {rate:N0}/s, {Failed:N0} failed");
        if (total > Images && rate > 0)
            text += $", {Duration(TimeSpan.FromSeconds((total.Value - Images) / rate))} left";
        _line.Show(text);
    }

    /// <summary>A duration as a person says it: <c>42 s</c>, <c>3 min 05 s</c>, <c>2 h 10 min</c>.</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 9.95 => time.TotalSeconds.ToString("0.0 's'", CultureInfo.InvariantCulture),
        < 59.5 => time.TotalSeconds.ToString("0 's'", CultureInfo.InvariantCulture),
        < 3600 => $"{(int)time.TotalMinutes} min {time.Seconds:00} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes:00} min",
    };
}
