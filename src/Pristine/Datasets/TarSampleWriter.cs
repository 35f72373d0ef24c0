using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Writes samples as they stand in their archives, all members byte for byte and in order: into one archive, into archives of bounded size
/// (<c>kept-{000000..}.tar</c>), or, where the output is a folder, into archives of the same names as those that were read. A name that
/// ends in <c>gz</c> or <c>zst</c> is compressed. No archive has its name before all are complete.
/// </summary>
internal sealed class TarSampleWriter : DatasetWriter
{
    /// <summary>An archive of several is ended when it has so many bytes.</summary>
    public const long ShardBytes = 1L << 30;

    // Python's tarfile and GNU tar fill an archive up with zeros to a multiple of this.
    private const int RecordBytes = 10240;

    private readonly IReadOnlyList<(string Name, string Path)> _inputs;
    private readonly string? _folder;
    private readonly OutputNumbers _numbers;
    private readonly IDisposable? _held;
    private readonly RemoteAccess? _remote;
    private readonly List<PartialFile> _complete = [];
    private PartialFile? _file;
    private Stream? _stream;
    private readonly HashSet<string> _names = [];
    private string? _name;
    private long _written;
    private int _shard;

    /// <param name="path">An archive, a pattern with <c>{000000..}</c>, a folder, or <c>-</c>.</param>
    /// <param name="inputs">The archives that are read, which must not be overwritten.</param>
    /// <param name="remote">Writes to addresses; null for files only.</param>
    /// <exception cref="DatasetException">The output is none of these, or cannot be made.</exception>
    public TarSampleWriter(string path, IReadOnlyList<(string Name, string Path)> inputs, RemoteAccess? remote = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        (_inputs, _numbers, _remote) = (inputs, new OutputNumbers(path), remote);
        if (path != "-" && (Directory.Exists(path) || Path.EndsInDirectorySeparator(path)))
            _folder = path;
        else if (path != "-" && File.Exists(path) is var exists && !TarDataset.IsArchiveName(path)
            && !(exists && !Native.Vips.IsRegularFile(path)))
            throw new DatasetException(
                $"Expected a name that ends in .tar or .tar.gz for the kept samples, such as kept.tar or kept-{{000000..}}.tar, or a " +
                $"folder/; found '{path}'.")
            {
                IsOfRequest = true,
            };
        // A place that cannot be written to is found before the work; a folder's archives have the names of their samples'.
        foreach (var (name, input) in _folder == null ? [] : inputs)
            PartialFile.CheckIsNot(Path.Combine(_folder!, name), input);
        _held = _folder == null ? _numbers.Hold() : OutputPlace.Hold(_folder, inputs.Select(input => input.Name));
        if (_folder == null)
            Open(_numbers.NameOf(0));
    }

    /// <summary>Bytes after which an archive of several is ended.</summary>
    internal long Bound { get; init; } = ShardBytes;

    public override void Write(DatasetItem item)
    {
        ArgumentNullException.ThrowIfNull(item);
        var sample = item.Sample ?? throw new ArgumentException("Expected a sample of an archive.", nameof(item));
        if (_folder != null && _name != sample.ArchiveName)
        {
            End();
            Open(Path.Combine(_folder, sample.ArchiveName));
            _names.Add(_name = sample.ArchiveName);
        }
        else if (_numbers.IsNumbered && _written >= Bound)
        {
            End();
            Open(_numbers.NameOf(++_shard));
        }
        sample.CopyTo(_stream!);
        _written += sample.Size;
    }

    public override void Complete()
    {
        End();
        foreach (var file in _complete)
            file.Complete();
        _complete.Clear();
        Removed = _folder == null
            ? _numbers.RemoveBeyond(_shard + 1, _inputs.Select(input => input.Path))
            : OutputPlace.RemoveOld(
                _folder, _inputs.Select(input => input.Name).Except(_names), _inputs.Select(input => input.Path));
    }

    public override void Dispose()
    {
        try
        {
            // What is left under a temporary name is an archive as far as it goes. The file itself sees whether anything was written.
            if (_written > 0)
                _stream?.Write(Padding());
        }
        finally
        {
            _file?.Dispose();
            foreach (var file in _complete)
                file.Dispose();
            _held?.Dispose();
        }
    }

    private void Open(string path)
    {
        foreach (var input in _inputs.Skip(1))
            PartialFile.CheckIsNot(path, input.Path);
        _file = PartialFile.Create(path, _inputs.Count > 0 ? _inputs[0].Path : null, _remote);
        _stream = _file.Stream;
        _written = 0;
    }

    private void End()
    {
        if (_file == null)
            return;
        _stream!.Write(Padding());
        _file.Close(isOneOfMany: _held != null);
        _complete.Add(_file);
        (_file, _stream) = (null, null);
    }

    /// <summary>The end of an archive: two empty blocks and more.</summary>
    private byte[] Padding()
    {
        var size = _written + (2 * TarMember.BlockBytes);
        return new byte[(size + RecordBytes - 1) / RecordBytes * RecordBytes - _written];
    }
}
