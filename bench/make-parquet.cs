#:project ../src/Pristine/Pristine.csproj
#:property AssemblyName=Pristine.Benchmarks
#:property PublishAot=false

// Makes a Parquet file of many small images: crops of 96x96 of the samples' photographs as JPEG, repeated.
// Usage: dotnet run -c Release bench/make-parquet.cs -- FILE ROWS
using System.Globalization;
using Pristine.Media;
using Pristine.Native;

const int side = 96;
const int crops = 256;
var file = Path.GetFullPath(args[0]);
var rows = long.Parse(args[1], CultureInfo.InvariantCulture);
var photos = Directory.GetFiles(Path.Combine(AppContext.GetData(
    "EntryPointFileDirectoryPath") as string ?? "bench", "..", "samples", "photos"), "*.jpg").Order(StringComparer.Ordinal).ToArray();
var folder = Directory.CreateTempSubdirectory("pristine-crops-").FullName;
using var decoder = new ImageDecoder();
var random = new Random(1);
for (var made = 0; made < crops;)
{
    if (decoder.Load(new FileSource("", photos[random.Next(photos.Length)]), ImageInput.Rgb).Status != ImageStatus.Ok)
        continue;
    var image = decoder.Image;
    if (image.Width < side || image.Height < side)
        continue;
    var (left, top) = (random.Next(image.Width - side + 1), random.Next(image.Height - side + 1));
    var rgb = new byte[side * side * 3];
    for (var y = 0; y < side; y++)
        image.Rgb.Slice((((top + y) * image.Width) + left) * 3, side * 3).CopyTo(rgb.AsSpan(y * side * 3));
    if (ImageEncoder.EncodeJpeg(rgb, side, side, 90, out var jpeg) == null)
        File.WriteAllBytes(Path.Combine(folder, $"{made++:000}.jpg"), jpeg);
}
using var database = DuckDbConnection.Open(new DuckDbOptions { Threads = 1 });
const string features = """{"info":{"features":{"image":{"_type":"Image"}}}}""";
database.Execute($$"""
    COPY (SELECT i AS id, struct_pack(bytes := content, path := 'crop-' || i || '.jpg') AS image, 'a caption of crop ' || i AS caption
        FROM range({{rows}}) r(i) JOIN (SELECT content, row_number() OVER (ORDER BY filename) - 1 AS n FROM read_blob('{{folder}}/*.jpg')) ON n = i % {{crops}} ORDER BY i)
    TO {{DuckDbConnection.Literal(file)}} (FORMAT parquet, ROW_GROUP_SIZE 10000, KV_METADATA {huggingface: {{DuckDbConnection.Literal(features)}} })
    """);
Directory.Delete(folder, recursive: true);
Console.WriteLine($"{file}: {rows} rows, {new FileInfo(file).Length / 1e6:0} MB");
