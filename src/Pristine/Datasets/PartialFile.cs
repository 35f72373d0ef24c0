using Pristine.Files;
using Pristine.Native;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>Opens the file of a dataset for one pass from start to end.</summary>
internal static class DatasetFile
{
    // Without it .NET takes a compressed file that is cut off for a whole one. It is read once in a process, at the first use of
    // compression.
    private const string StrictValidation = "System.IO.Compression.UseStrictValidation";

    static DatasetFile()
    {
        if (!AppContext.TryGetSwitch(StrictValidation, out _))
            AppContext.SetSwitch(StrictValidation, true);
    }

    /// <summary>
    /// Opens a file of text, or what is at an address, which is decompressed where its name ends in <c>.gz</c> or <c>.zst</c>.
    /// </summary>
    /// <param name="file">A path or an address.</param>
    /// <param name="remote">Reads addresses; null for the default limits.</param>
    /// <param name="version">What tells whether an address still holds what it held before; null where any will do.</param>
    /// <exception cref="DatasetException">It cannot be opened.</exception>
    public static Stream OpenText(string file, RemoteAccess? remote = null, RemoteVersion? version = null) =>
        IsCompressed(file) ? Decompress(file, OpenRead(file, remote, version)) : OpenRead(file, remote, version);

    /// <summary>Opens a file, or what is at an address. Nothing is known of an address before it is read.</summary>
    /// <param name="file">A path or an address.</param>
    /// <param name="remote">Reads addresses; null for the default limits.</param>
    /// <param name="version">What tells whether an address still holds what it held before; null where any will do.</param>
    /// <exception cref="DatasetException">The file cannot be opened.</exception>
    public static Stream OpenRead(string file, RemoteAccess? remote, RemoteVersion? version = null) =>
        RemoteAddress.IsRemote(file) ? new RemoteStream(remote ?? RemoteAccess.Default, file, version) : OpenRead(file);

    /// <summary>Decompresses what a file or address holds; data that are cut off are an <see cref="InvalidDataException"/>.</summary>
    public static Stream Decompress(string file, Stream compressed) => FileCompression.Read(RemoteAddress.NameOf(file), compressed);

    /// <summary>True when a name ends in <c>.gz</c>, <c>.tgz</c> or <c>.zst</c>.</summary>
    public static bool IsCompressed(string file) => FileCompression.ExtensionOf(RemoteAddress.NameOf(file)) != null;

    /// <summary>
    /// The extension that says what a file holds: that before <c>.gz</c> or <c>.zst</c>, where it ends so; in lower case.
    /// </summary>
    public static string ExtensionOf(string file)
    {
        var name = RemoteAddress.NameOf(file);
        if (name.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase))
            return ".tar";
        return Path.GetExtension(FileCompression.ExtensionOf(name) is { } compressed ? name[..^compressed.Length] : name)
            .ToLowerInvariant();
    }

    /// <summary>Reads from a stream that may be a compressed file.</summary>
    /// <exception cref="DatasetException">The compressed data are damaged or cut off.</exception>
    public static int Read(Stream stream, Span<byte> buffer, string name)
    {
        try
        {
            return stream.Read(buffer);
        }
        catch (InvalidDataException e)
        {
            throw new DatasetException($"Expected '{name}' to be compressed as its name says; it is damaged or cut off: {e.Message}", e);
        }
        catch (RemoteException e)
        {
            throw new DatasetException($"Cannot read '{RemoteAddress.Display(name)}': {e.Message}.", e);
        }
    }

    /// <exception cref="DatasetException">It cannot be opened.</exception>
    public static FileStream OpenRead(string file)
    {
        try
        {
            // No buffer: the readers bring their own.
            return new FileStream(
                file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot read '{file}': {e.Message}", e);
        }
    }
}

/// <summary>
/// An output that has its name only when it is complete, compressed where the name ends in <c>.gz</c> or <c>.zst</c>; until then the name
/// ends in <c>.partial</c>. <c>-</c> is standard output, and what exists and is no regular file, as <c>/dev/null</c> or a named pipe, is
/// written to as it stands: a file must not take its place.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private readonly WholeFile? _file;
    private readonly UploadStream? _upload;
    private readonly CountingStream? _compressed;
    private bool _isWhole;

    private PartialFile(Stream stream) => Stream = stream;

    private PartialFile(UploadStream upload, string address) =>
        (_upload, Stream) = (upload, DatasetFile.IsCompressed(address) ? FileCompression.Write(address, upload) : upload);

    private PartialFile(WholeFile file)
    {
        (_file, Stream) = (file, file.Stream);
        // A compressed file has bytes where nothing was written into it.
        if (DatasetFile.IsCompressed(file.Path))
            Stream = _compressed = new CountingStream(FileCompression.Write(file.Path, file.Stream), leaveOpen: false);
    }

    public Stream Stream { get; }

    /// <summary>False for standard output, devices and pipes.</summary>
    public bool HasName => _file != null || _upload != null;

    /// <summary>Opens an output.</summary>
    /// <param name="path">Its final name, or <c>-</c>.</param>
    /// <param name="input">The file that is being read, which must not be overwritten; null for none.</param>
    /// <param name="remote">Writes to addresses; null for files only.</param>
    /// <exception cref="DatasetException">The output is the input, a folder, or cannot be created.</exception>
    public static PartialFile Create(string path, string? input, RemoteAccess? remote = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (path == "-")
            return new PartialFile(new BufferedStream(StandardStreams.OpenOutput(), 1 << 16));
        if (remote != null && RemoteAddress.IsBucket(path))
            return Upload(path, input, remote);
        OutputPlace.RefuseAddress(path);
        if (Directory.Exists(path) || Path.EndsInDirectorySeparator(path))
            throw new DatasetException($"Expected the name of a file to write; '{path}' is a folder.");
        try
        {
            if (File.Exists(path) && !Vips.IsRegularFile(path))
                return new PartialFile(new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1 << 16));
            if (input != null)
                CheckIsNot(path, input);
            OutputPlace.RefuseTable(path);
            // Missing parent folders are made.
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return new PartialFile(WholeFile.Create(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot write '{path}': {e.Message}", e);
        }
    }

    private static PartialFile Upload(string address, string? input, RemoteAccess remote)
    {
        if (address.EndsWith('/'))
            throw new DatasetException($"Expected the name of a file to write; '{address}' is a folder.");
        CheckIsNot(address, input ?? "");
        try
        {
            return new PartialFile(remote.StoreOf(address).Create(address), address);
        }
        catch (RemoteException e)
        {
            throw new DatasetException($"Cannot write '{address}': {e.Message}.", e);
        }
    }

    /// <summary>Makes sure that an output, and its temporary name, is another file than an input.</summary>
    /// <exception cref="DatasetException">It is the same.</exception>
    public static void CheckIsNot(string path, string input)
    {
        if (path == input && RemoteAddress.HasScheme(path))
            throw new DatasetException($"Expected another file to write than the input; '{path}' would overwrite it.");
        if (File.Exists(input) && RealPath.Of(input) is var real
            && (RealPath.Of(path) == real || RealPath.Of(WholeFile.TemporaryOf(path)) == real))
            throw new DatasetException($"Expected another file to write than the input; '{path}' would overwrite '{input}'.");
    }

    /// <summary>Ends the content; the name is given by <see cref="Complete"/>.</summary>
    /// <param name="isOneOfMany">Whether it is one of many outputs, which are held together and not all kept open.</param>
    public void Close(bool isOneOfMany)
    {
        EndCompression();
        _file?.Flush();
        if (_file != null && isOneOfMany)
            _file.Dispose();
        else if (_file == null && _upload == null)
            Stream.Dispose();
    }

    public void Complete()
    {
        _isWhole = true;
        EndCompression();
        if (_file != null)
            _file.Complete();
        else if (_upload != null)
            _upload.Complete();
        else
            Stream.Dispose();
    }

    /// <summary>Closes an output that has nothing in it, and removes it where it has a temporary name.</summary>
    public void Discard()
    {
        EndCompression();
        _file?.Discard();
        Stream.Dispose();
        _upload?.Dispose();
    }

    /// <summary>Closes an output that is written at once, when all is known: what is less is not kept.</summary>
    public void DisposeOrDiscard()
    {
        if (_isWhole)
            Dispose();
        else
            Discard();
    }

    /// <summary>Closes the output. One that has a temporary name keeps it, unless nothing was written.</summary>
    public void Dispose()
    {
        var isEmpty = _file is { Stream: { CanWrite: true } written } && (_compressed?.Position ?? written.Position) == 0;
        EndCompression();
        if (isEmpty)
            _file!.Discard();
        Stream.Dispose();
        _file?.Dispose();
        _upload?.Dispose();
    }

    private void EndCompression()
    {
        if (((Stream?)_file?.Stream ?? _upload) is { } target && Stream != target)
            Stream.Dispose();
    }
}
