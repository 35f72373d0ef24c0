using System.Text;
using System.Text.Json;
using Pristine.Metrics;
using Pristine.Metrics.Text.Language;
using Pristine.Models;

namespace Pristine.Tests.Metrics.Text;

public class LanguageScoreTests
{
    /// <summary>Sums of some hundred floats, and an exponential function of another library.</summary>
    private const double Tolerance = 1e-5;

    private const string Brings = "npm pack fasttext.wasm.js@1.0.0 && pristine models import lid176 fasttext.wasm.js-1.0.0.tgz";

    [Fact]
    public void Languages_and_probabilities_are_those_of_fastText()
    {
        if (LanguageScore.Any.Missing is { } missing)
            Assert.Skip(missing);
        using var json = JsonDocument.Parse(File.ReadAllBytes(
            TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "Text", "language_fasttext.json")));
        foreach (var expected in json.RootElement.GetProperty("cases").EnumerateArray())
        {
            var (text, language) = (expected.GetProperty("text").GetString()!, expected.GetProperty("language").GetString()!);
            var probability = Math.Min(1, expected.GetProperty("probability").GetDouble());
            Assert.Equal(language, LanguageScore.Any.Find(text).Language);
            Assert.Equal(probability, LanguageScore.Any.Measure(text), Tolerance);
            Assert.Equal(probability, LanguageScore.Of(language).Measure(text), Tolerance);
            Assert.Equal(0, LanguageScore.Of(language == "sw" ? "en" : "sw").Measure(text));
        }
        var model = LanguageModel.Read(ModelStore.Default);
        Assert.Equal(LanguageScore.Languages, model.Labels.Order(StringComparer.Ordinal));
    }

    /// <summary>
    /// A model of three labels whose counts make the tree ((c, b), a), two words and one sequence of letters, once with floats and once
    /// with codes: its probabilities are computed by hand.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_model_goes_down_its_tree_with_the_mean_of_words_and_letters(bool isInCodes)
    {
        var model = FastTextModel.Read("small", Small(isInCodes));
        Assert.Equal(["a", "b", "c"], model.Labels);
        // The line's end is the word </s> of the row (1, 0); "yes" the row (0, 2); its sequence "es" the row (4, 4).
        double[] mean = [(1 + 0 + 4) / 3.0, (0 + 2 + 4) / 3.0];
        double Right(double[] row) => 1 / (1 + Math.Exp(-(row[0] * mean[0] + row[1] * mean[1])));
        // Node 3 joins c and b, the root joins that and a; of the two children of a node the rarer is the left one.
        var (inner, root) = (Right([0.5, -1]), Right([-0.25, 0.125]));
        var expected = new Dictionary<string, double>
        {
            ["a"] = root,
            ["b"] = (1 - root) * inner,
            ["c"] = (1 - root) * (1 - inner),
        };
        var best = expected.MaxBy(pair => pair.Value);
        var (label, probability) = model.Classify("yes");
        Assert.Equal((best.Key, best.Value), (label, probability), (x, y) => x.Item1 == y.Item1 && Math.Abs(x.Item2 - y.Item2) < 1e-4);
    }

    [Fact]
    public void What_is_no_model_is_a_sentence()
    {
        var whole = Small(isInCodes: true);
        for (var length = 0; length < whole.Length; length++)
            Assert.Contains("expected", Assert.Throws<ModelException>(() => FastTextModel.Read("cut", whole[..length])).Message,
                StringComparison.Ordinal);
        whole[0]++;
        Assert.Contains("begins with other bytes", Assert.Throws<ModelException>(() => FastTextModel.Read("other", whole)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_model_the_command_that_brings_it_is_told_and_unknown_languages_are_refused()
    {
        using var folder = TestFiles.NewFolder();
        var metric = LanguageScore.Any.WithStore(new ModelStore(folder.Path));
        Assert.Contains(Brings, metric.Missing, StringComparison.Ordinal);
        Assert.Contains(Brings, Assert.Throws<ModelException>(() => metric.Measure("a text")).Message, StringComparison.Ordinal);
        Assert.Null(metric.ModelSha256);
        Assert.Equal("lang_score:en", MetricSet.BuiltIn.Get("lang_score:en").Name);
        Assert.False(MetricSet.BuiltIn.TryFind("lang_score:english", out _, out var reason));
        Assert.Contains("Expected one of the 176 languages", reason, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => LanguageScore.Of("xx"));
    }

    /// <summary>
    /// A model as fastText saves it: two words, three labels, sequences of two letters in eight buckets of which one is kept.
    /// </summary>
    private static byte[] Small(bool isInCodes)
    {
        using var bytes = new MemoryStream();
        using var file = new BinaryWriter(bytes);
        foreach (var number in (int[])[793712314, 12, 2, 5, 5, 1, 5, 1, 1, 3, 8, 2, 2, 100])
            file.Write(number);
        file.Write(1e-4);
        foreach (var number in (int[])[5, 2, 3])
            file.Write(number);
        file.Write(100L);
        file.Write(1L);
        foreach (var (text, count, isLabel) in ((string, long, bool)[])[
            ("</s>", 9, false), ("yes", 5, false), ("__label__a", 9, true), ("__label__b", 3, true), ("__label__c", 2, true)])
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Write((byte)0);
            file.Write(count);
            file.Write(isLabel);
        }
        // FNV-1a of "es" in eight buckets.
        file.Write((int)("es"u8.ToArray().Aggregate(2166136261u, (hash, letter) => (hash ^ letter) * 16777619) % 8));
        file.Write(0);
        float[][] rows = [[1, 0], [0, 2], [4, 4]];
        file.Write(isInCodes);
        if (isInCodes)
        {
            // With lengths: a row is its length times the centre of its code.
            file.Write(true);
            file.Write(3L);
            file.Write(2L);
            file.Write(3);
            file.Write([7, 8, 9]);
            Codebook(2, (7, [1, 0]), (8, [0, 1]), (9, [1, 1]));
            file.Write([0, 1, 2]);
            Codebook(1, (0, [1]), (1, [2]), (2, [4]));
        }
        else
        {
            file.Write(3L);
            file.Write(2L);
            foreach (var value in rows.SelectMany(row => row))
                file.Write(value);
        }
        file.Write(false);
        file.Write(3L);
        file.Write(2L);
        // The third row belongs to no decision.
        foreach (var value in (float[])[0.5f, -1, -0.25f, 0.125f, 99, 99])
            file.Write(value);
        return bytes.ToArray();

        void Codebook(int columns, params (int Code, float[] Centre)[] centres)
        {
            foreach (var number in (int[])[columns, 1, columns, columns])
                file.Write(number);
            for (var code = 0; code < 256; code++)
                foreach (var value in centres.FirstOrDefault(centre => centre.Code == code).Centre ?? new float[columns])
                    file.Write(value);
        }
    }
}
