using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Metrics.Faces;

/// <summary>
/// Finds the faces of an image with two networks. BlazeFace's network for whole pictures searches the image at up to three scales, in
/// tiles: at 256 pixels of the longer side faces are found from about a twelfth of it, at 448 and 832 pixels smaller ones. What it
/// proposes, the network for portraits looks at twice, from closer and from further away. A proposal is a face where the mean of the
/// three scores is at least <see cref="Least"/>: one network alone takes a third more things for faces that are none. One per worker.
/// </summary>
internal sealed class FaceDetector(string device) : IDisposable
{
    /// <summary>The least mean score of a face: see models/blazeface.md for what was measured.</summary>
    public const double Least = 0.74;

    /// <summary>The least score of what is looked at again.</summary>
    private const double LeastProposal = 0.5;

    /// <summary>The least score of a second look that counts; less is 0.</summary>
    private const double LeastLook = 0.1;

    /// <summary>Boxes are of one face where they share this much of the pixels of either, as in MediaPipe...</summary>
    private const double SameFace = 0.3;

    /// <summary>... or this much of the smaller one: the tiles of a large scale see parts of large faces.</summary>
    private const double PartOfFace = 0.6;

    /// <summary>A tile's own edge cuts faces in two; the tile beside it sees them whole.</summary>
    private const double EdgeMargin = 2;

    /// <summary>A face has at least this many pixels across at the scale where it is found.</summary>
    private const double LeastSide = 6;

    /// <summary>Longer sides that are searched: 1, 2 and 4 tiles of 256 that overlap by 64.</summary>
    private static readonly int[] Scales = [256, 448, 832];

    /// <summary>Widths of what a second look sees, in widths of the face.</summary>
    private static readonly double[] Looks = [2.5, 3.5];

    private static readonly float[] Levels = [.. Enumerable.Range(0, 256).Select(level => level / 127.5f - 1)];

    private readonly BlazeFace _back = BlazeFace.Back(device);
    private readonly BlazeFace _front = BlazeFace.Front(device);
    private readonly PillowResize _resize = new();
    private readonly ReusableBuffer _resized = new();
    private readonly List<FaceBox> _found = [];
    private readonly List<FaceBox> _proposals = [];

    /// <summary>Finds the faces.</summary>
    /// <param name="image">RGB.</param>
    /// <param name="faces">Cleared; then the faces in pixels of the image, by descending score of the first network.</param>
    public void Find(in ImageView image, List<FaceBox> faces)
    {
        faces.Clear();
        Propose(image);
        foreach (var face in _proposals)
        {
            var score = face.Score;
            foreach (var look in Looks)
                score += Look(image, face, look);
            score /= 1 + Looks.Length;
            if (score >= Least)
                faces.Add(face with { Score = score });
        }
    }

    /// <summary>Boxes of the first network in all tiles of all scales, those of one face joined.</summary>
    private void Propose(in ImageView image)
    {
        _found.Clear();
        var longer = Math.Max(image.Width, image.Height);
        for (var i = 0; i < Scales.Length && (i == 0 || longer > Scales[i - 1]); i++)
        {
            // Only the first scale enlarges: a network without pixels to see finds nothing more.
            var scale = (i == 0 ? Scales[i] : Math.Min(longer, Scales[i])) / (double)longer;
            var (width, height) = (Side(image.Width * scale), Side(image.Height * scale));
            var (rows, columns) = (Tiles(height, _back.Side), Tiles(width, _back.Side));
            for (var row = 0; row < rows; row++)
                for (var column = 0; column < columns; column++)
                    Search(image, width, height, Start(column, columns, width, _back.Side), Start(row, rows, height, _back.Side));
        }
        Join();
    }

    private void Search(in ImageView image, int width, int height, int left, int top)
    {
        var side = _back.Side;
        Write(image, width, height, left, top, side, _back.Input());
        var first = _found.Count;
        _back.Find(LeastProposal, _found);
        var kept = first;
        for (var i = first; i < _found.Count; i++)
        {
            var box = _found[i];
            var isCut = (left > 0 && box.Left < EdgeMargin) || (top > 0 && box.Top < EdgeMargin)
                || (left + side < width && box.Left + box.Width > side - EdgeMargin)
                || (top + side < height && box.Top + box.Height > side - EdgeMargin);
            if (isCut || !(box.Width >= LeastSide && box.Height >= LeastSide))
                continue;
            var (x, y) = (image.Width / (double)width, image.Height / (double)height);
            _found[kept++] = new(box.Score, (box.Left + left) * x, (box.Top + top) * y, box.Width * x, box.Height * y);
        }
        _found.RemoveRange(kept, _found.Count - kept);
    }

    /// <summary>
    /// As MediaPipe does: the box of the highest score takes those that overlap it, and is their mean, weighted by the scores.
    /// </summary>
    private void Join()
    {
        _proposals.Clear();
        SortByScore(_found);
        while (_found.Count > 0)
        {
            var best = _found[0];
            double weight = 0, x = 0, y = 0, width = 0, height = 0;
            var left = 0;
            for (var i = 0; i < _found.Count; i++)
            {
                var box = _found[i];
                var isSame = box == best || box.IntersectionOverUnion(best) >= SameFace;
                if (isSame)
                {
                    weight += box.Score;
                    x += box.Score * box.Left;
                    y += box.Score * box.Top;
                    width += box.Score * box.Width;
                    height += box.Score * box.Height;
                }
                else if (box.Overlap(best) < PartOfFace * Math.Min(box.Area, best.Area))
                {
                    _found[left++] = box;
                }
            }
            _found.RemoveRange(left, _found.Count - left);
            _proposals.Add(new(best.Score, x / weight, y / weight, width / weight, height / weight));
        }
    }

    /// <summary>The highest first; equal scores stay in the order of scales, tiles and anchors.</summary>
    private static void SortByScore(List<FaceBox> boxes)
    {
        for (var i = 1; i < boxes.Count; i++)
        {
            var box = boxes[i];
            var place = i;
            for (; place > 0 && boxes[place - 1].Score < box.Score; place--)
                boxes[place] = boxes[place - 1];
            boxes[place] = box;
        }
    }

    /// <summary>The score that the second network gives to a face in the middle of what it sees.</summary>
    private double Look(in ImageView image, in FaceBox face, double widths)
    {
        var size = Math.Max(face.Width, face.Height);
        var scale = _front.Side / (size * widths);
        var (width, height) = (Side(image.Width * scale), Side(image.Height * scale));
        var (x, y) = ((face.Left + face.Width / 2) * width / image.Width, (face.Top + face.Height / 2) * height / image.Height);
        var (left, top) = ((int)Math.Round(x - _front.Side / 2.0), (int)Math.Round(y - _front.Side / 2.0));
        Write(image, width, height, left, top, _front.Side, _front.Input());
        _found.Clear();
        _front.Find(LeastLook, _found);
        var expected = new FaceBox(1, (_front.Side - size * scale) / 2, (_front.Side - size * scale) / 2, size * scale, size * scale);
        var best = 0.0;
        foreach (var box in _found)
            if (box.Score > best && box.IntersectionOverUnion(expected) >= SameFace)
                best = box.Score;
        return best;
    }

    /// <summary>Writes a square of the resized image; what lies outside of the image is black.</summary>
    private void Write(in ImageView image, int width, int height, int left, int top, int side, Span<float> output)
    {
        var (x, y) = (Math.Max(0, left), Math.Max(0, top));
        var (columns, rows) = (Math.Min(width, left + side) - x, Math.Min(height, top + side) - y);
        if (columns < side || rows < side)
            output.Fill(Levels[0]);
        if (columns < 1 || rows < 1)
            return;
        var pixels = _resized.Resize(3 * columns * rows);
        _resize.Resize(
            ResampleFilter.Bilinear, image.Rgb, image.Width, image.Height, width, height, new PixelWindow(x, y, columns, rows), pixels);
        for (var row = 0; row < rows; row++)
        {
            var line = output[(3 * ((y - top + row) * side + x - left))..];
            for (var i = 0; i < 3 * columns; i++)
                line[i] = Levels[pixels[3 * row * columns + i]];
        }
    }

    /// <summary>How many tiles cover a side and overlap by a quarter at least.</summary>
    private static int Tiles(int length, int side)
    {
        var step = side - side / 4;
        return length <= side ? 1 : (length - side + step - 1) / step + 1;
    }

    /// <summary>Where a tile of so many begins; a side that is shorter than a tile stands in its middle.</summary>
    private static int Start(int tile, int tiles, int length, int side) =>
        tiles == 1 ? (length - side) / 2 : tile * (length - side) / (tiles - 1);

    private static int Side(double pixels) => Math.Max(1, (int)Math.Round(pixels));

    public void Dispose()
    {
        _back.Dispose();
        _front.Dispose();
        _resize.Dispose();
        _resized.Dispose();
    }
}
