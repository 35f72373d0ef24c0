using Pristine.Metrics;
using Pristine.Metrics.Onnx;
using Pristine.Models;

namespace Pristine.Tests.Metrics;

public sealed class AddedMetricsTests : IDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public void Dispose() => _folder.Dispose();

    private AddedMetrics Added => new(new ModelStore(_folder["store"]));

    [Fact]
    public void An_added_metric_is_known_by_name_and_scores_as_its_manifest_does()
    {
        var manifest = Write("mine", "net.onnx");
        var added = Added;
        Assert.Null(added.Parse("mine", out var fault));
        Assert.Null(fault);
        Assert.Empty(added.Names);

        added.Add(manifest);
        Assert.Equal(["mine"], added.Names);
        var metric = Assert.IsType<OnnxMetric>(Added.Parse("mine", out _));
        Assert.Equal(OnnxMetric.Read(manifest).ModelSha256, metric.ModelSha256);
        Assert.Same(added.Parse("mine", out _), added.Parse("mine", out _));
        Assert.Equal(OnnxMetricTests.ScoreOfConstant(OnnxMetric.Read(manifest)), OnnxMetricTests.ScoreOfConstant(metric));
        // What it was made of is not needed.
        Directory.Delete(_folder["mine"], recursive: true);
        Assert.Null(Assert.IsType<OnnxMetric>(Added.Parse("mine", out _)).Missing);

        Assert.True(added.Remove("mine"));
        Assert.False(added.Remove("mine"));
        Assert.Null(added.Parse("mine", out _));
    }

    [Fact]
    public void A_network_below_its_manifest_stays_there_and_brings_its_weights()
    {
        var manifest = Write("big", Path.Combine("parts", "net.onnx"));
        File.WriteAllText(Path.Combine(_folder["big"], "parts", "net.onnx.data"), "weights");
        File.WriteAllText(Path.Combine(_folder["big"], "parts", "other.onnx"), "another");
        var added = Added;
        added.Add(manifest);
        Assert.Equal(
            ["manifest.json", "parts/net.onnx", "parts/net.onnx.data"],
            Directory.EnumerateFiles(Path.Combine(added.Folder, "big"), "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Path.Combine(added.Folder, "big"), file).Replace('\\', '/'))
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_metric_of_several_files_brings_all_of_them()
    {
        OnnxMetricTests.SaveSimilarity(_folder, "similarity");
        var added = Added;
        added.Add(_folder["similarity.json"]);
        Assert.Equal(
            ["image.onnx", "manifest.json", "merges.txt", "text.onnx", "vocab.json"],
            Directory.EnumerateFiles(Path.Combine(added.Folder, "similarity")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var metric = Assert.IsType<OnnxMetric>(added.Parse("similarity", out _));
        Assert.Equal(OnnxMetric.Read(_folder["similarity.json"]).ModelSha256, metric.ModelSha256);
        File.Delete(Path.Combine(added.Folder, "similarity", "text.onnx"));
        Assert.Contains("text.onnx of the metric similarity (text.file) is not there", metric.Missing, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("brisque", "net.onnx", "there is a metric 'brisque' already")]
    [InlineData("status", "net.onnx", "'status'")]
    [InlineData("mine", "../net.onnx", "expected the file beside the manifest or below it")]
    [InlineData("mine", "none.onnx", "there is no such file")]
    public void What_cannot_be_added_is_refused_and_leaves_nothing(string name, string file, string message)
    {
        var manifest = Write(name, "net.onnx", file);
        File.Copy(Path.Combine(_folder[name], "net.onnx"), _folder["net.onnx"]);
        var added = Added;
        var failure = Assert.ThrowsAny<Exception>(() => added.Add(manifest));
        Assert.True(failure is ModelException or ArgumentException, failure.ToString());
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(added.Folder));
    }

    [Fact]
    public void A_name_is_taken_until_it_is_removed_and_a_killed_addition_is_none()
    {
        var manifest = Write("mine", "net.onnx");
        var added = Added;
        Directory.CreateDirectory(Path.Combine(added.Folder, ".mine.partial"));
        File.WriteAllText(Path.Combine(added.Folder, ".mine.partial", "manifest.json"), "{");
        Assert.Empty(added.Names);
        added.Add(manifest);
        Assert.Equal(["mine"], added.Names);
        Assert.Contains(
            "pristine models remove mine", Assert.Throws<ModelException>(() => added.Add(manifest)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(added.Folder, "mine", "manifest.json"), "{}");
        Assert.Null(added.Parse("mine", out var fault));
        Assert.Contains("expected the manifest", fault, StringComparison.Ordinal);
        Assert.True(added.Remove("mine"));
    }

    private string Write(string name, string network, string? file = null)
    {
        var path = Path.Combine(_folder[name], network);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        OnnxMetricTests.SaveNetwork(path, 8);
        var manifest = Path.Combine(_folder[name], "my.json");
        var json = $$"""
            {
              "name": "{{name}}", "file": "{{(file ?? network).Replace('\\', '/')}}",
              "input": {"width": 8, "height": 8}, "output": {"index": 1}
            }
            """;
        File.WriteAllText(manifest, json);
        return manifest;
    }
}
