using System.Diagnostics;
using System.Globalization;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// What disks, mounts, schedulers and other runs do to a run: it stops with a reason or goes on, and the rows are the same afterwards.
/// </summary>
public class FaultTests
{
    private const string Columns = "brisque,sharpness";

    /// <summary>Kills of children per format; PRISTINE_KILLS=200 for the long version.</summary>
    private static readonly int Kills =
        int.Parse(Environment.GetEnvironmentVariable("PRISTINE_KILLS") ?? "6", CultureInfo.InvariantCulture);

    [Theory, Trait("kind", "long")]
    [InlineData("images")]
    [InlineData("images.jsonl")]
    [InlineData("images.tar")]
    [InlineData("images.parquet")]
    public void Children_that_are_killed_cost_no_row(string input)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds children in /proc.");
        using var folder = TestFiles.NewFolder();
        KillTests.Make(input, folder);
        Score(folder, input, "whole").Expect(0);
        var random = new Random(2);
        var killed = 0;
        for (var run = 0; killed < Kills; run++)
        {
            Assert.True(run < 20 + Kills, "The runs end before a child can be killed.");
            Delete(folder["table"]);
            using var process = Start(folder, input, "table", "--isolate", "--part-seconds", "0.05");
            while (!process.HasExited)
            {
                // A child needs some 300 ms to begin and as long for its first image. One that is killed more often decodes nothing, and in
                // the end an image is blamed.
                Thread.Sleep(random.Next(1, 600));
                if (ChildrenOf(process.Id) is { Length: > 0 } children && killed < Kills)
                    killed += Kill(children[random.Next(children.Length)]);
            }
            Assert.Equal(0, process.ExitCode);
            Assert.Equal(Rows(folder, "whole"), Rows(folder, "table"));
        }
    }

    [Fact, Trait("kind", "long")]
    public void Children_that_are_killed_before_they_are_ready_end_no_run()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds children in /proc.");
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["images"]);
        File.Copy(TestFiles.InRepository("samples", "photos", "leaf.jpg"), folder["images/a.jpg"]);
        using var process = PristineCommand.Start(
            ["score", folder["images"], "--out", folder["table"], "--metrics", "sharpness", "--isolate", "--workers", "1"], folder.Path);
        // As soon as each is there.
        for (var killed = 0; killed < 6 && !process.HasExited;)
            foreach (var child in ChildrenOf(process.Id))
                killed += Kill(child);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        Assert.Contains("\"status\":\"ok\"", Assert.Single(Rows(folder, "table")), StringComparison.Ordinal);
    }

    [Fact, Trait("kind", "long")]
    public void Children_end_with_a_run_that_is_killed_also_while_they_hang()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Finds children in /proc.");
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["images"]);
        byte[] photo = [.. File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg")), .. "\npristine-fault:hang"u8];
        File.WriteAllBytes(folder["images/a.jpg"], photo);
        using var process = PristineCommand.Start(
            ["score", folder["images"], "--out", folder["table"], "--isolate", "--workers", "1"], folder.Path,
            ("PRISTINE_TEST_FAULTS", "1"));
        int[] children;
        while ((children = ChildrenOf(process.Id)).Length == 0)
            Thread.Sleep(5);
        Thread.Sleep(500);
        process.Kill();
        process.WaitForExit();
        // The child notices within a second, on a busy machine later.
        while (children.Any(IsAlive))
            Thread.Sleep(20);
    }

    [Fact, Trait("kind", "long")]
    public void SIGTERM_leaves_all_finished_rows_and_the_same_command_goes_on_to_the_same_bytes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Sends SIGTERM with kill.");
        using var folder = TestFiles.NewFolder();
        KillTests.Make("images", folder);
        Score(folder, "images", "whole").Expect(0);
        // As Slurm does it: to every process of the job.
        var process = Start(folder, "images", "table", "--isolate", "--part-seconds", "3600", "--progress", "json");
        var error = new List<string>();
        for (string? line; (line = process.StandardError.ReadLine()) != null;)
        {
            error.Add(line);
            if (line.Contains("\"state\":\"running\"", StringComparison.Ordinal)
                && !line.Contains("\"items\":0,", StringComparison.Ordinal))
                break;
        }
        foreach (var target in ChildrenOf(process.Id).Append(process.Id))
            Signal("TERM", target);
        error.AddRange(process.StandardError.ReadToEnd().Split('\n'));
        process.WaitForExit();
        Assert.SkipWhen(process.ExitCode == 0, "The run had ended before the signal came.");
        Assert.Equal(130, process.ExitCode);
        var stopped = error.Single(line => line.StartsWith("Stopped after ", StringComparison.Ordinal));
        Assert.Equal(int.Parse(stopped.Split(' ')[2], CultureInfo.InvariantCulture), Rows(folder, "table").Length);
        Assert.Contains(" stopped ", PristineCommand.Run("status", folder["table"]).Expect(0).Output, StringComparison.Ordinal);
        Score(folder, "images", "table").Expect(0);
        Assert.Equal(Rows(folder, "whole"), Rows(folder, "table"));
    }

    [Fact, Trait("kind", "long")]
    public void SIGTERM_ends_a_run_whose_decoder_hangs_long_before_the_time_of_the_image_is_over()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Sends SIGTERM with kill.");
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["images"]);
        byte[] photo = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        File.WriteAllBytes(folder["images/a.jpg"], photo);
        File.WriteAllBytes(folder["images/b.jpg"], [.. photo, .. "\npristine-fault:hang"u8]);
        File.WriteAllBytes(folder["images/c.jpg"], photo);
        // A day for the image: with it the test would not end.
        using var process = PristineCommand.Start(
            ["score", folder["images"], "--out", folder["table"], "--metrics", "sharpness", "--isolate", "--image-timeout", "86400",
                "--progress", "json"], folder.Path, ("PRISTINE_TEST_FAULTS", "1"));
        while (process.StandardError.ReadLine() is { } line && !line.Contains("\"items\":1,", StringComparison.Ordinal))
        {
        }
        Signal("TERM", process.Id);
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
        Score(folder, "images", "table", "sharpness").Expect(0);
        Assert.Equal(3, Rows(folder, "table").Length);
    }

    [Fact, Trait("kind", "long")]
    public void A_second_run_on_a_table_is_refused_and_harms_nothing()
    {
        using var folder = TestFiles.NewFolder();
        KillTests.Make("images", folder);
        Score(folder, "images", "whole").Expect(0);
        var first = Start(folder, "images", "table", "--part-seconds", "0.05");
        while (!File.Exists(folder["table/.status-0000.json"]))
            Thread.Sleep(5);
        var second = Score(folder, "images", "table");
        Assert.SkipWhen(first.HasExited && second.ExitCode == 0, "The first run had ended already.");
        second.Expect(1);
        Assert.Contains("Another process is writing the table", second.Error, StringComparison.Ordinal);
        PristineCommand.Finish(first, null).Expect(0);
        Assert.Equal(Rows(folder, "whole"), Rows(folder, "table"));
    }

    [Fact, Trait("kind", "long")]
    public void Images_that_vanish_in_the_middle_are_missing_and_found_when_they_are_back()
    {
        using var folder = TestFiles.NewFolder();
        KillTests.Make("images.jsonl", folder);
        Score(folder, "images.jsonl", "whole").Expect(0);
        using var run = Start(folder, "images.jsonl", "table", "--part-seconds", "0.05");
        while (!Directory.Exists(folder["table"]) || Directory.GetFiles(folder["table"], "part-*.parquet").Length == 0)
            Thread.Sleep(1);
        Directory.Move(folder["images"], folder["elsewhere"]);
        run.WaitForExit();
        // 3 where nearly all are missing.
        Assert.True(run.ExitCode is 0 or 3, $"The exit code is {run.ExitCode}.");
        Directory.Move(folder["elsewhere"], folder["images"]);
        Score(folder, "images.jsonl", "table").Expect(0);
        Assert.Equal(Rows(folder, "whole"), Rows(folder, "table"));
    }

    [Fact, Trait("kind", "long")]
    public void A_full_disk_stops_the_run_with_a_reason_and_with_room_it_goes_on()
    {
        using var folder = TestFiles.NewFolder();
        SkipUnlessMounting(folder);
        KillTests.Make("images", folder);
        Score(folder, "images", "whole").Expect(0);
        Directory.CreateDirectory(folder["disk"]);
        var score = $"{PristineCommand.InShell} score images --out disk/table --metrics {Columns} --part-seconds 0";
        var result = InNamespace(folder,
            "mount -t tmpfs -o size=64k tmpfs disk",
            $"{score}; echo full=$?",
            "find disk -name '*.partial' -size +0 | sed 's/^/left /'",
            "mount -o remount,size=64m disk",
            $"{score}; echo room=$?",
            $"{PristineCommand.InShell} export disk/table --format jsonl --out disk.jsonl; echo export=$?").Expect(0);
        Assert.Contains("full=1", result.Output, StringComparison.Ordinal);
        Assert.Contains("No space left on device", result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("bug", result.Error, StringComparison.Ordinal);
        Assert.Contains("room=0", result.Output, StringComparison.Ordinal);
        Assert.Contains("export=0", result.Output, StringComparison.Ordinal);
        Assert.Equal(Rows(folder, "whole"), File.ReadAllLines(folder["disk.jsonl"]));
    }

    [Fact, Trait("kind", "long")]
    public void An_output_that_cannot_be_written_and_a_mount_that_is_lost_are_told()
    {
        using var folder = TestFiles.NewFolder();
        SkipUnlessMounting(folder);
        KillTests.Make("images.tar", folder);
        Score(folder, "images.tar", "whole").Expect(0);
        Directory.CreateDirectory(folder["disk"]);
        var score = $"{PristineCommand.InShell} score images.tar --out disk/table --metrics {Columns} --part-seconds 0.05";
        var result = InNamespace(folder,
            "mount -t tmpfs -o size=64m,ro tmpfs disk",
            $"{score}; echo readonly=$?",
            "mount -o remount,rw disk",
            $"{score} & run=$!",
            "until ls disk/table/part-*.parquet > /dev/null 2>&1; do sleep 0.01; done",
            "mount -o remount,ro disk",
            "wait $run; echo lost=$?",
            "mount -o remount,rw disk",
            $"{score}; echo back=$?",
            $"{PristineCommand.InShell} export disk/table --format jsonl --out disk.jsonl; echo export=$?",
            "mount -o remount,ro disk",
            $"{score}; echo again=$?").Expect(0);
        Assert.Contains("again=1", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Another process", result.Error, StringComparison.Ordinal);
        Assert.Contains("readonly=1", result.Output, StringComparison.Ordinal);
        Assert.Contains("Read-only file system", result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("bug", result.Error, StringComparison.Ordinal);
        // A run that has just ended has lost nothing.
        Assert.Matches("lost=[01]", result.Output);
        Assert.Contains("back=0", result.Output, StringComparison.Ordinal);
        Assert.Equal(Rows(folder, "whole"), File.ReadAllLines(folder["disk.jsonl"]));
    }

    private static Process Start(TemporaryFolder folder, string input, string table, params string[] options) => PristineCommand.Start(
        ["score", folder[input], "--out", folder[table], "--metrics", Columns, .. options], folder.Path);

    private static CommandResult Score(TemporaryFolder folder, string input, string table, string metrics = Columns) =>
        PristineCommand.Run(["score", folder[input], "--out", folder[table], "--metrics", metrics], folder.Path);

    private static string[] Rows(TemporaryFolder folder, string table)
    {
        PristineCommand.Run("export", folder[table], "--format", "jsonl", "--out", folder[$"{table}.jsonl"]).Expect(0);
        return File.ReadAllLines(folder[$"{table}.jsonl"]);
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static int[] ChildrenOf(int process)
    {
        var children = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                // After the name, which may hold anything: state and parent.
                var stat = File.ReadAllText($"{folder}/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[0] != "Z" && fields[1] == process.ToString(CultureInfo.InvariantCulture))
                    children.Add(id);
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }
        return [.. children];
    }

    private static bool IsAlive(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[stat.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <returns>1 where there still was such a process.</returns>
    private static int Kill(int process)
    {
        try
        {
            using var child = Process.GetProcessById(process);
            child.Kill();
            return 1;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return 0;
        }
    }

    private static void Signal(string signal, int process)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Runs lines of shell where file systems can be mounted without a right to it, and end with them.</summary>
    private static CommandResult InNamespace(TemporaryFolder folder, params string[] lines) => PristineCommand.Finish(
        PristineCommand.StartProgram(
            "unshare", ["--user", "--map-root-user", "--mount", "bash", "-c", string.Join('\n', lines)], folder.Path), null);

    private static void SkipUnlessMounting(TemporaryFolder folder)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Mounts a small file system.");
        Directory.CreateDirectory(folder["try"]);
        int exit;
        try
        {
            exit = InNamespace(folder, "mount -t tmpfs -o size=64k tmpfs try").ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            exit = -1;
        }
        Assert.SkipWhen(
            exit != 0, "Mounts a small file system, which this machine allows in no namespace of users (unshare --user --mount).");
    }
}
