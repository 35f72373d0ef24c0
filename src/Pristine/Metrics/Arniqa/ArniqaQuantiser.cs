using Pristine.Imaging;
using Pristine.Kernels;
using Pristine.Models;

namespace Pristine.Metrics.Arniqa;

/// <summary>
/// Makes the int8 version of ARNIQA's encoder: add some dozens of images like those to be scored, then save. The crops of the official
/// mode serve as calibration for every mode.
/// </summary>
public sealed class ArniqaQuantiser : IDisposable
{
    private readonly ModelStore _store;
    private readonly Int8Calibration _calibration;
    private readonly ArniqaCrops _crops = new(ArniqaMode.Official);
    private readonly float[] _planes = new float[2 * ArniqaCrops.Count * ArniqaCrops.Length];

    /// <summary>Loads the encoder.</summary>
    /// <param name="store">The store; <see cref="ModelStore.Default"/> when null.</param>
    /// <exception cref="InvalidOperationException">The store does not have the encoder.</exception>
    public ArniqaQuantiser(ModelStore? store = null)
    {
        _store = store ?? ModelStore.Default;
        _calibration = new Int8Calibration(
            ArniqaModel.ReadEncoder(_store), new ActivationRange(NormalisedPlanes.ImageNet.Low, NormalisedPlanes.ImageNet.High));
    }

    /// <summary>Takes an image into account.</summary>
    /// <param name="image">RGB, both sides at least 2.</param>
    public void Add(in ImageView image)
    {
        _crops.Write(image.Rgb, image.Width, image.Height, _planes);
        for (var crop = 0; crop < 2 * ArniqaCrops.Count; crop++)
            _calibration.Add(_planes.AsSpan(crop * ArniqaCrops.Length, ArniqaCrops.Length), ArniqaCrops.Side, ArniqaCrops.Side);
    }

    /// <summary>Writes the int8 encoder into the store, in place of an earlier one.</summary>
    /// <param name="method">How ranges are chosen.</param>
    /// <returns>The file.</returns>
    /// <exception cref="InvalidOperationException">No image was added.</exception>
    public string Save(CalibrationMethod method = CalibrationMethod.Percentile)
    {
        var path = ArniqaModel.GraphPath(_store, NetworkPrecision.Int8);
        _calibration.Save(path, method);
        return path;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _calibration.Dispose();
        _crops.Dispose();
    }
}
