using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Pristine.Cli.Display;

/// <summary>A command with examples for its help.</summary>
/// <param name="name">One word.</param>
/// <param name="description">What it does, in a sentence or two.</param>
/// <param name="examples">At least two whole command lines, each of at most 76 characters.</param>
internal sealed class CliCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples => examples;
}

/// <summary>
/// Help that fits the terminal: a line of synopsis, the description, examples, then arguments and options in two columns.
/// </summary>
internal static class HelpPage
{
    private const int PlainWidth = 80;
    private const int MostWidth = 110;
    private const int MostLabel = 24;

    /// <summary>Writes the help of a command.</summary>
    public static void Write(Command command, TextWriter writer)
    {
        var width = TerminalWidth.Of(Console.IsOutputRedirected, PlainWidth, MostWidth);
        WriteWrapped(writer, Synopsis(command), "         ", width, "Usage: ");
        writer.WriteLine();
        WriteWrapped(writer, command.Description ?? "", "", width);
        if (command is CliCommand { Examples: { Count: > 0 } examples })
        {
            writer.WriteLine();
            writer.WriteLine("Examples:");
            foreach (var example in examples)
                writer.WriteLine($"  {example}");
        }
        Section(writer, "Arguments", command.Arguments.Select(argument => (Name(argument), argument.Description ?? "")), width);
        Section(writer, "Commands", command.Subcommands.Where(sub => !sub.Hidden).Select(sub => (sub.Name, sub.Description ?? "")), width);
        Section(writer, "Options", Options(command).Select(option => (Label(option), Description(option))), width);
        if (command.Subcommands.Count > 0)
        {
            writer.WriteLine();
            writer.WriteLine($"'{Usage.Path(command)} COMMAND --help' tells more about a command.");
        }
    }

    /// <summary>How the command is called: <c>pristine filter INPUT --out PATH [options]</c>.</summary>
    private static string Synopsis(Command command)
    {
        var text = new StringBuilder(Usage.Path(command));
        if (command.Subcommands.Count > 0)
            text.Append(command.Action == null ? " COMMAND" : " [COMMAND]");
        // What follows '--' is passed on, so it stands after all options.
        var passed = command.Arguments.ToLookup(argument => Name(argument).StartsWith("--", StringComparison.Ordinal));
        foreach (var argument in passed[false])
            text.Append(Placeholder(argument));
        foreach (var option in command.Options.Where(option => option.Required))
            text.Append(CultureInfo.InvariantCulture, $" {option.Name} {Value(option)}");
        text.Append(" [options]");
        foreach (var argument in passed[true])
            text.Append(Placeholder(argument));
        return text.ToString();
    }

    private static string Placeholder(Argument argument)
    {
        var name = Name(argument) + (argument.Arity.MaximumNumberOfValues > 1 ? "..." : "");
        return argument.Arity.MinimumNumberOfValues == 0 ? $" [{name}]" : $" {name}";
    }

    private static IEnumerable<Option> Options(Command command)
    {
        IEnumerable<Option> options = command.Options;
        for (var parent = command.Parents.FirstOrDefault(); parent is Command above; parent = above.Parents.FirstOrDefault())
            options = options.Concat(above.Options.Where(option => option.Recursive));
        return options.Where(option => !option.Hidden);
    }

    private static string Label(Option option)
    {
        var names = option.Aliases.Where(alias => alias.StartsWith('-')).Append(option.Name).OrderBy(name => name.Length);
        return $"{string.Join(", ", names)}{(Value(option) is { Length: > 0 } value ? $" {value}" : "")}";
    }

    private static string Description(Option option)
    {
        var text = option.Description ?? "";
        if (option.Required)
            return $"{text} (required)";
        var value = option.HasDefaultValue && option.ValueType != typeof(bool) ? option.GetDefaultValue() : null;
        return Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } shown ? $"{text} [default: {shown}]" : text;
    }

    private static string Value(Option option) =>
        option.HelpName ?? (option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool) ? "" : "VALUE");

    private static string Name(Argument argument) => argument.HelpName ?? argument.Name;

    private static void Section(TextWriter writer, string title, IEnumerable<(string Label, string Text)> entries, int width)
    {
        var rows = entries.ToArray();
        if (rows.Length == 0)
            return;
        var label = Math.Min(rows.Max(row => row.Label.Length), MostLabel);
        var indent = new string(' ', label + 4);
        writer.WriteLine();
        writer.WriteLine($"{title}:");
        foreach (var row in rows)
        {
            var first = $"  {row.Label.PadRight(label)}  ";
            if (row.Label.Length > label)
            {
                writer.WriteLine(first.TrimEnd());
                first = indent;
            }
            WriteWrapped(writer, row.Text, indent, width, first);
        }
    }

    /// <summary>Writes a text in lines that fit, broken between words.</summary>
    public static void WriteWrapped(TextWriter writer, string text, string indent, int width, string? first = null)
    {
        var line = new StringBuilder(first ?? indent);
        var isEmpty = true;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!isEmpty && line.Length + 1 + word.Length > width)
            {
                writer.WriteLine(line.ToString().TrimEnd());
                line.Clear().Append(indent);
                isEmpty = true;
            }
            line.Append(isEmpty ? "" : " ").Append(word);
            isEmpty = false;
        }
        writer.WriteLine(line.ToString().TrimEnd());
    }
}
