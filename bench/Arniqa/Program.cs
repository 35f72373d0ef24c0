// Scores every JPEG of a folder with ARNIQA, each worker with its own decoder, and prints the rate and the largest resident memory.
//   Arniqa STORE import DIR               import the release's files (any hash)
//   Arniqa STORE quantise METHOD FOLDER   make the int8 encoder: minmax, percentile or leasterror
//   Arniqa STORE score METRIC FOLDER WORKERS [ROUNDS]
// Rounds repeat the whole folder, to see whether memory stays flat. Scores go to standard output, measurements to standard error.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Models;
using Pristine.Networks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var store = new ModelStore(args[0]);
switch (args[1])
{
    case "import":
        foreach (var definition in ModelCatalog.All.Where(model => model.Name.StartsWith("arniqa", StringComparison.Ordinal)))
            store.Import(definition.Name, [Path.Combine(args[2], definition.Files[0].Name)], UnknownFiles.Trust);
        return;
    case "quantise":
        using (var quantiser = new NetworkQuantiser(OnnxExport.Installed(store, "arniqa")))
        using (var decoder = new ImageDecoder())
        {
            foreach (var file in Files(args[3]))
                if (decoder.Load(file, ImageInput.Rgb).Status == ImageStatus.Ok)
                    quantiser.Add(decoder.Image);
            quantiser.Save(ArniqaModel.GraphPath(store, NetworkPrecision.Int8), Enum.Parse<CalibrationMethod>(args[2], ignoreCase: true));
        }
        return;
    case "score":
        Score(args[2], Files(args[3]), int.Parse(args[4], CultureInfo.InvariantCulture), args.Length > 5 ? int.Parse(
            args[5], CultureInfo.InvariantCulture) : 1);
        return;
    default:
        throw new ArgumentException($"Expected import, quantise or score; found '{args[1]}'.");
}

void Score(string name, string[] files, int workers, int rounds)
{
    var metric = new ArniqaMetric((MetricCatalog.Find(name) as ArniqaMetric
        ?? throw new ArgumentException($"Expected a variant of arniqa; found '{name}'.")).Options with { Store = store });
    var scores = new double[files.Length];
    // Loading the model and the first run, which prepares its memory, are not part of the rate.
    using var warm = metric.CreateScorer();
    using var decoder = new ImageDecoder();
    if (decoder.Load(files[0], ImageInput.Rgb).Status == ImageStatus.Ok)
        warm.Score(decoder.Image);
    for (var round = 0; round < rounds; round++)
    {
        var queue = new ConcurrentQueue<int>(Enumerable.Range(0, files.Length));
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        var threads = Enumerable.Range(0, workers).Select(_ => new Thread(() => Work(metric, files, queue, scores))).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        process.Refresh();
        Console.Error.WriteLine(
            $"{name}: {workers} workers, {files.Length} images in {clock.Elapsed.TotalSeconds:F2} s: " +
            $"{files.Length / clock.Elapsed.TotalSeconds:F3} images/s; " +
            $"{(process.TotalProcessorTime - cpu).TotalSeconds / files.Length:F3} CPU s per image; " +
            $"resident {process.WorkingSet64 >> 20} MiB, at most {process.PeakWorkingSet64 >> 20} MiB");
    }
    foreach (var (file, score) in files.Zip(scores))
        Console.WriteLine($"{Path.GetFileName(file)}\t{score:R}");
}

static void Work(ArniqaMetric metric, string[] files, ConcurrentQueue<int> queue, double[] scores)
{
    using var scorer = metric.CreateScorer();
    using var decoder = new ImageDecoder();
    while (queue.TryDequeue(out var i))
        scores[i] = decoder.Load(files[i], ImageInput.Rgb).Status == ImageStatus.Ok ? scorer.Score(decoder.Image) : double.NaN;
}

static string[] Files(string folder) =>
    [.. Directory.EnumerateFiles(folder, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
