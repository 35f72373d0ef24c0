using Pristine.Networks;

namespace Pristine.Metrics.Faces;

/// <summary>A square of pixels that shows a face, in the pixels of what was searched.</summary>
/// <param name="Score">0 to 1; 1 where the network is sure.</param>
/// <param name="Left">Left edge.</param>
/// <param name="Top">Top edge.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
internal readonly record struct FaceBox(double Score, double Left, double Top, double Width, double Height)
{
    /// <summary>Pixels.</summary>
    public double Area => Width * Height;

    /// <summary>Pixels that both boxes have.</summary>
    /// <param name="other">The other box.</param>
    public double Overlap(in FaceBox other)
    {
        var width = Math.Min(Left + Width, other.Left + other.Width) - Math.Max(Left, other.Left);
        var height = Math.Min(Top + Height, other.Top + other.Height) - Math.Max(Top, other.Top);
        return width > 0 && height > 0 ? width * height : 0;
    }

    /// <summary>Common pixels as a share of the pixels of either.</summary>
    /// <param name="other">The other box.</param>
    public double IntersectionOverUnion(in FaceBox other) =>
        Overlap(other) is > 0 and var common ? common / (Area + other.Area - common) : 0;
}

/// <summary>
/// One worker's side of a BlazeFace network. V. Bazarevsky et al.: BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs. 2019,
/// arXiv:1907.05047. Outputs and anchors are those of MediaPipe: 16 x 16 cells with two anchors and 8 x 8 cells with six, all of them in
/// the centres of their cells.
/// </summary>
internal sealed class BlazeFace : IDisposable
{
    /// <summary>Values of an anchor: centre and size of the box relative to the anchor, then six key points.</summary>
    private const int BoxValues = 16;

    private static readonly (int Cells, int Anchors)[] Grids = [(16, 2), (8, 6)];

    private readonly OnnxRuntimeWorker _worker;

    private BlazeFace(OnnxRuntimeSession session, int side) => (_worker, Side) = (session.CreateWorker(), side);

    /// <summary>Columns and rows of what the network sees.</summary>
    public int Side { get; }

    /// <summary>The network for whole pictures: 256 x 256 pixels, faces up to five metres away.</summary>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    public static BlazeFace Back(string device) => Open("blazeface-back.onnx", 256, device);

    /// <summary>The network for portraits: 128 x 128 pixels, faces within two metres.</summary>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    public static BlazeFace Front(string device) => Open("blazeface-front.onnx", 128, device);

    /// <summary>The pixels that the next <see cref="Find"/> searches: Side x Side x 3 values, R, G, B by pixel, each -1 to 1.</summary>
    public Span<float> Input() => _worker.Input(1, Side, Side, 3);

    /// <summary>Adds the faces of the input, one for each anchor that sees it, in the order of the anchors.</summary>
    /// <param name="least">The least score, above 0 and below 1.</param>
    /// <param name="faces">The list.</param>
    public void Find(double least, List<FaceBox> faces)
    {
        _worker.Run();
        var logit = Math.Log(least / (1 - least));
        for (var grid = 0; grid < Grids.Length; grid++)
        {
            var (cells, anchors) = Grids[grid];
            var scores = _worker.Output(grid);
            var boxes = _worker.Output(Grids.Length + grid);
            for (var i = 0; i < scores.Length; i++)
            {
                if (!(scores[i] >= logit))
                    continue;
                var box = boxes.Slice(i * BoxValues, BoxValues);
                var (column, row) = (i / anchors % cells, i / anchors / cells);
                var (x, y) = ((column + 0.5) * Side / cells + box[0], (row + 0.5) * Side / cells + box[1]);
                faces.Add(new(1 / (1 + Math.Exp(-scores[i])), x - box[2] / 2, y - box[3] / 2, box[2], box[3]));
            }
        }
    }

    public void Dispose() => _worker.Dispose();

    private static BlazeFace Open(string resource, int side, string device) =>
        new(NetworkSessions.Open(resource, device, () => new OnnxRuntimeSession(Read(resource), device)), side);

    private static byte[] Read(string resource)
    {
        using var stream = typeof(BlazeFace).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The library lacks its resource {resource}.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
