using System.Security.Cryptography;
using System.Text.Json;
using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

public sealed class PillowResizeTests
{
    public static TheoryData<SimdPath> Paths => [.. Simd.Supported];

    /// <summary>Bit for bit; the references are made by pillow_resize.py.</summary>
    [Theory]
    [MemberData(nameof(Paths))]
    public void The_result_is_Pillows(SimdPath path)
    {
        using var json = JsonDocument.Parse(
            File.ReadAllBytes(TestFiles.InRepository("tests", "Pristine.Tests", "Kernels", "pillow_resize.json")));
        using var resize = new PillowResize(path);
        var cases = 0;
        foreach (var reference in json.RootElement.GetProperty("cases").EnumerateArray())
        {
            int Number(string name) => reference.GetProperty(name).GetInt32();
            var filter = Enum.Parse<ResampleFilter>(reference.GetProperty("filter").GetString()!);
            var (width, height, resizedWidth, resizedHeight) =
                (Number("width"), Number("height"), Number("resizedWidth"), Number("resizedHeight"));
            var output = new byte[resizedWidth * resizedHeight * 3];
            resize.Resize(filter, Synthetic(width, height), width, height, resizedWidth, resizedHeight, new(
                0, 0, resizedWidth, resizedHeight), output);
            if (reference.TryGetProperty("hex", out var hex))
                Assert.Equal(hex.GetString(), Convert.ToHexStringLower(output));
            Assert.True(
                reference.GetProperty("sha256").GetString() == Convert.ToHexStringLower(SHA256.HashData(output)),
                $"{filter} {width}x{height} to {resizedWidth}x{resizedHeight} differs.");
            cases++;
        }
        Assert.Equal(28, cases);
    }

    /// <summary>A window is a cut of the whole, so that computing only a part changes nothing.</summary>
    [Theory]
    [MemberData(nameof(Paths))]
    public void A_window_is_a_part_of_the_whole(SimdPath path)
    {
        const int width = 97, height = 61, resizedWidth = 48, resizedHeight = 30;
        var source = Synthetic(width, height);
        using var resize = new PillowResize(path);
        foreach (var filter in Enum.GetValues<ResampleFilter>())
        {
            var whole = new byte[resizedWidth * resizedHeight * 3];
            resize.Resize(filter, source, width, height, resizedWidth, resizedHeight, new(0, 0, resizedWidth, resizedHeight), whole);
            var random = new Random(1);
            for (var i = 0; i < 50; i++)
            {
                var (left, top) = (random.Next(resizedWidth), random.Next(resizedHeight));
                var window = new PixelWindow(left, top, random.Next(1, resizedWidth - left + 1), random.Next(1, resizedHeight - top + 1));
                var part = new byte[window.Width * window.Height * 3];
                resize.Resize(filter, source, width, height, resizedWidth, resizedHeight, window, part);
                for (var y = 0; y < window.Height; y++)
                    Assert.Equal(
                        whole.AsSpan(((top + y) * resizedWidth + left) * 3, window.Width * 3).ToArray(),
                        part.AsSpan(y * window.Width * 3, window.Width * 3).ToArray());
            }
        }
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_refused()
    {
        using var resize = new PillowResize();
        var source = new byte[4 * 4 * 3];
        Assert.Throws<ArgumentException>(() => resize.Resize(ResampleFilter.Bilinear, source, 4, 5, 2, 2, new(0, 0, 2, 2), new byte[12]));
        Assert.Throws<ArgumentException>(() => resize.Resize(ResampleFilter.Bilinear, source, 4, 4, 2, 2, new(1, 0, 2, 2), new byte[12]));
        Assert.Throws<ArgumentException>(() => resize.Resize(ResampleFilter.Bilinear, source, 4, 4, 2, 2, new(0, 0, 2, 2), new byte[11]));
        Assert.Throws<ArgumentException>(() => resize.Resize(ResampleFilter.Bilinear, source, 4, 4, 0, 0, new(0, 0, 0, 0), []));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => resize.Resize(ResampleFilter.Bilinear, [], 0, 4, 2, 2, new(0, 0, 2, 2), new byte[12]));
    }

    /// <summary>The image of pillow_resize.py.</summary>
    internal static byte[] Synthetic(int width, int height)
    {
        var state = 12345u;
        var pixels = new byte[width * height * 3];
        foreach (ref var value in pixels.AsSpan())
        {
            state = state * 1664525 + 1013904223;
            value = (byte)(state >> 24);
        }
        for (var y = 0; y < height / 2; y++)
            pixels.AsSpan(y * width * 3, width / 2 * 3).Clear();
        for (var y = 0; y < height / 3; y++)
            pixels.AsSpan(y * width * 3, width / 3 * 3).Fill(byte.MaxValue);
        return pixels;
    }
}
