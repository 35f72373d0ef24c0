using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pristine.Experiments.Training;

/// <summary>
/// Trains with a program of the user's own: a shell command that gets the path of a JSON file with the task as its last argument and in
/// the environment variable <see cref="TaskVariable"/>, and writes its result as JSON to the path that the task names. docs/trainers.md has
/// both formats.
/// </summary>
/// <remarks>
/// Every task has a folder of its own with task.json, result.json and log.txt, which holds what the command wrote to stdout and stderr.
/// The folder's name is a hash of the task; the same task is never run twice at once.
/// </remarks>
public sealed class ExternalTrainer : Trainer
{
    /// <summary>The environment variable that holds the path of the task.</summary>
    public const string TaskVariable = "PRISTINE_TASK";

    /// <summary>How far the accuracy that a command reports may be from the share that its predictions give: scripts round.</summary>
    private const double AccuracyTolerance = 0.01;

    /// <summary>After the command has ended, processes that it left behind may hold its output open for ever.</summary>
    private static readonly TimeSpan OutputPatience = TimeSpan.FromSeconds(5);

    private readonly string _command;
    private readonly string _folder;
    private readonly ConcurrentDictionary<string, Lock> _tasks = new(StringComparer.Ordinal);

    /// <summary>A trainer.</summary>
    /// <param name="command">The command line, for /bin/sh, or cmd on Windows; it runs in the current directory.</param>
    /// <param name="folder">Where the folders of the tasks are made.</param>
    /// <exception cref="ArgumentException">The command is empty.</exception>
    /// <exception cref="IOException">A file that the command names cannot be read.</exception>
    public ExternalTrainer(string command, string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (string.IsNullOrWhiteSpace(command))
            throw new ArgumentException("Expected a command; found an empty one.", nameof(command));
        (_command, _folder) = (command.Trim(), Path.GetFullPath(folder));
        Identity = Identify(_command);
    }

    /// <inheritdoc/>
    public override string Description => $"the command '{_command}'";

    /// <summary>A hash of the command's text and of the content of every file that is one of its words, such as the script.</summary>
    public override string Identity { get; }

    /// <inheritdoc/>
    /// <remarks>
    /// Cancelling kills the command and every process it has started. <see cref="TrainingOutcome.Metrics"/> holds the other numbers of the
    /// result. Where the result tells which test images were right, the accuracy is their share, in full precision.
    /// </remarks>
    public override TrainingOutcome Train(TrainingTask task, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(task);
        cancellation.ThrowIfCancellationRequested();
        var name = Convert.ToHexStringLower(XxHash128.Hash(Describe(task, output: "")));
        var folder = Path.Combine(_folder, name);
        string Place(string file) => Path.Combine(folder, file);
        lock (_tasks.GetOrAdd(name, _ => new Lock()))
        {
            try
            {
                Directory.CreateDirectory(folder);
                File.WriteAllBytes(Place("task.json"), Describe(task, Place("result.json")));
                File.Delete(Place("result.json"));
                using var log = new CommandLog(Place("log.txt"));
                Run(Place("task.json"), log, cancellation);
                return Parse(Place("result.json"), task);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new TrainerException($"Expected to write and read files in {folder}; found: {failure.Message}", failure);
            }
        }
    }

    private static byte[] Describe(TrainingTask task, string output)
    {
        JsonArray Examples(IReadOnlyList<TrainingExample> examples) =>
            ResultFiles.List(
                examples.Select(example => new JsonObject { ["path"] = Path.GetFullPath(example.Path), ["label"] = example.Label }));
        return Encoding.UTF8.GetBytes(new JsonObject
        {
            ["train"] = Examples(task.Train),
            ["validation"] = Examples(task.Validation),
            ["test"] = Examples(task.Test),
            ["classes"] = ResultFiles.List(task.Classes),
            ["seed"] = task.Seed,
            ["output"] = output,
        }.ToJsonString());
    }

    private void Run(string taskPath, CommandLog log, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        if (OperatingSystem.IsWindows())
        {
            start.FileName = "cmd";
            // With /s, cmd takes what stands between the outer quotes as it is.
            start.Arguments = $"/d /s /c \"{_command} \"{taskPath}\"\"";
        }
        else
        {
            start.FileName = "/bin/sh";
            foreach (var argument in (string[])["-c", _command + " \"$@\"", "sh", taskPath])
                start.ArgumentList.Add(argument);
        }
        start.Environment[TaskVariable] = taskPath;
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception failure)
        {
            throw new TrainerException($"{start.FileName} could not be started: {failure.Message}", failure);
        }
        process.StandardInput.Close();
        var output = Task.WhenAll(
            log.Copy(process.StandardOutput.BaseStream, isError: false), log.Copy(process.StandardError.BaseStream, isError: true));
        using (cancellation.Register(() => Kill(process)))
            process.WaitForExit();
        // Not the token: the files behind the log are closed when this returns.
        output.Wait(OutputPatience, CancellationToken.None);
        cancellation.ThrowIfCancellationRequested();
        if (process.ExitCode != 0)
            throw new TrainerException(
                $"Expected '{_command}' to end with exit code 0; found {process.ExitCode}. " +
                $"{(log.ErrorEnd is { Length: > 0 } end ? $"Its stderr ends: {end}. " : "It wrote nothing to stderr. ")}All its output: " +
                $"{log.Path}");
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception failure) when (failure is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended on its own, or one of the processes that it started has.
        }
    }

    private TrainingOutcome Parse(string path, TrainingTask task)
    {
        if (!File.Exists(path))
            throw new TrainerException(
                $"Expected '{_command}' to write its result to {path}, the path that the task calls 'output'; there is no file.");
        try
        {
            // A stream, of which a byte order mark is skipped.
            using var file = File.OpenRead(path);
            using var document = JsonDocument.Parse(file);
            return Parse(document.RootElement, task);
        }
        catch (Exception failure) when (failure is JsonException or FormatException)
        {
            throw new TrainerException($"{path}: expected a result of '{_command}'; {failure.Message}", failure);
        }
    }

    private static TrainingOutcome Parse(JsonElement result, TrainingTask task)
    {
        if (result.ValueKind != JsonValueKind.Object)
            throw new FormatException($"expected a JSON object; found {result.ValueKind}.");
        var metrics = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var property in result.EnumerateObject())
            if (property.Value.ValueKind == JsonValueKind.Number)
                metrics[property.Name] = property.Value.GetDouble() is var number && double.IsFinite(number)
                    ? number
                    : throw new FormatException(
                        $"expected a number that 64 bits can hold as {property.Name}; found {property.Value.GetRawText()}.");
        if (!metrics.Remove("accuracy", out var accuracy) || accuracy is < 0 or > 1)
            throw new FormatException(
                $"expected 'accuracy', a number from 0 to 1; found " +
                $"{(result.TryGetProperty("accuracy", out var found) ? found.GetRawText() : "none")}.");

        var correct = Values(
            result, "correct", task, "true or false", value => value.ValueKind is JsonValueKind.True or JsonValueKind.False, (value, _) =>
                value.GetBoolean());
        var predicted = Values(
            result, "predictions", task, "a label", value => value.ValueKind == JsonValueKind.String, (value, i) =>
                value.GetString() == task.Test[i].Label);
        if (correct != null && predicted != null && !correct.AsSpan().SequenceEqual(predicted))
            throw new FormatException(
                $"expected 'correct' to say what 'predictions' say; they differ at test image " +
                $"{Enumerable.Range(0, correct.Length).First(i => correct[i] != predicted[i])}.");
        if ((correct ?? predicted) is { Length: > 0 } answers)
        {
            var share = (double)answers.Count(true) / answers.Length;
            if (Math.Abs(share - accuracy) > AccuracyTolerance)
                throw new FormatException($"expected 'accuracy' to be the share of right predictions, {share:0.####}; found {accuracy}.");
            (accuracy, correct) = (share, answers);
        }
        return new() { Accuracy = accuracy, Correct = correct, Metrics = metrics };
    }

    /// <summary>A list with a value for each test image; null where the result has none.</summary>
    private static bool[]? Values(
        JsonElement result, string name, TrainingTask task, string expected, Func<JsonElement, bool> isValid, Func<JsonElement, int,
        bool> read)
    {
        if (!result.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
            return null;
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() != task.Test.Count)
            throw new FormatException(
                $"expected '{name}' to be a list of {task.Test.Count}, one for each test image; found " +
                $"{(list.ValueKind == JsonValueKind.Array ? $"{list.GetArrayLength()}" : list.ValueKind)}.");
        return [.. list.EnumerateArray().Select((value, i) => isValid(value)
            ? read(value, i)
            : throw new FormatException($"expected {expected} at '{name}' {i}; found {value.GetRawText()}."))];
    }

    private static string Identify(string command)
    {
        var hash = new XxHash128();
        void Add(ReadOnlySpan<byte> part)
        {
            // With its length before it, a part cannot be taken for the end of another.
            hash.Append(BitConverter.GetBytes((long)part.Length));
            hash.Append(part);
        }
        Add(Encoding.UTF8.GetBytes(command));
        foreach (var word in Words(command).Where(File.Exists))
            Add(XxHash128.Hash(File.ReadAllBytes(word)));
        return $"external:1 {Convert.ToHexStringLower(hash.GetCurrentHash())}";
    }

    /// <summary>What stands between spaces, or between quotes. Not all that a shell knows, but enough to find the script.</summary>
    private static List<string> Words(string command)
    {
        var (words, word, quote) = (new List<string>(), new StringBuilder(), '\0');
        foreach (var c in command + " ")
        {
            if (quote != 0 ? c == quote : c is '"' or '\'')
                quote = quote != 0 ? '\0' : c;
            else if (quote != 0 || !char.IsWhiteSpace(c))
                word.Append(c);
            else if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }
        return words;
    }

    /// <summary>The log of a command: both of its streams as they come, and the end of stderr for a message.</summary>
    private sealed class CommandLog(string path) : IDisposable
    {
        private const int EndBytes = 600;

        private readonly FileStream _file = new(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        private readonly Lock _gate = new();
        private readonly List<byte> _end = [];
        private bool _closed;

        public string Path { get; } = path;

        /// <summary>The last lines of stderr in one line; empty if there are none.</summary>
        public string ErrorEnd
        {
            get
            {
                lock (_gate)
                {
                    // Not from the middle of a character on: bytes 10xxxxxx continue one.
                    var text = Encoding.UTF8.GetString([.. _end.SkipWhile(part => (part & 0xC0) == 0x80)]);
                    return string.Join(" | ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
                }
            }
        }

        /// <summary>Copies a stream to its end.</summary>
        public async Task Copy(Stream source, bool isError)
        {
            var buffer = new byte[4096];
            while (await source.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var read)
                Write(buffer.AsSpan(0, read), isError);
        }

        public void Dispose()
        {
            lock (_gate)
                _closed = true;
            _file.Dispose();
        }

        private void Write(ReadOnlySpan<byte> bytes, bool isError)
        {
            lock (_gate)
            {
                if (isError)
                {
                    _end.AddRange(bytes);
                    _end.RemoveRange(0, Math.Max(0, _end.Count - EndBytes));
                }
                if (_closed)
                    return;
                try
                {
                    _file.Write(bytes);
                    _file.Flush();
                }
                catch (IOException)
                {
                    // A full disk: a command whose output nobody takes would wait for ever.
                    _closed = true;
                }
            }
        }
    }
}
