using System.Globalization;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Several files of one kind as one dataset: JSON lines, tables or zip archives that a glob or a name with numbers names, each also
/// compressed. The items are those of the files, one after the other; relative paths of records start at one folder for all of them. Each
/// file is a part, and so are ranges of large ones.
/// </summary>
internal sealed class FileSetDataset : Dataset
{
    private readonly IReadOnlyList<(string Name, Dataset Rows)> _files;
    private string? _layout;

    private FileSetDataset(string source, string imageRoot, IReadOnlyList<(string Name, Dataset Rows)> files) =>
        (Source, ImageRoot, _files) = (source, imageRoot, files);

    public override DatasetFormat Format => _files[0].Rows.Format;

    public override bool HasRecords => true;

    public override bool HasImageFiles => _files[0].Rows.HasImageFiles;

    public override bool HasDistinctFiles => _files[0].Rows.HasDistinctFiles;

    public override string Source { get; }

    public override string ImageRoot { get; }

    public override string? ImageField => _files[0].Rows.ImageField;

    public override string? Layout => _layout;

    /// <summary>Those of all files. One that cannot be read is one part, and reading that says why.</summary>
    public override IReadOnlyList<InputPart> Parts => [.. _files.SelectMany(file => PartsOf(file.Name, file.Rows))];

    /// <summary>True when several files whose names end so can be one dataset.</summary>
    public static bool IsName(string name) =>
        ZipDataset.IsName(name) || DatasetFile.ExtensionOf(name) is ".jsonl" or ".ndjson" or ".csv" or ".tsv";

    /// <summary>The files that a pattern names: a glob, or a name with numbers such as <c>part-{000..123}.jsonl.gz</c>.</summary>
    /// <exception cref="DatasetException">There is none, one of the numbered ones is not there, or they lie in several folders.</exception>
    public static FileSetDataset OfPattern(string pattern, DatasetOptions options)
    {
        var (prefix, files) = FilePattern.Files(pattern, "files");
        return Of(pattern, prefix, files, options);
    }

    /// <summary>The files that a pattern of addresses names; null where it is the address of one.</summary>
    /// <exception cref="DatasetException">A bucket has none for a glob, or cannot be listed.</exception>
    public static FileSetDataset? OfAddresses(string pattern, DatasetOptions options)
    {
        var (_, files) = FilePattern.Addresses(pattern, options.Remote ?? RemoteAccess.Default);
        return files is [var (_, only)] && only == pattern
            ? null
            : Of(pattern, RemoteAddress.FolderOf(files[0].Path), files, options with { Remote = options.Remote ?? RemoteAccess.Default });
    }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) => FileByFile.Read(
        Source, _files, (file, index) => file.Rows.ReadFrom(new PartNumbers { FirstItem = index }, cancellation));

    public override void RequireImages(CancellationToken cancellation = default)
    {
        if (_layout != null)
            return;
        DatasetException? failure = null;
        foreach (var (_, rows) in _files)
        {
            try
            {
                rows.RequireImages(cancellation);
            }
            catch (DatasetException exception)
            {
                failure ??= exception;
                continue;
            }
            if (rows.Layout == null)
                continue;
            _layout = string.Create(CultureInfo.InvariantCulture, $"{_files.Count:N0} files, {rows.Layout}");
            return;
        }
        if (failure != null)
            throw failure;
    }

    internal override IEnumerable<DatasetItem> ReadImages(CancellationToken cancellation) =>
        HasImageFiles ? RecordFields.Watch(this, cancellation) : Read(cancellation);

    public override DatasetWriter CreateWriter(string path)
    {
        foreach (var (_, rows) in _files)
            PartialFile.CheckIsNot(path, rows.Source);
        (_files[0].Rows as CsvDataset)?.RequireSameHeader(_files.Skip(1).Select(file => (CsvDataset)file.Rows));
        return _files[0].Rows.CreateWriter(path);
    }

    internal override InputPart OpenPart(string name, Func<Stream> openList)
    {
        foreach (var (file, rows) in _files)
        {
            if (name == file)
                return AllOf(file, rows);
            if (name.StartsWith($"{file}#", StringComparison.Ordinal))
                return Part(file, rows.OpenPart(name[(file.Length + 1)..], openList));
        }
        throw new DatasetException($"Expected '{name}' in '{Source}'; it is not there any more.");
    }

    private static FileSetDataset Of(
        string pattern, string prefix, IReadOnlyList<(string Name, string Path)> files, DatasetOptions options)
    {
        var isZip = ZipDataset.IsName(pattern);
        if (!isZip && options.ImageRoot == null
            && files.Select(file => FolderOf(file.Path)).Distinct().ToArray() is [var one, var other, ..])
            throw new DatasetException(
                $"Expected the files of '{pattern}' in one folder, where the relative paths in them start; found them in '{one}' and " +
                $"'{other}'. --image-root names the folder.");
        var root = isZip ? prefix : options.ImageRoot ?? FolderOf(files[0].Path);
        return new FileSetDataset(pattern, root, [.. files.Select(file => (file.Name, Rows(file)))]) { Remote = options.Remote };

        Dataset Rows((string Name, string Path) file) => isZip
            ? new ZipDataset(file.Path, options.Remote, file.Name) { Remote = options.Remote }
            : DatasetFile.ExtensionOf(file.Path) is ".csv" or ".tsv"
            ? new CsvDataset(file.Path, root, options.ImageField, options.Remote)
            : new JsonlDataset(file.Path, root, options.ImageField, options.Remote);

        static string FolderOf(string file) =>
            RemoteAddress.IsRemote(file) ? RemoteAddress.FolderOf(file) : Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(file))
            ?? "";
    }

    private static IEnumerable<InputPart> PartsOf(string name, Dataset rows)
    {
        try
        {
            var parts = rows.Parts;
            return parts.Count == 1 ? [AllOf(name, rows)] : parts.Select(part => Part(name, part));
        }
        catch (DatasetException)
        {
            return [AllOf(name, rows)];
        }
    }

    private static InputPart AllOf(string name, Dataset rows)
    {
        var file = RemoteAddress.IsRemote(rows.Source) ? null : rows.Source;
        return new InputPart(name, rows.ReadFrom)
        {
            Bytes = file == null ? null : Media.SourceStamp.Of(file)?.Bytes,
            File = file,
            IsWholeFile = true,
        };
    }

    private static InputPart Part(string name, InputPart rows) => new($"{name}#{rows.Name}", rows.ReadFrom)
    {
        Bytes = rows.Bytes,
        Items = rows.Items,
        File = rows.File,
    };
}
