namespace Pristine.Scoring;

/// <summary>
/// Keeps memory flat over a run of any length. The collector lets garbage grow to a share of the processor's last-level cache before it
/// collects; on servers that is 100 MB and more for a program whose live data is a few. The setting that bounds it (GCgen0size) can only
/// be given as an environment variable, so the run collects by itself: about once per 4,000 images, less than a millisecond each.
/// </summary>
internal sealed class GarbageBudget
{
    private const long Budget = 4 << 20;
    private long _next = GC.GetTotalAllocatedBytes() + Budget;

    /// <summary>Collects when the budget has been allocated since the last time.</summary>
    public void Check()
    {
        if (GC.GetTotalAllocatedBytes() < _next)
            return;
        GC.Collect(1, GCCollectionMode.Forced, blocking: true);
        _next = GC.GetTotalAllocatedBytes() + Budget;
    }
}
