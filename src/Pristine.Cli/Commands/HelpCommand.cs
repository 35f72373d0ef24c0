using System.CommandLine;
using Pristine.Cli.Display;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine help [COMMAND...]</c>: the same as <c>pristine COMMAND --help</c>.</summary>
internal static class HelpCommand
{
    public static Command Create(Command root)
    {
        var names = new Argument<string[]>("COMMAND")
        {
            Description = "The command to tell about; default: all of them, in a line each",
            Arity = ArgumentArity.ZeroOrMore,
        };
        names.CompletionSources.Add(
            _ => root.Subcommands.Where(sub => !sub.Hidden).Select(sub => new System.CommandLine.Completions.CompletionItem(sub.Name)));
        var command = new CliCommand(
            "help", "Shows help: 'pristine help filter' is 'pristine filter --help'.", "pristine help",
            "pristine help models pull") { names };
        command.SetAction(parsed =>
        {
            var at = root;
            foreach (var name in parsed.GetValue(names) ?? [])
            {
                at = at.Subcommands.FirstOrDefault(sub => sub.Name == name) ?? throw new UsageException(
                    $"'{Usage.Path(at)}' has no command " +
                    $"'{name}'.{NearestNames.Question(name, at.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name))}");
            }
            HelpPage.Write(at, Console.Out);
        });
        return command;
    }
}
