using System.Globalization;
using System.Text;
using Pristine.Media;
using Pristine.Native;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// A table with a header and an image per row, separated by commas, semicolons or tabs, with RFC 4180's quotes. Rows are written back byte
/// for byte; that needs the bytes of each row, which is why the few lines that find a row's end and its fields are here.
/// </summary>
internal sealed class CsvDataset : Dataset
{
    // Of two that name one image, such as a local copy and its address, the first counts.
    internal static readonly string[] ImageColumns =
    [
        "image", "image_path", "image_file", "img_path", "img", "jpg", "jpeg", "png", "webp", "file_name", "filename", "file_path",
        "filepath", "file", "path", "image_url", "url",
    ];

    private readonly Func<Stream> _open;
    private readonly int _bufferSize;
    private ReadOnlyMemory<byte> _header;
    private string? _layout;

    public CsvDataset(string file, string imageRoot, string? imageField = null, RemoteAccess? remote = null)
        : this(file, imageRoot, () => DatasetFile.OpenText(file, remote)) => (ImageField, Remote) = (imageField, remote);

    internal CsvDataset(string source, string imageRoot, Func<Stream> open, int bufferSize = LineReader.DefaultBufferSize) =>
        (Source, ImageRoot, _open, _bufferSize) = (source, imageRoot, open, bufferSize);

    public override DatasetFormat Format => DatasetFormat.Csv;

    public override bool HasRecords => true;

    public override string Source { get; }

    public override string ImageRoot { get; }

    public override string? ImageField { get; }

    /// <summary>Whether <c>file_name</c> and its like come before other columns of images, as in Hugging Face folders.</summary>
    internal bool PrefersFileNames { get; init; }

    public override string? Layout => _layout;

    public override void RequireImages(CancellationToken cancellation = default)
    {
        // A pipe can be read only once.
        if (_layout != null || !Vips.IsRegularFile(Source))
            return;
        using var rows = new Rows(_open(), Source, _bufferSize);
        if (!rows.Next(out var header))
            return;
        var columns = Fields(header.Text, SeparatorOf(header.Text));
        _layout = ImageColumnsOf(columns) is { Length: > 0 } images
            ? $"table, images in the column{(images.Length == 1 ? "" : "s")} " +
            $"{string.Join(", ", images.Select(image => $"'{columns[image]}'"))}"
            : throw new DatasetException(
                $"Expected a column of images " +
                $"({(ImageField != null ? $"'{ImageField}'" : $"{string.Join(", ", ImageColumns.Take(4))}, ...; --image-field names another")}) in '{Source}'; found the columns {string.Join(", ", columns)}.");
    }

    /// <summary>
    /// Ranges of the file that begin with a row. Where rows begin is known only from all quotes before, so this reads the file once.
    /// </summary>
    public override IReadOnlyList<InputPart> Parts
    {
        get
        {
            if (!Vips.IsRegularFile(Source))
                return base.Parts;
            var stream = _open();
            using var rows = new Rows(stream, Source, _bufferSize);
            if (!stream.CanSeek)
                return base.Parts;
            var size = PartBytes ?? TextRanges.SizeFor(stream.Length);
            var parts = new List<InputPart>();
            var start = 0L;
            while (rows.Next(out _))
            {
                if (rows.Position - start < size)
                    continue;
                parts.Add(Part((start, rows.Position)));
                start = rows.Position;
            }
            if (rows.Position > start || parts.Count == 0)
                parts.Add(Part((start, rows.Position)));
            return parts;
        }
    }

    /// <summary>Bytes of a part; null to choose.</summary>
    internal long? PartBytes { get; init; }

    internal override InputPart OpenPart(string name, Func<Stream> openList) => name == Source ? Whole : Part(InputPart.RangeOf(name));

    private InputPart Part((long Start, long End) range) => InputPart.OfRange(Source, range, Read);

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) => ReadFrom(new PartNumbers(), cancellation);

    internal override IEnumerable<DatasetItem> ReadFrom(PartNumbers numbers, CancellationToken cancellation) =>
        Read(0, long.MaxValue, numbers, cancellation);

    /// <summary>Makes sure that rows of other tables can stand below this one's header.</summary>
    /// <exception cref="DatasetException">A table has another header.</exception>
    internal void RequireSameHeader(IEnumerable<CsvDataset> others)
    {
        var header = Header();
        foreach (var other in others)
            if (!Line(other.Header()).SequenceEqual(Line(header)))
                throw new DatasetException(
                    $"Expected the same header in all tables, so that rows of them can be one; '{other.Source}' has another than " +
                    $"'{Source}'. Name a .jsonl or .parquet file.");

        static ReadOnlySpan<byte> Line(ReadOnlyMemory<byte> header)
        {
            var line = header.Span.TrimEnd("\r\n"u8);
            return line.StartsWith(LineReader.Bom) ? line[LineReader.Bom.Length..] : line;
        }
    }

    /// <summary>Reads the rows of a range, which begins with one, or with the header.</summary>
    private IEnumerable<DatasetItem> Read(long from, long end, PartNumbers numbers, CancellationToken cancellation)
    {
        var stream = _open();
        var rows = new Rows(stream, Source, _bufferSize);
        try
        {
            if (!rows.Next(out var header))
                yield break;
            _header = header.Whole;
            if (from > 0)
            {
                stream.Position = from;
                rows = new Rows(stream, Source, _bufferSize, rows.Separator, from);
            }
            numbers.Lines = rows.Lines;
            foreach (var item in Read(rows, header.Text, end, numbers, cancellation))
                yield return item;
        }
        finally
        {
            rows.Dispose();
        }
    }

    private IEnumerable<DatasetItem> Read(Rows rows, string header, long end, PartNumbers numbers, CancellationToken cancellation)
    {
        var separator = SeparatorOf(header);
        var columns = Fields(header, separator);
        var (images, id) =
            (ImageColumnsOf(columns), Array.FindIndex(columns, column => column.Equals("id", StringComparison.OrdinalIgnoreCase)));
        for (var index = numbers.FirstItem; rows.Position < end && rows.Next(out var row);)
        {
            cancellation.ThrowIfCancellationRequested();
            numbers.Lines = rows.Lines;
            if (row.Text.Length == 0)
                continue;
            var fields = Fields(row.Text, separator);
            var line = numbers.FirstLine + row.Number;
            var error = row.IsOpen ? $"{Source}:{line}: expected the closing quote of a field; found the end of the file."
                : fields.Length != columns.Length
                ? $"{Source}:{line}: expected {columns.Length} fields as in the header; found {fields.Length}."
                : null;
            var references = error == null ? images.Select(column => fields[column].Trim()).Where(path => path.Length > 0).ToArray() : [];
            yield return new DatasetItem
            {
                Index = index,
                Id = error == null && id >= 0 && fields[id].Length > 0 ? fields[id] : references.FirstOrDefault()
                    ?? string.Create(CultureInfo.InvariantCulture, $"#{index}"),
                Sources = [.. references.Select(reference => RecordReader.SourceOf(reference, ImageRoot, Remote))],
                Raw = row.Raw,
                After = row.End,
                Record = error == null ? new CsvRecord(columns, fields) : null,
                Error = error,
            };
            index++;
        }
    }

    internal override IEnumerable<DatasetItem> ReadImages(CancellationToken cancellation) => RecordFields.Watch(this, cancellation);

    public override DatasetWriter CreateWriter(string path) =>
        new CsvWriter(PartialFile.Create(OutputName.Checked(path, Format), Source, Remote), Header);

    /// <summary>The header with its line end, also before anything was read.</summary>
    private ReadOnlyMemory<byte> Header()
    {
        if (!_header.IsEmpty)
            return _header;
        using var rows = new Rows(_open(), Source, _bufferSize);
        return rows.Next(out var header) ? header.Whole : default;
    }

    /// <summary>
    /// The columns of images: the one that is asked for, else <c>file_name</c> and <c>*_file_name</c> or the first that is known.
    /// </summary>
    private int[] ImageColumnsOf(string[] columns)
    {
        if (ImageField == null && PrefersFileNames && FileNames(columns) is { Length: > 0 } preferred)
            return preferred;
        return ImageColumn(columns) is { } image ? [image] : ImageField == null ? FileNames(columns) : [];
    }

    private static int[] FileNames(string[] columns) =>
        [.. columns.Index().Where(column => RecordLayout.IsFileName(column.Item.Trim())).Select(column => column.Index)];

    private int? ImageColumn(string[] columns)
    {
        foreach (var name in ImageField != null ? [ImageField] : ImageColumns)
            if (Array.FindIndex(columns, column => column.Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) is var found and >= 0)
                return found;
        return null;
    }

    /// <summary>The separator of a header: the most frequent of comma, semicolon and tab.</summary>
    private static char SeparatorOf(string header) => ",;\t".MaxBy(separator => header.Count(c => c == separator));

    /// <summary>The fields of a row, without their quotes.</summary>
    private static string[] Fields(string row, char separator)
    {
        var fields = new List<string>();
        for (var at = 0; at <= row.Length;)
        {
            if (at < row.Length && row[at] == '"')
            {
                var field = new StringBuilder();
                for (at++; at < row.Length; at++)
                {
                    if (row[at] != '"')
                        field.Append(row[at]);
                    else if (at + 1 < row.Length && row[at + 1] == '"')
                        field.Append(row[++at]);
                    else
                        break;
                }
                // What stands between the closing quote and the separator belongs to the field.
                var end = row.IndexOf(separator, Math.Min(at, row.Length));
                end = end < 0 ? row.Length : end;
                if (at + 1 < end)
                    field.Append(row, at + 1, end - at - 1);
                fields.Add(field.ToString());
                at = end + 1;
            }
            else
            {
                var end = row.IndexOf(separator, at);
                end = end < 0 ? row.Length : end;
                fields.Add(row[at..end]);
                at = end + 1;
            }
        }
        return [.. fields];
    }

    /// <summary>A row: its bytes, what ended it, and whether the file ended within a quoted field.</summary>
    private readonly record struct Row(
        ReadOnlyMemory<byte> Raw, ReadOnlyMemory<byte> End, ReadOnlyMemory<byte> Whole, long Number, bool IsOpen)
    {
        public string Text { get; } = Encoding.UTF8.GetString(Raw.Span);
    }

    /// <summary>Cuts a table into rows; a row goes on where a quoted field has a line feed.</summary>
    private sealed class Rows : IDisposable
    {
        private readonly Stream _stream;
        private readonly LineReader _lines;
        private readonly long _start;

        public Rows(Stream stream, string name, int bufferSize)
        {
            _stream = stream;
            _lines = new LineReader(stream, name, bufferSize);
            _lines.Check("a table", isJson: false);
        }

        /// <summary>Goes on in the middle of a table, where a row begins.</summary>
        public Rows(Stream stream, string name, int bufferSize, byte? separator, long start)
        {
            (_stream, _start, Separator) = (stream, start, separator);
            _lines = new LineReader(stream, name, bufferSize) { IsWithin = true };
        }

        /// <summary>Where the next row begins in the file.</summary>
        public long Position => _start + _lines.Position;

        /// <summary>The lines that were read.</summary>
        public long Lines { get; private set; }

        /// <summary>What separates fields; known after the header.</summary>
        public byte? Separator { get; private set; }

        public bool Next(out Row row)
        {
            row = default;
            if (!_lines.Next(out var line))
                return false;
            var (number, bytes, end) = (line.Number, line.Text, line.End);
            Lines = number;
            Separator ??= (byte)SeparatorOf(Encoding.UTF8.GetString(bytes.Span));
            var isOpen = IsOpen(bytes.Span, Separator.Value, isWithin: false);
            if (isOpen)
                bytes = Rest(bytes, number, ref end, out isOpen);
            byte[] whole = [.. number == 1 && _start == 0 && _lines.HasBom ? LineReader.Bom : default, .. bytes.Span, .. end.Span];
            row = new Row(bytes, end, whole, number, isOpen);
            return true;
        }

        public void Dispose() => _stream.Dispose();

        /// <summary>Reads the further lines of a row of which a field has line feeds. Each line is looked at once.</summary>
        private byte[] Rest(ReadOnlyMemory<byte> first, long number, ref ReadOnlyMemory<byte> end, out bool isOpen)
        {
            using var bytes = new MemoryStream();
            bytes.Write(first.Span);
            isOpen = true;
            while (isOpen && _lines.Next(out var line))
            {
                bytes.Write(end.Span);
                bytes.Write(line.Text.Span);
                (end, Lines) = (line.End, line.Number);
                if (bytes.Length > LineReader.MaxRecordBytes)
                    throw new DatasetException(
                        $"A field that begins in line {number} is not closed within {LineReader.MaxRecordBytes >> 20} MiB.");
                isOpen = IsOpen(line.Text.Span, Separator!.Value, isWithin: true);
            }
            return bytes.ToArray();
        }

        /// <summary>True when bytes end within a quoted field. A quote that does not begin a field is a character like any other.</summary>
        /// <param name="row">The bytes of a line.</param>
        /// <param name="separator">What separates fields.</param>
        /// <param name="isWithin">Whether they begin within a quoted field.</param>
        private static bool IsOpen(ReadOnlySpan<byte> row, byte separator, bool isWithin)
        {
            while (isWithin || !row.IsEmpty)
            {
                if (isWithin || row[0] == '"')
                {
                    row = isWithin ? row : row[1..];
                    isWithin = false;
                    int quote;
                    // Two quotes stand for one.
                    while ((quote = row.IndexOf((byte)'"')) >= 0 && quote + 1 < row.Length && row[quote + 1] == '"')
                        row = row[(quote + 2)..];
                    if (quote < 0)
                        return true;
                    row = row[(quote + 1)..];
                }
                var end = row.IndexOf(separator);
                row = end < 0 ? default : row[(end + 1)..];
            }
            return false;
        }
    }
}

/// <summary>The record of a row: its columns. Its text stands in <c>caption</c>, <c>captions</c> and <c>text</c>, in any case.</summary>
/// <param name="columns">The names of the columns.</param>
/// <param name="fields">The row's fields.</param>
internal sealed class CsvRecord(string[] columns, string[] fields) : ItemRecord
{
    public override ItemText Text
    {
        get
        {
            var sum = default(ItemText);
            foreach (var text in Texts)
                sum += ItemText.Of(text);
            return sum;
        }
    }

    internal override IReadOnlyList<string> Texts =>
        [.. fields.Where((_, i) => columns[i].ToLowerInvariant() is "caption" or "captions" or "text")];

    public override IReadOnlyList<string> FieldNames => columns;

    public override string?[] Fields(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return [.. names.Select(name => Array.IndexOf(columns, name) is var at and >= 0 && fields[at].Length > 0 ? fields[at] : null)];
    }
}

/// <summary>Writes the header of a table and rows as they were read.</summary>
/// <param name="file">The output, owned by the writer.</param>
/// <param name="header">Gives the header with its line end.</param>
internal sealed class CsvWriter(PartialFile file, Func<ReadOnlyMemory<byte>> header) : DatasetWriter
{
    private bool _isStarted;
    private bool _isEnded;

    public override void Write(DatasetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        Start();
        if (!_isEnded)
            file.Stream.WriteByte((byte)'\n');
        file.Stream.Write(item.Raw.Span);
        file.Stream.Write(item.After.Span);
        _isEnded = !item.After.IsEmpty;
    }

    public override void Complete()
    {
        Start();
        file.Complete();
    }

    public override void Dispose() => file.Dispose();

    private void Start()
    {
        if (_isStarted)
            return;
        var bytes = header().Span;
        file.Stream.Write(bytes);
        (_isStarted, _isEnded) = (true, bytes.IsEmpty || bytes[^1] == '\n');
    }
}
