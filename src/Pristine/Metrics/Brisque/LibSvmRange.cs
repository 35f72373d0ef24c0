using System.Globalization;
using System.Text;
using Pristine.Models;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// The scaling of features that LIBSVM's svm-scale stores with -s: every feature is mapped linearly from the range it had in training to
/// a common one, without clipping. Format: a line x, a line with the common lower and upper end, then one line per feature with index,
/// minimum and maximum.
/// </summary>
public sealed class LibSvmRange
{
    private readonly double _lower, _upper;
    private readonly double[] _minima, _maxima;

    private LibSvmRange(double lower, double upper, double[] minima, double[] maxima) =>
        (_lower, _upper, _minima, _maxima) = (lower, upper, minima, maxima);

    /// <summary>The scaling to -1..1 of the features of a training set.</summary>
    /// <param name="rows">Finite features, all rows of the same length; at least one row.</param>
    /// <exception cref="ArgumentException">There are no rows, their lengths differ, or a value is not finite.</exception>
    public static LibSvmRange Fit(IReadOnlyList<double[]> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0 || rows.Any(row => row.Length == 0 || row.Length != rows[0].Length || !row.All(double.IsFinite)))
            throw new ArgumentException(
                $"Expected at least one row, all of the same number of finite features; found {rows.Count} rows.", nameof(rows));
        var features = Enumerable.Range(0, rows[0].Length);
        return new(-1, 1, [.. features.Select(k => rows.Min(row => row[k]))], [.. features.Select(k => rows.Max(row => row[k]))]);
    }

    /// <summary>The scaling as svm-scale -s writes it; reading it gives the same scaling.</summary>
    public string Format()
    {
        var text = new StringBuilder();
        var culture = CultureInfo.InvariantCulture;
        text.Append(culture, $"x\n{_lower:R} {_upper:R}\n");
        for (var k = 0; k < Dimension; k++)
            text.Append(culture, $"{k + 1} {_minima[k]:R} {_maxima[k]:R}\n");
        return text.ToString();
    }

    /// <summary>Number of features: the highest index in the file.</summary>
    public int Dimension => _minima.Length;

    /// <summary>Reads a range file.</summary>
    /// <param name="text">Content of the file.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <exception cref="ModelException">
    /// The text is no range file; the message says file, line, what was expected and what was found.
    /// </exception>
    public static LibSvmRange Parse(string text, string file)
    {
        var lines = new LibSvmLines(text, file);
        if (!lines.Next() || lines.Current is not "x")
            throw lines.Error(
                "a line x (scaled targets, section y, are not supported)", lines.Current.Length == 0
                    ? "the end of the file"
                    : lines.Current);
        if (!lines.Next())
            throw lines.Error("the lower and the upper end of the scaled range", "the end of the file");
        if (lines.Fields() is not [var lowerField, var upperField])
            throw lines.Error("the lower and the upper end of the scaled range", lines.Current);
        double lower = lines.Number(lowerField, "the lower end"), upper = lines.Number(upperField, "the upper end");
        if (lower >= upper)
            throw lines.Error("a lower end below the upper end", lines.Current);
        List<double> minima = [], maxima = [];
        while (lines.Next())
        {
            if (lines.Fields() is not [var indexField, var minimumField, var maximumField])
                throw lines.Error("index, minimum and maximum of a feature", lines.Current);
            var index = lines.Index(indexField);
            if (index <= minima.Count)
                throw lines.Error($"a feature index above {minima.Count}, in ascending order", indexField);
            double minimum = lines.Number(minimumField, $"the minimum of feature {index}"),
            maximum = lines.Number(maximumField, $"the maximum of feature {index}");
            if (minimum > maximum)
                throw lines.Error($"a minimum of feature {index} that is not above its maximum", lines.Current);
            // svm-scale leaves out features without a range; so does Scale.
            for (; minima.Count < index - 1; maxima.Add(0))
                minima.Add(0);
            minima.Add(minimum);
            maxima.Add(maximum);
        }
        return minima.Count > 0
            ? new(lower, upper, [.. minima], [.. maxima])
            : throw lines.Error("at least one feature", "the end of the file");
    }

    /// <summary>
    /// Maps features to the common range: lower + (upper - lower)(x - min) / (max - min). A feature that the file leaves out, or whose
    /// minimum equals its maximum, becomes 0, as in svm-scale; NaN and infinity pass through.
    /// </summary>
    /// <param name="features"><see cref="Dimension"/> values.</param>
    /// <param name="scaled">Receives as many values; may be the same memory.</param>
    /// <exception cref="ArgumentException">One of the lengths is another.</exception>
    public void Scale(ReadOnlySpan<double> features, Span<double> scaled)
    {
        if (features.Length != Dimension)
            throw new ArgumentException($"Expected {Dimension} features; found {features.Length}.", nameof(features));
        if (scaled.Length != Dimension)
            throw new ArgumentException($"Expected room for {Dimension} features; found {scaled.Length}.", nameof(scaled));
        for (var i = 0; i < Dimension; i++)
            scaled[i] = _minima[i] == _maxima[i] && double.IsFinite(features[i])
                ? 0
                : _lower + (_upper - _lower) * (features[i] - _minima[i]) / (_maxima[i] - _minima[i]);
    }
}
