using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Pristine.Kernels;

/// <summary>
/// A few neighbouring doubles that a kernel works on at once. A kernel written against this interface is compiled once per width, so
/// that its vector paths, its scalar path and the tail of a row that fills no vector are one text: see <see cref="OneDouble"/>.
/// </summary>
internal interface IDoubleLanes<TSelf> where TSelf : struct, IDoubleLanes<TSelf>
{
    /// <summary>Number of lanes.</summary>
    static abstract int Count { get; }

    static abstract TSelf Load(ref double source, int index);

    /// <summary>Floats, widened.</summary>
    static abstract TSelf Load(ref float source, int index);

    static abstract TSelf Broadcast(double value);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>a x b + c, in one rounding where the processor does so, otherwise in two.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Abs(TSelf value);

    static abstract TSelf Sqrt(TSelf value);

    /// <summary>The value in the lanes where left is smaller than right, zero in the others.</summary>
    static abstract TSelf WhereLess(TSelf left, TSelf right, TSelf value);

    void Store(ref double target, int index);

    /// <summary>Sum of the lanes.</summary>
    double Sum();
}

/// <summary>One lane: the scalar path, and the tail of the others.</summary>
internal readonly struct OneDouble(double value) : IDoubleLanes<OneDouble>
{
    private readonly double _value = value;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble Load(ref double source, int index) => new(Unsafe.Add(ref source, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble Load(ref float source, int index) => new(Unsafe.Add(ref source, index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble Broadcast(double value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble operator +(OneDouble left, OneDouble right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble operator -(OneDouble left, OneDouble right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble operator *(OneDouble left, OneDouble right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble operator /(OneDouble left, OneDouble right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble MultiplyAdd(OneDouble a, OneDouble b, OneDouble c) =>
        new(double.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble Abs(OneDouble value) => new(Math.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble Sqrt(OneDouble value) => new(Math.Sqrt(value._value));

    // A mask as in the vectors: the signs of pictures are random, and a branch on them is mispredicted every other time.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static OneDouble WhereLess(OneDouble left, OneDouble right, OneDouble value) =>
        new(BitConverter.Int64BitsToDouble(-(left._value < right._value ? 1L : 0L) & BitConverter.DoubleToInt64Bits(value._value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double target, int index) => Unsafe.Add(ref target, index) = _value;

    public double Sum() => _value;
}

/// <summary>Two lanes of 128 bits.</summary>
internal readonly struct TwoDoubles(Vector128<double> value) : IDoubleLanes<TwoDoubles>
{
    private readonly Vector128<double> _value = value;

    public static int Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles Load(ref double source, int index) => new(Vector128.LoadUnsafe(ref source, (nuint)index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles Load(ref float source, int index) =>
        new(Vector128.Create((double)Unsafe.Add(ref source, index), Unsafe.Add(ref source, index + 1)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles Broadcast(double value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles operator +(TwoDoubles left, TwoDoubles right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles operator -(TwoDoubles left, TwoDoubles right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles operator *(TwoDoubles left, TwoDoubles right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles operator /(TwoDoubles left, TwoDoubles right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles MultiplyAdd(TwoDoubles a, TwoDoubles b, TwoDoubles c) =>
        new(Vector128.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles Abs(TwoDoubles value) => new(Vector128.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles Sqrt(TwoDoubles value) => new(Vector128.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TwoDoubles WhereLess(TwoDoubles left, TwoDoubles right, TwoDoubles value) =>
        new(Vector128.LessThan(left._value, right._value) & value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double target, int index) => _value.StoreUnsafe(ref target, (nuint)index);

    public double Sum() => Vector128.Sum(_value);
}

/// <summary>Four lanes of 256 bits.</summary>
internal readonly struct FourDoubles(Vector256<double> value) : IDoubleLanes<FourDoubles>
{
    private readonly Vector256<double> _value = value;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles Load(ref double source, int index) => new(Vector256.LoadUnsafe(ref source, (nuint)index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles Load(ref float source, int index) =>
        new(Avx.ConvertToVector256Double(Vector128.LoadUnsafe(ref source, (nuint)index)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles Broadcast(double value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles operator +(FourDoubles left, FourDoubles right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles operator -(FourDoubles left, FourDoubles right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles operator *(FourDoubles left, FourDoubles right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles operator /(FourDoubles left, FourDoubles right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles MultiplyAdd(FourDoubles a, FourDoubles b, FourDoubles c) =>
        new(Vector256.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles Abs(FourDoubles value) => new(Vector256.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles Sqrt(FourDoubles value) => new(Vector256.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourDoubles WhereLess(FourDoubles left, FourDoubles right, FourDoubles value) =>
        new(Vector256.LessThan(left._value, right._value) & value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double target, int index) => _value.StoreUnsafe(ref target, (nuint)index);

    public double Sum() => Vector256.Sum(_value);
}

/// <summary>Eight lanes of 512 bits.</summary>
internal readonly struct EightDoubles(Vector512<double> value) : IDoubleLanes<EightDoubles>
{
    private readonly Vector512<double> _value = value;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles Load(ref double source, int index) => new(Vector512.LoadUnsafe(ref source, (nuint)index));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles Load(ref float source, int index) =>
        new(Avx512F.ConvertToVector512Double(Vector256.LoadUnsafe(ref source, (nuint)index)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles Broadcast(double value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles operator +(EightDoubles left, EightDoubles right) => new(left._value + right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles operator -(EightDoubles left, EightDoubles right) => new(left._value - right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles operator *(EightDoubles left, EightDoubles right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles operator /(EightDoubles left, EightDoubles right) => new(left._value / right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles MultiplyAdd(EightDoubles a, EightDoubles b, EightDoubles c) =>
        new(Vector512.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles Abs(EightDoubles value) => new(Vector512.Abs(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles Sqrt(EightDoubles value) => new(Vector512.Sqrt(value._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EightDoubles WhereLess(EightDoubles left, EightDoubles right, EightDoubles value) =>
        new(Vector512.LessThan(left._value, right._value) & value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(ref double target, int index) => _value.StoreUnsafe(ref target, (nuint)index);

    public double Sum() => Vector512.Sum(_value);
}

/// <summary>Row buffers of kernels: grown when a wider image comes, never shrunk, so that no image after the widest allocates.</summary>
internal static class RowBuffer
{
    /// <summary>Makes sure that a buffer holds at least the length, and returns its first element's place.</summary>
    public static void Reserve(ref double[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = GC.AllocateUninitializedArray<double>(length);
    }

    /// <summary>The place of an element, without a bounds check: kernels stay inside what they reserved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref double At(double[] buffer, int index) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(buffer), index);
}
