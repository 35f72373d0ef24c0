using System.Runtime.CompilerServices;
using Pristine.Datasets;

namespace Pristine.PaddleMix;

/// <summary>PaddleMIX's part files (<c>.h5</c>) as datasets, so that they are scored and filtered as any other.</summary>
public static class PartFiles
{
    private const string Extension = ".h5";

    /// <summary>
    /// Makes <see cref="Dataset.Open"/> read part files, and write kept items into one. May be called more than once. In a program that is
    /// compiled ahead of time, opening one is refused.
    /// </summary>
    public static void Register() => Dataset.Add(Extension, Open);

    // Written so that a program compiled ahead of time leaves out what cannot work in it.
    private static Dataset Open(string file, DatasetOptions options) => RuntimeFeature.IsDynamicCodeSupported
        ? new PartFileDataset(file, options)
        : throw new DatasetException(
            $"Expected a program on the .NET runtime to read '{file}'; this one was compiled ahead of time. Use the .NET tool or the " +
            $"Python package, or .jsonl.");
}

/// <summary>A part file of PaddleMIX: an item is a record, as in JSON lines.</summary>
/// <param name="file">The file.</param>
/// <param name="options">Where its images are.</param>
internal sealed class PartFileDataset(string file, DatasetOptions options) : Dataset
{
    private string? _layout;

    public override DatasetFormat Format => DatasetFormat.PartFile;

    public override bool HasRecords => true;

    public override string Source => file;

    public override string ImageRoot => options.ImageRoot ?? "";

    public override string? ImageField => options.ImageField;

    public override string? Layout => _layout;

    public override void RequireImages(CancellationToken cancellation = default) =>
        _layout ??= RecordFields.RequireImages(this, cancellation);

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default)
    {
        var records = new RecordReader(ImageRoot, ImageField, options.Remote);
        foreach (var (index, record) in MMPartFile.Read(file))
        {
            cancellation.ThrowIfCancellationRequested();
            // Pieces of the file are read into one array; an item may be held longer than the next of them.
            yield return records.Read(index, default, record.ToArray(), default, $"{file}, record {index + 1}");
        }
    }

    public override DatasetWriter CreateWriter(string path) =>
        new PartFileWriter(PartialFile.Create(OutputName.Checked(path, Format), file, options.Remote));
}

/// <summary>
/// Writes records byte for byte. HDF5 needs the size of a list before its content and is written in places, so the file is made on the
/// disk and copied; until all records are there the output is empty.
/// </summary>
/// <param name="output">The output, owned by the writer.</param>
internal sealed class PartFileWriter(PartialFile output) : DatasetWriter
{
    private readonly ScratchFolder _scratch = ScratchFolder.Create("part-file");
    private readonly List<uint> _starts = [];
    private FileStream? _records;

    private FileStream Records => _records ??= File.Create(_scratch.FileOf("records"), 1 << 16);

    public override void Write(DatasetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var end = Records.Position + item.Raw.Length;
        if (end > uint.MaxValue)
            throw new DatasetException(
                $"Expected at most {uint.MaxValue} bytes of records for a part file of PaddleMIX, whose offsets have 32 bits; found more.");
        _starts.Add((uint)Records.Position);
        Records.Write(item.Raw.Span);
    }

    public override void Complete()
    {
        Records.Position = 0;
        using var whole = File.Create(_scratch.FileOf("whole"));
        MMPartFile.Write(whole, Records, [.. _starts]);
        whole.Position = 0;
        whole.CopyTo(output.Stream);
        output.Complete();
    }

    public override void Dispose()
    {
        output.DisposeOrDiscard();
        _records?.Dispose();
        _scratch.Dispose();
    }
}
