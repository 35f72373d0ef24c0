using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Native;
using Pristine.Server;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine mcp</c>: a server of the Model Context Protocol on stdin and stdout. See docs/mcp.md.</summary>
internal static class McpCommand
{
    public static Command Create()
    {
        var inputs = new Inputs();
        var metrics = new MetricArguments();
        var command = new CliCommand(
            "mcp",
            "Serves score, check, select, why and report as tools of the Model Context Protocol (MCP) on stdin and stdout.",
            "pristine mcp",
            "pristine mcp --metrics brisque,sharpness");
        metrics.AddTo(command);
        inputs.AddRootTo(command);
        inputs.AddDecodingTo(command);
        inputs.AddHeadsTo(command);
        command.SetAction((parsed, _) =>
        {
            var scoring = metrics.Scoring(parsed, inputs);
            var remote = inputs.Options(parsed).Remote;
            return RunAsync(new McpTools(scoring, remote));
        });
        return command;
    }

    // Ctrl-C and SIGTERM end it at once, as they end the worker: its input may never come.
    private static async Task<int> RunAsync(McpTools tools)
    {
        await using var stdin = StandardStreams.OpenInput();
        await using var stdout = new StandardOutputStream();
        await tools.RunAsync(stdin, stdout, CancellationToken.None);
        return ExitCode.Done;
    }
}
