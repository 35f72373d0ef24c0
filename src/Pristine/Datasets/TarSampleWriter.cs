using System.Globalization;
using System.Text.RegularExpressions;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// Writes samples as they stand in their archives, all members byte for byte and in order: into one archive, into archives of bounded size
/// (<c>kept-{000000..}.tar</c>), or, where the output is a folder, into archives of the same names as those that were read. A name that
/// ends in <c>gz</c> or <c>zst</c> is compressed. No archive has its name before all are complete.
/// </summary>
internal sealed partial class TarSampleWriter : DatasetWriter
{
    /// <summary>An archive of several is ended when it has so many bytes.</summary>
    public const long ShardBytes = 1L << 30;

    // Python's tarfile and GNU tar fill an archive up with zeros to a multiple of this.
    private const int RecordBytes = 10240;

    private readonly IReadOnlyList<(string Name, string Path)> _inputs;
    private readonly string _path;
    private readonly string? _folder;
    private readonly Match _numbered;
    private readonly RemoteAccess? _remote;
    private readonly List<PartialFile> _complete = [];
    private PartialFile? _file;
    private Stream? _stream;
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
        (_path, _inputs, _numbered, _remote) = (path, inputs, Numbered().Match(path), remote);
        if (path != "-" && (Directory.Exists(path) || Path.EndsInDirectorySeparator(path)))
            _folder = path;
        else if (path != "-" && File.Exists(path) is var exists && !TarDataset.IsArchiveName(path)
            && !(exists && !Native.Vips.IsRegularFile(path)))
            throw new DatasetException(
                $"Expected a name that ends in .tar or .tar.gz for the kept samples, such as kept.tar or kept-{{000000..}}.tar, or a " +
                $"folder/; found '{path}'.");
        // A place that cannot be written to is found before the work; a folder's archives have the names of their samples'.
        if (_folder == null)
            Open(_numbered.Success ? NameOf(0) : path);
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
            _name = sample.ArchiveName;
        }
        else if (_numbered.Success && _written >= Bound)
        {
            End();
            Open(NameOf(++_shard));
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
    }

    public override void Dispose()
    {
        // The file itself sees whether anything was written.
        if (_stream != _file?.Stream)
            _stream?.Dispose();
        _file?.Dispose();
        foreach (var file in _complete)
            file.Dispose();
    }

    private string NameOf(int shard) =>
        _path[.._numbered.Index] + shard.ToString(CultureInfo.InvariantCulture)
        .PadLeft(_numbered.Groups[1].Length, '0') + _path[(_numbered.Index + _numbered.Length)..];

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
        var size = _written + (2 * TarMember.BlockBytes);
        _stream!.Write(new byte[(size + RecordBytes - 1) / RecordBytes * RecordBytes - _written]);
        _file.Close();
        _complete.Add(_file);
        (_file, _stream) = (null, null);
    }

    [GeneratedRegex(@"\{(\d+)\.\.\}")]
    private static partial Regex Numbered();
}
