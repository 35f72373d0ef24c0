using System.Text;
using Pristine.Metrics.ResNet;
using Pristine.Models;

namespace Pristine.Tests.Metrics.ResNet;

public sealed class QualityHeadTests
{
    private static readonly QualityHead Head = new(
        "mine-1", "resnet50:int8", [1.5f, -2f, 0.25f], 0.125, 5, 1, "3 images; \"quoted\"\nand a second line");

    [Fact]
    public void Written_and_read_again_it_is_the_same()
    {
        using var folder = TestFiles.NewFolder();
        Head.Write(folder["h"]);
        Head.Write(folder["h"]);
        Assert.Equal([folder["h"]], Directory.EnumerateFiles(folder.Path));
        var read = QualityHead.Read(folder["h"]);
        Assert.Equal(
            (Head.Name, Head.Features, Head.Bias, Head.Worst, Head.Best, Head.Training),
            (read.Name, read.Features, read.Bias, read.Worst, read.Best, read.Training));
        Assert.Equal(Head.Weights.ToArray(), read.Weights.ToArray());
        Assert.Equal(ModelStore.Hash(File.ReadAllBytes(folder["h"])), read.Sha256);
        Assert.Equal(Head.Sha256, read.Sha256);
    }

    [Fact]
    public void Scores_are_the_weighted_sum()
    {
        Assert.Equal(1.5 * 2 - 2 * 3 + 0.25 * 4 + 0.125, Head.Score([2, 3, 4]), 1e-15);
        Assert.Contains(
            "Expected 3 features; found 2", Assert.Throws<ArgumentException>(() => Head.Score([1, 2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_heads_stand_in_one_file_and_a_logistic_one_gives_a_probability()
    {
        using var folder = TestFiles.NewFolder();
        var logistic = new QualityHead("odds", "f", [2f], -1, 1, 0, "", HeadLink.Logistic);
        QualityHead.WriteAll(folder["two"], [Head, logistic]);
        var read = QualityHead.ParseAll(File.ReadAllBytes(folder["two"]), "two");
        Assert.Equal([Head.Sha256, logistic.Sha256], read.Select(head => head.Sha256));
        Assert.Equal(1 / (1 + Math.Exp(-5)), read[1].Score([3]), 1e-15);
        Assert.Throws<ModelException>(() => QualityHead.Read(folder["two"]));
    }

    [Theory]
    [InlineData("", "another kind of file")]
    [InlineData("no JSON\n", "no JSON")]
    [InlineData("{\"format\":\"other\"}\n", "found 'other'")]
    [InlineData("{\"format\":\"pristine-head-1\",\"link\":\"logistic\"}\n", "expected no link")]
    [InlineData("{\"format\":\"pristine-head-2\",\"link\":\"x\"}\n", "expected the link 'logistic'")]
    [InlineData(
        "{\"format\":\"pristine-head-1\",\"name\":\"a\",\"features\":\"f\",\"count\":2,\"worst\":0,\"best\":1,\"bias\":0,\"training\":\"\"}\n1234", "expected 2 weights, 8 bytes; found 4 bytes")]
    [InlineData(
        "{\"format\":\"pristine-head-1\",\"name\":\"a " +
        "b\",\"features\":\"f\",\"count\":1,\"worst\":0,\"best\":1,\"bias\":0,\"training\":\"\"}\n1234", "found 'a b'")]
    [InlineData(
        "{\"format\":\"pristine-head-1\",\"name\":\"a\",\"features\":\"f\",\"count\":1,\"worst\":1,\"best\":1,\"bias\":0,\"training\":\"\"}\n1234", "different ends of the scale")]
    [InlineData(
        "{\"format\":\"pristine-head-1\",\"name\":\"a\",\"features\":null,\"count\":1,\"worst\":0,\"best\":1,\"bias\":0,\"training\":\"\"}\n1234", "features")]
    public void What_is_no_head_is_refused(string content, string message)
    {
        var error = Assert.Throws<ModelException>(() => QualityHead.Parse(Encoding.UTF8.GetBytes(content), "my.head"));
        Assert.StartsWith("my.head: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_must_be_finite() =>
        Assert.Throws<ArgumentException>(() => new QualityHead("a", "f", [float.NaN], 0, 0, 1, ""));
}
