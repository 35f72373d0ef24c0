using Pristine.Datasets;
using Pristine.Experiments.Training;

namespace Pristine.Tests.Experiments.Training;

public class ClassifiedImagesTests
{
    [Fact]
    public void A_folder_per_class()
    {
        using var folder = Folder("cat/2.jpg", "cat/1.jpg", "dog/deep/3.png", "dog/notes.txt");
        var images = ClassifiedImages.Open(folder.Path);
        Assert.Equal([("cat/1.jpg", "cat"), ("cat/2.jpg", "cat"), ("dog/deep/3.png", "dog")], images.Images.Select(
            image => (image.Name, image.Label)));
        Assert.Equal(["cat", "dog"], images.Classes);
        Assert.False(images.HasParts);
        Assert.All(images.Images, image => Assert.True(File.Exists(image.Path)));
    }

    [Fact]
    public void Parts_with_a_folder_per_class()
    {
        using var folder = Folder("train/cat/1.jpg", "train/dog/2.jpg", "val/cat/3.jpg", "test/dog/4.jpg");
        var images = ClassifiedImages.Open(folder.Path);
        Assert.True(images.HasParts);
        Assert.Equal([DatasetPart.Test, DatasetPart.Train, DatasetPart.Train, DatasetPart.Validation], images.Images.Select(
            image => image.Part!.Value));
        Assert.Equal(["cat", "dog"], images.Classes);
    }

    [Fact]
    public void A_table_with_quotes_and_parts()
    {
        using var folder = Folder();
        File.WriteAllText(folder["labels.csv"], "split;class;image;note\ntrain;cat;\"a;1.jpg\";x\ntest;dog;b/2.jpg;y\n\nval;cat;c.jpg;\n");
        var images = ClassifiedImages.Open(folder["labels.csv"]);
        Assert.Equal(["a;1.jpg", "b/2.jpg", "c.jpg"], images.Images.Select(image => image.Name));
        Assert.Equal(folder["b/2.jpg"], images.Images[1].Path);
        Assert.Equal(DatasetPart.Validation, images.Images[2].Part);
    }

    [Fact]
    public void Records_with_a_class()
    {
        using var folder = Folder();
        File.WriteAllText(folder["items.jsonl"], """
            {"id":"1","image":"a.jpg","label":"cat"}
            {"id":"2","image":"b.jpg","label":3}
            """);
        var images = ClassifiedImages.Open(folder["items.jsonl"]);
        Assert.Equal(["3", "cat"], images.Classes);
        Assert.Equal("a.jpg", images.Images[0].Name);
    }

    [Theory]
    [InlineData("image,label\na.jpg,cat\nb.jpg,cat\n", "at least two classes")]
    [InlineData("image,label\na.jpg,cat\na.jpg,dog\n", "'a.jpg' stands there 2 times")]
    [InlineData("image,kind\na.jpg,cat\n", "expected a column with a class")]
    [InlineData("image,label\na.jpg\n", ":2: expected 2 fields")]
    [InlineData("image,label\na.jpg,\n", ":2: expected an image and its class")]
    [InlineData("image,label,split\na.jpg,cat,train\nb.jpg,dog,later\n", ":3: expected train, validation or test; found 'later'")]
    [InlineData("image,label,split\na.jpg,cat,train\nb.jpg,dog,\n", "'b.jpg' has none")]
    [InlineData("image,label,split\na.jpg,cat,train\nb.jpg,dog,train\n", "Expected images for test")]
    [InlineData("", "empty file")]
    public void What_is_wrong_with_a_table_is_said(string table, string message)
    {
        using var folder = Folder();
        File.WriteAllText(folder["labels.csv"], table);
        Assert.Contains(
            message, Assert.Throws<DatasetException>(() => ClassifiedImages.Open(folder["labels.csv"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_outside_of_class_folders_are_named()
    {
        using var folder = Folder("cat/1.jpg", "stray.jpg");
        Assert.Contains(
            "'stray.jpg'", Assert.Throws<DatasetException>(() => ClassifiedImages.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_without_a_class_is_named()
    {
        using var folder = Folder();
        File.WriteAllText(folder["items.jsonl"], """{"id":"7","image":"a.jpg"}""");
        Assert.Contains("the item '7'", Assert.Throws<DatasetException>(
            () => ClassifiedImages.Open(folder["items.jsonl"])).Message, StringComparison.Ordinal);
    }

    private static TemporaryFolder Folder(params string[] files)
    {
        var folder = TestFiles.NewFolder();
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder[file])!);
            File.WriteAllBytes(folder[file], []);
        }
        return folder;
    }
}
