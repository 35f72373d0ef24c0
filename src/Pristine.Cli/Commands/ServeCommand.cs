using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Models;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Server;
using Pristine.Tables;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine serve TABLE|DATASET</c>: a score table over HTTP, with a page to review it. See docs/serve.md.</summary>
internal static class ServeCommand
{
    private const int DefaultPort = 7878;

    public static Command Create()
    {
        var inputs = new Inputs();
        var metrics = new MetricArguments();
        var port = new Option<int>("--port")
        {
            Description = "Port; 0 for one that is free",
            HelpName = "N",
            DefaultValueFactory = _ =>
            DefaultPort
        };
        port.Between(0, 65535);
        var host = new Option<string>("--host")
        {
            Description = "Address to listen on; other than this machine's own (127.0.0.1, ::1) others can reach it, and need the token",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => "127.0.0.1",
        };
        var withToken = new Option<bool>("--with-token") { Description = "Ask for the token on this machine's own address too" };
        var allowHost = new Option<string[]>("--allow-host")
        {
            Description = "Name by which browsers may call it; may be repeated",
            HelpName = "NAME"
        };
        var allowFolder = new Option<string[]>("--allow-folder")
        {
            Description = "Folder besides the dataset's own whose images may be shown; may be repeated",
            HelpName = "DIR",
        };
        var scores = new Option<string?>("--scores")
        {
            Description = "Of a dataset: the score table to make or bring up to date; default: one that is gone afterwards",
            HelpName = "DIR",
        };
        var overrides = new Option<string?>("--overrides")
        {
            Description = $"File of what you keep and drop by hand; default: {Overrides.FileName} in the table, without one in the " +
                "current folder",
            HelpName = "FILE",
        };
        var by = new Option<string?>("--by")
        {
            Description = "Who decides, as the overrides name them; default: the user's name",
            HelpName = "NAME"
        };
        var upload = new Option<int>("--max-upload-megabytes")
        {
            Description = "Largest image that is taken, uploaded or at an address",
            HelpName = "N",
            DefaultValueFactory = _ => 32,
        };
        upload.Between(1, 1024);
        var export = new Option<int>("--max-export-megabytes")
        {
            Description = "Largest file of kept items that is made for a client",
            HelpName = "N",
            DefaultValueFactory = _ => 4096,
        };
        export.Between(1, 1 << 20);
        var noAddresses = new Option<bool>("--no-addresses")
        {
            Description = "Do not read what is at addresses that requests or the table's rows name",
        };
        var command = new CliCommand(
            "serve",
            "Serves a score table, or scores a dataset and serves that: a page to review it at / and an API, see docs/serve.md.",
            "pristine serve scores",
            "pristine serve photos --metrics brisque,sharpness --scores scores --port 8080");
        inputs.AddImagesTo(command);
        inputs.AddHeadsTo(command);
        metrics.AddTo(command);
        foreach (var option in (Option[])[port, host, withToken, allowHost, allowFolder, scores, overrides, by, upload, export,
            noAddresses])
            command.Options.Add(option);
        command.SetAction((parsed, _) =>
        {
            if (!IPAddress.TryParse(parsed.GetRequiredValue(host) is "localhost" ? "127.0.0.1" : parsed.GetRequiredValue(host),
                out var address))
                throw new UsageException($"--host: expected an address such as 127.0.0.1 or 0.0.0.0; found '{parsed.GetValue(host)}'.");
            var input = inputs.Input(parsed);
            var isTable = File.Exists(Path.Combine(input, TableProvenance.FileName));
            if (isTable && parsed.GetValue(scores) != null)
                throw new UsageException($"--scores: expected with a dataset; '{input}' is a score table already.");
            if (input == "-")
                throw new UsageException("Expected a score table or a dataset; a list on standard input can be read only once.");
            var remote = inputs.Options(parsed).Remote;
            var megabytes = parsed.GetValue(upload);
            return Job.RunAsync(() => "Stopped.", async cancellation =>
            {
                using var temporary = !isTable && parsed.GetValue(scores) == null ? ScratchFolder.Create("serve") : null;
                var scoring = metrics.Scoring(parsed, inputs);
                var folder = isTable ? input : parsed.GetValue(scores) ?? temporary!.Path;
                if (!isTable && Score(parsed, inputs, folder, scoring, cancellation) is var code and not 0)
                    return code;
                var table = TableArguments.Open(folder);
                // An upload is scored as the table's images were, unless metrics are named.
                if (isTable && !metrics.AreNamed(parsed))
                    scoring = scoring with { Metrics = OfTable(table, scoring.Known), Gates = [], ItemGates = [], Features = [] };
                var isOpen = !IPAddress.IsLoopback(address);
                var options = new ServerOptions
                {
                    Address = address,
                    Port = parsed.GetValue(port),
                    Token = isOpen || parsed.GetValue(withToken) ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) : null,
                    Hosts = parsed.GetValue(allowHost) ?? [],
                    Folders = parsed.GetValue(allowFolder) ?? [],
                    Overrides = parsed.GetValue(overrides)
                        ?? (temporary == null ? Path.Combine(table.Folder, Overrides.FileName) : Overrides.FileName),
                    By = parsed.GetValue(by) ?? (Environment.UserName is { Length: > 0 } name ? name : null),
                    ImageRoot = inputs.Options(parsed).ImageRoot,
                    Scoring = scoring,
                    Known = scoring.Known,
                    MostUploadBytes = (long)megabytes << 20,
                    MostExportBytes = (long)parsed.GetValue(export) << 20,
                    Remote = remote,
                    ReadsAddresses = !parsed.GetValue(noAddresses),
                };
                await using var server = await PristineServer.StartAsync(table, options);
                Console.Out.WriteLine(options.Token == null ? server.Address : $"{server.Address}?token={options.Token}");
                Console.Out.Flush();
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{table.RowCount:N0} rows; overrides: {options.Overrides}. Ctrl-C ends it."));
                var end = new TaskCompletionSource();
                await using (cancellation.Register(end.SetResult))
                    await end.Task;
                return ExitCode.Done;
            });
        });
        return command;
    }

    /// <summary>Scores a dataset into a table.</summary>
    private static int Score(ParseResult parsed, Inputs inputs, string folder, ScoringOptions scoring, CancellationToken cancellation)
    {
        var dataset = inputs.Open(parsed);
        using var progress = new Progress(dataset);
        foreach (var item in ScoreTableRun.Score(dataset, folder, scoring, new ScoreTableOptions(), cancellation))
            progress.Add(item);
        LiveLine.Clear();
        return inputs.ExitCodeOf(parsed, progress, dataset);
    }

    /// <summary>The table's metrics that this program can compute here; the others are told of.</summary>
    private static List<Metric> OfTable(ScoreTable table, MetricSet known)
    {
        var found = new List<Metric>();
        foreach (var column in table.Provenance.Columns.Where(column => column.IsScore))
        {
            if (known.Find(column.Metric) is not { } metric)
                continue;
            try
            {
                new ScoringOptions { Metrics = [metric], Known = known }.RequireModels();
                found.Add(metric);
            }
            catch (ModelException exception)
            {
                Console.Error.WriteLine($"pristine: uploads are not scored by {metric.Name}: {exception.Message}");
            }
        }
        return found;
    }
}
