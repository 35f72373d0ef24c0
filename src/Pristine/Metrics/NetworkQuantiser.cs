using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.ResNet;
using Pristine.Networks;

namespace Pristine.Metrics;

/// <summary>
/// Makes the 8-bit version of a network: add some dozens of images like those to be scored, then save. The network sees of an image what
/// it sees in its metric: for ARNIQA the ten crops of the official mode, which serve for every mode, for Keras' network the two sizes of
/// <c>resnet50</c>, for a checkpoint of training/train.py the two views of <c>pristine</c>.
/// </summary>
public sealed class NetworkQuantiser : IDisposable
{
    private readonly OnnxExport _network;
    private readonly Int8Calibration _calibration;
    private readonly ArniqaCrops? _crops;
    private readonly ResNetPlanes? _sizes;
    private readonly PristineViews? _views;
    private float[] _planes = [];

    /// <summary>Begins without images.</summary>
    /// <param name="network">The network; its head, if it has one, stays in floats.</param>
    public NetworkQuantiser(OnnxExport network)
    {
        ArgumentNullException.ThrowIfNull(network);
        _network = network;
        _calibration = new Int8Calibration(network.Graphs, network.PixelRange);
        if (network.Layout == NetworkLayout.Arniqa)
            _crops = new ArniqaCrops(ArniqaMode.Official);
        else if (network.Trained != null)
            _views = new PristineViews(network.Trained);
        else
            _sizes = new ResNetPlanes();
    }

    /// <summary>Both sides of an image must have at least this many pixels.</summary>
    public static int MinSide => ResNetFeatures.MinSide;

    /// <summary>Crops seen of all images.</summary>
    public int Crops => _calibration.Count;

    /// <summary>Takes an image into account.</summary>
    /// <param name="image">RGB, both sides at least <see cref="MinSide"/>.</param>
    public void Add(in ImageView image)
    {
        if (_crops != null)
        {
            var planes = Planes(2 * ArniqaCrops.Count * ArniqaCrops.Length);
            ArniqaCrops.WriteFull(image.Rgb, image.Width, image.Height, planes);
            _crops.WriteHalf(image.Rgb, image.Width, image.Height, planes[(ArniqaCrops.Count * ArniqaCrops.Length)..]);
            for (var crop = 0; crop < 2 * ArniqaCrops.Count; crop++)
                _calibration.Add(planes.Slice(crop * ArniqaCrops.Length, ArniqaCrops.Length), ArniqaCrops.Side, ArniqaCrops.Side);
        }
        else if (_views != null)
        {
            for (var view = 0; view < _network.Trained!.Views.Count; view++)
            {
                var shape = _views.Shape(view, image.Width, image.Height);
                var planes = Planes(shape.Length);
                _views.Write(view, image, planes);
                _calibration.Add(planes, shape.Third, shape.Fourth);
            }
        }
        else
        {
            var (full, half) = ResNetFeatures.Sizes(image.Width, image.Height);
            foreach (var (width, height) in new[] { full, half })
            {
                var planes = Planes(3 * width * height);
                _sizes!.Write(image, width, height, planes);
                _calibration.Add(planes, height, width);
            }
        }
    }

    /// <summary>Writes the network in 8-bit integers.</summary>
    /// <param name="path">The .onnx file; it appears only when it is whole, in place of an earlier one.</param>
    /// <param name="method">How ranges are chosen.</param>
    /// <exception cref="InvalidOperationException">No image was added.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path, CalibrationMethod method = CalibrationMethod.Percentile) => _network.Save(path, _calibration, method);

    /// <inheritdoc/>
    public void Dispose()
    {
        _calibration.Dispose();
        _crops?.Dispose();
        _sizes?.Dispose();
        _views?.Dispose();
    }

    private Span<float> Planes(int length)
    {
        if (_planes.Length < length)
            _planes = new float[length];
        return _planes.AsSpan(0, length);
    }
}
