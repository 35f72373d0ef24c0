using System.Text;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Tables;

namespace Pristine.Tests.Files;

public sealed class WholeFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData('a', 1)]
    [InlineData('a', 247)]
    [InlineData('a', 248)]
    [InlineData('a', 252)]
    [InlineData('a', 255)]
    [InlineData('ü', 127)]
    public void Names_of_any_length_that_the_file_system_has_can_be_written(char letter, int length)
    {
        var path = _folder[new string(letter, length)];
        WholeFile.Write(path, stream => stream.Write("one"u8));
        Assert.Equal("one", File.ReadAllText(path));
        WholeFile.Make(path, temporary => File.WriteAllText(temporary, "two"));
        Assert.Equal("two", File.ReadAllText(path));
        using (var file = WholeFile.Create(path))
        {
            file.Stream.Write("three"u8);
            Assert.Equal("two", File.ReadAllText(path));
            file.Complete();
        }
        Assert.Equal("three", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_file_that_another_writes_is_neither_touched_nor_removed()
    {
        var path = _folder["a"];
        using (var file = WholeFile.Create(path))
        {
            file.Stream.Write("one"u8);
            file.Stream.Flush();
            foreach (var attempt in (Action[])[
                () => WholeFile.Create(path), () => WholeFile.RemoveLeft(WholeFile.TemporaryOf(path)),
                () => PartialFile.Create(path, null).Dispose()])
            {
                var refused = Assert.ThrowsAny<Exception>(attempt);
                Assert.Contains("another process is writing it", refused.Message, StringComparison.Ordinal);
            }
            // Between its end and its name it is held as well.
            file.Flush();
            Assert.Throws<IOException>(() => WholeFile.Create(path));
            file.Complete();
        }
        Assert.Equal("one", File.ReadAllText(path));
        using (var next = WholeFile.Create(path))
            next.Discard();
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Names_that_are_held_are_held_once()
    {
        foreach (var name in (string[])[_folder.Path, _folder["kept-{000..}.tar"]])
        {
            using (WholeFile.Hold(name))
            {
                Assert.Throws<IOException>(() => WholeFile.Hold(name));
                Assert.Single(Directory.GetFiles(_folder.Path));
            }
            Assert.Empty(Directory.GetFiles(_folder.Path));
            WholeFile.Hold(name).Dispose();
        }
    }

    [Fact]
    public void Several_outputs_of_one_run_are_not_written_by_another()
    {
        var numbers = new OutputNumbers(_folder["kept-{000..}.tar"]);
        File.WriteAllText(_folder["kept-007.tar.partial"], "left by a killed run");
        using (numbers.Hold())
        {
            Assert.False(File.Exists(_folder["kept-007.tar.partial"]));
            Assert.Contains(
                "another process is writing it", Assert.Throws<DatasetException>(() => numbers.Hold()).Message, StringComparison.Ordinal);
        }
        // One of them by its own name.
        using (WholeFile.Create(_folder["kept-003.tar"]))
            Assert.Throws<DatasetException>(() => numbers.Hold());
        numbers.Hold()!.Dispose();
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_copy_that_another_makes_is_left_to_it_and_keeps_what_its_file_has()
    {
        var (source, path) = (_folder["a.jpg"], _folder["b.jpg"]);
        File.WriteAllText(source, "content");
        File.SetLastWriteTimeUtc(source, new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(source, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.UserExecute);
        using (var other = WholeFile.Create(path))
        {
            Assert.Throws<IOException>(() => WholeFile.CopyNew(source, path));
            other.Stream.Write("other"u8);
            other.Complete();
        }
        Assert.Throws<IOException>(() => WholeFile.CopyNew(source, path));
        Assert.Equal("other", File.ReadAllText(path));
        File.Delete(path);
        WholeFile.CopyNew(source, path);
        Assert.Equal("content", File.ReadAllText(path));
        Assert.Equal(File.GetLastWriteTimeUtc(source), File.GetLastWriteTimeUtc(path));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(File.GetUnixFileMode(source), File.GetUnixFileMode(path));
        Assert.Equal(2, Directory.GetFiles(_folder.Path).Length);
    }

    [Fact]
    public void A_write_that_fails_leaves_what_was_there_and_nothing_else()
    {
        var path = _folder["a"];
        File.WriteAllText(path, "old");
        Assert.Throws<InvalidOperationException>(() => WholeFile.Write(path, stream =>
        {
            stream.Write("half"u8);
            throw new InvalidOperationException();
        }));
        Assert.Throws<IOException>(() => WholeFile.MakeNew(path, stream => stream.Write("new"u8)));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_new_copy_replaces_what_a_killed_run_has_left_of_it()
    {
        var path = _folder["a.jpg"];
        File.WriteAllText(path + ".partial", "half of it");
        WholeFile.MakeNew(path, stream => stream.Write("new"u8));
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_file_that_one_process_writes_replaces_what_a_killed_run_has_left_of_it()
    {
        var path = _folder["a.h5"];
        File.WriteAllText(path, "old");
        File.WriteAllText(path + ".partial", "half of a longer file");
        WholeFile.MakeAlone(path, temporary => File.WriteAllText(temporary, "new"));
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Throws<InvalidOperationException>(() => WholeFile.MakeAlone(path, temporary =>
        {
            File.WriteAllText(temporary, "half");
            throw new InvalidOperationException();
        }));
        Assert.Equal("new", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void The_provenance_of_a_table_replaces_what_a_killed_run_has_left_of_it()
    {
        File.WriteAllText(_folder["scores.json.partial"], new string('x', 10_000));
        new TableProvenance { Dataset = new TableSource("photos", "/photos", "/photos", DatasetFormat.Folder) }.Write(_folder.Path);
        Assert.Equal([_folder["scores.json"]], Directory.GetFiles(_folder.Path));
        Assert.Equal("photos", TableProvenance.Read(_folder.Path)!.Dataset.Input);
    }

    [Fact]
    public void An_abandoned_file_keeps_its_temporary_name_and_the_next_one_replaces_it()
    {
        var path = _folder["a.json"];
        for (var run = 0; run < 2; run++)
        {
            using (var file = WholeFile.Create(path))
                file.Stream.Write("half"u8);
            Assert.Equal([path + ".partial"], Directory.GetFiles(_folder.Path));
        }
    }

    [Fact]
    public void Temporary_names_of_long_names_differ_and_fit()
    {
        var names = new[] { new string('a', 250), new string('a', 251), new string('a', 249) + "é", new string('日', 85) };
        var temporary = names.Select(WholeFile.TemporaryOf).ToArray();
        Assert.Equal(names.Length, temporary.Distinct().Count());
        Assert.All(temporary, name => Assert.InRange(Encoding.UTF8.GetByteCount(name), 240, 255));
        Assert.All(temporary, name => Assert.EndsWith(".partial", name, StringComparison.Ordinal));
        Assert.DoesNotContain('\uFFFD', string.Concat(temporary));
    }
}
