using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pristine.Media;
using Pristine.Remote;

namespace Pristine.Datasets;

/// <summary>
/// WebDataset: tar archives (shards) whose members form samples. A member's key is its path up to the first dot of its name; neighbours
/// with the same key are one item. Members with the extension of an image are its images; <c>.json</c> and text members are its record.
/// </summary>
internal sealed partial class TarDataset : Dataset
{
    private readonly IReadOnlyList<(string Name, string Path)> _archives;
    private string? _layout;

    /// <param name="source">The input as the user named it.</param>
    /// <param name="folder">The folder that the archives are named after.</param>
    /// <param name="archives">Names below the folder, and paths.</param>
    private TarDataset(string source, string folder, IReadOnlyList<(string Name, string Path)> archives) =>
        (Source, ImageRoot, _archives) = (source, folder, archives);

    public override DatasetFormat Format => DatasetFormat.WebDataset;

    public override bool HasRecords => true;

    public override bool HasDistinctFiles => true;

    public override bool HasImageFiles => false;

    public override string Source { get; }

    public override string ImageRoot { get; }

    public override string? Layout => _layout;

    public override IReadOnlyList<InputPart> Parts => [.. _archives.Select(Part)];

    internal override InputPart OpenPart(string name, Func<Stream> openList) => _archives.FirstOrDefault(archive => archive.Name == name) is
    { Path: not null } found
        ? Part(found)
        : throw new DatasetException($"Expected the archive '{name}' in '{Source}'; it is not there any more.");

    private InputPart Part((string Name, string Path) archive)
    {
        var file = RemoteAddress.IsRemote(archive.Path) ? null : archive.Path;
        return new InputPart(archive.Name, (numbers, cancellation) => Samples(archive, numbers.FirstItem, cancellation))
        {
            Bytes = file == null ? null : SourceStamp.Of(file)?.Bytes,
            File = file,
            IsWholeFile = true,
        };
    }

    /// <summary>True when a name ends as that of a tar archive does.</summary>
    public static bool IsArchiveName(string name) => Archive().IsMatch(name);

    /// <summary>One archive.</summary>
    public static TarDataset OfFile(string file, RemoteAccess? remote = null) =>
        new(file, Path.GetDirectoryName(file) ?? "", [(Path.GetFileName(file), file)]) { Remote = remote };

    /// <summary>True for a folder that has archives and, at any depth, no images of its own.</summary>
    public static bool IsFolder(string folder)
    {
        try
        {
            return Directory.EnumerateFiles(folder).Any(IsShardName) && !FolderDataset.HasImages(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The search for images tells why it cannot be listed.
            return false;
        }
    }

    /// <summary>The archives of a folder, in the order of their names.</summary>
    public static TarDataset OfFolder(string folder, RemoteAccess? remote)
    {
        var prefix = Path.EndsInDirectorySeparator(folder) ? folder : folder + "/";
        var search = new FolderSearch(IsHidden: false, IsShardName, _ => true, _ => []);
        return new TarDataset(
            folder, folder, [.. FolderSearch.Items(folder, prefix, "", search, default)
                .SelectMany(item => item.Images, (item, file) => (item.Id, Path: file.LocalPath!)).Where(file => File.Exists(file.Path))])
        { Remote = remote };
    }

    private static bool IsShardName(string path) => IsArchiveName(path) && !Path.GetFileName(path).StartsWith('.');

    /// <summary>The archives that a pattern names: a glob, or a name with numbers such as <c>shard-{000..123}.tar</c>.</summary>
    /// <exception cref="DatasetException">There is none, or one of the numbered ones is not there.</exception>
    public static TarDataset OfPattern(string pattern, RemoteAccess? remote = null)
    {
        var (prefix, files) = FilePattern.Files(pattern, "tar archives");
        return new TarDataset(pattern, prefix, files) { Remote = remote };
    }

    /// <summary>The archive at an address, or those whose addresses differ in numbers: <c>https://host/shard-{000..123}.tar</c>.</summary>
    /// <exception cref="DatasetException">A bucket has none for a glob, or cannot be listed.</exception>
    public static TarDataset OfAddresses(string address, RemoteAccess remote)
    {
        var (prefix, archives) = FilePattern.Addresses(address, remote);
        return new TarDataset(address, prefix, archives) { Remote = remote };
    }

    public override IEnumerable<DatasetItem> Read(CancellationToken cancellation = default) =>
        FileByFile.Read(Source, _archives, (archive, index) => Samples(archive, index, cancellation));

    public override void RequireImages(CancellationToken cancellation = default)
    {
        if (_layout != null)
            return;
        var suffixes = new List<string>();
        var samples = 0L;
        foreach (var item in Read(cancellation))
        {
            samples++;
            foreach (var name in item.Sample!.Members.Select(member => member.Suffix)
                .Where(suffix => !suffixes.Contains(suffix) && suffixes.Count < 30))
                suffixes.Add(name);
            if (item.Images.Count == 0)
                continue;
            _layout = $"WebDataset, members {string.Join(", ", item.Sample.Members.Select(member => $".{member.Suffix}"))}";
            return;
        }
        if (samples > 0)
        {
            throw new DatasetException(string.Create(
                CultureInfo.InvariantCulture,
                $"Expected samples with an image; none of the {samples:N0} samples of '{Source}' has one. Members seen: " +
                $"{string.Join(", ", suffixes.Select(suffix => $".{suffix}"))}."));
        }
    }

    public override DatasetWriter CreateWriter(string path) => new TarSampleWriter(path, _archives, Remote);

    /// <summary>Reads the samples of an archive.</summary>
    private IEnumerable<DatasetItem> Samples((string Name, string Path) archive, long index, CancellationToken cancellation)
    {
        using var file = DatasetFile.OpenRead(archive.Path, Remote);
        var isCompressed = !RemoteAddress.NameOf(archive.Path).EndsWith(".tar", StringComparison.OrdinalIgnoreCase);
        // What cannot be gone back in is read once, one sample at a time in memory.
        using var recorded = isCompressed || !file.CanSeek
            ? new RecordedStream(isCompressed ? DatasetFile.Decompress(archive.Path, file) : file)
            : null;
        using var members = new TarMembers(recorded ?? file, RemoteAddress.Display(archive.Path));
        var slices = new SlicedFile(archive.Path);
        var sample = (TarSample?)null;
        var end = 0L;
        var failure = (DatasetException?)null;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            TarMember? member = null;
            try
            {
                member = members.Next();
            }
            catch (DatasetException e)
            {
                // Whether the sample is whole is not known then.
                (failure, sample) = (e, null);
            }
            var name = member is { IsFile: true } ? Key().Match(member.Name) : Match.Empty;
            if (member != null && (!name.Success || IsMeta(member.Name)))
                continue;
            if (sample != null && (member == null || name.Groups["key"].Value != sample.Key))
            {
                end = sample.End;
                yield return sample.ToItem(index++, recorded);
                sample = null;
            }
            if (member == null)
                break;
            sample ??= new TarSample(slices, archive.Name, name.Groups["key"].Value, end);
            sample.Add(member, name.Groups["suffix"].Value.ToLowerInvariant());
        }
        if (failure != null)
            throw failure;
    }

    private static bool IsMeta(string name) =>
        name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal);

    [GeneratedRegex(@"\.(?:tar|tgz|tar\.gz|tar\.zst)\z", RegexOptions.IgnoreCase)]
    private static partial Regex Archive();

    // The rule of webdataset: folders may have dots, the name is cut at its first.
    [GeneratedRegex(@"\A(?<key>(?:.*/|)[^.]+)[.](?<suffix>[^/]*)\z", RegexOptions.Singleline)]
    private static partial Regex Key();
}

/// <summary>A member of a sample.</summary>
/// <param name="Suffix">What follows the first dot of its name, in lower case.</param>
/// <param name="Member">Where it is.</param>
internal sealed record TarSampleMember(string Suffix, TarMember Member);

/// <summary>Members of an archive that belong together, and where they are.</summary>
/// <param name="archive">The archive.</param>
/// <param name="archiveName">Its name within the dataset.</param>
/// <param name="key">What the names of the members have in common.</param>
/// <param name="before">Where the sample before it ends.</param>
internal sealed class TarSample(SlicedFile archive, string archiveName, string key, long before)
{
    private readonly List<TarSampleMember> _members = [];

    public string Key => key;

    public string ArchiveName => archiveName;

    public IReadOnlyList<TarSampleMember> Members => _members;

    /// <summary>Where its last member ends.</summary>
    public long End => _members[^1].Member.End;

    /// <summary>Bytes that <see cref="CopyTo"/> writes.</summary>
    public long Size => End - before;

    /// <summary>
    /// Its bytes with those since the sample before it, where the archive is compressed; null where they are read from the file.
    /// </summary>
    public ReadOnlyMemory<byte>? Bytes { get; private set; }

    public void Add(TarMember member, string suffix) => _members.Add(new TarSampleMember(suffix, member));

    /// <summary>Makes the item.</summary>
    /// <param name="index">Its position in the dataset.</param>
    /// <param name="recorded">The decompressed archive, up to the member after the sample; null where it is not compressed.</param>
    public DatasetItem ToItem(long index, RecordedStream? recorded)
    {
        Bytes = recorded == null ? (ReadOnlyMemory<byte>?)null : recorded.Take(before, End);
        var error = _members.GroupBy(member => member.Suffix).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice
            ? $"expected one member .{twice} in the sample '{key}'; found it twice"
            : TarRecord.Fault(this);
        var sources = new List<MediaSource>();
        foreach (var (_, member) in error == null ? _members : [])
            if (MediaNames.KindOf(member.Name) is { } kind)
                sources.Add(SourceOf(member, kind));
        return new DatasetItem
        {
            Index = index,
            Id = key,
            Sources = sources,
            Raw = default,
            Record = error == null ? new TarRecord(this) : null,
            Error = error == null ? null : $"{archiveName}: {error}.",
            Sample = this,
        };
    }

    /// <summary>Reads the content of a member.</summary>
    public byte[] Content(TarMember member)
    {
        if (Bytes is { } bytes)
            return bytes.Slice((int)(member.DataStart - before), (int)member.Length).ToArray();
        var content = new byte[member.Length];
        return archive.Read(content, member.DataStart) == content.Length
            ? content
            : throw new DatasetException($"'{archive.Path}' has become shorter while it was read.");
    }

    /// <summary>Writes the sample as it stands in its archive, with what stands before it.</summary>
    public void CopyTo(Stream target)
    {
        if (Bytes is { } bytes)
        {
            target.Write(bytes.Span);
            return;
        }
        var buffer = new byte[(int)Math.Min(1 << 20, End - before)];
        for (var at = before; at < End;)
        {
            var block = buffer.AsSpan(0, (int)Math.Min(buffer.Length, End - at));
            if (archive.Read(block, at) < block.Length)
                throw new DatasetException($"'{archive.Path}' has become shorter while it was read.");
            target.Write(block);
            at += block.Length;
        }
    }

    private MediaSource SourceOf(TarMember member, MediaKind kind)
    {
        var reference = $"{archiveName}/{member.Name}";
        if (Bytes is not { } bytes)
            return new SliceSource(reference, archive, member.DataStart, member.Length, kind);
        var stamp = archive.Stamp() is { } file ? file with { Bytes = member.Length } : (SourceStamp?)null;
        return new MemorySource(reference, bytes.Slice((int)(member.DataStart - before), (int)member.Length), stamp, kind);
    }
}

/// <summary>
/// The record of a sample: the fields of its <c>.json</c> member, and its text members (<c>.txt</c>, <c>.text</c>, <c>.caption</c>,
/// <c>.cls</c>, <c>.transcript</c>) as fields of these names. Text members count as text, except <c>.cls</c>; so do captions and messages
/// in the JSON.
/// </summary>
internal sealed class TarRecord(TarSample sample) : ItemRecord
{
    private const string Json = "json";
    private const string Class = "cls";

    // What is longer is no caption.
    private const int MostBytes = 1 << 26;

    private static readonly string[] TextSuffixes = ["txt", "text", "caption", "transcript", Class];

    public override ItemText Text
    {
        get
        {
            var sum = Parsed() is { } json ? json.Text : default;
            foreach (var member in TextMembers().Where(member => member.Suffix != Class))
                sum += ItemText.Of(Content(member));
            return sum;
        }
    }

    internal override IReadOnlyList<string> Texts =>
        [.. Parsed()?.Texts ?? [], .. TextMembers().Where(member => member.Suffix != Class).Select(Content)];

    /// <summary>Why the sample's JSON cannot be read; null where it can, or there is none.</summary>
    public static string? Fault(TarSample sample)
    {
        if (JsonOf(sample) is not { } member)
            return null;
        try
        {
            RecordJson.Parse(sample.Content(member.Member)).Dispose();
            return null;
        }
        catch (JsonException exception)
        {
            return $"expected JSON in '{member.Member.Name}'; {RecordReader.Describe(exception)}";
        }
    }

    public override IReadOnlyList<string> FieldNames =>
        [.. (Parsed()?.FieldNames ?? []).Where(name => !IsOfMember(name)), .. TextMembers().Select(member => member.Suffix)];

    public override string?[] Fields(IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var values = Parsed()?.Fields(names) ?? new string?[names.Count];
        for (var i = 0; i < values.Length; i++)
            if (TextMembers().FirstOrDefault(member => member.Suffix == names[i]) is { } member)
                values[i] = Content(member);
        return values;
    }

    internal override void WriteFields(Utf8JsonWriter json)
    {
        Parsed()?.WriteFields(json, name => !IsOfMember(name));
        foreach (var member in TextMembers())
            json.WriteString(member.Suffix, Content(member));
    }

    /// <summary>Whether a text member has a field's name: it is what is judged, and stands for the field.</summary>
    private bool IsOfMember(string name) => TextMembers().Any(member => member.Suffix == name);

    private static TarSampleMember? JsonOf(TarSample sample) =>
        sample.Members.FirstOrDefault(member => member.Suffix == Json && member.Member.Length <= MostBytes);

    private IEnumerable<TarSampleMember> TextMembers() =>
        sample.Members.Where(member => TextSuffixes.Contains(member.Suffix) && member.Member.Length <= MostBytes);

    // The line feed at the end of a text file is no part of its text.
    private string Content(TarSampleMember member) => Encoding.UTF8.GetString(sample.Content(member.Member)).TrimEnd('\r', '\n');

    /// <summary>The JSON member where it is an object; null where there is none, or it is something else.</summary>
    private JsonRecord? Parsed()
    {
        if (JsonOf(sample) is not { } member)
            return null;
        var content = sample.Content(member.Member);
        using var document = RecordJson.Parse(content);
        return document.RootElement.ValueKind == JsonValueKind.Object ? new JsonRecord(content) : null;
    }
}

/// <summary>A stream that is read once, of which the bytes since the last sample are kept.</summary>
/// <param name="inner">The stream, which is closed with this one.</param>
internal sealed class RecordedStream(Stream inner) : InputStream
{
    // A sample is held in memory as a whole.
    private const int MostBytes = 1 << 30;

    private readonly MemoryStream _kept = new();

    /// <summary>Takes bytes out; those before them are forgotten, those after them are kept.</summary>
    /// <param name="start">Where they start.</param>
    /// <param name="end">Where they end, at most the position.</param>
    public byte[] Take(long start, long end)
    {
        var first = Position - _kept.Length;
        var kept = _kept.GetBuffer().AsSpan(0, (int)_kept.Length);
        // The padding of the archive's last member may be missing.
        var taken = kept[(int)(start - first)..(int)Math.Min(end - first, kept.Length)].ToArray();
        var rest = kept[(int)Math.Min(end - first, kept.Length)..].ToArray();
        _kept.SetLength(0);
        _kept.Write(rest);
        return taken;
    }

    protected override int ReadNext(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        if (_kept.Length + read > MostBytes)
            throw new DatasetException(
                $"Expected samples of at most {MostBytes >> 30} GiB in a compressed archive; found a larger one. Decompress the archive " +
                $"first.");
        _kept.Write(buffer[..read]);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _kept.Dispose();
        }
        base.Dispose(disposing);
    }
}
