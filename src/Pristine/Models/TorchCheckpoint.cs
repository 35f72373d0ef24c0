using System.Collections.ObjectModel;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Pristine.Models;

/// <summary>
/// Reads tensors out of the zip files that torch.save (state dicts) and torch.jit.save (modules) write. The pickle inside is read as
/// data and never executed; code in the archive is not looked at.
/// </summary>
internal static class TorchCheckpoint
{
    /// <summary>Reads a state dict: a pickled dict from names to tensors.</summary>
    /// <param name="file">Contents of the file.</param>
    /// <param name="source">Its name for messages, for example <c>ARNIQA.pth</c>.</param>
    /// <returns>All tensors by name.</returns>
    /// <exception cref="ModelException">
    /// The file is damaged, cut off, no such archive, or asks for something other than tensors.
    /// </exception>
    public static IReadOnlyDictionary<string, TorchTensor> ReadStateDict(byte[] file, string source) =>
        Tensors(source, Unpickle(file, source) switch
        {
            Dictionary<object, object?> dict => dict,
            var other => throw new ModelException($"{source}: expected a state dict; found {Describe(other)}."),
        });

    /// <summary>Reads the tensors that a TorchScript module holds as attributes; submodules are not followed.</summary>
    /// <param name="file">Contents of the file.</param>
    /// <param name="source">Its name for messages, for example <c>regressor_kadid10k.pth</c>.</param>
    /// <returns>The tensors by attribute name.</returns>
    /// <exception cref="ModelException">
    /// The file is damaged, cut off, no such archive, or asks for something other than tensors.
    /// </exception>
    public static IReadOnlyDictionary<string, TorchTensor> ReadModule(byte[] file, string source) =>
        Tensors(source, Unpickle(file, source) switch
        {
            TorchPickle.Module { State: { } state } => state,
            var other => throw new ModelException($"{source}: expected a TorchScript module; found {Describe(other)}."),
        });

    private static string Describe(object? value) => value switch
    {
        null => "None",
        TorchPickle.Module module => $"a module {module.Name}",
        Dictionary<object, object?> => "a state dict",
        _ => value.GetType().Name,
    };

    private static Dictionary<string, TorchTensor> Tensors(string source, Dictionary<object, object?> values)
    {
        var tensors = values.Where(pair => pair.Value is TorchTensor)
            .ToDictionary(pair => pair.Key.ToString()!, pair => (TorchTensor)pair.Value!, StringComparer.Ordinal);
        return tensors.Count > 0 ? tensors : throw new ModelException($"{source}: expected tensors; found none.");
    }

    private static object? Unpickle(byte[] file, string source)
    {
        ArgumentNullException.ThrowIfNull(file);
        using var archive = new TorchArchive(file, source);
        return new TorchPickle(source, archive).Read(archive.Read("data.pkl"));
    }
}

/// <summary>The zip file: one folder that holds data.pkl and the storages data/0, data/1, ...</summary>
internal sealed class TorchArchive : IDisposable
{
    /// <summary>
    /// Archives of weights are stored uncompressed, so their contents are about as large as the file. More than this factor, plus an
    /// allowance for the deflated code of small modules, is a zip bomb.
    /// </summary>
    private const int MaxExpansion = 2;
    private const long ExpansionAllowance = 16 << 20;

    private readonly string _source;
    private readonly ZipArchive _zip;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);

    public TorchArchive(byte[] file, string source)
    {
        _source = source;
        _zip = Open(file);
        Index(file.Length);
        if (_entries.ContainsKey("byteorder") && Encoding.ASCII.GetString(Read("byteorder")) is var order && order != "little")
            throw Bad($"expected little-endian storages; found '{order}'");
    }

    /// <summary>The content of an entry, its size and checksum verified.</summary>
    /// <param name="name">Name below the archive's folder.</param>
    public byte[] Read(string name)
    {
        if (!_entries.TryGetValue(name, out var entry))
            throw Bad(
                $"expected an entry '{name}' in the archive; found " +
                $"{string.Join(", ", _entries.Keys.Order(StringComparer.Ordinal).Take(5))}, ...");
        var content = new byte[entry.Length];
        int read;
        bool more;
        try
        {
            using var stream = entry.Open();
            read = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            more = stream.ReadByte() >= 0;
        }
        catch (InvalidDataException error)
        {
            throw new ModelException($"{_source}: '{name}' cannot be read; {error.Message}", error);
        }
        if (read < content.Length || more)
            throw Bad($"'{name}' should have {content.Length} bytes; found {(more ? "more" : read)}: the file is damaged");
        if (Crc32.HashToUInt32(content) != entry.Crc32)
            throw Bad($"the checksum of '{name}' is wrong: the file is damaged");
        return content;
    }

    public void Dispose() => _zip.Dispose();

    private ZipArchive Open(byte[] file)
    {
        if (file is [0x80, ..])
            throw Bad("found a bare pickle, the format of PyTorch before 1.6; save it again with a newer PyTorch");
        try
        {
            return new ZipArchive(new MemoryStream(file, writable: false), ZipArchiveMode.Read);
        }
        catch (InvalidDataException error)
        {
            throw new ModelException(
                $"{_source}: expected a zip archive as torch.save writes it; it is something else, or cut off. {error.Message}", error);
        }
    }

    private void Index(long fileLength)
    {
        string? folder = null;
        long total = 0;
        foreach (var entry in Directory())
        {
            var name = entry.FullName;
            if (name.StartsWith('/') || name.AsSpan().ContainsAny('\\', ':') || name.Split('/').Any(part => part is "." or ".."))
                throw Bad($"found the entry '{name}': names with '..', '\\', ':' or a leading '/' are refused");
            total += entry.Length;
            if (total > fileLength * MaxExpansion + ExpansionAllowance)
                throw Bad($"the contents would be far larger than the file of {fileLength} bytes (a zip bomb); they are refused");
            var slash = name.IndexOf('/', StringComparison.Ordinal);
            folder ??= slash < 0 ? "" : name[..slash];
            if (slash < 0 || name[..slash] != folder)
                throw Bad($"expected all entries in one folder; found '{name}' beside '{folder}/'");
            if (!_entries.TryAdd(name[(slash + 1)..], entry))
                throw Bad($"found two entries '{name}'");
        }
    }

    private ReadOnlyCollection<ZipArchiveEntry> Directory()
    {
        try
        {
            return _zip.Entries;
        }
        catch (InvalidDataException error)
        {
            throw new ModelException($"{_source}: the zip archive's directory is damaged; {error.Message}", error);
        }
    }

    private ModelException Bad(string message) => new($"{_source}: {message}.");
}

/// <summary>What the pickles of PyTorch mean: dicts, tensors over storages, and modules with a state.</summary>
internal sealed class TorchPickle(string source, TorchArchive archive) : PickleReader(source)
{
    private enum Function
    {
        NewDict,
        RebuildTensor,
        RebuildParameter,
    }

    /// <summary>A TorchScript class; its name is mangled, so any will do.</summary>
    private sealed record ModuleClass(string Name);

    /// <summary>An object of a TorchScript class.</summary>
    internal sealed class Module(string name)
    {
        public string Name { get; } = name;

        public Dictionary<object, object?>? State { get; set; }
    }

    private sealed record Storage(TorchElement Element, byte[] Bytes, long Count);

    private readonly Dictionary<string, Storage> _storages = new(StringComparer.Ordinal);

    protected override object Global(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => Function.NewDict,
        ("torch._utils", "_rebuild_tensor_v2") => Function.RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Function.RebuildParameter,
        ("torch", "FloatStorage") => TorchElement.Float32,
        ("torch", "DoubleStorage") => TorchElement.Float64,
        ("torch", "HalfStorage") => TorchElement.Float16,
        ("torch", "BFloat16Storage") => TorchElement.BFloat16,
        ("torch", "LongStorage") => TorchElement.Int64,
        _ when module == "__torch__" || module.StartsWith("__torch__.", StringComparison.Ordinal) => new ModuleClass($"{module}.{name}"),
        _ => throw Bad($"found the global {module}.{name}, which is not on the list of what weights need; it is refused, not run"),
    };

    protected override object? Call(object callee, object?[] arguments) => callee switch
    {
        Function.NewDict when arguments.Length == 0 => new Dictionary<object, object?>(),
        Function.RebuildTensor when arguments.Length >= 4 => Rebuild(arguments),
        Function.RebuildParameter when arguments.Length >= 1 => Expect<TorchTensor>(arguments[0], "the tensor of a parameter"),
        _ => throw Bad($"found a call of {callee} with {arguments.Length} arguments, which is not allowed"),
    };

    protected override object New(object type, object?[] arguments) =>
        arguments.Length == 0
        ? new Module(Expect<ModuleClass>(type, "a TorchScript class").Name)
        : throw Bad("expected a module made without arguments");

    protected override void SetState(object? target, object? state)
    {
        switch (target)
        {
            case Module module:
                module.State = Expect<Dictionary<object, object?>>(state, "a dict as the state of a module");
                break;
            // The state of an OrderedDict is its attribute _metadata: version numbers of the modules, not needed.
            case Dictionary<object, object?>:
                break;
            default:
                throw Bad($"found a state for {target?.GetType().Name ?? "None"}, which has none");
        }
    }

    /// <summary>A storage: ('storage', type, key, device, number of elements).</summary>
    protected override object Persistent(object? id)
    {
        if (id is not object?[] { Length: 5 } parts || parts is not ["storage", TorchElement element, string key, string, long count])
            throw Bad("expected the id of a storage ('storage', type, key, device, count)");
        if (_storages.TryGetValue(key, out var known))
            return known.Element == element && known.Count == count ? known : throw Bad($"the storage {key} is described in two ways");
        var bytes = archive.Read("data/" + key);
        if (count < 0 || bytes.Length / TorchTensor.SizeOf(element) != count || bytes.Length % TorchTensor.SizeOf(element) != 0)
            throw Bad($"expected {count} elements of {element} in data/{key}; found {bytes.Length} bytes");
        return _storages[key] = new Storage(element, bytes, count);
    }

    /// <summary>A tensor: (storage, offset, shape, strides, ...), all in elements.</summary>
    private TorchTensor Rebuild(object?[] arguments)
    {
        var storage = Expect<Storage>(arguments[0], "a storage");
        var offset = Expect<long>(arguments[1], "an offset");
        var shape = Integers(arguments[2], "a shape");
        var strides = Integers(arguments[3], "strides");
        var description = $"a tensor of shape [{string.Join(", ", shape)}], strides [{string.Join(", ", strides)}] and offset {offset}";
        if (shape.Length != strides.Length)
            throw Bad($"found {description}: expected as many strides as dimensions");
        try
        {
            var count = shape.Aggregate(1L, (product, side) => checked(product * side));
            var last = shape.Zip(strides).Aggregate(offset, (index, d) => checked(index + (d.First - 1) * d.Second));
            if (offset < 0 || count > Array.MaxLength || shape.Any(side => side is < 0 or > int.MaxValue)
                || strides.Any(stride => stride < 0) || (count > 0 && last >= storage.Count))
                throw Bad($"found {description}, which does not lie within its storage of {storage.Count} elements");
            return new TorchTensor(storage.Element, storage.Bytes, offset, [.. shape.Select(side => (int)side)], strides);
        }
        catch (OverflowException)
        {
            throw Bad($"found {description}, which no storage can hold");
        }
    }

    private long[] Integers(object? value, string what) => [.. Expect<object?[]>(value, what).Select(v => Expect<long>(v, "an integer"))];
}
