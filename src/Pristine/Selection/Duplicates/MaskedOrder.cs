namespace Pristine.Selection.Duplicates;

/// <summary>
/// Hashes sorted by some of their bits, with the positions they came from. Owned by one worker; its memory is 24 bytes per hash.
/// </summary>
/// <param name="capacity">The most hashes.</param>
internal sealed class MaskedOrder(int capacity)
{
    private const int DigitBits = 11;
    private const int Digits = 1 << DigitBits;

    private ulong[] _hashes = new ulong[capacity];
    private ulong[] _otherHashes = new ulong[capacity];
    private int[] _positions = new int[capacity];
    private int[] _otherPositions = new int[capacity];
    private readonly int[] _starts = new int[Digits];
    private int _count;

    /// <summary>The hashes in their order.</summary>
    public ReadOnlySpan<ulong> Hashes => _hashes.AsSpan(0, _count);

    /// <summary>For each of them its position among the hashes that were given.</summary>
    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, _count);

    /// <summary>Sorts hashes by the bits of a mask: equal ones stand together, in the order in which they were given.</summary>
    /// <param name="hashes">At most as many as the capacity.</param>
    /// <param name="mask">The bits.</param>
    public void Sort(ReadOnlySpan<ulong> hashes, ulong mask)
    {
        _count = hashes.Length;
        hashes.CopyTo(_hashes);
        for (var i = 0; i < _count; i++)
            _positions[i] = i;
        // Digits of a radix sort from the lowest; those without a bit of the mask are passed over.
        for (var shift = 0; shift < BlockChoices.Bits; shift += DigitBits)
            if ((mask >> shift & (Digits - 1)) is not 0 and var digit)
                Pass(shift, (int)digit);
    }

    /// <summary>Where the run of hashes that are equal in the bits of the mask ends which begins at a position.</summary>
    public int EndOfRun(int start, ulong mask)
    {
        var key = _hashes[start] & mask;
        var end = start + 1;
        while (end < _count && (_hashes[end] & mask) == key)
            end++;
        return end;
    }

    private void Pass(int shift, int digit)
    {
        Array.Clear(_starts);
        var hashes = _hashes.AsSpan(0, _count);
        var positions = _positions.AsSpan(0, _count);
        foreach (var hash in hashes)
            _starts[(int)(hash >> shift) & digit]++;
        var start = 0;
        for (var i = 0; i < Digits; i++)
            (_starts[i], start) = (start, start + _starts[i]);
        for (var i = 0; i < hashes.Length; i++)
        {
            var target = _starts[(int)(hashes[i] >> shift) & digit]++;
            _otherHashes[target] = hashes[i];
            _otherPositions[target] = positions[i];
        }
        (_hashes, _otherHashes) = (_otherHashes, _hashes);
        (_positions, _otherPositions) = (_otherPositions, _positions);
    }
}
