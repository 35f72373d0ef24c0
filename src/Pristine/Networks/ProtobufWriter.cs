using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Pristine.Networks;

/// <summary>
/// Writes Protocol Buffers messages field by field (https://protobuf.dev/programming-guides/encoding): as much as ONNX needs. A field
/// with the default value may be written; readers accept it.
/// </summary>
internal sealed class ProtobufWriter
{
    private const int Varint = 0;
    private const int LengthDelimited = 2;
    private const int Fixed32 = 5;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public int Length => _bytes.WrittenCount;

    public void CopyTo(Stream stream) => stream.Write(_bytes.WrittenSpan);

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    /// <summary>Fields as they stand in other bytes.</summary>
    public void Raw(ReadOnlySpan<byte> fields) => _bytes.Write(fields);

    public void Integer(int field, long value)
    {
        Tag(field, Varint);
        Base128((ulong)value);
    }

    public void Float(int field, float value)
    {
        Tag(field, Fixed32);
        Span<byte> bytes = stackalloc byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.Write(bytes);
    }

    public void Text(int field, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        Begin(field, bytes.Length);
        _bytes.Write(bytes);
    }

    /// <summary>A nested message.</summary>
    public void Message(int field, Action<ProtobufWriter> write)
    {
        var nested = new ProtobufWriter();
        write(nested);
        Begin(field, nested.Length);
        Append(nested);
    }

    /// <summary>All that another writer holds.</summary>
    public void Append(ProtobufWriter other) => _bytes.Write(other._bytes.WrittenSpan);

    /// <summary>Tag and length of a field whose content the caller writes to the stream after this writer's bytes.</summary>
    public void Begin(int field, long length)
    {
        Tag(field, LengthDelimited);
        Base128((ulong)length);
    }

    private void Tag(int field, int type) => Base128((ulong)((field << 3) | type));

    private void Base128(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _bytes.Write([(byte)(value | 0x80)]);
        _bytes.Write([(byte)value]);
    }
}
