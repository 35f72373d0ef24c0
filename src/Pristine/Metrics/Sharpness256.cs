using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>sharpness_256</c>: the variance of the Laplacian as in <see cref="Sharpness"/>, after the longer side has been shrunk to 256 pixels
/// by area averages, so that the number does not depend on how many pixels a scene was stored in.
/// </summary>
/// <remarks>
/// Every pixel of the small plane is the mean of the luma that falls on it, with the shares of pixels that two of them divide; a smaller
/// image is left as it is. Sums are integers, so the score is the same on every machine. Unit: grey levels squared. Range: 0 to 1020^2. No
/// direction: what a photograph has at this size depends on what it shows.
/// </remarks>
public sealed class Sharpness256 : Metric
{
    /// <summary>The longer side of the small plane.</summary>
    public const int Side = 256;

    /// <inheritdoc/>
    public override string Name => "sharpness_256";

    /// <inheritdoc/>
    public override string Summary =>
        "Variance of the Laplacian after shrinking the longer side to 256 pixels: compares images of different sizes.";

    /// <inheritdoc/>
    public override string Formula =>
        "the formula of sharpness on area averages of luma at 256 pixels on the longer side; a smaller image is not enlarged";

    /// <inheritdoc/>
    public override string Citation => "Pech-Pacheco et al., ICPR 2000, as for sharpness; the shrinking is our own.";

    /// <inheritdoc/>
    public override string Notes =>
        "A photo and the same photo shrunk to 512 pixels differ by less than 10 %, where sharpness differs by factors. In return, blur " +
        "of less than "
        + "the size of a small pixel (16 pixels at 4096) is not seen. Images below 256 pixels are measured as they are and compare with " +
        "their like only.";

    /// <inheritdoc/>
    public override string Unit => "grey levels squared";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1020 * 1020);

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <summary>The size at which an image is measured.</summary>
    /// <param name="width">Columns of the image, at least 1.</param>
    /// <param name="height">Rows of the image, at least 1.</param>
    public static (int Width, int Height) Size(int width, int height)
    {
        var longer = Math.Max(width, height);
        return longer <= Side ? (width, height) : (Shrunk(width), Shrunk(height));

        int Shrunk(int side) => Math.Max(1, (int)Math.Round((double)side * Side / longer));
    }

    /// <inheritdoc/>
    public override MetricScorer CreateScorer() => new Scorer();

    private sealed class Scorer : MetricScorer
    {
        private readonly double[] _small = new double[Side * Side];
        private readonly long[] _row = new long[Side];
        private readonly long[] _sums = new long[Side];

        public override double Score(in ImageView image)
        {
            var (width, height) = Size(image.Width, image.Height);
            if ((width, height) == (image.Width, image.Height))
                return LaplacianMoments.Measure(image.Luma, width, height).Variance;
            Shrink(image, width, height);
            return Variance(_small, width, height);
        }

        /// <summary>
        /// Area averages. Lengths are counted in parts: a pixel of the image has as many parts along an axis as the small plane has pixels
        /// there, a pixel of the small plane as many as the image. So shares are whole numbers.
        /// </summary>
        private void Shrink(in ImageView image, int width, int height)
        {
            var area = (double)image.Width * image.Height;
            var (target, room) = (0, (long)image.Height);
            Array.Clear(_sums);
            for (var y = 0; y < image.Height; y++)
            {
                ShrinkRow(image.Luma.Slice(y * image.Width, image.Width), width);
                long parts = height;
                while (parts > 0)
                {
                    var share = Math.Min(parts, room);
                    for (var x = 0; x < width; x++)
                        _sums[x] += share * _row[x];
                    (parts, room) = (parts - share, room - share);
                    if (room > 0)
                        continue;
                    for (var x = 0; x < width; x++)
                        _small[target * width + x] = _sums[x] / area;
                    Array.Clear(_sums);
                    (target, room) = (target + 1, image.Height);
                }
            }
        }

        /// <summary>The sums of the parts of a row that fall on each column of the small plane.</summary>
        private void ShrinkRow(ReadOnlySpan<byte> luma, int width)
        {
            var x = 0;
            var left = (long)width;
            for (var target = 0; target < width; target++)
            {
                long sum = 0, room = luma.Length;
                while (room >= left)
                {
                    sum += left * luma[x];
                    room -= left;
                    left = width;
                    if (++x == luma.Length)
                        break;
                }
                if (room > 0 && x < luma.Length)
                {
                    sum += room * luma[x];
                    left -= room;
                }
                _row[target] = sum;
            }
        }

        private static double Variance(double[] plane, int width, int height)
        {
            double sum = 0, squares = 0;
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                {
                    var response = plane[Mirror(y - 1, height) * width + x] + plane[Mirror(y + 1, height) * width + x]
                        + plane[y * width + Mirror(x - 1, width)] + plane[y * width + Mirror(x + 1, width)] - 4 * plane[y * width + x];
                    sum += response;
                    squares += response * response;
                }
            var (pixels, mean) = ((double)width * height, sum / ((double)width * height));
            return Math.Max(0, squares / pixels - mean * mean);
        }

        /// <summary>As in sharpness: outside the plane pixels are mirrored without repeating the edge.</summary>
        private static int Mirror(int i, int length) =>
            length == 1 ? 0 : i < 0 ? -i : i < length ? i : 2 * (length - 1) - i;
    }
}
