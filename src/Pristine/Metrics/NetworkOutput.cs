namespace Pristine.Metrics;

/// <summary>What a network gives, as numbers of a feature.</summary>
internal static class NetworkOutput
{
    /// <summary>Copies 32-bit floats into doubles; each keeps its value.</summary>
    /// <param name="output">The output of a network.</param>
    /// <param name="features">Room for as many numbers at least.</param>
    public static void WidenTo(this ReadOnlySpan<float> output, Span<double> features)
    {
        features = features[..output.Length];
        for (var i = 0; i < features.Length; i++)
            features[i] = output[i];
    }
}
