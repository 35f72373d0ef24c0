using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using ParquetSharp;
using ParquetSharp.Schema;
using Pristine.Native;

namespace Pristine.Datasets;

/// <summary>What a column of a Parquet file is made of.</summary>
internal enum ParquetShape
{
    /// <summary>Values.</summary>
    Leaf,

    /// <summary>Fields with names.</summary>
    Struct,

    /// <summary>Elements; a map is a list of structs of <c>key</c> and <c>value</c>.</summary>
    List,
}

/// <summary>
/// A column, or a field or element within one: how the stored levels of repetition and definition turn into values. Rows are read as JSON,
/// because that is what rules, texts and layouts of records are made of; what is exported is not made of it.
/// </summary>
internal sealed class ParquetNode
{
    private ParquetNode(string name, ParquetShape shape) => (Name, Shape) = (name, shape);

    public string Name { get; }

    public ParquetShape Shape { get; }

    /// <summary>The fields of a struct; the one element of a list; none of values.</summary>
    public IReadOnlyList<ParquetNode> Children { get; private init; } = [];

    /// <summary>The stored column of values; -1 for structs and lists.</summary>
    public int Column { get; private init; } = -1;

    /// <summary>True when the values may be null.</summary>
    public bool IsOptional { get; private init; }

    /// <summary>At this level of definition, and above, it is there.</summary>
    public short Definition { get; private init; }

    /// <summary>For a list: at this level of definition, and above, it has an element.</summary>
    public short ElementDefinition { get; private init; }

    /// <summary>For a list: an element after the first has this level of repetition.</summary>
    public short ElementRepetition { get; private init; }

    /// <summary>True for bytes that are no text.</summary>
    public bool IsBinary { get; private init; }

    /// <summary>True for text.</summary>
    public bool IsText { get; private init; }

    /// <summary>The stored columns below it.</summary>
    public IEnumerable<ParquetNode> Leaves => Shape == ParquetShape.Leaf ? [this] : Children.SelectMany(child => child.Leaves);

    /// <summary>The columns of a file.</summary>
    public static IReadOnlyList<ParquetNode> Of(SchemaDescriptor schema)
    {
        var column = 0;
        return [.. schema.GroupNode.Fields.Select(field => Of(schema, field, field.Name, 0, 0, ref column))];
    }

    /// <summary>The same without the values that are not wanted; null where nothing is left.</summary>
    public ParquetNode? Only(Func<ParquetNode, bool> wanted)
    {
        if (Shape == ParquetShape.Leaf)
            return wanted(this) ? this : null;
        var children = Children.Select(child => child.Only(wanted)).OfType<ParquetNode>().ToArray();
        return children.Length == 0 ? null : new ParquetNode(Name, Shape)
        {
            Children = children,
            IsOptional = IsOptional,
            Definition = Definition,
            ElementDefinition = ElementDefinition,
            ElementRepetition = ElementRepetition,
        };
    }

    /// <summary>Writes the value of the current row as JSON.</summary>
    /// <param name="json">Gets a value.</param>
    /// <param name="leaves">
    /// The stored columns by their numbers, each at the first of its values that belong here; moved behind them.
    /// </param>
    public void Write(Utf8JsonWriter json, IReadOnlyList<ParquetLeaf?> leaves)
    {
        var first = leaves[FirstLeaf]!;
        if (IsOptional && first.Definition < Definition)
        {
            json.WriteNullValue();
            Skip(leaves);
            return;
        }
        switch (Shape)
        {
            case ParquetShape.Leaf:
                first.Write(json);
                first.Advance();
                break;
            case ParquetShape.Struct:
                json.WriteStartObject();
                foreach (var child in Children)
                {
                    json.WritePropertyName(child.Name);
                    child.Write(json, leaves);
                }
                json.WriteEndObject();
                break;
            default:
                json.WriteStartArray();
                if (first.Definition < ElementDefinition)
                    Skip(leaves);
                else
                {
                    do
                        Children[0].Write(json, leaves);
                    while (first.HasMore && first.Repetition == ElementRepetition);
                }
                json.WriteEndArray();
                break;
        }
    }

    private int FirstLeaf => Shape == ParquetShape.Leaf ? Column : Children[0].FirstLeaf;

    private void Skip(IReadOnlyList<ParquetLeaf?> leaves)
    {
        foreach (var leaf in Leaves)
            leaves[leaf.Column]!.Advance();
    }

    /// <summary>
    /// Makes the node of a field of the schema. Old programs store lists in other ways than the three levels of today; the format's rules
    /// tell them apart.
    /// </summary>
    private static ParquetNode Of(SchemaDescriptor schema, Node field, string name, int definition, int repetition, ref int column)
    {
        if (field.Repetition == Repetition.Repeated)
        {
            // A repeated field without a list around it is a list that is never null.
            var element = Inner(schema, field, name, definition + 1, repetition + 1, false, ref column);
            return List(name, element, false, definition, definition + 1, repetition + 1);
        }
        var isOptional = field.Repetition == Repetition.Optional;
        return Inner(schema, field, name, definition + (isOptional ? 1 : 0), repetition, isOptional, ref column);
    }

    private static ParquetNode Inner(
        SchemaDescriptor schema, Node field, string name, int definition, int repetition, bool isOptional, ref int column)
    {
        if (field is not GroupNode group)
            return Leaf(schema, name, definition, isOptional, column++);
        var isList = group.LogicalType.Type is LogicalTypeEnum.List or LogicalTypeEnum.Map;
        if (isList && group.Fields is [{ Repetition: Repetition.Repeated } repeated])
        {
            var element = repeated is GroupNode { FieldCount: 1 } wrapper && group.LogicalType.Type == LogicalTypeEnum.List
                && wrapper.Name != "array" && wrapper.Name != $"{group.Name}_tuple"
                ? Of(schema, wrapper.Fields[0], name, definition + 1, repetition + 1, ref column)
                : Inner(schema, repeated, name, definition + 1, repetition + 1, false, ref column);
            return List(name, element, isOptional, definition, definition + 1, repetition + 1);
        }
        var children = new List<ParquetNode>();
        foreach (var child in group.Fields)
            children.Add(Of(schema, child, child.Name, definition, repetition, ref column));
        return new ParquetNode(name, ParquetShape.Struct) { Children = children, IsOptional = isOptional, Definition = (short)definition };
    }

    private static ParquetNode List(
        string name, ParquetNode element, bool isOptional, int definition, int elementDefinition, int elementRepetition) =>
        new(name, ParquetShape.List)
        {
            Children = [element],
            IsOptional = isOptional,
            Definition = (short)definition,
            ElementDefinition = (short)elementDefinition,
            ElementRepetition = (short)elementRepetition,
        };

    private static ParquetNode Leaf(SchemaDescriptor schema, string name, int definition, bool isOptional, int column)
    {
        var stored = schema.Column(column);
        var type = stored.LogicalType.Type;
        var isText = type is LogicalTypeEnum.String or LogicalTypeEnum.Enum or LogicalTypeEnum.Json;
        return new ParquetNode(name, ParquetShape.Leaf)
        {
            Column = column,
            IsOptional = isOptional,
            Definition = (short)definition,
            IsText = isText,
            IsBinary = !isText && type is not (LogicalTypeEnum.Decimal or LogicalTypeEnum.Uuid or LogicalTypeEnum.Float16) &&
                stored.PhysicalType is PhysicalType.ByteArray or PhysicalType.FixedLenByteArray,
        };
    }
}

/// <summary>A stored column of a group of rows, read row by row: the values of one row at a time, with their levels.</summary>
internal abstract class ParquetLeaf : IDisposable
{
    /// <summary>Levels that are asked of the library at once; it gives no more than a page has.</summary>
    public const int BatchLevels = 1024;

    /// <summary>Opens a column of a group of rows.</summary>
    public static ParquetLeaf Open(RowGroupReader group, int column)
    {
        var reader = group.Column(column);
        try
        {
            var (type, length) = (reader.ColumnDescriptor.LogicalType, reader.ColumnDescriptor.TypeLength);
            var scale = type is DecimalLogicalType number ? number.Scale : 0;
            var write = ParquetValues.WriterOf(type);
            return reader switch
            {
                ColumnReader<bool> of => new ParquetLeaf<bool, bool>(of, value => value, (json, value) => json.WriteBooleanValue(value)),
                ColumnReader<int> of => new ParquetLeaf<int, long>(of, value => value, write),
                ColumnReader<long> of => new ParquetLeaf<long, long>(of, value => value, write),
                ColumnReader<float> of => new ParquetLeaf<float, float>(of, value => value, ParquetValues.Write),
                ColumnReader<double> of => new ParquetLeaf<double, double>(of, value => value, ParquetValues.Write),
                ColumnReader<Int96> of => new ParquetLeaf<Int96, Int96>(of, value => value, ParquetValues.Write),
                ColumnReader<ByteArray> of => new ParquetLeaf<ByteArray, byte[]>(
                    of, value => ParquetLibrary.Copy(value), type is DecimalLogicalType ? (json, value) =>
                        ParquetValues.WriteDecimal(json, value, scale) : ParquetValues.WriteText),
                ColumnReader<FixedLenByteArray> of => new ParquetLeaf<FixedLenByteArray, byte[]>(
                    of, value => ParquetLibrary.Copy(value, length), (json, value) =>
                        ParquetValues.WriteFixed(json, value, type.Type, scale)),
                _ => throw new NotSupportedException($"Columns of {reader.Type}."),
            };
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>The level of definition at the current place of the row.</summary>
    public abstract short Definition { get; }

    /// <summary>The level of repetition at the current place of the row.</summary>
    public abstract short Repetition { get; }

    /// <summary>True before the end of the row.</summary>
    public abstract bool HasMore { get; }

    /// <summary>The bytes at the current place; null where there are none.</summary>
    public abstract byte[]? Bytes { get; }

    /// <summary>Reads the next row, and stands at its first place.</summary>
    /// <exception cref="EndOfStreamException">There is none.</exception>
    public abstract void NextRow();

    /// <summary>Passes rows over, before the first is read.</summary>
    /// <param name="rows">How many.</param>
    public abstract void Skip(long rows);

    /// <summary>Moves to the next place of the row.</summary>
    public abstract void Advance();

    /// <summary>Writes the value at the current place.</summary>
    public abstract void Write(Utf8JsonWriter json);

    public abstract void Dispose();
}

/// <summary>A stored column of one of the types of Parquet.</summary>
/// <param name="reader">The column.</param>
/// <param name="keep">What is kept of a value, which the library forgets with the next batch.</param>
/// <param name="write">Writes a kept value.</param>
internal sealed class ParquetLeaf<T, TKept>(ColumnReader<T> reader, Func<T, TKept> keep, Action<Utf8JsonWriter, TKept> write) : ParquetLeaf
    where T : unmanaged
{
    private readonly short _most = reader.ColumnDescriptor.MaxDefinitionLevel;
    private readonly bool _isRepeated = reader.ColumnDescriptor.MaxRepetitionLevel > 0;
    private readonly short[] _definitions = new short[BatchLevels];
    private readonly short[] _repetitions = new short[BatchLevels];
    private readonly T[] _values = new T[BatchLevels];
    private readonly List<(short Definition, short Repetition, TKept? Value)> _row = [];
    private int _level;
    private int _levels;
    private int _value;
    private int _at;

    public override short Definition => _row[_at].Definition;

    public override short Repetition => _row[_at].Repetition;

    public override bool HasMore => _at < _row.Count;

    public override byte[]? Bytes => _row[_at].Value as byte[];

    public override void NextRow()
    {
        _row.Clear();
        _at = 0;
        do
        {
            if (_level == _levels && !Fill())
                break;
            var repetition = _isRepeated ? _repetitions[_level] : (short)0;
            if (_row.Count > 0 && repetition == 0)
                break;
            var definition = _most > 0 ? _definitions[_level] : (short)0;
            _row.Add((definition, repetition, definition == _most ? keep(_values[_value++]) : default));
            _level++;
        }
        while (_isRepeated);
        if (_row.Count == 0)
            throw new EndOfStreamException($"the column '{reader.ColumnDescriptor.Path.ToDotString()}' has fewer rows than its group");
    }

    public override void Skip(long rows)
    {
        // Where a row has one value, pages that hold none of the wanted are not decoded.
        if (!_isRepeated)
            reader.Skip(rows);
        else
            for (var row = 0L; row < rows; row++)
                NextRow();
    }

    public override void Advance() => _at++;

    public override void Write(Utf8JsonWriter json) => write(json, _row[_at].Value!);

    public override void Dispose() => reader.Dispose();

    private bool Fill()
    {
        _level = _value = 0;
        _levels = reader.HasNext ? (int)reader.ReadBatch(BatchLevels, _definitions, _repetitions, _values, out _) : 0;
        return _levels > 0;
    }
}

/// <summary>How values of Parquet are written as JSON: times as ISO 8601, decimals as numbers, what is no number as null.</summary>
internal static class ParquetValues
{
    private static readonly DateTime Epoch = DateTime.UnixEpoch;

    /// <summary>The writer of whole numbers, which may stand for something else.</summary>
    public static Action<Utf8JsonWriter, long> WriterOf(LogicalType type) => type switch
    {
        IntLogicalType { IsSigned: false, BitWidth: 64 } => (json, value) => json.WriteNumberValue((ulong)value),
        IntLogicalType { IsSigned: false, BitWidth: 32 } => (json, value) => json.WriteNumberValue((uint)value),
        DecimalLogicalType { Scale: var scale } => (json, value) => WriteDecimal(json, value, scale),
        DateLogicalType => (json, value) => Write(json, value * TimeSpan.TicksPerDay, "yyyy-MM-dd"),
        TimestampLogicalType { TimeUnit: var unit, IsAdjustedToUtc: var isUtc } =>
            (json, value) => Write(json, Ticks(value, unit), isUtc ? "yyyy-MM-ddTHH:mm:ss.FFFFFFFZ" : "yyyy-MM-ddTHH:mm:ss.FFFFFFF"),
        TimeLogicalType { TimeUnit: var unit } => (json, value) => Write(json, Ticks(value, unit), "HH:mm:ss.FFFFFFF"),
        _ => (json, value) => json.WriteNumberValue(value),
    };

    public static void Write(Utf8JsonWriter json, float value)
    {
        if (float.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteNullValue();
    }

    public static void Write(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteNullValue();
    }

    public static void Write(Utf8JsonWriter json, Int96 value)
    {
        // Nanoseconds of the day, and the Julian day; day 2,440,588 is 1970-01-01.
        var nanoseconds = ((long)value.B << 32) | (uint)value.A;
        Write(json, ((value.C
            - 2_440_588L) * TimeSpan.TicksPerDay) + (nanoseconds / TimeSpan.NanosecondsPerTick), "yyyy-MM-ddTHH:mm:ss.FFFFFFF");
    }

    /// <summary>Text in UTF-8; bytes that are none become U+FFFD.</summary>
    public static void WriteText(Utf8JsonWriter json, byte[] text)
    {
        if (System.Text.Unicode.Utf8.IsValid(text))
            json.WriteStringValue(text);
        else
            json.WriteStringValue(System.Text.Encoding.UTF8.GetString(text));
    }

    public static void WriteFixed(Utf8JsonWriter json, byte[] value, LogicalTypeEnum type, int scale)
    {
        switch (type)
        {
            case LogicalTypeEnum.Decimal:
                WriteDecimal(json, value, scale);
                break;
            case LogicalTypeEnum.Uuid:
                json.WriteStringValue(new Guid(value, bigEndian: true));
                break;
            default:
                Write(json, (double)BinaryPrimitives.ReadHalfLittleEndian(value));
                break;
        }
    }

    public static void WriteDecimal(Utf8JsonWriter json, byte[] unscaled, int scale) =>
        WriteDecimal(json, new BigInteger(unscaled, isBigEndian: true), scale);

    private static void WriteDecimal(Utf8JsonWriter json, BigInteger unscaled, int scale)
    {
        var digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        var text = (unscaled.Sign < 0 ? "-" : "") + digits[..^scale] + (scale > 0 ? "." + digits[^scale..] : "");
        json.WriteRawValue(text, skipInputValidation: true);
    }

    private static long Ticks(long value, TimeUnit unit) => unit switch
    {
        TimeUnit.Millis => value * TimeSpan.TicksPerMillisecond,
        TimeUnit.Micros => value * TimeSpan.TicksPerMicrosecond,
        _ => value / TimeSpan.NanosecondsPerTick,
    };

    /// <summary>A moment; one that no calendar of .NET has (before the year 1, after 9999) as its count.</summary>
    private static void Write(Utf8JsonWriter json, long ticks, string format)
    {
        if (ticks >= -Epoch.Ticks && ticks <= DateTime.MaxValue.Ticks - Epoch.Ticks)
            json.WriteStringValue(Epoch.AddTicks(ticks).ToString(format, CultureInfo.InvariantCulture));
        else
            json.WriteNumberValue(ticks);
    }
}
