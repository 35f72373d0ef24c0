using Pristine.Datasets;
using Pristine.Media;

namespace Pristine.Tests.Datasets;

public sealed class FileExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(FileExportMode.Copy)]
    [InlineData(FileExportMode.Link)]
    [InlineData(FileExportMode.HardLink)]
    public void Images_stand_in_a_mirror_tree_and_a_second_run_changes_nothing(FileExportMode mode)
    {
        Make("in/a.jpg", "in/sub/b.jpg");
        var dataset = Dataset.Open(_folder["in"]);
        for (var run = 0; run < 2; run++)
        {
            var export = FileExport.For(dataset, _folder["out"], mode);
            Assert.Equal(
                ["a.jpg", "sub/b.jpg"], dataset.Read(TestContext.Current.CancellationToken).SelectMany(i => i.Images).Select(export.Add));
        }
        Assert.Equal([_folder["out/a.jpg"], _folder["out/sub/b.jpg"]], Files("out"));
        Assert.Equal("in/sub/b.jpg", File.ReadAllText(_folder["out/sub/b.jpg"]));
        Assert.Equal(mode == FileExportMode.Link ? _folder["in/a.jpg"] : null, new FileInfo(_folder["out/a.jpg"]).LinkTarget);

        // A hard link is the same file, a copy is not.
        File.WriteAllText(_folder["in/a.jpg"], "changed");
        Assert.Equal(mode == FileExportMode.Copy ? "in/a.jpg" : "changed", File.ReadAllText(_folder["out/a.jpg"]));
    }

    [Theory]
    [InlineData(251)]
    [InlineData(252)]
    [InlineData(253)]
    [InlineData(254)]
    [InlineData(255)]
    public void Names_as_long_as_the_file_system_allows_are_copied_also_beside_another_file_of_that_name(int length)
    {
        var name = new string('n', length - 4) + ".jpg";
        Make($"in/{name}", $"other/{name}");
        var export = new FileExport(_folder["out"], FileExportMode.Copy, _folder["in"]);
        Assert.Equal(name, export.Add(new FileSource(name, _folder[$"in/{name}"])));
        var second = new FileExport(_folder["out"], FileExportMode.Copy, _folder["other"])
            .Add(new FileSource(name, _folder[$"other/{name}"]));
        Assert.EndsWith("n-2.jpg", second, StringComparison.Ordinal);
        Assert.Equal($"in/{name}", File.ReadAllText(_folder[$"out/{name}"]));
        Assert.Equal($"other/{name}", File.ReadAllText(_folder[$"out/{second}"]));
        Assert.Equal(2, Files("out").Count());
    }

    [Fact]
    public void Paths_outside_of_the_root_stay_inside_the_target()
    {
        Make("in/x.txt", "outside.jpg");
        var export = new FileExport(_folder["in/deep/out"], FileExportMode.Copy, _folder["in"]);
        var path = export.Add(new FileSource("../outside.jpg", _folder["in/../outside.jpg"]));
        Assert.Equal("_outside" + _folder["outside.jpg"], path);
        Assert.Equal("outside.jpg", File.ReadAllText(Path.Combine(_folder["in/deep/out"], path)));
        Assert.Equal("outside.jpg", File.ReadAllText(_folder["outside.jpg"]));
    }

    [Fact]
    public void A_link_in_the_target_does_not_lead_out_of_it()
    {
        Make("in/sub/a.jpg", "precious/b.txt", "out/x.txt");
        Directory.CreateSymbolicLink(_folder["out/sub"], _folder["precious"]);
        var export = new FileExport(_folder["out"], FileExportMode.Copy, _folder["in"]);
        Assert.Throws<DatasetException>(() => export.Add(new FileSource("sub/a.jpg", _folder["in/sub/a.jpg"])));
        Assert.Equal([_folder["precious/b.txt"]], Files("precious"));
    }

    [Theory]
    [InlineData(FileExportMode.Copy)]
    [InlineData(FileExportMode.Link)]
    [InlineData(FileExportMode.HardLink)]
    public void What_is_there_already_is_never_overwritten(FileExportMode mode)
    {
        Make("in/a.jpg", "out/a.jpg", "out/a-2.jpg");
        File.WriteAllText(_folder["out/a-2.jpg"], "in/a.jpg");
        var export = new FileExport(_folder["out"], mode, _folder["in"]);
        Assert.Equal(mode == FileExportMode.Link ? "a-3.jpg" : "a-2.jpg", export.Add(new FileSource("a.jpg", _folder["in/a.jpg"])));
        Assert.Equal("out/a.jpg", File.ReadAllText(_folder["out/a.jpg"]));
    }

    [Fact]
    public void A_dangling_link_in_the_target_is_left_alone()
    {
        Make("in/a.jpg", "out/x.txt");
        File.CreateSymbolicLink(_folder["out/a.jpg"], _folder["precious.jpg"]);
        var export = new FileExport(_folder["out"], FileExportMode.Copy, _folder["in"]);
        Assert.Equal("a-2.jpg", export.Add(new FileSource("a.jpg", _folder["in/a.jpg"])));
        Assert.False(File.Exists(_folder["precious.jpg"]));
    }

    [Fact]
    public void Missing_images_and_folders_are_named()
    {
        Make("in/x.jpg/y.jpg");
        var export = new FileExport(_folder["out"], FileExportMode.Copy, _folder["in"]);
        Assert.Contains("no such file", Assert.Throws<DatasetException>(
            () => export.Add(new FileSource("a", _folder["in/a.jpg"]))).Message, StringComparison.Ordinal);
        Assert.Contains("folder", Assert.Throws<DatasetException>(
            () => export.Add(new FileSource("x", _folder["in/x.jpg"]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_within_a_searched_folder_is_refused()
    {
        Make("in/a.jpg", "in/data.jsonl");
        Assert.Throws<DatasetException>(() => FileExport.For(Dataset.Open(_folder["in"]), _folder["in/kept"], FileExportMode.Copy));
        Assert.Throws<DatasetException>(() => FileExport.For(Dataset.Open(_folder["in/*.jpg"]), _folder["in/kept"], FileExportMode.Copy));
        Assert.False(Directory.Exists(_folder["in/kept"]));
        Assert.NotNull(FileExport.For(Dataset.Open(_folder["in/data.jsonl"]), _folder["in/kept"], FileExportMode.Copy));
    }

    [Theory]
    [InlineData(FileExportMode.Copy)]
    [InlineData(FileExportMode.Link)]
    [InlineData(FileExportMode.HardLink)]
    public void Sidecar_files_go_along_and_nothing_else_does(FileExportMode mode)
    {
        Make("in/a.jpg", "in/a.txt", "in/a.caption", "in/a.b.txt", "in/ab.txt", "in/a", "in/A.txt", "in/a.png", "in/b.txt", "in/sub/b.jpg",
            "in/sub/b.json", "in/a.dir/x");
        for (var run = 0; run < 2; run++)
        {
            var export = new FileExport(_folder["out"], mode, _folder["in"]);
            Assert.Equal("a.jpg", export.Add(new FileSource("a.jpg", _folder["in/a.jpg"])));
            Assert.Equal("sub/b.jpg", export.Add(new FileSource("sub/b.jpg", _folder["in/sub/b.jpg"])));
        }
        Assert.Equal(
            ["out/a.caption", "out/a.jpg", "out/a.txt", "out/sub/b.jpg", "out/sub/b.json"],
            Files("out").Select(file => Path.GetRelativePath(_folder.Path, file)));
        Assert.Equal("in/a.txt", File.ReadAllText(_folder["out/a.txt"]));
        Assert.Equal(mode == FileExportMode.Link ? _folder["in/a.txt"] : null, new FileInfo(_folder["out/a.txt"]).LinkTarget);
        Assert.Equal("in/a.caption", File.ReadAllText(_folder["in/a.caption"]));
    }

    [Fact]
    public void A_sidecar_keeps_the_name_of_its_image_when_one_of_them_is_taken()
    {
        Make("in/a.jpg", "in/a.txt", "in/b.jpg", "in/b.txt", "out/a.jpg", "out/b.txt");
        var export = new FileExport(_folder["out"], FileExportMode.Copy, _folder["in"]);
        Assert.Equal(
            ["a-2.jpg", "b-2.jpg"], new[] { "a.jpg", "b.jpg" }.Select(name => export.Add(new FileSource(name, _folder["in/" + name]))));
        Assert.Equal(
            ["out/a-2.jpg", "out/a-2.txt", "out/a.jpg", "out/b-2.jpg", "out/b-2.txt", "out/b.txt"],
            Files("out").Select(file => Path.GetRelativePath(_folder.Path, file)));
        Assert.Equal("in/b.txt", File.ReadAllText(_folder["out/b-2.txt"]));
        Assert.Equal("out/b.txt", File.ReadAllText(_folder["out/b.txt"]));
    }

    [Fact]
    public void Images_of_the_same_name_share_their_sidecar()
    {
        Make("in/a.jpg", "in/a.png", "in/a.txt");
        var export = new FileExport(_folder["out"], FileExportMode.Copy, _folder["in"]);
        Assert.Equal(
            ["a.jpg", "a.png"], new[] { "a.jpg", "a.png" }.Select(name => export.Add(new FileSource(name, _folder["in/" + name]))));
        Assert.Equal(3, Files("out").Count());
    }

    [Fact]
    public void A_sidecar_that_cannot_be_copied_keeps_its_image_out()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Looks at a file of Linux that cannot be read to its end.");
        Make("in/a.jpg");
        // A regular file, whose reading fails for everybody, root as well.
        File.CreateSymbolicLink(_folder["in/a.txt"], "/proc/self/mem");
        var export = new FileExport(_folder["out"], FileExportMode.Copy, _folder["in"]);
        Assert.Contains("in/a.jpg", Assert.Throws<DatasetException>(
            () => export.Add(new FileSource("a.jpg", _folder["in/a.jpg"]))).Message, StringComparison.Ordinal);
        Assert.Empty(Files("out"));
    }

    [Fact]
    public void Pipes_are_refused_as_images_and_passed_over_as_sidecars()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Makes named pipes.");
        Make("in/a.jpg");
        using (var made = System.Diagnostics.Process.Start("mkfifo", [_folder["in/a.txt"], _folder["in/pipe.jpg"]]))
            made.WaitForExit();
        var export = new FileExport(_folder["out"], FileExportMode.Copy, _folder["in"]);
        Assert.Equal("a.jpg", export.Add(new FileSource("a.jpg", _folder["in/a.jpg"])));
        Assert.Contains("not a regular file", Assert.Throws<DatasetException>(
            () => export.Add(new FileSource("pipe.jpg", _folder["in/pipe.jpg"]))).Message, StringComparison.Ordinal);
        Assert.Equal([_folder["out/a.jpg"]], Files("out"));
    }

    private IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(_folder[folder], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    private void Make(params string[] names)
    {
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllText(_folder[name], name);
        }
    }
}
