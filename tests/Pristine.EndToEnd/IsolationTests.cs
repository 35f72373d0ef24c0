using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// Decoding in processes of its own. Broken decoders are real: with PRISTINE_TEST_FAULTS=1 a child that decodes a file which ends in
/// <c>pristine-fault:NAME</c> dies, hangs or takes memory inside the C library.
/// </summary>
public class IsolationTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");
    private static readonly (string, string) Faults = ("PRISTINE_TEST_FAULTS", "1");

    [Fact]
    public void Rows_are_the_same_bytes_with_and_without_it()
    {
        string[] arguments = ["score", Photos, "--metrics", "brisque,sharpness,colorfulness,min_side", "--format", "jsonl"];
        var plain = PristineCommand.Run(arguments).Expect(0);
        var isolated = PristineCommand.Run([.. arguments, "--isolate"], TestFiles.Root).Expect(0);
        Assert.Equal(plain.Output, isolated.Output);
        // What is asked of the header alone takes the same way.
        string[] header = ["score", Photos, "--metrics", "min_side", "--format", "jsonl"];
        Assert.Equal(PristineCommand.Run(header).Expect(0).Output, PristineCommand.Run([.. header, "--isolate"]).Expect(0).Output);
    }

    [Fact, Trait("kind", "long")]
    public void A_crash_costs_one_image_and_it_is_tried_again_when_asked_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The faults are those of a C library of Unix.");
        using var folder = TestFiles.NewFolder();
        Make(folder, "segv", "abort", "exit", "sound");
        string[] score = ["score", folder["images"], "--out", folder["table"], "--metrics", "brisque", "--isolate", "--workers", "1"];
        PristineCommand.Run(score, folder.Path, null, Faults).Expect(0);
        Assert.Equal((string?[])["crashed", "ok", "crashed", "ok", "crashed", "ok", "ok", "ok"], Column(folder, "status"));
        Assert.Equal(
            ["signal 6 (SIGABRT)", "exit code 7", "signal 11 (SIGSEGV)"],
            Column(folder, "error").OfType<string>().Select(error => error.Split(": ")[1]));
        Assert.All(Column(folder, "content_hash"), Assert.NotNull);

        // The same run again leaves them alone; --retry-failed does not.
        PristineCommand.Run(score, folder.Path).Expect(0);
        Assert.Equal(3, Column(folder, "status").Count(status => status == "crashed"));
        PristineCommand.Run([.. score, "--retry-failed"], folder.Path).Expect(0);
        Assert.All(Column(folder, "status"), status => Assert.Equal("ok", status));
        PristineCommand.Run("score", folder["images"], "--out", folder["plain"], "--metrics", "brisque").Expect(0);
        Assert.Equal(Column(folder, "brisque", "plain"), Column(folder, "brisque"));
    }

    [Fact, Trait("kind", "long")]
    public void A_hang_costs_one_image_and_the_time_that_is_allowed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The faults are those of a C library of Unix.");
        using var folder = TestFiles.NewFolder();
        Make(folder, "hang");
        PristineCommand.Run(
            ["score", folder["images"], "--out", folder["table"], "--metrics", "brisque", "--isolate", "--image-timeout", "10"],
            folder.Path, null, Faults).Expect(0);
        Assert.Equal((string?[])["timeout", "ok"], Column(folder, "status"));
        Assert.Equal((string?[])["not decoded within 10 seconds", null], Column(folder, "error"));
    }

    [Fact, Trait("kind", "long")]
    public void A_decoder_that_takes_all_memory_costs_one_image()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux limits the memory of a process.");
        using var folder = TestFiles.NewFolder();
        Make(folder, "memory");
        PristineCommand.Run(
            ["score", folder["images"], "--out", folder["table"], "--metrics", "brisque", "--isolate", "--isolate-memory", "300"],
            folder.Path, null, Faults).Expect(0);
        Assert.Equal((string?[])["crashed", "ok"], Column(folder, "status"));
        Assert.Equal((string?[])["decoding needed more memory than the limit of 300 MiB", null], Column(folder, "error"));
        Assert.Contains(
            "--isolate-memory",
            PristineCommand.Run("score", folder["images"], "--isolate-memory", "300").Expect(2).Error, StringComparison.Ordinal);
    }

    /// <summary>An image for each fault, and behind it one that is sound.</summary>
    private static void Make(TemporaryFolder folder, params string[] faults)
    {
        Directory.CreateDirectory(folder["images"]);
        var photo = File.ReadAllBytes(Path.Combine(Photos, "leaf.jpg"));
        foreach (var fault in faults)
        {
            File.WriteAllBytes(
                folder[$"images/{fault}-a.jpg"], [.. photo, .. "\npristine-fault:"u8, .. System.Text.Encoding.ASCII.GetBytes(fault)]);
            File.WriteAllBytes(folder[$"images/{fault}-b.jpg"], photo);
        }
    }

    private static IReadOnlyList<string?> Column(TemporaryFolder folder, string column, string table = "table")
    {
        var export = PristineCommand.Run("export", folder[table], "--format", "jsonl", "--out", "-").Expect(0);
        return (string?[])[.. export.Lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty(column)).Select(
            value => value.ValueKind == JsonValueKind.Null ? null : value.ToString())];
    }
}
