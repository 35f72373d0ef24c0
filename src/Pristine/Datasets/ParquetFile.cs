using System.Globalization;
using ParquetSharp;
using Pristine.Media;
using Pristine.Native;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>A Parquet file of a dataset: its name within the dataset, and how it is opened.</summary>
/// <param name="name">Its name within the dataset.</param>
/// <param name="path">Where it is: a path or an address.</param>
/// <param name="remote">Reads addresses; null for the default limits.</param>
internal sealed class ParquetFile(string name, string path, RemoteAccess? remote = null)
{
    // For each column that is open. Without it the library reads a column of a group at once, which may be all its images.
    private const int BufferBytes = 256 << 10;

    private const int FooterBytes = 8;

    public string Name => name;

    public string Path => path;

    /// <summary>Gives the file's time for the images in it.</summary>
    public SlicedFile Slices { get; } = new(path);

    /// <summary>The file, where it is at an address.</summary>
    public RemoteFile? Remote { get; } = RemoteAddress.IsRemote(path) ? new RemoteFile(remote ?? RemoteAccess.Default, path) : null;

    /// <summary>Opens the file: its footer is read.</summary>
    /// <exception cref="DatasetException">It is no Parquet file, is cut off, encrypted, damaged, or cannot be read.</exception>
    public ParquetFileReader Open()
    {
        ParquetLibrary.Load();
        CheckEnds();
        var stream = Remote?.OpenStream();
        try
        {
            using var properties = ReaderProperties.GetDefaultReaderProperties();
            properties.EnableBufferedStream();
            properties.BufferSize = BufferBytes;
            // Where the pages have checksums.
            properties.EnablePageChecksumVerification();
            var reader =
                stream == null ? new ParquetFileReader(path, properties) : new ParquetFileReader(stream, properties, leaveOpen: false);
            if (reader.FileMetaData.Schema.NumColumns > 0)
                return reader;
            reader.Dispose();
            throw new DatasetException($"Expected a Parquet file with columns; '{path}' has none.");
        }
        catch (Exception e) when (Unreachable(e) is { } failure)
        {
            stream?.Dispose();
            throw failure;
        }
        catch (Exception e) when (IsOfLibrary(e))
        {
            stream?.Dispose();
            throw new DatasetException($"Expected '{path}' to be a Parquet file; its footer is damaged: {Describe(e)}", e);
        }
    }

    /// <summary>True for what the library throws about a file.</summary>
    public static bool IsOfLibrary(Exception e) =>
        e is ParquetException or OverflowException or EndOfStreamException or NotSupportedException;

    /// <summary>What the library says, in one line.</summary>
    public static string Describe(Exception e) =>
        DecodeResult.OneLine(e is ParquetException ? e.Message.Split("(message:")[^1].Trim().TrimEnd(')', '.').Trim('\'') : e.Message);

    /// <summary>The exception for a group of rows that cannot be read.</summary>
    /// <param name="e">What happened.</param>
    /// <param name="group">The group, from 0.</param>
    /// <param name="row">The row in it, from 0.</param>
    public DatasetException Damaged(Exception e, int group, long row) => Unreachable(e) ?? new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{path}: expected the rows that its footer tells of; found damage in row group {group}, row {row}: {Describe(e)}"), e);

    /// <summary>The exception for an address that could not be read, which the library reports as one of its own.</summary>
    private DatasetException? Unreachable(Exception e) => (e as RemoteException ?? Remote?.TakeFailure()) is { } failure
        ? new DatasetException($"Cannot read '{RemoteAddress.Display(path)}': {failure.Message}.", failure)
        : null;

    private void CheckEnds()
    {
        using var file = Remote?.OpenStream() ?? DatasetFile.OpenRead(path);
        Span<byte> start = stackalloc byte[4], end = stackalloc byte[4];
        try
        {
            var read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            if (read < start.Length || file.Length < start.Length + FooterBytes)
                throw new DatasetException($"Expected '{path}' to be a Parquet file; it has {file.Length} bytes.");
            file.Position = file.Length - end.Length;
            file.ReadExactly(end);
        }
        catch (RemoteException e)
        {
            throw Unreachable(e)!;
        }
        catch (IOException e)
        {
            throw new DatasetException($"Cannot read '{path}': {e.Message}", e);
        }
        if (start.SequenceEqual("PARE"u8))
            throw new DatasetException($"Expected '{path}' to be a Parquet file that is not encrypted; found an encrypted one.");
        if (!start.SequenceEqual("PAR1"u8))
            throw new DatasetException(
                $"Expected '{path}' to be a Parquet file; found {FileKind.OtherThanText(start) ?? "something else"}.");
        if (!end.SequenceEqual("PAR1"u8))
            throw new DatasetException($"Expected '{path}' to end as a Parquet file does; it is cut off, or still being written.");
    }
}
