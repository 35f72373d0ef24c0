using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// The 36 features of BRISQUE by the recipe of the LIVE release: 18 of the image, then the same 18 of its half-size version. Of each
/// scale: shape and variance of the MSCN coefficients (generalised Gaussian); then for the products with the left, upper, upper left and
/// upper right neighbour: shape, mean, left variance, right variance (asymmetric generalised Gaussian). One pass over the rows; keeps
/// some thirty rows of scratch and allocates nothing for an image that is no wider than an earlier one. Not thread-safe.
/// </summary>
internal sealed class BrisqueLiveFeatures
{
    /// <summary>Number of features.</summary>
    public const int Count = 36;

    /// <summary>Fewest pixels on a side: at half size the 7x7 window must still find a place inside.</summary>
    public const int MinSide = 16;

    private readonly Scale _full, _half;
    private readonly BicubicHalf _shrink;
    private double[] _grey = [], _halfGrey = [];

    /// <summary>Makes an extractor that runs on <see cref="Simd.Current"/>.</summary>
    public BrisqueLiveFeatures() : this(Simd.Current)
    {
    }

    /// <summary>Makes an extractor that runs on a certain path.</summary>
    /// <param name="path">
    /// The path; paths differ by rounding, 1e-8 in a feature; where two shapes are equally near, by one step of 0.001.
    /// </param>
    /// <exception cref="PlatformNotSupportedException">The processor lacks the path.</exception>
    public BrisqueLiveFeatures(SimdPath path)
    {
        if (!Simd.IsSupported(path))
            throw new PlatformNotSupportedException($"Expected a path that runs here ({string.Join(", ", Simd.Supported)}); found {path}.");
        (_full, _half, _shrink) = (new(path), new(path), new(path));
    }

    /// <summary>Computes the features.</summary>
    /// <param name="image">An image with RGB pixels and at least <see cref="MinSide"/> pixels on either side.</param>
    /// <param name="features">
    /// Receives the <see cref="Count"/> features. Features that do not exist are NaN: the image is flat, or at one scale the products of
    /// neighbours are never negative or never positive.
    /// </param>
    /// <exception cref="ArgumentException">The image has no RGB pixels or is too small, or the room is not for 36 values.</exception>
    public void Compute(in ImageView image, Span<double> features)
    {
        if (image.Rgb.IsEmpty)
            throw new ArgumentException("Expected an image with RGB pixels; found none.", nameof(image));
        if (Math.Min(image.Width, image.Height) < MinSide)
            throw new ArgumentException(
                $"Expected at least {MinSide} pixels on either side; found {image.Width}x{image.Height}.", nameof(image));
        if (features.Length != Count)
            throw new ArgumentException($"Expected room for {Count} features; found {features.Length}.", nameof(features));
        var width = image.Width;
        _full.Start(width);
        _half.Start(BicubicHalf.Half(width));
        _shrink.Start(width, image.Height);
        RowBuffer.Reserve(ref _grey, width);
        RowBuffer.Reserve(ref _halfGrey, _shrink.Width);
        Span<double> grey = _grey.AsSpan(0, width), halfGrey = _halfGrey.AsSpan(0, _shrink.Width);
        for (var y = 0; y < image.Height; y++)
        {
            LiveReleaseGrey.Row(image.Rgb.Slice(y * width * 3, width * 3), grey);
            _full.Push(grey);
            _shrink.Push(grey);
            while (_shrink.TryTake(halfGrey))
                _half.Push(halfGrey);
        }
        _full.Finish(features[..(Count / 2)]);
        _half.Finish(features[(Count / 2)..]);
    }

    /// <summary>One scale: rows of grey in, 18 features out.</summary>
    private sealed class Scale(SimdPath path)
    {
        private readonly LiveReleaseMscn _mscn = new(path);
        private readonly LiveReleaseMoments _moments = new(path);

        public void Start(int width)
        {
            _mscn.Start(width);
            _moments.Start(width);
        }

        public void Push(ReadOnlySpan<double> row)
        {
            if (_mscn.Push(row, _moments.Row))
                _moments.Push();
        }

        public void Finish(Span<double> features)
        {
            for (var row = 0; row < LiveReleaseMscn.Radius; row++)
                Push([]);
            _moments.Finish();
            (features[0], features[1]) = LiveDistributionFit.Symmetric(_moments.Count, _moments.Absolute, _moments.Squares);
            for (var product = 0; product < _moments.Products.Length; product++)
            {
                var fit = LiveDistributionFit.Asymmetric(_moments.Count, _moments.Products[product]);
                (features[2 + 4 * product], features[3 + 4 * product]) = (fit.Shape, fit.Mean);
                (features[4 + 4 * product], features[5 + 4 * product]) = (fit.LeftVariance, fit.RightVariance);
            }
        }
    }
}
