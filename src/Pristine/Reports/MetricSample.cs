namespace Pristine.Reports;

/// <summary>Images of a table with all their values, in memory, by column.</summary>
internal sealed class MetricSample
{
    private readonly double[][] _values;
    private readonly int[][] _orders;

    /// <param name="keys">The images' keys, ascending.</param>
    /// <param name="values">For each metric one value per image; NaN where there is none.</param>
    /// <param name="IsWhole">Whether these are all images of the table.</param>
    public MetricSample(long[] keys, double[][] values, bool IsWhole)
    {
        Keys = keys;
        _values = values;
        this.IsWhole = IsWhole;
        _orders = [.. values.AsParallel().AsOrdered().Select(Order)];
    }

    /// <summary>The images' keys, ascending.</summary>
    public long[] Keys { get; }

    /// <summary>Whether these are all images of the table.</summary>
    public bool IsWhole { get; }

    /// <summary>The values of a metric, in the order of <see cref="Keys"/>.</summary>
    public double[] Values(int metric) => _values[metric];

    /// <summary>
    /// The images that have a metric, from its smallest value to its largest; equal ones in an order that is the same in every run.
    /// </summary>
    public int[] Ascending(int metric) => _orders[metric];

    /// <summary>The values of a metric that are there, ascending.</summary>
    public double[] Sorted(int metric) => Array.ConvertAll(_orders[metric], image => _values[metric][image]);

    /// <summary>Keys of images that lie evenly spread over the ranks of a metric, its extremes included.</summary>
    public IEnumerable<long> Ladder(int metric, int rungs)
    {
        var order = _orders[metric];
        rungs = Math.Min(rungs, order.Length);
        return Enumerable.Range(0, rungs)
            .Select(rung => Keys[order[rungs == 1 ? 0 : (int)((long)rung * (order.Length - 1) / (rungs - 1))]]);
    }

    private static int[] Order(double[] values)
    {
        var images = new int[values.Length];
        var keys = new double[values.Length];
        var count = 0;
        for (var image = 0; image < values.Length; image++)
        {
            if (double.IsNaN(values[image]))
                continue;
            keys[count] = values[image];
            images[count++] = image;
        }
        Array.Resize(ref images, count);
        Array.Sort(keys, images, 0, count);
        return images;
    }
}
