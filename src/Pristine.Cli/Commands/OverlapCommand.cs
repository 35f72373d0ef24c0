using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Cli.Recipes;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine overlap TRAIN TEST</c>: the images of a test set that a training set has too.</summary>
internal static class OverlapCommand
{
    private const string Description = "a score table with the column phash, or a dataset, whose images are read";

    public static Command Create()
    {
        var train = new Argument<string>("TRAIN") { Description = $"The training set: {Description}" };
        var test = new Argument<string>("TEST") { Description = $"The test set: {Description}" };
        var by = new Option<string>("--by")
        {
            Description = $"exact (same bytes), or near (perceptual hashes that differ in at most {DuplicateMethod.DefaultDistance} " +
                $"bits; near:6 for 6)",
            HelpName = "exact|near",
            DefaultValueFactory = _ => "near",
        };
        var format = new Option<string?>("--format", "-f")
        {
            Description = "Layout of the list; default: a table on a terminal, else jsonl",
        };
        format.OneOf("table", "jsonl");
        var output = new Option<string?>("--out", "-o")
        {
            Description = "File for the items of TRAIN none of whose images TEST has, in TRAIN's format",
            HelpName = "PATH",
        };
        var most = new Option<long?>("--max-overlap")
        {
            Description = "Exit with code 3 when TRAIN has more images of TEST than this; default: any number",
            HelpName = "N",
        };
        most.AtLeast(0);
        var threads = TableArguments.Threads();
        var remote = new RemoteArguments();
        var command = new CliCommand(
            "overlap",
            "Lists the images of a test set that a training set has too, exactly or nearly.",
            "pristine overlap train-scores test-scores",
            "pristine overlap train.jsonl test/ --out clean.jsonl") { train, test, by, format, output, most, threads };
        var recipe = new RecipeArguments();
        recipe.AddTo(command);
        remote.AddTo(command);
        command.SetAction(parsed =>
        {
            var access = remote.Access(parsed);
            var method = DuplicateMethod.Parse(parsed.GetRequiredValue(by));
            var resources = new SelectionResources { Threads = parsed.GetValue(threads) };
            recipe.Apply(parsed, MetricsOf(method));
            using var scratch = ScratchFolder.Create("overlap");
            return Job.Run(() => "Stopped; no file has its final name yet.", cancellation =>
            {
                var trained = Open(
                    parsed.GetRequiredValue(train), scratch.FileOf("train"), method, resources.Threads, access, cancellation);
                var dataset = parsed.GetValue(output) == null ? null : SelectionRun.OpenDataset(trained, access);
                using var kept = dataset?.CreateWriter(parsed.GetValue(output)!);
                var tested = Open(
                    parsed.GetRequiredValue(test), scratch.FileOf("test"), method, resources.Threads, access, cancellation);
                using var overlap = TableOverlap.Find(tested, trained, method, resources, cancellation);
                Write(overlap, parsed.GetValue(format) ?? (Console.IsOutputRedirected ? "jsonl" : "table"));
                Summarize(overlap, parsed.GetRequiredValue(train));
                if (kept != null)
                {
                    using var reverse = TableOverlap.Find(trained, tested, method, resources, cancellation);
                    Console.Error.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Keep(reverse.Others(dataset!, cancellation), kept):N0} items of {parsed.GetRequiredValue(train)} " +
                            $"without an image of the test set -> {parsed.GetValue(output)}"));
                }
                return parsed.GetValue(most) is { } allowed && overlap.Exact + overlap.Near > allowed
                    ? ExitCode.TooManyFailures
                    : ExitCode.Done;
            });
        });
        return command;
    }

    private static Metric[] MetricsOf(DuplicateMethod method) =>
        method.Kind == DuplicateKind.Near ? [MetricSet.BuiltIn.Get("phash")] : [];

    /// <summary>Opens a table; the images of a dataset are read into one that is forgotten afterwards.</summary>
    private static ScoreTable Open(
        string source, string folder, DuplicateMethod method, int workers, RemoteAccess remote, CancellationToken cancellation)
    {
        if (File.Exists(Path.Combine(source, TableProvenance.FileName)))
            return TableArguments.Open(source);
        var dataset = Dataset.Open(source, new DatasetOptions { Remote = remote });
        var scoring = new ScoringOptions
        {
            Metrics = MetricsOf(method),
            Workers = workers,
        };
        using var progress = new Progress(dataset);
        dataset.RequireImages(cancellation);
        var scored = ScoreTableRun.Score(dataset, folder, scoring, cancellation: cancellation);
        Inputs.TellLayout(dataset);
        foreach (var item in scored)
            progress.Add(item);
        LiveLine.Clear();
        Console.Error.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{source}: {progress.Images:N0} images read in {Progress.Duration(progress.Elapsed)}, {progress.Failed:N0} failed"));
        return ScoreTable.Open(folder);
    }

    private static long Keep(IEnumerable<DatasetItem> items, DatasetWriter writer)
    {
        var count = 0L;
        foreach (var item in items)
        {
            writer.Write(item);
            count++;
        }
        writer.Complete();
        OpenOutputs.TellRemoved(writer);
        return count;
    }

    private static void Write(TableOverlap overlap, string format)
    {
        using var stdout = new StandardOutputStream();
        try
        {
            using var writer = new StreamWriter(stdout, leaveOpen: true) { NewLine = "\n" };
            foreach (var image in overlap.Read())
                writer.WriteLine(format == "jsonl" ? Json(image) : Line(image));
        }
        catch (IOException) when (stdout.HasNoReader)
        {
            // As in 'pristine overlap ... | head': the reader has what it wanted.
        }
    }

    private static string Line(OverlapImage image)
    {
        var kind = image.IsExact ? "same bytes" : string.Create(CultureInfo.InvariantCulture, $"{image.Distance} bits");
        var more = image.OtherImages > 1 ? string.Create(CultureInfo.InvariantCulture, $" and {image.OtherImages - 1:N0} more") : "";
        return $"{kind.PadRight(10)}  {Clean(image.Image ?? image.Id)}  =  {Clean(image.OtherImage ?? image.OtherId)}{more}";
    }

    private static string Json(OverlapImage image)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("id", image.Id);
            json.WriteString("image", image.Image);
            json.WriteString("train_id", image.OtherId);
            json.WriteString("train_image", image.OtherImage);
            json.WriteNumber("train_images", image.OtherImages);
            json.WriteString("match", image.IsExact ? "exact" : "near");
            json.WriteNumber("distance", image.Distance);
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Summarize(TableOverlap overlap, string train)
    {
        var culture = CultureInfo.InvariantCulture;
        var near = overlap.Method.Kind == DuplicateKind.Near
            ? string.Create(culture, $", {overlap.Near:N0} more within {overlap.Method.Distance} bits")
            : "";
        Console.Error.WriteLine(
            string.Create(culture, $"{overlap.Images:N0} test images: {overlap.Exact:N0} are in {train} with the same bytes{near}."));
        if (overlap.NotCompared > 0)
            Console.Error.WriteLine(
                string.Create(culture, $"{overlap.NotCompared:N0} test images could not be read and were not compared."));
    }

    /// <summary>Names come from datasets; control characters in them would disturb the terminal.</summary>
    private static string Clean(string text) => new([.. text.Select(c => char.IsControl(c) ? '\uFFFD' : c)]);
}
