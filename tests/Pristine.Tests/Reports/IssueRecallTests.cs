using System.Globalization;
using System.Security.Cryptography;
using System.Text;
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

    /// <summary>
    /// The folder with <c>Images</c> and <c>Train (Images and MOS).csv</c>, a clone of github.com/nisarahmedrana/BIQ2021.
    /// </summary>
    private const string Variable = "PRISTINE_BIQ2021";

    /// <summary>In points of a percentage: a photograph or two of 1,554, where a decoder of another version rounds otherwise.</summary>
    private const double Tolerance = 0.15;

    /// <summary>
    /// What bench/issues.sh measures: 2,000 photographs and a copy of each, degraded by levels 3 to 5. The figures are those of
    /// docs/check.md.
    /// </summary>
    [Fact]
    [Trait("kind", "long")]
    public void Two_thousand_photographs_and_their_degraded_copies_have_the_documented_precision_and_recall()
    {
        var biq = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
            ? named
            : TestFiles.InRepository("..", "shared", "BIQ2021");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(biq, "Images")),
            $"The photographs of BIQ2021 are not here: clone github.com/nisarahmedrana/BIQ2021 and name it in {Variable}.");
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["set/photos"]);
        var files = Directory.EnumerateFiles(Path.Combine(biq, "Images")).ToDictionary(
            file => Path.GetFileName(file), StringComparer.OrdinalIgnoreCase);
        var ratings = File.ReadLines(Path.Combine(biq, "Train (Images and MOS).csv")).Skip(1).Select(line => line.Split(','))
            .Select(cells => (File: files[cells[0]], Mos: double.Parse(cells[1], CultureInfo.InvariantCulture)))
            .OrderBy(rated => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFileName(rated.File)))),
                StringComparer.Ordinal)
            .Skip(2000).Take(2000).ToArray();
        foreach (var (file, _) in ratings)
            File.CreateSymbolicLink(folder[$"set/photos/{Path.GetFileName(file)}"], Path.GetFullPath(file));
        var options = new DegradationOptions { Levels = [3, 4, 5], Seed = 502 };
        Assert.Equal(2000, DegradationRun.Run(
            Dataset.Open(folder["set/photos"]), folder["set/copies"], options, TestContext.Current.CancellationToken).Count());

        DegradationKind[] blur =
            [DegradationKind.GaussianBlur, DegradationKind.LensBlur, DegradationKind.MotionBlur, DegradationKind.Downscale];
        DegradationKind[] noise = [DegradationKind.WhiteNoise, DegradationKind.ImpulseNoise, DegradationKind.MultiplicativeNoise];
        var own = new Dictionary<string, DegradationKind[]>
        {
            ["blurry"] = blur,
            ["noisy"] = noise,
            ["blocky"] = [DegradationKind.Jpeg],
            ["dark"] = [DegradationKind.Darken],
            ["underexposed"] = [DegradationKind.Darken],
            ["bright"] = [DegradationKind.Brighten],
            ["overexposed"] = [DegradationKind.Brighten],
            ["gray"] = [DegradationKind.Saturation],
            ["flat"] = [],
            ["border"] = [],
            ["low_quality"] = [.. blur, .. noise, DegradationKind.Jpeg],
        };
        var issues = own.Keys.Select(Issue.Get).ToArray();
        var table = Dataset.Open(folder["set"])
            .ScoreInto(folder["table"], new ScoringOptions { Metrics = DatasetCheck.Metrics(issues) },
                cancellation: TestContext.Current.CancellationToken).Open();
        var log = DegradationLog.Read(folder["set/copies/degraded.jsonl"]).Where(entry => entry.Degradation != null)
            .ToDictionary(entry => entry.Output!, entry => entry.Degradation!.Value);
        string[] Kept(string rule)
        {
            using var run = table.Select(new SelectionOptions { Keep = [rule] });
            return [.. run.Decisions().Where(decision => decision.Kept).Select(decision => decision.Id)];
        }
        static bool IsCopy(string id) =>
            id.Contains("/copies/", StringComparison.Ordinal) || id.StartsWith("copies/", StringComparison.Ordinal);
        var mos = ratings.ToDictionary(rated => Path.GetFileName(rated.File), rated => rated.Mos);
        var images = Kept("true");
        var photos = images.Where(id => !IsCopy(id)).ToArray();
        var sound = photos.Where(id => mos[Path.GetFileName(id)] >= 0.5).ToArray();
        var copies = images.Where(IsCopy).Select(id => (Id: id, log[Path.GetFileName(id)].Kind, log[Path.GetFileName(id)].Level)).ToArray();
        Assert.Equal((2000, 1554, 2000), (photos.Length, sound.Length, copies.Length));

        var documented = Documented();
        foreach (var rule in IssueRules.Of(table, new IssueOptions { Issues = issues }))
        {
            var (name, kinds) = (rule.Issue.Name, own[rule.Issue.Name]);
            var found = Kept(rule.Rule!).ToHashSet();
            double Share(IEnumerable<string> of) =>
                of.ToArray() is { Length: > 0 } all ? 100.0 * all.Count(found.Contains) / all.Length : 0;
            var right = copies.Count(copy => kinds.Contains(copy.Kind) && found.Contains(copy.Id));
            var wrong = sound.Count(found.Contains) + copies.Count(copy => !kinds.Contains(copy.Kind) && found.Contains(copy.Id));
            List<double> measured = [Share(sound), Share(photos)];
            if (kinds.Length > 0)
                measured.AddRange([
                    .. new[] { 3, 4, 5 }.Select(level => Share(
                        copies.Where(copy => kinds.Contains(copy.Kind) && copy.Level == level).Select(copy => copy.Id))),
                    100.0 * right / Math.Max(1, right + wrong),
                ]);
            Assert.Equal(documented[name].Length, measured.Count);
            Assert.All(documented[name].Zip(measured), pair => Assert.True(
                Math.Abs(pair.First - pair.Second) <= Tolerance,
                $"{name}: docs/check.md has {string.Join(", ", documented[name])}; measured {string.Join(", ", measured)}."));
        }
    }

    /// <summary>The figures of docs/check.md by issue, in percent.</summary>
    private static Dictionary<string, double[]> Documented()
    {
        var text = File.ReadAllText(TestFiles.InRepository("docs", "check.md"));
        var rows =
            text[text.IndexOf("<!-- measured -->", StringComparison.Ordinal)..text.IndexOf("<!-- /measured -->", StringComparison.Ordinal)]
            .Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal));
        return rows.Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToDictionary(
            cells => cells[1].Trim('`'),
            cells => cells[2..].Where(cell => cell.Length > 0)
                .Select(cell => double.Parse(cell.TrimEnd('%'), NumberStyles.Float, CultureInfo.InvariantCulture)).ToArray());
    }
}
