namespace Pristine.Scoring;

/// <summary>
/// Keeps memory flat over a run of any length. The collector lets garbage grow to a share of the processor's last-level cache before it
/// collects; on servers that is 100 MB and more for a program whose live data is a few. The setting that bounds it (GCgen0size) can only
/// be given as an environment variable, so the run collects by itself: about once per 4,000 images, less than a millisecond each.
/// What a reader of archives has held for long is old when it is let go, and large images are old from the beginning: the old objects are
/// collected whenever they have grown by a few megabytes: some milliseconds each.
/// </summary>
internal sealed class GarbageBudget
{
    private const long Budget = 4 << 20;
    private const int OldGeneration = 2;
    private const int LargeObjects = 3;
    private const long OldBudget = 8 << 20;
    private const long LargeBudget = 32 << 20;
    private long _next = GC.GetTotalAllocatedBytes() + Budget;
    private long _old = long.MaxValue;
    private long _large = long.MaxValue;

    /// <summary>Collects when the budget has been allocated since the last time.</summary>
    public void Check()
    {
        if (GC.GetTotalAllocatedBytes() < _next)
            return;
        GC.Collect(1, GCCollectionMode.Forced, blocking: true);
        var (old, large) = Sizes();
        if (old - OldBudget > _old || large - LargeBudget > _large)
        {
            GC.Collect(OldGeneration, GCCollectionMode.Forced, blocking: true);
            (_old, _large) = Sizes();
        }
        else
            (_old, _large) = (Math.Min(_old, old), Math.Min(_large, large));
        _next = GC.GetTotalAllocatedBytes() + Budget;
    }

    private static (long Old, long Large) Sizes()
    {
        var generations = GC.GetGCMemoryInfo(GCKind.Any).GenerationInfo;
        return (generations[OldGeneration].SizeAfterBytes, generations[LargeObjects].SizeAfterBytes);
    }
}
