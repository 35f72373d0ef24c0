using System.Globalization;
using System.Text;
using Pristine.Models;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// Reads and writes the text files of LIBSVM's svm-train, as far as they hold a regression (epsilon_svr, nu_svr) with an RBF kernel.
/// Format: header lines of a name and its value, the line SV, then one line per support vector, its coefficient followed by index:value
/// pairs with ascending indices from 1; an index that is left out means 0.
/// </summary>
public static class LibSvmModel
{
    /// <summary>No regression on hand-made features has more; a greater index is a damaged file, not a reason to allocate.</summary>
    internal const int MaxIndex = 65_536;

    /// <summary>Reads a model.</summary>
    /// <param name="text">Content of the file.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <returns>The model; as many features as the highest index among its support vectors.</returns>
    /// <exception cref="ModelException">
    /// The text is no such model; the message says file, line, what was expected and what was found.
    /// </exception>
    public static SupportVectorRegressor Parse(string text, string file)
    {
        var lines = new LibSvmLines(text, file);
        double? gamma = null, rho = null;
        int? count = null;
        string? type = null, kernel = null;
        while (true)
        {
            if (!lines.Next())
                throw lines.Error("a line SV before the support vectors", "the end of the file");
            if (lines.Current is "SV")
                break;
            var (name, value) = SplitHeader(lines);
            switch (name)
            {
                case "svm_type":
                    type = value is "epsilon_svr" or "nu_svr"
                        ? value
                        : throw lines.Error("svm_type epsilon_svr or nu_svr (a regression)", value);
                    break;
                case "kernel_type":
                    kernel = value is "rbf" ? value : throw lines.Error("kernel_type rbf", value);
                    break;
                case "gamma":
                    gamma = lines.Number(value, "gamma");
                    if (gamma <= 0)
                        throw lines.Error("gamma above 0", value);
                    break;
                case "rho":
                    rho = lines.Number(value, "rho");
                    break;
                case "total_sv":
                    count = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                        ? number
                        : throw lines.Error("total_sv, a whole number above 0", value);
                    break;
                case "nr_class":
                    if (value is not "2")
                        throw lines.Error("nr_class 2, as every regression has", value);
                    break;
                case "probA":
                    // The spread of the residuals, for probability estimates; a score does not need it.
                    lines.Number(value, "probA");
                    break;
                default:
                    throw lines.Error("svm_type, kernel_type, gamma, nr_class, total_sv, rho, probA or SV", name);
            }
        }
        foreach (var (name, missing) in ((string, bool)[])[("svm_type", type == null), ("kernel_type", kernel == null),
            ("gamma", gamma == null), ("total_sv", count == null), ("rho", rho == null)])
            if (missing)
                throw lines.Error($"a line {name} before SV", "none");
        return ReadSupportVectors(lines, gamma!.Value, rho!.Value, count!.Value);
    }

    /// <summary>
    /// Writes a model as svm-train does; numbers have all digits that tell them apart, so that reading it gives the same model.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <returns>The content of the file.</returns>
    public static string Format(SupportVectorRegressor model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var text = new StringBuilder();
        var culture = CultureInfo.InvariantCulture;
        text.Append(
            culture,
            $"svm_type epsilon_svr\nkernel_type rbf\ngamma {model.Gamma:R}\nnr_class 2\ntotal_sv {model.Coefficients.Length}\nrho " +
            $"{model.Rho:R}\nSV\n");
        for (var i = 0; i < model.Coefficients.Length; i++)
        {
            text.Append(culture, $"{model.Coefficients[i]:R}");
            for (var k = 0; k < model.Dimension; k++)
                text.Append(culture, $" {k + 1}:{model.SupportVectors[i * model.Dimension + k]:R}");
            text.Append('\n');
        }
        return text.ToString();
    }

    private static SupportVectorRegressor ReadSupportVectors(LibSvmLines lines, double gamma, double rho, int count)
    {
        List<double> coefficients = [];
        List<(int Row, int Index, double Value)> entries = [];
        var dimension = 0;
        while (lines.Next())
        {
            if (coefficients.Count == count)
                throw lines.Error($"{count} support vectors, as total_sv says", "more");
            var fields = lines.Fields();
            coefficients.Add(lines.Number(fields[0], "a coefficient"));
            var previous = 0;
            foreach (var field in fields.AsSpan(1))
            {
                var colon = field.IndexOf(':', StringComparison.Ordinal);
                if (colon < 0)
                    throw lines.Error("index:value", field);
                var index = lines.Index(field[..colon]);
                if (index <= previous)
                    throw lines.Error($"a feature index above {previous}, in ascending order", field);
                entries.Add((coefficients.Count - 1, index, lines.Number(field[(colon + 1)..], $"the value of feature {index}")));
                previous = index;
            }
            dimension = Math.Max(dimension, previous);
        }
        if (coefficients.Count < count)
            throw lines.Error($"{count} support vectors, as total_sv says", $"{coefficients.Count} before the end of the file");
        if (dimension == 0)
            throw lines.Error("a feature in at least one support vector", "none");
        var vectors = new double[count * dimension];
        foreach (var (row, index, value) in entries)
            vectors[row * dimension + index - 1] = value;
        return new(gamma, rho, [.. coefficients], vectors);
    }

    private static (string Name, string Value) SplitHeader(LibSvmLines lines) =>
        lines.Fields() is [var name, var value] ? (name, value) : throw lines.Error("a name and its value, or SV", lines.Current);
}

/// <summary>The lines of a LIBSVM file that are not blank, and errors that say where.</summary>
internal sealed class LibSvmLines(string text, string file)
{
    private readonly string[] _lines = text.Split('\n');
    private int _number;

    /// <summary>The line, without white space around it.</summary>
    public string Current { get; private set; } = "";

    /// <summary>Goes to the next line that is not blank; false at the end.</summary>
    public bool Next()
    {
        while (_number < _lines.Length)
        {
            Current = _lines[_number++].Trim();
            if (Current.Length > 0)
                return true;
        }
        return false;
    }

    public string[] Fields() => Current.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    public double Number(string field, string what) =>
        double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value
            : throw Error($"{what}, a finite number", field);

    public int Index(string field) =>
        int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index is >= 1 and <= LibSvmModel.MaxIndex
            ? index
            : throw Error($"a feature index of 1 to {LibSvmModel.MaxIndex}", field);

    public ModelException Error(string expected, string found) =>
        new($"{file}, line {_number}: expected {expected}; found {(found.Length > 80 ? string.Concat(found.AsSpan(0, 80), "...") : found)}.");
}
