using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using ParquetSharp;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Parquet files: a row is an item. Images are bytes in a column (Hugging Face's <c>struct&lt;bytes, path&gt;</c>, plain bytes, or lists of
/// these) or paths in any of the fields of <see cref="RecordLayout"/>. The other columns are the item's record. Kept rows are written with
/// all columns as they are stored (<see cref="ParquetRowWriter"/>).
/// </summary>
internal sealed partial class ParquetDataset : Dataset
{
    private const string Extension = ".parquet";

    // What Hugging Face's image folders have beside the images.
    private const string FolderMetadata = "metadata.parquet";

    private readonly IReadOnlyList<ParquetFile> _files;
    private readonly Lazy<bool> _hasBytes;
    private string? _layout;
    private volatile bool _allFields;

    private ParquetDataset(string source, string imageRoot, string? imageField, IReadOnlyList<ParquetFile> files)
    {
        (Source, ImageRoot, ImageField, _files) = (source, imageRoot, imageField, files);
        _hasBytes = new Lazy<bool>(() =>
        {
            using var reader = OpenFirst(out _);
            return new ParquetColumns(reader, ImageField).Images.Count > 0;
        });
    }

    public override DatasetFormat Format => DatasetFormat.Parquet;

    public override bool HasRecords => true;

    public override bool HasImageFiles => !HasBytes;

    public override bool HasDistinctFiles => HasBytes;

    public override string Source { get; }

    public override string ImageRoot { get; }

    public override string? ImageField { get; }

    public override string? Layout => _layout;

    /// <summary>Groups of rows, in order.</summary>
    public override IReadOnlyList<InputPart> Parts => [.. _files.SelectMany(PartsOf)];

    /// <summary>True when the first file has a column of images as bytes.</summary>
    internal bool HasBytes => _hasBytes.Value;

    /// <summary>From now on records have all fields that other formats can hold: lists of numbers as well.</summary>
    internal void ReadAllFields() => _allFields = true;

    /// <summary>The first column that only Parquet can hold; null where there is none.</summary>
    /// <param name="asParquet">True where the output is Parquet.</param>
    internal string? LossIn(bool asParquet)
    {
        if (asParquet)
            return null;
        using var reader = OpenFirst(out _);
        return new ParquetColumns(reader, ImageField).Lost;
    }

    /// <summary>True when a name ends as that of a Parquet file does.</summary>
    public static bool IsName(string name) => RemoteAddress.NameOf(name).EndsWith(Extension, StringComparison.OrdinalIgnoreCase);

    /// <summary>True for a folder of Parquet files: it, or its folder <c>data</c>, has some, and it has no images of its own.</summary>
    public static bool IsFolder(string folder)
    {
        try
        {
            var data = Path.Combine(folder, "data");
            return (HasFiles(folder) || (Directory.Exists(data) && HasFiles(data)))
                && !Directory.EnumerateFiles(folder).Any(FolderDataset.IsImageName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The search for images tells why it cannot be listed.
            return false;
        }
    }

    /// <summary>One file.</summary>
    public static ParquetDataset OfFile(string file, string imageRoot, DatasetOptions options) =>
        new(file, imageRoot, options.ImageField, [new ParquetFile(Path.GetFileName(file), file)]) { Remote = options.Remote };

    /// <summary>The files of a folder, at any depth.</summary>
    /// <exception cref="DatasetException">It is a score table.</exception>
    public static ParquetDataset OfFolder(string folder, DatasetOptions options)
    {
        if (File.Exists(Path.Combine(folder, "scores.json")))
            throw new DatasetException(
                $"Expected a dataset; '{folder}' is a score table. 'pristine select', 'export' and 'report' take tables.");
        var prefix = Path.EndsInDirectorySeparator(folder) ? folder : folder + "/";
        var search = new FolderSearch(
            IsHidden: false, path => IsName(path) && Path.GetFileName(path) != FolderMetadata, _ => true, _ => []);
        return new ParquetDataset(folder, options.ImageRoot ?? folder, options.ImageField, Found(
            prefix, FolderSearch.Items(folder, prefix, "", search, default)))
        { Remote = options.Remote };
    }

    /// <summary>The files that a pattern names: a glob, or a name with numbers such as <c>train-{00000..00012}.parquet</c>.</summary>
    /// <exception cref="DatasetException">There is none, or one of the numbered ones is not there.</exception>
    public static ParquetDataset OfPattern(string pattern, DatasetOptions options)
    {
        var (prefix, files) = FilePattern.Files(pattern, "Parquet files");
        return new ParquetDataset(pattern, options.ImageRoot ?? prefix, options.ImageField, [
            .. files.Select(file => new ParquetFile(file.Name, file.Path))])
        { Remote = options.Remote };
    }

    /// <summary>The files that an address or a pattern of addresses names; of a bucket also a glob.</summary>
    /// <exception cref="DatasetException">There is none.</exception>
    public static ParquetDataset OfAddresses(string pattern, string imageRoot, DatasetOptions options)
    {
        var remote = options.Remote ?? RemoteAccess.Default;
        return new ParquetDataset(pattern, imageRoot, options.ImageField, [
            .. FilePattern.Addresses(pattern, remote).Files.Select(file => new ParquetFile(file.Name, file.Path, remote))])
        { Remote = remote };
    }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) => ReadFrom(new PartNumbers(), cancellation);

    internal override IEnumerable<DatasetItem> ReadFrom(PartNumbers numbers, CancellationToken cancellation) =>
        FileByFile.Read(Source, _files, (file, index) => ReadFile(file, numbers.FirstItem + index, cancellation));

    public override void RequireImages(CancellationToken cancellation = default)
    {
        if (_layout != null)
            return;
        using var reader = OpenFirst(out var file);
        var columns = new ParquetColumns(reader, ImageField);
        if (columns.Images.Count > 0)
        {
            _layout = $"Parquet, images in {string.Join(", ", columns.Images.Select(image => $"'{image.Name}'"))}{file.Remote?.Remark}";
            return;
        }
        var rows = 0L;
        foreach (var item in Read(cancellation))
        {
            rows++;
            if (item.Images.Count == 0)
                continue;
            _layout = $"Parquet, images in '{((ParquetRecord)item.Record!).Layout}'";
            return;
        }
        if (rows > 0)
        {
            throw new DatasetException(string.Create(
                CultureInfo.InvariantCulture,
                $"Expected a column of images " +
                $"({(ImageField != null ? $"'{ImageField}'" : "image, images, jpg, image_path, ..., as bytes or paths; --image-field names another")}); none of the {rows:N0} rows of '{Source}' has one. Columns: {string.Join(", ", columns.Names)}."));
        }
    }

    public override DatasetWriter CreateWriter(string path) => new ParquetRowWriter(path, _files, Remote);

    /// <summary>An image again, by the name that it has in a table.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cell">What follows the file's name, for example <c>image#17</c> or <c>images[2]#17</c>.</param>
    /// <returns>Null where there is no such cell.</returns>
    internal static MediaSource? Find(ParquetFile file, string cell)
    {
        if (Cell().Match(cell) is not { Success: true } place
            || !long.TryParse(place.Groups["row"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var row))
            return null;
        try
        {
            using var reader = file.Open();
            if (new ParquetColumns(reader, place.Groups["column"].Value).Images is not [var column])
                return null;
            for (var group = 0; group < reader.FileMetaData.NumRowGroups; group++)
            {
                using var rows = reader.RowGroup(group);
                if (row >= rows.MetaData.NumRows)
                {
                    row -= rows.MetaData.NumRows;
                    continue;
                }
                using var bytes = ParquetLeaf.Open(rows, column.Bytes.Column);
                bytes.Skip(row);
                bytes.NextRow();
                for (var at = place.Groups["at"] is { Success: true } index
                    ? int.Parse(index.ValueSpan, CultureInfo.InvariantCulture)
                    : 0; at > 0 && bytes.HasMore; at--)
                    bytes.Advance();
                return bytes.HasMore && bytes.Bytes is { } content ? new MemorySource(cell, content) : null;
            }
            return null;
        }
        catch (Exception e) when (e is DatasetException || ParquetFile.IsOfLibrary(e))
        {
            // It is told of as missing.
            return null;
        }
    }

    private static bool HasFiles(string folder) =>
        Directory.EnumerateFiles(folder).Any(file => IsName(file) && Path.GetFileName(file) != FolderMetadata);

    private static ParquetFile[] Found(string prefix, IEnumerable<DatasetItem> found) =>
        [.. FilePattern.Found(prefix, found).Select(file => new ParquetFile(file.Name, file.Path))];

    internal override InputPart OpenPart(string name, Func<Stream> openList)
    {
        if (_files.FirstOrDefault(file => file.Name == name) is { } whole)
            return AllOf(whole);
        var at = name.LastIndexOf('#');
        return at >= 0 && int.TryParse(name.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var group)
            && _files.FirstOrDefault(file => file.Name == name[..at]) is { } found
            ? Part(found, group)
            : throw new DatasetException($"Expected the rows '{name}' in '{Source}'; they are not there any more.");
    }

    /// <summary>Opens the first file that can be read: one that cannot does not keep the others from being read.</summary>
    /// <exception cref="DatasetException">None can; the message is about the first.</exception>
    private ParquetFileReader OpenFirst(out ParquetFile file)
    {
        DatasetException? failure = null;
        foreach (var candidate in _files)
        {
            try
            {
                file = candidate;
                return candidate.Open();
            }
            catch (DatasetException exception)
            {
                failure ??= exception;
            }
        }
        throw failure!;
    }

    /// <summary>The groups of rows of a file; one whose footer cannot be read is one part, and reading that says why.</summary>
    private List<InputPart> PartsOf(ParquetFile file)
    {
        var parts = new List<InputPart>();
        ParquetFileReader opened;
        try
        {
            opened = file.Open();
        }
        catch (DatasetException) when (_files.Count > 1)
        {
            return [AllOf(file)];
        }
        using var reader = opened;
        for (var group = 0; group < reader.FileMetaData.NumRowGroups; group++)
        {
            using var rows = reader.RowGroup(group);
            parts.Add(Part(file, group, rows.MetaData.NumRows, rows.MetaData.TotalByteSize));
        }
        return parts;
    }

    private InputPart AllOf(ParquetFile file) =>
        new(file.Name, (numbers, cancellation) => ReadFile(file, numbers.FirstItem, cancellation))
        {
            File = file.Remote == null ? file.Path : null,
            IsWholeFile = true,
        };

    private InputPart Part(ParquetFile file, int group, long? rows = null, long? bytes = null) => new(
        string.Create(CultureInfo.InvariantCulture, $"{file.Name}#{group}"),
        (numbers, cancellation) => ReadGroup(file, group, numbers.FirstItem, cancellation))
    {
        Bytes = bytes,
        Items = rows,
        File = file.Remote == null ? file.Path : null,
    };

    private IEnumerable<DatasetItem> ReadFile(ParquetFile file, long index, CancellationToken cancellation)
    {
        using var reader = file.Open();
        var columns = new ParquetColumns(reader, ImageField, _allFields);
        var row = 0L;
        for (var group = 0; group < reader.FileMetaData.NumRowGroups; group++)
        {
            foreach (var item in Rows(file, reader, columns, group, row, index + row, cancellation))
            {
                row++;
                yield return item;
            }
        }
    }

    private IEnumerable<DatasetItem> ReadGroup(ParquetFile file, int group, long index, CancellationToken cancellation)
    {
        using var reader = file.Open();
        var firstRow = 0L;
        for (var before = 0; before < group; before++)
        {
            using var rows = reader.RowGroup(before);
            firstRow += rows.MetaData.NumRows;
        }
        foreach (var item in Rows(file, reader, new ParquetColumns(reader, ImageField), group, firstRow, index, cancellation))
            yield return item;
    }

    [GeneratedRegex(@"\A(?<column>.+?)(?:\[(?<at>\d{1,9})\])?#(?<row>\d+)\z", RegexOptions.Singleline)]
    private static partial Regex Cell();

    /// <summary>The rows of a group as items.</summary>
    private IEnumerable<DatasetItem> Rows(
        ParquetFile file, ParquetFileReader reader, ParquetColumns columns, int group, long firstRow, long index,
        CancellationToken cancellation)
    {
        using var rows = new ParquetRows(file, reader, columns, group, firstRow);
        var records = new RecordReader(ImageRoot, ImageField, Remote);
        while (rows.Next())
        {
            cancellation.ThrowIfCancellationRequested();
            yield return rows.Item(index++, records, ImageRoot, Remote);
        }
    }
}

/// <summary>What a file's columns are to an item.</summary>
internal sealed class ParquetColumns
{
    // Of columns of bytes; paths are found as in other records.
    private static readonly string[] Known =
        ["image", "images", "img", "imgs", "jpg", "jpeg", "png", "webp", "image_bytes", "image_data", "picture", "photo"];

    private readonly IReadOnlyList<ParquetNode> _columns;

    /// <param name="reader">The file.</param>
    /// <param name="imageField">The column of images; null to look for it.</param>
    /// <param name="allFields">True where vectors are fields as well.</param>
    public ParquetColumns(ParquetFileReader reader, string? imageField, bool allFields = false)
    {
        _columns = ParquetNode.Of(reader.FileMetaData.Schema);
        Images = ImagesIn(reader, imageField);
        var images = Images.SelectMany(image => image.Columns).ToHashSet();
        Record = [.. _columns.Select(column => column.Only(leaf => !leaf.IsBinary && !images.Contains(leaf.Column))).OfType<ParquetNode>()
            .Where(column => allFields || IsOfRecord(column))];
        Lost = _columns.FirstOrDefault(column => column.Leaves.Any(leaf => leaf.IsBinary && !images.Contains(leaf.Column)))?.Name;
        Leaves = reader.FileMetaData.Schema.NumColumns;
    }

    /// <summary>Stored columns of the file.</summary>
    public int Leaves { get; }

    /// <summary>The columns of images as bytes.</summary>
    public IReadOnlyList<ParquetImages> Images { get; }

    /// <summary>The columns that are fields of the record: all that are neither images nor bytes nor vectors.</summary>
    public IReadOnlyList<ParquetNode> Record { get; }

    /// <summary>The first column that has bytes which are no image; null where there is none.</summary>
    public string? Lost { get; }

    /// <summary>The names of all columns.</summary>
    public IEnumerable<string> Names => _columns.Select(column => column.Name);

    /// <summary>Rules read no lists of numbers, which may be long: embeddings.</summary>
    private static bool IsOfRecord(ParquetNode column) => column.Shape != ParquetShape.List || column.Leaves.Any(leaf => leaf.IsText);

    private ParquetImages[] ImagesIn(ParquetFileReader reader, string? imageField)
    {
        if (imageField != null)
            return ParquetImages.In(Find(_columns, imageField), imageField) is { } asked ? [asked] : [];
        var typed = FeaturesOfImages(reader);
        var found = _columns.Where(column => typed.Contains(column.Name) || Known.Contains(column.Name, StringComparer.OrdinalIgnoreCase))
            .Select(column => ParquetImages.In(column, column.Name)).OfType<ParquetImages>().ToArray();
        // Bytes with a path beside them are an image under any name, where there is one such column.
        var pairs = _columns.Where(ParquetImages.IsBytesAndPath).ToArray();
        return found.Length == 0 && pairs.Length == 1 ? [ParquetImages.In(pairs[0], pairs[0].Name)!] : found;
    }

    private static ParquetNode? Find(IEnumerable<ParquetNode> columns, string name)
    {
        foreach (var column in columns)
        {
            if (column.Name == name)
                return column;
            if (name.StartsWith($"{column.Name}.", StringComparison.Ordinal) && column.Shape == ParquetShape.Struct
                && Find(column.Children, name[(column.Name.Length + 1)..]) is { } within)
                return within;
        }
        return null;
    }

    /// <summary>The columns that Hugging Face's datasets has marked as images.</summary>
    private static HashSet<string> FeaturesOfImages(ParquetFileReader reader)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (!reader.FileMetaData.KeyValueMetadata.TryGetValue("huggingface", out var text))
            return names;
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.TryGetProperty("info", out var info) && info.TryGetProperty("features", out var features))
                foreach (var feature in features.EnumerateObject()
                    .Where(feature => feature.Value.GetRawText().Contains("\"Image\"", StringComparison.Ordinal)))
                    names.Add(feature.Name);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The names of the columns tell as well.
        }
        return names;
    }
}

/// <summary>A column of images as bytes.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="Bytes">The stored column of the bytes.</param>
/// <param name="Path">The stored column of the paths beside them; null where there is none.</param>
/// <param name="IsList">True when a row may have several.</param>
internal sealed record ParquetImages(string Name, ParquetNode Bytes, ParquetNode? Path, bool IsList)
{
    /// <summary>The stored columns that are not part of the record.</summary>
    public IEnumerable<int> Columns => Path == null ? [Bytes.Column] : [Bytes.Column, Path.Column];

    /// <summary>
    /// Bytes and paths in a column: bytes, a struct of <c>bytes</c> and perhaps <c>path</c>, or a list of one of these; null where there
    /// are none.
    /// </summary>
    public static ParquetImages? In(ParquetNode? column, string name)
    {
        var isList = column?.Shape == ParquetShape.List;
        var value = isList ? column!.Children[0] : column;
        if (value == null)
            return null;
        if (value.Shape == ParquetShape.Leaf)
            return value.IsBinary ? new ParquetImages(name, value, null, isList) : null;
        return value.Shape == ParquetShape.Struct && Child(value, "bytes") is { IsBinary: true } bytes
            ? new ParquetImages(name, bytes, Child(value, "path") is { IsText: true } path ? path : null, isList)
            : null;
    }

    /// <summary>True for a struct of bytes and a path, or a list of them.</summary>
    public static bool IsBytesAndPath(ParquetNode column) => In(column, column.Name) is { Path: not null };

    private static ParquetNode? Child(ParquetNode value, string name) =>
        value.Children.FirstOrDefault(child => child.Name == name && child.Shape == ParquetShape.Leaf);
}

/// <summary>Where the row of an item is.</summary>
/// <param name="File">The file.</param>
/// <param name="Group">The group of rows, from 0.</param>
/// <param name="Row">The row within the group, from 0.</param>
internal sealed record ParquetRow(ParquetFile File, int Group, long Row);

/// <summary>The record of a row: its columns, without images, other bytes, and vectors.</summary>
/// <param name="json">The row as a JSON object.</param>
internal sealed class ParquetRecord(ReadOnlyMemory<byte> json) : ItemRecord
{
    private readonly JsonRecord _record = new(json);

    /// <summary>The row as a JSON object.</summary>
    public ReadOnlyMemory<byte> Json => json;

    /// <summary>The field in which paths of images were found; null where there are none.</summary>
    public string? Layout { get; init; }

    public override ItemText Text => _record.Text;

    internal override IReadOnlyList<string> Texts => _record.Texts;

    public override IReadOnlyList<string> FieldNames => _record.FieldNames;

    public override string?[] Fields(IReadOnlyList<string> names) => _record.Fields(names);
}

/// <summary>Reads the rows of a group one after the other. Columns that no item needs are not opened.</summary>
internal sealed class ParquetRows : IDisposable
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // Conversations may be stored as the text of a JSON array.
    private static readonly string[] Messages = ["conversations", "messages", "conversation", "prompt"];

    private readonly ParquetFile _file;
    private readonly ParquetColumns _columns;
    private readonly int _group;
    private readonly long _firstRow;
    private readonly long _rows;
    private readonly RowGroupReader? _reader;
    private readonly ParquetLeaf?[] _leaves;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _json;
    private long _row = -1;

    /// <param name="file">The file.</param>
    /// <param name="reader">The open file.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="group">The group, from 0.</param>
    /// <param name="firstRow">The group's first row, counted within the file.</param>
    public ParquetRows(ParquetFile file, ParquetFileReader reader, ParquetColumns columns, int group, long firstRow)
    {
        (_file, _columns, _group, _firstRow, _leaves) = (file, columns, group, firstRow, new ParquetLeaf?[columns.Leaves]);
        _json = new Utf8JsonWriter(_buffer, Json);
        try
        {
            _reader = reader.RowGroup(group);
            _rows = _reader.MetaData.NumRows;
            foreach (var column in columns.Images.SelectMany(image => image.Columns)
                .Concat(columns.Record.SelectMany(field => field.Leaves).Select(leaf => leaf.Column)))
                _leaves[column] ??= ParquetLeaf.Open(_reader, column);
        }
        catch (Exception e)
        {
            Dispose();
            if (ParquetFile.IsOfLibrary(e))
                throw file.Damaged(e, group, 0);
            throw;
        }
    }

    /// <summary>Moves to the next row.</summary>
    /// <returns>False after the last.</returns>
    /// <exception cref="DatasetException">The group is damaged.</exception>
    public bool Next()
    {
        if (++_row >= _rows)
            return false;
        try
        {
            foreach (var leaf in _leaves)
                leaf?.NextRow();
            return true;
        }
        catch (Exception e) when (ParquetFile.IsOfLibrary(e))
        {
            throw _file.Damaged(e, _group, _row);
        }
    }

    /// <summary>The row as an item.</summary>
    /// <param name="index">Its position in the dataset.</param>
    /// <param name="records">Finds paths in the record.</param>
    /// <param name="imageRoot">Folder of relative paths.</param>
    /// <param name="remote">Reads addresses; null for the default limits.</param>
    public DatasetItem Item(long index, RecordReader records, string imageRoot, RemoteAccess? remote)
    {
        var place = string.Create(CultureInfo.InvariantCulture, $"{_file.Name}, row group {_group}, row {_row}");
        var images = new List<MediaSource>();
        foreach (var column in _columns.Images)
            Add(column, images, imageRoot, remote);
        var json = Record();
        var record = records.Read(index, default, json, default, place);
        // Where the columns of images hold bytes, the paths that a record has besides are something else.
        var sources = _columns.Images.Count > 0 ? images : record.Sources;
        return new DatasetItem
        {
            Index = index,
            Id = record.Id is var id && id[0] == '#' && images.Count > 0 ? images[0].Reference : id,
            Sources = record.Error == null ? sources : [],
            Raw = json,
            Record = record.Error == null ? new ParquetRecord(json) { Layout = records.ImageField } : null,
            Error = record.Error,
            Row = new ParquetRow(_file, _group, _row),
        };
    }

    public void Dispose()
    {
        foreach (var leaf in _leaves)
            leaf?.Dispose();
        _reader?.Dispose();
        _json.Dispose();
    }

    private void Add(ParquetImages column, List<MediaSource> images, string imageRoot, RemoteAccess? remote)
    {
        var (bytes, path) = (_leaves[column.Bytes.Column]!, column.Path == null ? null : _leaves[column.Path.Column]);
        for (var i = 0; bytes.HasMore; i++, bytes.Advance(), path?.Advance())
        {
            if (bytes.Bytes is { } content)
            {
                var reference = string.Create(
                    CultureInfo.InvariantCulture, $"{_file.Name}/{column.Name}{(column.IsList ? $"[{i}]" : "")}#{_firstRow + _row}");
                images.Add(
                    new MemorySource(reference, content, _file.Slices.Stamp() is { } stamp ? stamp with { Bytes = content.Length } : null));
            }
            else if (path?.Bytes is { Length: > 0 } named)
                images.Add(RecordReader.SourceOf(System.Text.Encoding.UTF8.GetString(named), imageRoot, remote));
        }
    }

    private byte[] Record()
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        foreach (var column in _columns.Record)
        {
            _json.WritePropertyName(column.Name);
            if (column is { Shape: ParquetShape.Leaf, IsText: true } && Messages.Contains(column.Name))
                WriteMessages(_leaves[column.Column]!);
            else
                column.Write(_json, _leaves);
        }
        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenSpan.ToArray();
    }

    private void WriteMessages(ParquetLeaf leaf)
    {
        var text = leaf.Bytes;
        if (text == null)
            _json.WriteNullValue();
        else if (IsJson(text))
            _json.WriteRawValue(text, skipInputValidation: true);
        else
            leaf.Write(_json);
    }

    private static bool IsJson(byte[] text)
    {
        if (text.AsSpan().TrimStart(" \t\r\n"u8) is not [(byte)'[' or (byte)'{', ..])
            return false;
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
