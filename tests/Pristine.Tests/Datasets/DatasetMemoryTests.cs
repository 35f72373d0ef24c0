using System.Text;
using Pristine.Datasets;

namespace Pristine.Tests.Datasets;

/// <summary>Alone, because it looks at the memory of the whole process.</summary>
[CollectionDefinition("memory", DisableParallelization = true)]
public sealed class MemoryCollection;

[Collection("memory")]
public sealed class DatasetMemoryTests
{
    private const long StreamBytes = 200L << 20;

    // One record, its item and the buffers are below 1 MiB; the rest is what the runtime itself allocates meanwhile.
    private const long AllowedBytes = 4L << 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Memory_does_not_grow_with_the_file(bool isArray)
    {
        Dataset dataset = isArray
            ? new JsonDataset("fake.json", "", () => new RepeatedRecords("[\n", ",\n", "\n]"))
            : new JsonlDataset("fake.jsonl", "", () => new RepeatedRecords("", "\n", "\n"));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var peak = before;
        var count = 0;
        foreach (var item in dataset.Read(TestContext.Current.CancellationToken))
        {
            Assert.Single(item.Images);
            if (++count % 20_000 == 0)
                peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: true));
        }
        Assert.Equal(RepeatedRecords.Count, count);
        Assert.InRange(peak - before, 0, AllowedBytes);
    }

    [Fact]
    public void A_record_above_the_limit_is_refused_before_it_fills_the_memory()
    {
        var endless = new byte[LineReader.MaxRecordBytes + 1000];
        endless.AsSpan().Fill((byte)'x');
        "[\"a"u8.CopyTo(endless);
        var array = Assert.Throws<DatasetException>(
            () => new JsonDataset("d.json", "", () => new MemoryStream(endless)).Read(TestContext.Current.CancellationToken).Count());
        Assert.Equal("d.json:1: expected records of at most 64 MiB; found one that is larger (byte 0 of the file).", array.Message);
        var line = Assert.Throws<DatasetException>(
            () => new JsonlDataset("d.jsonl", "", () => new MemoryStream(endless)).Read(TestContext.Current.CancellationToken).Count());
        Assert.StartsWith("d.jsonl:1: expected lines of at most 64 MiB", line.Message, StringComparison.Ordinal);
    }

    /// <summary>The same record again and again.</summary>
    private sealed class RepeatedRecords(string opening, string separator, string closing) : Stream
    {
        private static readonly string Record =
            $$"""{"id": 1, "image": "a.jpg", "conversations": [{"from": "human", "value": "{{new string('x', 900)}}"}]}""";

        public static int Count { get; } = (int)(StreamBytes / Record.Length);

        private byte[] _chunk = Encoding.UTF8.GetBytes(opening + Record);
        private int _at;
        private int _record = 1;

        public override int Read(Span<byte> buffer)
        {
            if (_at == _chunk.Length)
            {
                if (_record > Count)
                    return 0;
                _chunk = Encoding.UTF8.GetBytes(_record++ < Count ? separator + Record : closing);
                _at = 0;
            }
            var length = Math.Min(buffer.Length, _chunk.Length - _at);
            _chunk.AsSpan(_at, length).CopyTo(buffer);
            _at += length;
            return length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
