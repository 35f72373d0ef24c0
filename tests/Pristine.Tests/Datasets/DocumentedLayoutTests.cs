using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Pristine.Datasets;
using Pristine.Native;
using Pristine.PaddleMix;

namespace Pristine.Tests.Datasets;

/// <summary>The examples of docs/formats.md: each layout is made as it is written there, and read.</summary>
public sealed partial class DocumentedLayoutTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public static TheoryData<string> Examples { get; } =
        [.. Block().Matches(File.ReadAllText(TestFiles.InRepository("docs", "formats.md"))).Select(block => block.Groups[1].Value)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Examples))]
    public void A_layout_of_the_documentation_is_read(string example) => Assert.NotEmpty(Read(example));

    [Fact]
    public void Every_format_has_an_example() =>
        Assert.Equal(Enum.GetValues<DatasetFormat>().Order(), Examples.SelectMany(example => Read(example.Data)).Distinct().Order());

    /// <summary>Makes the files of an example and reads its inputs.</summary>
    /// <returns>The formats of the inputs.</returns>
    private List<DatasetFormat> Read(string example)
    {
        foreach (var left in Directory.EnumerateDirectories(_folder.Path))
            Directory.Delete(left, recursive: true);
        var formats = new List<DatasetFormat>();
        var lines = example.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Line().Match(line)).ToList();
        Assert.All(lines, line => Assert.True(line.Success));
        var results = lines.Where(line => line.Groups["images"].Success).ToList();
        foreach (var files in lines.Except(results).GroupBy(line => line.Groups["name"].Value.Split(':')[0]))
            Make(files.Key, [.. files.Select(file => (file.Groups["name"].Value, file.Groups["content"].Value.Replace(
                @"\n", "\n", StringComparison.Ordinal).Replace(@"\t", "\t", StringComparison.Ordinal)))]);
        Assert.NotEmpty(results);
        foreach (var result in results)
        {
            var (input, expected) = (result.Groups["name"].Value, result.Groups["images"].Value);
            // Globs and lists name images from the current folder.
            var options = new DatasetOptions { ImageRoot = input.EndsWith(".txt", StringComparison.Ordinal) ? _folder.Path : null };
            var dataset = Dataset.Open(_folder[input], options);
            formats.Add(dataset.Format);
            var items = dataset.Read(TestContext.Current.CancellationToken).ToList();
            Assert.All(items, item => Assert.Null(item.Error));
            Assert.Equal(expected, string.Join(' ', items.SelectMany(item => item.Images)
                .Select(image => image.Reference.Replace(_folder.Path + "/", "", StringComparison.Ordinal))));
        }
        return formats;
    }

    /// <summary>Makes a file, or an archive of members.</summary>
    private void Make(string name, (string Name, string Content)[] parts)
    {
        if (name.EndsWith(".tar", StringComparison.Ordinal))
        {
            using var archive = new TarWriter(File.Create(_folder[name]));
            foreach (var (member, content) in parts)
                archive.WriteEntry(new PaxTarEntry(
                    TarEntryType.RegularFile, member.Split(':')[1])
                { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
            return;
        }
        if (name.EndsWith(".zip", StringComparison.Ordinal))
        {
            using var archive = new ZipArchive(File.Create(_folder[name]), ZipArchiveMode.Create);
            foreach (var (member, content) in parts)
            {
                using var entry = archive.CreateEntry(member.Split(':')[1]).Open();
                entry.Write(Encoding.UTF8.GetBytes(content));
            }
            return;
        }
        var text = parts.Single().Content;
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        if (name.EndsWith(".parquet", StringComparison.Ordinal))
        {
            using var database = DuckDbConnection.Open();
            database.Execute($"COPY ({text}) TO {DuckDbConnection.Literal(_folder[name])} (FORMAT parquet)");
        }
        else if (name.EndsWith(".h5", StringComparison.Ordinal))
        {
            PartFiles.Register();
            File.WriteAllText(_folder[name + ".jsonl"], text);
            MMDataset.FromJsonl(_folder[name + ".jsonl"]).ExportH5(_folder[name]);
        }
        else if (name.EndsWith(".gz", StringComparison.Ordinal))
        {
            using var compressed = new GZipStream(File.Create(_folder[name]), CompressionLevel.Fastest);
            compressed.Write(Encoding.UTF8.GetBytes(text));
        }
        else
        {
            File.WriteAllText(_folder[name], text);
        }
    }

    [GeneratedRegex(@"^```layout\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\A(?<name>\S+)(?:\s+=> (?<images>.*)|\s+(?<content>.*))?\z")]
    private static partial Regex Line();
}
