using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Metrics;

/// <summary>
/// Numbers of sounds and films: WAV written by hand; other containers where FFmpeg is installed, which makes and reads them.
/// </summary>
public sealed class MediaMetricTests : IDisposable
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly Metric[] Audio = ["audio_count", "audio_duration", "audio_bytes", "audio_sample_rate", "audio_channels"];
    private static readonly Metric[] Video =
        ["video_count", "video_duration", "video_width", "video_height", "video_fps", "video_frames", "video_bytes", "video_aspect_ratio"];

    private readonly string _folder = Directory.CreateTempSubdirectory("pristine-media-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_wave_file_says_how_long_it_is()
    {
        File.WriteAllBytes(At("a.wav"), Wave(8000, 2, 12000));
        File.WriteAllBytes(At("b.wav"), Wave(16000, 1, 16000, extra: true));
        var rows = Rows(Audio, """{"audio":"a.wav"}""", """{"audios":["a.wav","b.wav"]}""", """{"text":"none"}""");
        Assert.Equal([1, 1.5, 48044, 8000, 2], Numbers(rows[0]));
        Assert.Equal([2, 1.25, (48044 + 32044 + 12) / 2.0, 12000, 1.5], Numbers(rows[1]));
        Assert.Equal([0, double.NaN, double.NaN, double.NaN, double.NaN], Numbers(rows[2]));
        Assert.All(rows, row => Assert.Equal(ImageStatus.NoImage, row.Status));
    }

    [Fact]
    public void A_sound_in_the_record_itself_is_read()
    {
        var address = $"data:audio/wav;base64,{Convert.ToBase64String(Wave(8000, 1, 4000))}";
        Assert.Equal(0.5, Rows(
            ["audio_duration"], JsonSerializer.Serialize(new Dictionary<string, string> { ["audio"] = address }))[0]["audio_duration"]);
    }

    [Theory]
    [InlineData(0xFFFFFFF7)]
    [InlineData(0xFFFFFFF8)]
    [InlineData(0xFFFFFFFF)]
    public void A_chunk_of_the_largest_size_ends_a_wave_file(uint size)
    {
        File.WriteAllBytes(
            At("a.wav"), [.. "RIFF"u8, 0, 0, 0, 0, .. "WAVE"u8, .. "junk"u8, .. BitConverter.GetBytes(size), .. new byte[40]]);
        Assert.Contains(
            "without samples", Rows(["audio_duration"], """{"id":"a","audio":"a.wav"}""")[0].Error!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_file_never_passes_unseen()
    {
        File.WriteAllBytes(At("a.wav"), Wave(8000, 1, 8000));
        File.WriteAllBytes(At("cut.wav"), Wave(8000, 1, 8000)[..100]);
        File.WriteAllBytes(At("empty.wav"), []);
        var image = Directory.EnumerateFiles(TestFiles.InRepository("samples", "photos"), "*.jpg").Order().First();
        string[] records =
        [
            """{"id":"cut","audio":"cut.wav"}""", """{"id":"gone","audios":["a.wav","gone.wav"]}""",
            """{"id":"empty","audio":"empty.wav"}""",
            $$"""{"id":"image","image":{{JsonSerializer.Serialize(image)}},"audio":"gone.wav"}""", """{"id":"good","audio":"a.wav"}""",
        ];
        var rows = Rows(["audio_duration", "brightness"], records);
        Assert.Equal(
            [ImageStatus.Truncated, ImageStatus.Missing, ImageStatus.Unreadable, ImageStatus.Missing, ImageStatus.NoImage],
            rows.Select(row => row.Status));
        Assert.Equal("audio 'cut.wav': the file has 56 of 16000 bytes of samples", rows[0].Error);
        Assert.Equal("audio 'gone.wav': there is no such file", rows[1].Error);
        Assert.Equal("audio 'empty.wav': the file is empty", rows[2].Error);
        Assert.All(rows.Take(4), row => Assert.True(double.IsNaN(row["audio_duration"])));
        Assert.False(double.IsNaN(rows[3]["brightness"]));

        // In a table, where it has come back in the meantime.
        var table = At("table");
        Dataset.Open(At("data.jsonl"))
            .ScoreInto(table, new ScoringOptions { Metrics = ["audio_duration", "audio_count"] }, cancellation: Cancellation);
        Assert.Equal(["good"], Kept(table, "audio_duration > 0"));
        Assert.Equal(["good"], Kept(table, "audio_count = 0 or audio_duration > 0"));
        File.WriteAllBytes(At("gone.wav"), Wave(8000, 1, 8000));
        Dataset.Open(At("data.jsonl"))
            .ScoreInto(table, new ScoringOptions { Metrics = ["audio_duration", "brightness"] }, cancellation: Cancellation);
        Assert.Equal(["gone", "image", "good"], Kept(table, "audio_duration > 0"));
        using var all = ScoreTable.Open(table).ReadRows(["audio_duration", "brightness"]).GetEnumerator();
        while (all.MoveNext())
            Assert.Equal(all.Current.Id == "image", !double.IsNaN(all.Current["brightness"]));
    }

    [Fact]
    public void What_a_rule_on_the_record_drops_is_not_opened()
    {
        Write("""{"audio":"gone.wav","text":"short"}""");
        var row = Dataset.Open(At("data.jsonl")).Score(new ScoringOptions { Metrics = ["audio_duration"] }, cancellation: Cancellation)
            .Single().Rows[0];
        Assert.Equal(ImageStatus.Missing, row.Status);
        var gates = Cascade.OfItems(["audio_duration > 1 and num_words > 3"]);
        Assert.Equal(
            "num_words 1 fails num_words > 3", Assert.Single(gates).Failure(Dataset.Open(At("data.jsonl")).Read(Cancellation).Single()));
        Assert.Empty(Cascade.OfItems(["audio_duration > 1"]));
        Assert.Throws<RuleException>(() => Cascade.Of(["audio_duration > 1"]));
    }

    [Theory]
    [InlineData("a.flac", "sine=duration=1.5:sample_rate=48000")]
    [InlineData("a.mp3", "sine=duration=1.5:sample_rate=48000")]
    [InlineData("a.ogg", "sine=duration=1.5:sample_rate=48000")]
    [InlineData("a.opus", "sine=duration=1.5:sample_rate=48000")]
    [InlineData("a.m4a", "sine=duration=1.5:sample_rate=48000")]
    public void Sounds_of_other_containers_are_read(string name, string source)
    {
        Make(name, source);
        var row = Rows(Audio, JsonSerializer.Serialize(new Dictionary<string, string> { ["audio"] = name }))[0];
        // Frames of MP3, and what Opus puts before the first sample, are not cut at the end of the sound.
        Assert.InRange(row["audio_duration"], 1.5, 1.56);
        Assert.Equal([1, new FileInfo(
            At(name)).Length, 48000, 1], new[] { row["audio_count"], row["audio_bytes"], row["audio_sample_rate"], row["audio_channels"] });
    }

    [Theory]
    [InlineData("v.mp4")]
    [InlineData("v.mov")]
    [InlineData("v.mkv")]
    [InlineData("v.webm")]
    [InlineData("v.avi")]
    public void Films_are_read(string name)
    {
        Make(name, "testsrc=size=64x48:rate=10:duration=2");
        var rows = Rows(
            Video, $$"""{"videos":["{{name}}"]}""",
            $$$"""{"messages":[{"role":"user","content":[{"type":"video","video":"{{{name}}}"},{"type":"text","text":"?"}]}]}""");
        Assert.Equal([1, 2, 64, 48, 10, 20, new FileInfo(At(name)).Length, 64.0 / 48], Numbers(rows[0]));
        Assert.Equal(Numbers(rows[0]), Numbers(rows[1]));
    }

    [Fact]
    public void What_is_no_film_is_told_alike_in_every_run()
    {
        Make("v.mp4", "testsrc=size=64x48:rate=10:duration=2");
        File.WriteAllBytes(At("cut.mp4"), File.ReadAllBytes(At("v.mp4"))[..1000]);
        File.WriteAllText(At("list.mp4"), "#EXTM3U\n#EXTINF:1,\nv.mp4\n");
        string[] records = ["""{"video":"cut.mp4"}""", """{"video":"list.mp4"}""", """{"audio":"v.mp4"}"""];
        var rows = Rows(["video_duration", "audio_duration"], records);
        Assert.All(rows, row => Assert.Equal(ImageStatus.Unreadable, row.Status));
        Assert.Equal("audio 'v.mp4': the file has no audio stream", rows[2].Error);
        Assert.Equal(rows.Select(row => row.Error), Rows(["video_duration", "audio_duration"], records).Select(row => row.Error));
    }

    [Fact]
    public void Files_within_an_interval_are_counted()
    {
        File.WriteAllBytes(At("a.wav"), Wave(8000, 1, 8000));
        File.WriteAllBytes(At("b.wav"), Wave(8000, 1, 24000));
        string[] names = ["audio_duration_in:[1:3]", "audio_duration_in:(1:3]", "audio_duration_in:[0:3)", "audio_bytes_in:[0:inf]"];
        var rows = Rows([.. names.Select(MetricSet.BuiltIn.Get)], """{"audios":["a.wav","b.wav"]}""", """{"text":"none"}""");
        Assert.Equal([2, 1, 1, 2], Numbers(rows[0]));
        Assert.Equal([0, 0, 0, 0], Numbers(rows[1]));
        Assert.False(MetricSet.BuiltIn.TryFind("audio_duration_in:[3:1]", out _, out var reason));
        Assert.Contains("Expected an interval such as [1:20]", reason, StringComparison.Ordinal);
        Assert.Null(MetricSet.BuiltIn.Find("audio_count_in:[0:1]"));
        Assert.Equal("video_resolution_in:[640:inf]x(0:1080]", MetricSet.BuiltIn.Get("video_resolution_in:[640:inf]x(0:1080]").Name);
        Assert.False(MetricSet.BuiltIn.TryFind("video_resolution_in:[640:inf]", out _, out reason));
        Assert.Contains("Expected two intervals, of width and height", reason, StringComparison.Ordinal);
    }

    /// <summary>The brightness of frame n, of a film that becomes lighter from frame to frame, is about n / 40.</summary>
    [Fact]
    public void Frames_of_a_film_are_those_nearest_to_the_middles_of_equal_parts()
    {
        MakeLighter("v.mp4");
        Metric[] metrics = [.. FrameMetric.Of("brightness", 4), .. FrameMetric.Of("contrast", 4), "video_frames"];
        Assert.Equal(
            ["video_mean_brightness", "video_min_brightness", "video_max_brightness"], metrics.Take(3).Select(metric => metric.Name));
        var options = new ScoringOptions { Metrics = metrics, Frames = 4, Workers = 2 };
        var rows = Rows(options, """{"video":"v.mp4"}""", """{"videos":["v.mp4","v.mp4"]}""", """{"text":"none"}""");
        // 40 frames in 4 seconds; the middles lie at 0.5, 1.5, 2.5 and 3.5 s.
        Assert.Equal(40, rows[0]["video_frames"]);
        double Level(int frame) => frame * 5 / 255.0;
        const double Tolerance = 0.02;
        Assert.Equal((Level(5) + Level(15) + Level(25) + Level(35)) / 4, rows[0]["video_mean_brightness"], Tolerance);
        Assert.Equal(Level(5), rows[0]["video_min_brightness"], Tolerance);
        Assert.Equal(Level(35), rows[0]["video_max_brightness"], Tolerance);
        Assert.InRange(rows[0]["video_max_contrast"], 0, Tolerance);
        Assert.Equal(rows[0]["video_mean_brightness"], rows[1]["video_mean_brightness"], 1e-6);
        Assert.True(double.IsNaN(rows[2]["video_mean_brightness"]));
        Assert.All(rows, row => Assert.Equal(ImageStatus.NoImage, row.Status));
        // More than there are: each once.
        var all = Rows(options with { Frames = 200 }, """{"video":"v.mp4"}""")[0];
        Assert.Equal(Level(0), all["video_min_brightness"], Tolerance);
        Assert.Equal(Level(39), all["video_max_brightness"], Tolerance);
        Assert.Equal(Enumerable.Range(0, 40).Average(Level), all["video_mean_brightness"], Tolerance);
    }

    [Fact]
    public void A_broken_film_is_one_failed_row_and_the_run_goes_on()
    {
        MakeLighter("v.mp4");
        // With its index in front, so that the header is whole.
        Run("ffmpeg", "-v", "error", "-i", At("v.mp4"), "-c", "copy", "-movflags", "+faststart", At("front.mp4"));
        var whole = File.ReadAllBytes(At("front.mp4"));
        File.WriteAllBytes(At("cut.mp4"), whole[..(whole.Length * 3 / 4)]);
        File.WriteAllText(At("text.mp4"), "no film");
        var rows = Rows(
            new ScoringOptions { Metrics = [.. FrameMetric.Of("brightness", 8)], Frames = 8, Workers = 2 },
            """{"id":"cut","video":"cut.mp4"}""", """{"id":"text","video":"text.mp4"}""", """{"id":"gone","video":"gone.mp4"}""",
            """{"id":"good","video":"v.mp4"}""");
        Assert.Equal(
            [ImageStatus.Truncated, ImageStatus.Unreadable, ImageStatus.Missing, ImageStatus.NoImage], rows.Select(row => row.Status));
        Assert.Contains("of 8 frames can be decoded", rows[0].Error, StringComparison.Ordinal);
        Assert.All(rows.Take(3), row => Assert.True(double.IsNaN(row["video_mean_brightness"])));
        Assert.False(double.IsNaN(rows[3]["video_mean_brightness"]));
    }

    [Fact]
    public void Metrics_of_frames_are_known_by_their_names_and_only_metrics_of_images_have_them()
    {
        var metric = Assert.IsType<FrameMetric>(MetricSet.BuiltIn.Get("video_min_sharpness"));
        Assert.Equal((8, FrameSummary.Min, "sharpness"), (metric.Frames, metric.Summarises, metric.Image.Name));
        Assert.NotEqual(metric.Version, metric.With(4).Version);
        Assert.False(MetricSet.BuiltIn.TryFind("video_mean_num_words", out _, out var reason));
        Assert.Contains("num_words gives no number for a frame", reason, StringComparison.Ordinal);
        Assert.False(MetricSet.BuiltIn.TryFind("video_mean_sharpnes", out _, out reason));
        Assert.Contains("Nearest: sharpness", reason, StringComparison.Ordinal);
        Assert.Empty(FrameMetric.Of("num_words"));
    }

    [Fact]
    public void A_header_is_read_once_as_long_as_the_file_is_the_same()
    {
        Make("v.mp4", "testsrc=size=64x48:rate=10:duration=2");
        var source = new FileSource("v.mp4", At("v.mp4"), MediaKind.Video);
        Assert.Null(MediaProbe.Read(source, out var first));
        var stamp = File.GetLastWriteTimeUtc(At("v.mp4"));
        // Other bytes of the same size and time: nobody looks again.
        File.WriteAllBytes(At("v.mp4"), new byte[new FileInfo(At("v.mp4")).Length]);
        File.SetLastWriteTimeUtc(At("v.mp4"), stamp);
        Assert.Null(MediaProbe.Read(source, out var again));
        Assert.Equal(first, again);
        File.SetLastWriteTimeUtc(At("v.mp4"), stamp.AddSeconds(1));
        Assert.NotNull(MediaProbe.Read(source, out _));
    }

    /// <summary>A film of 40 frames, 10 a second, each of one grey: 0, 5, 10, ... of 255.</summary>
    [Fact]
    public void A_copy_for_a_program_goes_with_the_process()
    {
        var copy = "";
        var source = new MemorySource("a.wav", new byte[100], kind: MediaKind.Audio);
        Assert.Null(MediaProbe.WithFile(source, (path, stamp) =>
        {
            // The next run removes the folder of one that was killed.
            Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(path)!, ".pristine-scratch")));
            Assert.Equal(100, stamp.Bytes);
            copy = path;
            return null;
        }));
        Assert.False(Directory.Exists(Path.GetDirectoryName(copy)));
    }

    private void MakeLighter(string name)
    {
        Make("probe.mkv", "color=black:size=64x48:rate=10:duration=1");
        Run(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=black:size=64x48:rate=10:duration=4,format=gray,geq=lum='5*N'", "-pix_fmt",
            "yuv420p", "-g", "10", At(name));
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private ScoreRow[] Rows(ScoringOptions options, params string[] records)
    {
        Write(records);
        return [.. Dataset.Open(At("data.jsonl"), new DatasetOptions { ImageRoot = _folder })
            .Score(options, cancellation: Cancellation).Select(item => item.Rows[0])];
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void Write(params string[] records) => File.WriteAllLines(At("data.jsonl"), records);

    private ScoreRow[] Rows(Metric[] metrics, params string[] records)
    {
        Write([.. records.Append($$"""{"image":{{JsonSerializer.Serialize(TestFiles.InRepository("README.md"))}}}""")]);
        return [.. Dataset.Open(At("data.jsonl"), new DatasetOptions { ImageRoot = _folder })
            .Score(new ScoringOptions { Metrics = metrics, Workers = 2 }, cancellation: Cancellation).SkipLast(1)
            .Select(item => item.Rows[0])];
    }

    private static double[] Numbers(ScoreRow row) => row.Scores.ToArray();

    private static string[] Kept(string table, string rule)
    {
        using var run = SelectionRun.Run(ScoreTable.Open(table), new SelectionOptions { Keep = [rule] });
        return [.. run.Decisions().Where(decision => decision.Kept).Select(decision => decision.Id)];
    }

    private void Make(string name, string source)
    {
        Process? process = null;
        try
        {
            process = Process.Start("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", source, At(name)]);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("ffmpeg, which makes the file, is not installed (Debian: apt-get install ffmpeg).");
        }
        using (process)
        {
            process!.WaitForExit();
            Assert.SkipUnless(process.ExitCode == 0, $"This ffmpeg cannot make {name}.");
        }
    }

    /// <summary>A WAV file of 16-bit samples.</summary>
    private static byte[] Wave(int rate, int channels, int frames, bool extra = false)
    {
        var data = frames * channels * 2;
        var before = extra ? 12 : 0;
        var file = new byte[44 + before + data];
        "RIFF"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        "WAVE"u8.CopyTo(file.AsSpan(8));
        if (extra)
        {
            // A chunk of odd length is followed by a byte that counts nowhere.
            "LIST"u8.CopyTo(file.AsSpan(12));
            file[16] = 3;
        }
        var format = file.AsSpan(12 + before);
        "fmt "u8.CopyTo(format);
        format[4] = 16;
        format[8] = 1;
        format[10] = (byte)channels;
        BinaryPrimitives.WriteInt32LittleEndian(format[12..], rate);
        BinaryPrimitives.WriteInt32LittleEndian(format[16..], rate * channels * 2);
        format[20] = (byte)(channels * 2);
        format[22] = 16;
        "data"u8.CopyTo(format[24..]);
        BinaryPrimitives.WriteInt32LittleEndian(format[28..], data);
        return file;
    }
}
