using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>
/// Which implementation of a kernel runs. Every kernel has <see cref="Scalar"/>; the others give the same numbers within the kernel's
/// documented tolerance.
/// </summary>
public enum SimdPath
{
    /// <summary>Plain C#, on any processor.</summary>
    Scalar,

    /// <summary>128-bit vectors: ARM64, and x64 processors without AVX2.</summary>
    Vector128,

    /// <summary>256-bit vectors: AVX2 and FMA.</summary>
    Vector256,

    /// <summary>512-bit vectors: AVX-512 F, BW and VL.</summary>
    Vector512,
}

/// <summary>The path that kernels take in this process.</summary>
public static class Simd
{
    /// <summary>Names a path to force, for tests and measurements: <c>scalar</c>, <c>128</c>, <c>256</c> or <c>512</c>.</summary>
    public const string Variable = "PRISTINE_SIMD";

    /// <summary>The path in use: the widest the processor (as .NET sees it) supports, or the one <see cref="Variable"/> asks for.</summary>
    /// <exception cref="PlatformNotSupportedException">
    /// <see cref="Variable"/> asks for a path that this processor lacks, or names none.
    /// </exception>
    public static SimdPath Current { get; } = Choose(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Whether a path can run here.</summary>
    /// <param name="path">The path.</param>
    public static bool IsSupported(SimdPath path) => path switch
    {
        SimdPath.Scalar => true,
        SimdPath.Vector128 => Vector128.IsHardwareAccelerated,
        SimdPath.Vector256 => Avx2.IsSupported && Fma.IsSupported,
        // Vector512.IsHardwareAccelerated is false on processors that clock down for 512-bit code, although they run it faster here.
        SimdPath.Vector512 => Avx512F.VL.IsSupported && Avx512BW.VL.IsSupported && IsSupported(SimdPath.Vector256),
        _ => false,
    };

    /// <summary>All paths that can run here, the slowest first.</summary>
    public static IEnumerable<SimdPath> Supported => Enum.GetValues<SimdPath>().Where(IsSupported);

    internal static SimdPath Choose(string? asked)
    {
        if (string.IsNullOrEmpty(asked))
            return Supported.Last();
        var path = asked switch
        {
            "scalar" => SimdPath.Scalar,
            "128" => SimdPath.Vector128,
            "256" => SimdPath.Vector256,
            "512" => SimdPath.Vector512,
            _ => throw new PlatformNotSupportedException($"Expected {Variable} to be scalar, 128, 256 or 512; found '{asked}'."),
        };
        return IsSupported(path)
            ? path
            : throw new PlatformNotSupportedException($"{Variable}={asked}, but this processor or the .NET settings do not allow {path}.");
    }
}
