using System.Globalization;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Selection;

/// <summary>Rules judged in memory against the same rules judged by DuckDB, on random rows.</summary>
public sealed class RuleEvaluationTests(RuleEvaluationTests.RandomTable random) : IClassFixture<RuleEvaluationTests.RandomTable>
{
    private const int Seed = 20261126;
    private static readonly Metric[] Metrics =
        [.. ((string[])["brisque", "sharpness", "brightness", "min_side", "aspect_ratio", "resnet50@biq2021"]).Select(MetricCatalog.Get)];
    private static readonly TableSchema Columns = TableSchema.Of(Metrics);

    private static readonly string[] Names =
        ["", "a", "A", "ab", "aXb", "100%", "a_b", "photos/a.jpg", "photos/2024/ä.JPG", "Ä/ä", "ß", "İ", "é", "e\u0301", "🖼", "a🖼b",
        "\uFF5E", "日本/図.png", "it's", "Ω", "ǅ", "\u0131I"];

    private static ScoreRow[] RandomRows(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(i =>
        {
            var status = random.Next(8) == 0 ? ImageStatus.Unreadable : ImageStatus.Ok;
            var header = random.Next(10) == 0 ? (ImageHeader?)null : new ImageHeader(
                random.Next(1, 5), random.Next(1, 5), random.Next(2) == 0 ? "jpeg" : "png", random.Next(4) * 1_000_000_000_000L);
            double Score(double value) => random.Next(5) == 0 ? double.NaN : (float)value;
            return new ScoreRow
            {
                Key = i,
                ItemIndex = i / 2,
                ImageIndex = i % 2,
                Id = Names[random.Next(Names.Length)],
                Image = $"{Names[random.Next(Names.Length)]}{(random.Next(2) == 0 ? "/" : "")}{Names[random.Next(Names.Length)]}",
                Status = status,
                ContentHash = random.Next(6) == 0 ? null : $"{i % 3}",
                Header = header,
                Scores = new[]
                {
                    Score(random.Next(4) * 20), Score(random.Next(3) * 0.1), Score(random.Next(2) == 0 ? 0.6 : random.NextDouble()),
                    header is { } known
                        ? Math.Min(known.Width, known.Height) : double.NaN, header is { } size ? (double)size.Width / size.Height
                        : double.NaN, Score(random.Next(11) / 10.0),
                },
            };
        })];

    /// <summary>Random rows, in memory and as a table; all tests read them.</summary>
    public sealed class RandomTable : IDisposable
    {
        private readonly TemporaryFolder _folder = TestFiles.NewFolder();

        public RandomTable()
        {
            Table = SmallTable.Make(_folder, Metrics, Rows);
            // In memory: hundreds of rules are judged on it.
            Database.Execute($"CREATE TABLE rows AS SELECT *, (status <> 'no_image') AS has_image FROM {Table.Source}");
        }

        internal ScoreRow[] Rows { get; } = RandomRows(new Random(Seed), 120);

        internal ScoreTable Table { get; }

        internal DuckDbConnection Database { get; } = DuckDbConnection.Open();

        public void Dispose()
        {
            Database.Dispose();
            _folder.Dispose();
        }
    }

    /// <summary>Checks one rule on all rows.</summary>
    private void Check(string text)
    {
        var rule = Rule.Parse(text, new RuleColumns(random.Table.Columns, MetricSet.BuiltIn));
        using var judged = random.Database.Query($"SELECT {rule.Condition.ConditionSql()} FROM rows ORDER BY key");
        foreach (var row in random.Rows)
        {
            Assert.True(judged.Read());
            bool? expected = judged.IsNull(0) ? null : judged.Boolean(0);
            var found = new RuleEvaluation(row, Columns).Condition(rule.Condition);
            Assert.True(
                expected == found,
                $"{text}: expected {expected?.ToString() ?? "unknown"}, found {found?.ToString() ?? "unknown"}\nimage {row.Image}, id " +
                $"{row.Id}, scores {string.Join(' ', row.Scores.ToArray().Select(score => score.ToString(CultureInfo.InvariantCulture)))}");
        }
    }

    [Theory]
    [InlineData("brightness >= 0.6")]
    [InlineData("brightness = 0.6")]
    [InlineData("0.6 <= brightness")]
    [InlineData("brisque_quality >= 0.6 or brisque_quality = 0.4")]
    [InlineData("resnet50@biq2021 in (0.1, 0.3, 0.7)")]
    [InlineData("resnet50@biq2021 * 1 = 0.1")]
    [InlineData("sharpness + 0 = 0.1")]
    [InlineData("sharpness between 0.1 and 0.2")]
    [InlineData("sharpness not between brightness and 0.2")]
    [InlineData("aspect_ratio = 0.75 or aspect_ratio = 1")]
    [InlineData("width = 2 and height <> 3")]
    [InlineData("bytes = 1000000000000 or bytes > 2.5e12")]
    [InlineData("width in (1, 2.5, 4)")]
    [InlineData("brisque / sharpness > 100")]
    [InlineData("brisque % sharpness = 0")]
    [InlineData("brisque % 30 = 10 or -brisque < -30")]
    [InlineData("1e308 * (brisque + 2) > 1")]
    [InlineData("1e308 * 10 - 1e308 * 10 > brisque")]
    [InlineData("1e308 * 10 - 1e308 * 10 = 1e308 * 10 - 1e308 * 10")]
    [InlineData("sqrt(1e308 * 10 - 1e308 * 10) > 1")]
    [InlineData("least(1e308 * 10 - 1e308 * 10, brisque) = brisque")]
    [InlineData("sqrt(brisque - 20) >= 0 or ln(sharpness) < -2 or log10(sharpness) = -1")]
    [InlineData("round(brisque / 40) = 1 and ceil(brightness) = 1 and floor(-brightness) = -1 and abs(-brisque) >= 0")]
    [InlineData("round(-brisque / 40) = -1 or round(0.49999999999999994 + 0 * brisque) = 0")]
    [InlineData("least(brisque, sharpness, 30) = 30 or greatest(brisque, sharpness) = 0")]
    [InlineData("coalesce(brisque, sharpness, brightness) = 0")]
    [InlineData("brisque is null or not sharpness is null")]
    [InlineData("content_hash is not null and content_hash <> '1'")]
    [InlineData("not (brisque > 20 and sharpness > 0.1 or brightness < 0.5)")]
    [InlineData("(brisque > 20) = (sharpness > 0.1)")]
    [InlineData("(brisque > 20) < (sharpness > 0.1)")]
    [InlineData("(brisque > 20) in (true, (sharpness > 0))")]
    [InlineData("has_image and true or false")]
    [InlineData("has_image is null or (brisque > 20) is null")]
    [InlineData("format = 'jpeg' and format in ('png', 'jpeg')")]
    [InlineData("id < 'b' or id >= 'ä'")]
    [InlineData("id between 'A' and 'é'")]
    [InlineData("id <> folder and image > id")]
    [InlineData("folder like 'photos/%' or folder = ''")]
    [InlineData("id like '_' or id like '%_%b' or id like '%'")]
    [InlineData("id like '100%' or id like 'a\\_b'")]
    [InlineData("id not like 'a%b' and image like '%a%.jpg'")]
    [InlineData("id like image or image like id")]
    [InlineData("length(id) = 1 or length(image) > 4")]
    [InlineData("id ilike '%A%' or id ilike 'i%' or id ilike 'SS'")]
    [InlineData("id not ilike '_' and image ilike '%.jpg' or folder ilike 'Ä%'")]
    [InlineData("lower(id) = id or upper(id) = id or lower(upper(id)) <> id")]
    [InlineData("upper(id) in ('SS', 'ß', 'ẞ', 'É', 'Ω') or lower(image) like '%ǆ%'")]
    [InlineData("key % 7 = 3 or item_index > 20 and image_index = 1")]
    public void Agrees_with_the_database(string text) => Check(text);

    [Fact]
    public void Agrees_with_the_database_on_random_rules()
    {
        var choices = new Random(Seed);
        for (var i = 0; i < 500; i++)
            Check(RandomRule(choices, 3));
    }

    private static readonly string?[] Fields =
    [
        null, "", " ", "0", "-0", "1", "01", "+1", "1.", ".5", "1e5", "1E-5", "-1.5e+300", "1e400", "-1e400", "1e-400", "0.1",
        "0.10000000149011612", " 7 ", "7\n", "1_000",
        "1,5", "0x10", "inf", "-Infinity", "nan", "NaN", "true", "TRUE", "t", "Yes", "y", "on", "false", "f", "no", "N", "off", "2", "tru",
        "Ärger", "İstanbul", "STRASSE", "straße",
        "9007199254740993", "123456789012345678901234567890", "🖼", "١٢",
    ];

    /// <summary>
    /// Fields of items are texts: what the engine makes of them as numbers, truth values and in other cases, the evaluation must too.
    /// </summary>
    [Theory]
    [InlineData("item.a > 1")]
    [InlineData("item.a + 0 = item.a * 1")]
    [InlineData("item.a between 0.1 and 7")]
    [InlineData("item.a in (0, 1, 100000, 9007199254740992)")]
    [InlineData("item.a = '01' or item.a < item.b")]
    [InlineData("item.a is null or -item.b is null")]
    [InlineData("item.a")]
    [InlineData("not item.a or item.b = true")]
    [InlineData("item.a ilike 'stra%e' or item.a like '_'")]
    [InlineData("lower(item.a) = 'ärger' or upper(item.a) = 'STRASSE' or length(item.a) = 2")]
    [InlineData("lower(item.a) ilike upper(item.b)")]
    [InlineData("coalesce(item.a, 3) = 3 or least(item.a, item.b) > 0")]
    public void Fields_of_items_agree_with_the_database(string text)
    {
        var rule = Rule.Parse(text);
        foreach (var a in Fields)
        {
            foreach (var b in (string?[])[null, "1", "true", "straßE", a])
            {
                using var judged = random.Database.Query(
                    $"SELECT {rule.Condition.ConditionSql()} FROM (SELECT $1::VARCHAR AS \"item.a\", $2::VARCHAR AS \"item.b\")", a, b);
                Assert.True(judged.Read());
                bool? expected = judged.IsNull(0) ? null : judged.Boolean(0);
                var found = new RuleEvaluation(random.Rows[0], Columns)
                {
                    Fields = new Dictionary<string, string?>
                    {
                        ["a"] = a,
                        [
                    "b"] = b
                    }
                }.Condition(rule.Condition);
                Assert.True(
                    expected == found,
                    $"{text} with '{a}' and '{b}': expected {expected?.ToString() ?? "unknown"}, found {found?.ToString() ?? "unknown"}");
            }
        }
    }

    [Fact]
    public void Every_character_has_the_cases_of_the_database()
    {
        // The engine is asked for all characters at once here, by the evaluation one by one.
        using var cases = random.Database.Query(
            "SELECT chr(i), lower(chr(i)), upper(chr(i)) FROM (SELECT CAST(range AS INTEGER) AS i FROM range(1, 1114112)) WHERE i NOT " +
            "BETWEEN 55296 AND 57343");
        var changed = 0;
        while (cases.Read())
        {
            var (text, lower, upper) = (cases.Text(0)!, cases.Text(1)!, cases.Text(2)!);
            if (lower != text || upper != text)
                changed++;
            if (lower != EngineText.Lower(text) || upper != EngineText.Upper(text))
                Assert.Fail($"'{text}': expected {lower} and {upper}, found {EngineText.Lower(text)} and {EngineText.Upper(text)}");
        }
        Assert.InRange(changed, 2000, 4000);
    }

    private static string Pick(Random random, params string[] choices) => choices[random.Next(choices.Length)];

    private static string RandomRule(Random random, int depth)
    {
        string Rule() => RandomRule(random, depth - 1);
        string Number() => RandomNumber(random, depth - 1);
        string Text() => RandomText(random);
        var comparison = Pick(random, "=", "<>", "<", "<=", ">", ">=");
        var not = Pick(random, "", "not ");
        return random.Next(depth > 0 ? 11 : 6) switch
        {
            0 or 1 => $"{Number()} {comparison} {Number()}",
            2 => $"{Number()} {not}in ({Number()}, {Number()})",
            3 => $"{Text()} {comparison} {Text()}",
            4 => $"{Text()} {not}like {Pick(random, "'%a%'", "'_'", "'%/_%'", "'A_B'", "'%🖼%'", "'_%é%'", "id")}",
            5 => $"{Number()} is {not}null",
            6 => $"({Rule()} and {Rule()})",
            7 => $"({Rule()} or {Rule()} or {Rule()})",
            8 => $"not ({Rule()})",
            // A range of two constants in the wrong order is refused.
            9 => $"{Number()} {not}between {Number()} and (brisque + {Number()})",
            _ => $"({Rule()}) {comparison} ({Rule()})",
        };
    }

    private static string RandomNumber(Random random, int depth)
    {
        string Number() => RandomNumber(random, depth - 1);
        return random.Next(depth > 0 ? 12 : 7) switch
        {
            0 => "brisque",
            1 => "sharpness",
            2 => Pick(random, "brightness", "resnet50@biq2021", "brisque_quality", "sharpness_quality"),
            3 => Pick(random, "min_side", "aspect_ratio", "width", "height", "bytes", "image_index", "key"),
            4 => Pick(random, "0", "1", "20", "40", "-3"),
            5 => Pick(random, "0.1", "0.6", "2.5", "1e3"),
            6 => Pick(random, "length(id)", "length(folder)"),
            7 or 8 => $"({Number()} {Pick(random, "+", "-", "*", "/", "%")} {Number()})",
            9 => $"{Pick(random, "abs", "ceil", "floor", "round", "sqrt")}({Number()})",
            10 => $"-{Number()}",
            _ => $"{Pick(random, "least", "greatest", "coalesce")}({Number()}, {Number()})",
        };
    }

    private static string RandomText(Random random) => random.Next(5) switch
    {
        0 => "id",
        1 => "image",
        2 => "folder",
        3 => Pick(random, "format", "content_hash"),
        _ => Pick(random, "'a'", "'Ä'", "'ab'", "'🖼'", "''"),
    };

    [Theory]
    [InlineData("brisque > 1 and item.source = 'x'", "item.source")]
    [InlineData("not (status = 'ok')", "status")]
    [InlineData("brisque > 1 or modified > '2020'", null)]
    [InlineData("turns + 1 > word_count", null)]
    [InlineData("brisque > 1 or id ilike 'a%'", null)]
    [InlineData("length(lower(id)) > 3", null)]
    [InlineData("brisque > 1 and id like 'a%' and has_image and folder = ''", null)]
    public void Says_what_cannot_be_judged_while_an_image_is_scored(string text, string? obstacle) =>
        Assert.Equal(obstacle, RuleEvaluation.Obstacle(Rule.Parse(text).Condition));

    [Theory]
    [InlineData("brisque <= 20")]
    [InlineData("not (brisque > 20 or sharpness > 0.1)")]
    [InlineData("brisque <= 20 and min_side >= 2 and aspect_ratio < 1")]
    [InlineData("30 >= brisque + sharpness")]
    [InlineData("brightness between 0.1 and 0.55")]
    [InlineData("not brightness between 0.1 and 0.55")]
    [InlineData("width in (1, 2)")]
    [InlineData("format = 'jpeg' or folder like 'photos%'")]
    [InlineData("sharpness is null")]
    [InlineData("1 > 2")]
    public void Says_why_in_the_words_of_the_ledger(string text)
    {
        using var folder = TestFiles.NewFolder();
        ScoreRow[] rows = [.. random.Rows.Take(40).Select((row, i) => row with { ItemIndex = i, ImageIndex = 0, Status = ImageStatus.Ok })];
        using var run = SelectionRun.Run(SmallTable.Make(
            folder, Metrics, rows), new SelectionOptions { Keep = [text] }, cancellation: TestContext.Current.CancellationToken);
        var rule = Rule.Parse(text);
        foreach (var (row, entry) in rows.Zip(run.Entries()).Where(pair => !pair.Second.Kept))
        {
            var found = new RuleEvaluation(row, Columns).Failure(rule.Condition);
            if (entry.Reason.StartsWith("missing score", StringComparison.Ordinal))
                Assert.StartsWith(entry.Reason[..^": ok".Length], found, StringComparison.Ordinal);
            else
                Assert.Equal(entry.Reason, found);
        }
    }
}
