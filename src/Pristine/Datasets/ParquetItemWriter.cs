using System.Globalization;
using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Types;
using ParquetSharp;
using ParquetSharp.Arrow;
using Pristine.Files;
using Pristine.Media;

namespace Pristine.Datasets;

/// <summary>
/// Writes items of other formats as Parquet. The fields of their records are columns: whole numbers, numbers, booleans and texts as such; a
/// field that has lists, objects or several kinds of values is a text of JSON. Which fields there are is known after the items were gone
/// through once (<see cref="Survey"/>). Images that the dataset holds itself are a column <c>image</c> (several: <c>images</c>) as Hugging
/// Face's datasets write them; those that are files stay the paths that they are. Items that are images of a folder or list have their
/// scores beside them.
/// </summary>
internal sealed class ParquetItemWriter : ItemWriter
{
    // Hugging Face's rule for groups of images, and a bound for large ones.
    private const int RowsOfImages = 100;
    private const int RowsOfPaths = 10_000;
    private const long GroupBytes = 32 << 20;

    private readonly bool _hasBytes;
    private readonly bool _hasKeys;
    private readonly MediaReader _reader = new();
    private readonly List<string> _order = [];
    private readonly Dictionary<string, FieldKind> _fields = new(StringComparer.Ordinal);
    private readonly List<(DatasetItem Item, byte[] Json, (byte[]? Bytes, string Path)[] Images, IReadOnlyList<double> Scores)> _rows = [];
    private bool _isList;
    private long _bytes;
    private Stream _stream;
    private Schema? _schema;
    private FileWriter? _writer;
    private CountingStream? _counting;

    public ParquetItemWriter(string path, Dataset dataset)
        : base(path, dataset)
    {
        (_hasBytes, _hasKeys) = (!dataset.HasImageFiles, dataset.Format == DatasetFormat.WebDataset);
        // A place that cannot be written to is found before the work.
        _stream = OpenNext();
    }

    internal override bool NeedsSurvey => true;

    internal override bool NeedsScores => true;

    internal override IEnumerable<MediaSource> ReadFor(DatasetItem item) =>
        _hasBytes ? item.Images.Where(image => image.LocalPath == null) : [];

    internal override void Survey(DatasetItem item)
    {
        _isList |= item.Images.Count > 1;
        using var record = RecordJson.Parse(ItemExport.JsonOf(item, Folder));
        foreach (var field in record.RootElement.EnumerateObject())
        {
            var name = RecordJson.Name(field);
            if (!_fields.TryGetValue(name, out var known))
                _order.Add(name);
            _fields[name] = Join(known, KindOf(field.Value));
        }
    }

    internal override string? TryWrite(DatasetItem item)
    {
        var images = new List<(byte[]?, string)>();
        foreach (var image in _hasBytes ? item.Images : [])
        {
            // What a row names and does not hold stays a path.
            if (image.LocalPath != null)
                images.Add((null, image.Reference));
            else if (_reader.Read(image, out var bytes) is { } reason)
                return reason;
            else
            {
                images.Add((bytes.ToArray(), image.Reference[(image.Reference.LastIndexOf('/') + 1)..]));
                _bytes += bytes.Length;
            }
        }
        var json = ItemExport.JsonOf(item, Folder);
        _bytes += json.Length;
        _rows.Add((item, json, [.. images], [.. NextScores()]));
        if (_rows.Count >= (_hasBytes ? RowsOfImages : RowsOfPaths) || _bytes >= GroupBytes)
            Flush();
        return null;
    }

    public override void Dispose()
    {
        _writer?.Dispose();
        _reader.Dispose();
        base.Dispose();
    }

    protected override void End()
    {
        Flush();
        Open();
        _writer!.Close();
        _writer.Dispose();
        _writer = null;
        base.End();
    }

    private string ImageColumn =>
        ((string[])[_isList ? "images" : "image", "jpg", "image_bytes", "image_content"]).First(name => !_fields.ContainsKey(name));

    private void Open()
    {
        if (_writer != null)
            return;
        _schema ??= MakeSchema();
        _counting = new CountingStream(_stream);
        using var columns = new WriterPropertiesBuilder();
        using var properties = columns.Compression(ParquetSharp.Compression.Snappy).DisableDictionary($"{ImageColumn}.bytes")
            .DisableDictionary($"{ImageColumn}.list.element.bytes").Build();
        using var arrow = new ArrowWriterPropertiesBuilder();
        using var stored = arrow.StoreSchema().Build();
        _writer = new FileWriter(_counting, _schema, properties, stored, leaveOpen: true);
    }

    private Schema MakeSchema()
    {
        // Parquet has no table without columns, and no item may be kept.
        if (_order.Count == 0 && !_hasBytes && !_hasKeys)
        {
            _order.Add("image");
            _fields["image"] = FieldKind.Text;
        }
        var fields = new List<Field>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (_hasKeys)
            fields.Add(new Field("__key__", StringType.Default, false));
        if (_hasBytes)
        {
            fields.Add(new Field(ImageColumn, _isList ? new ListType(new Field("element", Image, true)) : Image, true));
            const string feature = """{"_type": "Image"}""";
            var features = $"{{\"{ImageColumn}\": {(_isList ? $"[{feature}]" : feature)}}}";
            metadata["huggingface"] = $"{{\"info\": {{\"features\": {features}}}}}";
        }
        fields.AddRange(_order.Select(name => new Field(name, TypeOf(_fields[name]), true)));
        fields.AddRange(ScoreNames.Where(name => !_fields.ContainsKey(name)).Select(name => new Field(name, DoubleType.Default, true)));
        return new Schema(fields, metadata);
    }

    private static StructType Image { get; } = new(
        [new Field("bytes", BinaryType.Default, true), new Field("path", StringType.Default, true)]);

    private void Flush()
    {
        if (_rows.Count == 0)
            return;
        if (IsNumbered && _counting?.Position >= ParquetRowWriter.FileBytes)
        {
            _writer!.Close();
            _writer.Dispose();
            _writer = null;
            base.End();
            _stream = OpenNext();
        }
        Open();
        var arrays = new List<IArrowArray>();
        if (_hasKeys)
            arrays.Add(new StringArray.Builder().AppendRange(_rows.Select(row => row.Item.Id)).Build());
        if (_hasBytes)
            arrays.Add(Images());
        var documents = _rows.Select(row => RecordJson.Parse(row.Json)).ToArray();
        foreach (var name in _order)
        {
            var utf8 = System.Text.Encoding.UTF8.GetBytes(name);
            arrays.Add(Column(_fields[name], documents.Select(document => RecordJson.Field(document.RootElement, utf8))));
        }
        foreach (var document in documents)
            document.Dispose();
        for (var score = 0; score < ScoreNames.Count; score++)
        {
            if (_fields.ContainsKey(ScoreNames[score]))
                continue;
            var column = new DoubleArray.Builder();
            foreach (var row in _rows)
                _ = double.IsNaN(row.Scores[score]) ? column.AppendNull() : column.Append(row.Scores[score]);
            arrays.Add(column.Build());
        }
        using var batch = new RecordBatch(_schema!, arrays, _rows.Count);
        _writer!.WriteRecordBatch(batch, _rows.Count);
        HasItems = true;
        _rows.Clear();
        _bytes = 0;
    }

    private IArrowArray Images()
    {
        var (bytes, paths, starts, valid) =
            (new BinaryArray.Builder(), new StringArray.Builder(), new ArrowBuffer.Builder<int>(), new ArrowBuffer.BitmapBuilder());
        var (count, nulls) = (0, 0);
        starts.Append(0);
        foreach (var row in _rows)
        {
            // Where a row has one image, one without is null.
            var images = !_isList && row.Images.Length == 0 ? [(null, null!)] : row.Images;
            foreach (var (content, path) in images)
            {
                _ = content == null ? bytes.AppendNull() : bytes.Append(content.AsSpan());
                _ = path == null ? paths.AppendNull() : paths.Append(path);
                valid.Append(path != null);
                nulls += path == null ? 1 : 0;
                count++;
            }
            starts.Append(count);
        }
        var structs = new StructArray(Image, count, [bytes.Build(), paths.Build()], valid.Build(), nulls);
        return _isList ? new ListArray(
            new ListType(new Field("element", Image, true)), _rows.Count, starts.Build(), structs, ArrowBuffer.Empty, 0) : structs;
    }

    private static IArrowArray Column(FieldKind kind, IEnumerable<JsonElement?> values)
    {
        switch (kind)
        {
            case FieldKind.Boolean:
                var booleans = new BooleanArray.Builder();
                foreach (var value in values)
                    _ = IsNull(value) ? booleans.AppendNull() : booleans.Append(value!.Value.GetBoolean());
                return booleans.Build();
            case FieldKind.Integer:
                var integers = new Int64Array.Builder();
                foreach (var value in values)
                    _ = IsNull(value) ? integers.AppendNull() : integers.Append(value!.Value.GetInt64());
                return integers.Build();
            case FieldKind.Number:
                var numbers = new DoubleArray.Builder();
                foreach (var value in values)
                    _ = IsNull(value) ? numbers.AppendNull() : numbers.Append(value!.Value.GetDouble());
                return numbers.Build();
            default:
                var texts = new StringArray.Builder();
                foreach (var value in values)
                    _ = IsNull(value)
                        ? texts.AppendNull()
                        : texts.Append(kind == FieldKind.Text ? RecordJson.Text(value!.Value) : RecordJson.Raw(value!.Value));
                return texts.Build();
        }
    }

    private static bool IsNull(JsonElement? value) => value is not { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) };

    private static ArrowType TypeOf(FieldKind kind) => kind switch
    {
        FieldKind.Boolean => BooleanType.Default,
        FieldKind.Integer => Int64Type.Default,
        FieldKind.Number => DoubleType.Default,
        _ => StringType.Default,
    };

    private static FieldKind KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => FieldKind.Nothing,
        JsonValueKind.True or JsonValueKind.False => FieldKind.Boolean,
        JsonValueKind.String => FieldKind.Text,
        JsonValueKind.Number when value.TryGetInt64(out _) => FieldKind.Integer,
        JsonValueKind.Number when IsDouble(value) => FieldKind.Number,
        _ => FieldKind.Json,
    };

    /// <summary>True where a number of 64 bits has all digits that are written.</summary>
    private static bool IsDouble(JsonElement value) => value.TryGetDouble(out var number) && double.IsFinite(number) &&
        decimal.TryParse(value.GetRawText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var written) &&
        decimal.TryParse(number.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture, out var kept)
        && written == kept;

    private static FieldKind Join(FieldKind one, FieldKind other) =>
        one == other || other == FieldKind.Nothing ? one
        : one == FieldKind.Nothing ? other
        : (one, other) is (FieldKind.Integer, FieldKind.Number) or (FieldKind.Number, FieldKind.Integer) ? FieldKind.Number
        : FieldKind.Json;

    /// <summary>What the values of a field are.</summary>
    private enum FieldKind
    {
        Nothing,
        Boolean,
        Integer,
        Number,
        Text,
        Json,
    }
}
