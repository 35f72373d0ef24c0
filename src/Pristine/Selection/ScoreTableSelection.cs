using Pristine.Tables;

namespace Pristine.Selection;

/// <summary>Selects from score tables.</summary>
public static class ScoreTableSelection
{
    /// <summary>Applies rules to a table; no image is read. See <see cref="SelectionRun.Run"/>.</summary>
    /// <param name="table">The table.</param>
    /// <param name="options">What to keep.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    /// <returns>The selection, to dispose of.</returns>
    /// <exception cref="RuleException">A rule cannot be understood, or names a column that the table does not have.</exception>
    public static SelectionRun Select(this ScoreTable table, SelectionOptions options, CancellationToken cancellation = default) =>
        SelectionRun.Run(table, options, cancellation: cancellation);
}
