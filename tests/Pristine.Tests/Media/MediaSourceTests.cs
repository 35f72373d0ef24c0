using System.Text;
using Pristine.Kernels;
using Pristine.Media;

namespace Pristine.Tests.Media;

public sealed class MediaSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void All_kinds_of_sources_give_the_same_bytes()
    {
        var bytes = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        File.WriteAllBytes(_folder["a.jpg"], bytes);
        File.WriteAllBytes(_folder["archive"], [1, 2, 3, .. bytes, 4, 5]);
        var address = $"data:image/jpeg;base64,{Convert.ToBase64String(bytes)}";
        using var decoder = new ImageDecoder();
        MediaSource[] sources =
        [
            new FileSource("a.jpg", _folder["a.jpg"]),
            new SliceSource("archive/a.jpg", new SlicedFile(_folder["archive"]), 3, bytes.Length),
            new MemorySource("cell", bytes),
            new DataSource(Encoding.ASCII.GetBytes(address)),
            new DataSource(Encoding.ASCII.GetBytes(address.Replace("+", "%2B", StringComparison.Ordinal)
                .Replace("/", "%2f", StringComparison.Ordinal).Replace("image%2f", "image/", StringComparison.Ordinal))),
            new DataSource(Encoding.ASCII.GetBytes("DATA:," + string.Concat(bytes.Select(b => $"%{b:X2}")))),
        ];
        foreach (var source in sources)
        {
            Assert.Equal(ImageStatus.Ok, decoder.Load(source, ImageInput.Rgb).Status);
            Assert.Equal(bytes, decoder.FileBytes.ToArray());
            Assert.Equal(source is FileSource ? _folder["a.jpg"] : null, source.LocalPath);
        }
    }

    [Theory]
    [InlineData("data:image/png;base64,####", "is not valid base64")]
    [InlineData("data:image/png;base64", "expected a comma")]
    [InlineData("data:image/png;base64,", "empty")]
    [InlineData("data:image/png,plain", "not an image")]
    public void A_data_address_that_holds_no_image_is_a_result(string address, string reason)
    {
        using var decoder = new ImageDecoder();
        var result = decoder.Load(new DataSource(Encoding.ASCII.GetBytes(address)), ImageInput.Rgb);
        Assert.Equal(ImageStatus.Unreadable, result.Status);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_address_has_a_short_reference_that_tells_its_content()
    {
        static string Reference(string address) => new DataSource(Encoding.ASCII.GetBytes(address)).Reference;
        var one = Reference("data:image/png;base64,AAAA");
        Assert.Matches("^data:image/png#[0-9a-f]{32}$", one);
        Assert.Equal(one, Reference("data:image/png;base64,AAAA"));
        Assert.NotEqual(one, Reference("data:image/png;base64,AAAB"));
        Assert.InRange(Reference("data:" + new string('x', 1_000_000)).Length, 33, 100);
    }

    [Fact]
    public void What_is_wrong_with_a_source_is_a_result_and_leaves_the_buffer_empty()
    {
        File.WriteAllBytes(_folder["archive"], new byte[100]);
        var archive = new SlicedFile(_folder["archive"]);
        using var buffer = new ReusableBuffer();
        DecodeResult? Read(MediaSource source)
        {
            buffer.Resize(5);
            return source.Read(50, buffer);
        }

        Assert.Contains("at most 50", Read(new SliceSource("m", archive, 0, 51))!.Value.Error, StringComparison.Ordinal);
        Assert.Contains("at most 50", Read(new MemorySource("m", new byte[51]))!.Value.Error, StringComparison.Ordinal);
        Assert.Contains("at most 50", Read(
            new DataSource(Encoding.ASCII.GetBytes("data:," + new string('x', 200))))!.Value.Error, StringComparison.Ordinal);
        Assert.Equal(ImageStatus.Missing, Read(new SliceSource("m", new SlicedFile(_folder["none"]), 0, 1))!.Value.Status);
        Assert.Equal(ImageStatus.Missing, Read(new FileSource("m", _folder["none"]))!.Value.Status);
        Assert.True(buffer.Span.IsEmpty);
        // An archive that has become shorter gives the bytes that are left.
        Assert.Null(Read(new SliceSource("m", archive, 90, 50)));
        Assert.Equal(10, buffer.Span.Length);
    }

    [Fact]
    public void A_slice_is_stamped_with_its_size_and_the_time_of_its_file()
    {
        File.WriteAllBytes(_folder["archive"], new byte[100]);
        var slice = new SliceSource("m", new SlicedFile(_folder["archive"]), 10, 20);
        Assert.Equal(SourceStamp.Of(_folder["archive"])!.Value with { Bytes = 20 }, slice.Stamp());
        Assert.Null(new SliceSource("m", new SlicedFile(_folder["none"]), 10, 20).Stamp());
    }
}
