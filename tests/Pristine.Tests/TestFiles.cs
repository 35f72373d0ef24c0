namespace Pristine.Tests;

/// <summary>Where tests find the repository's files and the reference files beside it, and folders of their own to write to.</summary>
internal static class TestFiles
{
    /// <summary>The repository's root: the nearest folder above the test binary that holds Pristine.slnx.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file or folder of the repository.</summary>
    public static string InRepository(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>
    /// A file or folder of the reference data that stands beside the checkout of a developer; the test is skipped where it is absent,
    /// as in a user's clone.
    /// </summary>
    public static string Reference(params string[] parts)
    {
        var path = Path.GetFullPath(Path.Combine([Root, "..", "shared", "refs", .. parts]));
        if (!Path.Exists(path))
            Assert.Skip($"Needs the reference data at ../shared/refs/{string.Join('/', parts)}, which a plain clone does not have.");
        return path;
    }

    /// <summary>A fresh, empty folder that disappears when disposed.</summary>
    public static TemporaryFolder NewFolder() => new();

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Pristine.slnx")))
                return folder.FullName;
        throw new DirectoryNotFoundException($"Expected Pristine.slnx in a folder above {AppContext.BaseDirectory}.");
    }
}

/// <summary>A folder for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("pristine-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
