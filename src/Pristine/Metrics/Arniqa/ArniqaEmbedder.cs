using Pristine.Media;
using Pristine.Kernels;
using Pristine.Native;

namespace Pristine.Metrics.Arniqa;

/// <summary>
/// One worker's encoder: turns an image into embeddings. The crops of a scale go through the network in one batch: a batch of both scales takes as
/// long and twice the memory.
/// </summary>
internal sealed class ArniqaEmbedder(OnnxRuntimeSession session, ArniqaMode mode) : IDisposable
{
    private readonly OnnxRuntimeWorker _worker = session.CreateWorker();
    private readonly ArniqaCrops _cropper = new(mode);
    private readonly HalfPlanes _half = new(NormalisedPlanes.ImageNet);
    private float[] _embeddings = [];

    /// <summary>How many crops an image gives: 5 in the official modes, 1 otherwise.</summary>
    public int Crops => IsWhole ? 1 : ArniqaCrops.Count;

    private bool IsWhole => mode is ArniqaMode.Pyiqa or ArniqaMode.TorchMetrics;

    /// <summary>Computes the embeddings of an image.</summary>
    /// <param name="image">RGB, both sides at least 2.</param>
    /// <returns>One row per crop: the normalised features at full size, then those at half size. Overwritten by the next call.</returns>
    public ReadOnlySpan<float> Embed(in ImageView image)
    {
        if (IsWhole)
            EmbedWhole(image);
        else
            EmbedCrops(image);
        return _embeddings;
    }

    public void Dispose()
    {
        _worker.Dispose();
        _cropper.Dispose();
        _half.Dispose();
    }

    private void EmbedCrops(in ImageView image)
    {
        ArniqaCrops.WriteFull(image.Rgb, image.Width, image.Height, Batch());
        StoreBatch(0);
        _cropper.WriteHalf(image.Rgb, image.Width, image.Height, Batch());
        StoreBatch(1);

        Span<float> Batch() => _worker.Input(ArniqaCrops.Count, 3, ArniqaCrops.Side, ArniqaCrops.Side);

        void StoreBatch(int scale)
        {
            _worker.Run();
            var output = _worker.Output();
            var features = output.Length / ArniqaCrops.Count;
            for (var crop = 0; crop < ArniqaCrops.Count; crop++)
                Store(2 * crop + scale, features, output.Slice(crop * features, features));
        }
    }

    private void EmbedWhole(in ImageView image)
    {
        NormalisedPlanes.ImageNet.Write(
            image.Rgb, 3 * image.Width, image.Width, image.Height, _worker.Input(1, 3, image.Height, image.Width), image.Width, image.Height);
        _worker.Run();
        Store(0, _worker.Output().Length, _worker.Output());

        var planes = _worker.Input(1, 3, image.Height / 2, image.Width / 2);
        if (mode == ArniqaMode.Pyiqa)
            _half.WriteMeans(image.Rgb, image.Width, image.Height, planes);
        else
            _half.WriteAntialiased(image.Rgb, image.Width, image.Height, planes);
        _worker.Run();
        Store(1, _worker.Output().Length, _worker.Output());
    }

    private void Store(int row, int features, ReadOnlySpan<float> embedding)
    {
        if (_embeddings.Length != 2 * Crops * features)
            _embeddings = new float[2 * Crops * features];
        embedding.CopyTo(_embeddings.AsSpan(row * features, features));
    }
}
