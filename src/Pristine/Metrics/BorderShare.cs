using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>border_share</c>: the share of the area that rows and columns of one tone take up at the edges: letterboxes, padding to a square, the
/// grey rest of a half-loaded JPEG.
/// </summary>
/// <remarks>
/// Rows are taken from the top, then from the bottom, as long as the luma of all pixels that were taken on that side lies within
/// <see cref="Tolerance"/> levels; then columns, of the rows that are left, from both sides alike. No unit. Range: 0 to 1 (nothing but
/// border). No direction.
/// </remarks>
public sealed class BorderShare : StatelessMetric
{
    /// <summary>Levels of luma that a border may span: compression does not leave it exactly flat.</summary>
    public const int Tolerance = 10;

    /// <inheritdoc/>
    public override string Name => "border_share";

    /// <inheritdoc/>
    public override string Summary => "Share of the area that is a border of one tone: letterboxes, padding, the lost half of a JPEG.";

    /// <inheritdoc/>
    public override string Formula =>
        "1 - (rows left x columns left) / (height x width), after rows, then columns, have been taken off each side while the luma of " +
        "what is taken spans at most 10 levels";

    /// <inheritdoc/>
    public override string Citation => "Defined by this library.";

    /// <inheritdoc/>
    public override string Notes =>
        "The border needs to be of one tone on each side, not the same on all. A product photograph on a plain background has a border " +
        "by this measure, and a "
        + "blank page is nothing else.";

    /// <inheritdoc/>
    public override string Unit => "share of pixels";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image)
    {
        var luma = image.Luma;
        var (width, height) = (image.Width, image.Height);
        var (top, bottom, left, right) = (0, height, 0, width);
        var span = Tone.None;
        while (top < bottom && span.TryAdd(Row(luma, width, top)))
            top++;
        span = Tone.None;
        while (bottom > top && span.TryAdd(Row(luma, width, bottom - 1)))
            bottom--;
        span = Tone.None;
        while (left < right && bottom > top && span.TryAdd(Column(luma, width, left, top, bottom)))
            left++;
        span = Tone.None;
        while (right > left && bottom > top && span.TryAdd(Column(luma, width, right - 1, top, bottom)))
            right--;
        return 1 - (double)(bottom - top) * (right - left) / ((double)width * height);
    }

    private static Tone Row(ReadOnlySpan<byte> luma, int width, int y)
    {
        var tone = Tone.None;
        foreach (var level in luma.Slice(y * width, width))
            tone = tone.With(level);
        return tone;
    }

    private static Tone Column(ReadOnlySpan<byte> luma, int width, int x, int top, int bottom)
    {
        var tone = Tone.None;
        for (var y = top; y < bottom; y++)
            tone = tone.With(luma[y * width + x]);
        return tone;
    }

    /// <summary>The range of levels of some pixels.</summary>
    private record struct Tone(int Low, int High)
    {
        public static readonly Tone None = new(byte.MaxValue, byte.MinValue);

        public readonly Tone With(byte level) => new(Math.Min(Low, level), Math.Max(High, level));

        /// <summary>Takes in other pixels if the range stays within the tolerance.</summary>
        public bool TryAdd(Tone other)
        {
            var both = new Tone(Math.Min(Low, other.Low), Math.Max(High, other.High));
            if (both.High - both.Low > Tolerance)
                return false;
            this = both;
            return true;
        }
    }
}
