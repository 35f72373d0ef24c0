using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Reports;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Tests.Reports;

/// <summary>
/// Precision and recall of issues on the sample photographs and on copies that are degraded here: a small set, so that a change of a rule
/// or a metric is seen at once. bench/issues.sh measures on 2,000 photographs; docs/check.md has its figures.
/// </summary>
public class IssueRecallTests
{
    private static readonly string[] Damages = ["-blur", "-noise", "-jpeg10", "-dark", "-lowres"];

    [Theory]
    [Trait("kind", "long")]
    // Issue, kind, level, copies found of 24, originals flagged (storm.jpg is soft, jetty.jpg is grey).
    [InlineData("blurry", DegradationKind.GaussianBlur, 4, 24, 1)]
    [InlineData("blurry", DegradationKind.LensBlur, 4, 24, 1)]
    [InlineData("blurry", DegradationKind.Downscale, 5, 24, 1)]
    [InlineData("noisy", DegradationKind.WhiteNoise, 4, 24, 0)]
    [InlineData("noisy", DegradationKind.ImpulseNoise, 5, 24, 0)]
    [InlineData("blocky", DegradationKind.Jpeg, 4, 24, 0)]
    [InlineData("overexposed", DegradationKind.Brighten, 5, 10, 0)]
    [InlineData("underexposed", DegradationKind.Darken, 5, 9, 0)]
    [InlineData("gray", DegradationKind.Saturation, 4, 24, 1)]
    public void Copies_with_an_issues_own_damage_are_found(string name, DegradationKind kind, int level, int found, int flagged)
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["photos"]);
        foreach (var file in Directory.GetFiles(TestFiles.InRepository("samples", "photos")))
            if (Path.GetFileNameWithoutExtension(file) is var stem && stem != "corrupt"
                && !Damages.Any(damage => stem.EndsWith(damage, StringComparison.Ordinal)))
                File.Copy(file, Path.Combine(folder["photos"], Path.GetFileName(file)));
        var options = new DegradationOptions { Kinds = [kind], Levels = [level], Seed = 7, Workers = 2 };
        Assert.Equal(24, DegradationRun.Run(
            Dataset.Open(folder["photos"]), folder["copies"], options, TestContext.Current.CancellationToken).Count());
        var check = new CheckOptions { Issues = new IssueOptions { Issues = [Issue.Get(name)] } };
        long Count(string input) => Dataset.Open(folder[input])
            .ScoreInto(folder[input + "-scores"], new ScoringOptions { Metrics = DatasetCheck.Metrics(check.Issues.Issues), Workers = 2 })
            .Open().Check(check, TestContext.Current.CancellationToken).Issues[0].Count;
        Assert.Equal((found, flagged), (Count("copies"), Count("photos")));
    }
}
