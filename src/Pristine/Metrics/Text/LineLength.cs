using System.Text;

namespace Pristine.Metrics.Text;

/// <summary>The length of lines, which end as those of Python's <c>splitlines</c>.</summary>
public sealed class LineLength : TextMetric
{
    private readonly bool _isMaximum;

    private LineLength(bool isMaximum) => _isMaximum = isMaximum;

    /// <summary><c>avg_line_length</c>.</summary>
    public static LineLength Average { get; } = new(false);

    /// <summary><c>max_line_length</c>.</summary>
    public static LineLength Maximum { get; } = new(true);

    /// <inheritdoc/>
    public override string Name => _isMaximum ? "max_line_length" : "avg_line_length";

    /// <inheritdoc/>
    public override string Unit => "characters";

    /// <inheritdoc/>
    public override string Summary =>
        _isMaximum ? "Length of the longest line of the item's text." : "Length of the item's text over the number of its lines.";

    /// <inheritdoc/>
    public override string Formula =>
        _isMaximum ? "max(characters of a line); 0 for an empty text" : "characters / lines; 0 for an empty text";

    /// <inheritdoc/>
    public override string Notes =>
        "Lines end where Python's splitlines ends them: LF, CR, CR LF, VT, FF, FS, GS, RS, NEL, U+2028 and U+2029." +
        (_isMaximum ? "" : " The ends of lines are among the characters.");

    /// <inheritdoc/>
    public override string Citation => _isMaximum
        ? $"max_line_length of maximum_line_length_filter, {DataJuicer}."
        : $"avg_line_length of average_line_length_filter, {DataJuicer}.";

    /// <inheritdoc/>
    public override double Measure(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (all, lines, line, longest) = (0L, 0L, 0L, 0L);
        var (isOpen, afterReturn) = (false, false);
        foreach (var rune in text.EnumerateRunes())
        {
            all++;
            if (IsEnd(rune))
            {
                if (!(afterReturn && rune.Value == '\n'))
                    (lines, line, isOpen) = (lines + 1, 0, false);
                afterReturn = rune.Value == '\r';
                continue;
            }
            (line, isOpen, afterReturn) = (line + 1, true, false);
            longest = Math.Max(longest, line);
        }
        lines += isOpen ? 1 : 0;
        return _isMaximum ? longest : lines == 0 ? 0 : (double)all / lines;
    }

    private static bool IsEnd(Rune rune) => rune.Value is (>= 0x0A and <= 0x0D) or (>= 0x1C and <= 0x1E) or 0x85 or 0x2028 or 0x2029;
}
