using Pristine.Datasets;
using Pristine.Media;
using Pristine.PaddleMix;

namespace Pristine.Tests;

/// <summary>What samples/README.md and ATTRIBUTION.md say of the samples is so.</summary>
public sealed class SamplesTests : IDisposable
{
    private static readonly string[] Damages = ["-blur", "-noise", "-jpeg10", "-dark", "-lowres"];

    private static readonly string[] Photos =
        [.. Directory.GetFiles(TestFiles.InRepository("samples", "photos")).Order(StringComparer.Ordinal)];

    private readonly ImageDecoder _decoder = new();

    public void Dispose() => _decoder.Dispose();

    private static string Stem(string path) => Path.GetFileNameWithoutExtension(path);

    [Fact]
    public void There_are_24_originals_12_damaged_copies_and_a_corrupt_file()
    {
        Assert.All(Photos, path => Assert.Equal(".jpg", Path.GetExtension(path)));
        var damaged = Photos.Where(path => Damages.Any(damage => Stem(path).EndsWith(damage, StringComparison.Ordinal))).ToArray();
        Assert.Equal((37, 12), (Photos.Length, damaged.Length));
        Assert.All(damaged, path => Assert.Contains(Photos, other => Stem(other) == Stem(path)[..Stem(path).LastIndexOf('-')]));
        Assert.All(Damages, damage => Assert.Contains(damaged, path => Stem(path).EndsWith(damage, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_photo_is_a_jpeg_of_at_least_384_pixels_a_side_but_the_corrupt_one()
    {
        foreach (var path in Photos)
        {
            var result = _decoder.Load(path, ImageInput.Luma);
            if (Stem(path) == "corrupt")
            {
                Assert.Equal(ImageStatus.Truncated, result.Status);
                continue;
            }
            Assert.True(result.Status == ImageStatus.Ok, $"{path}: {result}");
            Assert.True(Math.Min(result.Header!.Value.Width, result.Header.Value.Height) >= 384, $"{path}: {result.Header}");
            Assert.Equal("jpeg", result.Header.Value.Format);
        }
    }

    [Fact]
    public void Every_photo_is_attributed_with_author_and_licence()
    {
        var rows = File.ReadLines(TestFiles.InRepository("samples", "ATTRIBUTION.md"))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && line.Contains(".jpg", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries)).ToArray();
        Assert.Equal(24, rows.Length);
        foreach (var row in rows)
        {
            Assert.Equal(7, row.Length);
            Assert.All(row, cell => Assert.NotEmpty(cell));
            Assert.Matches(@"^\[(CC0-1\.0|CC-BY(-SA)?-[34]\.0|GPL-2\.0-or-later)\]\(https://", row[3]);
            Assert.Matches("^`[0-9a-f]{64}`$", row[6]);
        }
        var attributed = rows.SelectMany(row => row[0].Split(',', StringSplitOptions.TrimEntries)).Select(name => name.Split(' ')[0]);
        Assert.Equal(Photos.Select(path => Path.GetFileName(path)), attributed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void All_of_it_is_below_8_megabytes()
    {
        var files = Directory.GetFiles(TestFiles.InRepository("samples"), "*", SearchOption.AllDirectories);
        Assert.InRange(files.Sum(file => new FileInfo(file).Length), 1_000_000, 8_000_000);
    }

    [Theory]
    [InlineData("captions.json", MMSchema.MM, 39)]
    [InlineData("dialogs.jsonl", MMSchema.MIX, 20)]
    public void The_datasets_lack_the_image_that_the_page_names_and_no_other(string name, MMSchema schema, int count)
    {
        var items = Dataset.Open(TestFiles.InRepository("samples", name)).Read(TestContext.Current.CancellationToken).ToArray();
        Assert.Equal(count, items.Length);
        Assert.All(items, item => Assert.Null(item.Error));
        Assert.Equal("photos/lighthouse.jpg", Assert.Single(
            items.SelectMany(item => item.Images), image => !File.Exists(image.LocalPath)).Reference);
        Assert.Single(items, item => item.Images.Count == 0);
        Assert.Single(items, item => item.Images.Any(image => image.Reference == "photos/corrupt.jpg"));
        Assert.Equal(count, items.Select(item => item.Id).Distinct().Count());
        // Only the text-only item is none of MM, which asks for an image.
        var dataset = MMDataset.FromAuto(TestFiles.InRepository("samples", name));
        Assert.Equal(schema, dataset.Schema);
        Assert.Equal(schema == MMSchema.MM ? count - 1 : count, dataset.Sanitize().Count);
    }
}
