namespace Pristine.Tests;

public class ScratchFolderTests
{
    private const string Owner = ".pristine-scratch";

    [Fact]
    public void A_folder_goes_with_its_owner_unless_it_is_kept()
    {
        string gone;
        using (var scratch = ScratchFolder.Create("test"))
        {
            gone = scratch.Path;
            File.WriteAllText(scratch.FileOf("a"), "a");
            Assert.StartsWith("pristine-test-", Path.GetFileName(gone), StringComparison.Ordinal);
        }
        Assert.False(Directory.Exists(gone));
        string kept;
        using (var scratch = ScratchFolder.Create("test"))
        {
            kept = scratch.Path;
            File.WriteAllText(scratch.FileOf("a"), "a");
            scratch.Keep();
        }
        Assert.Equal([Path.Combine(kept, "a")], Directory.GetFileSystemEntries(kept));
        Directory.Delete(kept, recursive: true);
    }

    [Fact]
    public void Only_folders_whose_owner_is_gone_are_removed()
    {
        using var folder = TestFiles.NewFolder();
        foreach (var name in (string[])["pristine-dead", "pristine-live", "pristine-other", "another"])
            Directory.CreateDirectory(folder[$"{name}/inner"]);
        foreach (var name in (string[])["pristine-dead", "pristine-live", "another"])
            File.WriteAllText(folder[$"{name}/{Owner}"], "");
        using (new FileStream(folder[$"pristine-live/{Owner}"], FileMode.Open, FileAccess.Write, FileShare.None))
            ScratchFolder.RemoveAbandoned(folder.Path);
        Assert.Equal(
            ["another", "pristine-live", "pristine-other"],
            Directory.GetDirectories(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }
}
