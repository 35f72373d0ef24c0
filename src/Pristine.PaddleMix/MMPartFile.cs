using System.Runtime.CompilerServices;
using System.Text;
using Pristine.Datasets;
using Pristine.Files;
using PureHDF;
using PureHDF.Selections;

namespace Pristine.PaddleMix;

/// <summary>
/// PaddleMIX's part files in HDF5: <c>dataset</c>, the records as compact JSON in ASCII, one behind the other, and <c>offset</c>, where
/// each of them begins. PureHDF reads and writes them by code that it makes at run time, which a program compiled ahead of time cannot.
/// </summary>
internal static class MMPartFile
{
    private const string Records = "dataset";
    private const string Offsets = "offset";

    // Records are read in pieces of about this size.
    private const int PieceBytes = 16 << 20;

    /// <summary>Reads the records of a file, each with its position from 0.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DatasetException">It cannot be read, or is no such file.</exception>
    public static IEnumerable<(long Index, ReadOnlyMemory<byte> Record)> Read(string path)
    {
        RequireRuntime(path);
        using var file = Try(path, () => H5File.OpenRead(path));
        var records = Try(path, () => file.Dataset(Records));
        var (length, starts) = Try(path, () => (records.Space.Dimensions, StartsIn(file)));
        if (length.Length != 1 || records.Type.Size != 1)
            throw Unexpected(path, $"'{Records}' to be a list of bytes");
        for (var i = 0; i < starts.Length; i++)
            if (starts[i] > (i + 1 < starts.Length ? starts[i + 1] : length[0]) || (i == 0 && starts[i] != 0))
                throw Unexpected(
                    path, $"'{Offsets}' to rise from 0 to at most {length[0]}, the bytes of '{Records}'; found {starts[i]} for record " +
                        $"{i + 1}");
        for (var first = 0; first < starts.Length;)
        {
            var last = first + 1;
            while (last < starts.Length && starts[last] - starts[first] < PieceBytes)
                last++;
            var (start, end) = (starts[first], last < starts.Length ? starts[last] : length[0]);
            if (end - start > (ulong)Array.MaxLength)
                throw Unexpected(path, $"records of at most {Array.MaxLength} bytes; found one of {end - start}");
            var bytes = end == start
                ? []
                : Try(path, () => records.Read<byte[]>(fileSelection: new HyperslabSelection(start, end - start)));
            for (; first < last; first++)
            {
                var from = (int)(starts[first] - start);
                var to = (int)((first + 1 < starts.Length ? starts[first + 1] : length[0]) - start);
                yield return (first, bytes.AsMemory(from..Math.Min(to, bytes.Length)));
            }
        }
    }

    /// <summary>Writes records.</summary>
    /// <param name="path">The file; it has its name only when it is complete.</param>
    /// <param name="items">The records.</param>
    /// <exception cref="DatasetException">It cannot be written; or the records are too large for one file.</exception>
    public static void Write(string path, IReadOnlyList<MMItem> items)
    {
        RequireRuntime(path);
        var starts = new uint[items.Count];
        using var records = new MemoryStream();
        using (var text = new StreamWriter(records, Encoding.ASCII, 1 << 16, leaveOpen: true))
        {
            var writer = new PythonJsonWriter(text, PythonJsonStyle.Compact);
            for (var i = 0; i < items.Count; i++)
            {
                text.Flush();
                starts[i] = (uint)records.Length;
                // A MemoryStream ends here, before 32 bits do.
                if (records.Length > int.MaxValue - LineReader.MaxRecordBytes)
                    throw new DatasetException(
                        $"Expected at most {int.MaxValue - LineReader.MaxRecordBytes} bytes of records for '{path}'; found more. Export " +
                        $"slices of the dataset into several files.");
                writer.Write(items[i]);
            }
        }
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            WholeFile.MakeAlone(path, temporary => new H5File { [Records] = records.ToArray(), [Offsets] = starts }.Write(temporary));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetException($"Cannot write '{path}': {e.Message}", e);
        }
    }

    /// <summary>Writes records that are known already, piece by piece.</summary>
    /// <param name="target">Gets the file; it can be gone back in.</param>
    /// <param name="records">The records, one behind the other.</param>
    /// <param name="starts">Where each of them begins.</param>
    public static void Write(Stream target, Stream records, uint[] starts)
    {
        // A list without elements is one that HDF5 knows.
        var dataset = new H5Dataset<byte[]>(fileDims: [(ulong)records.Length]);
        var file = new H5File { [Records] = dataset, [Offsets] = starts };
        using var writer = file.BeginWrite(target);
        var piece = new byte[PieceBytes];
        for (var at = 0L; at < records.Length;)
        {
            var length = records.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false);
            writer.Write(dataset, piece[..length], fileSelection: new HyperslabSelection((ulong)at, (ulong)length));
            at += length;
        }
    }

    private static ulong[] StartsIn(PureHDF.VOL.Native.NativeFile file)
    {
        var starts = file.Dataset(Offsets);
        return starts.Type.Size switch
        {
            4 => Array.ConvertAll(starts.Read<uint[]>(), start => (ulong)start),
            8 => starts.Read<ulong[]>(),
            var size => throw new InvalidDataException($"expected '{Offsets}' to have whole numbers of 4 or 8 bytes; found {size}"),
        };
    }

    private static void RequireRuntime(string path)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            throw new DatasetException(
                $"Expected a program on the .NET runtime to read and write '{path}'; this one was compiled ahead of time. Use .jsonl.");
    }

    // PureHDF throws Exception itself for what is wrong with a file.
    private static T Try<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not (OutOfMemoryException or DatasetException))
        {
            throw new DatasetException(
                $"Expected '{path}' to be a part file of PaddleMIX in HDF5, with '{Records}' and '{Offsets}': {e.Message}", e);
        }
    }

    private static DatasetException Unexpected(string path, string expected) => new($"{path}: expected {expected}.");
}
