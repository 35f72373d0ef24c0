using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

public class RecipeTests
{
    private static readonly string Dialogs = TestFiles.InRepository("samples", "dialogs.jsonl");
    private static readonly string Photos = TestFiles.InRepository("samples", "photos");

    [Fact]
    [Trait("kind", "long")]
    public void The_same_recipe_gives_the_same_bytes()
    {
        using var folder = TestFiles.NewFolder();
        string[] outputs = ["kept.jsonl", "dropped.jsonl", "ledger.csv"];
        PristineCommand.Run(
            "filter", Dialogs, "--keep", "brisque <= 60 and image <> 'it''s: #x'", "--keep", "min_side >= 100", "--dedup", "near",
            "--keep-best", "brisque", "--keep-top", "90%", "--by",
            "brisque", "--no-image", "drop", "--out", folder["kept.jsonl"], "--dropped", folder["dropped.jsonl"], "--ledger",
            folder["ledger.csv"], "--scores", folder["scores"],
            "--metrics", "sharpness", "--report", folder["report.html"], "--write-recipe", folder["recipe.yaml"]).Expect(0);
        var first = outputs.Select(name => File.ReadAllBytes(folder[name])).ToArray();
        Assert.True(new FileInfo(folder["report.html"]).Length > 1000);
        foreach (var name in outputs)
            File.Delete(folder[name]);
        Directory.Delete(folder["scores"], recursive: true);

        PristineCommand.Run("run", folder["recipe.yaml"]).Expect(0);
        Assert.Equal(first, outputs.Select(name => File.ReadAllBytes(folder[name])));
        // The run leaves its recipe beside the output, and that one says the same.
        Assert.Equal(File.ReadAllBytes(folder["recipe.yaml"]), File.ReadAllBytes(folder["kept.jsonl.recipe.yaml"]));
        PristineCommand.Run("run", folder["kept.jsonl.recipe.yaml"]).Expect(0);
        Assert.Equal(first, outputs.Select(name => File.ReadAllBytes(folder[name])));

        PristineCommand.Run("run", folder["recipe.yaml"], "--set", $"out={folder["other.jsonl"]}", "--set", $"scores={folder["other"]}")
            .Expect(0);
        Assert.Equal(first[0], File.ReadAllBytes(folder["other.jsonl"]));
        Assert.True(File.Exists(folder["other.jsonl.recipe.yaml"]));
    }

    [Fact]
    public void Scoring_and_selecting_are_recipes_too()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(
            folder["score.yaml"],
            $"pristine: score\ninput: {Photos}\nmetrics: [sharpness, phash]\ncascade: [min_side >= 100]\nout: {folder["scores"]}\n");
        PristineCommand.Run("run", folder["score.yaml"]).Expect(0);
        Assert.Contains("metrics: sharpness,phash", File.ReadAllText(folder["scores/recipe.yaml"]), StringComparison.Ordinal);
        PristineCommand.Run(
            "select", folder["scores"], "--dedup", "near", "--keep", "sharpness > 10", "--out", folder["kept.txt"], "--write-recipe",
            folder["select.yaml"]).Expect(0);
        var kept = File.ReadAllBytes(folder["kept.txt"]);
        PristineCommand.Run("run", folder["select.yaml"]).Expect(0);
        Assert.Equal(kept, File.ReadAllBytes(folder["kept.txt"]));
        var line = PristineCommand.Run("run", folder["select.yaml"], "--show").Expect(0).Output;
        Assert.Equal($"pristine select '--keep=sharpness > 10' --dedup=near --out={folder["kept.txt"]} -- {folder["scores"]}\n", line);
    }

    [Fact]
    public void Checks_duplicates_overlaps_and_reports_are_recipes_too()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run("score", Photos, "--metrics", "phash,brightness", "--out", folder["scores"]).Expect(0);
        void Repeat(string name, string[] line, int code, params string[] outputs)
        {
            var recipe = folder[$"{name}.yaml"];
            var said = PristineCommand.Run([.. line, "--write-recipe", recipe]).Expect(code).Output;
            var first = outputs.Select(output => File.ReadAllBytes(folder[output])).ToArray();
            foreach (var output in outputs)
                File.Delete(folder[output]);
            Assert.Equal(said, PristineCommand.Run("run", recipe).Expect(code).Output);
            Assert.Equal(first, outputs.Select(output => File.ReadAllBytes(folder[output])));
            Assert.Equal(File.ReadAllBytes(recipe), File.ReadAllBytes(folder[$"{outputs[0]}.recipe.yaml"]));
        }
        Repeat(
            "check",
            ["check", Photos, "--issues", "dark,flat,duplicates", "--set", "dark=0.1", "--fail-on", "dark > 0", "--fail-on", "any > 50%",
                "--format", "json", "--out", folder["check.json"], "--scores", folder["checked"]], 3, "check.json");
        Assert.Contains("luma_p95: ", File.ReadAllText(folder["check.yaml"]), StringComparison.Ordinal);
        Repeat("table", ["check", folder["scores"], "--issues", "near_duplicates", "--out", folder["check.txt"]], 0, "check.txt");
        Repeat(
            "duplicates", ["duplicates", folder["scores"], "--by", "near:6", "--format", "csv", "--out", folder["copies.csv"]], 0,
            "copies.csv");
        Repeat("overlap", ["overlap", folder["scores"], folder["checked"], "--by", "exact", "--out", folder["clean.txt"]], 0, "clean.txt");
        Repeat("report", ["report", folder["scores"], "--thumbnails", "3", "--out", folder["report.html"]], 0, "report.html");
    }

    [Theory]
    [InlineData("keep: a\n", "expected 'pristine: filter'")]
    [InlineData("pristine: fit\n", "recipe.yaml:1: expected one of score, filter, select, check, duplicates, overlap, report; found 'fit'")]
    [InlineData("pristine: filter\ninput: x\nkep: brisque < 3\n", "recipe.yaml:3: there is no key 'kep' for filter. Nearest: keep")]
    [InlineData("pristine: filter\nscores: [a, b]\n", "recipe.yaml:2: scores: expected one value; found a list of 2")]
    [InlineData("pristine: filter\ncopy: maybe\n", "copy: expected true or false; found maybe")]
    [InlineData("pristine: filter\nout:\n", "out: expected a value; found none")]
    [InlineData("pristine: filter\nkeep: {a: b}\n", "keep: expected a text or a list of texts")]
    [InlineData("pristine: filter\nkeep: a\nkeep: b\n", "recipe.yaml:3: expected each key once; found 'keep' again")]
    [InlineData("pristine: filter\nkeep: &a b\n", "recipe.yaml:2: expected plain values")]
    [InlineData("pristine: filter\nkeep: [a\n", "expected YAML")]
    [InlineData("", "the file is empty")]
    [InlineData("- a\n", "expected a recipe, keys with values; found a list")]
    [InlineData("pristine: filter\ninput: x\nout: y\n", "found none of them")]
    [InlineData("pristine: filter\ninput: x\nout: y\nworkers: many\nkeep: width > 1\n", "workers")]
    public void A_recipe_that_is_wrong_is_refused_with_file_and_line(string text, string message)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder["recipe.yaml"], text);
        Assert.Contains(message, PristineCommand.Run("run", folder["recipe.yaml"]).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_version_of_a_metric_is_refused()
    {
        using var folder = TestFiles.NewFolder();
        var recipe = $"pristine: filter\ninput: {Photos}\nkeep: sharpness > 10\nout: {folder["kept.txt"]}\nversions:\n  sharpness: ";
        File.WriteAllText(folder["old.yaml"], recipe + "0 -\n");
        Assert.Contains("made with sharpness of version and model '0 -'; found '1 -'", PristineCommand.Run("run", folder["old.yaml"])
            .Expect(2).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["kept.txt"]));
        File.WriteAllText(folder["new.yaml"], recipe + "1 -\n  program: pristine 0.0.1\n");
        PristineCommand.Run("run", folder["new.yaml"]).Expect(0);
    }

    [Fact]
    public void Another_rule_of_an_issue_is_refused_and_other_issues_are_told_of()
    {
        using var folder = TestFiles.NewFolder();
        PristineCommand.Run(
            "filter", Photos, "--drop-issue", "dark,duplicates,near_duplicates,odd_size", "--set", "odd_size=2", "--out",
            folder["kept.txt"], "--write-recipe", folder["recipe.yaml"]).Expect(0);
        var recipe = File.ReadAllText(folder["recipe.yaml"]);
        Assert.Contains("  issue dark: luma_p95 < 0.2\n", recipe, StringComparison.Ordinal);
        Assert.Contains("  issue duplicates: --dedup exact\n  issue near_duplicates: --dedup near:4\n", recipe, StringComparison.Ordinal);
        Assert.Contains("  issue odd_size: sqrt(width * height) beyond 2 interquartile ranges\n", recipe, StringComparison.Ordinal);
        Assert.DoesNotContain("the recipe", PristineCommand.Run("run", folder["recipe.yaml"]).Expect(0).Error, StringComparison.Ordinal);
        Assert.Equal(recipe, File.ReadAllText(folder["kept.txt.recipe.yaml"]));

        File.Delete(folder["kept.txt"]);
        File.WriteAllText(folder["recipe.yaml"], recipe.Replace("luma_p95 < 0.2", "luma_p95 <= 0.15", StringComparison.Ordinal));
        Assert.Contains(
            "made with issue dark as 'luma_p95 <= 0.15'; found 'luma_p95 < 0.2', which gives other images",
            PristineCommand.Run("run", folder["recipe.yaml"]).Expect(2).Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["kept.txt"]));
        File.WriteAllText(folder["recipe.yaml"], recipe.Replace("  issue dark: luma_p95 < 0.2\n", "", StringComparison.Ordinal));
        Assert.Contains(
            "made with the issues duplicates, near_duplicates, odd_size; this run has dark, duplicates, near_duplicates, odd_size.",
            PristineCommand.Run("run", folder["recipe.yaml"]).Expect(0).Error, StringComparison.Ordinal);

        PristineCommand.Run(
            "check", Photos, "--issues", "dark", "--out", folder["check.txt"], "--write-recipe", folder["check.yaml"]).Expect(0);
        Assert.Contains("  issue dark: luma_p95 < 0.2\n", File.ReadAllText(folder["check.yaml"]), StringComparison.Ordinal);
        PristineCommand.Run("score", Photos, "--metrics", "luma_p95", "--out", folder["scores"]).Expect(0);
        PristineCommand.Run(
            "select", folder["scores"], "--drop-issue", "dark", "--out", folder["kept.txt"], "--write-recipe", folder["select.yaml"])
            .Expect(0);
        Assert.Contains("  issue dark: luma_p95 < 0.2\n", File.ReadAllText(folder["select.yaml"]), StringComparison.Ordinal);
    }

    /// <summary>
    /// data-juicer's decisions by its own formulas, operation by operation and all together, on a thousand records with up to three images.
    /// </summary>
    [Fact]
    [Trait("kind", "long")]
    public void A_configuration_of_data_juicer_decides_as_its_formulas_do()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["images"]);
        var random = new Random(12);
        var images = Enumerable.Range(0, 60).Select(i =>
        {
            var (width, height) = (random.Next(2, 120), random.Next(2, 120));
            var file = PlainPng.Of(width, height, random);
            File.WriteAllBytes(folder[$"images/{i}.png"], file);
            return (Width: width, Height: height, Bytes: file.Length);
        }).ToArray();
        var records = Enumerable.Range(0, 1000).Select(i => (
            Id: $"r{i}", Text: string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => "aé語\U0001F600"[random.Next(3)])),
            Likes: i % 7 == 0 ? (int?)null : random.Next(100),
            Source: "coco,laion,own".Split(',')[random.Next(3)],
            Images: Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(images.Length)).ToArray())).ToArray();
        File.WriteAllLines(folder["data.jsonl"], records.Select(record => JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["id"] = record.Id,
            ["text"] = record.Text,
            ["likes"] = record.Likes,
            ["source"] = record.Source,
            ["images"] = record.Images.Select(image => $"images/{image}.png"),
        })));

        bool Any(int[] all, Func<(int Width, int Height, int Bytes), bool> holds) =>
            all.Length == 0 || all.Any(image => holds(images[image]));
        bool All(int[] all, Func<(int Width, int Height, int Bytes), bool> holds) => all.All(image => holds(images[image]));
        var operations = new (string Yaml, Func<(string Id, string Text, int? Likes, string Source, int[] Images), bool> Keeps)[]
        {
            ("image_shape_filter: {min_width: 20, max_width: 90, max_height: 80}", r => Any(
                r.Images, i => i.Width is >= 20 and <= 90 && i.Height is >= 1 and <= 80)),
            ("image_shape_filter: {min_width: 20, any_or_all: all}", r => All(r.Images, i => i.Width >= 20)),
            ("image_shape_filter: {min_width: 50, min_height: 50, min_closed_interval: false}", r => Any(
                r.Images, i => i.Width > 50 && i.Height > 50)),
            ("image_size_filter: {min_size: \"1KB\", max_size: 4 KiB}", r => Any(r.Images, i => i.Bytes is >= 1024 and <= 4096)),
            ("image_aspect_ratio_filter:", r => Any(r.Images, i => (double)i.Width / i.Height is >= 0.333 and <= 3.0)),
            ("image_aspect_ratio_filter: {min_ratio: 9/21, max_ratio: 1.5, reversed_range: true}", r => Any(
                r.Images, i => !((double)i.Width / i.Height >= 9.0 / 21 && (double)i.Width / i.Height <= 1.5))),
            ("text_length_filter: {max_len: 20}", r => new System.Globalization.StringInfo(r.Text).LengthInTextElements is >= 10 and <= 20),
            ("specified_numeric_field_filter: {field_key: likes, min_value: 10, max_value: 60, max_closed_interval: false}",
                r => r.Likes is >= 10 and < 60),
            ("specified_field_filter: {field_key: source, target_value: [coco, own]}", r => r.Source is "coco" or "own"),
        };
        string[] Run(params IEnumerable<string> yaml)
        {
            File.WriteAllText(
                folder["dj.yaml"],
                $"project_name: test\ndataset_path: {folder["data.jsonl"]}\nexport_path: {folder["kept.jsonl"]}\nnp: 2\ntext_keys: " +
                $"text\nprocess:\n{string.Concat(yaml.Select(line => $"  - {line}\n"))}");
            var run = PristineCommand.Run("run", folder["dj.yaml"]).Expect(0);
            Assert.Contains("without effect on what is kept: project_name.", run.Error, StringComparison.Ordinal);
            return [.. File.ReadLines(folder["kept.jsonl"])
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()!)];
        }

        foreach (var (yaml, keeps) in operations)
        {
            var expected = records.Where(keeps).Select(record => record.Id).ToArray();
            Assert.InRange(expected.Length, 50, 950);
            Assert.True(expected.SequenceEqual(Run(yaml)), yaml);
        }
        var together = operations.Where((_, i) => i is 0 or 3 or 4 or 6 or 8).ToArray();
        Assert.Equal(records.Where(record => together.All(operation => operation.Keeps(record)))
            .Select(record => record.Id), Run(together.Select(operation => operation.Yaml)));
    }

    /// <summary>
    /// The operations of data-juicer's recipe for LLaVA-558k that need no network, each alone and all together, on a thousand records: its
    /// limits for texts, smaller ones for the small images.
    /// </summary>
    [Fact]
    [Trait("kind", "long")]
    public void The_recipe_of_data_juicer_for_LLaVA_decides_as_its_formulas_do()
    {
        using var folder = TestFiles.NewFolder();
        Directory.CreateDirectory(folder["images"]);
        var random = new Random(558);
        var images = Enumerable.Range(0, 40).Select(i =>
        {
            var (width, height) = (random.Next(4, 90), random.Next(4, 90));
            var file = PlainPng.Of(width, height, random);
            File.WriteAllBytes(folder[$"images/{i}.png"], file);
            return (Width: width, Height: height, Bytes: file.Length);
        }).ToArray();
        // Words of letters, some with digits or punctuation behind them; a quarter of the texts says a phrase again and again.
        string Word(double marks) => string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => (char)('a' + random.Next(26))))
            + (random.NextDouble() < marks ? string.Concat(Enumerable.Repeat("12!?,.;"[..random.Next(1, 8)], marks > 0.8 ? 3 : 1)) : "");
        string Text()
        {
            var marks = random.NextDouble();
            string[] words = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => Word(marks))];
            return string.Join(' ', Enumerable.Repeat(string.Join(' ', words), random.Next(4) == 0 ? random.Next(2, 6) : 1));
        }
        var records = Enumerable.Range(0, 1000)
            .Select(i => (Id: $"r{i}", Text: Text(), Image: random.Next(10) == 0 ? -1 : random.Next(images.Length))).ToArray();
        File.WriteAllLines(folder["data.jsonl"], records.Select(record => JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["id"] = record.Id,
            ["text"] = record.Text,
            ["images"] = record.Image < 0 ? [] : new[] { $"images/{record.Image}.png" },
        })));

        bool Image(int image, Func<(int Width, int Height, int Bytes), bool> holds) => image < 0 || holds(images[image]);
        double Share(string text, Func<char, bool> counts) => (double)text.Count(counts) / text.Length;
        double RepeatedCharacters(string text)
        {
            var counts = Enumerable.Range(0, Math.Max(0, text.Length - 9)).Select(i => text.Substring(i, 10)).CountBy(part => part)
                .Select(pair => pair.Value).OrderDescending().ToArray();
            var most = Math.Min((int)Math.Sqrt(counts.Length), counts.Count(count => count > 1));
            return counts.Length == 0 ? 0 : (double)counts.Take(most).Sum() / counts.Sum();
        }
        double RepeatedWords(string text)
        {
            string[] words = [.. text.Split(' ').Select(word => word.TrimEnd([.. "12!?,.;"]))];
            var counts = Enumerable.Range(0, Math.Max(0, words.Length - 9)).Select(i => string.Join(' ', words[i..(i + 10)]))
                .CountBy(part => part).Select(pair => pair.Value).ToArray();
            return counts.Length == 0 ? 0 : (double)counts.Where(count => count > 1).Sum() / counts.Sum();
        }
        var operations = new (string Yaml, Func<(string Id, string Text, int Image), bool> Keeps)[]
        {
            ("alphanumeric_filter: {tokenization: false, min_ratio: 0.60}", r => Share(r.Text, char.IsAsciiLetterOrDigit) >= 0.60),
            ("character_repetition_filter: {rep_len: 10, max_ratio: 0.0937}", r => RepeatedCharacters(r.Text) <= 0.0937),
            ("special_characters_filter: {min_ratio: 0.165, max_ratio: 0.420}",
                r => Share(r.Text, letter => !char.IsAsciiLetter(letter)) is >= 0.165 and <= 0.420),
            ("word_repetition_filter: {lang: en, tokenization: false, rep_len: 10, max_ratio: 0.0309}",
                r => RepeatedWords(r.Text) <= 0.0309),
            ("image_aspect_ratio_filter: {min_ratio: 0.333, max_ratio: 3.0}",
                r => Image(r.Image, i => (double)i.Width / i.Height is >= 0.333 and <= 3.0)),
            ("image_shape_filter: {max_width: 72, max_height: 60}", r => Image(r.Image, i => i.Width <= 72 && i.Height <= 60)),
            ("image_size_filter: {max_size: \"3KB\"}", r => Image(r.Image, i => i.Bytes <= 3072)),
        };
        string[] Run(params IEnumerable<string> yaml)
        {
            File.WriteAllText(
                folder["dj.yaml"],
                $"dataset_path: {folder["data.jsonl"]}\nexport_path: {folder["kept.jsonl"]}\ntext_keys: text\nprocess:\n" +
                $"{string.Concat(yaml.Select(line => $"  - {line}\n"))}");
            PristineCommand.Run("run", folder["dj.yaml"]).Expect(0);
            return [.. File.ReadLines(folder["kept.jsonl"])
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()!)];
        }

        foreach (var (yaml, keeps) in operations)
        {
            var expected = records.Where(keeps).Select(record => record.Id).ToArray();
            Assert.InRange(expected.Length, 50, 980);
            Assert.True(expected.SequenceEqual(Run(yaml)), yaml);
        }
        var together = records.Where(record => operations.All(operation => operation.Keeps(record))).Select(record => record.Id).ToArray();
        Assert.NotEmpty(together);
        Assert.Equal(together, Run(operations.Select(operation => operation.Yaml)));
    }

    [Fact]
    public void What_data_juicer_does_and_Pristine_does_not_is_told_and_refused_unless_it_is_named()
    {
        using var folder = TestFiles.NewFolder();
        void Write(string process, string more = "") =>
            File.WriteAllText(
                folder["dj.yaml"], $"dataset_path: {Dialogs}\nexport_path: {folder["kept.jsonl"]}\n{more}process:\n{process}");
        string Refusal(params string[] arguments) => PristineCommand.Run(["run", folder["dj.yaml"], .. arguments]).Expect(2).Error;

        Write("  - image_shape_filter:\n      min_width: 200\n  - perplexity_filter:\n      lang: en\n  - clean_links_mapper:\n");
        Assert.Contains(
            "Pristine does not have: perplexity_filter (line 6), clean_links_mapper (line 8). To run the others: --skip " +
            "perplexity_filter --skip clean_links_mapper", Refusal(), StringComparison.Ordinal);
        Assert.Contains("clean_links_mapper (line 8)", Refusal("--skip", "perplexity_filter"), StringComparison.Ordinal);
        Assert.Contains("--skip video_nsfw_filter: expected an operation", Refusal(
            "--skip", "perplexity_filter", "--skip", "clean_links_mapper", "--skip", "video_nsfw_filter"), StringComparison.Ordinal);
        Assert.False(File.Exists(folder["kept.jsonl"]));
        var run = PristineCommand.Run("run", folder["dj.yaml"], "--skip", "perplexity_filter", "--skip", "clean_links_mapper").Expect(0);
        Assert.Contains("perplexity_filter is skipped, as asked", run.Error, StringComparison.Ordinal);
        Assert.Contains(
            "keep: (width >= 200) and (height >= 1)", File.ReadAllText(folder["kept.jsonl.recipe.yaml"]), StringComparison.Ordinal);

        Write("  - image_shape_filter: {min_with: 200}\n");
        Assert.Contains("found 'min_with'. Nearest: min_width", Refusal(), StringComparison.Ordinal);
        Write("  - image_shape_filter: {min_width: wide}\n");
        Assert.Contains("min_width: expected a number; found 'wide'", Refusal(), StringComparison.Ordinal);
        Write("  - image_shape_filter: {any_or_all: all}\n  - image_size_filter:\n");
        Assert.Contains(
            "expected one any_or_all for all operations on images; found all for image_shape_filter, any for image_size_filter", Refusal(),
            StringComparison.Ordinal);
        Write("  - image_size_filter: {max_size: big}\n");
        Assert.Contains("expected a size such as 124KB; found 'big'", Refusal(), StringComparison.Ordinal);
        Write("  - image_size_filter:\n", "datset_path: x\n");
        Assert.Contains("found 'datset_path'. Nearest: dataset_path", Refusal(), StringComparison.Ordinal);
        Write("  - specified_field_filter: {field_key: meta.source, target_value: a}\n");
        Assert.Contains("found 'meta.source', which is within another", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_or_all_of_data_juicer_is_about_each_sound_of_a_record()
    {
        using var folder = TestFiles.NewFolder();
        // Seconds by record; the last has no sound.
        double[][] seconds = [[1, 9], [3], [5, 6], [3, 4], [0.5], []];
        foreach (var length in seconds.SelectMany(all => all).Distinct())
            File.WriteAllBytes(folder[$"{length * 10:0}.wav"], Wave(length));
        File.WriteAllLines(folder["data.jsonl"], seconds.Select((all, i) => JsonSerializer.Serialize(
            new Dictionary<string, object> { ["id"] = $"{i}", ["audios"] = all.Select(length => $"{length * 10:0}.wav") })));
        string Kept(string parameters)
        {
            File.WriteAllText(
                folder["dj.yaml"],
                $"dataset_path: {folder["data.jsonl"]}\nexport_path: {folder["kept.jsonl"]}\nprocess:\n" +
                $"  - audio_duration_filter: {{{parameters}}}\n");
            PristineCommand.Run("run", folder["dj.yaml"]).Expect(0);
            return string.Join(' ', File.ReadLines(folder["kept.jsonl"])
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()!));
        }
        // In the first no sound lies within, though their mean and both ends of their range would.
        Assert.Equal("1 2 3 5", Kept("min_duration: 2, max_duration: 5"));
        Assert.Equal("1 3 5", Kept("min_duration: 2, max_duration: 5, any_or_all: all"));
        Assert.Equal("2 3 5", Kept("min_duration: 3, max_duration: 5, min_closed_interval: false"));
        Assert.Equal("0 2 4 5", Kept("min_duration: 2, max_duration: 5, reversed_range: true"));
        Assert.Equal("0 4 5", Kept("min_duration: 2, max_duration: 5, reversed_range: true, any_or_all: all"));

        static byte[] Wave(double length)
        {
            const int Rate = 1000;
            var samples = (int)(length * Rate);
            using var file = new MemoryStream();
            using var writer = new BinaryWriter(file);
            writer.Write("RIFF"u8);
            writer.Write(36 + 2 * samples);
            writer.Write("WAVEfmt "u8);
            writer.Write(16);
            writer.Write((short)1);
            writer.Write((short)1);
            writer.Write(Rate);
            writer.Write(2 * Rate);
            writer.Write((short)2);
            writer.Write((short)16);
            writer.Write("data"u8);
            writer.Write(2 * samples);
            writer.Write(new byte[2 * samples]);
            return file.ToArray();
        }
    }

    [Theory]
    [InlineData("", "'--keep=lang_score >= 0.8'")]
    [InlineData("lang: en, min_score: 0.5", "'--keep=\"lang_score:en\" >= 0.5'")]
    [InlineData("lang: [en, zh], min_score: 0", "'--keep=\"lang_score:en\" > 0 or \"lang_score:zh\" > 0'")]
    public void A_language_of_data_juicer_is_its_score(string parameters, string expected)
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(
            folder["dj.yaml"], $"dataset_path: a.jsonl\nexport_path: b.jsonl\nprocess:\n  - language_id_score_filter: {{{parameters}}}\n");
        Assert.Contains(expected, PristineCommand.Run("run", folder["dj.yaml"], "--show").Expect(0).Output, StringComparison.Ordinal);
    }

    /// <summary>
    /// data-juicer's video_resolution_filter keeps a record when any (or all) of its films has a width and a height within; with
    /// reversed_range one whose width and height both lie outside.
    /// </summary>
    [Fact]
    public void A_film_lies_within_a_resolution_of_data_juicer_by_width_and_height_together()
    {
        using var folder = TestFiles.NewFolder();
        Assert.SkipUnless(
            PristineCommand.Shell("command -v ffmpeg && command -v ffprobe", folder.Path).ExitCode == 0,
            "Needs FFmpeg (Debian: apt-get install ffmpeg).");
        (int Width, int Height)[][] films = [[(64, 32)], [(32, 64)], [(64, 64), (16, 16)], [(64, 16), (16, 64)], []];
        foreach (var (width, height) in films.SelectMany(all => all).Distinct())
            PristineCommand.Shell(
                $"ffmpeg -v error -f lavfi -i color=red:s={width}x{height}:r=5:d=1 -c:v mpeg4 {width}x{height}.mp4", folder.Path).Expect(0);
        File.WriteAllLines(folder["data.jsonl"], films.Select((all, i) => JsonSerializer.Serialize(
            new Dictionary<string, object> { ["id"] = i, ["videos"] = all.Select(film => $"{film.Width}x{film.Height}.mp4") })));
        string Kept(string parameters)
        {
            File.WriteAllText(
                folder["dj.yaml"],
                $"dataset_path: {folder["data.jsonl"]}\nexport_path: {folder["kept.jsonl"]}\nprocess:\n" +
                $"  - video_resolution_filter: {{{parameters}}}\n");
            PristineCommand.Run("run", folder["dj.yaml"]).Expect(0);
            return string.Join(' ', File.ReadLines(folder["kept.jsonl"])
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetInt32()));
        }
        // As the formula says, for each combination.
        string Expected(int low, int high, bool isOpen, bool isReversed, bool isAny)
        {
            bool Passes(int side) => (isOpen ? side > low && side < high : side >= low && side <= high) != isReversed;
            bool IsKept((int Width, int Height)[] all) => all.Length == 0 || (isAny
                ? all.Any(film => Passes(film.Width) && Passes(film.Height))
                : all.All(film => Passes(film.Width) && Passes(film.Height)));
            return string.Join(' ', films.Select((all, i) => (all, i)).Where(film => IsKept(film.all)).Select(film => film.i));
        }
        foreach (var isOpen in (bool[])[false, true])
            foreach (var isReversed in (bool[])[false, true])
                foreach (var isAny in (bool[])[false, true])
                    Assert.Equal(Expected(32, 64, isOpen, isReversed, isAny), Kept(
                        $"min_width: 32, max_width: 64, min_height: 32, max_height: 64, any_or_all: {(isAny ? "any" : "all")}" +
                        (isOpen ? ", min_closed_interval: false, max_closed_interval: false" : "") +
                        (isReversed ? ", reversed_range: true" : "")));
        Assert.Equal("0 1 2 3 4", Kept(""));
    }

    [Fact]
    public void Filters_of_data_juicer_that_need_a_file_say_which_and_run_with_it()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllLines(folder["data.jsonl"],
            ["""{"id": "short", "text": "a photo"}""",
                """{"id": "long", "text": "a photo of a cat, and of many more things than these"}"""]);
        void Write(string operation) => File.WriteAllText(
            folder["dj.yaml"],
            $"dataset_path: {folder["data.jsonl"]}\nexport_path: {folder["kept.jsonl"]}\nprocess:\n  - {operation}:\n");
        string Refusal() => PristineCommand.Run("run", folder["dj.yaml"]).Expect(2).Error;
        Write("image_text_similarity_filter");
        Assert.Contains("a manifest with the name image_text_similarity", Refusal(), StringComparison.Ordinal);
        Write("image_aesthetics_filter");
        Assert.Contains("a manifest with the name image_aesthetics_scores", Refusal(), StringComparison.Ordinal);
        Write("token_num_filter");
        Assert.Contains(
            "token_num_filter (line 4) needs the file of its tokenizer: --set tokenizer=tokenizer.json. To run the others: --skip " +
            "token_num_filter", Refusal(), StringComparison.Ordinal);
        var tokenizer = TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "Text", "tokenizers", "gpt2.json");
        PristineCommand.Run("run", folder["dj.yaml"], "--set", $"tokenizer={tokenizer}").Expect(0);
        Assert.Contains("\"long\"", Assert.Single(File.ReadAllLines(folder["kept.jsonl"])), StringComparison.Ordinal);
    }
}
