using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pristine.Selection;

/// <summary>A file of overrides that cannot be read, or does not fit a table. The message says what was expected and found.</summary>
/// <param name="message">Expected, found, file and line.</param>
/// <param name="innerException">The cause; null if there is none.</param>
public sealed class OverrideException(string message, Exception? innerException = null) : PristineException(message, innerException);

/// <summary>What a person decided about an item, whatever the rules say.</summary>
/// <param name="Index">The item's position in the dataset, from 0.</param>
/// <param name="Id">The item's id.</param>
/// <param name="Keep">True keeps it, false drops it; null takes an earlier decision back.</param>
/// <param name="By">Who decided; null where that is not known.</param>
/// <param name="At">When, in UTC; null where that is not known.</param>
public sealed record ItemOverride(
    [property: JsonRequired] long Index, [property: JsonRequired] string Id, [property: JsonRequired] bool? Keep, string? By, DateTime? At);

/// <summary>
/// Reads and writes <c>overrides.jsonl</c>: one JSON object per line, <c>{"index":7,"id":"a","keep":false}</c>, of which the last about an
/// item counts.
/// </summary>
public static partial class Overrides
{
    /// <summary>The file's usual name.</summary>
    public const string FileName = "overrides.jsonl";

    internal static readonly OverrideJson Json = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // A field that is misspelt must not read as one that is absent.
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
    });

    /// <summary>Reads the decisions that hold: the last of each item that was not taken back, by position.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="OverrideException">It is not there, or a line is no override.</exception>
    public static IReadOnlyList<ItemOverride> Read(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        if (!File.Exists(file))
            throw new OverrideException($"Expected a file of overrides, which 'pristine serve' writes; '{file}' does not exist.");
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return [.. Holding(ReadLines(stream, file, out _))];
    }

    /// <summary>Of several decisions about an item the last, where it was not taken back.</summary>
    internal static IEnumerable<ItemOverride> Holding(IEnumerable<ItemOverride> decisions)
    {
        var last = new Dictionary<(long, string), ItemOverride>();
        foreach (var decision in decisions)
            last[(decision.Index, decision.Id)] = decision;
        return last.Values.Where(decision => decision.Keep != null).OrderBy(decision => decision.Index);
    }

    /// <summary>Reads all lines.</summary>
    /// <param name="stream">The file from its beginning.</param>
    /// <param name="file">Its name for messages.</param>
    /// <param name="whole">
    /// Where the last whole line ends. What follows is the beginning of a line: its writer was stopped before anybody had an answer.
    /// </param>
    internal static List<ItemOverride> ReadLines(Stream stream, string file, out long whole)
    {
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        var text = memory.GetBuffer().AsSpan(0, (int)memory.Length);
        var found = new List<ItemOverride>();
        whole = 0;
        for (var number = 1; whole < text.Length; number++)
        {
            var rest = text[(int)whole..];
            var end = rest.IndexOf((byte)'\n');
            var line = (end < 0 ? rest : rest[..end]).TrimEnd((byte)'\r');
            if (!line.IsEmpty)
            {
                try
                {
                    found.Add(ReadLine(line, string.Create(CultureInfo.InvariantCulture, $"{file}, line {number}")));
                }
                catch (OverrideException) when (end < 0 && !IsJson(line))
                {
                    return found;
                }
            }
            whole += end < 0 ? rest.Length : end + 1;
        }
        return found;
    }

    /// <summary>True for a JSON value from its beginning to its end, and not for the beginning of one.</summary>
    private static bool IsJson(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static ItemOverride ReadLine(ReadOnlySpan<byte> line, string place)
    {
        try
        {
            return JsonSerializer.Deserialize(line, Json.ItemOverride) is { Index: >= 0, Id: not null } read
                ? read
                : throw new JsonException("index or id is missing.");
        }
        catch (JsonException exception)
        {
            throw new OverrideException(
                $"{place}: expected an override such as {{\"index\":7,\"id\":\"a.jpg\",\"keep\":false}}; {exception.Message}", exception);
        }
    }

    /// <summary>An override as a line of the file, with its end.</summary>
    internal static byte[] LineOf(ItemOverride decision) =>
        Encoding.UTF8.GetBytes(JsonSerializer.Serialize(decision, Json.ItemOverride) + "\n");

    [JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
    [JsonSerializable(typeof(ItemOverride))]
    internal sealed partial class OverrideJson : JsonSerializerContext;
}

/// <summary>
/// A file of overrides that decisions are added to. One that was added is on the disk: the file is synchronised before <see cref="Add"/>
/// returns, so that no crash loses it. Safe to use from several threads; one process at a time.
/// </summary>
public sealed class OverrideLog : IDisposable
{
    private readonly FileStream _file;
    private readonly FileStream _writer;
    private readonly Lock _lock = new();
    private readonly Dictionary<(long, string), ItemOverride> _holding;

    private OverrideLog(string path, FileStream file, FileStream writer, IEnumerable<ItemOverride> decisions)
    {
        (Path, _file, _writer) = (path, file, writer);
        _holding = Overrides.Holding(decisions).ToDictionary(decision => (decision.Index, decision.Id));
    }

    /// <summary>The file, absolute.</summary>
    public string Path { get; }

    /// <summary>The decisions that hold, by position.</summary>
    public IReadOnlyList<ItemOverride> Holding
    {
        get
        {
            lock (_lock)
                return [.. _holding.Values.OrderBy(decision => decision.Index)];
        }
    }

    /// <summary>Opens a file, or makes one. A last line without its end is cut off: whoever wrote it never had an answer.</summary>
    /// <param name="path">The file; missing folders are made.</param>
    /// <exception cref="OverrideException">A line is no override, or another process adds to the file.</exception>
    public static OverrideLog Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        var writer = LockOf(path);
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            var decisions = Overrides.ReadLines(file, path, out var whole);
            if (whole < file.Length)
                file.SetLength(whole);
            EndLine(file);
            file.Flush(flushToDisk: true);
            return new OverrideLog(path, file, writer, decisions);
        }
        catch
        {
            file?.Dispose();
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Adds a decision; it is on the disk when this returns.</summary>
    /// <param name="decision">The decision.</param>
    /// <returns>What held of the item before; null for nothing.</returns>
    /// <exception cref="IOException">It could not be written; the file is as it was.</exception>
    public ItemOverride? Add(ItemOverride decision)
    {
        ArgumentNullException.ThrowIfNull(decision);
        lock (_lock)
        {
            var start = _file.Position;
            try
            {
                _file.Write(Overrides.LineOf(decision));
                _file.Flush(flushToDisk: true);
            }
            catch (IOException)
            {
                // Half a line would make the next one unreadable.
                _file.SetLength(start);
                _file.Position = start;
                throw;
            }
            var key = (decision.Index, decision.Id);
            var before = _holding.GetValueOrDefault(key);
            if (decision.Keep == null)
                _holding.Remove(key);
            else
                _holding[key] = decision;
            return before;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _writer.Dispose();
    }

    /// <summary>
    /// A file beside the log that one process holds open exclusively; readers of the log need not wait for it. It stays: deleting it would
    /// let two processes hold two files.
    /// </summary>
    private static FileStream LockOf(string path)
    {
        try
        {
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException exception) when (File.Exists(path + ".lock"))
        {
            throw new OverrideException(
                $"Expected to be the only one that adds overrides to {path}; another process does already. {exception.Message}", exception);
        }
    }

    /// <summary>Ends the last line of a file where an editor has left it open, and stands at the end.</summary>
    private static void EndLine(FileStream file)
    {
        if (file.Length > 0)
        {
            file.Position = file.Length - 1;
            if (file.ReadByte() != '\n')
                file.WriteByte((byte)'\n');
        }
        file.Position = file.Length;
    }
}
