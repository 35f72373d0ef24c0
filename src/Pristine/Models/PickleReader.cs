using System.Buffers.Binary;
using System.Text;

namespace Pristine.Models;

/// <summary>
/// Reads a Python pickle as data. It knows the opcodes that torch.save and TorchScript write (protocol 2) and refuses every other one
/// by name; nothing is imported and nothing runs. What a global means is the subclass's decision, and one it does not know is refused.
/// Values come out as null, bool, long, double, string, object?[] (tuple), List (list), Dictionary (dict) and what the subclass makes.
/// </summary>
internal abstract class PickleReader(string source)
{
    /// <summary>Marks the beginning of a run of values on the stack.</summary>
    private static readonly object Mark = new();

    private readonly Stack<object?> _stack = new();
    private readonly Dictionary<uint, object?> _memo = [];
    private byte[] _bytes = [];
    private int _position;

    /// <summary>The pickle's name in error messages.</summary>
    protected string Source { get; } = source;

    /// <summary>Reads the value that the pickle describes.</summary>
    /// <exception cref="ModelException">The pickle is damaged, cut off, or asks for something that is not allowed.</exception>
    public object? Read(byte[] bytes)
    {
        _bytes = bytes;
        _position = 0;
        _stack.Clear();
        _memo.Clear();
        while (true)
        {
            var opcode = Take(1)[0];
            if (opcode == '.')
                break;
            Execute(opcode);
        }
        var value = Pop();
        return _stack.Count == 0 ? value : throw Bad($"expected one value at the end; found {_stack.Count + 1}");
    }

    /// <summary>What <c>module.name</c> stands for; throws for a name that is not allowed.</summary>
    protected abstract object Global(string module, string name);

    /// <summary>The result of calling what <see cref="Global"/> gave.</summary>
    protected abstract object? Call(object callee, object?[] arguments);

    /// <summary>A new object of a class that <see cref="Global"/> gave.</summary>
    protected abstract object New(object type, object?[] arguments);

    /// <summary>The object that stands outside the pickle under this id.</summary>
    protected abstract object Persistent(object? id);

    /// <summary>Gives an object its state.</summary>
    protected abstract void SetState(object? target, object? state);

    protected ModelException Bad(string message) => new($"{Source}: at byte {_position} of the pickle {message}.");

    /// <summary>The value as a <typeparamref name="T"/>, or an error that says what stood there instead.</summary>
    protected T Expect<T>(object? value, string what) =>
        value is T typed
        ? typed
        : throw Bad($"expected {what}; found {(value == null ? "None" : value == Mark ? "a mark" : value.GetType().Name)}");

    private void Execute(byte opcode)
    {
        switch ((char)opcode)
        {
            case '\x80':
                var protocol = Take(1)[0];
                if (protocol is < 2 or > 5)
                    throw Bad($"expected pickle protocol 2 to 5; found {protocol}");
                break;
            case '(': Push(Mark); break;
            case 'N': Push(null); break;
            case '\x88': Push(true); break;
            case '\x89': Push(false); break;
            case 'K': Push((long)Take(1)[0]); break;
            case 'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case 'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case '\x8a': Push(Long(Take(Take(1)[0]))); break;
            case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case 'X': Push(Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))))); break;
            case '\x8c': Push(Encoding.UTF8.GetString(Take(Take(1)[0]))); break;
            case ')': Push(Array.Empty<object?>()); break;
            case '\x85': Push(new[] { Pop() }); break;
            case '\x86': Push(PopMany(2)); break;
            case '\x87': Push(PopMany(3)); break;
            case 't': Push(PopToMark()); break;
            case ']': Push(new List<object?>()); break;
            case 'a':
                var element = Pop();
                Expect<List<object?>>(Peek(), "a list").Add(element);
                break;
            case 'e':
                var elements = PopToMark();
                Expect<List<object?>>(Peek(), "a list").AddRange(elements);
                break;
            case '}': Push(new Dictionary<object, object?>()); break;
            case 's': SetItems(PopMany(2)); break;
            case 'u': SetItems(PopToMark()); break;
            case 'q': _memo[Take(1)[0]] = Peek(); break;
            case 'r': _memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek(); break;
            case '\x94': _memo[(uint)_memo.Count] = Peek(); break;
            case 'h': Push(Recall(Take(1)[0])); break;
            case 'j': Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case '\x95': Take(8); break;
            case 'c': Push(Global(Line(), Line())); break;
            case '\x93':
                var name = Expect<string>(Pop(), "the name of a global");
                Push(Global(Expect<string>(Pop(), "the module of a global"), name));
                break;
            case 'Q': Push(Persistent(Pop())); break;
            case 'R':
                var arguments = Expect<object?[]>(Pop(), "a tuple of arguments");
                Push(Call(Expect<object>(Pop(), "something to call"), arguments));
                break;
            case '\x81':
                var initial = Expect<object?[]>(Pop(), "a tuple of arguments");
                Push(New(Expect<object>(Pop(), "a class"), initial));
                break;
            case 'b':
                var state = Pop();
                SetState(Peek(), state);
                break;
            default:
                throw Bad($"found the opcode {Refused(opcode)}, which no checkpoint of weights needs; it is refused");
        }
    }

    private static string Refused(byte opcode) => (char)opcode switch
    {
        'i' => "INST",
        'o' => "OBJ",
        '\x92' => "NEWOBJ_EX",
        '\x82' or '\x83' or '\x84' => "EXT",
        'P' => "PERSID",
        'I' => "INT",
        'L' => "LONG",
        '\x8b' => "LONG4",
        'F' => "FLOAT",
        'S' => "STRING",
        'T' => "BINSTRING",
        'U' => "SHORT_BINSTRING",
        'V' => "UNICODE",
        'B' => "BINBYTES",
        'C' => "SHORT_BINBYTES",
        '\x8d' => "BINUNICODE8",
        '\x8e' => "BINBYTES8",
        '\x96' => "BYTEARRAY8",
        '\x97' => "NEXT_BUFFER",
        '\x98' => "READONLY_BUFFER",
        'd' => "DICT",
        'l' => "LIST",
        '\x8f' => "EMPTY_SET",
        '\x90' => "ADDITEMS",
        '\x91' => "FROZENSET",
        'p' => "PUT",
        'g' => "GET",
        '0' => "POP",
        '1' => "POP_MARK",
        '2' => "DUP",
        _ => $"0x{opcode:x2}",
    };

    private void SetItems(object?[] pairs)
    {
        var target = Expect<Dictionary<object, object?>>(Peek(), "a dict");
        if (pairs.Length % 2 != 0)
            throw Bad("expected keys and values in pairs");
        for (var i = 0; i < pairs.Length; i += 2)
        {
            if (pairs[i] is not (string or long))
                throw Bad("expected a string or an integer as the key of a dict");
            target[pairs[i]!] = pairs[i + 1];
        }
    }

    private long Long(ReadOnlySpan<byte> littleEndian)
    {
        if (littleEndian.Length > sizeof(long))
            throw Bad($"expected an integer of at most 64 bits; found {littleEndian.Length} bytes");
        long value = 0;
        for (var i = littleEndian.Length - 1; i >= 0; i--)
            value = i == littleEndian.Length - 1 ? (sbyte)littleEndian[i] : (value << 8) | littleEndian[i];
        return value;
    }

    private string Line()
    {
        var length = _bytes.AsSpan(_position).IndexOf((byte)'\n');
        if (length < 0)
            throw Bad("expected a line; the pickle is cut off");
        var line = Encoding.UTF8.GetString(Take(length));
        _position++;
        return line;
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > _bytes.Length - _position)
            throw Bad($"expected {count} more bytes; found {_bytes.Length - _position}: it is cut off");
        _position += (int)count;
        return _bytes.AsSpan(_position - (int)count, (int)count);
    }

    private object? Recall(uint index) =>
        _memo.TryGetValue(index, out var value) ? value : throw Bad($"expected the memo {index}; it was never stored");

    private void Push(object? value) => _stack.Push(value);

    private object? Peek() => _stack.TryPeek(out var value) ? value : throw Bad("expected a value on the stack; it is empty");

    private object? Pop()
    {
        var value = Peek();
        if (value == Mark)
            throw Bad("expected a value on the stack; found a mark");
        return _stack.Pop();
    }

    private object?[] PopMany(int count)
    {
        var values = new object?[count];
        while (--count >= 0)
            values[count] = Pop();
        return values;
    }

    private object?[] PopToMark()
    {
        var values = new List<object?>();
        while (Peek() != Mark)
            values.Add(_stack.Pop());
        _stack.Pop();
        values.Reverse();
        return [.. values];
    }
}
