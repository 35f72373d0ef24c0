// Precision and recall of the issues of 'pristine check' on photographs and on copies that 'pristine degrade' made of them, as Markdown.
//   dotnet run -c Release bench/issues.cs -- FOLDER MOS.tsv TABLE
// FOLDER holds photos/ and copies/ with degraded.jsonl, MOS.tsv a file name and a mean opinion score per line. TABLE is made or brought up
// to date; all that is said below comes from selections on it. bench/issues.sh prepares the folder from BIQ2021.
#:project ../src/Pristine/Pristine.csproj
#:project ../src/Pristine.Experiments/Pristine.Experiments.csproj
#:property PublishAot=false
using System.Globalization;
using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Reports;
using Pristine.Scoring;
using Pristine.Selection;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const double SoundMos = 0.5;
DegradationKind[] blur = [DegradationKind.GaussianBlur, DegradationKind.LensBlur, DegradationKind.MotionBlur, DegradationKind.Downscale];
DegradationKind[] noise = [DegradationKind.WhiteNoise, DegradationKind.ImpulseNoise, DegradationKind.MultiplicativeNoise];
var own = new (string Issue, DegradationKind[] Kinds)[]
{
    ("blurry", blur), ("noisy", noise), ("blocky", [DegradationKind.Jpeg]), ("dark", [DegradationKind.Darken]),
    ("underexposed", [DegradationKind.Darken]),
    ("bright", [DegradationKind.Brighten]), ("overexposed", [DegradationKind.Brighten]), ("gray", [DegradationKind.Saturation]),
    ("flat", []), ("border", []),
    ("low_quality", [.. blur, .. noise, DegradationKind.Jpeg]),
};
var issues = own.Select(pair => Issue.Get(pair.Issue)).ToArray();
var mos = File.ReadLines(args[1]).Select(line => line.Split('\t')).ToDictionary(cells => cells[0], cells => double.Parse(cells[1]));
var log = DegradationLog.Read(Path.Combine(args[0], "copies", "degraded.jsonl")).Where(entry => entry.Degradation != null)
    .ToDictionary(entry => entry.Output!, entry => entry.Degradation!.Value);
var table = Dataset.Open(args[0]).ScoreInto(args[2], new ScoringOptions { Metrics = DatasetCheck.Metrics(issues) }).Open();
var images = table.Select(new SelectionOptions { Keep = ["true"] }).Decisions().Select(decision => decision.Id).ToArray();
bool IsCopy(string id) => id.Contains("/copies/", StringComparison.Ordinal) || id.StartsWith("copies/", StringComparison.Ordinal);
var sound = images.Where(id => !IsCopy(id) && mos[Path.GetFileName(id)] >= SoundMos).ToHashSet();
var photos = images.Where(id => !IsCopy(id)).ToHashSet();
var copies = images.Where(IsCopy).ToDictionary(id => id, id => log[Path.GetFileName(id)]);
var flagged = new Dictionary<string, HashSet<string>>();
foreach (var rule in IssueRules.Of(table, new IssueOptions { Issues = issues }))
{
    using var run = table.Select(new SelectionOptions { Keep = [rule.Rule!] });
    flagged[rule.Issue.Name] = [.. run.Decisions().Where(decision => decision.Kept).Select(decision => decision.Id)];
}

Console.WriteLine(
    $"{photos.Count:N0} photographs, {sound.Count:N0} of them rated {SoundMos} or better; {copies.Count:N0} copies of levels " +
    $"{string.Join(", ", copies.Values.Select(copy => copy.Level).Distinct().Order())}.");
Console.WriteLine();
Console.WriteLine("| issue | of sound photographs | of all photographs | recall, level 3 | 4 | 5 | precision |");
Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
foreach (var (name, kinds) in own)
{
    var found = flagged[name];
    var right = copies.Count(copy => kinds.Contains(copy.Value.Kind) && found.Contains(copy.Key));
    var wrong = sound.Count(found.Contains) + copies.Count(copy => !kinds.Contains(copy.Value.Kind) && found.Contains(copy.Key));
    var recall = string.Join(" | ", new[] { 3, 4, 5 }.Select(level => kinds.Length == 0 ? "" : Share(
        copies.Where(copy => kinds.Contains(copy.Value.Kind) && copy.Value.Level == level).Select(copy => copy.Key), found)));
    Console.WriteLine(
        $"| `{name}` | {Share(sound, found)} | {Share(photos, found)} | {recall} | " +
        $"{(kinds.Length == 0 ? "" : $"{100.0 * right / Math.Max(1, right + wrong):F1} %")} |");
}
Console.WriteLine();
Console.WriteLine($"| kind | copies | {string.Join(" | ", own.Select(pair => $"`{pair.Issue}`"))} |");
Console.WriteLine($"| --- | ---: |{string.Concat(own.Select(_ => " ---: |"))}");
foreach (var group in copies.GroupBy(copy => (copy.Value.Kind, copy.Value.Level)).OrderBy(group => group.Key))
    Console.WriteLine(
        $"| `{DegradationDefinition.Get(group.Key.Kind).Name}` {group.Key.Level} | {group.Count()} | " +
        $"{string.Join(" | ", own.Select(pair => Share(group.Select(copy => copy.Key), flagged[pair.Issue])))} |");

static string Share(IEnumerable<string> of, HashSet<string> found)
{
    var all = of.ToArray();
    return all.Length == 0 ? "" : $"{100.0 * all.Count(found.Contains) / all.Length:F1} %";
}
