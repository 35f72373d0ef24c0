using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Imaging;
using Pristine.Scoring;

namespace Pristine.Selection;

/// <summary>
/// Writes decisions to a file, one line per item, as JSONL or (for a name that ends in <c>.csv</c>) CSV with the columns
/// <c>index, id, image, status, rule, column, value, threshold, margin, reason</c>. The file has a temporary name until it is complete.
/// </summary>
public sealed class LedgerWriter : IDisposable
{
    /// <summary>What a file is called until it is complete.</summary>
    public const string PartialSuffix = PartialFile.Suffix;

    private static readonly string[] Names = ["index", "id", "image", "status", "rule", "column", "value", "threshold", "margin", "reason"];
    private readonly PartialFile _file;
    private readonly StreamWriter _writer;
    private readonly bool _csv;

    /// <summary>Opens the ledger.</summary>
    /// <param name="path">The file, or <c>-</c> for standard output; replaced if it is there, once the ledger is complete.</param>
    /// <param name="input">The dataset's file, which must not be overwritten; null when there is none.</param>
    /// <exception cref="DatasetException">The file is the input, a folder, or cannot be written.</exception>
    public LedgerWriter(string path, string? input = null)
    {
        _file = PartialFile.Create(path, input);
        _csv = path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);
        _writer = new StreamWriter(_file.Stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\n" };
        if (_csv)
            _writer.WriteLine(string.Join(',', Names));
    }

    /// <summary>Appends one decision.</summary>
    /// <param name="item">The item.</param>
    /// <param name="decision">What was decided about it.</param>
    public void Write(ScoredItem item, Decision decision)
    {
        ArgumentNullException.ThrowIfNull(item);
        ArgumentNullException.ThrowIfNull(decision);
        var image = decision.Row?.Image ?? item.Rows[0].Image;
        object?[] values =
        [
            item.Item.Index, item.Item.Id, image, decision.Status.Name(), decision.Rule, decision.Column,
            decision.Value, decision.Threshold, decision.Margin, decision.Reason,
        ];
        _writer.WriteLine(_csv ? Csv(values) : Json(values));
    }

    /// <summary>Ends the file and gives it its name.</summary>
    public void Complete()
    {
        _writer.Dispose();
        _file.Complete();
    }

    /// <summary>Closes the file; when it was not completed, its whole lines stay under the temporary name.</summary>
    public void Dispose() => _writer.Dispose();

    private static string Csv(object?[] values) => string.Join(',', values.Select(value => CsvRowWriter.Quoted(value switch
    {
        null => "",
        double number => Number(number),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    })));

    private static string Json(object?[] values)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            for (var i = 0; i < Names.Length; i++)
            {
                json.WritePropertyName(Names[i]);
                switch (values[i])
                {
                    case null:
                        json.WriteNullValue();
                        break;
                    case long whole:
                        json.WriteNumberValue(whole);
                        break;
                    case double number:
                        json.WriteRawValue(Number(number));
                        break;
                    default:
                        json.WriteStringValue((string)values[i]!);
                        break;
                }
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>Six decimals are enough to read a margin and hide the noise of subtracting floats.</summary>
    private static string Number(double value) => Math.Round(value, 6).ToString("R", CultureInfo.InvariantCulture);
}
