using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Metrics;
using Pristine.Metrics.Onnx;
using Pristine.Models;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine models</c>: what is in the model store, what comes into it and what leaves it.</summary>
internal static class ModelsCommand
{
    private static readonly string[] Names = [.. ModelCatalog.All.Select(model => model.Name)];

    public static Command Create() => new CliCommand(
        "models",
        "Shows, downloads, imports, checks, removes and converts the models that some metrics need.",
        "pristine models list",
        "pristine models pull arniqa")
    {
        CreateList(),
        CreatePull(),
        CreateImport(),
        CreateAdd(),
        CreateVerify(),
        CreateRemove(),
        ConvertCommand.Create(),
    };

    private static CliCommand CreateList()
    {
        var command = new CliCommand(
            "list",
            "Lists every model: whether it is in the store, its size, hash and licence, and where it comes from.",
            "pristine models list",
            "pristine models list | cut -f 1,2");
        command.SetAction(_ =>
        {
            string[] headings = ["name", "state", "bytes", "sha256", "licence", "get it by", "description"];
            var store = ModelStore.Default;
            var rows = store.Definitions.Select(definition => Describe(store, definition)).Concat(MetricSet.Added.Names.Select(Describe))
                .ToArray();
            if (Console.IsOutputRedirected)
            {
                foreach (var row in rows.Prepend(headings))
                    Console.Out.WriteLine(string.Join('\t', row));
            }
            else
            {
                // A hash is for scripts; a person wants the rest on one line.
                var shown = headings.Index().Where(heading => heading.Item != "sha256").Select(heading => heading.Index).ToArray();
                TextTable.Write(
                    Console.Out, [.. shown.Select(i => headings[i])], [.. rows.Select(row => (string[])[.. shown.Select(i => row[i])])],
                    TerminalWidth.Of(isRedirected: false, plain: 80, most: 160));
            }
            Console.Error.WriteLine($"Store: {store.Folder}");
        });
        return command;
    }

    private static string[] Describe(ModelStore store, ModelDefinition definition)
    {
        var (state, stored) = State(store, definition.Name);
        var bytes = stored?.Files.Sum(file => file.Bytes) ?? definition.Bytes;
        return
        [
            definition.Name,
            state,
            bytes?.ToString(CultureInfo.InvariantCulture) ?? "unknown",
            stored?.Sha256() ?? "",
            // Files that differ from the release may have any licence.
            stored is { Trusted: true } ? "unknown" : definition.Licence,
            definition.Files.Any(file => file.Url == null)
                ? "import" : definition.Files.Any(file => file.Sha256 == null) ? "pull --trust" : "pull",
            definition.Summary,
        ];
    }

    /// <summary>A network of the user's own.</summary>
    private static string[] Describe(string added)
    {
        var metric = MetricSet.BuiltIn.TryFind(added, out var found, out var fault) ? (OnnxMetric)found : null;
        return
        [
            added,
            metric is { Missing: null } ? "added" : "damaged",
            MetricSet.Added.Bytes(added).ToString(CultureInfo.InvariantCulture),
            metric?.ModelSha256 ?? "",
            "unknown",
            "add",
            metric == null ? fault! : metric.Missing ?? metric.Summary,
        ];
    }

    /// <summary>A damaged manifest is a state of that model; the others are listed all the same.</summary>
    private static (string State, StoredModel? Stored) State(ModelStore store, string name)
    {
        try
        {
            return store.Find(name) is { } stored ? (stored.Trusted ? "trusted" : "installed", stored) : ("absent", null);
        }
        catch (ModelException)
        {
            return ("damaged", null);
        }
    }

    private static CliCommand CreatePull()
    {
        var models = ModelArguments(ArgumentArity.OneOrMore, "Models to download; 'pristine models list' shows them");
        var from = new Option<string?>("--from")
        {
            Description =
                "Address of a folder that holds the files, on a mirror or a disk (https://, http://, file://), instead of the catalog's",
            HelpName = "URL",
        };
        from.Validators.Add(result =>
        {
            var text = result.GetValueOrDefault<string?>();
            if (text != null && Address(text) == null)
                result.AddError($"--from: expected an address that starts with https://, http:// or file://; found '{text}'.");
        });
        var trust = new Option<bool>("--trust")
        {
            Description =
                "Accept files whose SHA-256 is not known, and with --from also files that differ from the release: you vouch for them",
        };
        var command = new CliCommand(
            "pull",
            "Downloads models into the store, checks their SHA-256, and goes on where an earlier download stopped.",
            "pristine models pull arniqa arniqa-koniq10k",
            "pristine models pull arniqa --from https://mirror.example/arniqa") { models, from, trust };
        command.SetAction(parsed => PullAsync(
            parsed.GetRequiredValue(models),
            new PullOptions
            {
                From = parsed.GetValue(from) is { } text ? Address(text) : null,
                Unknown = parsed.GetValue(trust) ? UnknownFiles.Trust : UnknownFiles.Refuse,
            }));
        return command;
    }

    private static async Task<int> PullAsync(string[] names, PullOptions options)
    {
        var store = ModelStore.Default;
        using var display = new PullDisplay();
        return await Job.RunAsync(() => "Stopped. What has arrived is kept; the same command goes on from there.", async cancellation =>
        {
            foreach (var name in names.Distinct())
            {
                foreach (var (model, downloaded) in await store.PullAsync(name, options, display, cancellation))
                {
                    LiveLine.Clear();
                    Write(model);
                    Console.Error.WriteLine(downloaded ? $"Pulled {model.Name} into {store.Folder}."
                        : model.Trusted
                        ? $"{model.Name} is there already, trusted when it came in; to replace it: pristine models remove {model.Name}"
                        : $"{model.Name} is there already.");
                }
            }
            return ExitCode.Done;
        });
    }

    private static CliCommand CreateImport()
    {
        var name = new Argument<string>("MODEL") { Description = "Name of the model; 'pristine models list' shows them" };
        name.OneOf(Names, "pristine models list");
        var paths = new Argument<string[]>("PATH")
        {
            Description = "The model's files, or a folder or .tgz archive that holds them",
            Arity = ArgumentArity.OneOrMore,
        };
        var trust = new Option<bool>("--trust")
        {
            Description = "Import files whose SHA-256 is not that of the release: you vouch for them",
        };
        var command = new CliCommand(
            "import",
            "Copies a model's files into the store, after checking their SHA-256 and that they can be read.",
            "pristine models import brisque-live release",
            "pristine models import arniqa-kadid10k regressor_kadid10k.pth") { name, paths, trust };
        command.SetAction(parsed =>
        {
            var store = ModelStore.Default;
            var definition = ModelCatalog.Get(parsed.GetRequiredValue(name));
            try
            {
                Write(store.Import(
                    definition.Name, parsed.GetRequiredValue(paths), parsed.GetValue(trust) ? UnknownFiles.Trust : UnknownFiles.Refuse));
            }
            catch (ArgumentException error)
            {
                throw new UsageException($"{definition.Name}: {char.ToLowerInvariant(error.Message[0])}{error.Message[1..]}");
            }
            Console.Error.WriteLine($"Imported {definition.Name} into {store.Folder}.");
        });
        return command;
    }

    private static CliCommand CreateAdd()
    {
        var manifests = new Argument<string[]>("FILE.json")
        {
            Description = "Manifests of networks in ONNX form (docs/networks.md), the network beside or below each",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new CliCommand(
            "add",
            "Copies networks of your own into the store: their metrics are then known by name in every command.",
            "pristine models add my.json",
            "pristine models add nima.json topiq.json") { manifests };
        command.SetAction(parsed =>
        {
            foreach (var manifest in parsed.GetRequiredValue(manifests))
            {
                var metric = MetricSet.Added.Add(manifest);
                Console.Out.WriteLine($"{metric.Name}\t{MetricSet.Added.Bytes(metric.Name)}\t{metric.ModelSha256}");
                Console.Error.WriteLine($"Added the metric {metric.Name} to {MetricSet.Added.Folder}.");
            }
        });
        return command;
    }

    private static CliCommand CreateVerify()
    {
        var models = ModelArguments(ArgumentArity.ZeroOrMore, "Models to check; default: all that are installed");
        var command = new CliCommand(
            "verify",
            "Reads every file of the installed models again and compares its SHA-256; exit code 1 when one differs.",
            "pristine models verify",
            "pristine models verify arniqa") { models };
        command.SetAction(parsed =>
        {
            var store = ModelStore.Default;
            var asked = parsed.GetValue(models) is { Length: > 0 } some ? some.Distinct().ToArray() : null;
            var (files, faults) = (0, 0);
            foreach (var name in asked ?? Names)
            {
                var reports = Verify(store, name, required: asked != null).ToArray();
                foreach (var (path, fault) in reports)
                    Console.Out.WriteLine($"{name}\t{path}\t{fault ?? "ok"}");
                files += reports.Length;
                faults += reports.Count(report => report.Fault != null);
            }
            Console.Error.WriteLine(
                $"{files} files checked, {faults} not as they should be{(faults > 0 ? "; pull or import the model again" : "")}. Store: " +
                $"{store.Folder}");
            return faults == 0 ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    /// <summary>One damaged model does not keep the others from being checked.</summary>
    private static IEnumerable<(string Path, string? Fault)> Verify(ModelStore store, string name, bool required)
    {
        var folder = Path.Combine(store.Folder, name);
        try
        {
            var checks = store.Verify(name);
            return checks.Count == 0 && required
                ? [(folder, "not installed")]
                : [.. checks.Select(
                    check => (check.Path, check.IsSound ? null : $"expected SHA-256 {check.Expected}; found {check.Found ?? "no file"}"))];
        }
        catch (Exception failure) when (failure is ModelException or IOException or UnauthorizedAccessException)
        {
            return [(folder, failure.Message)];
        }
    }

    private static CliCommand CreateRemove()
    {
        var models = ModelArguments(ArgumentArity.OneOrMore, "Models and added metrics to delete from the store", added: true);
        var command = new CliCommand(
            "remove",
            "Deletes models from the store, with what has arrived of unfinished downloads.",
            "pristine models remove brisque-live",
            "pristine models remove arniqa arniqa-koniq10k") { models };
        command.SetAction(parsed =>
        {
            var store = ModelStore.Default;
            foreach (var name in parsed.GetRequiredValue(models).Distinct())
                Console.Error.WriteLine(
                    (MetricSet.Added.Remove(name) || (Names.Contains(name) && store.Remove(name)))
                        ? $"Removed {name} from {store.Folder}."
                        : $"{name} was not installed in {store.Folder}.");
        });
        return command;
    }

    private static Argument<string[]> ModelArguments(ArgumentArity arity, string description, bool added = false)
    {
        var models = new Argument<string[]>("MODEL") { Description = description, Arity = arity };
        models.OneOf(() => added ? [.. Names, .. MetricSet.Added.Names] : Names, "pristine models list");
        return models;
    }

    private static Uri? Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.IsFile || uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) ? uri : null;

    /// <summary>One line per file: what a script needs to record.</summary>
    private static void Write(StoredModel model)
    {
        foreach (var file in model.Files)
            Console.Out.WriteLine(
                $"{model.Name}\t{file.Name}\t{file.Bytes}\t{file.Sha256}\t{(model.Trusted ? "unknown origin, trusted" : model.Origin)}");
    }
}
