using System.Text.Json;
using Pristine.Selection;

namespace Pristine.Server;

/// <summary>The counts of a selection, which outlive it.</summary>
internal sealed record SelectionCounts(
    long Items, long Kept, long KeptWithoutImage, IReadOnlyList<ReasonCount> Reasons, JointCounts Joint)
{
    public static SelectionCounts Of(SelectionRun run) =>
        new(run.Items, run.Kept, run.KeptWithoutImage, run.Reasons, run.CountJointly());

    /// <summary>Writes the counts into the object that is open.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteNumber("items"u8, Items);
        json.WriteNumber("kept"u8, Kept);
        json.WriteNumber("dropped"u8, Items - Kept);
        json.WriteNumber("kept_without_image"u8, KeptWithoutImage);
        json.WriteStartArray("reasons"u8);
        foreach (var reason in Reasons)
        {
            json.WriteStartObject();
            json.WriteString("reason"u8, reason.Reason);
            json.WriteNumber("count"u8, reason.Count);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("joint"u8);
        json.WriteNumber("kept"u8, Joint.KeptByAll);
        json.WriteStartArray("rules"u8);
        for (var rule = 0; rule < Joint.Rules.Count; rule++)
        {
            json.WriteStartObject();
            json.WriteString("rule"u8, Joint.Rules[rule]);
            json.WriteNumber("keeps_alone"u8, Joint.KeptAlone(rule));
            json.WriteNumber("drops_alone"u8, Joint.Items - Joint.KeptAlone(rule));
            json.WriteNumber("drops_only"u8, Joint.DroppedOnlyBy(rule));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <summary>Writes why an item is kept or dropped.</summary>
internal static class ExplanationJson
{
    /// <summary>Writes an explanation into the object that is open.</summary>
    public static void Write(Utf8JsonWriter json, ItemExplanation item)
    {
        json.WriteNumber("index"u8, item.Decision.Index);
        json.WriteString("id"u8, item.Decision.Id);
        json.WriteBoolean("kept_by_rules"u8, item.Decision.Kept);
        json.WriteString("rule"u8, item.Decision.Rule);
        json.WriteString("reason"u8, item.Decision.Reason);
        json.WriteStartArray("images"u8);
        foreach (var image in item.Images)
        {
            json.WriteStartObject();
            json.WriteStartObject("columns"u8);
            foreach (var (name, value) in image.Columns)
                json.WriteString(name, value);
            json.WriteEndObject();
            WriteOutcomes(json, "rules", image.Rules);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteOutcomes(json, "rules_of_mean", item.OfMean);
    }

    private static void WriteOutcomes(Utf8JsonWriter json, string name, IReadOnlyList<RuleOutcome> outcomes)
    {
        json.WriteStartArray(name);
        foreach (var outcome in outcomes)
        {
            json.WriteStartObject();
            json.WriteString("rule"u8, outcome.Rule);
            if (outcome.Holds is { } holds)
                json.WriteBoolean("holds"u8, holds);
            else
                json.WriteNull("holds"u8);
            json.WriteString("comparison"u8, outcome.Comparison);
            WriteNumber(json, "value", outcome.Value);
            WriteNumber(json, "threshold", outcome.Threshold);
            WriteNumber(json, "margin", outcome.Margin);
            json.WriteString("skipped"u8, outcome.Skipped);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double? number)
    {
        if (number is { } finite && double.IsFinite(finite))
            json.WriteNumber(name, finite);
        else
            json.WriteNull(name);
    }
}
