using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Exports kept items in another format than the dataset's own, told by the name of the output. Records keep their fields, bytes of images
/// are copied as they are. Images that are files stay files and are named, except in what holds its images itself: archives, and folders
/// that images are copied to. docs/formats.md has the matrix.
/// </summary>
internal static class ItemExport
{
    /// <summary>Why a dataset cannot be written so; null where it can, or the dataset's own writer decides.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="path">The output.</param>
    /// <param name="asFolder">True where images are to be put into a folder.</param>
    public static string? Refusal(Dataset dataset, string path, bool asFolder)
    {
        var target = TargetOf(dataset, path, asFolder);
        const string holders = "Name a .tar or .parquet file, or a folder with --copy.";
        return target switch
        {
            ExportTarget.Lines or ExportTarget.Rows when !dataset.HasImageFiles =>
                $"{(target == ExportTarget.Lines ? "lines of JSON" : "a table of rows")} cannot hold images, and '{dataset.Source}' " +
                $"holds its images itself. {holders}",
            ExportTarget.Rows when dataset.HasRecords =>
                $"a table of rows cannot hold the fields of records, which may be lists and objects. Name a .jsonl or .parquet file.",
            ExportTarget.Own when dataset.HasRecords && DatasetFile.ExtensionOf(path) == ".txt" =>
                $"a list of paths cannot hold the fields of records. Name a .jsonl or .parquet file, or the dataset's own format.",
            ExportTarget.Own when dataset.Format == DatasetFormat.Zip => $"zip archives are only read. {holders}",
            ExportTarget.Own => null,
            _ => (dataset as ParquetDataset)?.LossIn(target == ExportTarget.Parquet) is { } lost
                ? $"it cannot hold the column '{lost}', which has bytes that are no image. Name a .parquet file."
                : null,
        };
    }

    /// <summary>Opens the writer.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="path">The output; its name says the format.</param>
    /// <param name="asFolder">True where images are to be put into a folder.</param>
    /// <exception cref="DatasetException">The output cannot hold the items, or cannot be made.</exception>
    public static DatasetWriter Open(Dataset dataset, string path, bool asFolder)
    {
        if (Refusal(dataset, path, asFolder) is { } refusal)
            throw new DatasetException($"'{path}': {refusal}");
        (dataset as ParquetDataset)?.ReadAllFields();
        return TargetOf(dataset, path, asFolder) switch
        {
            ExportTarget.Tar => new TarItemWriter(path, dataset),
            ExportTarget.Parquet => new ParquetItemWriter(path, dataset),
            ExportTarget.Lines => new JsonlItemWriter(path, dataset),
            ExportTarget.Rows => new CsvItemWriter(path, dataset),
            ExportTarget.Folder => new FolderItemWriter(path, dataset),
            _ => dataset.CreateWriter(path),
        };
    }

    /// <summary>An item's fields as a JSON object on one line. An item that is no record has its image as field <c>image</c>.</summary>
    /// <param name="item">The item.</param>
    /// <param name="folder">The output's folder, which paths are relative to.</param>
    public static byte[] JsonOf(DatasetItem item, string? folder)
    {
        if (item.Record is JsonRecord or ParquetRecord && item.Raw.Length > 0)
            return WithoutSpace(RecordJson.WithoutBom(item.Raw).Span);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            json.WriteStartObject();
            if (folder != null && item.Images.Count > 0 && item.Record?.FieldNames.Contains("image") != true)
                json.WriteString("image", PathFrom(folder, item.Images[0]));
            item.Record?.WriteFields(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Where an image is, as seen from a folder: relative where it lies below, else absolute.</summary>
    public static string PathFrom(string folder, MediaSource image)
    {
        if (image is RemoteSource { IsMember: false } remote)
            return remote.Address;
        if (image.LocalPath is not { Length: > 0 } path || path.Contains("://", StringComparison.Ordinal))
            return image.Reference;
        var full = Path.GetFullPath(path);
        var root = Path.GetFullPath(folder.Length == 0 ? "." : folder);
        return RealPath.IsWithin(full, root) ? Path.GetRelativePath(root, full).Replace(Path.DirectorySeparatorChar, '/') : full;
    }

    /// <summary>The extension of an image's file: that of its name, else what its first bytes say.</summary>
    public static string ExtensionOf(MediaSource source, ReadOnlySpan<byte> content) => MediaNames.KindOf(source.Reference) == source.Kind
        ? Path.GetExtension(source.Reference).ToLowerInvariant()
        : ImageFormat.Recognise(content)?.Name is { } name ? $".{(name == "jpeg" ? "jpg" : name)}" : ".bin";

    private static ExportTarget TargetOf(Dataset dataset, string path, bool asFolder)
    {
        var target = asFolder ? ExportTarget.Folder
            : path == "-" ? ExportTarget.Own
            : TarDataset.IsArchiveName(path) ? ExportTarget.Tar
            : ParquetDataset.IsName(path) ? ExportTarget.Parquet
            : DatasetFile.ExtensionOf(
                path) switch
            { ".jsonl" or ".ndjson" => ExportTarget.Lines, ".csv" or ".tsv" => ExportTarget.Rows, _ => ExportTarget.Own };
        return (target, dataset.Format) switch
        {
            (ExportTarget.Tar, DatasetFormat.WebDataset) or (ExportTarget.Parquet, DatasetFormat.Parquet) or
                (ExportTarget.Lines, DatasetFormat.Jsonl) or (ExportTarget.Rows, DatasetFormat.Csv) => ExportTarget.Own,
            _ => target,
        };
    }

    /// <summary>The same JSON without white space between its parts.</summary>
    private static byte[] WithoutSpace(ReadOnlySpan<byte> json)
    {
        if (json.IndexOfAny((byte)'\n', (byte)'\r') < 0)
            return json.ToArray();
        var kept = new ArrayBufferWriter<byte>(json.Length);
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            if (inString && json[i] == '\\')
                kept.Write(json.Slice(i++, 2));
            else
            {
                inString ^= json[i] == '"';
                if (inString || json[i] is not ((byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r'))
                    kept.Write(json.Slice(i, 1));
            }
        }
        return kept.WrittenSpan.ToArray();
    }

    /// <summary>What an export is written as.</summary>
    private enum ExportTarget
    {
        Own,
        Tar,
        Parquet,
        Lines,
        Rows,
        Folder,
    }
}

/// <summary>Reads what items name, one after the other, into the same memory.</summary>
internal sealed class MediaReader : IDisposable
{
    // Tar members and Arrow's arrays have at most so many.
    private const long MostBytes = int.MaxValue / 2;

    private readonly ReusableBuffer _buffer = new();

    /// <summary>Reads all bytes of a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="bytes">Its bytes, valid until the next is read.</param>
    /// <returns>Null, or why it cannot be read.</returns>
    public string? Read(MediaSource source, out ReadOnlySpan<byte> bytes)
    {
        var failure = source.Read(MostBytes, _buffer);
        bytes = _buffer.Span;
        return failure == null ? null : $"'{source.Reference}': {failure.Value.Error}";
    }

    public void Dispose() => _buffer.Dispose();
}

/// <summary>A writer of items of any dataset.</summary>
/// <param name="path">The output.</param>
/// <param name="dataset">The dataset, which must not be overwritten.</param>
internal abstract class ItemWriter(string path, Dataset dataset) : DatasetWriter
{
    private readonly OutputNumbers _numbers = new(path);
    private IDisposable? _held;
    private readonly List<PartialFile> _complete = [];
    private PartialFile? _file;
    private int _number;

    /// <summary>True once the output that is open has an item, so that there is something to keep of it.</summary>
    private protected bool HasItems { get; set; }

    /// <summary>The output's folder.</summary>
    protected string Folder { get; } = Path.GetDirectoryName(Path.GetFullPath(path))!;

    /// <summary>True where several outputs of bounded size are made.</summary>
    protected bool IsNumbered => _numbers.IsNumbered;

    public sealed override void Write(DatasetItem item)
    {
        if (TryWrite(item) is { } reason)
            throw new DatasetException(reason);
    }

    public override void Complete()
    {
        End();
        foreach (var file in _complete)
            file.Complete();
        _complete.Clear();
        Removed = _numbers.RemoveBeyond(_number, [dataset.Source]);
    }

    public override void Dispose()
    {
        if (HasItems)
            _file?.Dispose();
        else
            _file?.Discard();
        foreach (var file in _complete)
            file.Dispose();
        _held?.Dispose();
    }

    /// <summary>Opens the first output, or the next.</summary>
    protected Stream OpenNext()
    {
        if (_number == 0)
            _held = _numbers.Hold();
        HasItems = false;
        _file = PartialFile.Create(_numbers.NameOf(_number++), File.Exists(dataset.Source) || RemoteAddress.HasScheme(
            dataset.Source) ? dataset.Source : null, dataset.Remote);
        return _file.Stream;
    }

    /// <summary>Ends the output that is open.</summary>
    protected virtual void End()
    {
        _file?.Close(isOneOfMany: _held != null);
        if (_file != null)
            _complete.Add(_file);
        _file = null;
    }
}

/// <summary>Writes records as lines of JSON.</summary>
internal sealed class JsonlItemWriter : ItemWriter
{
    private readonly Stream _stream;

    public JsonlItemWriter(string path, Dataset dataset)
        : base(path, dataset) => _stream = OpenNext();

    internal override string? TryWrite(DatasetItem item)
    {
        _stream.Write(ItemExport.JsonOf(item, Folder));
        _stream.WriteByte((byte)'\n');
        HasItems = true;
        return null;
    }
}

/// <summary>Writes the paths of images as rows of a table, with their scores.</summary>
internal sealed class CsvItemWriter : ItemWriter
{
    private readonly StreamWriter _writer;
    private readonly char _separator;
    private bool _isStarted;
    private bool _isEnded;

    public CsvItemWriter(string path, Dataset dataset)
        : base(path, dataset)
    {
        _writer = new StreamWriter(OpenNext(), new System.Text.UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
        _separator = DatasetFile.ExtensionOf(path) == ".tsv" ? '\t' : ',';
    }

    internal override bool NeedsScores => true;

    internal override string? TryWrite(DatasetItem item)
    {
        Start();
        var scores = NextScores();
        WriteRow([ItemExport.PathFrom(Folder, item.Images[0]), .. scores.Select(score => ScoreText(score))]);
        HasItems = true;
        return null;
    }

    public override void Dispose()
    {
        try
        {
            // Rows are whole, also in what is left under a temporary name.
            if (!_isEnded)
                _writer.Dispose();
        }
        finally
        {
            base.Dispose();
        }
    }

    protected override void End()
    {
        Start();
        _isEnded = true;
        _writer.Dispose();
        base.End();
    }

    /// <summary>A score with the digits that it has: most are of 32 bits.</summary>
    private static string ScoreText(double score) => double.IsNaN(score) ? ""
        : (float)score == score ? ((float)score).ToString("R", CultureInfo.InvariantCulture)
        : score.ToString("R", CultureInfo.InvariantCulture);

    private void Start()
    {
        if (!_isStarted)
            WriteRow(["image", .. ScoreNames]);
        _isStarted = true;
    }

    private void WriteRow(IEnumerable<string> fields) => _writer.WriteLine(string.Join(
        _separator, fields.Select(field => field.AsSpan().IndexOfAny($"{_separator}\"\r\n") < 0
            ? field
            : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")));
}

/// <summary>
/// Writes samples into tar archives as WebDataset has them: what the item names as <c>000000012.jpg</c> (several: <c>000000012.0.jpg</c>),
/// its record as <c>000000012.json</c>, and the files beside an image of a folder (<c>000000012.txt</c>). The key is the item's position in
/// its dataset, so that no name of it can lead anywhere.
/// </summary>
internal sealed class TarItemWriter : ItemWriter
{
    private readonly MediaReader _reader = new();
    private readonly SidecarSearch? _sidecars;
    private System.Formats.Tar.TarWriter? _tar;
    private long _written;

    public TarItemWriter(string path, Dataset dataset)
        : base(path, dataset)
    {
        _sidecars = dataset.HasRecords ? null : new SidecarSearch();
        Open();
    }

    internal override IEnumerable<MediaSource> ReadFor(DatasetItem item) => item.Sources;

    internal override string? TryWrite(DatasetItem item)
    {
        // Everything is read before anything is written: a sample is whole or not there.
        var members = new List<(string Suffix, byte[] Content)>();
        for (var i = 0; i < item.Sources.Count; i++)
        {
            if (_reader.Read(item.Sources[i], out var bytes) is { } reason)
                return reason;
            var extension = ItemExport.ExtensionOf(item.Sources[i], bytes);
            members.Add(
                (item.Sources.Count == 1 ? extension : string.Create(CultureInfo.InvariantCulture, $".{i}{extension}"), bytes.ToArray()));
        }
        if (item.Images is [{ LocalPath: { } file }] && _sidecars != null)
            members.AddRange(_sidecars.Of(Path.GetFullPath(file)).Select(sidecar => (Path.GetExtension(sidecar)
                .ToLowerInvariant(), File.ReadAllBytes(sidecar))).DistinctBy(sidecar => sidecar.Item1));
        if (members.All(member => member.Suffix != ".json"))
            members.Add((".json", item.Record is { } record and not FolderRecord ? ItemExport.JsonOf(item, null) : NameOf(item)));
        if (IsNumbered && _written >= TarSampleWriter.ShardBytes)
        {
            End();
            Open();
        }
        foreach (var (suffix, content) in members)
        {
            using var stream = new MemoryStream(content, writable: false);
            _tar!.WriteEntry(new System.Formats.Tar.UstarTarEntry(
                System.Formats.Tar.TarEntryType.RegularFile, string.Create(CultureInfo.InvariantCulture, $"{item.Index:000000000}{suffix}"))
            {
                DataStream = stream,
                // The same items give the same bytes.
                ModificationTime = DateTimeOffset.UnixEpoch,
            });
            _written += content.Length + TarMember.BlockBytes;
        }
        HasItems = true;
        return null;
    }

    public override void Dispose()
    {
        _tar?.Dispose();
        _reader.Dispose();
        base.Dispose();
    }

    protected override void End()
    {
        _tar?.Dispose();
        _tar = null;
        base.End();
    }

    /// <summary>The record of an image that has none: where it was, and what its folders say of it.</summary>
    private static byte[] NameOf(DatasetItem item)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("file_name", item.Images.Count > 0 ? item.Images[0].Reference : item.Id);
            item.Record?.WriteFields(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private void Open() => (_tar, _written) = (new System.Formats.Tar.TarWriter(OpenNext(), leaveOpen: true), 0);
}

/// <summary>
/// Writes images into a folder that Hugging Face's <c>imagefolder</c> reads: <c>000000012.jpg</c>, and <c>metadata.jsonl</c> with
/// <c>file_name</c> (where an item has several images: <c>file_names</c>) and the records' fields. The names are the items' positions in
/// their dataset, so that no name of it can lead anywhere. <c>load_dataset</c> takes the one or the other field, of every row, as column
/// <c>image</c> or <c>images</c>: so all rows have the same one, an item without an image is left out, and so are fields that would be
/// taken for that column or for further images.
/// </summary>
internal sealed class FolderItemWriter : ItemWriter
{
    private const string Metadata = "metadata.jsonl";
    private readonly string _folder;
    private readonly MediaReader _reader = new();
    private readonly Stream _stream;
    private bool _isList;

    public FolderItemWriter(string path, Dataset dataset)
        : base(Path.Combine(path, Metadata), dataset)
    {
        if (dataset.SearchedFolder is { } searched && RealPath.IsWithin(RealPath.Of(path), RealPath.Of(searched)))
            throw new DatasetException($"Expected a target outside of the dataset's folder '{searched}'; '{path}' lies in it.");
        OutputPlace.CheckFolder(path, Metadata);
        (_folder, _stream) = (path, OpenNext());
    }

    internal override bool NeedsSurvey => true;

    internal override IEnumerable<MediaSource> ReadFor(DatasetItem item) => item.Images;

    internal override void Survey(DatasetItem item) => _isList |= item.Images.Count > 1;

    internal override string? TryWrite(DatasetItem item)
    {
        if (item.Images.Count == 0)
            return $"item '{item.Id}' has no image; a folder of images has one in every row, only .parquet and .jsonl hold such items";
        var names = new List<string>();
        for (var i = 0; i < item.Images.Count; i++)
        {
            if (_reader.Read(item.Images[i], out var bytes) is { } reason)
                return reason;
            var extension = ItemExport.ExtensionOf(item.Images[i], bytes);
            var name = string.Create(
                CultureInfo.InvariantCulture, $"{item.Index:000000000}{(item.Images.Count == 1 ? "" : $".{i}")}{extension}");
            var content = bytes.ToArray();
            var file = Path.Combine(_folder, name);
            if (!Path.Exists(file))
                Files.WholeFile.MakeNew(file, stream => stream.Write(content));
            else if (!File.ReadAllBytes(file).AsSpan().SequenceEqual(content))
                return $"'{file}': another file is there already";
            names.Add(name);
        }
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            json.WriteStartObject();
            if (!_isList)
                json.WriteString("file_name", names.Single());
            else
            {
                json.WriteStartArray("file_names");
                names.ForEach(json.WriteStringValue);
                json.WriteEndArray();
            }
            if (item.Record != null)
            {
                using var record = RecordJson.Parse(ItemExport.JsonOf(item, null));
                foreach (var field in record.RootElement.EnumerateObject())
                {
                    var name = RecordJson.Name(field);
                    if (name == (_isList ? "images" : "image") || RecordLayout.IsFileName(name))
                        continue;
                    json.WritePropertyName(name);
                    json.WriteRawValue(RecordJson.Raw(field.Value), skipInputValidation: true);
                }
            }
            json.WriteEndObject();
        }
        _stream.Write(buffer.WrittenSpan);
        _stream.WriteByte((byte)'\n');
        HasItems = true;
        return null;
    }

    public override void Dispose()
    {
        _reader.Dispose();
        base.Dispose();
    }
}
