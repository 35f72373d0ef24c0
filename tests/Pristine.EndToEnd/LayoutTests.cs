using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>Layouts of datasets that are more than one file, from the command line.</summary>
public sealed class LayoutTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    private void Photo(string name, string photo = "leaf.jpg")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.Copy(TestFiles.InRepository("samples", "photos", photo), _folder[name]);
    }

    [Fact]
    public void A_hugging_face_folder_is_exported_as_one()
    {
        Photo("in/train/a.jpg");
        Photo("in/train/b.jpg", "moss-blur.jpg");
        Photo("in/test/a.jpg");
        File.WriteAllText(_folder["in/train/metadata.jsonl"], "{\"file_name\": \"b.jpg\"}\n{\"file_name\": \"a.jpg\", \"text\": \"x\"}\n");
        File.WriteAllText(_folder["in/test/metadata.jsonl"], "{\"file_name\": \"a.jpg\"}\n{\"file_name\": \"missing.jpg\"}\n");
        string[] filter = ["filter", _folder["in"], "--keep", "brisque <= 50", "--out", _folder["out"]];
        Assert.Contains("expected --copy, --link or --hardlink", PristineCommand.Run(filter).Expect(2).Error, StringComparison.Ordinal);
        PristineCommand.Run([.. filter, "--copy"]).Expect(0);
        Assert.Equal("{\"file_name\": \"a.jpg\", \"text\": \"x\"}\n", File.ReadAllText(_folder["out/train/metadata.jsonl"]));
        Assert.Equal("{\"file_name\": \"a.jpg\"}\n", File.ReadAllText(_folder["out/test/metadata.jsonl"]));
        Assert.Equal(4, Directory.EnumerateFiles(_folder["out"], "*", SearchOption.AllDirectories).Count());

        // A row whose image is not there is not exported: load_dataset would fail on it.
        var text = PristineCommand.Run("filter", _folder["in"], "--keep", "item.split = 'test'", "--out", _folder["texts"], "--hardlink")
            .Expect(1);
        Assert.Contains("missing.jpg", text.Error, StringComparison.Ordinal);
        Assert.Equal("{\"file_name\": \"a.jpg\"}\n", File.ReadAllText(_folder["texts/test/metadata.jsonl"]));

        // Nor is one whose image would get another name.
        Directory.CreateDirectory(_folder["taken/test"]);
        File.WriteAllText(_folder["taken/test/a.jpg"], "another");
        var taken = PristineCommand.Run("filter", _folder["in"], "--keep", "brisque <= 50", "--out", _folder["taken"], "--link").Expect(1);
        Assert.Contains("another file is there already", taken.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["taken/test/metadata.jsonl"]));
        Assert.True(File.Exists(_folder["taken/train/metadata.jsonl"]));
    }

    [Fact]
    public void Images_in_data_addresses_have_thumbnails_in_the_report()
    {
        var address =
            $"data:image/jpeg;base64,{Convert.ToBase64String(File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg")))}";
        File.WriteAllText(_folder["a.jsonl"], $"{{\"image\":\"{address}\"}}\n{{\"image\":\"missing.jpg\"}}\n");
        PristineCommand.Run("score", _folder["a.jsonl"], "--out", _folder["scores"]).Expect(0);
        PristineCommand.Run("report", _folder["scores"], "--out", _folder["report.html"]).Expect(0);
        Assert.Contains("data:image/webp;base64,", File.ReadAllText(_folder["report.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pipe_in_which_no_record_names_an_image_is_refused_at_its_end()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Needs named pipes.");
        Photo("a.jpg");
        foreach (var (name, records, exitCode) in new[] { ("a.jsonl", "{\"x\":\"a.jpg\"}\n{\"y\":1}\n", 1), ("b.csv", "x,y\na.jpg,1\n", 1),
            ("c.jsonl", "{\"x\":1}\n{\"image\":\"a.jpg\"}\n", 0), ("d.csv", "image\na.jpg\n", 0) })
        {
            File.WriteAllText(_folder["content"], records);
            var result = PristineCommand.Shell(
                $"mkfifo {name} && (cat content > {name} &) && {PristineCommand.InShell} score {name} --metrics width --format jsonl",
                _folder.Path);
            Assert.True(result.ExitCode == exitCode, $"{name}: {result.ExitCode}\n{result.Error}");
            Assert.Equal(exitCode == 1, result.Error.Contains("Fields seen: x, y.", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_fault_in_a_rule_leaves_no_file()
    {
        Photo("in/a.jpg");
        PristineCommand.Run("score", _folder["in"], "--metrics", "width", "--out", _folder["scores"]).Expect(0);
        foreach (var rule in new[] { "brisque <= 40", "width <", "item.none = 1" })
            PristineCommand.Run(
                "select", _folder["scores"], "--keep", rule, "--out", _folder["out/kept.txt"], "--dropped", _folder["out/dropped.jsonl"])
                    .Expect(2);
        Assert.True(!Directory.Exists(_folder["out"]) || !Directory.EnumerateFileSystemEntries(_folder["out"]).Any());
    }

    [Fact]
    public void Folders_of_classes_and_splits_are_fields_for_rules()
    {
        Photo("in/train/cats/a.jpg");
        Photo("in/train/dogs/b.jpg");
        Photo("in/test/cats/c.jpg");
        PristineCommand.Run(
            "filter", _folder["in"], "--keep", "item.label = 'cats' and item.split <> 'test' and width > 1", "--out", _folder["out"],
            "--copy").Expect(0);
        Assert.Equal([_folder["out/train/cats/a.jpg"]], Directory.EnumerateFiles(_folder["out"], "*", SearchOption.AllDirectories));
        var unknown = PristineCommand.Run("filter", _folder["in"], "--keep", "item.class = 'cats'", "--out", "-").Expect(2);
        Assert.Contains("their fields are label, split", unknown.Error, StringComparison.Ordinal);
    }
}
