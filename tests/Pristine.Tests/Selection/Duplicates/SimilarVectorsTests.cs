using Pristine.Metrics;
using Pristine.Selection;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Tests.Selection.Duplicates;

public sealed class SimilarVectorsTests
{
    /// <summary>Vectors of which many are near others: around few centres, without numbers below zero, as features of networks.</summary>
    private static float[][] Vectors(int count, int length, int seed)
    {
        var random = new Random(seed);
        float[] Positive() => [.. Enumerable.Range(0, length).Select(_ => (float)Math.Pow(random.NextDouble(), 4))];
        var centres = Enumerable.Range(0, Math.Max(1, count / 4)).Select(_ => Positive()).ToArray();
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var (centre, noise) = (centres[random.Next(centres.Length)], random.NextDouble());
            return centre.Select(number => (float)(number * (1 + noise * (random.NextDouble() - 0.5)))).ToArray();
        })];
    }

    private static double Cosine(float[] a, float[] b)
    {
        double product = 0, first = 0, second = 0;
        for (var i = 0; i < a.Length; i++)
        {
            product += (double)a[i] * b[i];
            first += (double)a[i] * a[i];
            second += (double)b[i] * b[i];
        }
        return product / Math.Sqrt(first * second);
    }

    private static int[] BruteForce(float[][] vectors, double similarity)
    {
        var roots = Enumerable.Range(0, vectors.Length).ToArray();
        int Root(int i) => roots[i] == i ? i : roots[i] = Root(roots[i]);
        for (var i = 0; i < vectors.Length; i++)
            for (var j = 0; j < i; j++)
                if (Cosine(vectors[i], vectors[j]) >= similarity && (Root(i), Root(j)) is var (a, b))
                    roots[Math.Max(a, b)] = Math.Min(a, b);
        return [.. roots.Select((_, i) => Root(i))];
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(40, 3)]
    [InlineData(300, 100)]
    [InlineData(700, 37)]
    public void Groups_are_those_of_comparing_every_pair_whatever_the_threads(int count, int length)
    {
        var vectors = Vectors(count, length, count);
        using var similar = new SimilarVectors(length);
        Assert.Equal(Enumerable.Range(0, count), vectors.Select(vector => similar.Add(vector)));
        foreach (var similarity in (double[])[0.9, 0.97, 0.995, 1])
            foreach (var threads in (int[])[1, 3])
                Assert.Equal(BruteForce(vectors, similarity), similar.Group(similarity, threads, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Equal_vectors_are_one_and_those_without_a_direction_none()
    {
        using var similar = new SimilarVectors(2);
        Assert.Equal(
            [0, 1, 0, -1, -1],
            ((float[][])[[1, 2], [2, 4], [1, 2], [0, 0], [1, float.NaN]]).Select(vector => similar.Add(vector)));
        Assert.Equal([0, 0], similar.Group(1, 2, TestContext.Current.CancellationToken));
        Assert.Throws<ScoreTableException>(() => similar.Add([1, 2, 3]));
    }

    [Fact]
    public void Images_with_similar_features_are_duplicates_in_selections_and_lists()
    {
        using var folder = TestFiles.NewFolder();
        var feature = MetricCatalog.Features[^1];
        float[] Feature(float x, float y) => [x, y, .. new float[feature.Count - 2]];
        ScoreRow Row(long item, string hash, float[] vector) =>
            SmallTable.Row(item, 30) with { ContentHash = hash, Vectors = [null, vector] };
        var table = SmallTable.Make(
            folder, [MetricCatalog.Get("brisque"), FeatureColumn.Find(FeatureColumn.NameOf(feature.Name))!],
            Row(0, "aa", Feature(1, 0)), Row(1, "bb", Feature(1, 0.3f)), Row(2, "cc", Feature(1, 0.6f)), Row(3, "dd", Feature(0, 1)),
            Row(4, "ee", Feature(0, 0)), Row(5, "ee", Feature(0, 0)));
        var method = DuplicateMethod.Parse($"{feature.Name}:0.95");
        Assert.Equal(DuplicateMethod.Similar(feature.Name), method);
        Assert.Equal(method, DuplicateMethod.Parse(method.ToString()));
        // 1 joins 0 and 2; 4 and 5 have no direction, and the same bytes.
        var options = new SelectionOptions { Dedup = method };
        Assert.Equal("0 3 4", table.Kept(options));
        Assert.Equal("0 1 3 4", table.Kept(new SelectionOptions { Dedup = DuplicateMethod.Similar(feature.Name, 0.96) }));
        using var run = SelectionRun.Run(table, options, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal("near duplicate of i0 (similarity 0.8575)", run.Entries().Single(entry => entry.Id == "i2").Reason);
        using var groups = DuplicateGroups.Find(table, method, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(
            ["1 3 i0 1", "1 3 i1 0.9578", "1 3 i2 0.8575", "2 2 i4 ", "2 2 i5 "],
            groups.Read().Select(image => FormattableString.Invariant($"{image.Group} {image.Copies} {image.Id} {image.Similarity}")));
        Assert.Equal("0", table.Kept(options with { Keep = ["copies = 3"] }));
        Assert.Equal(options.ToJson(), SelectionOptions.FromJson(options.ToJson()).ToJson());
    }

    [Fact]
    public void What_is_no_method_is_told()
    {
        string[] texts =
            ["resnet", "near:17", "resnet50-embedding:0", "resnet50-embedding:1.5", "resnet50-embedding:x", "exact:1"];
        foreach (var text in texts)
        {
            var message = Assert.Throws<RuleException>(() => DuplicateMethod.Parse(text)).Message;
            Assert.Contains($"found '{text}'", message, StringComparison.Ordinal);
        }
    }
}
