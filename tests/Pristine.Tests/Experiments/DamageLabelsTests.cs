using Pristine.Datasets;
using Pristine.Experiments;

namespace Pristine.Tests.Experiments;

public sealed class DamageLabelsTests
{
    private static string Line(string output, string outcome, string kind = "null", string level = "null") =>
        $$"""{"index":0,"id":"x","image":"x","output":{{output}},"outcome":"{{outcome}}","kind":{{kind}},"level":{{level}},"value":null,"angle":null,"seed":1,"error":null}""";

    [Fact]
    public void Damage_grows_with_the_level_and_images_left_alone_have_none()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["copies/one"]);
        Directory.CreateDirectory(folder["copies/two/deep"]);
        File.WriteAllLines(folder["copies/one/degraded.jsonl"],
        [
            Line("\"sub/a.jpg\"", "copied"), Line("\"b.jpg\"", "degraded", "\"jpeg\"", "1"), Line("\"b.jpg\"", "degraded", "\"jpeg\"", "1"),
            Line("\"c.jpg\"", "failed"), Line("null", "missing"),
        ]);
        File.WriteAllLines(folder["copies/two/deep/degraded.jsonl"], [
            .. Enumerable.Range(1, 5).Select(level => Line($"\"{level}.jpg\"", "degraded", "\"darken\"", $"{level}"))]);

        var (labels, common) = DamageLabels.Read([folder["copies/one/degraded.jsonl"], folder["copies/two/deep/degraded.jsonl"]]);

        Assert.Equal(folder["copies"], common);
        Assert.Equal(OpinionDirection.LowerIsBetter, labels.Direction);
        Assert.Equal(["one/sub/a.jpg", "one/b.jpg", .. Enumerable.Range(1, 5)
            .Select(level => $"two/deep/{level}.jpg")], labels.Scores.Select(score => score.Image));
        Assert.Equal([0, DamageLabels.ByLevel[0], .. DamageLabels.ByLevel], labels.Scores.Select(score => score.Value));
        Assert.Equal(DamageLabels.ByLevel, DamageLabels.ByLevel.Order());
        Assert.All(labels.Scores, score => Assert.Equal("x", score.Original));
        Assert.Equal("one/degraded.jsonl and deep/degraded.jsonl", labels.Source);
    }

    [Fact]
    public void One_log_gives_its_own_folder_and_folders_that_begin_alike_are_two()
    {
        using var folder = TestFiles.NewFolder();
        foreach (var name in (string[])["run", "run2"])
        {
            Directory.CreateDirectory(folder[name]);
            File.WriteAllLines(
                folder[$"{name}/degraded.jsonl"], [Line("\"a.jpg\"", "copied"), Line("\"b.jpg\"", "degraded", "\"jpeg\"", "5")]);
        }
        Assert.Equal(folder["run"], DamageLabels.Read([folder["run/degraded.jsonl"]]).Folder);
        var (labels, common) = DamageLabels.Read([folder["run/degraded.jsonl"], folder["run2/degraded.jsonl"]]);
        Assert.Equal(folder.Path, common);
        Assert.Equal(["run/a.jpg", "run/b.jpg", "run2/a.jpg", "run2/b.jpg"], labels.Scores.Select(score => score.Image));
    }

    [Theory]
    [InlineData("copied")]
    [InlineData("degraded")]
    public void Without_both_sorts_of_images_nothing_can_be_learnt(string outcome)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllLines(
            folder["degraded.jsonl"], [outcome == "copied" ? Line("\"a.jpg\"", "copied") : Line("\"a.jpg\"", "degraded", "\"jpeg\"", "3")]);
        Assert.Contains("Expected degraded images and images left as they were", Assert.Throws<DatasetException>(
            () => DamageLabels.Read([folder["degraded.jsonl"]])).Message, StringComparison.Ordinal);
    }
}
