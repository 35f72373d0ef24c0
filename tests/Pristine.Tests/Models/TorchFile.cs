using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Pristine.Tests.Models;

/// <summary>Writes zip archives with pickles in the layout of torch.save and torch.jit.save, sound ones and hostile ones.</summary>
internal sealed class TorchFile
{
    private readonly List<(string Name, byte[] Content)> _entries = [];
    private readonly List<byte> _pickle = [];
    private readonly bool _isModule;

    /// <summary>Begins a state dict, or a TorchScript module with tensors as attributes.</summary>
    public TorchFile(bool isModule = false)
    {
        _isModule = isModule;
        Raw([0x80, 2]);
        if (isModule)
            Raw(Ascii("c__torch__.sk2torch.___torch_mangle_0\nTorchLinearRegression\n)\x81}("));
        else
            Raw(Ascii("ccollections\nOrderedDict\n)R("));
    }

    /// <summary>Folder of the archive.</summary>
    public string Folder { get; init; } = "archive";

    public static byte[] Ascii(string text) => Encoding.Latin1.GetBytes(text);

    public static byte[] Floats(params float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();

    public void Raw(ReadOnlySpan<byte> bytes) => _pickle.AddRange(bytes);

    public void Text(string text)
    {
        Raw(Ascii("X"));
        Integer32(text.Length);
        Raw(Encoding.UTF8.GetBytes(text));
    }

    public void Entry(string name, byte[] content) => _entries.Add(($"{Folder}/{name}", content));

    /// <summary>An entry under exactly this name.</summary>
    public void BareEntry(string name, byte[] content) => _entries.Add((name, content));

    /// <summary>A tensor over a storage; the storage's content is an entry of its own, so that tensors may share it.</summary>
    public TorchFile Tensor(string name, string storageType, string key, long count, long offset, int[] shape, int[] strides)
    {
        Text(name);
        Raw(Ascii("ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\n" + storageType + "\n"));
        Text(key);
        Text("cpu");
        Integer(count);
        Raw(Ascii("tQ"));
        Integer(offset);
        Tuple(shape);
        Tuple(strides);
        Raw(Ascii("\x89" + "ccollections\nOrderedDict\n)RtR"));
        return this;
    }

    /// <summary>A contiguous float tensor with a storage of its own.</summary>
    public TorchFile Tensor(string name, float[] values, params int[] shape)
    {
        var strides = new int[shape.Length];
        for (var (d, step) = (shape.Length - 1, 1); d >= 0; step *= shape[d], d--)
            strides[d] = step;
        var key = $"{_entries.Count}";
        Entry("data/" + key, Floats(values));
        return Tensor(name, "FloatStorage", key, values.Length, 0, shape, strides);
    }

    public byte[] ToArray(CompressionLevel compression = CompressionLevel.NoCompression)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            var end = Ascii(_isModule ? "ub." : "u.");
            foreach (var (name, content) in _entries.Prepend(($"{Folder}/data.pkl", [.. _pickle, .. end])))
            {
                using var stream = zip.CreateEntry(name, compression).Open();
                stream.Write(content);
            }
        }
        return file.ToArray();
    }

    private void Tuple(int[] values)
    {
        Raw(Ascii("("));
        foreach (var value in values)
            Integer(value);
        Raw(Ascii("t"));
    }

    private void Integer(long value)
    {
        Span<byte> bytes = stackalloc byte[10];
        bytes[0] = 0x8a;
        bytes[1] = 8;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], value);
        Raw(bytes);
    }

    private void Integer32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        Raw(bytes);
    }
}
