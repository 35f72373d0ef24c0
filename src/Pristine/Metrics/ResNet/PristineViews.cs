using Pristine.Kernels;
using Pristine.Media;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// Makes what a network that this repository trained sees of an image, as training/data.py does: for each of its <see
/// cref="PristineNetwork.Views"/> the image shrunk to an area, or the middle of that. Shrinking keeps the shape and is Pillow's
/// antialiased bicubic filter; a smaller image stays as it is. Reuses its memory; not thread-safe.
/// </summary>
/// <param name="network">The network.</param>
internal sealed class PristineViews(PristineNetwork network) : IDisposable
{
    /// <summary>Pixels around a view, of the value that stands for nothing.</summary>
    public const int Border = 3;

    private readonly PillowResize _resize = new();
    private readonly ReusableBuffer _pixels = new();
    private readonly ReusableBuffer _row = new();

    /// <summary>The values of a pixel.</summary>
    public static ActivationRange Range => new(0, byte.MaxValue);

    /// <summary>The size of an image that is shrunk to an area, and the part of it that is seen.</summary>
    /// <param name="view">The view, from 0.</param>
    /// <param name="width">Columns of the image, at least 1.</param>
    /// <param name="height">Rows of the image, at least 1.</param>
    public (int Width, int Height, PixelWindow Window) Place(int view, int width, int height)
    {
        var (side, piece) = network.Views[view];
        var scale = Math.Min(1, Math.Sqrt((double)side * side / ((double)width * height)));
        var (columns, rows) = (Side(width * scale), Side(height * scale));
        var (pieceWidth, pieceHeight) = (Math.Min(piece ?? columns, columns), Math.Min(piece ?? rows, rows));
        return (columns, rows, new((columns - pieceWidth) / 2, (rows - pieceHeight) / 2, pieceWidth, pieceHeight));
    }

    /// <summary>The shape of what the network sees, the border included; both sides are even.</summary>
    public NetworkShape Shape(int view, int width, int height)
    {
        var window = Place(view, width, height).Window;
        return new(1, 3, Even(window.Height + 2 * Border), Even(window.Width + 2 * Border));
    }

    /// <summary>Writes a view.</summary>
    /// <param name="view">The view, from 0.</param>
    /// <param name="image">RGB.</param>
    /// <param name="planes">Planes R, G, B of 0 to 255 as <see cref="Shape"/> says, overwritten.</param>
    public void Write(int view, in ImageView image, Span<float> planes)
    {
        var pixels = Pixels(view, image, out var window);
        var (stride, rows) = (Even(window.Width + 2 * Border), Even(window.Height + 2 * Border));
        for (var channel = 0; channel < 3; channel++)
        {
            var plane = planes.Slice(channel * stride * rows, stride * rows);
            plane.Fill(network.Means[channel]);
            for (var y = 0; y < window.Height; y++)
            {
                var row = pixels.Slice(3 * window.Width * y, 3 * window.Width);
                var target = plane.Slice((y + Border) * stride + Border, window.Width);
                for (var x = 0; x < target.Length; x++)
                    target[x] = row[3 * x + channel];
            }
        }
    }

    /// <summary>The shape of the same in 2x2 squares.</summary>
    public NetworkShape SquaresShape(int view, int width, int height)
    {
        var shape = Shape(view, width, height);
        return new(1, shape.Third / 2, shape.Fourth / 2, 4 * 3);
    }

    /// <summary>Writes a view as <see cref="ITrainedNetwork"/> says.</summary>
    /// <param name="view">The view, from 0.</param>
    /// <param name="image">RGB.</param>
    /// <param name="squares">As many bytes as <see cref="SquaresShape"/> says, overwritten.</param>
    public void WriteSquares(int view, in ImageView image, Span<byte> squares)
    {
        const int square = 4 * 3, half = square / 2;
        var pixels = Pixels(view, image, out var window);
        var (columns, rows) = (Even(window.Width + 2 * Border), Even(window.Height + 2 * Border));
        var row = _row.Resize(3 * columns);
        for (var y = 0; y < rows; y++)
        {
            var inside = y - Border;
            // The rows above and below are the border alone; the others have it left and right of the pixels.
            if (y == 0 || inside == window.Height)
                for (var x = 0; x < row.Length; x++)
                    row[x] = network.Means[x % 3];
            if (inside >= 0 && inside < window.Height)
                pixels.Slice(3 * window.Width * inside, 3 * window.Width).CopyTo(row[(3 * Border)..]);
            var target = squares.Slice(y / 2 * columns / 2 * square + y % 2 * half, (columns / 2 - 1) * square + half);
            for (var x = 0; x < columns / 2; x++)
                row.Slice(half * x, half).CopyTo(target[(square * x)..]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _resize.Dispose();
        _pixels.Dispose();
        _row.Dispose();
    }

    /// <summary>The pixels of a view, R, G, B interleaved.</summary>
    private Span<byte> Pixels(int view, in ImageView image, out PixelWindow window)
    {
        (var width, var height, window) = Place(view, image.Width, image.Height);
        var pixels = _pixels.Resize(3 * window.Width * window.Height);
        if (width != image.Width || height != image.Height)
            _resize.Resize(ResampleFilter.Bicubic, image.Rgb, image.Width, image.Height, width, height, window, pixels);
        else
            for (var y = 0; y < window.Height; y++)
                image.Rgb.Slice(3 * ((window.Top + y) * width + window.Left), 3 * window.Width).CopyTo(pixels[(3 * window.Width * y)..]);
        return pixels;
    }

    private static int Even(int side) => side + side % 2;

    private static int Side(double pixels) => Math.Max(1, (int)Math.Round(pixels));
}
