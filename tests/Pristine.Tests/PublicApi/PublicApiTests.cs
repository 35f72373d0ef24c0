using System.Reflection;
using Pristine.Datasets;
using PublicApiGenerator;

namespace Pristine.Tests.PublicApi;

/// <summary>
/// What the packages show to their users, pinned: a change of the surface is a change of <c>NAME.txt</c> beside this file, seen in review.
/// </summary>
public class PublicApiTests
{
    private static readonly ApiGeneratorOptions Options = new() { IncludeAssemblyAttributes = false };

    public static TheoryData<string> Assemblies => ["Pristine", "Pristine.Cloud", "Pristine.Experiments", "Pristine.PaddleMix"];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void The_public_surface_is_the_pinned_one(string name)
    {
        var assembly = Assembly.Load(name);
        var found = assembly.GeneratePublicApi(Options).ReplaceLineEndings("\n").Trim() + "\n";
        var file = TestFiles.InRepository("tests", "Pristine.Tests", "PublicApi", name + ".txt");
        var pinned = File.Exists(file) ? File.ReadAllText(file) : "";
        if (pinned == found)
            return;
        var received = Path.Combine(Path.GetTempPath(), name + ".txt");
        File.WriteAllText(received, found);
        var lines = pinned.Split('\n').ToHashSet();
        var added = found.Split('\n').Where(line => !lines.Contains(line)).Take(20);
        var kept = found.Split('\n').ToHashSet();
        var removed = pinned.Split('\n').Where(line => !kept.Contains(line)).Take(20);
        Assert.Fail(
            $"The public surface of {name} has changed. If that is meant: cp {received} " +
            $"{file}\nadded:\n{string.Join('\n', added)}\nremoved:\n{string.Join('\n', removed)}");
    }

    /// <summary>Bindings and kernels are nobody's business but the library's; which SIMD path runs is a setting.</summary>
    [Fact]
    public void Native_and_Kernels_show_nothing_but_the_SIMD_path() => Assert.Equal(
        ["Simd", "SimdPath"],
        typeof(Dataset).Assembly.GetExportedTypes().Where(type => type.Namespace is "Pristine.Native" or "Pristine.Kernels")
            .Select(type => type.Name).Order());
}
