using Pristine.Experiments;
using Pristine.Media;
using Pristine.Tests.Media;

namespace Pristine.Tests.Experiments;

public class ImageDegraderTests
{
    private const int Width = 96, Height = 64;

    public static TheoryData<DegradationKind> PixelKinds =>
        [.. Enum.GetValues<DegradationKind>().Where(kind => kind != DegradationKind.Jpeg)];

    private static byte[] Apply(byte[] rgb, int width, int height, Degradation degradation, long seed = 1)
    {
        using var degrader = new ImageDegrader();
        var random = RandomStream.Of(seed, "image");
        return degrader.Apply(rgb, width, height, degradation, ref random).ToArray();
    }

    private static double MeanError(byte[] one, byte[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Average();

    [Fact]
    public void Kinds_have_the_values_of_arniqas_code()
    {
        // github.com/miccunifi/ARNIQA, utils/utils_data.py, distortion_range, at ceac52230de96df5203cfdce1e35897ca454a8b2.
        Assert.Equal([0.1, 0.5, 1, 2, 5], DegradationDefinition.Get("gaussian_blur").Values);
        Assert.Equal([1, 2, 4, 6, 8], DegradationDefinition.Get("lens_blur").Values);
        Assert.Equal([1, 2, 4, 6, 10], DegradationDefinition.Get("motion_blur").Values);
        Assert.Equal([43, 36, 24, 7, 4], DegradationDefinition.Get("jpeg").Values);
        Assert.Equal([0.001, 0.002, 0.003, 0.005, 0.01], DegradationDefinition.Get("white_noise").Values);
        Assert.Equal([0.001, 0.005, 0.01, 0.02, 0.03], DegradationDefinition.Get("impulse_noise").Values);
        Assert.Equal([0.001, 0.005, 0.01, 0.02, 0.05], DegradationDefinition.Get("multiplicative_noise").Values);
        Assert.Equal([0.1, 0.2, 0.4, 0.7, 1.1], DegradationDefinition.Get("brighten").Values);
        Assert.Equal([0.05, 0.1, 0.2, 0.4, 0.8], DegradationDefinition.Get("darken").Values);
        Assert.Equal([0, 0.15, -0.4, 0.3, -0.6], DegradationDefinition.Get("contrast").Values);
        Assert.Equal([0.4, 0.2, 0.1, 0, -0.4], DegradationDefinition.Get("saturation").Values);
        Assert.Equal([0.01, 0.05, 0.1, 0.2, 0.5], DegradationDefinition.Get("pixelate").Values);
        Assert.Equal([20, 16, 13, 10, 7], DegradationDefinition.Get("quantise").Values);
        Assert.All(Enum.GetValues<DegradationKind>(), kind => Assert.Equal(kind, DegradationDefinition.Get(kind).Kind));
        Assert.All(DegradationDefinition.All, kind => Assert.Equal(DegradationDefinition.Levels, kind.Values.Count));
        Assert.Contains(
            "lens_blur", Assert.Throws<ArgumentException>(() => DegradationDefinition.Get("fog")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_documentation_has_the_table_of_kinds() =>
        Assert.Contains(
            DegradationDefinition.ToMarkdown(),
            File.ReadAllText(TestFiles.InRepository("docs", "experiments.md")).ReplaceLineEndings("\n"),
            StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(PixelKinds))]
    public void Level_5_changes_more_than_level_1_and_a_seed_repeats(DegradationKind kind)
    {
        var rgb = TestImages.Photo(Width, Height);
        var weak = Apply(rgb, Width, Height, new Degradation(kind, 1, 30));
        var strong = Apply(rgb, Width, Height, new Degradation(kind, 5, 30));
        Assert.True(MeanError(rgb, strong) > MeanError(rgb, weak), $"{MeanError(rgb, weak)} and {MeanError(rgb, strong)}");
        Assert.InRange(MeanError(rgb, strong), 1, 100);
        Assert.Equal(strong, Apply(rgb, Width, Height, new Degradation(kind, 5, 30)));
    }

    [Theory]
    [MemberData(nameof(PixelKinds))]
    public void Every_level_works_on_images_of_any_size(DegradationKind kind)
    {
        foreach (var (width, height) in (ReadOnlySpan<(int, int)>)[(1, 1), (1, 7), (3, 2), (20, 1)])
            for (var level = 1; level <= DegradationDefinition.Levels; level++)
                Assert.Equal(
                    3 * width * height, Apply(TestImages.Photo(width, height), width, height, new Degradation(kind, level, 90)).Length);
    }

    [Theory]
    [InlineData(DegradationKind.WhiteNoise)]
    [InlineData(DegradationKind.MultiplicativeNoise)]
    public void Noise_has_the_variance_it_says(DegradationKind kind)
    {
        // Middle grey, so that nothing is clipped; multiplicative noise is scaled by the level.
        const byte level = 128;
        var rgb = Enumerable.Repeat(level, 3 * 200 * 200).ToArray();
        for (var step = 1; step <= 4; step++)
        {
            var degradation = new Degradation(kind, step);
            var noise = Apply(rgb, 200, 200, degradation).Select(value => (double)value - level).ToArray();
            var expected = degradation.Value * (kind == DegradationKind.WhiteNoise ? 255.0 * 255 : level * level);
            // Rounding to levels adds 1/12; 120,000 samples leave 0.5 % of chance.
            Assert.Equal(expected + 1 / 12.0, noise.Average(value => value * value), 0.02 * expected);
            Assert.Equal(0, noise.Average(), 5 * Math.Sqrt(expected / noise.Length));
        }
    }

    [Fact]
    public void Impulses_hit_their_share_of_samples_half_black_half_white()
    {
        var rgb = Enumerable.Repeat((byte)100, 3 * 200 * 200).ToArray();
        var found = Apply(rgb, 200, 200, new Degradation(DegradationKind.ImpulseNoise, 5));
        Assert.Equal(0.015, found.Count(value => value == 0) / (double)found.Length, 0.002);
        Assert.Equal(0.015, found.Count(value => value == 255) / (double)found.Length, 0.002);
        Assert.All(found, value => Assert.True(value is 0 or 100 or 255));
        Assert.NotEqual(found, Apply(rgb, 200, 200, new Degradation(DegradationKind.ImpulseNoise, 5), seed: 2));
    }

    [Fact]
    public void Tone_curves_go_through_their_points()
    {
        // brighten by 0.4 takes 1/2 to 0.7, darken by 0.4 to 0.3; level 127.5 lies between two levels.
        Assert.Equal(0.7 * 255, (ToneCurve.Bend(0.4)[127] + ToneCurve.Bend(0.4)[128]) / 2.0, 1.0);
        Assert.Equal(0.3 * 255, (ToneCurve.Bend(-0.4)[127] + ToneCurve.Bend(-0.4)[128]) / 2.0, 1.0);
        foreach (var amount in (ReadOnlySpan<double>)[0.1, 1.1, -0.05, -0.8])
        {
            var curve = ToneCurve.Bend(amount);
            Assert.Equal((0, 255), (curve[0], curve[255]));
            Assert.Equal(curve.Order(), curve);
        }
        // 0.3 is not a level: 76 and 77 stand on either side of 76.5.
        var contrast = ToneCurve.Contrast(0.3);
        Assert.Equal((0.25 - 0.075) * 255, (contrast[76] + contrast[77]) / 2.0, 1.0);
        Assert.Equal((0.75 + 0.075) * 255, (contrast[178] + contrast[179]) / 2.0, 1.0);
        Assert.Equal((0, 255), (contrast[0], contrast[255]));
        Assert.True(ToneCurve.Contrast(-0.6)[76] > 76, "less contrast lifts the dark");
    }

    [Fact]
    public void Quantising_leaves_so_many_even_levels()
    {
        foreach (var levels in (ReadOnlySpan<int>)[20, 16, 13, 10, 7])
        {
            var curve = ToneCurve.Quantise(levels);
            Assert.Equal(Enumerable.Range(0, levels).Select(i => (byte)Math.Floor(255.0 * i / (levels - 1) + 0.5)), curve.Distinct());
            // Every level takes about as many.
            Assert.All(curve.GroupBy(value => value), group => Assert.InRange(group.Count(), 256 / levels, 256 / levels + 1));
        }
    }

    [Fact]
    public void Saturation_keeps_the_brightest_channel_and_turns_grey_at_zero()
    {
        byte[] rgb = [200, 100, 40];
        Assert.Equal([200, 160, 136], Apply(rgb, 1, 1, new Degradation(DegradationKind.Saturation, 1)));
        Assert.Equal([200, 200, 200], Apply(rgb, 1, 1, new Degradation(DegradationKind.Saturation, 4)));
        Assert.Equal([200, 240, 255], Apply(rgb, 1, 1, new Degradation(DegradationKind.Saturation, 5)));
    }

    [Fact]
    public void Blur_masks_sum_to_one_and_are_symmetric()
    {
        foreach (var mask in DegradationDefinition.Get("gaussian_blur").Values.Select(BlurMask.Gaussian)
            .Concat(DegradationDefinition.Get("lens_blur").Values.Select(BlurMask.Lens))
            .Concat(DegradationDefinition.Get("motion_blur").Values.SelectMany(
                length => new[] { 0, 17, 45, 90, 135, 179.5 }.Select(angle => BlurMask.Motion(length, angle)))))
        {
            Assert.Equal(1, mask.Weights.Sum(), 1e-12);
            Assert.All(mask.Weights, weight => Assert.True(weight >= 0));
            for (var i = 0; i < mask.Weights.Length; i++)
                Assert.Equal(mask.Weights[i], mask.Weights[^(i + 1)], 1e-12);
        }
    }

    [Fact]
    public void A_lens_covers_pixels_by_the_area_of_the_disc()
    {
        foreach (var radius in (ReadOnlySpan<double>)[1, 2, 4, 6, 8, 2.3])
        {
            var mask = BlurMask.Lens(radius);
            const int steps = 64;
            var side = mask.Width / 2;
            for (var i = 0; i < mask.Weights.Length; i++)
            {
                var inside = 0;
                for (var j = 0; j < steps * steps; j++)
                {
                    var (x, y) =
                        (i % mask.Width - side - 0.5 + (j % steps + 0.5) / steps, i / mask.Width - side - 0.5 + (j / steps + 0.5) / steps);
                    inside += x * x + y * y < radius * radius ? 1 : 0;
                }
                Assert.Equal(
                    inside / (double)(steps * steps) / (Math.PI * radius * radius), mask.Weights[i], 0.02 / (Math.PI * radius * radius));
            }
        }
    }

    [Fact]
    public void Movement_goes_where_its_angle_says()
    {
        Assert.Equal([0.25, 0.5, 0.25], BlurMask.Motion(2, 0).Weights);
        Assert.Equal([1.0], BlurMask.Motion(1, 77).Weights);
        // 45 degrees counter-clockwise: from the lower left to the upper right.
        var rising = BlurMask.Motion(6, 45);
        Assert.True(rising.Weights[rising.Width - 1] < 1e-12 || rising.Weights[rising.Width - 1] > rising.Weights[0]);
        Assert.True(Weight(rising, 1, -1) > 5 * Weight(rising, -1, -1));

        static double Weight(Pristine.Kernels.ConvolutionMask mask, int x, int y) =>
            mask.Weights[(y + mask.Height / 2) * mask.Width + x + mask.Width / 2];
    }

    [Fact]
    public void Pixelating_repeats_pixels_and_softening_keeps_the_mean()
    {
        var rgb = TestImages.Photo(Width, Height);
        // 0.95 - 0.5^0.6 = 0.290 of 96 x 64 pixels is 27 x 18.
        var pixels = Apply(rgb, Width, Height, new Degradation(DegradationKind.Pixelate, 5)).Chunk(3)
            .Select(pixel => (pixel[0], pixel[1], pixel[2])).ToArray();
        Assert.Equal(27 * 18, pixels.Distinct().Count());
        var original = rgb.Chunk(3).Select(pixel => (pixel[0], pixel[1], pixel[2])).ToHashSet();
        Assert.All(pixels, pixel => Assert.Contains(pixel, original));
        var soft = Apply(rgb, Width, Height, new Degradation(DegradationKind.Downscale, 4));
        Assert.Equal(rgb.Average(value => value), soft.Average(value => value), 1.0);
        var flat = Enumerable.Repeat((byte)77, 3 * 50 * 31).ToArray();
        for (var level = 1; level <= DegradationDefinition.Levels; level++)
            Assert.Equal(flat, Apply(flat, 50, 31, new Degradation(DegradationKind.Downscale, level)));
    }

    [Theory]
    [InlineData("jpeg")]
    [InlineData("png")]
    [InlineData("webp")]
    public void A_degraded_file_keeps_format_and_size(string format)
    {
        Assert.Null(ImageEncoder.Encode(TestImages.Photo(Width, Height), Width, Height, format, out var original));
        using var decoder = new ImageDecoder();
        using var degrader = new ImageDegrader();
        Assert.Equal(ImageStatus.Ok, decoder.Decode(original, ImageInput.Rgb).Status);
        var rgb = decoder.Image.Rgb.ToArray();
        foreach (var kind in (ReadOnlySpan<DegradationKind>)[DegradationKind.Jpeg, DegradationKind.LensBlur])
        {
            var random = RandomStream.Of(1, "image");
            Assert.Null(degrader.Degrade(decoder.Image, new Degradation(kind, 4), ref random, out var file));
            using var second = new ImageDecoder();
            Assert.Equal(ImageStatus.Ok, second.Decode(file, ImageInput.Rgb).Status);
            Assert.Equal((Width, Height, format), (second.Image.Width, second.Image.Height, second.Image.Header.Format));
            Assert.InRange(MeanError(rgb, second.Image.Rgb.ToArray()), 2, 60);
        }
    }
}
