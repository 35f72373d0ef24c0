using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Pristine.Cli.Recipes;

/// <summary>A value in a recipe: a text, a list or named values, with the line where it begins.</summary>
/// <param name="Line">The line, from 1.</param>
internal abstract record RecipeNode(long Line)
{
    /// <summary>
    /// Reads a YAML file. The parser of YamlDotNet gives its events, nothing is read by reflection. Anchors, aliases and tags are refused:
    /// a recipe needs none.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <exception cref="UsageException">It is no YAML, or not the part of it that recipes use; the message has file and line.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static RecipeNode Read(string file)
    {
        using var text = File.OpenText(file);
        try
        {
            var parser = new Parser(text);
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
                throw new UsageException($"{file}: expected a recipe; the file is empty.");
            parser.Consume<DocumentStart>();
            var root = Read(parser, file, 0);
            parser.Consume<DocumentEnd>();
            return parser.Accept<StreamEnd>(out _)
                ? root
                : throw new UsageException($"{file}:{parser.Current!.Start.Line}: expected one recipe in a file; found another document.");
        }
        catch (YamlException exception)
        {
            throw new UsageException(
                $"{file}:{exception.Start.Line}: expected YAML; {exception.InnerException?.Message ?? exception.Message}");
        }
    }

    private const int MostDepth = 20;

    private static RecipeNode Read(Parser parser, string file, int depth)
    {
        var line = parser.Current?.Start.Line ?? 0;
        if (depth > MostDepth)
            throw new UsageException($"{file}:{line}: expected at most {MostDepth} levels.");
        if (parser.Current is AnchorAlias or NodeEvent { Anchor.IsEmpty: false } or NodeEvent { Tag.IsEmpty: false })
            throw new UsageException($"{file}:{line}: expected plain values; recipes have no anchors, aliases and tags.");
        if (parser.TryConsume<Scalar>(out var scalar))
            return new RecipeText(
                line, scalar.Value, scalar.Style == ScalarStyle.Plain && scalar.Value is "" or "~" or "null" or "Null" or "NULL");
        if (parser.TryConsume<SequenceStart>(out _))
        {
            var items = new List<RecipeNode>();
            while (!parser.TryConsume<SequenceEnd>(out _))
                items.Add(Read(parser, file, depth + 1));
            return new RecipeList(line, items);
        }
        parser.Consume<MappingStart>();
        var fields = new List<KeyValuePair<string, RecipeNode>>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (Read(parser, file, depth + 1) is not RecipeText { Value: var key } name)
                throw new UsageException($"{file}:{line}: expected a text before the colon.");
            if (fields.Exists(field => field.Key == key))
                throw new UsageException($"{file}:{name.Line}: expected each key once; found '{key}' again.");
            fields.Add(KeyValuePair.Create(key, Read(parser, file, depth + 1)));
        }
        return new RecipeFields(line, fields);
    }
}

/// <summary>A text, a number or a truth value, as it stands in the file.</summary>
/// <param name="Line">The line.</param>
/// <param name="Value">The text.</param>
/// <param name="IsNull">Whether it stands for no value.</param>
internal sealed record RecipeText(long Line, string Value, bool IsNull) : RecipeNode(Line);

/// <summary>Values one after the other.</summary>
/// <param name="Line">The line.</param>
/// <param name="Items">The values.</param>
internal sealed record RecipeList(long Line, IReadOnlyList<RecipeNode> Items) : RecipeNode(Line);

/// <summary>Values by names, each name once, in the order of the file.</summary>
/// <param name="Line">The line.</param>
/// <param name="Fields">Names and values.</param>
internal sealed record RecipeFields(long Line, IReadOnlyList<KeyValuePair<string, RecipeNode>> Fields) : RecipeNode(Line)
{
    /// <summary>The value of a name; null where there is none.</summary>
    public RecipeNode? Find(string name) => Fields.FirstOrDefault(field => field.Key == name).Value;
}
