using System.Globalization;

namespace Pristine.Tests.References;

/// <summary>
/// BRISQUE of the LIVE release, statement by statement and slowly, in the order of summation that GNU Octave's filter2 has: what the fast
/// kernels are checked against. Planes are [row, column].
/// </summary>
internal static class LiveBrisqueReference
{
    /// <summary>
    /// fspecial("gaussian", 7, 7/6) of Octave to the last bit, by distance from the centre along either axis: in flat areas the last bit
    /// decides the features.
    /// </summary>
    private static readonly double[,] Kernel =
    {
        { 0.11739635539001349, 0.081305114516614874, 0.027008944999942323, 0.0043035205210607934 },
        { 0.081305114516614874, 0.05630942821519818, 0.01870556678610541, 0.0029804862989742742 },
        { 0.027008944999942323, 0.01870556678610541, 0.0062138480158640775, 0.0009900950389243662 },
        { 0.0043035205210607934, 0.0029804862989742742, 0.0009900950389243662, 0.00015775863580826989 },
    };

    private static readonly double[] Shapes = [.. Enumerable.Range(0, 9801).Select(i => .2 + i * .001)];

    private static readonly double[] Ratios = [.. Shapes.Select(a => Gamma(2 / a) * Gamma(2 / a) / (Gamma(1 / a) * Gamma(3 / a)))];

    /// <summary>The 36 features of a grey image. Undefined ones are NaN, except that a shape is then 0.2, the first.</summary>
    public static double[] Features(double[,] grey) => [.. ScaleFeatures(Mscn(grey)), .. ScaleFeatures(Mscn(Half(grey)))];

    /// <summary>The 36 features by our own definition of the mean, under which flat windows give exact zeros.</summary>
    public static double[] FeaturesWithExactZeros(double[,] grey) =>
        [.. ScaleFeatures(MscnWithExactZeros(grey)), .. ScaleFeatures(MscnWithExactZeros(Half(grey)))];

    /// <summary>rgb2gray with MATLAB's weights.</summary>
    public static double[,] Grey(ReadOnlySpan<byte> rgb, int width, int height) =>
        Grey(rgb, width, height, .298936021293776, .587043074451121, .114020904255103);

    /// <summary>
    /// rgb2gray with Octave's weights, which are MATLAB's to six decimals: now and then a pixel is rounded the other way.
    /// </summary>
    public static double[,] OctaveGrey(ReadOnlySpan<byte> rgb, int width, int height) =>
        Grey(rgb, width, height, .298936, .587043, .114021);

    private static double[,] Grey(ReadOnlySpan<byte> rgb, int width, int height, double red, double green, double blue)
    {
        var grey = new double[height, width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var i = (y * width + x) * 3;
                grey[y, x] = Math.Floor(red * rgb[i] + green * rgb[i + 1] + blue * rgb[i + 2] + .5);
            }
        return grey;
    }

    private static double[] ScaleFeatures(double[,] mscn)
    {
        var (shape, variance) = Symmetric([.. mscn.Cast<double>()]);
        List<double> features = [shape, variance];
        foreach (var (down, right) in ((int, int)[])[(0, 1), (1, 0), (1, 1), (-1, 1)])
            features.AddRange(Asymmetric(Products(mscn, down, right)));
        return [.. features];
    }

    public static double[,] Mscn(double[,] image) => Normalise(image, Filter(image));

    /// <summary>
    /// Our own definition: the mean along the row is the pixel plus the weighted differences of its neighbours, pair by pair, and the mean
    /// along the column is the same of those; the weights are the kernel's margins.
    /// </summary>
    public static double[,] MscnWithExactZeros(double[,] image)
    {
        int height = image.GetLength(0), width = image.GetLength(1);
        double[,] along = new double[height, width], mu = new double[height, width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                along[y, x] = MeanOfDifferences(image[y, x], i => x + i >= 0 && x + i < width ? image[y, x + i] : 0);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                mu[y, x] = MeanOfDifferences(along[y, x], i => y + i >= 0 && y + i < height ? along[y + i, x] : 0);
        return Normalise(image, mu);
    }

    private static double MeanOfDifferences(double centre, Func<int, double> neighbour)
    {
        var mean = centre;
        for (var i = 1; i <= 3; i++)
            mean += (Kernel[0, i] + 2 * (Kernel[1, i] + Kernel[2, i] + Kernel[3, i])) * (neighbour(-i) + neighbour(i) - 2 * centre);
        return mean;
    }

    private static double[,] Normalise(double[,] image, double[,] mu)
    {
        int height = image.GetLength(0), width = image.GetLength(1);
        double[,] squares = new double[height, width], mscn = new double[height, width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                squares[y, x] = image[y, x] * image[y, x];
        var meanSquare = Filter(squares);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                mscn[y, x] = (image[y, x] - mu[y, x]) / (Math.Sqrt(Math.Abs(meanSquare[y, x] - mu[y, x] * mu[y, x])) + 1);
        return mscn;
    }

    /// <summary>Products of every coefficient with the one (down, right) before it, round the corner.</summary>
    public static double[] Products(double[,] mscn, int down, int right)
    {
        int height = mscn.GetLength(0), width = mscn.GetLength(1);
        var products = new List<double>();
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                products.Add(mscn[y, x] * mscn[(y - down + height) % height, (x - right + width) % width]);
        return [.. products];
    }

    /// <summary>
    /// imresize(image, 0.5): for each output pixel the cubic of a = -0.5, stretched by two, over all mirrored pixels in reach.
    /// </summary>
    public static double[,] Half(double[,] image)
    {
        int height = image.GetLength(0), width = image.GetLength(1);
        var rows = new double[height, (width + 1) / 2];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < rows.GetLength(1); x++)
                rows[y, x] = Resample(2 * x + .5, i => image[y, Mirror(i, width)]);
        var half = new double[(height + 1) / 2, rows.GetLength(1)];
        for (var y = 0; y < half.GetLength(0); y++)
            for (var x = 0; x < half.GetLength(1); x++)
                half[y, x] = Resample(2 * y + .5, i => rows[Mirror(i, height), x]);
        return half;
    }

    /// <summary>The score; NaN where a feature is.</summary>
    public static double Score(double[] features, string[] model, string[] range)
    {
        var scaled = new double[36];
        foreach (var line in range.Skip(2).Where(line => line.Length > 0))
        {
            var fields = Numbers(line);
            var i = (int)fields[0] - 1;
            scaled[i] = -1 + 2 * (features[i] - fields[1]) / (fields[2] - fields[1]);
        }
        double Header(string name) => Number(model.Single(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ')[1]);
        var sum = 0.0;
        foreach (var line in model.SkipWhile(line => line != "SV").Skip(1).Where(line => line.Length > 0))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var vector = new double[36];
            foreach (var pair in fields.Skip(1).Select(field => field.Split(':')))
                vector[(int)Number(pair[0]) - 1] = Number(pair[1]);
            var distance = 0.0;
            for (var i = 0; i < 36; i++)
                distance += (scaled[i] - vector[i]) * (scaled[i] - vector[i]);
            sum += Number(fields[0]) * Math.Exp(-Header("gamma") * distance);
        }
        return sum - Header("rho");
    }

    private static double[,] Filter(double[,] image)
    {
        int height = image.GetLength(0), width = image.GetLength(1);
        var padded = new double[height + 6, width + 6];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                padded[y + 3, x + 3] = image[y, x];
        var filtered = new double[height, width];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var sum = 0.0;
                for (var j = 0; j <= 6; j++)
                    for (var r = 6; r >= 0; r--)
                        sum += Kernel[Math.Abs(r - 3), Math.Abs(j - 3)] * padded[y + r, x + j];
                filtered[y, x] = sum;
            }
        return filtered;
    }

    private static (double Shape, double Variance) Symmetric(double[] sample)
    {
        double variance = sample.Average(v => v * v), mean = sample.Average(Math.Abs);
        return (Shapes[Nearest(variance / (mean * mean), ratio => 1 / ratio)], variance);
    }

    private static double[] Asymmetric(double[] sample)
    {
        double left = MeanSquare(sample.Where(v => v < 0)), right = MeanSquare(sample.Where(v => v > 0));
        double leftDeviation = Math.Sqrt(left), rightDeviation = Math.Sqrt(right), balance = leftDeviation / rightDeviation;
        var mean = sample.Average(Math.Abs);
        var ratio = mean * mean / sample.Average(v => v * v);
        var balanced = ratio * (Math.Pow(balance, 3) + 1) * (balance + 1) / Math.Pow(balance * balance + 1, 2);
        var shape = Shapes[Nearest(balanced, r => r)];
        var scale = Math.Sqrt(Gamma(1 / shape)) / Math.Sqrt(Gamma(3 / shape));
        return [shape, (rightDeviation - leftDeviation) * (Gamma(2 / shape) / Gamma(1 / shape)) * scale, left, right];
    }

    private static double MeanSquare(IEnumerable<double> values) => values.Select(v => v * v).DefaultIfEmpty(double.NaN).Average();

    private static int Nearest(double wanted, Func<double, double> measure)
    {
        var best = 0;
        for (var i = 1; i < Ratios.Length; i++)
            if (Math.Abs(measure(Ratios[i]) - wanted) < Math.Abs(measure(Ratios[best]) - wanted))
                best = i;
        return best;
    }

    private static double Resample(double centre, Func<int, double> pixel)
    {
        double sum = 0, weights = 0;
        for (var i = (int)Math.Ceiling(centre - 4); i <= centre + 4; i++)
        {
            var weight = Cubic((centre - i) / 2);
            weights += weight;
            sum += weight * pixel(i);
        }
        return sum / weights;
    }

    private static double Cubic(double x)
    {
        const double A = -.5;
        x = Math.Abs(x);
        return x <= 1 ? (A + 2) * x * x * x - (A + 3) * x * x + 1 : x < 2 ? A * x * x * x - 5 * A * x * x + 8 * A * x - 4 * A : 0;
    }

    private static int Mirror(int i, int size)
    {
        while (i < 0 || i >= size)
            i = i < 0 ? -1 - i : 2 * size - 1 - i;
        return i;
    }

    /// <summary>Lanczos' approximation, g = 7, nine terms: 15 digits.</summary>
    private static double Gamma(double x)
    {
        double[] terms =
        [
            0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
            -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
        ];
        x -= 1;
        var sum = terms[0];
        for (var i = 1; i < terms.Length; i++)
            sum += terms[i] / (x + i);
        return Math.Sqrt(2 * Math.PI) * Math.Pow(x + 7.5, x + .5) * Math.Exp(-(x + 7.5)) * sum;
    }

    private static double[] Numbers(string line) => [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Number)];

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
