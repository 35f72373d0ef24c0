using System.Buffers.Binary;
using System.IO.Compression;
using Pristine.Models;

namespace Pristine.Tests.Models;

public sealed class TorchCheckpointTests
{
    private const string Name = "weights.pth";

    [Fact]
    public void A_state_dict_gives_its_tensors()
    {
        var file = new TorchFile().Tensor("a.weight", [1, 2, 3, 4, 5, 6], 2, 3).Tensor("a.bias", [7], 1);
        var tensors = TorchCheckpoint.ReadStateDict(file.ToArray(), Name);
        Assert.Equal(["a.weight", "a.bias"], tensors.Keys);
        Assert.Equal([2, 3], tensors["a.weight"].Shape);
        Assert.Equal([1, 2, 3, 4, 5, 6], tensors["a.weight"].ToFloats());
        Assert.Equal([7], tensors["a.bias"].ToFloats());
    }

    [Fact]
    public void A_module_gives_its_tensors_whatever_its_class_is_called()
    {
        var file = new TorchFile(isModule: true).Tensor("weights", [1, 2], 2).Tensor("biases", [3]);
        file.Entry("byteorder", TorchFile.Ascii("little"));
        file.Entry(".data/serialization_id", TorchFile.Ascii("123"));
        file.Entry("code/__torch__/x.py", TorchFile.Ascii("import os"));
        var tensors = TorchCheckpoint.ReadModule(file.ToArray(CompressionLevel.Fastest), Name);
        Assert.Equal([1, 2], tensors["weights"].ToFloats());
        Assert.Empty(tensors["biases"].Shape);
        Assert.Equal([3], tensors["biases"].ToFloats());
    }

    [Fact]
    public void Tensors_may_share_a_storage_with_any_strides()
    {
        var file = new TorchFile();
        file.Entry("data/0", TorchFile.Floats(0, 1, 2, 3, 4, 5));
        file.Tensor("plain", "FloatStorage", "0", 6, 0, [2, 3], [3, 1])
            .Tensor("transposed", "FloatStorage", "0", 6, 0, [3, 2], [1, 3])
            .Tensor("column", "FloatStorage", "0", 6, 1, [2], [3])
            .Tensor("repeated", "FloatStorage", "0", 6, 5, [2, 2], [0, 0])
            .Tensor("empty", "FloatStorage", "0", 6, 0, [0, 4], [4, 1]);
        var tensors = TorchCheckpoint.ReadStateDict(file.ToArray(), Name);
        Assert.Equal([0, 1, 2, 3, 4, 5], tensors["plain"].ToFloats());
        Assert.Equal([0, 3, 1, 4, 2, 5], tensors["transposed"].ToFloats());
        Assert.Equal([1, 4], tensors["column"].ToFloats());
        Assert.Equal([5, 5, 5, 5], tensors["repeated"].ToFloats());
        Assert.Empty(tensors["empty"].ToFloats());
    }

    [Fact]
    public void Other_element_types_become_floats()
    {
        var (half, brain, wide, integers) = (new byte[4], new byte[4], new byte[16], new byte[16]);
        BinaryPrimitives.WriteHalfLittleEndian(half, (Half)(-1.5));
        BinaryPrimitives.WriteHalfLittleEndian(half.AsSpan(2), Half.PositiveInfinity);
        BinaryPrimitives.WriteInt16LittleEndian(brain, 0x3fc0);
        BinaryPrimitives.WriteInt16LittleEndian(brain.AsSpan(2), unchecked((short)0xc000));
        BinaryPrimitives.WriteDoubleLittleEndian(wide, 0.1);
        BinaryPrimitives.WriteDoubleLittleEndian(wide.AsSpan(8), -1e300);
        BinaryPrimitives.WriteInt64LittleEndian(integers, long.MinValue);
        BinaryPrimitives.WriteInt64LittleEndian(integers.AsSpan(8), 42);
        var file = new TorchFile();
        foreach (var (i, content) in new[] { half, brain, wide, integers }.Index())
            file.Entry($"data/{i}", content);
        file.Tensor("half", "HalfStorage", "0", 2, 0, [2], [1])
            .Tensor("brain", "BFloat16Storage", "1", 2, 0, [2], [1])
            .Tensor("wide", "DoubleStorage", "2", 2, 0, [2], [1])
            .Tensor("integers", "LongStorage", "3", 2, 0, [2], [1])
            .Tensor("count", "LongStorage", "3", 2, 1, [], []);
        var tensors = TorchCheckpoint.ReadStateDict(file.ToArray(), Name);
        Assert.Equal([-1.5f, float.PositiveInfinity], tensors["half"].ToFloats());
        Assert.Equal([1.5f, -2f], tensors["brain"].ToFloats());
        Assert.Equal([0.1f, float.NegativeInfinity], tensors["wide"].ToFloats());
        Assert.Equal([long.MinValue, 42], tensors["integers"].ToInt64s());
        Assert.Equal([42f], tensors["count"].ToFloats());
        Assert.Throws<InvalidOperationException>(() => tensors["half"].ToInt64s());
    }

    [Fact]
    public void A_pickle_that_calls_a_function_is_refused_and_runs_nothing()
    {
        using var folder = TestFiles.NewFolder();
        var file = new TorchFile();
        file.Text("x");
        file.Raw(TorchFile.Ascii("cos\nsystem\n"));
        file.Text($"touch '{folder["ran"]}'");
        file.Raw(TorchFile.Ascii("\x85R"));
        Refused(file.ToArray(), "os.system");
        Assert.False(File.Exists(folder["ran"]));
    }

    [Theory]
    [InlineData("cbuiltins\neval\n", "builtins.eval")]
    [InlineData("ctorch.storage\n_load_from_bytes\n", "torch.storage._load_from_bytes")]
    [InlineData("X\x02\0\0\0osX\x06\0\0\0system\x93", "os.system")]
    [InlineData("(X\x02\0\0\0lsios\nsystem\n", "INST")]
    [InlineData("U\x01x", "SHORT_BINSTRING")]
    [InlineData("\x82\x01", "EXT")]
    [InlineData("\xff", "0xff")]
    [InlineData("h\x09", "never stored")]
    [InlineData("R", "expected")]
    [InlineData("\x8a\x09" + "123456789", "64 bits")]
    [InlineData("X\xff\xff\xff\xffy", "cut off")]
    [InlineData("NN", "key")]
    [InlineData("X\x01\0\0\0aX\x01\0\0\0bQ", "storage")]
    [InlineData("ctorch\nFloatStorage\n)R", "not allowed")]
    [InlineData("ctorch\nFloatStorage\n)\x81", "TorchScript class")]
    public void What_weights_do_not_need_is_refused_by_name(string pickle, string message)
    {
        var file = new TorchFile();
        file.Raw(TorchFile.Ascii(pickle));
        Refused(file.ToArray(), message);
    }

    [Theory]
    [InlineData(4, 0, new[] { 5 }, new[] { 1 }, "does not lie within its storage")]
    [InlineData(4, 1, new[] { 4 }, new[] { 1 }, "does not lie within its storage")]
    [InlineData(4, -1, new[] { 1 }, new[] { 1 }, "does not lie within its storage")]
    [InlineData(4, 3, new[] { 2 }, new[] { -1 }, "does not lie within its storage")]
    [InlineData(4, 0, new[] { -2, -2 }, new[] { 1, 1 }, "does not lie within its storage")]
    [InlineData(4, 0, new[] { 1 << 16, 1 << 16 }, new[] { 0, 0 }, "does not lie within its storage")]
    [InlineData(4, 0, new[] { int.MaxValue, int.MaxValue, int.MaxValue }, new[] { 0, 0, 0 }, "no storage can hold")]
    [InlineData(4, 0, new[] { 2, 2 }, new[] { 1 }, "as many strides")]
    [InlineData(5, 0, new[] { 4 }, new[] { 1 }, "expected 5 elements")]
    [InlineData(3, 0, new[] { 3 }, new[] { 1 }, "expected 3 elements")]
    public void A_tensor_that_reaches_beyond_its_storage_is_refused(int count, int offset, int[] shape, int[] strides, string message)
    {
        var file = new TorchFile();
        file.Entry("data/0", TorchFile.Floats(1, 2, 3, 4));
        file.Tensor("x", "FloatStorage", "0", count, offset, shape, strides);
        Refused(file.ToArray(), message);
    }

    [Fact]
    public void A_storage_that_is_missing_is_named()
    {
        var file = new TorchFile().Tensor("x", "FloatStorage", "7", 1, 0, [1], [1]);
        Refused(file.ToArray(), "data/7");
    }

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("archive/../../evil")]
    [InlineData("archive\\evil")]
    [InlineData("C:/evil")]
    [InlineData("other/data/0")]
    [InlineData("archive/data.pkl")]
    public void An_entry_outside_the_archives_folder_or_twice_is_refused(string name)
    {
        var file = new TorchFile().Tensor("x", [1], 1);
        file.BareEntry(name, [1]);
        Refused(file.ToArray(), name);
    }

    [Fact]
    public void A_zip_bomb_is_refused_before_it_is_unpacked()
    {
        var file = new TorchFile().Tensor("x", [1], 1);
        file.Entry("data/99", new byte[64 << 20]);
        Refused(file.ToArray(CompressionLevel.Optimal), "zip bomb");
    }

    /// <summary>The directory promises 4 bytes, the entry inflates to more.</summary>
    [Fact]
    public void An_entry_longer_than_it_declares_is_refused()
    {
        var file = new TorchFile();
        file.Entry("data/0", new byte[4096]);
        file.Tensor("x", "FloatStorage", "0", 1, 0, [1], [1]);
        var bytes = file.ToArray(CompressionLevel.Optimal);
        Patch(bytes, "archive/data/0", [0x50, 0x4b, 1, 2], 24, 46);
        Patch(bytes, "archive/data/0", [0x50, 0x4b, 3, 4], 22, 30);
        Refused(bytes, "data/0");
    }

    [Fact]
    public void A_flipped_bit_in_the_weights_is_found()
    {
        var values = Enumerable.Range(0, 100).Select(i => (float)i).ToArray();
        var bytes = new TorchFile().Tensor("x", values, 100).ToArray();
        var position = bytes.AsSpan().IndexOf(TorchFile.Floats(50, 51));
        bytes[position] ^= 1;
        Refused(bytes, "checksum");
    }

    [Fact]
    public void A_file_cut_off_anywhere_is_refused()
    {
        var bytes = new TorchFile().Tensor("x", [1, 2, 3], 3).ToArray();
        for (var length = 0; length < bytes.Length; length++)
            Refused(bytes[..length], Name);
    }

    /// <summary>Whatever a byte is changed to, the result is the same tensor or an error that names the file.</summary>
    [Fact]
    public void A_damaged_file_never_gives_other_weights_or_another_error()
    {
        var sound = new TorchFile().Tensor("x", [1, 2, 3], 3).ToArray();
        var random = new Random(1);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = (byte[])sound.Clone();
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                var tensors = TorchCheckpoint.ReadStateDict(bytes, Name);
                Assert.Equal([1, 2, 3], tensors["x"].ToFloats());
            }
            catch (ModelException error)
            {
                Assert.Contains(Name, error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Other_files_are_told_apart()
    {
        Refused([0x80, 2, 0x8a, 0x0a, (byte)'l'], "before 1.6");
        Refused("%PDF-1.4"u8.ToArray(), "expected a zip archive");
        var module = new TorchFile(isModule: true).Tensor("x", [1], 1).ToArray();
        Refused(module, "expected a state dict");
        var error = Assert.Throws<ModelException>(() => TorchCheckpoint.ReadModule(new TorchFile().Tensor("x", [1], 1).ToArray(), Name));
        Assert.Contains("expected a TorchScript module; found a state dict", error.Message, StringComparison.Ordinal);
        var big = new TorchFile().Tensor("x", [1], 1);
        big.Entry("byteorder", TorchFile.Ascii("big"));
        Refused(big.ToArray(), "little-endian");
    }

    private static void Refused(byte[] file, string message)
    {
        var error = Assert.Throws<ModelException>(() => TorchCheckpoint.ReadStateDict(file, Name));
        Assert.StartsWith(Name + ":", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Writes 4 as the uncompressed size into the header of an entry.</summary>
    private static void Patch(byte[] zip, string name, byte[] signature, int sizeOffset, int nameOffset)
    {
        for (var i = 0; i < zip.Length - nameOffset - name.Length; i++)
            if (zip.AsSpan(i, 4).SequenceEqual(signature) && zip.AsSpan(i + nameOffset, name.Length).SequenceEqual(TorchFile.Ascii(name)))
            {
                BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(i + sizeOffset), 4);
                return;
            }
        Assert.Fail($"Expected an entry {name}.");
    }
}
