using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

public class HostileFolderTests
{
    private const int GoodCount = 200;

    [Fact]
    public void Fifty_hostile_files_among_two_hundred_change_no_score_and_each_becomes_a_row()
    {
        using var folder = TestFiles.NewFolder();
        var photos = Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg")
            .Where(path => !path.EndsWith("corrupt.jpg", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToArray();
        Directory.CreateDirectory(folder["good"]);
        Directory.CreateDirectory(folder["all"]);
        for (var i = 0; i < GoodCount; i++)
        {
            File.CreateSymbolicLink(folder[$"good/{i:000}.jpg"], photos[i % photos.Length]);
            File.CreateSymbolicLink(folder[$"all/{i:000}.jpg"], photos[i % photos.Length]);
        }
        var hostile = HostileFiles.Create(folder["all"], photos, seed: 1);
        try
        {
            Compare(folder, hostile);
        }
        finally
        {
            // Some of the names are beyond what .NET's own deletion can reach.
            HostileFiles.Delete(folder["all"]);
        }
    }

    private static void Compare(TemporaryFolder folder, IReadOnlyList<HostileFile> hostile)
    {
        Assert.True(hostile.Count >= 50);
        var good = Scores(PristineCommand.Run("score", folder["good"], "--format", "jsonl").Expect(0));
        var all = Scores(PristineCommand.Run("score", folder["all"], "--format", "jsonl").Expect(0));

        Assert.Equal(GoodCount, good.Count);
        foreach (var (name, row) in good)
            Assert.Equal((row.Status, row.Brisque), (all[name].Status, all[name].Brisque));
        Assert.Equal(GoodCount + hostile.Count, all.Count);
        var bad = all.Where(pair => !good.ContainsKey(pair.Key)).Select(pair => pair.Value).ToArray();
        Assert.All(bad.Where(row => row.Status != "ok"), row => Assert.False(string.IsNullOrWhiteSpace(row.Error)));
        Assert.InRange(bad.Count(row => row.Status == "ok"), 0, hostile.Count(file => file.MayDecode));
    }

    private static Dictionary<string, (string Status, string? Error, string Brisque)> Scores(CommandResult result) =>
        result.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(
            row => Path.GetFileName(row.GetProperty("image").GetString()!),
            row => (row.GetProperty("status").GetString()!, row.GetProperty("error").GetString(), row.GetProperty("brisque").GetRawText()));
}
