using Pristine.Networks;

namespace Pristine.Tests.References;

/// <summary>
/// A ResNet-50 in double precision by the textbook: convolution, then batch normalisation, nothing folded. Slow and obvious.
/// </summary>
internal static class ResNetReference
{
    private sealed record Planes(int Channels, int Height, int Width, double[] Values)
    {
        public double At(int c, int y, int x) => y < 0 || x < 0 || y >= Height || x >= Width ? 0 : Values[(c * Height + y) * Width + x];
    }

    /// <summary>The global average of the last stage divided by its L2 norm.</summary>
    public static double[] Embed(
        Func<ConvolutionPlace, NormalisedConvolution> weights, StridePlace stride, ReadOnlySpan<float> image, int height, int width)
    {
        var x = Stages(weights, stride, image, height, width)[^1];
        var means = x.Values.Chunk(x.Height * x.Width).Select(plane => plane.Average()).ToArray();
        var norm = Math.Max(Math.Sqrt(means.Sum(mean => mean * mean)), 1e-12);
        return [.. means.Select(mean => mean / norm)];
    }

    /// <summary>Mean of every channel of the four stages, then the standard deviations in the same order.</summary>
    public static double[] Statistics(
        Func<ConvolutionPlace, NormalisedConvolution> weights, StridePlace stride, ReadOnlySpan<float> image, int height, int width)
    {
        var planes = Stages(weights, stride, image, height, width).SelectMany(stage => stage.Values.Chunk(stage.Height * stage.Width))
            .ToArray();
        return [.. planes.Select(plane => plane.Average()), .. planes.Select(
            plane => Math.Sqrt(plane.Average(value => Math.Pow(value - plane.Average(), 2))))];
    }

    /// <summary>
    /// Mean and deviation of every channel of each stage of a network as training/train.py takes them: means of a stage, then its
    /// deviations.
    /// </summary>
    /// <param name="layer">A convolution by its name in the checkpoint.</param>
    /// <param name="parts">The convolutions of a block; the first halves the sides in the first block of a stage after the first.</param>
    /// <param name="stages">Number of stages, of two blocks each.</param>
    /// <param name="shortcuts">Whether a block of a stage has a convolution in its shortcut.</param>
    /// <param name="image">Planes of height x width, normalised.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    public static double[] TrainedStatistics(
        Func<string, NormalisedConvolution> layer, string[] parts, int stages, Func<int, int, bool> shortcuts, double[] image, int height,
        int width)
    {
        var x = MaxPool(Relu(Convolve(new(3, height, width, image), layer("trunk.stem"), 2)));
        var statistics = new List<double>();
        for (var stage = 0; stage < stages; stage++)
        {
            for (var block = 0; block < 2; block++)
            {
                var name = $"trunk.stages.{stage}.{block}";
                var stride = block == 0 && stage > 0 ? 2 : 1;
                var y = Convolve(x, layer($"{name}.{parts[0]}"), stride);
                foreach (var part in parts[1..])
                    y = Convolve(Relu(y), layer($"{name}.{part}"), 1);
                var shortcut = shortcuts(stage, block) ? Convolve(x, layer(name + ".shortcut"), stride) : x;
                x = Relu(y with { Values = [.. y.Values.Zip(shortcut.Values, (a, b) => a + b)] });
            }
            var planes = x.Values.Chunk(x.Height * x.Width).ToArray();
            statistics.AddRange(planes.Select(plane => plane.Average()));
            statistics.AddRange(planes.Select(plane => Math.Sqrt(plane.Average(value => Math.Pow(value - plane.Average(), 2)) + 1e-5)));
        }
        return [.. statistics];
    }

    private static List<Planes> Stages(
        Func<ConvolutionPlace, NormalisedConvolution> weights, StridePlace stride, ReadOnlySpan<float> image, int height, int width)
    {
        var values = new double[image.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = image[i];
        var x = MaxPool(Relu(Convolve(new(3, height, width, values), weights(ConvolutionPlace.Stem), 2)));
        var stages = new List<Planes>();
        for (var stage = 1; stage <= 4; stage++)
        {
            for (var block = 0; block < ResNet50.BlocksPerStage[stage - 1]; block++)
            {
                var step = stage > 1 && block == 0 ? 2 : 1;
                Planes Layer(Planes from, BottleneckPart part, int by) => Convolve(from, weights(new(stage, block, part)), by);
                var y = Relu(Layer(x, BottleneckPart.Reduce, stride == StridePlace.Reduce ? step : 1));
                y = Relu(Layer(y, BottleneckPart.Middle, stride == StridePlace.Middle ? step : 1));
                y = Layer(y, BottleneckPart.Expand, 1);
                var shortcut = block == 0 ? Layer(x, BottleneckPart.Shortcut, step) : x;
                x = Relu(y with { Values = [.. y.Values.Zip(shortcut.Values, (a, b) => a + b)] });
            }
            stages.Add(x);
        }
        return stages;
    }

    private static Planes Convolve(Planes input, NormalisedConvolution layer, int stride)
    {
        var (outputs, inputs, size) = (layer.Kernel.Shape[0], layer.Kernel.Shape[1], layer.Kernel.Shape[2]);
        var padding = size / 2;
        var (height, width) = ((input.Height + 2 * padding - size) / stride + 1, (input.Width + 2 * padding - size) / stride + 1);
        var values = new double[outputs * height * width];
        for (var o = 0; o < outputs; o++)
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                {
                    double sum = layer.Bias?.Values[o] ?? 0;
                    for (var i = 0; i < inputs; i++)
                        for (var ky = 0; ky < size; ky++)
                            for (var kx = 0; kx < size; kx++)
                                sum += layer.Kernel.Values[((o * inputs + i) * size + ky) * size + kx] * input.At(
                                    i, y * stride + ky - padding, x * stride + kx - padding);
                    values[(o * height + y) * width + x] =
                        (sum - layer.Mean.Values[o]) / Math.Sqrt(layer.Variance.Values[o] + layer.Epsilon) * layer.Scale.Values[o]
                        + layer.Shift.Values[o];
                }
        return new(outputs, height, width, values);
    }

    private static Planes Relu(Planes x) => x with { Values = [.. x.Values.Select(value => Math.Max(value, 0))] };

    private static Planes MaxPool(Planes input)
    {
        var (height, width) = ((input.Height - 1) / 2 + 1, (input.Width - 1) / 2 + 1);
        var values = new double[input.Channels * height * width];
        for (var c = 0; c < input.Channels; c++)
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                    // After a ReLU nothing is below the padding's zero.
                    values[(c * height + y) * width + x] = Enumerable.Range(-1, 3)
                        .SelectMany(dy => Enumerable.Range(-1, 3).Select(dx => input.At(c, 2 * y + dy, 2 * x + dx))).Max();
        return new(input.Channels, height, width, values);
    }
}
