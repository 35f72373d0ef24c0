using System.Text.Json;
using Pristine.Datasets;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Tables;

/// <summary>JSON that older programs and people wrote leaves fields out: they keep their defaults.</summary>
public class WrittenJsonTests
{
    [Fact]
    public void A_selection_without_fields_has_the_defaults()
    {
        var read = SelectionOptions.FromJson("{}");
        Assert.Empty(read.Keep);
        Assert.Empty(read.Drop);
        Assert.True(read.KeepItemsWithoutImage);
        Assert.Equal(["width > 3"], SelectionOptions.FromJson("""{"keep": ["width > 3"], "images": "mean"}""").Keep);
        Assert.Equal(ImagePolicy.Mean, SelectionOptions.FromJson("""{"images": "mean"}""").Images);
    }

    [Fact]
    public void A_provenance_without_fields_has_the_defaults()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllText(folder[TableProvenance.FileName], """
            {"layout": 1, "dataset": {"input": "x", "path": "/x", "image_root": "/", "format": "folder"},
             "columns": [{"metric": "brisque", "version": "1", "direction": "lower_is_better"}]}
            """);
        var read = TableProvenance.Read(folder.Path)!;
        Assert.Equal((1, 0, 0), (read.Shards, read.FinishedShards.Count, read.Decoders.Count));
        Assert.Equal(DatasetFormat.Folder, read.Dataset.Format);
        Assert.Equal(("", ""), (read.Columns[0].Unit, read.Columns[0].Program));
        File.WriteAllText(folder[TableProvenance.FileName], JsonSerializer.Serialize(new { layout = 1 }));
        Assert.Contains(
            "dataset", Assert.Throws<ScoreTableException>(() => TableProvenance.Read(folder.Path)).Message, StringComparison.Ordinal);
    }
}
