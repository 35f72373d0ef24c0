namespace Pristine.Networks;

// CA1720: what users call these kinds of arithmetic.
#pragma warning disable CA1720
/// <summary>The arithmetic of a network.</summary>
public enum NetworkPrecision
{
    /// <summary>32-bit floats.</summary>
    Float,

    /// <summary>8-bit integers: three to four times faster, with results that differ slightly.</summary>
    Int8,
}
#pragma warning restore CA1720
