using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace Pristine.Cli.Options;

/// <summary>Says what is wrong with a command line: expected, found, and what was probably meant.</summary>
internal static partial class UsageErrors
{
    /// <summary>The errors of a command line, the first first; what follows from an unknown name is left out.</summary>
    public static IEnumerable<string> Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens is [var first, ..] unmatched)
        {
            var option = unmatched.FirstOrDefault(token => token.StartsWith('-') && token.Length > 1);
            return [Unknown(command, option ?? first)];
        }
        if (command.Subcommands.Count > 0 && command.Action == null)
            return [$"Expected a command after '{Usage.Path(command)}': " +
                $"{string.Join(", ", command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name))}."];
        return parsed.Errors.Select(Describe).Distinct();
    }

    private static string Unknown(Command command, string token)
    {
        if (token.StartsWith('-'))
        {
            var name = token.Split('=')[0];
            var names = Parents(command).SelectMany((at, i) => at.Options.Where(option => i == 0 || option.Recursive))
                .Select(option => option.Name.TrimStart('-'));
            var similar = NearestNames.Similar(name.TrimStart('-'), names);
            return $"'{Usage.Path(command)}' has no option " +
                $"'{name}'.{(similar.Count > 0 ? $" Did you mean {string.Join(" or ", similar.Select(known => "--" + known))}?" : "")}";
        }
        if (command.Subcommands.Count > 0)
            return $"'{Usage.Path(command)}' has no command " +
                $"'{token}'.{NearestNames.Question(token, command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name))}";
        return command.Arguments.Count == 0
            ? $"'{Usage.Path(command)}' takes no argument; found '{token}'."
            : $"'{Usage.Path(command)}' takes " +
            $"{string.Join(" ", command.Arguments.Select(argument => argument.HelpName ?? argument.Name))}; found '{token}' as well. A " +
            $"glob, or a value with spaces, stands in quotes.";
    }

    private static IEnumerable<Command> Parents(Command command)
    {
        for (Symbol? at = command; at != null; at = at.Parents.FirstOrDefault())
            if (at is Command found)
                yield return found;
    }

    private static string Describe(ParseError error)
    {
        if (NoConversion().Match(error.Message) is { Success: true } conversion)
            return Conversion(conversion.Groups["option"].Value, conversion.Groups["value"].Value, conversion.Groups["type"].Value);
        return error.SymbolResult switch
        {
            OptionResult { Option: { } option } when error.Message.EndsWith("is required.", StringComparison.Ordinal)
                => $"Expected {option.Name} {option.HelpName}; found none.",
            OptionResult { Option: { } option } when error.Message.StartsWith("Required argument missing", StringComparison.Ordinal)
                => $"{option.Name}: expected {option.HelpName ?? "a value"} behind it; found nothing.",
            OptionResult { Option: { } option, Tokens.Count: > 1 } result when error.Message.Contains(
                "expects a single argument", StringComparison.Ordinal)
                => $"{option.Name}: expected once; found {result.Tokens.Count} values: " +
                $"{string.Join(", ", result.Tokens.Select(token => $"'{token.Value}'"))}.",
            ArgumentResult { Argument: { } argument } when error.Message.StartsWith("Required argument missing", StringComparison.Ordinal)
                => $"Expected {argument.HelpName ?? argument.Name}; found none.",
            CommandResult { Command: { } command } when error.Message.EndsWith("is required.", StringComparison.Ordinal)
                && MissingOption(command, error.Message) is { } missing
                => $"Expected {missing.Name} {missing.HelpName}; found none.",
            _ => error.Message.ReplaceLineEndings(" "),
        };
    }

    private static Option? MissingOption(Command command, string message) =>
        command.Options.FirstOrDefault(option => message.Contains($"'{option.Name}'", StringComparison.Ordinal));

    private static string Conversion(string option, string value, string type)
    {
        var expected = type.Contains("Int", StringComparison.Ordinal)
            ? "a whole number" : type.Contains("Double", StringComparison.Ordinal) ? "a number" : "another value";
        return $"{option}: expected {expected}; found '{value}'.";
    }

    [GeneratedRegex(
        @"^Cannot parse argument '(?<value>.*)' for (?:option|command) '(?<option>.*)' as expected type '(?<type>.*?)'",
        RegexOptions.Singleline)]
    private static partial Regex NoConversion();
}
