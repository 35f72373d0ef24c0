using System.CommandLine;
using System.CommandLine.Parsing;
using Pristine.Files;
using Pristine.Tables;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Pristine.Cli.Recipes;

/// <summary>
/// A curation as a file: the name of a command and its options by their names, without dashes. So a recipe can say whatever a command line
/// can, and is checked by the same rules.
/// </summary>
/// <param name="Command">The command: one of <see cref="Commands"/>.</param>
/// <param name="Values">Names of options and arguments with their values, in the order of the file.</param>
/// <param name="Versions">By metric the version and model that the recipe was made with; a run with others is refused.</param>
internal sealed record Recipe(string Command, IReadOnlyList<RecipeValue> Values, IReadOnlyList<KeyValuePair<string, string>> Versions)
{
    /// <summary>The key with the command's name.</summary>
    public const string CommandKey = "pristine";

    /// <summary>The key of the metrics' versions.</summary>
    public const string VersionsKey = "versions";

    /// <summary>
    /// The key, among the versions, of the program that wrote the recipe. Another program may run it: what counts are the metrics.
    /// </summary>
    public const string ProgramKey = "program";

    /// <summary>The commands that recipes are made of.</summary>
    public static IReadOnlyList<string> Commands { get; } = ["score", "filter", "select", "check", "duplicates", "overlap", "report"];

    /// <summary>Understands a file's content.</summary>
    /// <param name="root">The content.</param>
    /// <param name="file">The file, for messages.</param>
    /// <param name="commandOf">Makes the command of a name.</param>
    /// <exception cref="UsageException">A key is unknown, or a value not what the key takes.</exception>
    public static Recipe Of(RecipeNode root, string file, Func<string, Command> commandOf)
    {
        if (root is not RecipeFields fields)
            throw new UsageException($"{file}: expected a recipe, keys with values; found {(root is RecipeList ? "a list" : "a text")}.");
        if (fields.Find(CommandKey) is not RecipeText { Value: var name } at)
            throw new UsageException(
                $"{file}: expected '{CommandKey}: filter', or another command of {string.Join(", ", Commands)}; found no key " +
                $"'{CommandKey}'.");
        if (!Commands.Contains(name))
            throw new UsageException($"{file}:{at.Line}: expected one of {string.Join(", ", Commands)}; found '{name}'.");
        var keys = KeysOf(commandOf(name));
        var values = new List<RecipeValue>();
        var versions = new List<KeyValuePair<string, string>>();
        foreach (var (key, node) in fields.Fields)
        {
            if (key == CommandKey)
                continue;
            if (key == VersionsKey)
                versions.AddRange(VersionsOf(node, file));
            else if (keys.TryGetValue(key, out var symbol))
                values.Add(new RecipeValue(key, ValuesOf(node, symbol, $"{file}:{node.Line}: {key}")));
            else
                throw new UsageException(
                    $"{file}:{node.Line}: there is no key '{key}' for {name}. Nearest: " +
                    $"{string.Join(", ", NearestNames.Of(key, keys.Keys.Append(VersionsKey)))}.");
        }
        return new Recipe(name, values, versions);
    }

    /// <summary>A recipe of a command line.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="versions">The versions of its metrics.</param>
    public static Recipe Of(ParseResult parsed, IEnumerable<KeyValuePair<string, string>> versions)
    {
        var command = parsed.CommandResult.Command;
        var values = new List<RecipeValue>();
        foreach (var (key, symbol) in KeysOf(command))
        {
            SymbolResult? result = symbol is Argument argument
                ? parsed.GetResult(argument) : parsed.GetResult((Option)symbol) is { Implicit: false } option ? option : null;
            if (result is { Tokens: var tokens } && (tokens.Count > 0 || symbol is Option))
                values.Add(new RecipeValue(key, tokens.Count == 0 ? ["true"] : [.. tokens.Select(token => token.Value)]));
        }
        return new Recipe(command.Name, values, [.. versions]);
    }

    /// <summary>The values of a key; empty where the recipe has none.</summary>
    public IReadOnlyList<string> Find(string key) => Values.FirstOrDefault(value => value.Key == key)?.Texts ?? [];

    /// <summary>The recipe with another value for a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="text">Its value.</param>
    /// <param name="command">The command of the recipe.</param>
    /// <exception cref="UsageException">The command has no such key.</exception>
    public Recipe With(string key, string text, Command command)
    {
        var keys = KeysOf(command);
        return keys.ContainsKey(key)
            ? this with { Values = [.. Values.Where(value => value.Key != key), new RecipeValue(key, [text])] }
            : throw new UsageException(
                $"--set {key}: there is no such key for {Command}. Nearest: {string.Join(", ", NearestNames.Of(key, keys.Keys))}.");
    }

    /// <summary>The command line that the recipe stands for.</summary>
    /// <param name="command">The command of the recipe.</param>
    public IReadOnlyList<string> Arguments(Command command)
    {
        var keys = KeysOf(command);
        var arguments = new List<string> { Command };
        foreach (var (key, texts) in Values)
            if (keys[key] is Option option)
                arguments.AddRange(option.ValueType == typeof(bool)
                    ? texts.Where(text => text == "true").Select(_ => option.Name)
                    : texts.Select(text => $"{option.Name}={text}"));
        foreach (var version in Versions.Where(version => version.Key != ProgramKey))
            arguments.Add($"{RecipeArguments.VersionsOption}={version.Key}={version.Value}");
        var places = Values.Where(value => keys[value.Key] is Argument).SelectMany(value => value.Texts).ToArray();
        if (places.Length > 0)
            arguments.AddRange(["--", .. places]);
        return arguments;
    }

    /// <summary>
    /// Where a run of the recipe leaves a copy of it: beside what it writes, or in the score table; null where it writes nothing of a name.
    /// </summary>
    public string? Place
    {
        get
        {
            var (key, output) = ((string[])["out", "ledger", "dropped", "scores"])
                .SelectMany(key => Find(key).Select(place => (key, place))).FirstOrDefault(output => output.place != "-");
            return output == null ? null
                : Command == "score" || key == "scores" ? Path.Combine(output, "recipe.yaml")
                : Path.TrimEndingDirectorySeparator(output) + ".recipe.yaml";
        }
    }

    /// <summary>Writes the recipe whole or not at all.</summary>
    /// <param name="file">The file; missing folders are made.</param>
    public void Write(string file)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder)
            Directory.CreateDirectory(folder);
        WholeFile.Write(file, stream =>
        {
            using var text = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            var emitter = new Emitter(
                text, new EmitterSettings(bestIndent: 2, bestWidth: int.MaxValue, isCanonical: false, maxSimpleKeyLength: 1024));
            emitter.Emit(new StreamStart());
            emitter.Emit(new DocumentStart(null, null, isImplicit: true));
            emitter.Emit(new MappingStart(null, null, isImplicit: true, MappingStyle.Block));
            Emit(emitter, CommandKey, [Command]);
            foreach (var value in Values)
                Emit(emitter, value.Key, value.Texts);
            if (Versions.Count > 0)
            {
                emitter.Emit(new Scalar(VersionsKey));
                emitter.Emit(new MappingStart(null, null, isImplicit: true, MappingStyle.Block));
                foreach (var (name, version) in Versions)
                    Emit(emitter, name, [version]);
                emitter.Emit(new MappingEnd());
            }
            emitter.Emit(new MappingEnd());
            emitter.Emit(new DocumentEnd(isImplicit: true));
            emitter.Emit(new StreamEnd());
        });
    }

    private static void Emit(Emitter emitter, string key, IReadOnlyList<string> texts)
    {
        emitter.Emit(new Scalar(key));
        if (texts is [var single])
        {
            emitter.Emit(new Scalar(single));
            return;
        }
        emitter.Emit(new SequenceStart(null, null, isImplicit: true, SequenceStyle.Block));
        foreach (var text in texts)
            emitter.Emit(new Scalar(text));
        emitter.Emit(new SequenceEnd());
    }

    /// <summary>The keys of a command: its options without dashes and its arguments in lower case.</summary>
    private static Dictionary<string, Symbol> KeysOf(Command command)
    {
        var keys = command.Arguments.ToDictionary(
            argument => argument.Name.ToLowerInvariant(), Symbol (argument) => argument, StringComparer.Ordinal);
        foreach (var option in command.Options.Where(
            option => !option.Hidden && option.Name is not (RecipeArguments.WriteOption or "--help")))
            keys.Add(option.Name.TrimStart('-'), option);
        return keys;
    }

    private static IEnumerable<KeyValuePair<string, string>> VersionsOf(RecipeNode node, string file) => node is RecipeFields versions
        ? versions.Fields.Select(version => version.Value is RecipeText { IsNull: false, Value: var text }
            ? KeyValuePair.Create(version.Key, text)
            : throw new UsageException($"{file}:{version.Value.Line}: expected the version of {version.Key} as a text."))
        : throw new UsageException($"{file}:{node.Line}: {VersionsKey}: expected the version of each metric by its name.");

    private static string[] ValuesOf(RecipeNode node, Symbol symbol, string place)
    {
        string[] texts = node switch
        {
            RecipeText text => [TextOf(text, place)],
            RecipeList list => [.. list.Items.Select(
                item => item is RecipeText text ? TextOf(text, place) : throw new UsageException($"{place}: expected texts in the list."))],
            _ => throw new UsageException($"{place}: expected a text or a list of texts; found keys with values."),
        };
        if (symbol is Option { ValueType: var type } && type == typeof(bool))
        {
            return texts is ["true" or "false"]
                ? texts
                : throw new UsageException($"{place}: expected true or false; found {string.Join(", ", texts)}.");
        }
        // Lists of names are one text with commas on the command line.
        var takesCommas = symbol is Option { HelpName: "A,B" };
        var takesSeveral = symbol is Option { ValueType.IsArray: true };
        return texts.Length == 1 || takesSeveral ? texts
            : takesCommas ? [string.Join(',', texts)]
            : throw new UsageException($"{place}: expected one value; found {(texts.Length == 0 ? "none" : $"a list of {texts.Length}")}.");
    }

    private static string TextOf(RecipeText text, string place) =>
        text.IsNull ? throw new UsageException($"{place}: expected a value; found none.") : text.Value;
}

/// <summary>A key of a recipe with its values.</summary>
/// <param name="Key">The name of an option without dashes, or of an argument in lower case.</param>
/// <param name="Texts">Its values as on the command line; of an option without a value <c>true</c>.</param>
internal sealed record RecipeValue(string Key, IReadOnlyList<string> Texts);
