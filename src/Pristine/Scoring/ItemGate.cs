using Pristine.Datasets;

namespace Pristine.Scoring;

/// <summary>
/// A condition on an item's record, asked before any image of the item is opened. The images of an item that does not fulfil it get the
/// status <see cref="Media.ImageStatus.Skipped"/> and no scores. See <see cref="ScoringOptions.ItemGates"/>.
/// </summary>
public abstract class ItemGate
{
    /// <summary>Judges an item. Several threads call it at the same time.</summary>
    /// <param name="item">A sound item.</param>
    /// <returns>Null to go on; otherwise why not, for example <c>text_length 12 fails text_length &gt; 200</c>.</returns>
    public abstract string? Failure(DatasetItem item);

    /// <summary>Whether the answer depends on the item's position in the dataset, which is not known while parts are scored.</summary>
    internal virtual bool JudgesPosition => false;
}
