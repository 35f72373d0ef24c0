using System.Globalization;
using System.Text;
using System.Text.Json;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Tests.Tables;

public class ScoreRowWriterTests
{
    private static readonly TableSchema Columns = TableSchema.Of([MetricCatalog.Get("brisque")]);

    private static ScoreRow Row(string image, double score, string? error = null, ImageHeader? header = null, long key = 0) => new()
    {
        Key = key,
        Id = image,
        Image = image,
        Status = error == null ? ImageStatus.Ok : ImageStatus.Unreadable,
        Error = error,
        Header = header,
        Scores = new[] { score },
    };

    private static string Written(string format, params ScoreRow[] rows)
    {
        using var stream = new MemoryStream();
        using (var writer = ScoreRowWriter.Create(format, stream, Columns))
            foreach (var row in rows)
                writer.Write(row);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    public static TheoryData<string> Names { get; } =
        ["plain.jpg", "a b.jpg", "comma,.jpg", "quote\".jpg", "\"", "line\nfeed\r\n.jpg", "back\\slash.jpg", "größe 图像 🙂.jpg",
        "tab\tnul\u0001.jpg", "'=1+1.jpg", "not utf-8 \uFFFD.jpg"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Names_come_back_from_jsonl_and_csv(string name)
    {
        var row = Row(name, 12.5, "because of " + name);
        var json = Written("jsonl", row, row);
        Assert.Equal(2, json.Count(c => c == '\n'));
        foreach (var line in json.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using var parsed = JsonDocument.Parse(line);
            Assert.Equal(name, parsed.RootElement.GetProperty("image").GetString());
            Assert.Equal("because of " + name, parsed.RootElement.GetProperty("error").GetString());
        }
        var csv = ParseCsv(Written("csv", row, row));
        Assert.Equal(3, csv.Count);
        var image = csv[0].IndexOf("image");
        Assert.Equal((name, "because of " + name), (csv[2][image], csv[2][csv[0].IndexOf("error")]));
    }

    [Fact]
    public void Both_formats_have_the_columns_of_the_run_in_their_order()
    {
        var names = Columns.Stored.Select(column => column.Name).ToArray();
        using var parsed = JsonDocument.Parse(Written("jsonl", Row("a", 1)));
        Assert.Equal(names, parsed.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(names, ParseCsv(Written("csv", Row("a", 1)))[0]);
        Assert.Equal(string.Join(',', names) + "\n", Written("csv"));
    }

    [Fact]
    public void Scores_come_back_as_the_same_float()
    {
        var random = new Random(1);
        var scores = Enumerable.Range(0, 2000).Select(_ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)))
            .Where(float.IsFinite)
            .Concat([0, -0f, 1, 40, 0.1f, 100, 16777217, 1e15f, 1e-45f, float.MaxValue, float.MinValue, float.Epsilon]).ToArray();
        var rows = scores.Select(score => Row("a", score)).ToArray();
        var json = Written("jsonl", rows).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            using var parsed = JsonDocument.Parse(line);
            return parsed.RootElement.GetProperty("brisque").GetSingle();
        });
        Assert.Equal(scores, json);
        Assert.Equal(scores, ParseCsv(Written("csv", rows)).Skip(1).Select(line => float.Parse(line[^2], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Whole_numbers_are_written_as_such()
    {
        var json = Written(
            "jsonl", Row("a", 40, header: new ImageHeader(40_000, 30_000, "jpeg", 5_000_000_000), key: 9_007_199_254_740_991));
        Assert.Contains("\"width\":40000,\"height\":30000,\"format\":\"jpeg\",\"bytes\":5000000000,", json, StringComparison.Ordinal);
        Assert.Contains("\"key\":9007199254740991,", json, StringComparison.Ordinal);
        Assert.EndsWith("\"brisque\":40,\"brisque_quality\":0.6}\n", json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void What_is_no_number_is_null_in_jsonl_and_empty_in_csv(double score)
    {
        var row = new ScoreRow { Key = 3, Id = "text", Status = ImageStatus.NoImage, Scores = new[] { score } };
        using var parsed = JsonDocument.Parse(Written("jsonl", row));
        foreach (var name in (string[])["image", "error", "width", "bytes", "content_hash", "brisque"])
            Assert.Equal(JsonValueKind.Null, parsed.RootElement.GetProperty(name).ValueKind);
        var csv = ParseCsv(Written("csv", row));
        Assert.Equal("3", csv[1][0]);
        Assert.Equal("", csv[1][csv[0].IndexOf("brisque")]);
        Assert.Equal("", csv[1][csv[0].IndexOf("image")]);
    }

    [Fact]
    public void More_rows_than_one_buffer_holds_are_all_there()
    {
        var rows = Enumerable.Range(0, 3000).Select(i => Row($"{new string('x', 50)}{i}", i, key: i)).ToArray();
        Assert.Equal(Enumerable.Range(0, 3000).Select(i => $"{i}"), ParseCsv(Written("csv", rows)).Skip(1).Select(line => line[0]));
        Assert.Equal(3000, Written("jsonl", rows).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Other_formats_are_refused() =>
        Assert.Contains("xml", Assert.Throws<ArgumentException>(
            () => ScoreRowWriter.Create("xml", Stream.Null, Columns)).Message, StringComparison.Ordinal);

    /// <summary>RFC 4180, read by its grammar and nothing more.</summary>
    private static List<List<string>> ParseCsv(string text)
    {
        var records = new List<List<string>>();
        var record = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            var field = new StringBuilder();
            if (text[i] == '"')
            {
                for (i++; text[i] != '"' || (i + 1 < text.Length && text[i + 1] == '"'); i++)
                {
                    if (text[i] == '"')
                        i++;
                    field.Append(text[i]);
                }
                i++;
            }
            else
            {
                for (; text[i] is not (',' or '\n'); i++)
                    field.Append(text[i]);
            }
            record.Add(field.ToString());
            if (text[i] == '\n')
            {
                records.Add(record);
                record = [];
            }
            i++;
            Assert.True(text[i - 1] is ',' or '\n');
            if (text[i - 1] == ',' && text[i] == '\n')
            {
                record.Add("");
                records.Add(record);
                record = [];
                i++;
            }
        }
        return records;
    }
}
