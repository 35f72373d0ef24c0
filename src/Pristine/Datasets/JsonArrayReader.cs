using System.Text.Json;

namespace Pristine.Datasets;

/// <summary>One element of a JSON array.</summary>
/// <param name="Before">The bytes since the previous element: white space and a comma; empty for the first.</param>
/// <param name="Value">The element's own bytes.</param>
/// <param name="Line">The line it starts in, from 1.</param>
internal readonly record struct JsonElementBytes(ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> Value, long Line);

/// <summary>
/// Cuts a stream that holds one JSON array into its elements, checking the grammar on the way; holds one element at a time. The bytes
/// between the elements are kept too, so that what is read can be written again byte for byte. Python's <c>NaN</c>, <c>Infinity</c> and
/// <c>-Infinity</c> pass as values; see <see cref="RecordJson"/>.
/// </summary>
internal sealed class JsonArrayReader
{
    private readonly Stream _stream;
    private readonly string _name;
    private byte[] _buffer;
    private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = RecordReader.MaxDepth });
    private int _start;      // end of the previous element; the bytes from here on are kept
    private int _scanned;    // up to here the tokens were read
    private int _end;        // of what was read from the stream
    private bool _atEnd;
    private long _offset;    // of _buffer[0] in the stream
    private long _line;      // that _start lies in, from 0
    private long _lineStart; // of that line in the stream
    private bool _isFirst = true;

    // Python's words in the buffer, in order, which the parser reads as a zero and spaces in their place.
    private readonly Queue<(long Offset, byte[] Word)> _words = new();

    /// <summary>Starts reading.</summary>
    /// <param name="stream">The stream, which the caller closes.</param>
    /// <param name="name">Its name for messages.</param>
    /// <param name="bufferSize">First size of the buffer in bytes; it grows to the largest element.</param>
    public JsonArrayReader(Stream stream, string name, int bufferSize = LineReader.DefaultBufferSize)
    {
        _stream = stream;
        _name = name;
        _buffer = new byte[bufferSize];
        while (_end < FileKind.Bytes && !_atEnd)
            Fill();
        if (FileKind.OtherThanJson(_buffer.AsSpan(0, _end)) is { } found)
            throw FileKind.Refusal(name, "JSON", found);
        if (_buffer.AsSpan(0, _end).StartsWith(LineReader.Bom))
            _lineStart = _scanned = LineReader.Bom.Length;
    }

    /// <summary>
    /// Everything up to the first element, or up to the closing bracket of an empty array. Known after the first call of
    /// <see cref="Next"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Opening { get; private set; }

    /// <summary>Everything after the last element. Known after <see cref="Next"/> returned false.</summary>
    public ReadOnlyMemory<byte> Closing { get; private set; }

    /// <summary>The end of the latest element, in bytes from the start of the stream.</summary>
    public long Position => _offset + _start;

    /// <summary>Reads the next element.</summary>
    /// <param name="element">The element; it stays valid.</param>
    /// <returns>False after the array's end.</returns>
    /// <exception cref="DatasetException">The grammar is broken, the stream ends within the array, or an element is too large.</exception>
    public bool Next(out JsonElementBytes element)
    {
        var start = -1;   // of the element in the buffer, once it is known
        var bracket = -1; // of the array's closing bracket
        while (true)
        {
            var reader = new Utf8JsonReader(_buffer.AsSpan(_scanned, _end - _scanned), _atEnd, _state);
            try
            {
                while (reader.Read())
                {
                    var token = _scanned + (int)reader.TokenStartIndex;
                    var isClosing = reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray;
                    if (reader.CurrentDepth == 0)
                    {
                        if (isClosing)
                            bracket = token;
                        else if (reader.TokenType != JsonTokenType.StartArray)
                            throw Broken(_line, _offset + token - _lineStart, "expected a JSON array of records that starts with '['");
                        continue;
                    }
                    if (reader.CurrentDepth > 1)
                        continue;
                    if (start < 0)
                        start = token;
                    if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                        continue;
                    var end = _scanned + (int)reader.BytesConsumed;
                    // The element is one of Python's words: the parser has read the zero in its place, and spaces are left.
                    if (_words.TryPeek(out var word) && word.Offset == _offset + start)
                        end = start + word.Word.Length;
                    _state = reader.CurrentState;
                    element = Take(start, end);
                    return true;
                }
            }
            catch (JsonException e)
            {
                var at = _scanned + (int)reader.BytesConsumed;
                if (ReplaceWords(at, out var isCut))
                    continue;
                if (isCut && !_atEnd)
                {
                    ReadOn();
                    continue;
                }
                throw Broken(e.LineNumber ?? 0, e.BytePositionInLine ?? 0, RecordReader.Describe(e), e);
            }
            _state = reader.CurrentState;
            _scanned += (int)reader.BytesConsumed;
            if (_atEnd)
            {
                End(bracket);
                element = default;
                return false;
            }
            if (_end - _start > LineReader.MaxRecordBytes)
                throw Broken(
                    _line, _offset + _start - _lineStart,
                    $"expected records of at most {LineReader.MaxRecordBytes >> 20} MiB; found one that is larger");
            ReadOn();
        }

        void ReadOn()
        {
            var moved = Fill();
            start -= start < 0 ? 0 : moved;
            bracket -= bracket < 0 ? 0 : moved;
        }
    }

    /// <summary>
    /// Where the parser stopped at one of Python's words, replaces it and those that follow it in the buffer by numbers of the same length.
    /// </summary>
    /// <param name="at">The end of the last token that the parser has read.</param>
    /// <param name="isCut">True where the buffer may end within a word.</param>
    /// <returns>True when a word was replaced: the parser can try again.</returns>
    private bool ReplaceWords(int at, out bool isCut)
    {
        isCut = false;
        while (at < _end && _buffer[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)',' or (byte)':')
            at++;
        if (!RecordJson.StartsWithWord(_buffer.AsSpan(at, _end - at), out var length))
            return false;
        isCut = length == 0;
        for (var inString = false; at < _end && !isCut; at++)
        {
            if (inString)
            {
                if (_buffer[at] == '\\')
                    at++;
                else
                    inString = _buffer[at] != '"';
            }
            else if (_buffer[at] == '"')
                inString = true;
            else if (RecordJson.StartsWithWord(_buffer.AsSpan(at, _end - at), out length))
            {
                if (length == 0)
                    break;
                var word = _buffer.AsSpan(at, length);
                _words.Enqueue((_offset + at, word.ToArray()));
                word.Fill((byte)' ');
                word[0] = (byte)'0';
                at += length - 1;
            }
        }
        return !isCut;
    }

    private JsonElementBytes Take(int start, int end)
    {
        if (_isFirst)
            Opening = Cut(start);
        _isFirst = false;
        var before = start - _start;
        var line = _line + 1 + _buffer.AsSpan(_start, before).Count((byte)'\n');
        var bytes = Cut(end);
        _scanned = end;
        return new JsonElementBytes(bytes.AsMemory(0, before), bytes.AsMemory(before), line);
    }

    private void End(int bracket)
    {
        if (_isFirst)
            Opening = Cut(bracket);
        Closing = Cut(_end);
    }

    /// <summary>Takes the kept bytes up to a position in the buffer.</summary>
    private byte[] Cut(int end)
    {
        var bytes = _buffer.AsSpan(_start, end - _start);
        _line += bytes.Count((byte)'\n');
        if (bytes.LastIndexOf((byte)'\n') is var newline and >= 0)
            _lineStart = _offset + _start + newline + 1;
        var cut = bytes.ToArray();
        var offset = _offset + _start;
        while (_words.TryPeek(out var word) && word.Offset < offset + cut.Length)
        {
            word.Word.CopyTo(cut, word.Offset - offset);
            _words.Dequeue();
        }
        _start = end;
        return cut;
    }

    /// <summary>Reads on, after moving the kept bytes to the buffer's start.</summary>
    /// <returns>How far they were moved.</returns>
    private int Fill()
    {
        var moved = _start;
        if (moved > 0)
        {
            _buffer.AsSpan(moved, _end - moved).CopyTo(_buffer);
            (_start, _scanned, _end, _offset) = (0, _scanned - moved, _end - moved, _offset + moved);
        }
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = DatasetFile.Read(_stream, _buffer.AsSpan(_end), _name);
        _end += read;
        _atEnd = read == 0;
        return moved;
    }

    private DatasetException Broken(long line, long positionInLine, string what, Exception? cause = null)
    {
        var lineStart = _lineStart;
        var at = _start;
        for (var number = _line; number < line && _buffer.AsSpan(at, _end - at).IndexOf((byte)'\n') is var newline and >= 0; number++)
        {
            at += newline + 1;
            lineStart = _offset + at;
        }
        return new DatasetException($"{_name}:{line + 1}: {what} (byte {lineStart + positionInLine} of the file).", cause!);
    }
}
