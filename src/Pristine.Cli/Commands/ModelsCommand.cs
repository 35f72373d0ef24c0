using System.CommandLine;
using Pristine.Models;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine models</c>: what is in the model store, and what comes into it.</summary>
internal static class ModelsCommand
{
    public static Command Create() => new("models", "Show and import the models that some metrics need.") { CreateList(), CreateImport() };

    private static Command CreateList()
    {
        var command = new Command("list", "List the models in the store with their files and SHA-256, one line per file.");
        command.SetAction(result =>
        {
            var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
            return Run(error, () =>
            {
                var store = ModelStore.Default;
                var models = store.List();
                foreach (var model in models)
                    Write(output, model);
                error.WriteLine(models.Count == 0 ? $"No models in {store.Folder}." : $"Store: {store.Folder}");
            });
        });
        return command;
    }

    private static Command CreateImport()
    {
        var name = new Argument<string>("MODEL") { Description = $"Name of the model: {string.Join(", ", ModelDefinition.All.Select(model => model.Name))}." };
        name.AcceptOnlyFromAmong([.. ModelDefinition.All.Select(model => model.Name)]);
        var folder = new Argument<string>("DIR") { Description = "Folder with the model's files, for brisque-live allmodel and allrange of the LIVE release." };
        var trust = new Option<bool>("--trust") { Description = "Import files whose SHA-256 is not that of the release: you vouch for them." };
        var command = new Command("import", "Copy a model's files into the store, after checking their SHA-256 and that they can be read.") { name, folder, trust };
        command.SetAction(result =>
        {
            var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
            return Run(error, () =>
            {
                var definition = ModelDefinition.Get(result.GetRequiredValue(name));
                var files = definition.Files.Select(file => Path.Combine(result.GetRequiredValue(folder), file.Name));
                var store = ModelStore.Default;
                Write(output, store.Import(definition.Name, files, result.GetValue(trust) ? UnknownFiles.Trust : UnknownFiles.Refuse));
                error.WriteLine($"Imported {definition.Name} into {store.Folder}.");
            });
        });
        return command;
    }

    private static void Write(TextWriter output, StoredModel model)
    {
        foreach (var file in model.Files)
            output.WriteLine($"{model.Name}\t{file.Name}\t{file.Bytes}\t{file.Sha256}\t{(model.Trusted ? "unknown origin, trusted on import" : model.Origin)}");
    }

    /// <summary>Failures that the user can do something about become a message and exit code 1; anything else is a bug and stays an exception.</summary>
    private static int Run(TextWriter error, Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            error.WriteLine($"pristine models: {failure.Message}");
            return 1;
        }
    }
}
