using Pristine.Media;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Tables;
using Pristine.Tests.Selection;

namespace Pristine.Tests.Tables;

public class TableSchemaTests
{
    [Fact]
    public void The_documentation_lists_the_columns_that_every_row_has()
    {
        var page = File.ReadAllText(TestFiles.InRepository("docs", "tables.md"));
        Assert.True(page.Contains(
            TableDocumentation.Columns(), StringComparison.Ordinal), $"Expected in docs/tables.md:\n{TableDocumentation.Columns()}");
    }

    [Fact]
    public void A_row_has_in_memory_what_it_has_in_a_table()
    {
        using var folder = TestFiles.NewFolder();
        var skipped = SkippedScores.Of(["sharpness"], "brisque 71.2 fails brisque <= 60");
        ScoreRow[] rows =
        [
            SmallTable.Row(0, 12.5) with { File = new SourceStamp(1000, 1_700_000_000_123_456), Text = new(5, 2, 1), ContentHash = "ab" },
            SmallTable.Row(1, 71.2) with { File = new SourceStamp(1000, 1_700_000_000_500_000), Skipped = skipped, Image = "plain.jpg" },
            SmallTable.Row(2, 0, status: ImageStatus.Unreadable) with { File = new SourceStamp(7, 1_700_000_000_000_000) },
            SmallTable.Row(3, 0, status: ImageStatus.NoImage),
        ];
        var table = SmallTable.Make(folder, rows);
        var schema = TableSchema.Of([MetricCatalog.Get("brisque"), MetricCatalog.Get("sharpness")]);
        Assert.Equal(schema.Select(column => (column.Name, column.Type)), table.Columns.Select(column => (column.Name, column.Type)));
        using var database = DuckDbConnection.Open();
        foreach (var column in schema.Stored)
        {
            using var values = database.Query($"SELECT {column.RuleSql}, typeof({column.Identifier}) FROM {table.Source} ORDER BY key");
            foreach (var row in rows)
            {
                Assert.True(values.Read());
                Assert.Equal(column.SqlType, values.Text(1));
                if (column.IsNumber)
                    Assert.Equal(column.Number(row), values.IsNull(0) ? double.NaN : values.Double(0));
                else
                    Assert.Equal(column.Text(row), values.Text(0));
            }
        }
        // And back: names, times, text, skipped scores.
        var read = table.Parts.SelectMany(part => part.ReadRows(
            database, schema.Metrics, [.. schema.Metrics.Select(metric => ColumnProvenance.Of(metric).Fingerprint)])).ToArray();
        foreach (var (expected, found) in rows.Zip(read))
        {
            Assert.Equal(expected with { Scores = default, Columns = found.Columns }, found with { Scores = default });
            Assert.Equal(expected.Scores.ToArray(), found.Scores.ToArray());
        }
    }

    [Fact]
    public void Columns_that_this_program_does_not_know_stay_as_they_are()
    {
        using var folder = TestFiles.NewFolder();
        var rows = Enumerable.Range(0, 4).Select(i => SmallTable.Row(i, 10 * i) with { ContentHash = $"{i}" }).ToArray();
        var table = SmallTable.Make(folder, rows);
        using var database = DuckDbConnection.Open();
        var part = table.Parts[0];
        var file = DuckDbConnection.Literal(part.File);
        var metadata = DuckDbConnection.Literal(System.Text.Json.JsonSerializer.Serialize(part.Contents));
        database.Execute(
            $"CREATE TABLE more AS SELECT *, key + 0.5::FLOAT AS \"head@mine\", [key, 1.5::FLOAT]::FLOAT[2] AS embedding, 'x' AS note " +
            $"FROM read_parquet({file})");
        database.Execute($"COPY more TO {file} (FORMAT parquet, KV_METADATA {{pristine: {metadata}}})");
        var metrics = new[] { MetricCatalog.Get("brisque"), MetricCatalog.Get("entropy") };
        var written = rows.Take(2).Select(row => row with { Scores = new[] { 1.0, 2.0 } }).ToArray();
        var whole = metrics.ToDictionary(metric => metric.Name, metric => new PartColumn(ColumnProvenance.Of(metric).Fingerprint));
        TablePart.Write(database, part.File, written, metrics, whole, new PartOrigin(part, [null, 1]));
        using var read = database.Query(
            $"SELECT \"head@mine\", embedding::VARCHAR, note, typeof(embedding), entropy FROM read_parquet({file}) ORDER BY key");
        Assert.True(read.Read());
        Assert.Equal((true, null, null, "FLOAT[]", 2.0), (read.IsNull(0), read.Text(1), read.Text(2), read.Text(3), read.Double(4)));
        Assert.True(read.Read());
        Assert.Equal((10.5, "[10.0, 1.5]", "x", 2.0), (read.Double(0), read.Text(1), read.Text(2), read.Double(4)));
        using var columns = database.Query($"SELECT * FROM read_parquet({file}) LIMIT 0");
        // The part does not say any more that it has sharpness.
        Assert.DoesNotContain("sharpness", Enumerable.Range(0, columns.ColumnCount).Select(columns.Name));
    }

    [Fact]
    public void The_python_package_knows_the_types_of_all_columns()
    {
        var frames = File.ReadAllText(TestFiles.InRepository("python", "src", "pristine_iqa", "frames.py"));
        Assert.All(TableSchema.Row.Stored, column => Assert.Contains(
            $"    \"{column.Name}\": \"{column.SqlType}\",\n", frames, StringComparison.Ordinal));
    }
}
