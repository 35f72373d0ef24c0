using System.Globalization;
using Pristine.Native;

namespace Pristine.Datasets;

/// <summary>The names of the fields that records have, for the message about a dataset in which no image was recognised.</summary>
internal sealed class RecordFields
{
    // Records differ little; the message should not differ much either.
    private const int RecordsRead = 1000;
    private const int MostNames = 30;

    private readonly List<string> _names = [];
    private string? _error;
    private long _count;

    /// <summary>Reads records up to the first that names an image.</summary>
    /// <param name="dataset">A dataset of records.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>The layout of the first record that names an image; null where there are no records or they cannot be read twice.</returns>
    /// <exception cref="DatasetException">There are records, and none names an image.</exception>
    public static string? RequireImages(Dataset dataset, CancellationToken cancellation)
    {
        // A pipe can be read only once.
        if (!Vips.IsRegularFile(dataset.Source))
            return null;
        var fields = new RecordFields();
        foreach (var item in dataset.Read(cancellation))
        {
            if (item.Images.Count > 0)
                return LayoutOf(item, dataset);
            fields.Add(item);
        }
        return fields._count > 0 ? throw fields.NoImages(dataset) : null;
    }

    /// <summary>Reads items of an input that can be read only once, and says at its end where none named an image.</summary>
    /// <param name="dataset">A dataset of records.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DatasetException">There were records, and none named an image.</exception>
    public static IEnumerable<DatasetItem> Watch(Dataset dataset, CancellationToken cancellation)
    {
        var fields = Vips.IsRegularFile(dataset.Source) ? null : new RecordFields();
        foreach (var item in dataset.Read(cancellation))
        {
            if (item.Images.Count > 0)
                fields = null;
            fields?.Add(item);
            yield return item;
        }
        if (fields is { _count: > 0 })
            throw fields.NoImages(dataset);
    }

    private static string LayoutOf(DatasetItem item, Dataset dataset)
    {
        using var record = RecordJson.Parse(item.Raw);
        var field = new RecordLayout(dataset.ImageField) { PrefersFileNames = dataset is JsonlDataset { PrefersFileNames: true } }.Find(
            record.RootElement, []);
        bool Has(ReadOnlySpan<byte> name) => RecordJson.Field(record.RootElement, name) != null;
        var kind = field switch
        {
            "image" when Has("conversations"u8) => "LLaVA records",
            "images" when Has("messages"u8) || Has("conversations"u8) => "chat records",
            "messages.content" or "conversations.content" or "conversation.content" or "prompt.content" => "chat records",
            "file_name" or "file_names" => "Hugging Face metadata",
            _ => "records",
        };
        return $"{kind}, images in '{field}'";
    }

    private void Add(DatasetItem item)
    {
        _error ??= item.Error;
        if (_count++ >= RecordsRead || item.Error != null)
            return;
        foreach (var name in item.Record?.FieldNames ?? [])
            if (!_names.Contains(name) && _names.Count < MostNames)
                _names.Add(name);
    }

    private static string Where(Dataset dataset) => dataset.ImageField is { } asked
        ? $"in '{asked}'"
        : "in a field that is known (image, images, parts of messages, file_name, image_path, ...; --image-field names another)";

    private DatasetException NoImages(Dataset dataset)
    {
        var fields = _names.Count == 0 ? "" : $" Fields seen: {string.Join(", ", _names)}.";
        var records = _count == 1 ? "the only record" : string.Create(CultureInfo.InvariantCulture, $"none of the {_count:N0} records");
        return new DatasetException(
            $"Expected records that name images {Where(dataset)}; {records} of '{dataset.Source}' " +
            $"{(_count == 1 ? "does not" : "does")}.{fields}" +
            (_error == null ? "" : $" The first fault: {_error}") +
            " Rules on texts and fields alone (text_length, num_words, item.FIELD) need no image.");
    }
}
