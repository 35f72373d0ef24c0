using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// <c>blockiness</c>: how much larger steps in luma are across the borders of 8x8 blocks than within blocks. The two averages are those of
/// Z. Wang, H. R. Sheikh, A. C. Bovik, No-reference perceptual quality assessment of JPEG compressed images, ICIP 2002, DOI
/// 10.1109/ICIP.2002.1038064.
/// </summary>
/// <remarks>
/// Deviations: the paper feeds the averages into a fitted formula; here their ratio is the score. <see cref="Floor"/> is added to both, so
/// that a picture without any step has 1. No unit. Range: 0 and more; 1 without a grid. No direction.
/// </remarks>
public sealed class Blockiness : StatelessMetric
{
    /// <summary>Grey levels added to both averages.</summary>
    public const double Floor = 0.1;

    private const int Side = 8;

    /// <inheritdoc/>
    public override string Name => "blockiness";

    /// <inheritdoc/>
    public override string Summary =>
        "Steps across the borders of 8x8 blocks over steps within: about 1 without JPEG's grid, 2 and more where it shows.";

    /// <inheritdoc/>
    public override string Formula =>
        "(B + 0.1) / (A + 0.1); B the mean |difference| of horizontal and vertical neighbours on two sides of a multiple of 8, A that of " +
        "all other neighbours, in luma";

    /// <inheritdoc/>
    public override string Citation =>
        "Wang, Sheikh, Bovik: No-reference perceptual quality assessment of JPEG compressed images. ICIP 2002. DOI " +
        "10.1109/ICIP.2002.1038064.";

    /// <inheritdoc/>
    public override string Notes =>
        "Sees a grid that begins at the top left corner: a picture that was scaled or cropped after compression hides its own.";

    /// <inheritdoc/>
    public override ImageInput Input => ImageInput.Luma;

    /// <summary>9: one border between blocks.</summary>
    public override int MinSide => Side + 1;

    /// <inheritdoc/>
    protected override double Measure(in ImageView image)
    {
        var luma = image.Luma;
        var (width, height) = (image.Width, image.Height);
        long across = 0, within = 0;
        for (var y = 0; y < height; y++)
        {
            var row = luma.Slice(y * width, width);
            var borders = 0L;
            for (var x = Side; x < width; x += Side)
                borders += row[x] > row[x - 1] ? row[x] - row[x - 1] : row[x - 1] - row[x];
            across += borders;
            within += AbsoluteSteps.Sum(row[1..], row[..^1]) - borders;
            if (y == 0)
                continue;
            var down = AbsoluteSteps.Sum(row, luma.Slice((y - 1) * width, width));
            if (y % Side == 0)
                across += down;
            else
                within += down;
        }
        long borderColumns = (width - 1) / Side, borderRows = (height - 1) / Side;
        var acrossCount = borderColumns * height + borderRows * width;
        var withinCount = (width - 1 - borderColumns) * height + (height - 1 - borderRows) * width;
        return ((double)across / acrossCount + Floor) / ((double)within / withinCount + Floor);
    }
}
