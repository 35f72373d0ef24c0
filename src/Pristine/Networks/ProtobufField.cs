namespace Pristine.Networks;

/// <summary>A field of a Protocol Buffers message, as it stands in the bytes; the counterpart of <see cref="ProtobufWriter"/>.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Whole">All of its bytes, tag and length included.</param>
/// <param name="Content">Of a text, bytes or a nested message: its content; otherwise empty.</param>
internal readonly record struct ProtobufField(int Number, ReadOnlyMemory<byte> Whole, ReadOnlyMemory<byte> Content)
{
    /// <summary>The fields of a message; nothing is copied.</summary>
    /// <param name="message">Its bytes.</param>
    /// <exception cref="InvalidDataException">It is no message.</exception>
    public static List<ProtobufField> Read(ReadOnlyMemory<byte> message)
    {
        var fields = new List<ProtobufField>();
        for (var at = 0; at < message.Length;)
        {
            var start = at;
            var tag = Base128(message.Span, ref at);
            var content = ReadOnlyMemory<byte>.Empty;
            switch (tag & 7)
            {
                case 0:
                    Base128(message.Span, ref at);
                    break;
                case 1:
                    at += sizeof(ulong);
                    break;
                case 5:
                    at += sizeof(uint);
                    break;
                case 2:
                    var length = Base128(message.Span, ref at);
                    if (length > (ulong)(message.Length - at))
                        throw new InvalidDataException($"a field of {length} bytes begins where {message.Length - at} are left");
                    content = message.Slice(at, (int)length);
                    at += (int)length;
                    break;
                default:
                    throw new InvalidDataException($"expected the types of fields 0, 1, 2 and 5; found {tag & 7}");
            }
            if (at > message.Length)
                throw new InvalidDataException("the last field is cut off");
            fields.Add(new((int)(tag >> 3), message[start..at], content));
        }
        return fields;
    }

    private static ulong Base128(ReadOnlySpan<byte> bytes, ref int at)
    {
        for (ulong value = 0, shift = 0; at < bytes.Length && shift < 64; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << (int)shift;
            if (next < 0x80)
                return value;
        }
        throw new InvalidDataException("a number is cut off");
    }
}
