using Pristine.Selection;
using Pristine.Selection.Duplicates;
using Pristine.Tables;

namespace Pristine.Reports;

/// <summary>The duplicates of a table as its report shows them: how many there are, and the first images of the largest groups.</summary>
/// <param name="Method">How images were compared: by their perceptual hashes if the table has them, else by their bytes.</param>
/// <param name="Groups">Groups of at least two images.</param>
/// <param name="Surplus">Images of these groups without one of each.</param>
/// <param name="Largest">
/// Of the largest groups how many images each has, and the keys of the first ones, with distances to the first.
/// </param>
internal sealed record DuplicateSummary(
    DuplicateMethod Method, long Groups, long Surplus,
    IReadOnlyList<(long Copies, IReadOnlyList<(long Key, double? Distance)> Images)> Largest)
{
    /// <summary>Of the thumbnails at most this part shows duplicates.</summary>
    private const int ThumbnailPart = 5;
    private const int MostGroups = 12;
    private const int MostImages = 8;

    /// <summary>Finds them.</summary>
    /// <param name="table">The table.</param>
    /// <param name="options">How the report is made; the distance is that of the issue <c>near_duplicates</c>.</param>
    /// <param name="cancellation">Ends it with <see cref="OperationCanceledException"/>.</param>
    public static DuplicateSummary Of(ScoreTable table, ReportOptions options, CancellationToken cancellation)
    {
        var near = DuplicateMethod.Near;
        var isComputed = table.Parts.Any(part => part.Contents.Columns.ContainsKey(near.Column));
        var method = isComputed
            ? IssueRules.MethodOf(Issue.Get("near_duplicates"), options.Issues.ThresholdOf(Issue.Get("near_duplicates")))!
            : DuplicateMethod.Exact;
        using var found = DuplicateGroups.Find(
            table, method, new SelectionResources { Threads = options.Workers, MemoryLimit = options.MemoryLimit }, cancellation);
        var groups = Math.Min(MostGroups, options.Thumbnails / ThumbnailPart / MostImages);
        return new DuplicateSummary(method, found.Groups, found.Surplus, groups == 0 ? [] : found.Largest(groups, MostImages));
    }
}
