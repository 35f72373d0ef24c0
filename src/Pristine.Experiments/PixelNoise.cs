namespace Pristine.Experiments;

/// <summary>Random changes of 8-bit samples, each drawn on its own. Variances are those of levels scaled to [0,1].</summary>
internal static class PixelNoise
{
    /// <summary>Adds Gaussian noise.</summary>
    public static void AddWhite(ReadOnlySpan<byte> samples, double variance, ref RandomStream random, Span<byte> target)
    {
        var deviation = 255 * Math.Sqrt(variance);
        for (var i = 0; i < target.Length; i++)
            target[i] = Level(samples[i] + deviation * random.NextGaussian());
    }

    /// <summary>Multiplies by 1 + Gaussian noise, so that bright areas suffer most.</summary>
    public static void Multiply(ReadOnlySpan<byte> samples, double variance, ref RandomStream random, Span<byte> target)
    {
        var deviation = Math.Sqrt(variance);
        for (var i = 0; i < target.Length; i++)
            target[i] = Level(samples[i] * (1 + deviation * random.NextGaussian()));
    }

    /// <summary>Sets samples to 0 or 255, one as often as the other.</summary>
    /// <param name="samples">The samples.</param>
    /// <param name="density">The share that is hit.</param>
    /// <param name="random">Chance.</param>
    /// <param name="target">As many samples.</param>
    public static void AddImpulses(ReadOnlySpan<byte> samples, double density, ref RandomStream random, Span<byte> target)
    {
        for (var i = 0; i < target.Length; i++)
        {
            var chance = random.NextDouble();
            target[i] = chance < density / 2 ? byte.MinValue : chance < density ? byte.MaxValue : samples[i];
        }
    }

    private static byte Level(double value) => (byte)(Math.Clamp(value, 0, 255) + 0.5);
}
