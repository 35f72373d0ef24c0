using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Cli.Options;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine completion SHELL</c>: a script that completes commands, options, metrics and models with the tab key.</summary>
internal static class CompletionCommand
{
    private const string WordsName = "complete";

    private static readonly Dictionary<string, string> Scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = $$"""
            _pristine() {
                local IFS=$'\n'
                COMPREPLY=($(pristine {{WordsName}} -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
            }
            complete -o default -F _pristine pristine
            """,
        ["zsh"] = $$"""
            _pristine() {
                local -a words_found
                words_found=("${(@f)$(pristine {{WordsName}} -- "${LBUFFER}" 2>/dev/null)}")
                [[ -n "${words_found[1]}" ]] && compadd -- "${words_found[@]}" || _files
            }
            compdef _pristine pristine
            """,
        ["fish"] = $$"""
            complete -c pristine -a '(pristine {{WordsName}} -- (commandline -cp) 2>/dev/null)'
            """,
    };

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.OneOf([.. Scripts.Keys], "pristine completion --help");
        var command = new CliCommand(
            "completion",
            "Prints a script for a shell that completes commands, options, metrics and models.",
            "source <(pristine completion bash)",
            "pristine completion fish > ~/.config/fish/completions/pristine.fish") { shell };
        command.SetAction(parsed => Console.Out.Write(Scripts[parsed.GetRequiredValue(shell)].ReplaceLineEndings("\n") + "\n"));
        return command;
    }

    /// <summary>What the scripts call: the words that a line may go on with, one per line.</summary>
    public static Command CreateWords(Command root)
    {
        var line = new Argument<string>("LINE") { Description = "The command line up to the cursor" };
        var command = new Command(WordsName, "Prints what a command line may go on with.") { line };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            var text = parsed.GetRequiredValue(line).TrimStart();
            var words = text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var end ? text[(end + 1)..] : "";
            var typed = words[(words.LastIndexOf(' ') + 1)..];
            foreach (var completion in root.Parse(words).GetCompletions(words.Length)
                .Where(completion => completion.Label.StartsWith(typed, StringComparison.Ordinal)))
                Console.Out.WriteLine(completion.InsertText ?? completion.Label);
        });
        return command;
    }
}
