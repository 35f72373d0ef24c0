using System.Formats.Tar;
using System.IO.Compression;
using Pristine.Models;
using Pristine.Tests.Metrics.Brisque;

namespace Pristine.Tests.Models;

public sealed class ModelStoreTests : IDisposable
{
    private const string Name = "brisque-live";

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly ModelStore _store;

    public ModelStoreTests() => _store = new(_folder["store"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Is_empty_before_anything_is_imported()
    {
        Assert.Empty(_store.List());
        Assert.Null(_store.Find(Name));
        Assert.Contains("not installed", Assert.Throws<ModelException>(() => _store.Read(Name)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_unknown_files_unless_they_are_trusted()
    {
        var files = SyntheticBrisqueLive.Write(_folder["source"]);
        var error = Assert.Throws<ModelException>(() => _store.Import(Name, files));
        Assert.Contains(files[0] + ": expected SHA-256 8b04d604", error.Message, StringComparison.Ordinal);
        Assert.Empty(_store.List());

        var model = _store.Import(Name, files.Reverse(), UnknownFiles.Trust);
        Assert.Equal(("unknown", true), (model.Origin, model.Trusted));
        Assert.Equal(["allmodel", "allrange"], model.Files.Select(file => file.Name));
        var listed = Assert.Single(_store.List());
        Assert.Equal(model.Sha256(), listed.Sha256());
        Assert.Equal(files.Select(File.ReadAllBytes), _store.Read(Name).Files);
    }

    [Fact]
    public void Known_files_need_no_trust()
    {
        var model = _store.Import(Name, [TestFiles.Reference("brisque-live", "allmodel"), TestFiles.Reference("brisque-live", "allrange")]);
        Assert.Equal(("LIVE release", false), (model.Origin, model.Trusted));
        // sha256sum allmodel allrange | sha256sum
        Assert.Equal("b42e7eb1e585d516f62a3717b309268a8f28805fec9e8ad04a88b5f57f3cedf1", model.Sha256());
    }

    [Fact]
    public void A_file_changed_after_import_is_not_used()
    {
        _store.Import(Name, SyntheticBrisqueLive.Write(_folder["source"]), UnknownFiles.Trust);
        File.AppendAllText(Path.Combine(_store.Folder, Name, "allrange"), " ");
        var error = Assert.Throws<ModelException>(() => _store.Read(Name));
        Assert.Contains("allrange: expected SHA-256", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_that_claims_the_release_does_not_vouch_for_other_files()
    {
        _store.Import(Name, SyntheticBrisqueLive.Write(_folder["source"]), UnknownFiles.Trust);
        var manifest = Path.Combine(_store.Folder, Name, "manifest.json");
        var text = File.ReadAllText(manifest);
        Assert.Contains("\"trusted\": true", text, StringComparison.Ordinal);
        File.WriteAllText(manifest, text.Replace("\"trusted\": true", "\"trusted\": false", StringComparison.Ordinal));
        Assert.Contains(
            "expected SHA-256 8b04d604", Assert.Throws<ModelException>(() => _store.Read(Name)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"name":"brisque-live","origin":"x","trusted":true,"files":[{"name":"../secret","bytes":1,"sha256":"00"}]}""")]
    public void A_damaged_manifest_is_an_error_that_names_it(string text)
    {
        _store.Import(Name, SyntheticBrisqueLive.Write(_folder["source"]), UnknownFiles.Trust);
        var manifest = Path.Combine(_store.Folder, Name, "manifest.json");
        File.WriteAllText(manifest, text);
        Assert.Contains(manifest, Assert.Throws<ModelException>(() => _store.Find(Name)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_parse_is_not_imported_and_leaves_the_old_model_in_place()
    {
        var old = _store.Import(Name, SyntheticBrisqueLive.Write(_folder["source"]), UnknownFiles.Trust);
        var damaged = SyntheticBrisqueLive.Write(_folder["damaged"], seed: 2);
        File.WriteAllText(damaged[0], File.ReadAllText(damaged[0])[..2000]);
        Assert.Contains("allmodel, line", Assert.Throws<ModelException>(
            () => _store.Import(Name, damaged, UnknownFiles.Trust)).Message, StringComparison.Ordinal);
        Assert.Equal(old.Sha256(), Assert.Single(_store.List()).Sha256());
    }

    [Fact]
    public void A_new_import_replaces_the_old_one_and_leaves_nothing_else_behind()
    {
        var old = _store.Import(Name, SyntheticBrisqueLive.Write(_folder["one"]), UnknownFiles.Trust);
        var files = SyntheticBrisqueLive.Write(_folder["two"], seed: 2);
        var model = _store.Import(Name, files, UnknownFiles.Trust);
        Assert.NotEqual(old.Sha256(), model.Sha256());
        Assert.Equal(files.Select(File.ReadAllBytes), _store.Read(Name).Files);
        Assert.Equal([Path.Combine(_store.Folder, Name)], Directory.GetDirectories(_store.Folder)
            .Where(path => !path.EndsWith(".work", StringComparison.Ordinal)));
        Assert.Equal([Path.Combine(_store.Folder, ".work", Name, "lock")], Directory.GetFileSystemEntries(
            Path.Combine(_store.Folder, ".work", Name)));
    }

    [Fact]
    public void Wants_exactly_the_files_of_the_model()
    {
        var files = SyntheticBrisqueLive.Write(_folder["source"]);
        foreach (var wrong in (string[][])[[files[0]], [files[0], files[0]], [.. files, files[1]], [files[0], _folder["allranges"]]])
            Assert.Contains("Expected the files allmodel, allrange", Assert.Throws<ArgumentException>(
                () => _store.Import(Name, wrong, UnknownFiles.Trust)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "Known: brisque-live", Assert.Throws<ArgumentException>(() => _store.Import("brisk", files)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_may_come_in_a_folder_or_in_an_archive_with_other_files()
    {
        var files = SyntheticBrisqueLive.Write(_folder["package"]);
        File.WriteAllText(_folder["package/README.md"], "not part of the model");
        var fromFolder = _store.Import(Name, [_folder["package"]], UnknownFiles.Trust);
        using (var compressed = new GZipStream(File.Create(_folder["release.tgz"]), CompressionLevel.Fastest))
            TarFile.CreateFromDirectory(_folder["package"], compressed, includeBaseDirectory: true);
        var fromArchive = _store.Import(Name, [_folder["release.tgz"]], UnknownFiles.Trust);
        Assert.Equal(fromFolder.Sha256(), fromArchive.Sha256());
        Assert.Equal(files.Select(File.ReadAllBytes), _store.Read(Name).Files);
        Assert.EndsWith("release.tgz:package/allmodel", fromArchive.Files[0].Source, StringComparison.Ordinal);

        var whole = File.ReadAllBytes(_folder["release.tgz"]);
        File.WriteAllBytes(_folder["cut.tgz"], whole[..(whole.Length / 2)]);
        Assert.Contains("cut.tgz: expected a whole tar archive", Assert.Throws<ModelException>(
            () => _store.Import(Name, [_folder["cut.tgz"]], UnknownFiles.Trust)).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["text.tgz"], "no archive");
        Assert.Throws<ModelException>(() => _store.Import(Name, [_folder["text.tgz"]], UnknownFiles.Trust));
        Assert.Throws<ArgumentException>(() => _store.Import(Name, [_folder["release.tgz"], files[0]], UnknownFiles.Trust));
    }

    [Fact]
    public void Verify_names_what_is_missing_or_has_changed()
    {
        Assert.Empty(_store.Verify(Name));
        _store.Import(Name, SyntheticBrisqueLive.Write(_folder["source"]), UnknownFiles.Trust);
        Assert.Equal([true, true], _store.Verify(Name).Select(check => check.IsSound));
        File.AppendAllText(Path.Combine(_store.Folder, Name, "allmodel"), " ");
        File.Delete(Path.Combine(_store.Folder, Name, "allrange"));
        var checks = _store.Verify(Name);
        Assert.Equal([false, false], checks.Select(check => check.IsSound));
        Assert.Equal(_store.Find(Name)!.Files.Select(file => file.Sha256), checks.Select(check => check.Expected));
        Assert.NotNull(checks[0].Found);
        Assert.Null(checks[1].Found);
    }

    [Fact]
    public void Remove_deletes_the_model_and_unfinished_downloads()
    {
        Assert.False(_store.Remove(Name));
        _store.Import(Name, SyntheticBrisqueLive.Write(_folder["source"]), UnknownFiles.Trust);
        var work = Path.Combine(_store.Folder, ".work", Name);
        Directory.CreateDirectory(Path.Combine(work, "download"));
        File.WriteAllText(Path.Combine(_store.Folder, Name, "manifest.json"), "damaged");
        Assert.True(_store.Remove(Name));
        Assert.Null(_store.Find(Name));
        Assert.False(Directory.Exists(Path.Combine(_store.Folder, Name)));
        Assert.Equal([Path.Combine(work, "lock")], Directory.GetFileSystemEntries(work));
        Assert.False(_store.Remove(Name));
    }

    [Fact]
    public void The_default_folder_is_the_variable_or_in_the_users_cache()
    {
        Assert.Equal("/somewhere", ModelStore.ChooseFolder(name => name == ModelStore.Variable ? "/somewhere" : null));
        Assert.EndsWith(Path.Combine("pristine", "models"), ModelStore.ChooseFolder(_ => null), StringComparison.Ordinal);
        Assert.True(Path.IsPathRooted(ModelStore.ChooseFolder(_ => null)));
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal("/cache/pristine/models", ModelStore.ChooseFolder(name => name == "XDG_CACHE_HOME" ? "/cache" : null));
            Assert.Equal(ModelStore.ChooseFolder(_ => null), ModelStore.ChooseFolder(name => name == "XDG_CACHE_HOME" ? "relative" : null));
        }
    }
}
