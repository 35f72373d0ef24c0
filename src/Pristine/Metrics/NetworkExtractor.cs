using System.Buffers;
using Pristine.Media;
using Pristine.Networks;

namespace Pristine.Metrics;

/// <summary>
/// The shape of what a network sees of an image at one scale: four dimensions, the first of which counts the image's crops.
/// </summary>
/// <param name="Crops">Parts of the image that the network sees one by one; 1 where it sees the image once.</param>
/// <param name="Second">Second dimension.</param>
/// <param name="Third">Third dimension.</param>
/// <param name="Fourth">Fourth dimension.</param>
internal readonly record struct NetworkShape(int Crops, int Second, int Third, int Fourth)
{
    /// <summary>Values of the tensor.</summary>
    public int Length => checked(Crops * Second * Third * Fourth);
}

/// <summary>
/// One worker's extractor of a feature that a network computes, perhaps at several scales of the image. Images are computed together where
/// their tensors have one shape and the network takes batches of any size; a single image is a batch of one, whose tensors are written
/// where the network reads them.
/// </summary>
/// <param name="session">The network.</param>
/// <param name="scales">How often the network runs for an image.</param>
/// <typeparam name="T">What its input consists of: <see cref="float"/> or <see cref="byte"/>.</typeparam>
internal abstract class NetworkExtractor<T>(OnnxRuntimeSession session, int scales) : FeatureExtractor
    where T : unmanaged
{
    // One for each scale: a worker that runs the shape of its run before allocates nothing, so images of one size cost no garbage.
    private readonly OnnxRuntimeWorker[] _workers = [.. Enumerable.Range(0, scales).Select(_ => session.CreateWorker())];

    /// <inheritdoc/>
    public sealed override bool ComputesTogether => session.TakesBatches && MostTogether > 1;

    /// <summary>The most images that one run of the network takes.</summary>
    protected virtual int MostTogether => int.MaxValue;

    /// <summary>The shape of what the network sees of an image.</summary>
    /// <param name="scale">The scale, from 0.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="height">Rows of the image.</param>
    protected abstract NetworkShape Shape(int scale, int width, int height);

    /// <summary>Writes what the network sees of an image.</summary>
    /// <param name="scale">The scale, from 0.</param>
    /// <param name="image">As for <see cref="Compute(in ImageView, Span{double})"/>.</param>
    /// <param name="tensor">As many values as <see cref="Shape"/> says, overwritten.</param>
    protected abstract void Write(int scale, in ImageView image, Span<T> tensor);

    /// <summary>Turns the outputs of a run into numbers of the feature.</summary>
    /// <param name="scale">The scale; they are read in ascending order.</param>
    /// <param name="worker">What ran.</param>
    /// <param name="image">Which of the images, from 0.</param>
    /// <param name="images">How many images it ran on.</param>
    /// <param name="features">The image's numbers; 0 before the first scale.</param>
    protected abstract void Read(int scale, OnnxRuntimeWorker worker, int image, int images, Span<double> features);

    /// <summary>What ran at a scale.</summary>
    /// <param name="scale">The scale, from 0.</param>
    protected OnnxRuntimeWorker Worker(int scale) => _workers[scale];

    /// <inheritdoc/>
    public sealed override void Compute(in ImageView image, Span<double> features)
    {
        features.Clear();
        for (var scale = 0; scale < scales; scale++)
        {
            Run(scale, image);
            Read(scale, _workers[scale], 0, 1, features);
        }
    }

    /// <inheritdoc/>
    public sealed override PreparedImage Prepare(in ImageView image)
    {
        var prepared = new Tensors(scales);
        for (var scale = 0; scale < scales; scale++)
            Write(scale, image, prepared.Rent(scale, Shape(scale, image.Width, image.Height)));
        return prepared;
    }

    /// <inheritdoc/>
    public sealed override void Compute(IReadOnlyList<PreparedImage> images, Span<double> rows)
    {
        CheckRows(images, rows);
        rows.Clear();
        for (var scale = 0; scale < scales; scale++)
        {
            var at = scale;
            foreach (var alike in Enumerable.Range(0, images.Count).GroupBy(i => ((Tensors)images[i]).Shape(at)))
                foreach (var batch in alike.Chunk(ComputesTogether ? Math.Min(MostTogether, images.Count) : 1))
                    Run(scale, alike.Key, batch, images, rows);
        }
    }

    /// <summary>Runs the network on one image at one scale.</summary>
    protected void Run(int scale, in ImageView image)
    {
        var shape = Shape(scale, image.Width, image.Height);
        Write(scale, image, _workers[scale].InputAt<T>(0, shape.Crops, shape.Second, shape.Third, shape.Fourth));
        _workers[scale].Run();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            foreach (var worker in _workers)
                worker.Dispose();
        base.Dispose(disposing);
    }

    private void Run(int scale, NetworkShape shape, int[] batch, IReadOnlyList<PreparedImage> images, Span<double> rows)
    {
        var input = _workers[scale].InputAt<T>(0, batch.Length * shape.Crops, shape.Second, shape.Third, shape.Fourth);
        for (var i = 0; i < batch.Length; i++)
            ((Tensors)images[batch[i]]).Values(scale).CopyTo(input[(i * shape.Length)..]);
        _workers[scale].Run();
        for (var i = 0; i < batch.Length; i++)
            Read(scale, _workers[scale], i, batch.Length, rows.Slice(batch[i] * Count, Count));
    }

    /// <summary>What the network sees of an image, scale by scale, in rented memory.</summary>
    private sealed class Tensors(int scales) : PreparedImage
    {
        private readonly (NetworkShape Shape, T[] Memory)[] _scales = new (NetworkShape, T[])[scales];

        public NetworkShape Shape(int scale) => _scales[scale].Shape;

        public ReadOnlySpan<T> Values(int scale) => _scales[scale].Memory.AsSpan(0, _scales[scale].Shape.Length);

        public Span<T> Rent(int scale, NetworkShape shape)
        {
            _scales[scale] = (shape, ArrayPool<T>.Shared.Rent(shape.Length));
            return _scales[scale].Memory.AsSpan(0, shape.Length);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                foreach (ref var scale in _scales.AsSpan())
                    if (scale.Memory is { } memory)
                    {
                        scale = default;
                        ArrayPool<T>.Shared.Return(memory);
                    }
            base.Dispose(disposing);
        }
    }
}

/// <summary>An extractor of a network that takes floats, and of which one output of floats is read.</summary>
/// <param name="session">The network.</param>
/// <param name="scales">How often the network runs for an image.</param>
internal abstract class NetworkExtractor(OnnxRuntimeSession session, int scales) : NetworkExtractor<float>(session, scales)
{
    /// <summary>Position of the output that is read.</summary>
    protected virtual int Output => 0;

    /// <summary>Turns the output of a scale into numbers of the feature.</summary>
    /// <param name="scale">The scale; they are read in ascending order.</param>
    /// <param name="output">The output for one image.</param>
    /// <param name="features">The image's numbers; 0 before the first scale.</param>
    protected abstract void Read(int scale, ReadOnlySpan<float> output, Span<double> features);

    /// <summary>The output of the last run of a scale.</summary>
    /// <param name="scale">The scale, from 0.</param>
    internal ReadOnlySpan<float> OutputOf(int scale) => Worker(scale).Output(Output);

    /// <inheritdoc/>
    protected sealed override void Read(int scale, OnnxRuntimeWorker worker, int image, int images, Span<double> features)
    {
        var output = worker.Output(Output);
        if (output.Length % images != 0)
            throw new Native.OnnxRuntimeException($"expected as many values for each of {images} images; found {output.Length} for all.");
        var values = output.Length / images;
        Read(scale, output.Slice(image * values, values), features);
    }

    /// <summary>Runs the network on zeros.</summary>
    /// <returns>How many values it gives.</returns>
    protected int RunOnZeros(NetworkShape shape)
    {
        Worker(0).Input(shape.Crops, shape.Second, shape.Third, shape.Fourth).Clear();
        Worker(0).Run();
        return OutputOf(0).Length;
    }
}
