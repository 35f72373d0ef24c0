using System.Globalization;

namespace Pristine.Selection;

/// <summary>
/// How many items any of several rules keep together: counted once, by which rules an item fails, so that every subset of the rules can be
/// asked without reading the table again.
/// </summary>
public sealed class JointCounts
{
    /// <summary>The most rules that are counted together.</summary>
    public const int MostRules = 20;

    private readonly (uint[] Failures, long Count)[] _groups;

    private JointCounts(IReadOnlyList<string> rules, (uint[] Failures, long Count)[] groups) => (Rules, _groups) = (rules, groups);

    /// <summary>The rules, as a selection reads them: what is kept, then the opposite of what is dropped.</summary>
    public IReadOnlyList<string> Rules { get; }

    /// <summary>Number of items.</summary>
    public long Items => _groups.Sum(group => group.Count);

    /// <summary>How many items some of the rules keep together.</summary>
    /// <param name="rules">The positions of the rules as bits: 5 for the first and the third.</param>
    public long Kept(uint rules)
    {
        var asked = rules | Always;
        return _groups.Sum(group => Array.Exists(group.Failures, failed => (failed & asked) == 0) ? group.Count : 0);
    }

    /// <summary>How many items all rules keep together.</summary>
    public long KeptByAll => Kept(AllRules);

    /// <summary>How many items a rule keeps where it is the only one.</summary>
    /// <param name="rule">Its position.</param>
    public long KeptAlone(int rule) => Kept(1u << rule);

    /// <summary>How many items a rule drops that all others keep.</summary>
    /// <param name="rule">Its position.</param>
    public long DroppedOnlyBy(int rule) => Kept(AllRules & ~(1u << rule)) - KeptByAll;

    private uint AllRules => (1u << Rules.Count) - 1;

    /// <summary>Stands for what drops an image whatever the rules are.</summary>
    internal static uint Always => 1u << MostRules;

    /// <summary>Reads groups of items: the failures of each of the images that matter, and the number of such items.</summary>
    internal static JointCounts Of(IReadOnlyList<string> rules, IEnumerable<(string Failures, long Count)> groups) => new(
        rules,
        [.. groups.Select(group =>
            (group.Failures.Split(' ').Select(mask => uint.Parse(mask, CultureInfo.InvariantCulture)).ToArray(), group.Count))]);
}
