using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public class LumaTests
{
    public static TheoryData<SimdPath> Paths => [.. Enum.GetValues<SimdPath>()];

    [Theory]
    [MemberData(nameof(Paths))]
    public void Equals_the_formula_at_every_length_and_reads_nothing_beyond(SimdPath path)
    {
        SkipUnless(path);
        var random = new Random(7);
        for (var length = 0; length <= 300; length++)
        {
            using var rgb = new GuardedMemory(3 * length);
            using var luma = new GuardedMemory(length);
            random.NextBytes(rgb.Span);
            random.NextBytes(luma.Span);
            Luma.FromRgb(rgb.Span, luma.Span, path);
            for (var i = 0; i < length; i++)
                Assert.Equal(Expected(rgb.Span[3 * i], rgb.Span[3 * i + 1], rgb.Span[3 * i + 2]), luma.Span[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Equals_the_formula_for_every_pair_of_levels_and_at_the_extremes(SimdPath path)
    {
        SkipUnless(path);
        byte[] blues = [0, 1, 127, 128, 254, 255];
        var rgb = new byte[3 * 256 * 256 * blues.Length];
        var at = 0;
        foreach (var blue in blues)
            for (var red = 0; red < 256; red++)
                for (var green = 0; green < 256; green++)
                    (rgb[at++], rgb[at++], rgb[at++]) = ((byte)red, (byte)green, blue);
        var luma = new byte[rgb.Length / 3];
        Luma.FromRgb(rgb, luma, path);
        for (var i = 0; i < luma.Length; i++)
            if (luma[i] != Expected(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]))
                Assert.Fail($"({rgb[3 * i]},{rgb[3 * i + 1]},{rgb[3 * i + 2]}) gave {luma[i]} on {path}.");
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Grey_keeps_its_value(SimdPath path)
    {
        SkipUnless(path);
        var grey = Enumerable.Range(0, 256).Select(level => (byte)level).ToArray();
        var luma = new byte[256];
        Luma.FromRgb(grey.SelectMany(level => new[] { level, level, level }).ToArray(), luma, path);
        Assert.Equal(grey, luma);
    }

    [Fact]
    public void Lengths_that_do_not_belong_together_are_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => Luma.FromRgb(new byte[10], new byte[3], SimdPath.Scalar));
        Assert.Contains("Expected 9", error.Message, StringComparison.Ordinal);
    }

    // In double precision from the published weights; the fixed-point formula rounds to the nearest of it, ties upwards.
    private static byte Expected(byte red, byte green, byte blue) =>
        (byte)Math.Floor(9798.0 / 32768 * red + 19235.0 / 32768 * green + 3735.0 / 32768 * blue + 0.5);

    private static void SkipUnless(SimdPath path)
    {
        if (!Simd.IsSupported(path))
            Assert.Skip($"{path} cannot run here.");
    }
}
