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
}

/// <summary>How to open a dataset.</summary>
public sealed record DatasetOptions
{
    /// <summary>Folder against which relative image paths are resolved; by default the folder of the dataset file.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>Where <c>-</c> reads its list of paths from; by default standard input.</summary>
    public Stream? Input { get; init; }
}

/// <summary>A dataset that is read as a stream: memory does not grow with its size.</summary>
public abstract class Dataset
{
    /// <summary>The layout.</summary>
    public abstract DatasetFormat Format { get; }

    /// <summary>The input as the user named it.</summary>
    public abstract string Source { get; }

    /// <summary>Reads the items in order. Can be called again, except for a list on standard input.</summary>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DatasetException">The dataset as a whole cannot be read on; the message names file and position.</exception>
    public abstract IEnumerable<DatasetItem> Read(CancellationToken cancellation = default);

    /// <summary>Opens a writer that exports kept items in this dataset's own format.</summary>
    /// <param name="path">The file to write. It appears under this name only when <see cref="DatasetWriter.Complete"/> is called.</param>
    public abstract DatasetWriter CreateWriter(string path);
}

/// <summary>Writes items exactly as they were read. Until <see cref="Complete"/> the output has a temporary name.</summary>
public abstract class DatasetWriter : IDisposable
{
    /// <summary>Appends an item, byte for byte.</summary>
    /// <param name="item">An item of the dataset that made this writer.</param>
    public abstract void Write(DatasetItem item);

    /// <summary>Ends the file and gives it its name.</summary>
    public abstract void Complete();

    /// <summary>Frees the file; an output that was not completed is left under its temporary name as valid as it can be.</summary>
    public abstract void Dispose();
}

/// <summary>A dataset that cannot be opened or read on. The message says what was expected, what was found, and where.</summary>
public sealed class DatasetException : Exception
{
    /// <summary>Makes one with a message.</summary>
    /// <param name="message">Expected, found, file and position.</param>
    public DatasetException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and the cause.</summary>
    /// <param name="message">Expected, found, file and position.</param>
    /// <param name="inner">The cause.</param>
    public DatasetException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Makes one without a message.</summary>
    public DatasetException()
    {
    }
}
