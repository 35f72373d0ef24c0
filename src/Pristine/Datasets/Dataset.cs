using System.Collections.Concurrent;
using Pristine.Media;
using Pristine.Native;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>How a dataset is laid out.</summary>
public enum DatasetFormat
{
    /// <summary>A folder, searched recursively; every image file is an item.</summary>
    Folder,

    /// <summary>A list of image paths, one per line or matched by a glob; every path is an item.</summary>
    Paths,

    /// <summary>A JSON array of MM, MIX or LLaVA records.</summary>
    Json,

    /// <summary>One MM, MIX or LLaVA record per line.</summary>
    Jsonl,

    /// <summary>Tar archives whose members form samples.</summary>
    WebDataset,

    /// <summary>A table with a header and one image per row.</summary>
    Csv,

    /// <summary>A Hugging Face folder: <c>metadata.jsonl</c> or <c>metadata.csv</c> beside the images.</summary>
    ImageFolder,

    /// <summary>Parquet files, an item per row.</summary>
    Parquet,

    /// <summary>COCO: one JSON object with <c>images</c> and <c>annotations</c>.</summary>
    Coco,

    /// <summary>A zip archive of images, with captions or metadata where there are some.</summary>
    Zip,

    /// <summary>A part file of PaddleMIX in HDF5, which the package Pristine.PaddleMix reads and writes.</summary>
    PartFile,
}

/// <summary>How to open a dataset.</summary>
public sealed record DatasetOptions
{
    /// <summary>
    /// Folder against which relative image paths are resolved; by default the folder of the dataset file, and the current folder for
    /// lists of paths. A folder or glob names its images itself and ignores it.
    /// </summary>
    public string? ImageRoot { get; init; }

    /// <summary>
    /// The field of records that names their images, a path through objects and lists such as <c>messages.content.image_url.url</c>; null
    /// to find it. Folders and lists ignore it.
    /// </summary>
    public string? ImageField { get; init; }

    /// <summary>
    /// Reads addresses (<c>https://</c>, <c>s3://</c>); null for <c>http(s)://</c> with the default limits. Whoever made it disposes of it.
    /// </summary>
    public RemoteAccess? Remote { get; init; }

    /// <summary>Where <c>-</c> reads its list of paths from; by default standard input.</summary>
    public Stream? Input { get; init; }
}

/// <summary>A dataset that is read as a stream: memory does not grow with its size.</summary>
public abstract class Dataset
{
    private static readonly ConcurrentDictionary<string, Func<string, DatasetOptions, Dataset>> AddedFormats =
        new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The layout.</summary>
    public abstract DatasetFormat Format { get; }

    /// <summary>
    /// True when items are records, which have fields and text, in a file of their own that names the images; false when every item is an
    /// image.
    /// </summary>
    public virtual bool HasRecords => false;

    /// <summary>True when images are files of their own, which other programs can be given and copies can replace.</summary>
    public virtual bool HasImageFiles => true;

    /// <summary>True when records and images are in one folder, and kept items are exported as such a folder.</summary>
    public virtual bool IsFolderWithImages => false;

    /// <summary>True when no two items name the same file, so that none has to be remembered.</summary>
    public virtual bool HasDistinctFiles => false;

    /// <summary>True when counting the items costs little beside scoring them: no file is opened for it.</summary>
    public virtual bool IsCheapToCount => false;

    /// <summary>
    /// Parts that can be read on their own, in the order of <see cref="Read"/>: ranges of a file, files, groups of rows. Together they give
    /// the same items, each numbered from 0 within its part. By default one part, the whole.
    /// </summary>
    public virtual IReadOnlyList<InputPart> Parts => [Whole];

    /// <summary>The dataset as its only part.</summary>
    private protected InputPart Whole => new(Source, ReadFrom);

    /// <summary>
    /// Reads the items as <see cref="Read"/> does, numbered as is asked for where the dataset can be one file of several.
    /// </summary>
    internal virtual IEnumerable<DatasetItem> ReadFrom(PartNumbers numbers, CancellationToken cancellation) => Read(cancellation);

    /// <summary>
    /// Lists the parts, for many processes that will each open some of them by their names. What had to be searched for goes into a list,
    /// so that no process searches again.
    /// </summary>
    /// <param name="list">The list; nothing is written where nothing is searched for.</param>
    /// <param name="cancellation">Stops the listing.</param>
    internal virtual IReadOnlyList<InputPart> ListParts(Stream list, CancellationToken cancellation) => Parts;

    /// <summary>A part by its name, without a look at the others.</summary>
    /// <param name="name">A name that <see cref="ListParts"/> gave.</param>
    /// <param name="openList">Opens the list that was written then.</param>
    /// <exception cref="DatasetException">There is no such part.</exception>
    internal virtual InputPart OpenPart(string name, Func<Stream> openList) => Whole;

    /// <summary>The input as the user named it.</summary>
    public abstract string Source { get; }

    /// <summary>The folder against which relative image paths are resolved; empty for the current folder.</summary>
    public abstract string ImageRoot { get; }

    /// <summary>The field of images that was asked for; null where it is found record by record.</summary>
    public virtual string? ImageField => null;

    /// <summary>
    /// How the records are laid out, for people: <c>images in 'image'</c>. Known once <see cref="RequireImages"/> has found an image; null
    /// before, and where items are no records.
    /// </summary>
    public virtual string? Layout => null;

    /// <summary>Reads addresses; null for the default limits.</summary>
    internal RemoteAccess? Remote { get; init; }

    /// <summary>
    /// The folder whose files are the dataset (folder and glob), in which an export must not put its copies; otherwise null.
    /// </summary>
    internal virtual string? SearchedFolder => null;

    /// <summary>
    /// Opens a dataset. An existing folder is searched; where it has <c>metadata.jsonl</c> or <c>metadata.csv</c> with <c>file_name</c>,
    /// their rows are the items; <c>-</c> is a list of paths on standard input; an existing file is read by its extension: .json (an array,
    /// one record per line, or COCO), .jsonl and .ndjson, .txt (a list of paths), .csv and .tsv, each also compressed (<c>.jsonl.gz</c>,
    /// <c>.jsonl.zst</c>), .tar, .tar.gz, .tgz and .tar.zst (WebDataset), .parquet, .zip, or an image; what is at an <c>https://</c>
    /// address likewise; a folder of tar archives or Parquet files is one dataset; a name with <c>*</c>, <c>?</c>, <c>[</c> or <c>{</c>
    /// that does not exist is a glob, also of archives, tables and JSON lines: <c>shard-{000..123}.tar</c>, <c>part-*.jsonl.gz</c>.
    /// </summary>
    /// <param name="input">The folder, file, glob or <c>-</c>.</param>
    /// <param name="options">Where images and standard input are found; null for the defaults.</param>
    /// <returns>The dataset. Nothing but the first bytes of a .json file has been read.</returns>
    /// <exception cref="DatasetException">There is nothing of that name, or it is of no kind that can be read.</exception>
    public static Dataset Open(string input, DatasetOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(input);
        options ??= new DatasetOptions();
        if (input == "-")
            return PathListDataset.FromStream("-", options.Input ?? StandardInput(), options);
        if (RemoteAddress.IsRemote(input))
            return IsBucketFolder(input) ? new BucketDataset(input, options.Remote ?? RemoteAccess.Default) : OpenFile(input, options);
        if (RemoteAddress.HasScheme(input))
            throw new DatasetException($"Cannot read '{RemoteAddress.Display(input)}': {RemoteAddress.WhyNot(input)}.");
        if (Directory.Exists(input))
            return (Dataset?)ImageFolderDataset.Find(input, options.ImageField)
                ?? (TarDataset.IsFolder(input) ? TarDataset.OfFolder(input, options.Remote)
                : ParquetDataset.IsFolder(input) ? ParquetDataset.OfFolder(input, options)
                : new FolderDataset(input) { Remote = options.Remote });
        if (File.Exists(input))
            return OpenFile(input, options);
        if (GlobPattern.IsGlob(input))
            return TarDataset.IsArchiveName(input)
                ? TarDataset.OfPattern(input, options.Remote) : ParquetDataset.IsName(input) ? ParquetDataset.OfPattern(input, options)
                : FileSetDataset.IsName(input) ? FileSetDataset.OfPattern(input, options)
                : new GlobDataset(input) { Remote = options.Remote };
        throw new DatasetException(
            $"Expected a folder, a dataset file, a glob, an address or '-' for a list on standard input; '{input}' does not exist.");
    }

    /// <summary>Adds a format of another package, which brings what reads it.</summary>
    /// <param name="extension">The end of the names of its files, with the dot.</param>
    /// <param name="open">Opens a file.</param>
    internal static void Add(string extension, Func<string, DatasetOptions, Dataset> open) => AddedFormats[extension] = open;

    /// <summary>Whether an address is that of images in a bucket: a prefix, or a glob of images.</summary>
    private static bool IsBucketFolder(string input) =>
        RemoteAddress.IsBucket(input) && !TarDataset.IsArchiveName(input) && !ParquetDataset.IsName(input)
        && !FileSetDataset.IsName(input) && (GlobPattern.IsGlob(input) || input.EndsWith('/') || !(FolderDataset.IsImageName(input)
        || DatasetFile.ExtensionOf(input) is ".json" or ".txt"));

    private static Stream StandardInput() => StandardStreams.HasInput
        ? StandardStreams.OpenInput()
        : throw new DatasetException(
            "Expected a list of paths on standard input for '-'; the program was started without a standard input.");

    /// <summary>The first dataset file in a folder, for those who name the folder in place of the file; null where there is none.</summary>
    /// <param name="folder">A folder, or anything else.</param>
    /// <returns>Its path; one that stands in the folder itself before one of the folders directly below it.</returns>
    internal static string? FileIn(string folder)
    {
        if (!Directory.Exists(folder))
            return null;
        var (above, below) = ((string?)null, (string?)null);
        var search = new FolderSearch(
            IsHidden: false, IsDatasetName, path => !path.Contains('/', StringComparison.Ordinal), _ => [])
        { HasNames = true };
        foreach (var (name, error) in search.Walk(folder, default))
        {
            if (error != null || !File.Exists(Path.Combine(folder, name)))
                continue;
            if (name.Contains('/', StringComparison.Ordinal))
                below ??= name;
            else
                above ??= name;
            if (above != null)
                break;
        }
        return (above ?? below) is { } found ? Path.Combine(folder, found) : null;
    }

    /// <summary>
    /// A file of records, an archive or a table that stands in a folder beside its images, so that whoever meant its records is told that
    /// they are not read; null where there is none. A file that has an image's name belongs to that image.
    /// </summary>
    /// <param name="folder">The folder, or anything else.</param>
    internal static string? FileBesideImages(string folder) =>
        FileIn(folder) is { } file && Path.GetDirectoryName(file) == Path.TrimEndingDirectorySeparator(folder)
        && !Directory.EnumerateFiles(folder, $"{Path.GetFileNameWithoutExtension(file)}.*").Any(FolderDataset.IsImageName)
        ? file
        : null;

    /// <summary>True for the names of files that hold datasets, of archives and tables.</summary>
    private static bool IsDatasetName(string file) =>
        TarDataset.IsArchiveName(file) || ParquetDataset.IsName(file) || ZipDataset.IsName(file)
        || DatasetFile.ExtensionOf(file) is ".json" or ".jsonl" or ".ndjson" or ".csv" or ".tsv" or ".h5";

    /// <summary>Opens a file, or what is at an address.</summary>
    private static Dataset OpenFile(string file, DatasetOptions options)
    {
        var isRemote = RemoteAddress.IsRemote(file);
        var (root, remote) =
            (options.ImageRoot ?? (isRemote ? RemoteAddress.FolderOf(file) : Path.GetDirectoryName(file) ?? ""), options.Remote);
        if (TarDataset.IsArchiveName(RemoteAddress.NameOf(file)))
            return isRemote ? TarDataset.OfAddresses(file, remote ?? RemoteAccess.Default) : TarDataset.OfFile(file, remote);
        if (isRemote && FileSetDataset.IsName(file) && FileSetDataset.OfAddresses(file, options) is { } several)
            return several;
        if (ZipDataset.IsName(file))
            return new ZipDataset(file, remote) { Remote = remote };
        if (ParquetDataset.IsName(file))
            return isRemote ? ParquetDataset.OfAddresses(file, root, options) : ParquetDataset.OfFile(file, root, options);
        if (!isRemote && AddedFormats.TryGetValue(DatasetFile.ExtensionOf(file), out var open))
            return open(file, options with { ImageRoot = root });
        switch (DatasetFile.ExtensionOf(file))
        {
            case ".json":
                return JsonDataset.StartsWithArray(file, remote) ? new JsonDataset(file, root, options.ImageField, remote)
                    : CocoDataset.Is(file, remote) ? new CocoDataset(file, root, options.ImageField) { Remote = remote }
                    : new JsonlDataset(file, root, options.ImageField, remote);
            case ".jsonl" or ".ndjson":
                return new JsonlDataset(file, root, options.ImageField, remote);
            case ".txt":
                // Relative paths of a list start at the current folder, or at the address of the list's.
                return PathListDataset.FromFile(file, isRemote ? options with { ImageRoot = root } : options);
            case ".csv" or ".tsv":
                return new CsvDataset(file, root, options.ImageField, remote);
            default:
                return FolderDataset.IsImageName(file)
                    ? PathListDataset.OfOne(file, options)
                    : throw new DatasetException(
                        $"Expected .json, .jsonl, .ndjson, .txt (a list of paths), .csv, .tsv, each also with .gz or .zst, .tar, " +
                        $".tar.gz, .tar.zst, .parquet, .zip, an image or a folder; found '{file}', " +
                        (DatasetFile.ExtensionOf(file) == ".h5"
                        ? isRemote && !AddedFormats.IsEmpty
                        ? "a part file of PaddleMIX at an address. Download it first."
                        : "a part file of PaddleMIX, which the package Pristine.PaddleMix reads (PartFiles.Register)."
                        : "whose extension is none of these."));
        }
    }

    /// <summary>Reads the items in order. Can be called again, except for a list on standard input.</summary>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DatasetException">The dataset as a whole cannot be read on; the message names file and position.</exception>
    public abstract IEnumerable<DatasetItem> Read(CancellationToken cancellation = default);

    /// <summary>
    /// Makes sure that the dataset names images at all, for work that needs them: records are read up to the first that names one. Without
    /// this, a dataset whose records name their images in a way that is not known would pass as one of texts.
    /// </summary>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DatasetException">
    /// There are records, and none of them names an image; the message lists the fields that were seen.
    /// </exception>
    public virtual void RequireImages(CancellationToken cancellation = default)
    {
    }

    /// <summary>
    /// Reads the items as <see cref="Read"/> does, for work that needs images. Where <see cref="RequireImages"/> could not look, because
    /// the input can be read only once, the end of the reading says whether there was an image.
    /// </summary>
    /// <exception cref="DatasetException">As of <see cref="Read"/>; or no record named an image.</exception>
    internal virtual IEnumerable<DatasetItem> ReadImages(CancellationToken cancellation) => Read(cancellation);

    /// <summary>Opens a writer that exports kept items in this dataset's own format.</summary>
    /// <param name="path">
    /// The file to write, or <c>-</c> for standard output. Until <see cref="DatasetWriter.Complete"/> is called its name ends in
    /// <c>.partial</c>. An existing file is replaced, missing folders are made.
    /// </param>
    /// <exception cref="DatasetException">
    /// The path is the dataset itself or a folder, promises another format, or cannot be written.
    /// </exception>
    public abstract DatasetWriter CreateWriter(string path);

    /// <summary>
    /// Opens a writer that exports kept items in the format that the output's name says: <c>.parquet</c>, <c>.tar</c>, <c>.jsonl</c> or
    /// <c>.csv</c>, else the dataset's own.
    /// </summary>
    /// <param name="path">As for <see cref="CreateWriter"/>; archives and Parquet files may be numbered, <c>kept-{00000..}.tar</c>.</param>
    /// <exception cref="DatasetException">That format cannot hold what the dataset has, or the path cannot be written.</exception>
    public DatasetWriter CreateExport(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ItemExport.Open(this, path, asFolder: false);
    }
}

/// <summary>Writes items exactly as they were read. Until <see cref="Complete"/> the output has a temporary name.</summary>
public abstract class DatasetWriter : IDisposable
{
    /// <summary>Appends an item, byte for byte.</summary>
    /// <param name="item">An item of the dataset that made this writer.</param>
    public abstract void Write(DatasetItem item);

    /// <summary>True for a writer that has to see all items before it writes the first.</summary>
    internal virtual bool NeedsSurvey => false;

    /// <summary>What is read for an item besides the dataset itself, to be held by the output.</summary>
    /// <param name="item">The item, before it is written.</param>
    internal virtual IEnumerable<MediaSource> ReadFor(DatasetItem item) => [];

    /// <summary>True for a writer that puts scores beside the items.</summary>
    internal virtual bool NeedsScores => false;

    /// <summary>The names of the scores that go with the items; none by default.</summary>
    internal IReadOnlyList<string> ScoreNames { get; private set; } = [];

    private IEnumerator<double[]>? Scores { get; set; }

    /// <summary>Shows an item that will be written.</summary>
    /// <param name="item">The item.</param>
    internal virtual void Survey(DatasetItem item)
    {
    }

    /// <summary>Sets the scores of the items that will be written, in their order.</summary>
    /// <param name="names">The names of the scores.</param>
    /// <param name="scores">The scores of each item, NaN where one is missing.</param>
    internal void SetScores(IReadOnlyList<string> names, IEnumerator<double[]> scores) => (ScoreNames, Scores) = (names, scores);

    /// <summary>Appends an item.</summary>
    /// <param name="item">The item.</param>
    /// <returns>Null, or why it cannot be written: one of its images cannot be read.</returns>
    internal virtual string? TryWrite(DatasetItem item)
    {
        Write(item);
        return null;
    }

    /// <summary>The scores of the next item.</summary>
    private protected IReadOnlyList<double> NextScores() => Scores?.MoveNext() == true ? Scores.Current : [];

    /// <summary>Ends the file and gives it its name.</summary>
    public abstract void Complete();

    /// <summary>
    /// The files of an earlier export that <see cref="Complete"/> has removed: it had more numbered files, or archives of which nothing is
    /// kept now.
    /// </summary>
    internal IReadOnlyList<string> Removed { get; private protected set; } = [];

    /// <summary>Frees the file; an output that was not completed is left under its temporary name as valid as it can be.</summary>
    public abstract void Dispose();
}

/// <summary>A dataset that cannot be opened or read on. The message says what was expected, what was found, and where.</summary>
/// <param name="message">Expected, found, file and position.</param>
/// <param name="innerException">The cause; null if there is none.</param>
public sealed class DatasetException(string message, Exception? innerException = null) : PristineException(message, innerException)
{
    /// <summary>True where files or parts of the dataset could not be read, and all others were.</summary>
    internal bool IsOfSomeParts { get; init; }

    /// <summary>True where what is asked for cannot be, whatever the data: a name that promises another format than is written.</summary>
    internal bool IsOfRequest { get; init; }
}
