using System.Buffers.Binary;
using System.Text;

using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>The hostile files are what they claim to be; otherwise the run that survives them proves nothing.</summary>
public sealed class HostileFilesTests : IDisposable
{
    private const int Seed = 20240229;

    private readonly string _folder = Directory.CreateTempSubdirectory("pristine-hostile-").FullName;
    private readonly string[] _good;

    public HostileFilesTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes and names that are not UTF-8 need Linux.");
        string[] names = ["boats", "fig", "stream", "moss"];
        _good = [.. names.Select(name => TestFiles.InRepository("samples", "photos", name + ".jpg"))];
    }

    public void Dispose() => HostileFiles.Delete(_folder);

    [Fact]
    public void There_are_fifty_of_the_kinds_that_matter_each_present_once_in_a_listing()
    {
        var files = HostileFiles.Create(_folder, _good, Seed);

        Assert.Equal(HostileFiles.Count, files.Count);
        var listed = Directory.EnumerateFileSystemEntries(_folder);
        Assert.Equal(files.Select(file => file.Path).Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        string[] kinds =
        [
            "truncated", "random bytes", "zero bytes", "wrong extension", "huge header", "decompression bomb", "unsupported format",
            "odd name", "name not UTF-8", "dangling link", "directory", "named pipe", "no permission",
        ];
        Assert.Empty(kinds.Except(files.Select(file => file.Kind)));
        Assert.Contains(files, file => file.Path.Contains('\n', StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_seed_cuts_elsewhere()
    {
        string[] Contents(string name, int seed)
        {
            var folder = Path.Combine(_folder, name);
            Directory.CreateDirectory(folder);
            return [.. HostileFiles.Create(folder, _good, seed)
                .Where(file => file.Kind is "truncated" or "random bytes" or "huge header" or "damaged")
                .Select(file => Path.GetFileName(file.Path) + Convert.ToHexString(File.ReadAllBytes(file.Path)))];
        }

        var first = Contents("first", Seed);
        Assert.Equal(first, Contents("again", Seed));
        Assert.NotEqual(first, Contents("other", Seed + 1));
    }

    [Fact]
    public void Truncated_JPEGs_are_beginnings_of_good_ones()
    {
        var good = _good.Select(File.ReadAllBytes).ToArray();
        var truncated = HostileFiles.Create(_folder, _good, Seed).Where(file => file.Kind == "truncated");

        Assert.All(truncated.Where(file => file.Path.Contains("truncated-", StringComparison.Ordinal)), file =>
        {
            var bytes = File.ReadAllBytes(file.Path);
            Assert.Contains(good, whole => bytes.Length < whole.Length && whole.AsSpan().StartsWith(bytes));
        });
    }

    [Fact]
    public void Huge_headers_promise_what_they_are_meant_to()
    {
        HostileFiles.Create(_folder, _good, Seed);

        var png = File.ReadAllBytes(Path.Combine(_folder, "huge.png"));
        Assert.Equal("IHDR", Encoding.ASCII.GetString(png, 12, 4));
        Assert.Equal(40_000, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)));
        Assert.Equal(40_000, BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)));
        // zlib's crc32 of "IHDR", 40000, 40000, 8 bits, grey: a decoder gets past the checksum to the size.
        Assert.Equal(0x746751D9u, BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(29)));

        var jpeg = File.ReadAllBytes(Path.Combine(_folder, "huge.jpg"));
        byte[] frame = [0xFF, 0xC0, 0, 17, 8, 65_500 >> 8, 65_500 & 255, 65_500 >> 8, 65_500 & 255, 3];
        Assert.True(jpeg.AsSpan().IndexOf(frame) > 0);
    }

    [Fact]
    public void Names_and_special_files_are_real()
    {
        var files = HostileFiles.Create(_folder, _good, Seed);
        string Only(string kind) => Assert.Single(files, file => file.Kind == kind).Path;

        Assert.False(File.Exists(Only("name not UTF-8")), "The real name holds a byte that no .NET string can spell.");
        Assert.True(File.ResolveLinkTarget(Only("dangling link"), returnFinalTarget: true) is { Exists: false });
        Assert.True(Directory.Exists(Only("directory")));
        // A pipe is neither a regular file nor a folder, and has no length; reading it would wait for a writer.
        Assert.Equal(FileAttributes.Normal, File.GetAttributes(Only("named pipe")) & (FileAttributes.Normal | FileAttributes.Directory));
        Assert.Equal(0, new FileInfo(Only("named pipe")).Length);
        Assert.Equal(UnixFileMode.None, PermissionsOf(Only("no permission")));
    }

    // The constructor has skipped the test elsewhere; the analyser cannot see that.
    private static UnixFileMode PermissionsOf(string path) =>
        OperatingSystem.IsWindows() ? throw new PlatformNotSupportedException() : File.GetUnixFileMode(path);
}
