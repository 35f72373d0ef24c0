using System.Globalization;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tests.Media;

namespace Pristine.Tests.Experiments;

public class BenchmarkTests
{
    private static readonly BenchmarkOptions Quick = new()
    {
        Scoring = new ScoringOptions { Metrics = [MetricCatalog.Get("sharpness"), MetricCatalog.Get("brisque")], Workers = 2 },
        Bootstrap = new BootstrapOptions { Resamples = 60 },
        SpeedTime = TimeSpan.FromMilliseconds(50),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static OpinionResult RunOpinions(TemporaryFolder folder) =>
        OpinionBenchmark.Run(OpinionScores.Read(folder["labels.csv"]), folder.Path, Quick, cancellation: Token);

    private static DetectionResult RunDetection(TemporaryFolder folder) =>
        DegradationBenchmark.Run(folder[$"out/{DegradationRun.LogName}"], options: Quick, cancellation: Token);

    /// <summary>Photos that were blurred in twelve steps and given opinions that fall with the blur, but not always.</summary>
    private static TemporaryFolder Blurred(string header, Func<double, double> opinion)
    {
        var folder = TestFiles.NewFolder();
        using var degrader = new ImageDegrader();
        var labels = header + "\n";
        for (var i = 0; i < 12; i++)
        {
            var rgb = TestImages.Photo(96, 80, seed: i);
            var mask = BlurMask.Gaussian(0.3 + 0.25 * (i ^ 1));
            var target = new byte[rgb.Length];
            new Pristine.Kernels.RgbConvolution(Pristine.Kernels.SimdPath.Scalar).Apply(rgb, 96, 80, mask, target);
            Assert.Null(ImageEncoder.Encode(target, 96, 80, "png", out var file));
            File.WriteAllBytes(folder[$"{i}.png"], file);
            labels += string.Create(CultureInfo.InvariantCulture, $"{i}.png,{opinion(i)}\n");
        }
        File.WriteAllText(folder["labels.csv"], labels);
        return folder;
    }

    [Fact]
    public void Agreement_has_one_sign_whichever_way_metric_and_opinions_point()
    {
        using var mos = Blurred("image,mos", blur => 100 - 3 * blur);
        using var dmos = Blurred("image,dmos", blur => 3 * blur);
        var higher = RunOpinions(mos);
        var lower = RunOpinions(dmos);
        Assert.Equal(["sharpness", "brisque"], higher.Metrics.Select(metric => metric.Metric.Name));
        foreach (var (one, other) in higher.Metrics.Zip(lower.Metrics))
        {
            Assert.Equal(12, one.Images);
            Assert.InRange(one.Spearman.Value, 0.6, 1);
            Assert.Equal(one.Spearman, other.Spearman);
            Assert.Equal(one.Kendall, other.Kendall);
            Assert.Equal(one.Pearson.Value, other.Pearson.Value, 1e-12);
            Assert.Equal(one.FittedError.Value, other.FittedError.Value, 1e-6);
            Assert.True(one.FittedPearson.Value >= one.Pearson.Value - 1e-6);
            Assert.InRange(one.Spearman.Value, one.Spearman.Interval.Low, one.Spearman.Interval.High);
            Assert.True(one.ImagesPerSecond > 0);
        }
        // Scored once more by hand.
        var scores = higher.Rows.Select(row => row.Scores.Span[0]).ToArray();
        Assert.Equal(Correlation.Spearman(
            scores, [.. higher.Opinions.Scores.Select(score => score.Value)]), higher.Metrics[0].Spearman.Value, 1e-12);
        Assert.Equal(1, higher.Agreement[0][0], 1e-12);
        Assert.Equal(higher.Agreement[0][1], higher.Agreement[1][0]);
    }

    [Fact]
    public void Images_that_cannot_be_scored_are_left_out_and_told_of()
    {
        using var folder = Blurred("image,mos", blur => 100 - 3 * blur);
        File.AppendAllText(folder["labels.csv"], "absent.png,50\nbroken.png,40\n");
        File.WriteAllBytes(folder["broken.png"], [1, 2, 3]);
        var result = RunOpinions(folder);
        Assert.Equal(14, result.Rows.Count);
        Assert.All(result.Metrics, metric => Assert.Equal(12, metric.Images));
        Assert.Contains("1 unreadable, 1 missing", BenchmarkReport.Of(result).ToMarkdown(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("absent.png,50\nnone.png,40\n", "none of them is there. The first is 'absent.png'")]
    [InlineData("leaf.jpg,50\n", "at least 2 images in")]
    [InlineData("leaf.jpg,50\nmoss.jpg,50\nclock.jpg,50\n", "found 50 for every image")]
    [InlineData("broken.png,40\nabsent.png,50\nleaf.jpg,5\n", "can be scored; found 1 of 3. 'broken.png' is unreadable")]
    public void What_cannot_be_compared_is_refused(string labels, string message)
    {
        using var folder = TestFiles.NewFolder();
        foreach (var name in (string[])["leaf.jpg", "moss.jpg", "clock.jpg"])
            File.Copy(TestFiles.InRepository("samples", "photos", name), folder[name]);
        File.WriteAllBytes(folder["broken.png"], [1, 2, 3]);
        File.WriteAllText(folder["labels.csv"], $"image,mos\n{labels}");
        Assert.Contains(message, Assert.Throws<DatasetException>(() => RunOpinions(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_whose_images_are_gone_is_refused()
    {
        using var folder = TestFiles.NewFolder();
        _ = DegradationRun.Run(Dataset.Open(
            TestFiles.InRepository("samples", "photos")), folder["out"], new DegradationOptions { Share = 0.5 }, Token).ToArray();
        foreach (var file in Directory.GetFiles(folder["out"], "*.jpg"))
            File.Delete(file);
        Assert.Contains(
            "none of them is there", Assert.Throws<DatasetException>(() => RunDetection(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_image_of_its_kind_is_no_row_of_the_page()
    {
        using var folder = TestFiles.NewFolder();
        _ = DegradationRun.Run(
            Dataset.Open(TestFiles.InRepository("samples", "photos")), folder["out"],
            new DegradationOptions { Share = 0.5, Kinds = [DegradationKind.Jpeg, DegradationKind.Darken], Seed = 3 }, Token).ToArray();
        var result = RunDetection(folder);
        var parts = result.Metrics[0].Parts;
        var singles = parts.Count(part => part.Degraded == 1);
        Assert.InRange(singles, 1, parts.Count - 1);
        var report = BenchmarkReport.Of(result);
        var page = report.ToMarkdown();
        Assert.DoesNotMatch(@"\| (jpeg|darken) \| (all|\d) \| 1 \|", page);
        Assert.Equal(
            3 * (parts.Count - singles), page.Split('\n').Count(line => line.StartsWith("| jpeg |", StringComparison.Ordinal)
            || line.StartsWith("| darken |", StringComparison.Ordinal)));
        Assert.Contains(
            $"{singles} row{(singles == 1 ? " of a single image is" : "s of a single image are")} left out", page,
            StringComparison.Ordinal);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.Equal(parts.Count, json.RootElement.GetProperty("metrics")[0].GetProperty("parts").GetArrayLength());
    }

    [Fact]
    public void The_report_is_written_in_four_files_that_agree()
    {
        using var folder = Blurred("image,mos", blur => 100 - 3 * blur);
        var result = RunOpinions(folder);
        BenchmarkReport.Of(result).Write(folder["out"]);
        Assert.Equal(["bench.html", "bench.json", "bench.md", "images.csv"], Directory.GetFiles(folder["out"]).Select(Path.GetFileName)
            .Order(StringComparer.Ordinal));
        using var json = JsonDocument.Parse(File.ReadAllText(folder["out/bench.json"]));
        Assert.Equal(result.Metrics[0].Spearman.Value, json.RootElement.GetProperty("metrics")[0].GetProperty("srcc").GetProperty("value")
            .GetDouble());
        Assert.Equal(2, json.RootElement.GetProperty("metrics").GetArrayLength());
        var html = File.ReadAllText(folder["out/bench.html"]);
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        Assert.DoesNotMatch(@"https?:|\b(?:src|href)=|@import|url\(", html);
        Assert.Contains("content=\"default-src 'none'; style-src 'sha256-", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        var shown = result.Metrics[0].Spearman.Value.ToString("F3", CultureInfo.InvariantCulture);
        Assert.Contains($"<td>{shown} (", html, StringComparison.Ordinal);
        Assert.Contains($"| {shown} (", File.ReadAllText(folder["out/bench.md"]), StringComparison.Ordinal);
        var lines = File.ReadAllLines(folder["out/images.csv"]);
        Assert.Equal("image,opinion,status,sharpness,brisque", lines[0]);
        Assert.Equal(13, lines.Length);
        Assert.Equal(result.Rows[3].Scores.Span[1], double.Parse(lines[4].Split(',')[4], CultureInfo.InvariantCulture));
    }

    private static DegradationLogEntry Entry(int index, Degradation? degradation) => new()
    {
        Index = index,
        Id = $"{index}",
        Image = $"{index}.png",
        Output = $"{index}.png",
        Outcome = degradation == null ? DegradationOutcome.Copied : DegradationOutcome.Degraded,
        Degradation = degradation,
        Seed = 1,
    };

    [Fact]
    public void Detection_counts_as_a_person_would()
    {
        // Goodness 1 is worst. Degraded: 1 (blur 5), 2 (blur 1), 4 (jpeg 3); not scored: one more jpeg.
        var (blur5, blur1, jpeg3) = (new Degradation(DegradationKind.GaussianBlur, 5), new Degradation(
            DegradationKind.GaussianBlur, 1), new Degradation(DegradationKind.Jpeg, 3));
        DegradationLogEntry[] entries =
            [Entry(0, blur5), Entry(1, blur1), Entry(2, null), Entry(3, jpeg3), Entry(4, null), Entry(5, jpeg3), Entry(6, null)];
        double[] goodness = [1, 2, 3, 4, 5, double.NaN, 6];
        var found = DegradationBenchmark.Compare(
            MetricCatalog.Get("sharpness"), goodness, entries, double.NaN, new BootstrapOptions { Resamples = 40 }, Token);
        Assert.Equal((6, 3), (found.Images, found.Flagged));
        // Of 9 pairs of a degraded and a clean image, only (4, 3) is the wrong way round.
        Assert.Equal(8.0 / 9, found.AreaUnderRoc.Value, 1e-12);
        // Flagged: 1, 2, 3, of which two are degraded, of three degraded ones.
        Assert.Equal(2.0 / 3, found.Recall.Value, 1e-12);
        Assert.Equal(2.0 / 3, found.Precision.Value, 1e-12);
        Assert.Equal(
            [
                new DetectionPart(DegradationKind.GaussianBlur, null, 2, 1, 1, 2.0 / 3),
                new DetectionPart(DegradationKind.Jpeg, null, 1, 2.0 / 3, 0, 0),
                new DetectionPart(DegradationKind.GaussianBlur, 1, 1, 1, 1, 0.5),
                new DetectionPart(DegradationKind.GaussianBlur, 5, 1, 1, 1, 0.5),
                new DetectionPart(DegradationKind.Jpeg, 3, 1, 2.0 / 3, 0, 0),
            ],
            found.Parts);
    }

    [Fact]
    public void Images_that_tie_with_the_last_flagged_one_are_flagged_too()
    {
        DegradationLogEntry[] entries =
            [Entry(0, new Degradation(DegradationKind.Jpeg, 5)), Entry(1, null), Entry(2, null), Entry(3, null)];
        var found = DegradationBenchmark.Compare(
            MetricCatalog.Get("sharpness"), [7, 7, 7, 9], entries, double.NaN, new BootstrapOptions { Resamples = 40 }, Token);
        Assert.Equal(3, found.Flagged);
        Assert.Equal(1, found.Recall.Value);
        Assert.Equal(1.0 / 3, found.Precision.Value, 1e-12);
        Assert.Equal((0.5 + 0.5 + 1) / 3, found.AreaUnderRoc.Value, 1e-12);
    }

    [Fact]
    public void Strong_blur_of_photos_is_found_by_sharpness()
    {
        using var folder = TestFiles.NewFolder();
        var options = new DegradationOptions { Share = 0.5, Kinds = [DegradationKind.GaussianBlur], Levels = [5], Seed = 2 };
        var items = DegradationRun.Run(Dataset.Open(TestFiles.InRepository("samples", "captions.json")), folder["out"], options, Token)
            .ToArray();
        var result = RunDetection(folder);
        var entries = items.SelectMany(item => item.Images).Where(entry => entry.Outcome is DegradationOutcome.Degraded
            or DegradationOutcome.Copied).Select(entry => entry.Output).Distinct().ToArray();
        Assert.Equal(entries, result.Entries.Select(entry => entry.Output));
        Assert.InRange(result.Metrics[0].AreaUnderRoc.Value, 0.9, 1);
        var report = BenchmarkReport.Of(result);
        Assert.Contains("| gaussian_blur | 5 |", report.ToMarkdown(), StringComparison.Ordinal);
        Assert.Equal("gaussian_blur", JsonDocument.Parse(report.ToJson()).RootElement.GetProperty("metrics")[0].GetProperty("parts")[0]
            .GetProperty("kind").GetString());
    }

    [Fact]
    public void A_log_without_both_sorts_of_images_is_refused()
    {
        using var folder = TestFiles.NewFolder();
        _ = DegradationRun.Run(Dataset.Open(TestFiles.InRepository("samples", "photos", "leaf.jpg")), folder["out"], cancellation: Token)
            .ToArray();
        Assert.Contains("found 1 and 0", Assert.Throws<DatasetException>(() => RunDetection(folder)).Message, StringComparison.Ordinal);
    }
}
