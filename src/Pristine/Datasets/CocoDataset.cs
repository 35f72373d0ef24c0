using System.Text.Json;
using Pristine.Native;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// COCO: one JSON object with <c>images</c> and <c>annotations</c>. The images are the items. An export has the kept images and their
/// annotations; everything else in it stays byte for byte. The file is read as a stream, for an export a second time.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="imageRoot">Folder of the images.</param>
/// <param name="imageField">The field that names an image; null for <c>file_name</c>.</param>
internal sealed class CocoDataset(string file, string imageRoot, string? imageField) : Dataset
{
    // Lists that come first are looked into; what stands before them (info, licences, categories) is small.
    private const int MostBytesBefore = 64 << 20;

    // An export joins what several passes have read.
    private readonly RemoteVersion _version = new();
    private string? _layout;

    public override DatasetFormat Format => DatasetFormat.Coco;

    public override bool HasRecords => true;

    public override string Source => file;

    public override string ImageRoot => imageRoot;

    public override string? ImageField => imageField;

    public override string? Layout => _layout;

    /// <summary>Tells from a file's beginning whether it is one of these.</summary>
    /// <param name="file">A file whose first character is a brace.</param>
    /// <param name="remote">Reads addresses; null for the default limits.</param>
    public static bool Is(string file, RemoteAccess? remote = null)
    {
        // A pipe can be read only once.
        if (!RemoteAddress.IsRemote(file) && !Vips.IsRegularFile(file))
            return false;
        using var stream = DatasetFile.OpenText(file, remote);
        var reader = new CocoReader(stream, file);
        try
        {
            while (reader.Next(out var piece))
            {
                if (piece.Kind != CocoPieceKind.Frame)
                    return HasField(piece.Value, piece.Kind == CocoPieceKind.Image ? "file_name"u8 : "image_id"u8);
                if (piece.Offset > MostBytesBefore)
                    return false;
            }
            return reader.HasBothLists;
        }
        catch (Exception e) when (e is DatasetException or JsonException)
        {
            // Whoever reads it as something else says what is wrong with it.
            return false;
        }
    }

    public override void RequireImages(CancellationToken cancellation = default)
    {
        if (RecordFields.RequireImages(this, cancellation) != null)
            _layout ??= "COCO, images in 'images'";
    }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default)
    {
        using var stream = OpenText();
        var reader = new CocoReader(stream, file);
        var records = new RecordReader(imageRoot, imageField, Remote) { PrefersFileNames = true };
        var index = 0L;
        while (reader.Next(out var piece))
        {
            cancellation.ThrowIfCancellationRequested();
            if (piece.Kind != CocoPieceKind.Image)
                continue;
            var item = records.Read(index++, default, piece.Value.ToArray(), default, $"{file}, byte {piece.Offset}");
            yield return item.Error != null || item.Images.Count > 0 ? item : new DatasetItem
            {
                Index = item.Index,
                Id = item.Id,
                Sources = [],
                Raw = item.Raw,
                Error = $"{file}, byte {piece.Offset}: expected an image with '{imageField ?? "file_name"}'; found none.",
            };
        }
    }

    public override DatasetWriter CreateWriter(string path) =>
        new CocoWriter(PartialFile.Create(OutputName.Checked(path, Format), file, Remote), file, OpenText);

    private Stream OpenText() => DatasetFile.OpenText(file, Remote, _version);

    private static bool HasField(ReadOnlyMemory<byte> value, ReadOnlySpan<byte> name)
    {
        using var document = RecordJson.Parse(value);
        return document.RootElement.ValueKind == JsonValueKind.Object && RecordJson.Field(document.RootElement, name) != null;
    }
}

/// <summary>
/// Writes a COCO file once all kept images are known, by reading the input again: memory holds the ids of the kept images and a bit for
/// each image. An annotation is kept with its image; one whose image is not in the file is dropped, unless nothing is.
/// </summary>
/// <param name="output">The output, owned by the writer.</param>
/// <param name="input">The file that the images are of.</param>
/// <param name="open">Opens that file.</param>
internal sealed class CocoWriter(PartialFile output, string input, Func<Stream> open) : DatasetWriter
{
    private readonly CocoIds _ids = new();
    private readonly List<ulong> _kept = [];
    private long _count;

    public override void Write(DatasetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        while (_kept.Count <= item.Index / 64)
            _kept.Add(0);
        _kept[(int)(item.Index / 64)] |= 1UL << (int)(item.Index % 64);
        _count++;
        _ids.AddOf(item.Raw);
    }

    public override void Complete()
    {
        var all = CountImages() == _count;
        using (var stream = open())
        {
            var reader = new CocoReader(stream, input);
            var (index, opening, isFirst) = (0L, Array.Empty<byte>(), true);
            while (reader.Next(out var piece))
            {
                if (piece.Kind == CocoPieceKind.Frame)
                {
                    output.Stream.Write(piece.Value.Span);
                    continue;
                }
                if (piece.IsFirst)
                    (opening, isFirst) = (piece.Before.ToArray(), true);
                if (!all && !IsKept(piece, piece.Kind == CocoPieceKind.Image ? index++ : 0))
                    continue;
                output.Stream.Write(isFirst ? opening : piece.Before.Span);
                output.Stream.Write(piece.Value.Span);
                isFirst = false;
            }
        }
        output.Complete();
    }

    public override void Dispose() => output.DisposeOrDiscard();

    private bool IsKept(CocoPiece piece, long index)
    {
        if (piece.Kind == CocoPieceKind.Image)
            return index / 64 < _kept.Count && (_kept[(int)(index / 64)] >> (int)(index % 64) & 1) != 0;
        try
        {
            return _ids.HasImageOf(piece.Value);
        }
        catch (JsonException e)
        {
            throw new DatasetException($"{input}, byte {piece.Offset}: expected an annotation; {RecordReader.Describe(e)}.", e);
        }
    }

    private long CountImages()
    {
        using var stream = open();
        var reader = new CocoReader(stream, input);
        var count = 0L;
        while (reader.Next(out var piece))
            count += piece.Kind == CocoPieceKind.Image ? 1 : 0;
        return count;
    }
}
