using Pristine.Datasets;

namespace Pristine.PaddleMix;

/// <summary>What an exception in one item does to <see cref="MMDataset.Map"/> and <see cref="MMDataset.Filter"/>.</summary>
public enum ItemErrors
{
    /// <summary>It is recorded in <see cref="MMDataset.Failures"/>. Map keeps the item unchanged; Filter leaves it out.</summary>
    Record,

    /// <summary>It stops the operation.</summary>
    Throw,
}

/// <summary>How <see cref="MMDataset.Map"/> and <see cref="MMDataset.Filter"/> run.</summary>
public sealed record MapOptions
{
    /// <summary>Threads, at least 1; by default one per core. The order of the items does not depend on it.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Told of the progress at most ten times a second, and at the end; null for nobody. Called by one thread at a time.</summary>
    public IProgress<MapProgress>? Progress { get; init; }

    /// <summary>What an exception in one item does; by default it is recorded.</summary>
    public ItemErrors OnError { get; init; } = ItemErrors.Record;
}

/// <summary>How far an operation is.</summary>
/// <param name="Done">Items done, failed ones included.</param>
/// <param name="Total">Items of the dataset.</param>
/// <param name="Failed">Items whose function threw.</param>
public readonly record struct MapProgress(int Done, int Total, int Failed);

/// <summary>An item whose function threw.</summary>
/// <param name="Index">Its position in the dataset that was mapped or filtered.</param>
/// <param name="Item">The item.</param>
/// <param name="Error">What it threw.</param>
public sealed record MapFailure(int Index, MMItem Item, Exception Error);
