using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Pristine.Kernels;
using Pristine.Tables;

namespace Pristine.Selection.Duplicates;

/// <summary>
/// Finds vectors whose cosine is large. Exact: no pair at or above the similarity is missed. Vectors lie in a temporary file; memory is
/// about 320 bytes for each different vector. Every pair is looked at, by a bound: with the parts of two unit vectors along some directions
/// that are at right angles to each other, and the lengths r of what remains of them, the cosine is at most the product of the parts plus r
/// x r (Cauchy and Schwarz). The directions are made of vectors of the set, so that little remains. Only where the bound reaches the
/// similarity the vectors themselves are read. Equal vectors are one, and two that are in one group already are not compared.
/// </summary>
internal sealed class SimilarVectors : IDisposable
{
    /// <summary>Directions; the length of what remains is one number more.</summary>
    private const int MostDirections = 63;

    private const int SketchLength = MostDirections + 1;

    /// <summary>Vectors that are compared with as many others at once.</summary>
    private const int Tile = 256;

    /// <summary>More than what rounding to 32 bits can take from a bound of 64 products of numbers below 1.</summary>
    private const double Rounding = 1e-5;

    private readonly int _length;
    private readonly SafeFileHandle _file;
    private readonly Dictionary<UInt128, int> _known = [];
    private readonly List<double> _squares = [];
    private readonly float[] _written;
    private int _waiting;

    /// <param name="length">Numbers in a vector.</param>
    public SimilarVectors(int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        _length = length;
        _written = new float[Tile * length];
        var path = Path.Combine(Path.GetTempPath(), $"pristine-vectors-{Guid.NewGuid():N}");
        _file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, FileOptions.DeleteOnClose);
        // A file that is open needs no name here, and one without leaves nothing behind however the process ends.
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
    }

    /// <summary>Different vectors.</summary>
    public int Count => _squares.Count;

    /// <summary>Adds a vector.</summary>
    /// <param name="vector">As many numbers as the length.</param>
    /// <returns>
    /// Its position, that of an equal one if there is one; -1 for a vector without a direction: all are zero, or one is no number.
    /// </returns>
    /// <exception cref="ScoreTableException">It has another length.</exception>
    public int Add(ReadOnlySpan<float> vector)
    {
        if (vector.Length != _length)
            throw new ScoreTableException($"Expected vectors of {_length} numbers; found one of {vector.Length}.");
        var square = Product(vector, vector);
        if (!double.IsFinite(square) || square == 0)
            return -1;
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(
            _known, XxHash128.HashToUInt128(MemoryMarshal.AsBytes(vector)), out var isKnown);
        if (isKnown)
            return known;
        known = _squares.Count;
        _squares.Add(square);
        vector.CopyTo(_written.AsSpan(_waiting * _length));
        if (++_waiting == Tile)
            Flush();
        return _squares.Count - 1;
    }

    /// <summary>
    /// Groups the vectors: two whose cosine is at least the similarity are in one group, and so are two that a chain of such pairs joins.
    /// </summary>
    /// <param name="similarity">The smallest cosine, above 0 and at most 1.</param>
    /// <param name="threads">Threads, at least 1. They do not change the result.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <returns>For each vector the position of the first vector of its group.</returns>
    public int[] Group(double similarity, int threads, CancellationToken cancellation = default)
    {
        Flush();
        var groups = new JoinedGroups(Count);
        if (Count < 2)
            return groups.Roots();
        var sketches = Sketches(Directions(), threads, cancellation);
        var tiles = (Count + Tile - 1) / Tile;
        // Pairs of tiles in rows, the longest row first.
        ForEach(tiles, threads, () => new Memory(_length), (memory, row) =>
        {
            var a = Widened(sketches, row, memory.Mine);
            for (var column = row; column < tiles; column++)
            {
                cancellation.ThrowIfCancellationRequested();
                var b = Widened(sketches, column, memory.Others);
                var bounds = memory.Bounds.AsSpan(0, a.Rows * b.Rows);
                bounds.Clear();
                RowProducts.Add(a, b, 1, new MatrixView(bounds, a.Rows, b.Rows, b.Rows), Simd.Current);
                Join(bounds, row * Tile, column * Tile, b.Rows, similarity, groups, memory);
            }
        }, cancellation);
        return groups.Roots();
    }

    /// <summary>Deletes the file.</summary>
    public void Dispose() => _file.Dispose();

    private void Join(
        ReadOnlySpan<double> bounds, int first, int other, int columns, double similarity, JoinedGroups groups, Memory memory)
    {
        var read = -1;
        for (var at = 0; at < bounds.Length; at++)
        {
            if (bounds[at] < similarity - Rounding)
                continue;
            var (i, j) = (first + at / columns, other + at % columns);
            if (j <= i || groups.AreJoined(i, j))
                continue;
            if (read != i)
                Read(read = i, memory.First);
            Read(j, memory.Second);
            if (Product(memory.First, memory.Second) / Math.Sqrt(_squares[i] * _squares[j]) >= similarity)
                groups.Join(i, j);
        }
    }

    /// <summary>Vectors of the set, spread evenly over it, made into directions at right angles to each other (Gram and Schmidt).</summary>
    private List<double[]> Directions()
    {
        var directions = new List<double[]>();
        var vector = new float[_length];
        var samples = Math.Min(Count, MostDirections);
        for (var sample = 0; sample < samples; sample++)
        {
            Read((int)((long)sample * Count / samples), vector);
            var rest = Array.ConvertAll(vector, number => (double)number);
            Scale(rest, 1 / Math.Sqrt(Product(rest, rest)));
            // Twice: once leaves what rounding did.
            for (var pass = 0; pass < 2; pass++)
                foreach (var direction in directions)
                {
                    var part = Product(rest, direction);
                    for (var i = 0; i < rest.Length; i++)
                        rest[i] -= part * direction[i];
                }
            // What is left of a vector that lies among the others is rounding.
            var length = Math.Sqrt(Product(rest, rest));
            if (length < 1e-3)
                continue;
            Scale(rest, 1 / length);
            directions.Add(rest);
        }
        return directions;
    }

    /// <summary>For each vector its parts along the directions and the length of what remains, of vectors of length 1.</summary>
    private float[] Sketches(List<double[]> directions, int threads, CancellationToken cancellation)
    {
        var sketches = new float[checked(Count * SketchLength)];
        double[] all = [.. directions.SelectMany(direction => direction)];
        ForEach((Count + Tile - 1) / Tile, threads, () => (
            Read: new float[_length], Wide: new double[Tile * _length], Parts: new double[Tile * MostDirections]), (memory, tile) =>
        {
            cancellation.ThrowIfCancellationRequested();
            var first = tile * Tile;
            var rows = Math.Min(Tile, Count - first);
            for (var row = 0; row < rows; row++)
            {
                Read(first + row, memory.Read);
                var scale = 1 / Math.Sqrt(_squares[first + row]);
                for (var i = 0; i < _length; i++)
                    memory.Wide[(row * _length) + i] = memory.Read[i] * scale;
            }
            Array.Clear(memory.Parts);
            RowProducts.Add(
                new MatrixView(memory.Wide, rows, _length, _length), new MatrixView(all, directions.Count, _length, _length), 1,
                new MatrixView(memory.Parts, rows, directions.Count, MostDirections), Simd.Current);
            for (var row = 0; row < rows; row++)
            {
                var sketch = sketches.AsSpan((first + row) * SketchLength, SketchLength);
                var square = 1.0;
                for (var i = 0; i < directions.Count; i++)
                {
                    var part = memory.Parts[(row * MostDirections) + i];
                    sketch[i] = (float)part;
                    square -= part * part;
                }
                sketch[MostDirections] = (float)Math.Sqrt(Math.Max(0, square));
            }
        }, cancellation);
        return sketches;
    }

    private MatrixView Widened(float[] sketches, int tile, double[] target)
    {
        var rows = Math.Min(Tile, Count - (tile * Tile));
        var source = sketches.AsSpan(tile * Tile * SketchLength, rows * SketchLength);
        for (var i = 0; i < source.Length; i++)
            target[i] = source[i];
        return new MatrixView(target, rows, SketchLength, SketchLength);
    }

    private static void ForEach<T>(int count, int threads, Func<T> memory, Action<T, int> work, CancellationToken cancellation)
    {
        var next = -1;
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Min(threads, count), CancellationToken = cancellation };
        // One memory per thread, and a thread that takes one piece after the other.
        Parallel.For(0, options.MaxDegreeOfParallelism, options, _ =>
        {
            var own = memory();
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
                work(own, i);
        });
    }

    private void Flush()
    {
        RandomAccess.Write(
            _file, MemoryMarshal.AsBytes(_written.AsSpan(0, _waiting * _length)), (long)(Count - _waiting) * _length * sizeof(float));
        _waiting = 0;
    }

    private void Read(int position, float[] vector)
    {
        var bytes = MemoryMarshal.AsBytes(vector.AsSpan());
        var start = (long)position * bytes.Length;
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(_file, bytes, start);
            if (read == 0)
                throw new IOException("The temporary file of vectors is shorter than what was written to it.");
            bytes = bytes[read..];
            start += read;
        }
    }

    /// <summary>The sum of products in one order, so that a pair at the border is decided alike on every processor.</summary>
    private static double Product(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double even = 0, odd = 0;
        var i = 0;
        for (; i + 1 < a.Length; i += 2)
        {
            even += (double)a[i] * b[i];
            odd += (double)a[i + 1] * b[i + 1];
        }
        return even + odd + (i < a.Length ? (double)a[i] * b[i] : 0);
    }

    private static double Product(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static void Scale(double[] vector, double factor)
    {
        for (var i = 0; i < vector.Length; i++)
            vector[i] *= factor;
    }

    /// <summary>What one worker needs.</summary>
    private sealed class Memory(int length)
    {
        public double[] Mine { get; } = new double[Tile * SketchLength];

        public double[] Others { get; } = new double[Tile * SketchLength];

        public double[] Bounds { get; } = new double[Tile * Tile];

        public float[] First { get; } = new float[length];

        public float[] Second { get; } = new float[length];
    }
}
