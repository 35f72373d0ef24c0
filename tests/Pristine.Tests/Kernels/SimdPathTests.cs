using System.Runtime.Intrinsics;
using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

[Trait("kind", "kernel")]
public class SimdPathTests
{
    /// <summary>Set by <see cref="HardwareSettingsTests"/> for its children: the paths that must be supported there.</summary>
    internal const string ExpectedPaths = "PRISTINE_EXPECT_PATHS";

    /// <summary>Set likewise: whether .NET must use 512-bit vectors of its own accord.</summary>
    internal const string ExpectedVector512 = "PRISTINE_EXPECT_VECTOR512";

    [Fact]
    public void Supported_paths_are_those_that_the_settings_leave()
    {
        var expected = Environment.GetEnvironmentVariable(ExpectedPaths);
        if (expected != null)
            Assert.Equal(expected, string.Join(',', Simd.Supported));
        Assert.Equal(SimdPath.Scalar, Simd.Supported.First());
    }

    [Fact]
    public void Vector512_is_used_where_the_settings_ask_for_it()
    {
        var expected = Environment.GetEnvironmentVariable(ExpectedVector512);
        Assert.SkipWhen(expected == null, "Only asserted in a child process with DOTNET_PreferredVectorBitWidth=512.");
        Assert.Equal(expected, Vector512.IsHardwareAccelerated.ToString());
    }

    [Fact]
    public void A_path_can_be_asked_for_by_name()
    {
        Assert.Equal(SimdPath.Scalar, Simd.Choose("scalar"));
        if (Simd.IsSupported(SimdPath.Vector128))
            Assert.Equal(SimdPath.Vector128, Simd.Choose("128"));
        Assert.Equal(Simd.Supported.Last(), Simd.Choose(null));
        var error = Assert.Throws<PlatformNotSupportedException>(() => Simd.Choose("avx"));
        Assert.Contains("found 'avx'", error.Message, StringComparison.Ordinal);
    }
}
