using Pristine.Datasets;
using Pristine.Media;

namespace Pristine.Server;

/// <summary>
/// Images that a dataset holds itself (<c>data:</c> addresses). They are found by reading the dataset from its start: so one reading looks
/// for those that will be asked for next too, and what was found last stays in memory, up to a bound. Safe to use from several threads.
/// </summary>
/// <param name="open">Opens the dataset.</param>
/// <param name="mostBytes">The most bytes of addresses that stay in memory.</param>
internal sealed class HeldImages(Func<Dataset> open, long mostBytes = 64 << 20)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, DataSource> _found = new(StringComparer.Ordinal);
    private readonly Queue<DataSource> _order = [];
    private readonly HashSet<string> _absent = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Forgets which images the dataset did not hold, so that they are looked for again.</summary>
    public void ForgetAbsent()
    {
        lock (_lock)
            _absent.Clear();
    }

    /// <summary>Finds an image.</summary>
    /// <param name="reference">Its name in the table.</param>
    /// <param name="others">Names of images that will be asked for next; called where the dataset has to be read.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>Null where the dataset does not hold it.</returns>
    public MediaSource? Find(string reference, Func<IEnumerable<string>> others, CancellationToken cancellation)
    {
        // Who waits here meanwhile finds what the reading has found.
        lock (_lock)
        {
            if (_found.TryGetValue(reference, out var known) || _absent.Contains(reference))
                return known;
            return Read(reference, [reference, .. others().Where(other => !_found.ContainsKey(other))], cancellation);
        }
    }

    private DataSource? Read(string reference, HashSet<string> wanted, CancellationToken cancellation)
    {
        DataSource? found = null;
        var bytes = 0L;
        ImageFinder.ReadHeld(
            wanted, open,
            image =>
            {
                // Of more than stays in memory only the one that was asked for counts.
                if (image.Reference == reference || bytes + image.AddressBytes <= mostBytes)
                {
                    var alone = image.Alone();
                    bytes += alone.AddressBytes;
                    Keep(alone);
                    if (alone.Reference == reference)
                        found = alone;
                }
                wanted.Remove(image.Reference);
                return found == null || bytes < mostBytes;
            },
            cancellation);
        if (found == null)
            _absent.UnionWith(wanted);
        return found;
    }

    private void Keep(DataSource image)
    {
        _found[image.Reference] = image;
        _order.Enqueue(image);
        _bytes += image.AddressBytes;
        while (_bytes > mostBytes)
        {
            var oldest = _order.Dequeue();
            _found.Remove(oldest.Reference);
            _bytes -= oldest.AddressBytes;
        }
    }
}
