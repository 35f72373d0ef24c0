using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

/// <summary>What the kernel tests run over.</summary>
internal static class KernelData
{
    /// <summary>The paths that can run here.</summary>
    public static TheoryData<SimdPath> Paths => [.. Simd.Supported];

    /// <summary>Sizes below, at and above multiples of 8, 16 and 64 lanes, and shapes that are all border.</summary>
    public static IEnumerable<(int Width, int Height)> Sizes(int minimum)
    {
        int[] lengths = [.. Enumerable.Range(minimum, 20 - minimum), 23, 24, 25, 31, 32, 33, 34, 35, 47, 48, 49, 63, 64, 65, 66, 67, 70];
        int[] heights = [.. Enumerable.Range(minimum, 12 - minimum), 16, 17, 33, 70];
        foreach (var width in lengths)
            foreach (var height in heights)
                yield return (width, height);
        yield return (511, 383);
        yield return (20_000, 3);
        yield return (3, 5_000);
        // Wider than what one lane of eight sums in float at once (8 x 256).
        yield return (4_099, 7);
    }
}
