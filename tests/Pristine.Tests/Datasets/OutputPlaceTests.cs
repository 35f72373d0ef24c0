using Pristine.Datasets;

namespace Pristine.Tests.Datasets;

public sealed class OutputPlaceTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("in.json", "kept.json", true)]
    [InlineData("in.json", "kept", true)]
    [InlineData("in.json", "kept.jsonl", false)]
    [InlineData("in.json", "kept.parquet", false)]
    [InlineData("in.jsonl", "kept.JSONL", true)]
    [InlineData("in.jsonl", "kept.json", true)]
    [InlineData("in.jsonl", "kept.txt", false)]
    [InlineData("in.jsonl", "kept.csv", false)]
    [InlineData("in.txt", "kept.txt", true)]
    [InlineData("in.txt", "kept.lst", true)]
    [InlineData("in.txt", "kept.jsonl", false)]
    [InlineData("in.txt", "kept.tar", false)]
    [InlineData("", "kept.parquet", false)]
    [InlineData("*.jpg", "kept.jpg", false)]
    [InlineData("*.jpg", "-", true)]
    public void Kept_items_are_not_written_under_a_name_of_another_format(string input, string output, bool isFine)
    {
        File.WriteAllText(_folder["in.json"], "[]");
        File.WriteAllText(_folder["in.jsonl"], "");
        File.WriteAllText(_folder["in.txt"], "");
        var dataset = Dataset.Open(input.Length == 0 ? _folder.Path : _folder[input]);
        var path = output == "-" ? output : _folder[output];
        if (isFine)
            dataset.CreateWriter(path).Dispose();
        else
            Assert.EndsWith(
                $"found '{path}'.", Assert.Throws<DatasetException>(() => dataset.CreateWriter(path)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void What_a_killed_run_left_of_a_check_goes_with_the_next_one()
    {
        File.WriteAllText(_folder[".pristine.partial"], "");
        OutputPlace.CheckFile(_folder["kept.jsonl"]);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Places_that_cannot_be_written_are_told_before_the_work_and_folders_are_made()
    {
        File.WriteAllText(_folder["file"], "");
        Directory.CreateDirectory(_folder["there/bench.md"]);
        OutputPlace.CheckFile(_folder["a/b/c.onnx"]);
        OutputPlace.CheckFolder(_folder["d/e"], "bench.md");
        Assert.Empty(Directory.GetFileSystemEntries(_folder["a/b"]));
        Assert.Empty(Directory.GetFileSystemEntries(_folder["d/e"]));
        foreach (var refused in (Action[])[
            () => OutputPlace.CheckFile(_folder.Path), () => OutputPlace.CheckFile(_folder["new/"]), () =>
                OutputPlace.CheckFile(_folder["file/x"]),
            () => OutputPlace.CheckFolder(_folder["file"]), () => OutputPlace.CheckFolder(_folder["file/x"]), () =>
                OutputPlace.CheckFolder(_folder["there"], "bench.md"),
            () => PartialFile.Create(_folder["new/"], null)])
            Assert.Contains(_folder.Path, Assert.Throws<DatasetException>(refused).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["new"]));
    }
}
