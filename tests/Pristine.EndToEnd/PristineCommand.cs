using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>What the command did.</summary>
internal sealed record CommandResult(int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Fails the test, showing what the command said, when the exit code is another.</summary>
    public CommandResult Expect(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"Expected exit code {exitCode}; found {ExitCode}.\nstdout: {Output}\nstderr: {Error}");
        return this;
    }
}

/// <summary>Runs the real command, as a user would.</summary>
internal static class PristineCommand
{
    /// <summary>The configuration that the tests and the program were built in.</summary>
    public static string Configuration { get; } = typeof(PristineCommand).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Configuration").Value!;

    public static string Assembly { get; } = TestFiles.InRepository(
        "src", "Pristine.Cli", "bin", Configuration, "net10.0", "Pristine.Cli.dll");

    private static readonly Lazy<string> ModelStore = new(() => Run("models", "list").Expect(0).Error.Split("Store: ")[1].Trim());

    /// <summary>The folder of the user's models.</summary>
    public static string UserStore => ModelStore.Value;

    /// <summary>
    /// Names another build of the command to test, for example one that build/pack.sh made; the one beside the tests when not set.
    /// </summary>
    private const string Variable = "PRISTINE_COMMAND";

    /// <summary>The program and what stands before its arguments.</summary>
    public static string[] Words { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } other
        ? [Path.GetFullPath(other)]
        : ["dotnet", Assembly];

    /// <summary>The command for a line of shell.</summary>
    public static string InShell { get; } = string.Join(' ', Words.Select(word => $"'{word}'"));

    public static CommandResult Run(params string[] arguments) => Run(arguments, TestFiles.Root);

    public static CommandResult Run(
        string[] arguments, string folder, byte[]? input = null, params (string Name, string Value)[] environment) =>
        Finish(Start(arguments, folder, environment), input);

    public static Process Start(string[] arguments, string folder, params (string Name, string Value)[] environment) =>
        StartProgram(Words[0], [.. Words[1..], .. arguments], folder, environment);

    /// <summary>Runs a line of shell, as the README shows it.</summary>
    public static CommandResult Shell(string line, string folder) => Finish(StartProgram("bash", ["-c", line], folder), null);

    public static CommandResult Finish(Process process, byte[]? input)
    {
        using (process)
        {
            var error = process.StandardError.ReadToEndAsync();
            var output = new MemoryStream();
            var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
            if (input != null)
                process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
            reading.Wait();
            process.WaitForExit();
            return new CommandResult(process.ExitCode, output.ToArray(), error.Result);
        }
    }

    /// <summary>
    /// Skips the test where Ctrl-C cannot be sent. A shell lets the commands that it starts in the background ignore it, and so do all that
    /// those start: the program keeps to that, as it should.
    /// </summary>
    public static void RequireCtrlC()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Sends SIGINT with kill.");
        const string status = "/proc/self/status", name = "SigIgn:";
        const int interrupt = 1 << (2 - 1);
        var ignored = !File.Exists(status) ? 0 : ulong.Parse(
            File.ReadLines(status).Single(line => line.StartsWith(name, StringComparison.Ordinal)).AsSpan(name.Length),
            NumberStyles.AllowHexSpecifier | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);
        Assert.SkipUnless((ignored & interrupt) == 0, "SIGINT is ignored here: the tests were started in the background by a script.");
    }

    /// <summary>Sends Ctrl-C; a test that does begins with <see cref="RequireCtrlC"/>.</summary>
    public static void SendCtrlC(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Starts a program; a variable of the environment without a value is removed.</summary>
    public static Process StartProgram(string program, string[] arguments, string folder, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value.Length == 0 ? null : value;
        return Process.Start(start)!;
    }
}
