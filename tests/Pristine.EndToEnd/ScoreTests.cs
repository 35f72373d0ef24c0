using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

public class ScoreTests
{
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    private static JsonElement[] Rows(CommandResult result) => [.. result.Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    [Fact]
    public void Jsonl_has_one_flat_object_per_image_with_the_columns_of_the_contract()
    {
        var rows = Rows(PristineCommand.Run("score", Photos, "--metrics", "brisque,min_side", "--format", "jsonl").Expect(0));
        Assert.Equal(Directory.GetFiles(Photos).Length, rows.Length);
        foreach (var row in rows)
        {
            Assert.Equal(
                [
                    "key", "id", "image", "image_index", "item_index", "folder", "status", "error", "skipped", "width", "height", "format",
                    "bytes", "modified", "content_hash",
                    "text_length", "word_count", "turns", "image_count", "image_tokens", "text_hash", "brisque", "brisque_quality",
                    "min_side",
                ],
                row.EnumerateObject().Select(property => property.Name));
            Assert.DoesNotContain(
                row.EnumerateObject(), property => property.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array);
        }
        Assert.Equal(Enumerable.Range(0, rows.Length), rows.Select(row => row.GetProperty("key").GetInt32()));
        var corrupt = rows.Single(row => row.GetProperty("image").GetString()!.EndsWith("corrupt.jpg", StringComparison.Ordinal));
        Assert.Equal("truncated", corrupt.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, corrupt.GetProperty("brisque").ValueKind);
        Assert.All(rows.Where(row => row.GetProperty("status").GetString() == "ok"), row => Assert.InRange(
            row.GetProperty("brisque").GetDouble(), 0, 100));
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("csv")]
    public void Rows_on_stdout_are_those_of_a_table(string format)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllLines(folder["data.jsonl"],
        [
            $"{{\"id\": 1, \"image\": \"{Photos}/leaf.jpg\", \"text\": \"a caption, with a comma\"}}",
            $"{{\"id\": 2, \"images\": [\"{Photos}/fig.jpg\", \"{Photos}/corrupt.jpg\", \"/nowhere.png\"], \"conversations\": [[\"q\", " +
            $"\"a\"]]}}",
            "{\"id\": 3, \"text\": \"nothing to see\"}",
            $"{{\"id\": 4, \"image\": \"{Photos}/dune.jpg\", \"text\": \"x\"}}",
        ]);
        string[] arguments =
            ["score", folder["data.jsonl"], "--metrics", "brisque,entropy,min_side", "--cascade", "text_length <> 1 and entropy < 7.2"];
        var rows = PristineCommand.Run([.. arguments, "--format", format]).Expect(0);
        PristineCommand.Run([.. arguments, "--out", folder["table"]]).Expect(0);
        PristineCommand.Run("export", folder["table"], "--format", format, "--out", folder["export"]).Expect(0);
        var exported = File.ReadAllLines(folder["export"]);
        Assert.Equal(exported.Length, rows.Lines.Length);
        if (format == "csv")
            Assert.Equal(exported[0], rows.Lines[0]);
        else
            foreach (var (expected, found) in exported.Zip(rows.Lines))
                Assert.True(JsonElement.DeepEquals(
                    JsonDocument.Parse(expected).RootElement, JsonDocument.Parse(found).RootElement), $"{expected}\n{found}");
        Assert.Contains("text_length 1 fails text_length <> 1", rows.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Degraded_samples_score_worse_than_their_originals()
    {
        var scores = Rows(PristineCommand.Run("score", Photos, "--format", "jsonl").Expect(0))
            .Where(row => row.GetProperty("status").GetString() == "ok")
            .ToDictionary(row => Path.GetFileNameWithoutExtension(row.GetProperty("image").GetString()!), row => row.GetProperty("brisque")
            .GetDouble());
        // Darkening alone leaves the statistics of a photo natural; BRISQUE is not made to see it (the metric brightness is).
        var pairs = scores.Keys.Where(
            name => name.Contains('-', StringComparison.Ordinal) && !name.EndsWith("-dark", StringComparison.Ordinal)).ToArray();
        Assert.InRange(pairs.Length, 8, 40);
        Assert.All(pairs, name => Assert.True(
            scores[name] > scores[name.Split('-')[0]], $"{name} {scores[name]} against {scores[name.Split('-')[0]]}"));
    }

    [Fact]
    public void Csv_holds_the_same_numbers_as_jsonl()
    {
        var csv = PristineCommand.Run("score", Photos, "--format", "csv").Expect(0).Lines;
        var rows = Rows(PristineCommand.Run("score", Photos, "--format", "jsonl").Expect(0));
        Assert.Equal(
            "key,id,image,image_index,item_index,folder,status,error,skipped,width,height,format,bytes,modified,content_hash,text_length,word_count,turns,image_count,image_tokens,text_hash,brisque,brisque_quality", csv[0]);
        Assert.Equal(rows.Length + 1, csv.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            if (rows[i].GetProperty("status").GetString() == "ok")
                Assert.EndsWith(
                    $",{rows[i].GetProperty("brisque").GetRawText()},{rows[i].GetProperty("brisque_quality").GetRawText()}", csv[i + 1],
                    StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("csv")]
    public void A_row_goes_out_before_the_next_image_is_named(string format)
    {
        using var process = PristineCommand.Start(["score", "-", "--metrics", "entropy", "--format", format, "--workers", "3"], Photos);
        var photos = Directory.GetFiles(Photos).Order(StringComparer.Ordinal).Take(4).Select(Path.GetFileName).ToArray();
        foreach (var (photo, i) in photos.Select((photo, i) => (photo, i)))
        {
            process.StandardInput.Write(photo + "\n");
            process.StandardInput.Flush();
            if (format == "csv" && i == 0)
                Assert.StartsWith("key,id", process.StandardOutput.ReadLine(), StringComparison.Ordinal);
            Assert.Contains(photo!, process.StandardOutput.ReadLine(), StringComparison.Ordinal);
        }
        process.StandardInput.Close();
        Assert.Null(process.StandardOutput.ReadLine());
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public void Output_does_not_depend_on_the_number_of_workers()
    {
        var one = PristineCommand.Run("score", Photos, "--format", "jsonl", "--workers", "1").Expect(0);
        var four = PristineCommand.Run("score", Photos, "--format", "jsonl", "--workers", "4").Expect(0);
        Assert.Equal(one.OutputBytes, four.OutputBytes);
    }

    [Fact]
    public void Reads_a_list_of_paths_from_stdin_and_reports_what_is_missing()
    {
        var list = "samples/photos/leaf.jpg\nsamples/photos/no such.jpg\n"u8.ToArray();
        var rows = Rows(PristineCommand.Run(["score", "-", "--format", "jsonl"], TestFiles.Root, list).Expect(0));
        Assert.Equal(["ok", "missing"], rows.Select(row => row.GetProperty("status").GetString()));
    }

    [Fact]
    public void Start_goes_on_where_an_interrupted_run_ended()
    {
        var all = PristineCommand.Run("score", Photos, "--format", "jsonl").Expect(0).Lines;
        var rest = PristineCommand.Run("score", Photos, "--format", "jsonl", "--start", "5").Expect(0).Lines;
        Assert.Equal(all[5..], rest);
    }

    [Fact]
    public void Too_many_failures_end_with_exit_code_3()
    {
        PristineCommand.Run("score", Photos, "--max-failures", "0").Expect(3);
        PristineCommand.Run("score", Photos, "--max-failures", "1").Expect(0);
    }

    [Theory]
    [InlineData("There is no metric 'brisk'. Nearest: brisque", "score", "samples/photos", "--metrics", "brisk")]
    [InlineData("Expected INPUT; found none", "score")]
    [InlineData("--workers: expected 1 to 1024; found 0", "score", "samples/photos", "--workers", "0")]
    [InlineData("expected table, jsonl or csv; found 'xml'", "score", "samples/photos", "--format", "xml")]
    [InlineData("Expected --keep RULE", "filter", "samples/photos", "--out", "x")]
    [InlineData("can never hold", "filter", "samples/photos", "--out", "x", "--keep", "brisque between 9 and 3")]
    [InlineData("smallest quality", "filter", "samples/photos", "--out", "x", "--min-quality", "0.8", "--max-quality", "0.2")]
    [InlineData("Expected --out PATH; found none", "filter", "samples/photos", "--keep", "brisque < 3")]
    [InlineData("expected one of --copy", "filter", "samples/photos", "--out", "x", "--keep", "brisque < 3", "--copy", "--link")]
    public void Wrong_usage_ends_with_exit_code_2_and_says_why(string message, params string[] arguments)
    {
        var result = PristineCommand.Run(arguments).Expect(2);
        Assert.Contains(message, result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void An_input_that_is_not_there_ends_with_exit_code_1()
    {
        var result = PristineCommand.Run("score", "no/such/folder").Expect(1);
        Assert.Contains("no/such/folder", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Ctrl_C_leaves_whole_lines_and_says_how_to_go_on()
    {
        PristineCommand.RequireCtrlC();
        using var folder = TestFiles.NewFolder();
        for (var i = 0; i < 5000; i++)
            File.CreateSymbolicLink(folder[$"{i:00000}.jpg"], TestFiles.InRepository("samples", "photos", "leaf.jpg"));
        var process = PristineCommand.Start(["score", folder.Path, "--format", "jsonl"], folder.Path);
        // Byte by byte, so that nothing of what follows is lost in a reader's buffer.
        var first = new List<byte>();
        while (first.Count == 0 || first[^1] != '\n')
            first.Add((byte)process.StandardOutput.BaseStream.ReadByte());
        PristineCommand.SendCtrlC(process);
        var result = PristineCommand.Finish(process, null).Expect(130);
        Assert.EndsWith("\n", result.Output, StringComparison.Ordinal);
        var keys = result.Lines.Prepend(System.Text.Encoding.UTF8.GetString([.. first]))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("key").GetInt64()).ToArray();
        Assert.Equal(Enumerable.Range(0, keys.Length).Select(key => (long)key), keys);
        var last = keys[^1];
        Assert.InRange(last, 1, 4998);
        Assert.Contains($"--start {last + 1}", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("score", "-")]
    [InlineData("filter", "-", "--keep", "brisque < 100", "--out", "kept.txt", "--scores", "table")]
    [InlineData("worker")]
    [InlineData("mcp")]
    public void Ctrl_C_ends_a_command_that_waits_for_its_input(params string[] arguments)
    {
        PristineCommand.RequireCtrlC();
        using var folder = TestFiles.NewFolder();
        using var process = PristineCommand.Start(arguments, folder.Path);
        // One image, so that it is known to be at work; then nothing more, and no end.
        var writer = process.StandardInput.BaseStream;
        var leaf = TestFiles.InRepository("samples", "photos", "leaf.jpg");
        var request = arguments[0] switch
        {
            "worker" => $"{{\"path\": \"{leaf}\"}}\n",
            "mcp" => """
                {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}

                """,
            _ => $"{leaf}\n",
        };
        writer.Write(System.Text.Encoding.UTF8.GetBytes(request));
        writer.Flush();
        if (arguments[0] != "filter")
            Assert.NotNull(process.StandardOutput.ReadLine());
        PristineCommand.SendCtrlC(process);
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
    }

    [Fact]
    public void A_reader_that_leaves_early_ends_the_run_quietly()
    {
        using var folder = TestFiles.NewFolder();
        // The input never ends: only the lost reader can end the run.
        var result = PristineCommand.Shell(
            $"yes '{TestFiles.InRepository("samples", "photos", "leaf.jpg")}' 2> /dev/null | {PristineCommand.InShell} score - --format " +
            $"jsonl | head -n 2", folder.Path).Expect(0);
        Assert.Equal(2, result.Lines.Length);
        Assert.Empty(result.Error);
    }
}
