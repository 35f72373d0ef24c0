using Pristine.Media;
using Pristine.Metrics;
using Pristine.Native;
using Pristine.Tables;

namespace Pristine.Scoring;

/// <summary>
/// A condition that is asked while an image is scored: where it is not fulfilled, the metrics that come after it are not computed. What a
/// condition may say is not known here; see <see cref="ScoringOptions.Gates"/>.
/// </summary>
public abstract class ScoringGate
{
    /// <summary>The metrics that the condition reads. They are computed before it is asked, unless an earlier gate has failed.</summary>
    public abstract IReadOnlyList<Metric> Metrics { get; }

    /// <summary>
    /// True when the answer depends on the image file alone, not on what the dataset says of it (names, positions, text). Only then can
    /// items that name the same file share its scores. False unless a gate says otherwise.
    /// </summary>
    public virtual bool JudgesFileAlone => false;

    /// <summary>Judges an image. Several threads call it at the same time.</summary>
    /// <param name="row">
    /// What is known of the image: header, names, and the scores of this gate and the earlier ones; status and error are not final.
    /// </param>
    /// <param name="columns">The columns of the row.</param>
    /// <returns>Null to go on; otherwise why not, for example <c>brisque 71.2 fails brisque &lt;= 60</c>.</returns>
    public abstract string? Failure(ScoreRow row, TableSchema columns);

    /// <summary>Whether the answer depends on the image's position in the dataset, which is not known while parts are scored.</summary>
    internal virtual bool JudgesPosition => false;
}

/// <summary>
/// In which order the metrics of a run are computed: first those of the first gate, then, if it is fulfilled, those of the second, and in
/// the end the metrics that no gate reads. What the header tells costs nothing and is always there.
/// </summary>
internal sealed class ScoringStages
{
    private readonly IReadOnlyList<ScoringGate> _gates;
    private readonly TableSchema _columns;
    private readonly int[] _stages;

    public ScoringStages(TableSchema columns, IReadOnlyList<ScoringGate> gates)
    {
        (_columns, _gates) = (columns, gates);
        _stages = [.. columns.Metrics.Select(metric => metric.Input == ImageInput.Header ? 0 : FirstGate(metric, gates))];
    }

    /// <summary>The last stage, that of the metrics no gate reads.</summary>
    public int Last => _gates.Count;

    /// <summary>The stage in which a metric is computed.</summary>
    public int Of(int metric) => _stages[metric];

    /// <summary>What stops an image after a stage; null when it goes on.</summary>
    public string? Failure(int stage, ScoreRow row) => stage == Last ? null : _gates[stage].Failure(row, _columns);

    /// <summary>
    /// The scores that a row does not get, with the reason; null where all that it lacks must be computed from the image.
    /// </summary>
    /// <param name="row">A row of a score table.</param>
    /// <param name="missing">The metrics that it lacks.</param>
    public SkippedScores? SkippedWithoutReading(ScoreRow row, bool[] missing)
    {
        var first = Enumerable.Range(0, missing.Length).Where(i => missing[i]).Min(Of);
        for (var stage = 0; stage < first; stage++)
            if (Failure(stage, row) is { } reason)
                return SkippedAfter(stage, missing, reason);
        return null;
    }

    /// <summary>
    /// The scores that are not computed because a gate failed, with the reason, as tables have them; null where it skips none.
    /// </summary>
    public SkippedScores? SkippedAfter(int stage, bool[] wanted, string reason) =>
        SkippedScores.Of(_columns.Metrics.Where((_, i) => wanted[i] && Of(i) > stage).Select(metric => metric.Name), reason);

    private static int FirstGate(Metric metric, IReadOnlyList<ScoringGate> gates)
    {
        var gate = 0;
        while (gate < gates.Count && gates[gate].Metrics.All(read => read.Name != metric.Name))
            gate++;
        return gate;
    }
}
