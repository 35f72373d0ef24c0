using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Options;

/// <summary>A selection to look into: a ledger, which knows its table and rules, or a table with rules on the command line.</summary>
internal static class SelectionSource
{
    public const string Description =
        "A ledger that 'pristine select' or 'filter' wrote, or a score table (with --keep and the other options)";

    /// <summary>The table and the selection that a source stands for.</summary>
    public static (ScoreTable Table, SelectionOptions Options) Open(string source, SelectionOptions given)
    {
        if (Directory.Exists(source))
            return (TableArguments.Open(source), given);
        if (!given.IsEmpty)
            throw new UsageException($"Rules go with a score table; the ledger {source} has its own.");
        Ledger.Open(source);
        var selection = LedgerSelection.Read(source);
        return (TableArguments.Open(TableOf(source, selection)), selection.Selection);
    }

    /// <summary>The folder of the score table that a ledger comes from, which is there.</summary>
    public static string TableOf(string ledger, LedgerSelection selection) => Directory.Exists(selection.Table)
        ? selection.Table
        : throw new LedgerException(
            $"The score table that the ledger {ledger} comes from is gone; expected it in {selection.Table}. " +
            "'pristine filter' keeps its scores only where --scores names a folder.");
}
