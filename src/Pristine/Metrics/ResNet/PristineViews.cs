using Pristine.Kernels;
using Pristine.Media;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>
/// Makes what the network of <c>pristine</c> sees of an image, as training/data.py does: the whole image shrunk to the area of 320 x 320
/// pixels, and the middle of 224 x 224 pixels of the image shrunk to the area of 512 x 512. Shrinking keeps the shape and is Pillow's
/// antialiased bicubic filter; a smaller image stays as it is. Reuses its memory; not thread-safe.
/// </summary>
internal sealed class PristineViews : IDisposable
{
    /// <summary>Views of an image.</summary>
    public const int Count = 2;

    /// <summary>Pixels around a view, of the value that stands for nothing.</summary>
    public const int Border = 3;

    private const int WholeSide = 320;
    private const int FrameSide = 512;
    private const int PieceSide = 224;

    private readonly PillowResize _resize = new();
    private readonly ReusableBuffer _pixels = new();

    /// <summary>The values of a pixel.</summary>
    public static ActivationRange Range => new(0, byte.MaxValue);

    /// <summary>The means of R, G and B in whole numbers, which are 0 for the network to within 0.15.</summary>
    public static IReadOnlyList<byte> Means { get; } = [123, 116, 103];

    /// <summary>The size of an image that is shrunk to an area, and the part of it that is seen.</summary>
    /// <param name="view">0 is the whole, 1 the piece.</param>
    /// <param name="width">Columns of the image, at least 1.</param>
    /// <param name="height">Rows of the image, at least 1.</param>
    public static (int Width, int Height, PixelWindow Window) Place(int view, int width, int height)
    {
        double side = view == 0 ? WholeSide : FrameSide;
        var scale = Math.Min(1, Math.Sqrt(side * side / ((double)width * height)));
        var (columns, rows) = (Side(width * scale), Side(height * scale));
        if (view == 0)
            return (columns, rows, new(0, 0, columns, rows));
        var (pieceWidth, pieceHeight) = (Math.Min(PieceSide, columns), Math.Min(PieceSide, rows));
        return (columns, rows, new((columns - pieceWidth) / 2, (rows - pieceHeight) / 2, pieceWidth, pieceHeight));
    }

    /// <summary>The shape of what the network sees, the border included; both sides are even.</summary>
    public static NetworkShape Shape(int view, int width, int height)
    {
        var window = Place(view, width, height).Window;
        return new(1, 3, Even(window.Height + 2 * Border), Even(window.Width + 2 * Border));
    }

    /// <summary>Writes a view.</summary>
    /// <param name="view">0 is the whole, 1 the piece.</param>
    /// <param name="image">RGB.</param>
    /// <param name="planes">Planes R, G, B of 0 to 255 as <see cref="Shape"/> says, overwritten.</param>
    public void Write(int view, in ImageView image, Span<float> planes)
    {
        var (width, height, window) = Place(view, image.Width, image.Height);
        var pixels = _pixels.Resize(3 * window.Width * window.Height);
        if (width != image.Width || height != image.Height)
            _resize.Resize(ResampleFilter.Bicubic, image.Rgb, image.Width, image.Height, width, height, window, pixels);
        else
            for (var y = 0; y < window.Height; y++)
                image.Rgb.Slice(3 * ((window.Top + y) * width + window.Left), 3 * window.Width).CopyTo(pixels[(3 * window.Width * y)..]);
        var (stride, rows) = (Even(window.Width + 2 * Border), Even(window.Height + 2 * Border));
        for (var channel = 0; channel < 3; channel++)
        {
            var plane = planes.Slice(channel * stride * rows, stride * rows);
            plane.Fill(Means[channel]);
            for (var y = 0; y < window.Height; y++)
            {
                var row = pixels.Slice(3 * window.Width * y, 3 * window.Width);
                var target = plane.Slice((y + Border) * stride + Border, window.Width);
                for (var x = 0; x < target.Length; x++)
                    target[x] = row[3 * x + channel];
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _resize.Dispose();
        _pixels.Dispose();
    }

    private static int Even(int side) => side + side % 2;

    private static int Side(double pixels) => Math.Max(1, (int)Math.Round(pixels));
}
