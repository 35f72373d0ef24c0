using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Pristine.Kernels;

namespace Pristine.Media;

/// <summary>Bytes in memory: a cell of a table, or a member of a compressed archive.</summary>
public sealed class MemorySource : MediaSource
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly SourceStamp? _stamp;

    /// <summary>Names bytes.</summary>
    /// <param name="reference">The name that results show.</param>
    /// <param name="bytes">The bytes, which must not change.</param>
    /// <param name="stamp">Their size, and the time of the file they come from; null where their reference says what they are.</param>
    /// <param name="kind">What they hold.</param>
    public MemorySource(string reference, ReadOnlyMemory<byte> bytes, SourceStamp? stamp = null, MediaKind kind = MediaKind.Image)
        : base(reference, kind) => (_bytes, _stamp) = (bytes, stamp);

    /// <inheritdoc/>
    public override SourceStamp? Stamp() => _stamp;

    internal override long HeldBytes => _bytes.Length;

    internal override DecodeResult? Read(long limit, ReusableBuffer buffer)
    {
        buffer.Resize(0);
        if (_bytes.Length > limit)
            return DecodeResult.Unreadable($"the file has {_bytes.Length} bytes; at most {limit} are read");
        _bytes.Span.CopyTo(buffer.Resize(_bytes.Length));
        return null;
    }
}

/// <summary>
/// A <c>data:</c> address (RFC 2397), which holds the bytes itself, as base64 or percent-encoded. Results show its media type and a hash in
/// place of the bytes: <c>data:image/png#5f0a...</c>.
/// </summary>
public sealed class DataSource : MediaSource
{
    private readonly ReadOnlyMemory<byte> _address;

    /// <summary>Names the bytes of an address; they are not decoded.</summary>
    /// <param name="address">The address in ASCII, from <c>data:</c> on.</param>
    /// <param name="kind">What it holds.</param>
    public DataSource(ReadOnlyMemory<byte> address, MediaKind kind = MediaKind.Image)
        : base(ReferenceOf(address.Span), kind) => _address = address;

    /// <summary>True for a <c>data:</c> address; the scheme is written in any case.</summary>
    /// <param name="address">A reference.</param>
    public static bool IsData(ReadOnlySpan<byte> address) => address.Length >= 5 && Ascii.EqualsIgnoreCase(address[..5], "data:"u8);

    /// <summary>Bytes of the address.</summary>
    internal int AddressBytes => _address.Length;

    /// <summary>The same in memory of its own, so that nothing else of its record stays.</summary>
    internal DataSource Alone() => new(_address.ToArray(), Kind);

    /// <summary>Null: its reference says what it holds.</summary>
    public override SourceStamp? Stamp() => null;

    internal override DecodeResult? Read(long limit, ReusableBuffer buffer)
    {
        buffer.Resize(0);
        var address = _address.Span;
        var comma = address.IndexOf((byte)',');
        if (comma < 0)
            return DecodeResult.Unreadable("expected a comma before the content of the data: address; found none");
        var content = address[(comma + 1)..];
        // Percent signs make three characters of a byte, base64 four of three bytes.
        if (content.Length / 4 * 3L > limit)
            return DecodeResult.Unreadable($"the data: address has {content.Length} characters; at most {limit} bytes are read");
        var bytes = buffer.Resize(content.Length);
        if (!IsBase64(address[..comma]))
        {
            buffer.Trim(Unescape(content, bytes));
            return null;
        }
        if (content.Contains((byte)'%'))
        {
            // Only the three characters of base64 that addresses cannot have are written so.
            var plain = new byte[content.Length];
            content = plain.AsSpan(0, Unescape(content, plain));
        }
        var status = Base64.DecodeFromUtf8(content, bytes, out _, out var written);
        buffer.Trim(status == OperationStatus.Done ? written : 0);
        return status == OperationStatus.Done ? null : DecodeResult.Unreadable("the data: address is not valid base64");
    }

    private static bool IsBase64(ReadOnlySpan<byte> head)
    {
        head = head.TrimEnd((byte)' ');
        return head.Length >= 7 && Ascii.EqualsIgnoreCase(head[^7..], ";base64"u8);
    }

    private static string ReferenceOf(ReadOnlySpan<byte> address)
    {
        const int longestType = 60;
        var type = address[..Math.Min(longestType, address.IndexOfAny((byte)';', (byte)',') is var end and >= 0 ? end : address.Length)];
        var hash = XxHash128.HashToUInt128(address).ToString("x32", CultureInfo.InvariantCulture);
        return $"{Encoding.Latin1.GetString(type)}#{hash}";
    }

    private static int Unescape(ReadOnlySpan<byte> content, Span<byte> bytes)
    {
        var written = 0;
        for (var i = 0; i < content.Length; i++)
        {
            var isEscaped = content[i] == '%' && i + 2 < content.Length;
            if (isEscaped
                && byte.TryParse(content.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes[written++] = value;
                i += 2;
            }
            else
                bytes[written++] = content[i];
        }
        return written;
    }
}
