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
    /// <exception cref="DatasetException">There are records, and none names an image.</exception>
    public static void RequireImages(Dataset dataset, CancellationToken cancellation)
    {
        // A pipe can be read only once.
        if (!Vips.IsRegularFile(dataset.Source))
            return;
        var fields = new RecordFields();
        foreach (var item in dataset.Read(cancellation))
        {
            if (item.Images.Count > 0)
                return;
            fields.Add(item);
        }
        if (fields._count > 0)
            throw fields.NoImages(dataset);
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

    private DatasetException NoImages(Dataset dataset)
    {
        var fields = _names.Count == 0 ? "" : $" Fields seen: {string.Join(", ", _names)}.";
        var records = _count == 1 ? "the only record" : string.Create(CultureInfo.InvariantCulture, $"none of the {_count:N0} records");
        return new DatasetException(
            $"Expected records that name their images in 'image' or 'images'; {records} of '{dataset.Source}' {(_count == 1 ? "does not" : "does")}.{fields}" +
            (_error == null ? "" : $" The first fault: {_error}") +
            " Rules on texts and fields alone (text_length, item.FIELD) need no image.");
    }
}
