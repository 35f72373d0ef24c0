using System.Text.Json;
using Pristine.Metrics;
using Pristine.Metrics.Text;
using Pristine.Models;

namespace Pristine.Tests.Metrics.Text;

/// <summary>Tokenizers against Hugging Face's own of JavaScript, on two small vocabularies of the shapes of CLIP's and GPT-2's.</summary>
public sealed class TextTokenizerTests
{
    internal static string File(string name) =>
        TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "Text", "tokenizers", name);

    internal static IEnumerable<(string Text, int[] Clip, int[] Gpt2)> Cases()
    {
        using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(File("expected.json")));
        int[] Ids(JsonElement entry, string name) => [.. entry.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
        return [.. document.RootElement.GetProperty("cases").EnumerateArray()
            .Select(entry => (entry.GetProperty("text").GetString()!, Ids(entry, "clip"), Ids(entry, "gpt2")))];
    }

    [Fact]
    public void Tokens_are_those_of_Hugging_Face()
    {
        var (clip, gpt2) = (TextTokenizer.Read(File("clip.json")), TextTokenizer.Read(File("gpt2.json")));
        Assert.All(Cases(), expected =>
        {
            // CLIP's begin and end with a token of their own.
            Assert.Equal(expected.Clip[1..^1], clip.Encode(expected.Text));
            Assert.Equal(expected.Gpt2, gpt2.Encode(expected.Text));
            Assert.Equal(expected.Gpt2.Length, gpt2.Count(expected.Text));
        });
        Assert.Equal(Cases().First().Clip[0], clip.IdOf("<|startoftext|>"));
        Assert.Null(clip.IdOf("<|nothing|>"));
    }

    [Fact]
    public void CLIPs_vocabulary_and_merges_are_the_same_tokenizer()
    {
        var files = TextTokenizer.Read(File("vocab.json"), File("merges.txt"));
        Assert.All(
            Cases().Where(expected => !expected.Text.Contains("<|", StringComparison.Ordinal)),
            expected => Assert.Equal(expected.Clip[1..^1], files.Encode(expected.Text)));
        Assert.Equal(Cases().First().Clip[^1], files.IdOf("<|endoftext|>"));
    }

    [Fact]
    public void Token_count_is_a_metric_of_the_tokenizer_that_is_given()
    {
        var metric = TokenCount.Read(File("gpt2.json"));
        Assert.All(Cases(), expected => Assert.Equal(expected.Gpt2.Length, metric.Measure(expected.Text)));
        Assert.Equal(64, metric.ModelSha256!.Length);
        Assert.Same(metric, MetricSet.BuiltIn.With(metric).Get("token_count"));
        Assert.False(MetricSet.BuiltIn.TryFind("token_count", out _, out var reason));
        Assert.Contains("--tokenizer tokenizer.json", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model": {"type": "WordPiece", "vocab": {}}}""", "found the kind WordPiece")]
    [InlineData("""{"model": {"type": "Unigram", "vocab": []}}""", "found the kind Unigram")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""", "found no pre-tokenizer of bytes")]
    [InlineData(
        """{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "pre_tokenizer": {"type": "Metaspace"}}""",
        "found the pre-tokenizer Metaspace")]
    [InlineData(
        """{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "normalizer": {"type": "Precompiled"}}""",
        "found the normalizer Precompiled")]
    [InlineData("[]", "expected a tokenizer.json")]
    [InlineData("{}", "expected a tokenizer.json")]
    [InlineData("no json", "expected a tokenizer.json")]
    public void A_file_of_another_kind_is_a_sentence(string content, string reason)
    {
        using var folder = TestFiles.NewFolder();
        System.IO.File.WriteAllText(folder["tokenizer.json"], content);
        var message = Assert.Throws<ModelException>(() => TokenCount.Read(folder["tokenizer.json"])).Message;
        Assert.StartsWith(folder["tokenizer.json"], message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
