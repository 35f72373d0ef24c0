using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>
/// A few neighbouring floats that a kernel works on at once. A kernel written against this interface is compiled once per width, so
/// that its scalar path (<see cref="OneFloat"/>) and its vector paths are one text and do the same operations in the same order.
/// </summary>
internal unsafe interface IFloatLanes<TSelf> where TSelf : unmanaged, IFloatLanes<TSelf>
{
    /// <summary>Number of lanes: a power of two, at most 64.</summary>
    static abstract int Count { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* source);

    /// <summary>One byte per lane, as 0..255.</summary>
    static abstract TSelf Load(byte* source);

    /// <summary>Two bytes per lane, the first of each pair in <paramref name="even"/>, the second in <paramref name="odd"/>.</summary>
    static abstract void LoadPairs(byte* source, out TSelf even, out TSelf odd);

    void Store(float* target);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>a x b + c in one rounding, on every path: flat areas are flat only if all do the same.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Abs(TSelf value);

    static abstract TSelf Sqrt(TSelf value);

    static abstract TSelf Max(TSelf left, TSelf right);

    static abstract TSelf Min(TSelf left, TSelf right);

    /// <summary>The value in lanes where the sign is >= 0, +0 in the others.</summary>
    static abstract TSelf WhereNotNegative(TSelf sign, TSelf value);

    /// <summary>Bit i is set where lane i is below zero.</summary>
    static abstract ulong NegativeBits(TSelf value);

    /// <summary>Bit i is set where lane i is above zero.</summary>
    static abstract ulong PositiveBits(TSelf value);

    /// <summary>Sum of the lanes, in double precision.</summary>
    static abstract double Sum(TSelf value);
}

/// <summary>One lane: the scalar path.</summary>
internal readonly unsafe struct OneFloat(float value) : IFloatLanes<OneFloat>
{
    private readonly float _value = value;

    public static int Count => 1;

    public static OneFloat Broadcast(float value) => new(value);

    public static OneFloat Load(float* source) => new(*source);

    public static OneFloat Load(byte* source) => new(*source);

    public static void LoadPairs(byte* source, out OneFloat even, out OneFloat odd) => (even, odd) = (new(source[0]), new(source[1]));

    public void Store(float* target) => *target = _value;

    public static OneFloat operator +(OneFloat left, OneFloat right) => new(left._value + right._value);

    public static OneFloat operator -(OneFloat left, OneFloat right) => new(left._value - right._value);

    public static OneFloat operator *(OneFloat left, OneFloat right) => new(left._value * right._value);

    public static OneFloat operator /(OneFloat left, OneFloat right) => new(left._value / right._value);

    public static OneFloat MultiplyAdd(OneFloat a, OneFloat b, OneFloat c) => new(MathF.FusedMultiplyAdd(a._value, b._value, c._value));

    public static OneFloat Abs(OneFloat value) => new(MathF.Abs(value._value));

    public static OneFloat Sqrt(OneFloat value) => new(MathF.Sqrt(value._value));

    public static OneFloat Max(OneFloat left, OneFloat right) => new(float.MaxNative(left._value, right._value));

    public static OneFloat Min(OneFloat left, OneFloat right) => new(float.MinNative(left._value, right._value));

    public static OneFloat WhereNotNegative(OneFloat sign, OneFloat value) => sign._value >= 0 ? value : default;

    public static ulong NegativeBits(OneFloat value) => value._value < 0 ? 1ul : 0;

    public static ulong PositiveBits(OneFloat value) => value._value > 0 ? 1ul : 0;

    public static double Sum(OneFloat value) => value._value;
}

/// <summary>Four lanes: ARM64, and x64 without AVX2.</summary>
internal readonly unsafe struct FourFloats(Vector128<float> value) : IFloatLanes<FourFloats>
{
    private readonly Vector128<float> _value = value;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats Load(byte* source)
    {
        var words = Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(source)).AsByte());
        return new(Vector128.ConvertToSingle(Vector128.WidenLower(words).AsInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPairs(byte* source, out FourFloats even, out FourFloats odd)
    {
        var pairs = Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(source)).AsUInt16()).AsInt32();
        even = new(Vector128.ConvertToSingle(pairs & Vector128.Create(255)));
        odd = new(Vector128.ConvertToSingle(pairs >>> 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => _value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats operator +(FourFloats left, FourFloats right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats operator -(FourFloats left, FourFloats right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats operator *(FourFloats left, FourFloats right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats operator /(FourFloats left, FourFloats right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats MultiplyAdd(FourFloats a, FourFloats b, FourFloats c) => new(
        AdvSimd.IsSupported ? AdvSimd.FusedMultiplyAdd(c._value, a._value, b._value)
        : Fma.IsSupported ? Fma.MultiplyAdd(a._value, b._value, c._value)
        : FusedInDoubles.MultiplyAdd(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats Abs(FourFloats value) => new(Vector128.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats Sqrt(FourFloats value) => new(Vector128.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats Max(FourFloats left, FourFloats right) => new(Vector128.MaxNative(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats Min(FourFloats left, FourFloats right) => new(Vector128.MinNative(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourFloats WhereNotNegative(FourFloats sign, FourFloats value) =>
        new(value._value & Vector128.GreaterThanOrEqual(sign._value, Vector128<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong NegativeBits(FourFloats value) =>
        Vector128.ExtractMostSignificantBits(Vector128.LessThan(value._value, Vector128<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong PositiveBits(FourFloats value) =>
        Vector128.ExtractMostSignificantBits(Vector128.GreaterThan(value._value, Vector128<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(FourFloats value)
    {
        var (low, high) = Vector128.Widen(value._value);
        return Vector128.Sum(low + high);
    }
}

/// <summary>
/// a x b + c of floats in one rounding, for processors without such an instruction, where the runtime would call a function per float.
/// The product of two floats is exact in double precision. The sum is rounded to odd: where it is inexact and its last bit is 0, the
/// neighbour on the side of the error is taken, whose last bit is 1. A number so rounded to 53 bits becomes the float that is nearest to
/// the exact sum, since 53 is at least 24 + 2 (Boldo, Melquiond: Emulation of a FMA and correctly rounded sums, IEEE Transactions on
/// Computers 57(4), 2008, doi:10.1109/TC.2007.70819).
/// </summary>
internal static class FusedInDoubles
{
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c)
    {
        var ((a0, a1), (b0, b1), (c0, c1)) = (Vector128.Widen(a), Vector128.Widen(b), Vector128.Widen(c));
        return Vector128.Narrow(SumToOdd(a0 * b0, c0), SumToOdd(a1 * b1, c1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> SumToOdd(Vector128<double> left, Vector128<double> right)
    {
        var sum = left + right;
        // Knuth's two-sum: sum + error is the exact sum.
        var other = sum - left;
        var error = (left - (sum - other)) + (right - other);
        var bits = sum.AsInt64();
        // False for the error of an infinite sum, which is no number.
        var isInexact = Vector128.GreaterThan(Vector128.Abs(error), Vector128<double>.Zero).AsInt64();
        var isEven = (bits & Vector128<long>.One) - Vector128<long>.One;
        // One step away from zero where the error has the sum's sign, else one step towards it.
        var step = Vector128<long>.One - ((error.AsInt64() ^ bits) >>> 63 << 1);
        return (bits + (step & isInexact & isEven)).AsDouble();
    }
}

/// <summary>Eight lanes: AVX2 and FMA.</summary>
internal readonly unsafe struct EightFloats(Vector256<float> value) : IFloatLanes<EightFloats>
{
    private readonly Vector256<float> _value = value;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats Load(byte* source) => new(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPairs(byte* source, out EightFloats even, out EightFloats odd)
    {
        // A pair is a little-endian 16-bit number: its low byte is the even pixel.
        var pairs = Avx2.ConvertToVector256Int32((ushort*)source);
        even = new(Avx.ConvertToVector256Single(pairs & Vector256.Create(255)));
        odd = new(Avx.ConvertToVector256Single(pairs >>> 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => _value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats operator +(EightFloats left, EightFloats right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats operator -(EightFloats left, EightFloats right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats operator *(EightFloats left, EightFloats right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats operator /(EightFloats left, EightFloats right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats MultiplyAdd(EightFloats a, EightFloats b, EightFloats c) =>
        new(Fma.MultiplyAdd(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats Abs(EightFloats value) => new(Vector256.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats Sqrt(EightFloats value) => new(Avx.Sqrt(value._value));

    // Avx.Max and Avx.Min are one instruction each; Vector256.Max and Min add the IEEE rules for NaN, of which there is none here.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats Max(EightFloats left, EightFloats right) => new(Avx.Max(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats Min(EightFloats left, EightFloats right) => new(Avx.Min(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightFloats WhereNotNegative(EightFloats sign, EightFloats value) =>
        new(value._value & Vector256.GreaterThanOrEqual(sign._value, Vector256<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong NegativeBits(EightFloats value) =>
        Vector256.ExtractMostSignificantBits(Vector256.LessThan(value._value, Vector256<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong PositiveBits(EightFloats value) =>
        Vector256.ExtractMostSignificantBits(Vector256.GreaterThan(value._value, Vector256<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(EightFloats value)
    {
        var (low, high) = Vector256.Widen(value._value);
        return Vector256.Sum(low + high);
    }
}

/// <summary>Sixteen lanes: AVX-512 F and BW.</summary>
internal readonly unsafe struct SixteenFloats(Vector512<float> value) : IFloatLanes<SixteenFloats>
{
    private readonly Vector512<float> _value = value;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats Load(byte* source) =>
        new(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(source))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LoadPairs(byte* source, out SixteenFloats even, out SixteenFloats odd)
    {
        var pairs = Avx512F.ConvertToVector512Int32(Vector256.Load((ushort*)source));
        even = new(Avx512F.ConvertToVector512Single(pairs & Vector512.Create(255)));
        odd = new(Avx512F.ConvertToVector512Single(pairs >>> 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* target) => _value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats operator +(SixteenFloats left, SixteenFloats right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats operator -(SixteenFloats left, SixteenFloats right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats operator *(SixteenFloats left, SixteenFloats right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats operator /(SixteenFloats left, SixteenFloats right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats MultiplyAdd(SixteenFloats a, SixteenFloats b, SixteenFloats c) =>
        new(Avx512F.FusedMultiplyAdd(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats Abs(SixteenFloats value) => new(Vector512.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats Sqrt(SixteenFloats value) => new(Avx512F.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats Max(SixteenFloats left, SixteenFloats right) => new(Avx512F.Max(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats Min(SixteenFloats left, SixteenFloats right) => new(Avx512F.Min(left._value, right._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenFloats WhereNotNegative(SixteenFloats sign, SixteenFloats value) =>
        new(value._value & Vector512.GreaterThanOrEqual(sign._value, Vector512<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong NegativeBits(SixteenFloats value) =>
        Vector512.ExtractMostSignificantBits(Vector512.LessThan(value._value, Vector512<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong PositiveBits(SixteenFloats value) =>
        Vector512.ExtractMostSignificantBits(Vector512.GreaterThan(value._value, Vector512<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(SixteenFloats value)
    {
        var (low, high) = Vector512.Widen(value._value);
        return Vector512.Sum(low + high);
    }
}
