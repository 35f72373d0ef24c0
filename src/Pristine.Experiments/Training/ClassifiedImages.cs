using System.Text;
using Pristine.Datasets;

namespace Pristine.Experiments.Training;

/// <summary>The part of a dataset that an image belongs to.</summary>
public enum DatasetPart
{
    /// <summary>To learn from.</summary>
    Train,

    /// <summary>To choose settings with.</summary>
    Validation,

    /// <summary>To measure with.</summary>
    Test,
}

/// <summary>An image with its class.</summary>
/// <param name="Name">The image as the dataset names it, with <c>/</c> between folders; unique.</param>
/// <param name="Path">The image file, absolute.</param>
/// <param name="Label">The class.</param>
/// <param name="Part">The part that the dataset puts it into; null where it leaves that open.</param>
public sealed record ClassifiedImage(string Name, string Path, string Label, DatasetPart? Part);

/// <summary>How to read labels.</summary>
public sealed record ClassifiedImagesOptions
{
    /// <summary>Folder of relative image paths; by default that of the file.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>The column or field with the image of a CSV file; null to find it by its name.</summary>
    public string? ImageColumn { get; init; }

    /// <summary>The column or field with the class; null to find it by its name.</summary>
    public string? LabelColumn { get; init; }

    /// <summary>The column or field with the part; null to find it by its name.</summary>
    public string? SplitColumn { get; init; }
}

/// <summary>
/// Images with classes, to train classifiers on: a folder with a folder per class, in <c>train</c>, <c>validation</c> and <c>test</c> or
/// not; a CSV file with a header; a JSON or JSONL dataset whose records have a class.
/// </summary>
public sealed class ClassifiedImages
{
    private static readonly string[] LabelColumns = ["label", "class", "category", "target"];
    private static readonly string[] SplitColumns = ["split", "part", "subset", "set"];

    private ClassifiedImages(string source, string root, IReadOnlyList<ClassifiedImage> images)
    {
        (Source, Root, Images) = (source, root, images);
        Classes = [.. images.Select(image => image.Label).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>The input as the user named it.</summary>
    public string Source { get; }

    /// <summary>Folder of relative image paths.</summary>
    public string Root { get; }

    /// <summary>The images, in the order of the dataset.</summary>
    public IReadOnlyList<ClassifiedImage> Images { get; }

    /// <summary>The classes in ordinal order; at least two.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>Whether the dataset says which images are for training and which for testing.</summary>
    public bool HasParts => Images[0].Part != null;

    /// <summary>Reads the labels; no image is opened.</summary>
    /// <param name="input">A folder, a .csv, .tsv or .txt table, or a .json, .jsonl or .ndjson dataset.</param>
    /// <param name="options">Names of columns, folder of the images; null for the defaults.</param>
    /// <exception cref="DatasetException">
    /// It cannot be read, an image has no class, or there are no two classes, or a part is missing.
    /// </exception>
    public static ClassifiedImages Open(string input, ClassifiedImagesOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(input);
        options ??= new ClassifiedImagesOptions();
        var (root, images) = Directory.Exists(input) ? (input, OfFolder(input))
            : System.IO.Path.GetExtension(input).ToLowerInvariant() is ".csv" or ".tsv" or ".txt" ? OfTable(input, options)
            : OfRecords(input, options);
        if (images.Count == 0)
            throw new DatasetException($"Expected images with classes in '{input}'; found none.");
        if (images.GroupBy(image => image.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new DatasetException($"Expected every image once in '{input}'; '{twice.Key}' stands there {twice.Count()} times.");
        if (images.DistinctBy(image => image.Part == null).Count() > 1)
            throw new DatasetException(
                $"Expected a part (train, validation or test) for every image of '{input}', or for none; " +
                $"'{images.First(image => image.Part == null).Name}' has none.");
        var dataset = new ClassifiedImages(
            input, root, [.. images.Select(image => image with { Path = System.IO.Path.GetFullPath(image.Path) })]);
        if (dataset.Classes.Count < 2)
            throw new DatasetException($"Expected at least two classes in '{input}'; found only '{dataset.Classes[0]}'.");
        foreach (var part in (DatasetPart[])[DatasetPart.Train, DatasetPart.Test])
            if (dataset.HasParts && images.All(image => image.Part != part))
                throw new DatasetException(
                    $"Expected images for {Name(part)} in '{input}'; found none. Without any parts they are drawn by seed.");
        return dataset;
    }

    /// <summary>The name of a part: <c>train</c>, <c>validation</c> or <c>test</c>.</summary>
    internal static string Name(DatasetPart part) => part.ToString().ToLowerInvariant();

    private static List<ClassifiedImage> OfFolder(string folder)
    {
        var names = Dataset.Open(folder).Read().Select(item => (Name: item.Id, Path: item.Images[0].LocalPath!)).ToArray();
        var hasParts = names.Length > 0 && names.All(name => name.Name.Split('/') is [var first, _, _, ..] && PartOf(first) != null);
        var images = new List<ClassifiedImage>();
        foreach (var (name, path) in names)
        {
            var folders = name.Split('/')[..^1];
            if (folders.Length == 0)
                throw new DatasetException(
                    $"Expected a folder per class in '{folder}', or train, validation and test with a folder per class in each; found " +
                    $"the image '{name}' outside of them.");
            images.Add(hasParts ? new(name, path, folders[1], PartOf(folders[0])) : new(name, path, folders[0], null));
        }
        return images;
    }

    private static (string Root, List<ClassifiedImage> Images) OfTable(string file, ClassifiedImagesOptions options)
    {
        var root = options.ImageRoot ?? System.IO.Path.GetDirectoryName(file) ?? "";
        var images = new List<ClassifiedImage>();
        using var stream = DatasetFile.OpenRead(file);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var table = LabelTable.Read(file, reader.ReadToEnd());
        var image = table.Require(options.ImageColumn is { } named ? [named]
            // The same column as for scoring; those of tables of opinions besides.
            : [.. CsvDataset.ImageColumns, .. OpinionScores.ImageColumns], "an image");
        var label = table.Require(options.LabelColumn is { } asked ? [asked] : LabelColumns, "a class");
        var split = options.SplitColumn is { } told ? table.Require([told]) : table.Find(SplitColumns);
        foreach (var (line, fields) in table.Rows)
        {
            if (fields.Count <= Math.Max(image, Math.Max(label, split ?? 0)))
                throw new DatasetException($"{file}:{line}: expected {table.Columns.Count} fields as in the header; found {fields.Count}.");
            var name = fields[image].Trim().Replace('\\', '/');
            if (name.Length == 0 || fields[label].Trim().Length == 0)
                throw new DatasetException($"{file}:{line}: expected an image and its class; found '{string.Join(", ", fields)}'.");
            images.Add(new(name, System.IO.Path.Combine(root, name), fields[label]
                .Trim(), split is { } column ? PartOf(fields[column].Trim(), $"{file}:{line}") : null));
        }
        return (root, images);
    }

    private static (string Root, List<ClassifiedImage> Images) OfRecords(string file, ClassifiedImagesOptions options)
    {
        var dataset = Dataset.Open(file, new DatasetOptions { ImageRoot = options.ImageRoot });
        if (!dataset.HasRecords)
            throw new DatasetException(
                $"Expected a folder with a folder per class, a .csv table, or a .json or .jsonl dataset whose records have a class; " +
                $"found '{file}'.");
        var labels = options.LabelColumn is { } asked ? [asked] : LabelColumns;
        var splits = options.SplitColumn is { } column ? [column] : SplitColumns;
        var images = new List<ClassifiedImage>();
        foreach (var item in dataset.Read())
        {
            if (item.Error != null)
                throw new DatasetException($"{file}: {item.Error}");
            var values = item.Record!.Fields([.. labels, .. splits]);
            var label = values.AsSpan(0, labels.Length).ToArray().FirstOrDefault(value => !string.IsNullOrEmpty(value))
                ?? throw new DatasetException(
                    $"{file}: expected a class in one of the fields {string.Join(", ", labels)} of the item '{item.Id}'; found none.");
            if (item.Images.Count != 1)
                throw new DatasetException($"{file}: expected one image in the item '{item.Id}'; found {item.Images.Count}.");
            var part = values.AsSpan(labels.Length).ToArray().FirstOrDefault(value => !string.IsNullOrEmpty(value));
            var path = item.Images[0].LocalPath
                ?? throw new DatasetException(
                    $"{file}: expected an image that is a file in the item '{item.Id}'; found {item.Images[0].Reference}. Trainers are " +
                    $"given files.");
            images.Add(new(item.Images[0].Reference, path, label, part == null ? null : PartOf(part, $"{file}, item '{item.Id}'")));
        }
        return (dataset.ImageRoot, images);
    }

    private static DatasetPart? PartOf(string name) => name.ToLowerInvariant() switch
    {
        "train" or "training" => DatasetPart.Train,
        "val" or "valid" or "validation" or "dev" => DatasetPart.Validation,
        "test" or "testing" => DatasetPart.Test,
        _ => null,
    };

    private static DatasetPart? PartOf(string name, string place) =>
        name.Length == 0 ? null : PartOf(name)
        ?? throw new DatasetException($"{place}: expected train, validation or test; found '{name}'.");
}
