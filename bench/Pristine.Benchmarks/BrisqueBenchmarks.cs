using BenchmarkDotNet.Attributes;
using Pristine.Media;
using Pristine.Kernels;
using Pristine.Metrics;
using Pristine.Metrics.Brisque;

namespace Pristine.Benchmarks;

/// <summary>The whole metric, given luma, on each path: one image of the size people train on, one as it comes from a camera.</summary>
[MemoryDiagnoser]
public class BrisqueBenchmarks
{
    private MetricScorer _scorer = null!;
    private byte[] _luma = [];
    private ImageHeader _header;

    /// <summary>The paths that can run here.</summary>
    public static IEnumerable<SimdPath> Paths => Simd.Supported;

    /// <summary>The path measured.</summary>
    [ParamsSource(nameof(Paths))]
    public SimdPath Path { get; set; }

    /// <summary>Width x height.</summary>
    [Params("512x384", "4000x3000")]
    public string Size { get; set; } = "";

    /// <summary>Makes the image: waves of several lengths with some noise, the same in every run.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var sides = Size.Split('x').Select(int.Parse).ToArray();
        _header = new ImageHeader(sides[0], sides[1], "png", 1);
        _luma = new byte[sides[0] * sides[1]];
        var random = new Random(1);
        for (var i = 0; i < _luma.Length; i++)
        {
            var (y, x) = Math.DivRem(i, sides[0]);
            _luma[i] = (byte)(128 + 70 * Math.Sin(x / 23.0 + y / 31.0) + 30 * Math.Sin(x / 5.0 - y / 7.0) + random.Next(-9, 10));
        }
        _scorer = new BrisqueMetric(Path).CreateScorer();
    }

    /// <summary>Frees the scorer.</summary>
    [GlobalCleanup]
    public void Cleanup() => _scorer.Dispose();

    /// <summary>One score.</summary>
    [Benchmark]
    public double Score() => _scorer.Score(new ImageView(_header, [], _luma));
}
