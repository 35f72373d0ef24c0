using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// A Slurm of two nodes, <c>n1</c> and <c>n2</c>, on this machine: its own authentication, controller and daemons, on free ports, with all
/// files in a folder of its own. It needs neither root nor control groups. Everything that it started is ended with it.
/// </summary>
internal sealed class SlurmCluster : IDisposable
{
    /// <summary>Longer than anything takes on a busy machine: a test that waits for this has failed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private static readonly string[] Programs =
        ["munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "sinfo", "squeue"];

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly List<Process> _processes = [];
    private readonly Dictionary<string, Process> _nodes = new(StringComparer.Ordinal);

    /// <summary>Starts it.</summary>
    public SlurmCluster()
    {
        try
        {
            Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What a test needs and this machine lacks; null when all is there.</summary>
    public static string? Missing
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return "Slurm runs on Linux.";
            var missing = Programs.Where(program => PathOf(program) == null).ToArray();
            return missing.Length == 0
                ? null
                : $"Needs Slurm's programs (Debian: apt-get install slurm-wlm munge); not found: {string.Join(", ", missing)}.";
        }
    }

    /// <summary>Variables of the environment by which Slurm's programs find the cluster.</summary>
    public (string Name, string Value)[] Environment =>
    [
        ("SLURM_CONF", Configuration),
        ("PATH", $"{System.Environment.GetEnvironmentVariable("PATH")}:/usr/sbin"),
    ];

    private string Configuration => _folder["slurm.conf"];

    /// <summary>Runs one of Slurm's programs.</summary>
    /// <returns>What it wrote.</returns>
    public string Run(string program, params string[] arguments) => TryRun(program, arguments).Expect(0).Output;

    /// <summary>The same for what the controller may ask to try again later.</summary>
    public void RunUntilDone(string program, params string[] arguments) =>
        WaitUntil($"{program} {string.Join(' ', arguments)}", () => TryRun(program, arguments).ExitCode == 0);

    /// <summary>The tasks and jobs of the queue, also those that have just ended: state and node by id.</summary>
    public IReadOnlyDictionary<string, (string State, string Node)> Queue() =>
        Run("squeue", "--states=all", "--array", "--noheader", "--format=%i|%T|%N")
        .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim().Split('|'))
        .ToDictionary(fields => fields[0], fields => (fields[1], fields[2]));

    /// <summary>Waits until something holds.</summary>
    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="holds">Asked again and again.</param>
    public void WaitUntil(string what, Func<bool> holds)
    {
        for (var watch = Stopwatch.StartNew(); !holds();)
        {
            Assert.SkipWhen(TestContext.Current.CancellationToken.IsCancellationRequested, "The tests are being stopped.");
            Assert.True(watch.Elapsed < Patience, $"Waited for {what} for {Patience}. {Logs()}");
            Thread.Sleep(100);
        }
    }

    /// <summary>
    /// Kills a node as a power cut does: its daemon, what supervises its jobs, and the jobs; then the controller is told.
    /// </summary>
    /// <returns>The number of processes that were killed.</returns>
    public int Kill(string node)
    {
        var killed = 1;
        _nodes[node].Kill();
        _nodes[node].WaitForExit();
        for (var processes = JobProcesses(node); processes.Length > 0; processes = JobProcesses(node))
        {
            foreach (var id in processes)
                killed += End(id) ? 1 : 0;
            Thread.Sleep(10);
        }
        RunUntilDone("scontrol", "update", $"nodename={node}", "state=down", "reason=killed");
        return killed;
    }

    /// <summary>The end of each of the cluster's logs.</summary>
    public string Logs() => string.Join('\n', Directory.GetFiles(_folder.Path, "*.log").Order(StringComparer.Ordinal)
        .Select(file => $"{Path.GetFileName(file)}:\n{string.Join('\n', ReadShared(file).Split('\n').TakeLast(15))}"));

    /// <inheritdoc/>
    public void Dispose()
    {
        // Daemons first, so that nothing starts again; then the jobs.
        foreach (var process in _nodes.Values.Concat(_processes))
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        for (var processes = JobProcesses(null); processes.Length > 0; processes = JobProcesses(null))
        {
            foreach (var id in processes)
                _ = End(id);
            Thread.Sleep(10);
        }
        _folder.Dispose();
    }

    public CommandResult TryRun(string program, params string[] arguments) =>
        PristineCommand.Finish(PristineCommand.StartProgram(PathOf(program)!, arguments, _folder.Path, Environment), null);

    private void Start()
    {
        Directory.CreateDirectory(_folder["state"]);
        foreach (var node in (string[])["n1", "n2"])
            Directory.CreateDirectory(_folder[node]);
        var key = new byte[1024];
        System.Security.Cryptography.RandomNumberGenerator.Fill(key);
        File.WriteAllBytes(_folder["munge.key"], key);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder["munge.key"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var socket = _folder["munge.socket"];
        _processes.Add(StartDaemon(
            "munged", "--foreground", "--force", $"--key-file={_folder["munge.key"]}", $"--socket={socket}",
            $"--pid-file={_folder["munged.pid"]}", $"--log-file={_folder["munged.log"]}", $"--seed-file={_folder["munge.seed"]}"));
        WaitUntil("munged", () => File.Exists(socket));
        // Nobody can reserve a port for another program: where somebody was faster, others are taken.
        for (var attempt = 1; !TryStart(socket); attempt++)
            Assert.True(attempt < 5, $"Slurm could not be started. {Logs()}");
    }

    private bool TryStart(string socket)
    {
        File.WriteAllText(Configuration, Configure(socket, FreePorts(3)));
        var controller = StartDaemon("slurmctld", "-D", "-c", "-f", Configuration);
        _processes.Add(controller);
        foreach (var node in (string[])["n1", "n2"])
            _nodes[node] = StartDaemon("slurmd", "-D", "-N", node, "-f", Configuration);
        var isUp = false;
        WaitUntil("two idle nodes", () =>
        {
            var nodes = TryRun("sinfo", "--noheader", "--Node", "--format=%T");
            isUp = nodes.ExitCode == 0 && nodes.Lines is ["idle", "idle"];
            return isUp || controller.HasExited || _nodes.Values.Any(node => node.HasExited);
        });
        if (isUp)
            return true;
        foreach (var process in _nodes.Values.Append(controller))
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit();
        }
        return false;
    }

    private string Configure(string socket, int[] ports)
    {
        var host = System.Environment.MachineName.Split('.')[0];
        return string.Create(CultureInfo.InvariantCulture, $"""
            ClusterName=pristine
            SlurmctldHost={host}(127.0.0.1)
            SlurmctldPort={ports[0]}
            SlurmUser={System.Environment.UserName}
            SlurmdUser={System.Environment.UserName}
            AuthType=auth/munge
            AuthInfo=socket={socket},cred_expire=5
            StateSaveLocation={_folder["state"]}
            SlurmdSpoolDir={_folder["%n"]}
            SlurmctldPidFile={_folder["slurmctld.pid"]}
            SlurmdPidFile={_folder["slurmd-%n.pid"]}
            SlurmctldLogFile={_folder["slurmctld.log"]}
            SlurmdLogFile={_folder["slurmd-%n.log"]}
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_Core
            SwitchType=switch/none
            MpiDefault=none
            AccountingStorageType=accounting_storage/none
            JobAcctGatherType=jobacct_gather/none
            SchedulerParameters=sched_interval=1,bf_interval=1
            MessageTimeout=100
            BatchStartTimeout=600
            SlurmdTimeout=600
            SlurmctldTimeout=600
            MinJobAge=3600
            KillWait=600
            UnkillableStepTimeout=1200
            NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=500 State=UNKNOWN
            NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=500 State=UNKNOWN
            PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP

            """);
    }

    private Process StartDaemon(string program, params string[] arguments)
    {
        var process = PristineCommand.StartProgram(PathOf(program)!, arguments, _folder.Path, Environment);
        process.StandardInput.Close();
        // What they say is in their logs as well.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>
    /// The processes of the cluster's jobs on a node, or on all, and those that supervise them: the job's have the cluster in their
    /// environment, the supervisor is their parent.
    /// </summary>
    private int[] JobProcesses(string? node)
    {
        var found = new HashSet<int>();
        var configuration = $"SLURM_CONF={Configuration}";
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                || id == System.Environment.ProcessId)
                continue;
            var environment = TryRead(Path.Combine(folder, "environ")).Split('\0');
            var place = Array.Find(environment, variable => variable.StartsWith("SLURMD_NODENAME=", StringComparison.Ordinal));
            if (place == null || !environment.Contains(configuration) || (node != null && place != $"SLURMD_NODENAME={node}"))
                continue;
            found.Add(id);
            // "PID (NAME) STATE PARENT".
            var status = TryRead(Path.Combine(folder, "stat"));
            if (status.LastIndexOf(')') is > 0 and var end
                && int.TryParse(status[(end + 2)..].Split(' ')[1], NumberStyles.None, CultureInfo.InvariantCulture, out var parent)
                && TryRead($"/proc/{parent}/comm").StartsWith("slurmstepd", StringComparison.Ordinal))
                found.Add(parent);
        }
        return [.. found];
    }

    private static string TryRead(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The process has gone, or is another user's.
            return "";
        }
    }

    private static string ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners)
            listener.Start();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        foreach (var listener in listeners)
            listener.Dispose();
        return ports;
    }

    private static bool End(int process)
    {
        try
        {
            using var running = Process.GetProcessById(process);
            running.Kill();
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            // It has ended by itself.
            return false;
        }
    }

    /// <summary>Daemons lie where the path of a user who is not root need not lead.</summary>
    private static string? PathOf(string program) => $"{System.Environment.GetEnvironmentVariable("PATH")}:/usr/sbin".Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
