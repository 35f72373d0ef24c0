using System.Buffers;
using System.Text.Json;

namespace Pristine.Datasets;

/// <summary>What a piece of a COCO file is.</summary>
internal enum CocoPieceKind
{
    /// <summary>Anything that stands outside of the elements: brackets, other fields.</summary>
    Frame,

    /// <summary>An element of <c>images</c>.</summary>
    Image,

    /// <summary>An element of <c>annotations</c>.</summary>
    Annotation,
}

/// <summary>A piece of a COCO file. All pieces in order are the file.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="IsFirst">True for the first element of a list.</param>
/// <param name="Before">Of an element the bytes since the one before: white space and a comma.</param>
/// <param name="Value">The bytes; valid until the next piece is read.</param>
/// <param name="Offset">Where <paramref name="Value"/> begins in the file.</param>
internal readonly record struct CocoPiece(
    CocoPieceKind Kind, bool IsFirst, ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> Value, long Offset);

/// <summary>
/// Cuts a COCO file, one JSON object, into the elements of its lists <c>images</c> and <c>annotations</c> and the bytes between them; holds
/// one element at a time. The elements' own grammar is left to those who read them; of the rest, brackets and commas between elements are
/// checked.
/// </summary>
/// <param name="stream">The stream, which the caller closes.</param>
/// <param name="name">Its name for messages.</param>
/// <param name="bufferSize">First size of the buffer in bytes; it grows to the largest element.</param>
internal sealed class CocoReader(Stream stream, string name, int bufferSize = LineReader.DefaultBufferSize)
{
    private static readonly SearchValues<byte> OutsideOfStrings = SearchValues.Create("\"{}[]:"u8);
    private static readonly SearchValues<byte> InElement = SearchValues.Create("\"{}[]"u8);
    private static readonly SearchValues<byte> WithinString = SearchValues.Create("\"\\"u8);

    private byte[] _buffer = new byte[bufferSize];
    private int _start;        // of what has not been given yet
    private int _at;           // up to here it is understood
    private int _end;          // of what was read
    private long _offset;      // of _buffer[0] in the file
    private bool _atEnd;
    private bool _isBegun;
    private int _depth;        // of brackets, outside of elements
    private byte[] _text = []; // the latest string of the file's object
    private byte[] _key = [];  // of the latest field
    private CocoPieceKind _list;
    private bool _isFirst;

    /// <summary>Whether the file has both lists, as far as it was read.</summary>
    public bool HasBothLists => HasImages && HasAnnotations;

    /// <summary>Whether the list of images was met.</summary>
    public bool HasImages { get; private set; }

    private bool HasAnnotations { get; set; }

    /// <summary>Reads the next piece.</summary>
    /// <param name="piece">The piece; its bytes are valid until the next call.</param>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="DatasetException">The file is no JSON object, is cut off, or an element is too large.</exception>
    public bool Next(out CocoPiece piece)
    {
        if (_list != CocoPieceKind.Frame && NextElement(out piece))
            return true;
        return NextFrame(out piece);
    }

    private bool NextElement(out CocoPiece piece)
    {
        var hasComma = false;
        for (; ; _at++)
        {
            Require(1);
            var next = _buffer[_at];
            if (next == ',' && !_isFirst && !hasComma)
                hasComma = true;
            else if (!IsSpace(next))
                break;
        }
        piece = default;
        if (_buffer[_at] == ']')
        {
            if (hasComma)
                throw Broken("expected another element after a comma");
            // It belongs to the frame, as does the white space before it.
            _list = CocoPieceKind.Frame;
            return false;
        }
        if (!_isFirst && !hasComma)
            throw Broken("expected a comma between two elements");
        var before = _at - _start;
        SkipValue();
        piece = new CocoPiece(_list, _isFirst, _buffer.AsMemory(_start, before), _buffer.AsMemory(
            _start + before, _at - _start - before), _offset + _start + before);
        (_start, _isFirst) = (_at, false);
        return true;
    }

    private bool NextFrame(out CocoPiece piece)
    {
        while (true)
        {
            if (_isBegun && _depth == 0 && _buffer.AsSpan(_at, _end - _at).IndexOfAnyExcept(" \t\r\n"u8) is var other and >= 0)
            {
                _at += other;
                throw Broken("expected the end of the file after its object");
            }
            var found = _buffer.AsSpan(_at, _end - _at).IndexOfAny(OutsideOfStrings);
            if (found < 0)
            {
                _at = _end;
                // What is understood is given, so that a long field need not fit into memory.
                if (_at > _start)
                    return Give(out piece);
                if (Fill())
                    continue;
                piece = default;
                return !_isBegun || _depth > 0 ? throw Broken(_isBegun
                    ? "expected the end of the file's object; the file is cut off"
                    : "expected a JSON object that starts with '{'") : false;
            }
            _at += found;
            switch (_buffer[_at])
            {
                case (byte)'"':
                    if (!_isBegun)
                        throw Broken("expected a JSON object that starts with '{'");
                    var start = _at - _start;
                    SkipString();
                    if (_depth == 1)
                        _text = _buffer[(_start + start + 1)..(_at - 1)];
                    break;
                case (byte)':':
                    _at++;
                    if (_depth == 1)
                        _key = _text;
                    break;
                case (byte)'{' or (byte)'[':
                    if (!_isBegun && _buffer[_at] != '{')
                        throw Broken("expected a JSON object that starts with '{'");
                    (_isBegun, _list) = (true, _depth == 1 && _buffer[_at] == '[' ? ListOf(_key) : CocoPieceKind.Frame);
                    _at++;
                    _depth++;
                    if (_list == CocoPieceKind.Frame)
                        break;
                    _isFirst = true;
                    HasImages |= _list == CocoPieceKind.Image;
                    HasAnnotations |= _list == CocoPieceKind.Annotation;
                    return Give(out piece);
                default:
                    if (--_depth < 0)
                        throw Broken("expected no further closing bracket");
                    _at++;
                    break;
            }
        }
    }

    private bool Give(out CocoPiece piece)
    {
        piece = new CocoPiece(CocoPieceKind.Frame, false, default, _buffer.AsMemory(_start, _at - _start), _offset + _start);
        _start = _at;
        return true;
    }

    private static CocoPieceKind ListOf(ReadOnlySpan<byte> key) =>
        key.SequenceEqual("images"u8)
        ? CocoPieceKind.Image : key.SequenceEqual("annotations"u8) ? CocoPieceKind.Annotation : CocoPieceKind.Frame;

    /// <summary>Goes to the end of the value that begins here.</summary>
    private void SkipValue()
    {
        if (_buffer[_at] == '"')
        {
            SkipString();
            return;
        }
        if (_buffer[_at] is not ((byte)'{' or (byte)'['))
        {
            for (; !IsSpace(_buffer[_at]) && _buffer[_at] is not ((byte)',' or (byte)']' or (byte)'}'); Require(1))
                _at++;
            return;
        }
        for (var depth = 0; ;)
        {
            var found = _buffer.AsSpan(_at, _end - _at).IndexOfAny(InElement);
            if (found < 0)
            {
                _at = _end;
                Require(1);
                continue;
            }
            _at += found;
            if (_buffer[_at] == '"')
            {
                SkipString();
                continue;
            }
            depth += _buffer[_at++] is (byte)'{' or (byte)'[' ? 1 : -1;
            if (depth == 0)
                return;
        }
    }

    /// <summary>Goes to the end of the string that begins here.</summary>
    private void SkipString()
    {
        for (_at++; ;)
        {
            var found = _buffer.AsSpan(_at, _end - _at).IndexOfAny(WithinString);
            if (found < 0)
            {
                _at = _end;
                Require(1);
                continue;
            }
            _at += found;
            if (_buffer[_at] == '"')
            {
                _at++;
                return;
            }
            Require(2);
            _at += 2;
        }
    }

    /// <summary>Makes sure that so many bytes are there.</summary>
    private void Require(int count)
    {
        while (_end - _at < count)
            if (!Fill())
                throw Broken("expected the end of a list or text; the file is cut off");
    }

    /// <summary>Reads on, after moving what has not been given to the buffer's start. False at the end of the file.</summary>
    private bool Fill()
    {
        if (_atEnd)
            return false;
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _at, _end, _offset) = (0, _at - _start, _end - _start, _offset + _start);
        }
        if (_end > LineReader.MaxRecordBytes)
            throw Broken($"expected elements of at most {LineReader.MaxRecordBytes >> 20} MiB; found one that is larger");
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = DatasetFile.Read(stream, _buffer.AsSpan(_end), name);
        if (_offset == 0 && _end == 0 && FileKind.OtherThanJson(_buffer.AsSpan(0, read)) is { } kind)
            throw FileKind.Refusal(name, "JSON", kind);
        _end += read;
        _atEnd = read == 0;
        return !_atEnd;
    }

    private static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

    private DatasetException Broken(string what) => new($"{name}: {what} (byte {_offset + _at} of the file).");
}

/// <summary>The ids of images, which are whole numbers or texts.</summary>
internal sealed class CocoIds
{
    private readonly HashSet<long> _numbers = [];
    private readonly HashSet<string> _texts = new(StringComparer.Ordinal);

    /// <summary>Adds an image's id.</summary>
    /// <param name="image">The image's bytes.</param>
    public void AddOf(ReadOnlyMemory<byte> image)
    {
        if (Read(image, "id"u8, out var number, out var text))
            _numbers.Add(number);
        else if (text != null)
            _texts.Add(text);
    }

    /// <summary>Whether an annotation's image is among them.</summary>
    /// <param name="annotation">The annotation's bytes.</param>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public bool HasImageOf(ReadOnlyMemory<byte> annotation) =>
        Read(annotation, "image_id"u8, out var number, out var text) ? _numbers.Contains(number) : text != null && _texts.Contains(text);

    /// <summary>Reads a field that is an id.</summary>
    /// <returns>True for a whole number; false for a text, for none, and for anything else, whose text is its bytes.</returns>
    private static bool Read(ReadOnlyMemory<byte> value, ReadOnlySpan<byte> field, out long number, out string? text)
    {
        using var document = RecordJson.Parse(value);
        (number, text) = (0, null);
        if (document.RootElement.ValueKind != JsonValueKind.Object || RecordJson.Field(document.RootElement, field) is not { } id)
            return false;
        if (id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out number))
            return true;
        // Texts and other numbers do not get into each other's way: a text has its quotes.
        text = id.ValueKind == JsonValueKind.Null
            ? null : id.ValueKind == JsonValueKind.String ? $"\"{RecordJson.Text(id)}" : RecordJson.Raw(id);
        return false;
    }
}
