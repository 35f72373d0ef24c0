using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Cli.Recipes;
using Pristine.Selection;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine duplicates TABLE</c>: the groups of images that are duplicates of each other.</summary>
internal static class DuplicatesCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("TABLE")
        {
            Description = "A score table, made by 'pristine score INPUT --out TABLE --metrics phash'",
        };
        var by = new Option<string?>("--by")
        {
            Description = $"exact (same bytes), or near (perceptual hashes that differ in at most {DuplicateMethod.DefaultDistance} " +
                $"bits; near:6 for 6), or a feature of the table such as resnet50-embedding (a cosine of at least " +
                $"{DuplicateMethod.DefaultSimilarity.ToString(CultureInfo.InvariantCulture)}; resnet50-embedding:0.97 for 0.97); default: " +
                $"near if the table has the column phash",
            HelpName = "exact|near|FEATURE",
        };
        var format = new Option<string?>("--format", "-f")
        {
            Description = "Layout of the list; default: a table on a terminal, else jsonl",
        };
        format.OneOf("table", "jsonl", "csv");
        var output = new Option<string?>("--out", "-o")
        {
            Description = "Also write the columns duplicate_group and copies of every image (.parquet, .csv or .jsonl), and " +
                "FILE.duplicates.json, which says where they come from",
            HelpName = "FILE",
        };
        var threads = TableArguments.Threads();
        var command = new CliCommand(
            "duplicates",
            "Lists the groups of images that are duplicates of each other, the largest first.",
            "pristine duplicates scores",
            "pristine duplicates scores --by exact --format csv") { folder, by, format, output, threads };
        var recipe = new RecipeArguments();
        recipe.AddTo(command);
        command.SetAction(parsed =>
        {
            var table = TableArguments.Open(parsed.GetRequiredValue(folder));
            var method = parsed.GetValue(by) is { } asked ? DuplicateMethod.Parse(asked)
                : table.Columns.Find("phash") != null ? DuplicateMethod.Near
                : DuplicateMethod.Exact;
            recipe.Apply(parsed, table.Provenance.Columns.Where(column => column.Metric == method.Column));
            return Job.Run(() => "Stopped; no file has its final name yet.", cancellation =>
            {
                using var groups = DuplicateGroups.Find(
                    table, method, new SelectionResources { Threads = parsed.GetValue(threads) }, cancellation);
                if (parsed.GetValue(output) is { } file)
                    groups.WriteColumns(file, Ledger.FormatOf(file));
                var layout = parsed.GetValue(format) ?? (Console.IsOutputRedirected ? "jsonl" : "table");
                if (layout == "table")
                    Print(groups);
                else
                    groups.WriteList("-", layout);
                Summarize(groups, parsed.GetValue(output), parsed.GetValue(by) == null && method.Kind == DuplicateKind.Exact);
                return ExitCode.Done;
            });
        });
        return command;
    }

    private static void Print(DuplicateGroups groups)
    {
        var last = 0L;
        foreach (var image in groups.Read())
        {
            if (image.Group != last)
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{image.Copies:N0} copies"));
            last = image.Group;
            var size = image is { Width: { } width, Height: { } height } ? $"{width}x{height}" : "";
            var distance = image.Distance is { } bits ? string.Create(CultureInfo.InvariantCulture, $"{bits,2} bits")
                : image.Similarity is { } cosine ? string.Create(CultureInfo.InvariantCulture, $"{cosine:0.0000}") : "";
            Console.Out.WriteLine(
                $"  {string.Create(CultureInfo.InvariantCulture, $"{size,11} {image.Bytes,12:N0} bytes {distance}").TrimEnd()}  " +
                $"{Clean(image.Image ?? image.Id)}");
        }
    }

    private static void Summarize(DuplicateGroups groups, string? output, bool hasNoHash)
    {
        var culture = CultureInfo.InvariantCulture;
        Console.Error.WriteLine(string.Create(
            culture,
            $"{groups.Images:N0} images: {groups.Surplus:N0} {groups.Method.Description} of others, in {groups.Groups:N0} " +
            $"groups{(output == null ? "" : $" -> {output}")}"));
        if (groups.NotCompared > 0)
            Console.Error.WriteLine(string.Create(culture, $"{groups.NotCompared:N0} images could not be read and were not compared."));
        if (hasNoHash)
            Console.Error.WriteLine(
                "The table has no column phash, so only equal files are found. 'pristine score INPUT --out TABLE --metrics phash' adds it.");
    }

    /// <summary>Names come from datasets; control characters in them would disturb the terminal.</summary>
    private static string Clean(string text) => new([.. text.Select(c => char.IsControl(c) ? '\uFFFD' : c)]);
}
