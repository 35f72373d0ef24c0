using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>
/// A few neighbouring bytes as 16-bit integers, and 32-bit sums of them, spread over lanes. A kernel written against this interface is
/// compiled once per width. All arithmetic is exact, so it does not matter which lane a value is added to, and every width gives the same
/// numbers.
/// </summary>
/// <typeparam name="TSelf">The integers.</typeparam>
/// <typeparam name="TSums">Half as many 32-bit sums.</typeparam>
internal interface IShortLanes<TSelf, TSums>
    where TSelf : struct, IShortLanes<TSelf, TSums>
    where TSums : struct
{
    /// <summary>Number of lanes.</summary>
    static abstract int Count { get; }

    /// <summary>One in every lane.</summary>
    static abstract TSelf One { get; }

    /// <summary>As many bytes as there are lanes, as 0..255.</summary>
    static abstract TSelf Load(ref byte source, int index);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    /// <summary>Twice each value.</summary>
    static abstract TSelf Twice(TSelf value);

    static abstract TSelf Abs(TSelf value);

    /// <summary>Adds the products of two values of each of some lanes; two products go to one sum.</summary>
    static abstract TSums AddProducts(TSums sums, TSelf left, TSelf right);

    /// <summary>All sums together, in 64 bits.</summary>
    static abstract long Total(TSums sums);
}

/// <summary>Eight lanes of 128 bits.</summary>
internal readonly struct EightShorts(Vector128<short> value) : IShortLanes<EightShorts, Vector128<int>>
{
    private readonly Vector128<short> _value = value;

    public static int Count => 8;

    public static EightShorts One => new(Vector128<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightShorts Load(ref byte source, int index) =>
        new(Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, index))).AsByte())
        .AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightShorts operator +(EightShorts left, EightShorts right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightShorts operator -(EightShorts left, EightShorts right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightShorts Twice(EightShorts value) => new(value._value << 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightShorts Abs(EightShorts value) => new(Vector128.Abs(value._value));

    // Which lanes meet in a sum differs between the two; what they add up to does not.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProducts(Vector128<int> sums, EightShorts left, EightShorts right) => Sse2.IsSupported
        ? sums + Sse2.MultiplyAddAdjacent(left._value, right._value)
        : sums + (Vector128.WidenLower(left._value) * Vector128.WidenLower(right._value))
        + (Vector128.WidenUpper(left._value) * Vector128.WidenUpper(right._value));

    public static long Total(Vector128<int> sums) => Vector128.Sum(Vector128.WidenLower(sums) + Vector128.WidenUpper(sums));
}

/// <summary>Sixteen lanes of 256 bits.</summary>
internal readonly struct SixteenShorts(Vector256<short> value) : IShortLanes<SixteenShorts, Vector256<int>>
{
    private readonly Vector256<short> _value = value;

    public static int Count => 16;

    public static SixteenShorts One => new(Vector256<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenShorts Load(ref byte source, int index) =>
        new(Avx2.ConvertToVector256Int16(Vector128.LoadUnsafe(ref source, (nuint)index)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenShorts operator +(SixteenShorts left, SixteenShorts right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenShorts operator -(SixteenShorts left, SixteenShorts right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenShorts Twice(SixteenShorts value) => new(value._value << 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SixteenShorts Abs(SixteenShorts value) => new(Vector256.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddProducts(Vector256<int> sums, SixteenShorts left, SixteenShorts right) =>
        sums + Avx2.MultiplyAddAdjacent(left._value, right._value);

    public static long Total(Vector256<int> sums) => Vector256.Sum(Vector256.WidenLower(sums) + Vector256.WidenUpper(sums));
}
