#:project ../src/Pristine/Pristine.csproj
#:property AssemblyName=Pristine.Benchmarks
#:property PublishAot=false

// Makes a synthetic score table through DuckDB, in parts of 8,192 rows as a run writes them.
// Usage: dotnet run bench/make-table.cs -- FOLDER ROWS [EQUAL]
// With the column phash: one image in EQUAL (10) is the same file, of the others one in three is a copy of another with up to two other
// bits.
using System.Globalization;
using System.Text.Json;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Tables;

const int rowsPerPart = 8192;
var folder = Path.GetFullPath(args[0]);
var rows = long.Parse(args[1], CultureInfo.InvariantCulture);
var equal = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 10;
Directory.CreateDirectory(folder);
ColumnProvenance[] columns = [ColumnProvenance.Of(MetricCatalog.Get("brisque")), ColumnProvenance.Of(MetricCatalog.Get("sharpness")),
    ColumnProvenance.Of(MetricSet.BuiltIn.Get("phash"))];
var provenance = new TableProvenance
{
    Dataset = new TableSource("synthetic", Path.Combine(folder, "synthetic"), folder, Pristine.Datasets.DatasetFormat.Folder),
    FinishedShards = [0],
    Columns = columns,
};
provenance.Write(folder);
using var database = DuckDbConnection.Open();
database.Execute("SELECT setseed(0.5)");
for (var part = 0; part * (long)rowsPerPart < rows; part++)
{
    var (first, end) = (part * (long)rowsPerPart, Math.Min(rows, (part + 1) * (long)rowsPerPart));
    var contents = new PartContents(
        end - first, first, end - 1, columns.ToDictionary(column => column.Metric, column => new PartColumn(column.Fingerprint)));
    // A BRISQUE-like hump, a long-tailed sharpness, two images in a thousand that could not be read.
    database.Execute(
        $"""
        COPY (
          SELECT i AS key, printf('%05d/%09d', i // 10000, i) AS id, printf('images/%05d/%09d.jpg', i // 10000, i) AS image, 0::INTEGER AS image_index, i AS item_index,
            printf('images/%05d', i // 10000) AS folder, CASE WHEN bad THEN 'unreadable' ELSE 'ok' END AS status,
            CASE WHEN bad THEN 'the jpeg file is cut off or damaged' END AS error, (512 + i % 512)::INTEGER AS width, (384 + i % 384)::INTEGER AS height,
            CASE WHEN i % 5 = 0 THEN 'png' ELSE 'jpeg' END AS format, 40000 + (r1 * 100000)::BIGINT AS bytes, '2026-01-01'::TIMESTAMP + to_microseconds(i * 1000) AS modified,
            CASE WHEN i % {equal} = 1 THEN md5('one file') ELSE md5(i::VARCHAR) END AS content_hash, (r2 * 400)::BIGINT AS text_length, (r2 * 80)::BIGINT AS word_count, 2::BIGINT AS turns,
            CASE WHEN i % {equal} = 1 THEN '0123456789abcdef' WHEN i % 3 = 2 THEN
              printf('%016x', xor(hash(i - 2), xor(1::UBIGINT << (r1 * 63)::INTEGER, 1::UBIGINT << (r2 * 63)::INTEGER)))
              ELSE printf('%016x', hash(i)) END AS phash,
            CASE WHEN NOT bad THEN brisque END AS brisque, CASE WHEN NOT bad THEN (1 - brisque / 100)::FLOAT END AS brisque_quality,
            CASE WHEN NOT bad THEN sharpness END AS sharpness, CASE WHEN NOT bad THEN (sharpness / (sharpness + 100))::FLOAT END AS sharpness_quality
          FROM (SELECT i, r1, r2, bad, (100 * (r1 + r2 + r3) / 3)::FLOAT AS brisque, (-500 * ln(1 - r3))::FLOAT AS sharpness
                FROM (SELECT i, random() AS r1, random() AS r2, random() AS r3, random() < 0.002 AS bad FROM range({first}, {end}) t(i)))
        ) TO {DuckDbConnection.Literal(TablePart.FileOf(folder, 0, part))}
        (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, KV_METADATA {"{"}pristine: {DuckDbConnection.Literal(JsonSerializer.Serialize(contents))}{"}"})
        """);
    PartSeal.Add(TablePart.FileOf(folder, 0, part));
}
Console.Error.WriteLine($"{rows:N0} rows in {folder}");
