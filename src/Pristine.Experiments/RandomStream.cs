using System.IO.Hashing;
using System.Text;

namespace Pristine.Experiments;

/// <summary>
/// A stream of random numbers that is the same on every machine and .NET version: SplitMix64 (Steele, Lea, Flood 2014,
/// DOI 10.1145/2714064.2660195). A seed and a name, or a seed and a number, give streams that do not depend on each other, so that work on
/// many things needs no common order.
/// </summary>
internal struct RandomStream
{
    private const ulong Step = 0x9E3779B97F4A7C15;
    private ulong _state;
    private double _spareGaussian = double.NaN;

    private RandomStream(ulong state) => _state = state;

    /// <summary>The stream of a name, for example of one image.</summary>
    public static RandomStream Of(long seed, string name) => new(XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(name), seed));

    /// <summary>The stream of a number, for example of one resample.</summary>
    public static RandomStream Of(long seed, long number) => new(Mix((ulong)seed) ^ Mix((ulong)number * Step + 1));

    /// <summary>64 random bits.</summary>
    public ulong Next() => Mix(_state += Step);

    /// <summary>Uniform in [0,1).</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1ul << 53));

    /// <summary>Uniform in 0..limit-1.</summary>
    /// <param name="limit">At least 1.</param>
    public int Next(int limit) => (int)Math.BigMul(Next(), (ulong)limit, out _);

    /// <summary>From the normal distribution with mean 0 and standard deviation 1 (Box and Muller).</summary>
    public double NextGaussian()
    {
        if (!double.IsNaN(_spareGaussian))
        {
            var spare = _spareGaussian;
            _spareGaussian = double.NaN;
            return spare;
        }
        var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        var (sin, cos) = Math.SinCos(2 * Math.PI * NextDouble());
        _spareGaussian = radius * sin;
        return radius * cos;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9;
        value = (value ^ value >> 27) * 0x94D049BB133111EB;
        return value ^ value >> 31;
    }
}
