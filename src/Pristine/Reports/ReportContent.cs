using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Reports;

/// <summary>Everything a report shows, and its JSON form, which the page's scripts read.</summary>
internal sealed record ReportContent
{
    public required ScoreTable Table { get; init; }

    public required IReadOnlyList<ReportMetric> Metrics { get; init; }

    /// <summary>One per metric, as all lists of this kind; null for a metric that no image has.</summary>
    public required IReadOnlyList<MetricExtent?> Extents { get; init; }

    /// <summary>Of the sample.</summary>
    public required IReadOnlyList<double> Medians { get; init; }

    public required IReadOnlyList<ThresholdScale?> Scales { get; init; }

    public required Breakdown Breakdown { get; init; }

    public required IReadOnlyList<MetricPair> Pairs { get; init; }

    public required IReadOnlyList<(string Status, long Count)> Statuses { get; init; }

    public required IReadOnlyList<FailureReason> FailureReasons { get; init; }

    public required IReadOnlyList<SkippedReason> Skipped { get; init; }

    public required CheckResult Issues { get; init; }

    public required DuplicateSummary Duplicates { get; init; }

    public required Gallery Gallery { get; init; }

    /// <summary>Images that medians, correlations and disagreements are computed from.</summary>
    public required int SampleSize { get; init; }

    /// <summary>Whether those are not all images.</summary>
    public required bool IsSampled { get; init; }

    /// <summary>Writes the object that the page reads.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="name">The table as the user names it.</param>
    public void WriteJson(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject();
        json.WriteString("table", name);
        json.WriteString("program", TableProvenance.CurrentProgram);
        json.WriteString("dataset", Table.Provenance.Dataset.Input);
        json.WriteString("incomplete", Table.Incomplete);
        json.WriteString("unknownMetrics", Table.UnknownMetrics);
        json.WriteNumber("images", Table.RowCount);
        json.WriteBoolean("severalImages", Breakdown.HasSeveralImages);
        json.WriteNumber("sampleSize", SampleSize);
        json.WriteBoolean("isSampled", IsSampled);
        WriteList(json, "statuses", Statuses, status =>
        {
            json.WriteString("status", status.Status);
            json.WriteNumber("count", status.Count);
        });
        WriteList(json, "reasons", FailureReasons, reason =>
        {
            json.WriteString("status", reason.Status);
            json.WriteString("error", reason.Error);
            json.WriteNumber("count", reason.Count);
            json.WriteString("example", reason.Example);
        });
        WriteList(json, "skipped", Skipped, skipped =>
        {
            json.WriteNumber("metric", skipped.Metric);
            json.WriteString("rule", skipped.Rule);
            json.WriteNumber("count", skipped.Count);
            json.WriteString("example", skipped.Example);
            json.WriteNumber("all", skipped.All);
        });
        WriteIssues(json);
        WriteDuplicates(json);
        WriteMetrics(json);
        json.WritePropertyName("all");
        WriteGroup(json, Breakdown.All);
        WriteJoint(json);
        WriteList(json, "groupings", Breakdown.Groupings, grouping =>
        {
            json.WriteString("name", grouping.Name);
            json.WriteNumber("others", grouping.Others);
            json.WriteStartArray("groups");
            foreach (var group in grouping.Groups)
                WriteGroup(json, group);
            json.WriteEndArray();
        });
        WritePictures(json);
        WriteProvenance(json);
        json.WriteEndObject();
    }

    private void WriteIssues(Utf8JsonWriter json)
    {
        var places = Places();
        json.WriteNumber("withIssue", Issues.WithIssue);
        json.WriteNumber("present", Issues.Images);
        json.WriteNumber("texts", Issues.Texts);
        json.WriteNumber("withoutImage", Issues.WithoutImage);
        WriteList(json, "issues", Issues.Issues, found =>
        {
            json.WriteString("name", found.Rule.Issue.Name);
            json.WriteString("summary", found.Rule.Issue.Summary);
            json.WriteString("reason", found.Rule.Issue.Reason);
            json.WriteString("rule", found.Rule.Rule);
            json.WriteString("dedup", found.Rule.Dedup?.ToString());
            json.WriteString("obstacle", found.Obstacle);
            if (found.Rule.Threshold is { } given && given != found.Rule.Issue.Threshold)
                json.WriteString("set", string.Create(CultureInfo.InvariantCulture, $"{found.Rule.Issue.Name}={given}"));
            json.WriteNumber("count", found.Count);
            json.WriteNumber("outOfScope", found.OutOfScope);
            json.WriteString("others", found.OutOfScope > 0 ? found.Rule.Issue.Scope!.Others : null);
            json.WriteBoolean("isOfText", found.Rule.Issue.IsOfText);
            WritePlaces(
                json, "places",
                found.Examples.Where(_ => !found.Rule.Issue.IsOfText).Select(example => example.Key).Where(places.ContainsKey), places);
            WriteList(json, "records", found.Examples.Where(_ => found.Rule.Issue.IsOfText), example =>
            {
                json.WriteString("id", example.Id);
                if (example.Value is { } value)
                    json.WriteNumber("value", Math.Round(value, 6));
            });
            if (found.Rule.Threshold is { } threshold && found.Rule.Issue.Limit is { } limit)
            {
                json.WriteString("metric", limit.Metric);
                json.WriteBoolean("isAtMost", limit.IsAtMost);
                json.WriteNumber("threshold", threshold);
            }
        });
    }

    private void WriteDuplicates(Utf8JsonWriter json)
    {
        var places = Places();
        json.WriteStartObject("duplicates");
        json.WriteString("dedup", Duplicates.Method.ToString());
        json.WriteString("description", Duplicates.Method.Description);
        json.WriteBoolean("hasHash", Duplicates.Method.Kind == DuplicateKind.Near);
        json.WriteNumber("groupCount", Duplicates.Groups);
        json.WriteNumber("surplus", Duplicates.Surplus);
        WriteList(json, "groups", Duplicates.Largest.Where(group => group.Images.All(image => places.ContainsKey(image.Key))), group =>
        {
            json.WriteNumber("copies", group.Copies);
            WritePlaces(json, "places", group.Images.Select(image => image.Key), places);
            json.WriteStartArray("distances");
            foreach (var (_, distance) in group.Images)
            {
                if (distance is { } bits)
                    json.WriteNumberValue(bits);
                else
                    json.WriteNullValue();
            }
            json.WriteEndArray();
        });
        json.WriteEndObject();
    }

    private void WriteMetrics(Utf8JsonWriter json)
    {
        var places = Places();
        WriteList(json, "metrics", Enumerable.Range(0, Metrics.Count), i =>
        {
            var metric = Metrics[i];
            json.WriteString("name", metric.Name);
            json.WriteString(
                "direction",
                metric.Direction switch
                {
                    MetricDirection.LowerIsBetter => "lower",
                    MetricDirection.HigherIsBetter => "higher",
                    _ => "none"
                });
            json.WriteString("unit", metric.Unit);
            json.WriteString("summary", metric.Summary);
            json.WriteNumber("count", Extents[i]?.Count ?? 0);
            if (Extents[i] is not { } extent || Scales[i] is not { } scale)
                return;
            json.WriteNumber("low", Short(extent.Low, metric.IsFloat));
            json.WriteNumber("high", Short(extent.High, metric.IsFloat));
            json.WriteNumber("mean", extent.Mean);
            json.WriteNumber("median", Short(Medians[i], metric.IsFloat));
            json.WriteBoolean("isLogarithmic", scale.IsLogarithmic);
            json.WriteStartArray("positions");
            foreach (var position in scale.Positions)
                json.WriteNumberValue(position);
            json.WriteEndArray();
            WritePlaces(json, "lowest", Gallery.Lowest[i], places);
            WritePlaces(json, "highest", Gallery.Highest[i], places);
        });
        json.WriteNumber("cells", MetricPairs.Cells);
        WriteList(json, "pairs", Pairs, pair =>
        {
            json.WriteNumber("first", pair.First);
            json.WriteNumber("second", pair.Second);
            json.WriteNumber("images", pair.Images);
            if (!double.IsNaN(pair.Spearman))
                json.WriteNumber("spearman", pair.Spearman);
            WriteRuns(json, "counts", pair.Cells.Select(count => (long)count));
            WritePlaces(json, "firstPrefers", pair.FirstPrefers, places);
            WritePlaces(json, "secondPrefers", pair.SecondPrefers, places);
        });
    }

    private void WriteJoint(Utf8JsonWriter json)
    {
        var joint = Breakdown.Joint;
        json.WriteStartObject("joint");
        json.WriteNumber("items", joint.Items);
        json.WriteBoolean("isWhole", joint.IsWhole);
        json.WriteBase64String("withoutImage", joint.WithoutImage);
        WriteSlots(json, "atMost", joint.AtMost);
        WriteSlots(json, "atLeast", joint.AtLeast);
        json.WriteEndObject();
    }

    /// <summary>One text per metric: 16-bit numbers, the low byte first.</summary>
    private static void WriteSlots(Utf8JsonWriter json, string name, IReadOnlyList<ushort[]> slots)
    {
        json.WriteStartArray(name);
        foreach (var list in slots)
        {
            var bytes = new byte[2 * list.Length];
            for (var i = 0; i < list.Length; i++)
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), list[i]);
            json.WriteBase64StringValue(bytes);
        }
        json.WriteEndArray();
    }

    private static void WriteGroup(Utf8JsonWriter json, ItemGroup group)
    {
        json.WriteStartObject();
        json.WriteString("label", group.Label);
        json.WriteNumber("items", group.Items);
        json.WriteNumber("withoutImage", group.WithoutImage);
        WriteList(json, "counts", group.Counts, counts =>
        {
            json.WriteNumber("scored", counts.Scored);
            WriteRuns(json, "atMost", counts.AtMost);
            WriteRuns(json, "atLeast", counts.AtLeast);
        });
        json.WriteEndObject();
    }

    private void WritePictures(Utf8JsonWriter json) => WriteList(json, "pictures", Gallery.Pictures, picture =>
    {
        var image = picture.Image;
        json.WriteString("id", image.Id);
        json.WriteString("image", image.Image);
        json.WriteNumber("row", image.Key);
        if (image.Width is { } width && image.Height is { } height)
            json.WriteString("size", string.Create(CultureInfo.InvariantCulture, $"{width} x {height}"));
        json.WriteString("format", image.Format);
        json.WriteString("skipped", image.Skipped);
        json.WriteString("file", picture.File);
        json.WriteStartArray("values");
        for (var i = 0; i < image.Values.Length; i++)
        {
            if (double.IsNaN(image.Values[i]))
                json.WriteNullValue();
            else
                json.WriteNumberValue(Short(image.Values[i], Metrics[i].IsFloat));
        }
        json.WriteEndArray();
        if (picture.Thumbnail != null)
            json.WriteBase64String("webp", picture.Thumbnail);
        else
            json.WriteString("missing", picture.Missing);
        if (picture.Crop != null)
            json.WriteBase64String("crop", picture.Crop);
    });

    private void WriteProvenance(Utf8JsonWriter json)
    {
        WriteList(json, "provenance", Table.Provenance.Columns, column =>
        {
            json.WriteString("metric", column.Metric);
            json.WriteString("version", column.Version);
            json.WriteString("model", column.ModelSha256);
            json.WriteString("citation", column.Citation);
            json.WriteString("program", column.Program);
        });
        json.WriteStartArray("decoders");
        foreach (var decoder in Table.Provenance.Decoders)
            json.WriteStringValue(decoder);
        json.WriteEndArray();
        json.WriteString("datasetPath", Table.Provenance.Dataset.Path);
        json.WriteString("imageRoot", Table.Provenance.Dataset.ImageRoot);
    }

    /// <summary>The place of each picture in the list of pictures, by its key.</summary>
    private Dictionary<long, int> Places() =>
        Gallery.Pictures.Select((picture, i) => (picture.Image.Key, i)).ToDictionary(pair => pair.Key, pair => pair.i);

    private static void WritePlaces(Utf8JsonWriter json, string name, IEnumerable<long> keys, Dictionary<long, int> places)
    {
        json.WriteStartArray(name);
        foreach (var key in keys)
            json.WriteNumberValue(places[key]);
        json.WriteEndArray();
    }

    /// <summary>Counts, where -n stands for n zeros: most cells of a diagram and most thresholds of a small group are empty.</summary>
    private static void WriteRuns(Utf8JsonWriter json, string name, IEnumerable<long> counts)
    {
        json.WriteStartArray(name);
        var zeros = 0;
        foreach (var count in counts)
        {
            if (count == 0)
            {
                zeros++;
                continue;
            }
            if (zeros > 0)
                json.WriteNumberValue(-zeros);
            zeros = 0;
            json.WriteNumberValue(count);
        }
        if (zeros > 0)
            json.WriteNumberValue(-zeros);
        json.WriteEndArray();
    }

    private static void WriteList<T>(Utf8JsonWriter json, string name, IEnumerable<T> list, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (var element in list)
        {
            json.WriteStartObject();
            write(element);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>A 32-bit float as the shortest decimal number that names it, as a double.</summary>
    private static double Short(double value, bool isFloat) =>
        isFloat ? double.Parse(((float)value).ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : value;
}
