using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>
/// 8-bit luma with BT.601 weights in 15-bit fixed point: Y = (9798 R + 19235 G + 3735 B + 16384) >> 15. This is the grey of OpenCV's
/// <c>cvtColor</c>. The weights sum to 32768, so grey pixels (R = G = B) keep their value. Every path gives the same bytes.
/// </summary>
internal static class Luma
{
    private const int RedWeight = 9798;
    private const int GreenWeight = 19235;
    private const int BlueWeight = 3735;
    private const int Half = 1 << 14;
    private const int Shift = 15;

    /// <summary>Computes luma on the path of this process.</summary>
    /// <param name="rgb">Interleaved R G B, 3 bytes per pixel.</param>
    /// <param name="luma">One byte per pixel; every byte is written.</param>
    /// <exception cref="ArgumentException"><paramref name="rgb"/> is not three times as long as <paramref name="luma"/>.</exception>
    public static void FromRgb(ReadOnlySpan<byte> rgb, Span<byte> luma) => FromRgb(rgb, luma, Simd.Current);

    /// <summary>Computes luma on a given path.</summary>
    /// <param name="rgb">Interleaved R G B, 3 bytes per pixel.</param>
    /// <param name="luma">One byte per pixel; every byte is written.</param>
    /// <param name="path">The implementation to run.</param>
    /// <exception cref="ArgumentException"><paramref name="rgb"/> is not three times as long as <paramref name="luma"/>.</exception>
    /// <exception cref="PlatformNotSupportedException">The path cannot run here.</exception>
    public static void FromRgb(ReadOnlySpan<byte> rgb, Span<byte> luma, SimdPath path)
    {
        if (rgb.Length != 3L * luma.Length)
            throw new ArgumentException(
                $"Expected {3L * luma.Length} bytes of RGB for {luma.Length} pixels; found {rgb.Length}.", nameof(rgb));
        if (!Simd.IsSupported(path))
            throw new PlatformNotSupportedException($"{path} cannot run on this processor.");
        var done = path switch
        {
            SimdPath.Vector512 => Wide512(rgb, luma),
            SimdPath.Vector256 => Wide256(rgb, luma),
            SimdPath.Vector128 => Wide128(rgb, luma),
            _ => 0,
        };
        Scalar(rgb[(3 * done)..], luma[done..]);
    }

    private static void Scalar(ReadOnlySpan<byte> rgb, Span<byte> luma)
    {
        for (int i = 0, j = 0; i < luma.Length; i++, j += 3)
            luma[i] = (byte)((RedWeight * rgb[j] + GreenWeight * rgb[j + 1] + BlueWeight * rgb[j + 2] + Half) >> Shift);
    }

    // One step turns 4 pixels (12 bytes) into 4 integers: three shuffles put R, G and B into 32-bit lanes, which are weighed and summed.
    // A step loads 16 bytes for its 12, so the loop needs 4 bytes (2 pixels) behind its last block.
    private static int Wide128(ReadOnlySpan<byte> rgb, Span<byte> luma)
    {
        ref var source = ref MemoryMarshal.GetReference(rgb);
        ref var target = ref MemoryMarshal.GetReference(luma);
        var i = 0;
        for (; i <= luma.Length - 18; i += 16)
        {
            ref var block = ref Unsafe.Add(ref source, 3 * i);
            var words0 = Vector128.Narrow(Weigh128(ref block), Weigh128(ref Unsafe.Add(ref block, 12)));
            var words1 = Vector128.Narrow(Weigh128(ref Unsafe.Add(ref block, 24)), Weigh128(ref Unsafe.Add(ref block, 36)));
            Vector128.Narrow(words0.AsUInt16(), words1.AsUInt16()).StoreUnsafe(ref target, (nuint)i);
        }
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Weigh128(ref byte pixels)
    {
        var four = Vector128.LoadUnsafe(ref pixels);
        var red = Vector128.Shuffle(four, Vector128.Create(0, Z, Z, Z, 3, Z, Z, Z, 6, Z, Z, Z, 9, Z, Z, Z)).AsInt32();
        var green = Vector128.Shuffle(four, Vector128.Create(1, Z, Z, Z, 4, Z, Z, Z, 7, Z, Z, Z, 10, Z, Z, Z)).AsInt32();
        var blue = Vector128.Shuffle(four, Vector128.Create(2, Z, Z, Z, 5, Z, Z, Z, 8, Z, Z, Z, 11, Z, Z, Z)).AsInt32();
        return (red * RedWeight + green * GreenWeight + blue * BlueWeight + Vector128.Create(Half)) >>> Shift;
    }

    // One step turns 8 pixels (24 bytes) into 8 integers: the permutation gives each 128-bit lane the 12 bytes of four pixels, the
    // shuffles widen (R, G) and (B, 0) to pairs of 16-bit numbers, and each multiply-add weighs a pair and sums it in 32 bits. Four
    // steps are packed to 32 bytes; packing works lane by lane, so a last permutation of 32-bit groups restores the order.
    // A step loads 32 bytes for its 24, so the loop needs 8 bytes (3 pixels) behind its last block.
    private static int Wide256(ReadOnlySpan<byte> rgb, Span<byte> luma)
    {
        ref var source = ref MemoryMarshal.GetReference(rgb);
        ref var target = ref MemoryMarshal.GetReference(luma);
        var order = Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7);
        var i = 0;
        for (; i <= luma.Length - 35; i += 32)
        {
            ref var block = ref Unsafe.Add(ref source, 3 * i);
            var words0 = Avx2.PackSignedSaturate(Weigh256(ref block), Weigh256(ref Unsafe.Add(ref block, 24)));
            var words1 = Avx2.PackSignedSaturate(Weigh256(ref Unsafe.Add(ref block, 48)), Weigh256(ref Unsafe.Add(ref block, 72)));
            var bytes = Avx2.PackUnsignedSaturate(words0, words1);
            Avx2.PermuteVar8x32(bytes.AsInt32(), order).AsByte().StoreUnsafe(ref target, (nuint)i);
        }
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Weigh256(ref byte pixels)
    {
        var lanes = Avx2.PermuteVar8x32(Vector256.LoadUnsafe(ref pixels).AsInt32(), Vector256.Create(0, 1, 2, 0, 3, 4, 5, 0)).AsByte();
        var redGreen = Avx2.Shuffle(lanes, Vector256.Create(RedGreen, RedGreen)).AsInt16();
        var blue = Avx2.Shuffle(lanes, Vector256.Create(Blue, Blue)).AsInt16();
        var sum = Avx2.MultiplyAddAdjacent(redGreen, Vector256.Create(RedWeight | GreenWeight << 16).AsInt16())
            + Avx2.MultiplyAddAdjacent(blue, Vector256.Create(BlueWeight).AsInt16());
        return (sum + Vector256.Create(Half)) >>> Shift;
    }

    // As Wide256 with 16 pixels (48 bytes) a step and 64 a block; a step loads 64 bytes for its 48: 16 bytes (6 pixels) behind the last.
    private static int Wide512(ReadOnlySpan<byte> rgb, Span<byte> luma)
    {
        ref var source = ref MemoryMarshal.GetReference(rgb);
        ref var target = ref MemoryMarshal.GetReference(luma);
        var order = Vector512.Create(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        var i = 0;
        for (; i <= luma.Length - 70; i += 64)
        {
            ref var block = ref Unsafe.Add(ref source, 3 * i);
            var words0 = Avx512BW.PackSignedSaturate(Weigh512(ref block), Weigh512(ref Unsafe.Add(ref block, 48)));
            var words1 = Avx512BW.PackSignedSaturate(Weigh512(ref Unsafe.Add(ref block, 96)), Weigh512(ref Unsafe.Add(ref block, 144)));
            var bytes = Avx512BW.PackUnsignedSaturate(words0, words1);
            Avx512F.PermuteVar16x32(bytes.AsInt32(), order).AsByte().StoreUnsafe(ref target, (nuint)i);
        }
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Weigh512(ref byte pixels)
    {
        var lanes = Avx512F.PermuteVar16x32(
            Vector512.LoadUnsafe(ref pixels).AsInt32(), Vector512.Create(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0)).AsByte();
        var redGreen = Avx512BW.Shuffle(lanes, Vector512.Create(Vector256.Create(RedGreen, RedGreen), Vector256.Create(RedGreen, RedGreen)))
            .AsInt16();
        var blue = Avx512BW.Shuffle(lanes, Vector512.Create(Vector256.Create(Blue, Blue), Vector256.Create(Blue, Blue))).AsInt16();
        var sum = Avx512BW.MultiplyAddAdjacent(redGreen, Vector512.Create(RedWeight | GreenWeight << 16).AsInt16())
            + Avx512BW.MultiplyAddAdjacent(blue, Vector512.Create(BlueWeight).AsInt16());
        return (sum + Vector512.Create(Half)) >>> Shift;
    }

    // Shuffle controls for the four pixels of a lane; an index with the top bit set (Z) gives a zero byte.
    private const byte Z = 0x80;
    private static Vector128<byte> RedGreen => Vector128.Create(0, Z, 1, Z, 3, Z, 4, Z, 6, Z, 7, Z, 9, Z, 10, Z);
    private static Vector128<byte> Blue => Vector128.Create(2, Z, Z, Z, 5, Z, Z, Z, 8, Z, Z, Z, 11, Z, Z, Z);
}
