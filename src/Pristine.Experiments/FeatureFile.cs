using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Networks;

namespace Pristine.Experiments;

/// <summary>
/// Features of images on disk, found by the hash of the image file's content: what was computed before a run was stopped, or for another
/// list of the same images, is not computed again. Records are only ever appended; one that was cut off is dropped. Thread-safe.
/// </summary>
/// <remarks>Layout: 64 bytes of text (format, identity, device where it is not the CPU, and number of the features); then records of 16 bytes XxHash128 and the features as little-endian 32-bit floats.</remarks>
public sealed class FeatureFile : IDisposable
{
    private const int HeaderBytes = 64;
    private const int KeyBytes = 16;

    private readonly SafeFileHandle _file;
    private readonly Dictionary<UInt128, long> _positions = [];
    private readonly Lock _gate = new();
    private readonly int _count;
    private long _end;

    /// <summary>Opens a file, or makes a new one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="features">The features it holds.</param>
    /// <exception cref="DatasetException">The file is another or holds other features.</exception>
    /// <exception cref="IOException">It cannot be opened, or another process writes to it.</exception>
    public FeatureFile(string path, Feature features)
    {
        ArgumentNullException.ThrowIfNull(features);
        _count = features.Count;
        var device = NetworkDevice.KindOf(features.Device) is var kind && kind == NetworkDevice.Cpu ? "" : $"/{kind}";
        var header = Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"pristine-features 1 {features.Identity}{device} {_count}").PadRight(HeaderBytes - 1) + "\n");
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            var found = new byte[HeaderBytes];
            var read = RandomAccess.Read(_file, found, 0);
            if (read == 0)
                RandomAccess.Write(_file, header, 0);
            else if (!found.AsSpan().SequenceEqual(header))
                throw new DatasetException(
                    $"{path}: expected a file of features that begins with '{Encoding.ASCII.GetString(header).Trim()}'; found '{Encoding.ASCII.GetString(found, 0, read).Split('\n')[0].Trim()}'.");
            var records = Math.Max(0, (RandomAccess.GetLength(_file) - HeaderBytes) / RecordBytes);
            _end = HeaderBytes + records * RecordBytes;
            RandomAccess.SetLength(_file, _end);
            var key = new byte[KeyBytes];
            for (var position = (long)HeaderBytes; position < _end; position += RecordBytes)
            {
                ReadExactly(key, position);
                _positions[BinaryPrimitives.ReadUInt128LittleEndian(key)] = position + KeyBytes;
            }
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Images in the file.</summary>
    public int Images
    {
        get
        {
            lock (_gate)
                return _positions.Count;
        }
    }

    private int RecordBytes => KeyBytes + _count * sizeof(float);

    /// <summary>Reads the features of an image.</summary>
    /// <param name="contentHash">XxHash128 of the image file.</param>
    /// <param name="features">Overwritten if the image is there.</param>
    /// <returns>Whether it is.</returns>
    public bool TryRead(UInt128 contentHash, Span<float> features)
    {
        long position;
        lock (_gate)
            if (!_positions.TryGetValue(contentHash, out position))
                return false;
        ReadExactly(MemoryMarshal.AsBytes(features), position);
        return true;
    }

    /// <summary>Appends the features of an image, unless they are there.</summary>
    /// <param name="contentHash">XxHash128 of the image file.</param>
    /// <param name="features">The features.</param>
    /// <exception cref="IOException">The disk is full.</exception>
    public void Add(UInt128 contentHash, ReadOnlySpan<float> features)
    {
        if (features.Length != _count)
            throw new ArgumentException($"Expected {_count} features; found {features.Length}.", nameof(features));
        var record = new byte[RecordBytes];
        BinaryPrimitives.WriteUInt128LittleEndian(record, contentHash);
        MemoryMarshal.AsBytes(features).CopyTo(record.AsSpan(KeyBytes));
        lock (_gate)
        {
            if (_positions.ContainsKey(contentHash))
                return;
            RandomAccess.Write(_file, record, _end);
            _positions.Add(contentHash, _end + KeyBytes);
            _end += RecordBytes;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void ReadExactly(Span<byte> buffer, long position)
    {
        while (!buffer.IsEmpty)
        {
            var read = RandomAccess.Read(_file, buffer, position);
            if (read == 0)
                throw new EndOfStreamException($"Expected {buffer.Length} more bytes at {position}; the file of features has become shorter.");
            buffer = buffer[read..];
            position += read;
        }
    }
}
