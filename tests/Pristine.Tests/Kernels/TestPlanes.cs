namespace Pristine.Tests.Kernels;

/// <summary>Synthetic luma planes, the same in every run.</summary>
internal static class TestPlanes
{
    /// <summary>Independent pixels.</summary>
    public static byte[] Noise(int width, int height, int seed = 1)
    {
        var plane = new byte[width * height];
        new Random(seed).NextBytes(plane);
        return plane;
    }

    /// <summary>Waves of several lengths with some noise: gradients, texture and no flat window.</summary>
    public static byte[] Photo(int width, int height, int seed = 1)
    {
        var random = new Random(seed);
        var plane = new byte[width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var wave = 60 * Math.Sin(x / 23.0 + y / 31.0) + 30 * Math.Sin(x / 5.0 - y / 7.0) + 12 * Math.Cos(x * y / 900.0);
                plane[y * width + x] = (byte)Math.Clamp(120 + wave + random.Next(-9, 10), 0, 255);
            }
        return plane;
    }

    public static byte[] Constant(int width, int height, byte value)
    {
        var plane = new byte[width * height];
        Array.Fill(plane, value);
        return plane;
    }

    /// <summary>Squares of a side, black and white.</summary>
    public static byte[] Checkerboard(int width, int height, int side)
    {
        var plane = new byte[width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                plane[y * width + x] = (byte)((x / side + y / side) % 2 * 255);
        return plane;
    }

    /// <summary>Left half as a photograph, right half one grey.</summary>
    public static byte[] HalfFlat(int width, int height, byte value)
    {
        var plane = Photo(width, height);
        for (var y = 0; y < height; y++)
            plane.AsSpan(y * width + width / 2, width - width / 2).Fill(value);
        return plane;
    }

    /// <summary>One pixel differs from all others: most windows are flat.</summary>
    public static byte[] Dot(int width, int height)
    {
        var plane = new byte[width * height];
        plane[height / 2 * width + width / 2] = 255;
        return plane;
    }

    /// <summary>Planes in which rounding decides: extreme values, edges, flat windows.</summary>
    public static IEnumerable<(string Name, byte[] Plane)> Extreme(int width, int height) =>
    [
        ("all 0", Constant(width, height, 0)),
        ("all 77", Constant(width, height, 77)),
        ("all 255", Constant(width, height, 255)),
        ("checkerboard 1", Checkerboard(width, height, 1)),
        ("checkerboard 2", Checkerboard(width, height, 2)),
        ("checkerboard 8", Checkerboard(width, height, 8)),
        ("noise", Noise(width, height)),
        ("half white", HalfFlat(width, height, 255)),
        ("half grey", HalfFlat(width, height, 131)),
        ("dot", Dot(width, height)),
    ];
}
