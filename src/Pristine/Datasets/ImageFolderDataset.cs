using Pristine.Media;

namespace Pristine.Datasets;

/// <summary>
/// A Hugging Face folder (<c>imagefolder</c>) with metadata: <c>metadata.jsonl</c>, <c>.csv</c> or <c>.parquet</c>, in the folder or in
/// folders below it, name images by their paths relative to the metadata's folder. The rows are the items: an image without a row is none,
/// as for <c>load_dataset</c>. The export is such a folder again, with the kept rows byte for byte and their images.
/// </summary>
internal sealed class ImageFolderDataset : Dataset
{
    private const string MetadataName = "metadata";

    // Metadata stand in the folder itself, in folders of splits, or in those below data/. A folder of images is not searched deeper for
    // them.
    private const int MostDepth = 2;

    private static readonly string[] Extensions = [".jsonl", ".csv", ".parquet"];

    private readonly string _folder;
    private readonly IReadOnlyList<Metadata> _files;
    private string? _layout;

    private ImageFolderDataset(string folder, IReadOnlyList<Metadata> files, string? imageField) =>
        (_folder, _files, ImageField) = (folder, files, imageField);

    public override DatasetFormat Format => DatasetFormat.ImageFolder;

    public override bool HasRecords => true;

    public override bool IsFolderWithImages => true;

    public override string Source => _folder;

    public override string ImageRoot => _folder;

    public override string? ImageField { get; }

    public override string? Layout => _layout;

    internal override string? SearchedFolder => _folder;

    public override IReadOnlyList<InputPart> Parts => [.. _files.SelectMany(file => file.Rows.Parts.Select(part => Part(file, part)))];

    internal override InputPart OpenPart(string name, Func<Stream> openList) =>
        _files.FirstOrDefault(file => name.StartsWith($"{file.Name}#", StringComparison.Ordinal)) is { } found
        ? Part(found, found.Rows.OpenPart(name[(found.Name.Length + 1)..], openList))
        : throw new DatasetException($"Expected the metadata '{name}' in '{_folder}'; they are not there any more.");

    /// <summary>A part of the rows of a file.</summary>
    private static InputPart Part(Metadata file, InputPart rows) => new(
        $"{file.Name}#{rows.Name}",
        (numbers, cancellation) => rows.ReadFrom(numbers, cancellation).Select(item => file.ItemOf(item, item.Index)))
    {
        Bytes = rows.Bytes,
        Items = rows.Items,
        File = rows.File,
    };

    /// <summary>Looks for metadata that name images in a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="imageField">The field of images that was asked for; null for <c>file_name</c> and its like.</param>
    /// <returns>Null for a folder without any.</returns>
    /// <exception cref="DatasetException">There are metadata of several kinds, or they cannot be read.</exception>
    public static ImageFolderDataset? Find(string folder, string? imageField)
    {
        if (!HasMetadata(folder, 0))
            return null;
        var prefix = Path.EndsInDirectorySeparator(folder) ? folder : folder + "/";
        var search = new FolderSearch(IsHidden: false, IsMetadata, _ => true, _ => []);
        var files = FolderSearch.Items(folder, prefix, "", search, default)
            .SelectMany(item => item.Sources, (item, source) => new Metadata(item.Id, source.LocalPath!, imageField))
            .Where(file => file.NamesImages).ToArray();
        if (files.Length == 0)
            return null;
        var kinds = files.Select(file => Path.GetExtension(file.Name)).Distinct().ToArray();
        if (kinds.Length > 1)
            throw new DatasetException(
                $"Expected metadata of one kind in the folder '{folder}'; found " +
                $"{string.Join(" and ", kinds.Select(kind => MetadataName + kind))}. load_dataset refuses such a folder, too.");
        return new ImageFolderDataset(folder, files, imageField);
    }

    public override void RequireImages(CancellationToken cancellation = default)
    {
        _files[0].Rows.RequireImages(cancellation);
        var names = _files.Count == 1 ? _files[0].Name : $"{_files.Count} files {MetadataName}{Path.GetExtension(_files[0].Name)}";
        _layout ??= $"Hugging Face folder, {names} ({_files[0].Rows.Layout})";
    }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) =>
        FileByFile.Read(Source, _files, (file, index) => file.Rows.ReadFrom(new PartNumbers { FirstItem = index }, cancellation)
            .Select(item => file.ItemOf(item, item.Index)));

    public override DatasetWriter CreateWriter(string path) =>
        new ImageFolderWriter(path, _folder, _files.ToDictionary(file => file.Name, file => file.Rows));

    private static bool IsMetadata(string path) =>
        Path.GetFileName(path) is var name && Path.GetFileNameWithoutExtension(name) == MetadataName
        && Extensions.Contains(Path.GetExtension(name));

    private static bool HasMetadata(string folder, int depth)
    {
        if (Extensions.Any(extension => File.Exists(Path.Combine(folder, MetadataName + extension))))
            return true;
        if (depth == MostDepth)
            return false;
        try
        {
            return Directory.EnumerateDirectories(folder)
                .Any(inner => !Path.GetFileName(inner).StartsWith('.') && HasMetadata(inner, depth + 1));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The search for images says which folder cannot be listed.
            return false;
        }
    }

    /// <summary>A file of metadata.</summary>
    /// <param name="Name">Its path relative to the dataset's folder, written with <c>/</c>.</param>
    /// <param name="Path">Its path.</param>
    /// <param name="ImageField">The field of images that was asked for.</param>
    private sealed record Metadata(string Name, string Path, string? ImageField)
    {
        /// <summary>Its folder relative to the dataset's, with a slash at its end; empty for the same.</summary>
        private string Folder { get; } = Name[..(Name.LastIndexOf('/') + 1)];

        /// <summary>The rows, with paths relative to its folder.</summary>
        public Dataset Rows => field ??= Open();

        /// <summary>Whether the first row names an image as Hugging Face folders do.</summary>
        public bool NamesImages =>
            ImageField != null || Rows.Read().FirstOrDefault()?.Record?.FieldNames.Any(RecordLayout.IsFileName) == true;

        /// <summary>A row as an item of the whole folder: its images are named relative to that.</summary>
        public DatasetItem ItemOf(DatasetItem row, long index)
        {
            var outside = row.Sources.FirstOrDefault(source => source is FileSource or RemoteSource && !IsWithin(source.Reference));
            var hasOwnId = row.Sources is not [{ Kind: MediaKind.Image } first, ..] || row.Id != first.Reference;
            return new DatasetItem
            {
                Index = index,
                Id = hasOwnId ? row.Id : Folder + row.Id,
                Sources = outside == null ? [.. row.Sources.Select(source => source is FileSource { LocalPath: { } path }
                    ? new FileSource(Folder + source.Reference, path, source.Kind)
                    : source)] : [],
                Raw = row.Raw,
                Before = row.Before,
                After = row.After,
                Record = outside == null && row.Record is { } record ? new PlacedRecord(record, Folder) : null,
                Error = row.Error
                    ?? (outside == null ? null
                    : $"{Path}: expected a path within the folder of the metadata, as load_dataset does; found " +
                    $"'{outside.Reference}'."),
                File = Name,
                Row = row.Row,
            };
        }

        private Dataset Open()
        {
            var folder = System.IO.Path.GetDirectoryName(Path) ?? "";
            return System.IO.Path.GetExtension(Name) switch
            {
                ".jsonl" => new JsonlDataset(Path, folder, ImageField) { PrefersFileNames = true },
                ".csv" => new CsvDataset(Path, folder, ImageField) { PrefersFileNames = true },
                _ => ParquetDataset.OfFile(Path, folder, new DatasetOptions { ImageField = ImageField }),
            };
        }

        private static bool IsWithin(string reference) =>
            !reference.Contains("://", StringComparison.Ordinal) && !System.IO.Path.IsPathRooted(reference)
            && !reference.Split('/', '\\').Contains("..");
    }
}

/// <summary>Writes rows of metadata into files of the same names below another folder.</summary>
internal sealed class ImageFolderWriter : DatasetWriter
{
    private readonly string _target;
    private readonly IReadOnlyDictionary<string, Dataset> _rows;
    private readonly Dictionary<string, DatasetWriter> _writers = [];

    /// <param name="target">The folder to write to.</param>
    /// <param name="source">The dataset's folder.</param>
    /// <param name="rows">The datasets that the rows are of, by the names of their files.</param>
    /// <exception cref="DatasetException">The target is no folder, cannot be written to, or lies in the dataset's.</exception>
    public ImageFolderWriter(string target, string source, IReadOnlyDictionary<string, Dataset> rows)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        if (target == "-" || File.Exists(target))
            throw new DatasetException($"Expected a folder for the kept rows and images of a Hugging Face folder; found '{target}'.");
        if (RealPath.IsWithin(RealPath.Of(target), RealPath.Of(source)))
            throw new DatasetException($"Expected a target outside of the dataset's folder '{source}'; '{target}' lies in it.");
        OutputPlace.CheckFolder(target);
        OutputPlace.RemoveLeft(target, rows.Keys);
        (_target, _rows) = (target, rows);
    }

    public override void Write(DatasetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var name = item.File ?? throw new ArgumentException("Expected an item of a Hugging Face folder.", nameof(item));
        if (!_writers.TryGetValue(name, out var writer))
            _writers[name] = writer = _rows[name].CreateWriter(Path.Combine(_target, name));
        writer.Write(item);
    }

    public override void Complete()
    {
        foreach (var writer in _writers.Values)
            writer.Complete();
    }

    public override void Dispose()
    {
        foreach (var writer in _writers.Values)
            writer.Dispose();
    }
}

/// <summary>
/// What the folders of an image say of it, as <c>load_dataset</c> reads them: <c>split</c> (<c>train</c>, <c>validation</c>, <c>test</c>),
/// and <c>label</c>, the name of its own folder where that is no split's.
/// </summary>
internal static class FolderNames
{
    private static readonly (string Split, string[] Words)[] Splits =
    [
        ("train", ["train", "training"]), ("validation", ["validation", "valid", "val", "dev"]),
        ("test", ["test", "testing", "eval", "evaluation"]),
    ];

    /// <summary>The split that a path lies in: that of the first folder whose name has its word.</summary>
    /// <param name="path">A relative path, written with <c>/</c>.</param>
    /// <returns>Null for none.</returns>
    public static string? SplitOf(string path) => path.Split('/')[..^1].Select(SplitOfName).FirstOrDefault(split => split != null);

    /// <summary>The class of an image: the name of its folder.</summary>
    /// <param name="path">A relative path, written with <c>/</c>.</param>
    /// <returns>Null for an image that lies in no folder, or in that of a split.</returns>
    public static string? LabelOf(string path) => path.Split('/') is [.., var folder, _] && SplitOfName(folder) == null ? folder : null;

    private static string? SplitOfName(string name)
    {
        var words = name.ToLowerInvariant().Split('-', '_', '.', ' ', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        return Splits.FirstOrDefault(split => split.Words.Any(words.Contains)).Split;
    }
}

/// <summary>The record of an image in a folder: <c>label</c> and <c>split</c>. It has no text.</summary>
/// <param name="path">The image's path relative to the dataset's folder.</param>
internal sealed class FolderRecord(string path) : ItemRecord
{
    public override ItemText Text => default;

    internal override IReadOnlyList<string> Texts => [];

    internal override bool HasText => false;

    public override IReadOnlyList<string> FieldNames =>
        [.. FolderNames.LabelOf(path) == null ? (string[])[] : ["label"], .. FolderNames.SplitOf(path) == null ? (string[])[] : ["split"]];

    public override string?[] Fields(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return [.. names.Select(
            name => name switch { "label" => FolderNames.LabelOf(path), "split" => FolderNames.SplitOf(path), _ => null })];
    }
}

/// <summary>The record of a row of metadata, with the split of its file's folder where it has no field <c>split</c>.</summary>
/// <param name="record">The row's own record.</param>
/// <param name="folder">The folder, with a slash at its end.</param>
internal sealed class PlacedRecord(ItemRecord record, string folder) : ItemRecord
{
    private const string Split = "split";

    public override ItemText Text => record.Text;

    internal override IReadOnlyList<string> Texts => record.Texts;

    public override IReadOnlyList<string> FieldNames =>
        FolderNames.SplitOf(folder) == null || record.FieldNames.Contains(Split) ? record.FieldNames : [.. record.FieldNames, Split];

    internal override void WriteFields(System.Text.Json.Utf8JsonWriter json)
    {
        record.WriteFields(json);
        if (FolderNames.SplitOf(folder) is { } split && !record.FieldNames.Contains(Split))
            json.WriteString(Split, split);
    }

    public override string?[] Fields(IReadOnlyList<string> names)
    {
        var values = record.Fields(names);
        for (var i = 0; i < values.Length; i++)
            if (values[i] == null && names[i] == Split)
                values[i] = FolderNames.SplitOf(folder);
        return values;
    }
}
