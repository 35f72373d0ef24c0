using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Pristine.Datasets;

namespace Pristine.PaddleMix;

/// <summary>The arguments of Python's <c>json.dump</c> that matter to the bytes.</summary>
/// <param name="Indent">Spaces per level; null for one line.</param>
/// <param name="ItemSeparator">Between values on one line.</param>
/// <param name="KeySeparator">Between name and value.</param>
/// <param name="EscapesNonAscii">Python's <c>ensure_ascii</c>.</param>
internal sealed record PythonJsonStyle(int? Indent, string ItemSeparator, string KeySeparator, bool EscapesNonAscii)
{
    /// <summary><c>json.dump(items, f, ensure_ascii=False, indent=4)</c>.</summary>
    public static PythonJsonStyle Indented { get; } = new(4, ",", ": ", false);

    /// <summary><c>json.dumps(item, separators=(',', ':'))</c>.</summary>
    public static PythonJsonStyle Compact { get; } = new(null, ",", ":", true);
}

/// <summary>
/// Writes JSON with the bytes that Python's json module gives for the same style. Numbers keep their spelling, where Python would spell
/// them anew, and a text with a lone surrogate is written as it was read.
/// </summary>
internal sealed class PythonJsonWriter(TextWriter output, PythonJsonStyle style)
{
    private int _level;
    private bool _hasWords;

    /// <summary>Writes the items as an array.</summary>
    public void Write(IEnumerable<MMItem> items) => Block('[', ']', items, Write);

    /// <summary>Writes one item.</summary>
    public void Write(MMItem item)
    {
        if (ReferenceEquals(item, MMItem.Null))
            output.Write("null");
        else
        {
            _hasWords = item.HasWords;
            Block('{', '}', item.Written, field =>
            {
                Text(field.Key);
                output.Write(style.KeySeparator);
                Write(field.Value);
            });
        }
    }

    private void Write(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                Block('{', '}', value.EnumerateObject(), property =>
                {
                    Text(() => property.Name, () => JsonMarshal.GetRawUtf8PropertyName(property).ToArray());
                    output.Write(style.KeySeparator);
                    Write(property.Value);
                });
                break;
            case JsonValueKind.Array:
                Block('[', ']', value.EnumerateArray(), Write);
                break;
            case JsonValueKind.String when _hasWords && value.GetRawText() is ['"', RecordJson.WordMark, .. var word, '"']:
                output.Write(word);
                break;
            case JsonValueKind.String:
                Text(() => value.GetString()!, () => JsonMarshal.GetRawUtf8Value(value)[1..^1].ToArray());
                break;
            default:
                output.Write(value.GetRawText());
                break;
        }
    }

    private void Block<T>(char open, char close, IEnumerable<T> values, Action<T> write)
    {
        output.Write(open);
        _level++;
        var isEmpty = true;
        foreach (var value in values)
        {
            if (!isEmpty)
                output.Write(style.ItemSeparator);
            NewLine();
            isEmpty = false;
            write(value);
        }
        _level--;
        if (!isEmpty)
            NewLine();
        output.Write(close);
    }

    private void NewLine()
    {
        if (style.Indent is not { } indent)
            return;
        output.Write('\n');
        for (var i = 0; i < indent * _level; i++)
            output.Write(' ');
    }

    private void Text(Func<string> decoded, Func<byte[]> raw)
    {
        string text;
        try
        {
            text = decoded();
        }
        // A lone surrogate has no form as text; its escape has.
        catch (InvalidOperationException)
        {
            output.Write('"');
            output.Write(Encoding.UTF8.GetString(raw()));
            output.Write('"');
            return;
        }
        Text(text);
    }

    private void Text(string text)
    {
        output.Write('"');
        foreach (var c in text)
        {
            switch (c)
            {
                case '"':
                    output.Write("\\\"");
                    break;
                case '\\':
                    output.Write(@"\\");
                    break;
                case '\n':
                    output.Write(@"\n");
                    break;
                case '\r':
                    output.Write(@"\r");
                    break;
                case '\t':
                    output.Write(@"\t");
                    break;
                case '\f':
                    output.Write(@"\f");
                    break;
                case '\b':
                    output.Write(@"\b");
                    break;
                case < ' ':
                case > '~' when style.EscapesNonAscii:
                    output.Write(string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"));
                    break;
                default:
                    output.Write(c);
                    break;
            }
        }
        output.Write('"');
    }
}
