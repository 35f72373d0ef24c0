using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.Arniqa;

/// <summary>
/// The files of ARNIQA's release (Agnolucci et al., "ARNIQA: Learning Distortion Manifold for Image Quality Assessment", WACV 2024,
/// arXiv:2310.14918): the encoder is a state dict of torchvision's ResNet-50 without its classifier, a regressor is a TorchScript module.
/// </summary>
internal static class ArniqaCheckpoint
{
    /// <summary>torch.nn.BatchNorm2d's default.</summary>
    private const double BatchNormEpsilon = 1e-5;

    /// <summary>Reads the encoder. The projector, which only training needs, is left out.</summary>
    /// <param name="file">Contents of <c>ARNIQA.pth</c>.</param>
    /// <param name="source">Name of the file, for messages.</param>
    /// <exception cref="ModelException">The file is damaged, a tensor is missing or has another shape.</exception>
    public static ResNet50 ReadEncoder(byte[] file, string source)
    {
        var tensors = TorchCheckpoint.ReadStateDict(file, source);
        WeightTensor Get(string name) => Tensor(source, tensors, name);
        return ResNet50.Build(source, Read, StridePlace.Middle);

        NormalisedConvolution Read(ConvolutionPlace place)
        {
            // torchvision's modules as the items of an nn.Sequential: 0 conv1, 1 bn1, 2 relu, 3 maxpool, 4 to 7 the stages.
            var block = $"model.{place.Stage + 3}.{place.Block}.";
            var (convolution, norm) = place.Stage == 0 ? ("model.0", "model.1") : place.Part switch
            {
                BottleneckPart.Reduce => (block + "conv1", block + "bn1"),
                BottleneckPart.Middle => (block + "conv2", block + "bn2"),
                BottleneckPart.Expand => (block + "conv3", block + "bn3"),
                _ => (block + "downsample.0", block + "downsample.1"),
            };
            return new(
                Get(convolution + ".weight"), null, Get(norm + ".weight"), Get(norm + ".bias"),
                Get(norm + ".running_mean"), Get(norm + ".running_var"), BatchNormEpsilon);
        }
    }

    /// <summary>Reads a regressor: score = weights . features + bias, over the features at full scale, then those at half scale.</summary>
    /// <param name="file">Contents of, for example, <c>regressor_kadid10k.pth</c>.</param>
    /// <param name="source">Name of the file, for messages.</param>
    /// <exception cref="ModelException">The file is damaged, a tensor is missing or has another shape.</exception>
    public static LinearHead ReadRegressor(byte[] file, string source)
    {
        var tensors = TorchCheckpoint.ReadModule(file, source);
        var (weights, bias) = (Tensor(source, tensors, "weights"), Tensor(source, tensors, "biases"));
        if (bias.Values.Length != 1)
            throw new ModelException($"{source}: expected one number in biases; found the shape [{string.Join(", ", bias.Shape)}].");
        if (weights.Values.Length == 0 || weights.Shape.Max() != weights.Values.Length)
            throw new ModelException($"{source}: expected a vector of weights; found the shape [{string.Join(", ", weights.Shape)}].");
        return new LinearHead(weights.Values, bias.Values[0]);
    }

    private static WeightTensor Tensor(string source, IReadOnlyDictionary<string, TorchTensor> tensors, string name) =>
        tensors.TryGetValue(name, out var tensor)
            ? new WeightTensor(name, tensor.Shape, tensor.ToFloats())
            : throw new ModelException($"{source}: expected a tensor {name}; it is missing ({tensors.Count} others are there).");
}
