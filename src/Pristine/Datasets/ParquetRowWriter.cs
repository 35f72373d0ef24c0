using ParquetSharp;
using ParquetSharp.Schema;
using Pristine.Files;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Writes rows of Parquet files with every column as it is stored: the levels and values of a row are copied, whatever they mean, so
/// schema, metadata of the file (<c>huggingface</c>, the Arrow schema), types, nulls and compression stay. The output is one file, files of
/// bounded size (<c>kept-{00000..}.parquet</c>), or, where it is a folder, files of the same names as those that were read. No file has its
/// name before all are complete.
/// </summary>
/// <remarks>
/// Parquet stores a group of rows column by column. So the writer only notes which rows are kept, and once they fill a group it goes
/// through the columns and copies those rows from the input's pages: memory holds a page, not a group.
/// </remarks>
internal sealed class ParquetRowWriter : DatasetWriter
{
    /// <summary>A file of several is ended when it has so many bytes: the default of Hugging Face's datasets.</summary>
    public const long FileBytes = 500_000_000;

    /// <summary>
    /// A group of rows is written when its rows have so many bytes in the input; the default of Hugging Face's datasets. A group that is
    /// larger in the input stays one.
    /// </summary>
    public const long GroupBytes = 100_000_000;

    // Arrow's default for pages.
    private const long PageBytes = 1 << 20;

    private readonly string? _folder;
    private readonly OutputNumbers _numbers;
    private readonly RemoteAccess? _remote;
    private readonly IReadOnlyList<ParquetFile> _inputs;
    private readonly List<KeptRows> _pending = [];
    private readonly List<PartialFile> _complete = [];
    private (ParquetFile? File, ParquetFileReader? Reader) _open;
    private double _pendingBytes;
    private double _bytesPerRow;
    private readonly IDisposable? _held;
    private PartialFile? _file;
    private CountingStream? _stream;
    private ParquetFileWriter? _writer;
    private ParquetFileReader? _schema;
    private readonly HashSet<string> _names = [];
    private ParquetFile? _like;
    private bool _hasGroups;
    private int _number;

    /// <param name="path">A file, a pattern with <c>{00000..}</c>, a folder, or <c>-</c>.</param>
    /// <param name="inputs">The files that are read, which must not be overwritten.</param>
    /// <param name="remote">Writes to addresses; null for files only.</param>
    /// <exception cref="DatasetException">The output is none of these, cannot be made, or the inputs differ in their columns.</exception>
    public ParquetRowWriter(string path, IReadOnlyList<ParquetFile> inputs, RemoteAccess? remote = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        (_inputs, _numbers, _remote) = (inputs, new OutputNumbers(path), remote);
        if (path != "-" && (Directory.Exists(path) || Path.EndsInDirectorySeparator(path)))
        {
            _folder = path;
            foreach (var input in inputs)
                PartialFile.CheckIsNot(Path.Combine(path, input.Name), input.Path);
            _held = OutputPlace.Hold(path, inputs.Select(input => input.Name));
            return;
        }
        if (path != "-" && !ParquetDataset.IsName(path) && !(File.Exists(path) && !Native.Vips.IsRegularFile(path)))
            throw new DatasetException(
                $"Expected a name that ends in .parquet for the kept rows, such as kept.parquet or kept-{{00000..}}.parquet, or a " +
                $"folder/; found '{path}'.")
            {
                IsOfRequest = true,
            };
        CheckSchemas();
        // A place that cannot be written to is found before the work.
        _held = _numbers.Hold();
        Open(_numbers.NameOf(0), inputs[0]);
    }

    /// <summary>Bytes after which a file of several is ended.</summary>
    internal long FileBound { get; init; } = FileBytes;

    /// <summary>Bytes after which a group is written.</summary>
    internal long GroupBound { get; init; } = GroupBytes;

    public override void Write(DatasetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var row = item.Row ?? throw new ArgumentException("Expected a row of a Parquet file.", nameof(item));
        if (_pending is not [.., var last] || last.File != row.File || last.Group != row.Group)
        {
            if (_pendingBytes >= GroupBound)
                Flush();
            if (_folder != null && _like != row.File)
            {
                End();
                Open(Path.Combine(_folder, row.File.Name), row.File);
                _names.Add(row.File.Name);
            }
            else if (_numbers.IsNumbered && _hasGroups && _stream!.Position >= FileBound)
            {
                End();
                Open(_numbers.NameOf(++_number), _inputs[0]);
            }
            _pending.Add(last = new KeptRows(row.File, row.Group));
            _bytesPerRow = BytesPerRow(row);
        }
        last.Add(row.Row);
        _pendingBytes += _bytesPerRow;
    }

    public override void Complete()
    {
        End();
        foreach (var file in _complete)
            file.Complete();
        _complete.Clear();
        Removed = _folder == null
            ? _numbers.RemoveBeyond(_number + 1, _inputs.Select(input => input.Path))
            : OutputPlace.RemoveOld(_folder, _inputs.Select(input => input.Name).Except(_names), _inputs.Select(input => input.Path));
    }

    public override void Dispose()
    {
        // What is left under a temporary name has a footer: it can be read as far as it goes.
        CloseWriter();
        _open.Reader?.Dispose();
        if (_hasGroups)
            _file?.Dispose();
        else
            _file?.Discard();
        foreach (var file in _complete)
            file.Dispose();
        _held?.Dispose();
    }

    private double BytesPerRow(ParquetRow row)
    {
        using var group = ReaderOf(row.File).RowGroup(row.Group);
        return (double)group.MetaData.TotalByteSize / Math.Max(1, group.MetaData.NumRows);
    }

    /// <summary>The open file; rows come file by file.</summary>
    private ParquetFileReader ReaderOf(ParquetFile file)
    {
        if (_open.File != file)
        {
            _open.Reader?.Dispose();
            _open = default;
            _open = (file, file.Open());
        }
        return _open.Reader!;
    }

    private void CheckSchemas()
    {
        using var first = _inputs[0].Open();
        using var schema = first.FileMetaData.Schema.GroupNode;
        foreach (var input in _inputs.Skip(1))
        {
            using var other = input.Open();
            using var found = other.FileMetaData.Schema.GroupNode;
            if (!Same(schema, found))
            {
                throw new DatasetException(
                    $"Expected files of the same columns for one output; '{input.Path}' has other columns than '{_inputs[0].Path}'. A " +
                    $"folder/ as output keeps the files apart.");
            }
        }
    }

    private static bool Same(Node a, Node b) =>
        a.Name == b.Name && a.Repetition == b.Repetition && a.LogicalType.Equals(b.LogicalType) && (a, b) switch
        {
            (PrimitiveNode left, PrimitiveNode right) => left.PhysicalType == right.PhysicalType && left.TypeLength == right.TypeLength,
            (GroupNode left, GroupNode right) => IsSameRoot(left, right) && left.FieldCount == right.FieldCount
                && left.Fields.Zip(right.Fields).All(pair => Same(pair.First, pair.Second)),
            _ => false,
        };

    // The root's name is the writer's own.
    private static bool IsSameRoot(GroupNode left, GroupNode right) =>
        left.Name == right.Name || left.Parent == null && right.Parent == null;

    private void Open(string path, ParquetFile like)
    {
        foreach (var input in _inputs.Skip(1))
            PartialFile.CheckIsNot(path, input.Path);
        _file = PartialFile.Create(path, _inputs.Count > 0 ? _inputs[0].Path : null, _remote);
        (_like, _hasGroups) = (like, false);
        // The writer's schema is the reader's own, which lives as long as the reader.
        _schema = like.Open();
        _stream = new CountingStream(_file.Stream);
        using var properties = PropertiesOf(_schema);
        _writer = new ParquetFileWriter(
            _stream, _schema.FileMetaData.Schema.GroupNode, properties, _schema.FileMetaData.KeyValueMetadata, leaveOpen: true);
    }

    /// <summary>Compression and dictionaries as the input's first group has them.</summary>
    private static WriterProperties PropertiesOf(ParquetFileReader reader)
    {
        using var builder = new WriterPropertiesBuilder();
        builder.Compression(Compression.Snappy);
        if (reader.FileMetaData.NumRowGroups > 0)
        {
            using var group = reader.RowGroup(0);
            // A page is ended between batches, so a batch must not be many images.
            builder.WriteBatchSize(
                Math.Clamp(PageBytes * group.MetaData.NumRows / Math.Max(1, group.MetaData.TotalByteSize), 1, ParquetLeaf.BatchLevels));
            for (var column = 0; column < reader.FileMetaData.Schema.NumColumns; column++)
            {
                using var path = reader.FileMetaData.Schema.Column(column).Path;
                using var chunk = group.MetaData.GetColumnChunkMetaData(column);
                // What Arrow reads of old programs and does not write: LZ4 of Hadoop and LZO.
                builder.Compression(
                    path, chunk.Compression is Compression.Lz4Hadoop or Compression.Lzo ? Compression.Snappy : chunk.Compression);
                if (!chunk.Encodings.Any(encoding => encoding is Encoding.RleDictionary or Encoding.PlainDictionary))
                    builder.DisableDictionary(path);
            }
        }
        return builder.Build();
    }

    private void End()
    {
        if (_file == null)
            return;
        Flush();
        _writer!.Close();
        CloseWriter();
        _file.Close(isOneOfMany: _held != null);
        _complete.Add(_file);
        _file = null;
    }

    private void CloseWriter()
    {
        _writer?.Dispose();
        _schema?.Dispose();
        (_writer, _schema) = (null, null);
    }

    /// <summary>Writes the kept rows as one group.</summary>
    private void Flush()
    {
        if (_pending.Count == 0)
            return;
        using var target = _writer!.AppendRowGroup();
        for (var column = 0; column < target.NumColumns; column++)
        {
            using var to = target.NextColumn();
            foreach (var rows in _pending)
                Copy(ReaderOf(rows.File), rows, column, to);
        }
        target.Close();
        _hasGroups = true;
        _pending.Clear();
        _pendingBytes = 0;
    }

    private static void Copy(ParquetFileReader reader, KeptRows rows, int column, ColumnWriter to)
    {
        try
        {
            using var group = reader.RowGroup(rows.Group);
            using var from = group.Column(column);
            from.Apply(new ColumnCopy(to, rows));
        }
        catch (Exception e) when (ParquetFile.IsOfLibrary(e))
        {
            throw rows.File.Damaged(e, rows.Group, 0);
        }
    }

    /// <summary>Rows of a group, as runs of neighbours.</summary>
    private sealed class KeptRows(ParquetFile file, int group)
    {
        private readonly List<(long From, long To)> _runs = [];

        public ParquetFile File => file;

        public int Group => group;

        /// <summary>The row behind the last.</summary>
        public long End => _runs[^1].To;

        public List<(long From, long To)> Runs => _runs;

        public void Add(long row)
        {
            if (_runs is [.., var last] && last.To == row)
                _runs[^1] = (last.From, row + 1);
            else
                _runs.Add((row, row + 1));
        }
    }

    /// <summary>Copies the levels and values of kept rows.</summary>
    private sealed class ColumnCopy(ColumnWriter writer, KeptRows rows) : IColumnReaderVisitor<bool>
    {
        public bool OnColumnReader<TValue>(ColumnReader<TValue> columnReader)
            where TValue : unmanaged
        {
            var to = (ColumnWriter<TValue>)writer;
            var (definitions, repetitions, values) =
                (new short[ParquetLeaf.BatchLevels], new short[ParquetLeaf.BatchLevels], new TValue[ParquetLeaf.BatchLevels]);
            var most = columnReader.ColumnDescriptor.MaxDefinitionLevel;
            var isRepeated = columnReader.ColumnDescriptor.MaxRepetitionLevel > 0;
            var (row, run) = (-1L, 0);
            while (row < rows.End && columnReader.HasNext)
            {
                var levels = (int)columnReader.ReadBatch(definitions.Length, definitions, repetitions, values, out _);
                var (kept, value, keptValues) = (0, 0, 0);
                // What is kept moves to the front of the arrays.
                for (var level = 0; level < levels; level++)
                {
                    if (!isRepeated || repetitions[level] == 0)
                        row++;
                    while (run < rows.Runs.Count && rows.Runs[run].To <= row)
                        run++;
                    var isValue = most == 0 || definitions[level] == most;
                    if (run < rows.Runs.Count && rows.Runs[run].From <= row)
                    {
                        (definitions[kept], repetitions[kept]) = (definitions[level], repetitions[level]);
                        kept++;
                        if (isValue)
                            values[keptValues++] = values[value];
                    }
                    if (isValue)
                        value++;
                }
                if (kept > 0)
                    to.WriteBatch(kept, definitions.AsSpan(0, kept), repetitions.AsSpan(0, kept), values.AsSpan(0, keptValues));
            }
            return row >= rows.End - 1 ? true : throw new EndOfStreamException(
                $"the column '{columnReader.ColumnDescriptor.Path.ToDotString()}' has fewer rows than its group");
        }
    }
}
