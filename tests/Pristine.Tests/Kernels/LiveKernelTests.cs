using Pristine.Kernels;
using Pristine.Tests.References;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public class LiveKernelTests
{
    /// <summary>
    /// Sums of 49 products of up to 65025 are off by up to 1e-10; the root of a variance of at least 1e-4 makes that 1e-9 at most.
    /// </summary>
    private const double MscnTolerance = 2e-9;

    /// <summary>Sums of some thousand terms of about 1 in another order.</summary>
    private const double RelativeSumTolerance = 1e-12;

    /// <summary>Every path that runs here, at sizes around the vectors' lengths, the window's and the ring's.</summary>
    public static TheoryData<SimdPath, int, int> PathsAndSizes()
    {
        var data = new TheoryData<SimdPath, int, int>();
        foreach (var path in Simd.Supported)
            foreach (var (width, height) in ((int, int)[])[(1, 1), (2, 1), (1, 2), (3, 5), (4, 4), (7, 3), (8, 8), (9, 7), (15, 2),
                (16, 17), (17, 16), (31, 9), (33, 12), (64, 6), (67, 11)])
                data.Add(path, width, height);
        return data;
    }

    public static TheoryData<SimdPath> Paths() => [.. Simd.Supported];

    [Fact]
    public void Grey_is_the_rounded_weighted_sum_for_every_colour()
    {
        var rgb = new byte[256 * 3];
        var grey = new double[256];
        for (var red = 0; red < 256; red++)
            for (var green = 0; green < 256; green++)
            {
                for (var blue = 0; blue < 256; blue++)
                    (rgb[3 * blue], rgb[3 * blue + 1], rgb[3 * blue + 2]) = ((byte)red, (byte)green, (byte)blue);
                LiveReleaseGrey.Row(rgb, grey);
                for (var blue = 0; blue < 256; blue++)
                    if (grey[blue] != Math.Floor(.298936021293776 * red + .587043074451121 * green + .114020904255103 * blue + .5))
                        Assert.Fail($"Grey of ({red}, {green}, {blue}) is {grey[blue]}.");
            }
    }

    [Theory]
    [MemberData(nameof(PathsAndSizes))]
    public void Half_size_is_exactly_that_of_the_reference(SimdPath path, int width, int height)
    {
        foreach (var image in Images(width, height))
            Assert.Equal(LiveBrisqueReference.Half(image), Half(path, image));
    }

    [Theory]
    [MemberData(nameof(PathsAndSizes))]
    public void Coefficients_are_those_of_the_reference(SimdPath path, int width, int height)
    {
        foreach (var image in Images(width, height))
        {
            double[,] expected = LiveBrisqueReference.Mscn(image), found = Mscn(path, image);
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                    Assert.Equal(expected[y, x], found[y, x], MscnTolerance);
        }
    }

    [Theory]
    [MemberData(nameof(PathsAndSizes))]
    public void Sums_are_those_of_all_pairs_round_the_corner(SimdPath path, int width, int height)
    {
        var random = new Random(width * 100 + height);
        var image = Fill(width, height, (_, _) => random.Next(5) == 0 ? 0 : random.NextDouble() * 4 - 2);
        var moments = new LiveReleaseMoments(path);
        // A wider image first: nothing of it may be left.
        foreach (var plane in (double[][,])[Fill(width + 5, height + 1, (_, _) => 7), image])
        {
            moments.Start(plane.GetLength(1));
            for (var y = 0; y < plane.GetLength(0); y++)
            {
                Row(plane, y).CopyTo(moments.Row);
                moments.Push();
            }
            moments.Finish();
        }
        Assert.Equal(width * height, moments.Count);
        Near(image.Cast<double>().Sum(Math.Abs), moments.Absolute);
        Near(image.Cast<double>().Sum(v => v * v), moments.Squares);
        foreach (var (product, down, right) in ((int, int, int)[])[(LiveReleaseMoments.Horizontal, 0, 1),
            (LiveReleaseMoments.Vertical, 1, 0), (LiveReleaseMoments.MainDiagonal, 1, 1), (LiveReleaseMoments.SecondaryDiagonal, -1, 1)])
        {
            var expected = LiveBrisqueReference.Products(image, down, right);
            var sums = moments.Products[product];
            Near(expected.Sum(Math.Abs), sums.Absolute);
            Near(expected.Where(v => v < 0).Sum(v => v * v), sums.NegativeSquares);
            Near(expected.Where(v => v > 0).Sum(v => v * v), sums.PositiveSquares);
            Assert.Equal(expected.Count(v => v < 0), sums.Negatives);
            Assert.Equal(expected.Count(v => v > 0), sums.Positives);
        }

        static void Near(double expected, double found) =>
            Assert.Equal(expected, found, RelativeSumTolerance * Math.Max(1, Math.Abs(expected)));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_flat_window_gives_exactly_zero(SimdPath path)
    {
        const int Size = 61;
        // 1/3 and 254.7 are no binary fractions; the island of noise makes sure that the rest is computed.
        foreach (var level in (double[])[1, 127, 255, 1.0 / 3, 254.7])
        {
            var random = new Random(5);
            var mscn = Mscn(path, Fill(Size, Size, (x, y) => x is >= 20 and < 30 && y is >= 20 and < 30 ? random.Next(256) : level));
            for (var y = 0; y < Size; y++)
                for (var x = 0; x < Size; x++)
                {
                    var inside = x is >= 3 and < Size - 3 && y is >= 3 and < Size - 3;
                    var flat = inside && (x is < 17 or >= 33 || y is < 17 or >= 33);
                    Assert.Equal(flat, mscn[y, x] == 0);
                }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Black_is_flat_up_to_the_border(SimdPath path) =>
        Assert.All(Mscn(path, new double[20, 21]).Cast<double>(), value => Assert.Equal(0, value));

    [Theory]
    [MemberData(nameof(Paths))]
    public void Flat_areas_stay_flat_at_half_size(SimdPath path)
    {
        for (var level = 0; level < 256; level += 5)
            Assert.All(Half(path, Fill(19, 23, (_, _) => level)).Cast<double>(), value => Assert.Equal(level, value));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Distance_is_the_sum_of_squared_differences(SimdPath path)
    {
        var random = new Random(3);
        for (var length = 0; length < 70; length++)
        {
            double[] a = [.. Enumerable.Range(0, length).Select(_ => random.NextDouble() * 8 - 4)],
            b = [.. a.Select(_ => random.NextDouble() * 8 - 4)];
            var expected = a.Zip(b, (p, q) => (p - q) * (p - q)).Sum();
            Assert.Equal(expected, SquaredDistance.Between(a, b, path), RelativeSumTolerance * Math.Max(1, expected));
        }
    }

    /// <summary>Noise, black and white noise, a ramp, white, and a single bright pixel: all 8-bit levels.</summary>
    private static IEnumerable<double[,]> Images(int width, int height)
    {
        var random = new Random(width * 1000 + height);
        yield return Fill(width, height, (_, _) => random.Next(256));
        yield return Fill(width, height, (_, _) => random.Next(2) * 255);
        yield return Fill(width, height, (x, y) => (3 * x + 5 * y) & 255);
        yield return Fill(width, height, (_, _) => 255);
        yield return Fill(width, height, (x, y) => x == width / 2 && y == height / 2 ? 255 : 254);
    }

    private static double[,] Fill(int width, int height, Func<int, int, double> level)
    {
        var image = new double[height, width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                image[y, x] = level(x, y);
        return image;
    }

    private static double[] Row(double[,] image, int y) => [.. Enumerable.Range(0, image.GetLength(1)).Select(x => image[y, x])];

    private static double[,] Half(SimdPath path, double[,] image)
    {
        int width = image.GetLength(1), height = image.GetLength(0), taken = 0;
        var kernel = new BicubicHalf(path);
        kernel.Start(width, height);
        var half = new double[BicubicHalf.Half(height), kernel.Width];
        var row = new double[kernel.Width];
        for (var y = 0; y < height; y++)
        {
            kernel.Push(Row(image, y));
            for (; kernel.TryTake(row); taken++)
                for (var x = 0; x < row.Length; x++)
                    half[taken, x] = row[x];
        }
        Assert.Equal(half.GetLength(0), taken);
        return half;
    }

    private static double[,] Mscn(SimdPath path, double[,] image)
    {
        int width = image.GetLength(1), height = image.GetLength(0), made = 0;
        var kernel = new LiveReleaseMscn(path);
        // A wider image first: nothing of it may be left.
        kernel.Start(width + 9);
        kernel.Push(Enumerable.Repeat(99.0, width + 9).ToArray(), new double[width + 9]);
        kernel.Start(width);
        var mscn = new double[height, width];
        var row = new double[width];
        for (var y = 0; y < height + LiveReleaseMscn.Radius; y++)
        {
            if (!kernel.Push(y < height ? Row(image, y) : [], row))
                continue;
            for (var x = 0; x < width; x++)
                mscn[made, x] = row[x];
            made++;
        }
        Assert.Equal(height, made);
        return mscn;
    }
}
