using Pristine.Datasets;

namespace Pristine.Selection;

/// <summary>
/// Finds out whether the items of a dataset have the fields that rules name. A field without a value in some items is a missing value; a
/// field that no item has is a mistake in the rule.
/// </summary>
/// <param name="fields">The fields that rules name.</param>
/// <param name="dataset">The dataset.</param>
internal sealed class KnownFields(IEnumerable<string> fields, Dataset dataset)
{
    private const int MostShown = 40;
    private readonly HashSet<string> _absent = new(fields, StringComparer.Ordinal);
    private readonly SortedSet<string> _seen = new(StringComparer.Ordinal);
    private bool _hasItems;
    private bool _hasMore;

    /// <summary>Whether every field has been met.</summary>
    public bool AreAll => _absent.Count == 0;

    /// <summary>Looks at the fields of an item.</summary>
    public void Add(DatasetItem item)
    {
        if (AreAll || item.Error != null)
            return;
        _hasItems = true;
        foreach (var name in item.Record?.FieldNames ?? [])
        {
            _absent.Remove(name);
            if (_seen.Count < MostShown)
                _seen.Add(name);
            else
                _hasMore |= !_seen.Contains(name);
        }
    }

    /// <summary>Refuses the rules when a field was not met.</summary>
    /// <exception cref="RuleException">A field was not met; the message names those that the items have.</exception>
    public void Check()
    {
        if (AreAll || !_hasItems)
            return;
        var there = _seen.Count == 0 ? "they have none" : $"their fields are {string.Join(", ", _seen)}{(_hasMore ? " and others" : "")}";
        throw new RuleException(
            $"Expected fields that the items of {dataset.Source} have; found " +
            $"{string.Join(", ", _absent.Order(StringComparer.Ordinal).Select(field => $"item.{field}"))}, which no item has; {there}.");
    }
}
