using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Pristine.Datasets;
using Pristine.Native;

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
    public void A_layout_of_the_documentation_is_read(string example)
    {
        var lines = example.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Line().Match(line)).ToList();
        Assert.All(lines, line => Assert.True(line.Success));
        var results = lines.Where(line => line.Groups["images"].Success).ToList();
        foreach (var files in lines.Except(results).GroupBy(line => line.Groups["name"].Value.Split(".tar:")[0]))
            Make(files.Key, [.. files.Select(file => (file.Groups["name"].Value, file.Groups["content"].Value.Replace(@"\n", "\n", StringComparison.Ordinal).Replace(@"\t", "\t", StringComparison.Ordinal)))]);
        Assert.NotEmpty(results);
        foreach (var result in results)
        {
            var (input, expected) = (result.Groups["name"].Value, result.Groups["images"].Value);
            // Globs and lists name images from the current folder.
            var options = new DatasetOptions { ImageRoot = input.EndsWith(".txt", StringComparison.Ordinal) ? _folder.Path : null };
            var items = Dataset.Open(_folder[input], options).Read(TestContext.Current.CancellationToken).ToList();
            Assert.All(items, item => Assert.Null(item.Error));
            Assert.Equal(expected, string.Join(' ', items.SelectMany(item => item.Images).Select(image => image.Reference.Replace(_folder.Path + "/", "", StringComparison.Ordinal))));
        }
    }

    [Fact]
    public void Every_format_has_an_example()
    {
        var formats = new HashSet<DatasetFormat>();
        foreach (var (name, content) in new[] { ("json", "[]"), ("jsonl", ""), ("csv", "image\n"), ("txt", "") })
        {
            File.WriteAllText(_folder[$"a.{name}"], content);
            formats.Add(Dataset.Open(_folder[$"a.{name}"]).Format);
        }
        formats.UnionWith([DatasetFormat.Folder, DatasetFormat.ImageFolder, DatasetFormat.Coco, DatasetFormat.WebDataset, DatasetFormat.Parquet]);
        Assert.Equal(Enum.GetValues<DatasetFormat>().Order(), formats.Order());
        Assert.InRange(Examples.Count, 8, 100);
    }

    /// <summary>Makes a file, or an archive of members.</summary>
    private void Make(string name, (string Name, string Content)[] parts)
    {
        if (parts[0].Name.Contains(".tar:", StringComparison.Ordinal))
        {
            using var archive = new TarWriter(File.Create(_folder[name + ".tar"]));
            foreach (var (member, content) in parts)
                archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, member.Split(".tar:")[1]) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
            return;
        }
        var text = parts.Single().Content;
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        if (name.EndsWith(".parquet", StringComparison.Ordinal))
        {
            using var database = DuckDbConnection.Open();
            database.Execute($"COPY ({text}) TO {DuckDbConnection.Literal(_folder[name])} (FORMAT parquet)");
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
