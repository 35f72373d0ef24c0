using System.Text.RegularExpressions;

namespace Pristine.Tests;

/// <summary>
/// Clocks of machines jump: what waits, limits or orders must not ask the time of day. Where it is asked all the same, the reason is here.
/// </summary>
public partial class WallTimeTests
{
    private static readonly Dictionary<string, string> Reasons = new(StringComparer.Ordinal)
    {
        ["Pristine/Scoring/RunWatch.cs"] = "when a run began and when it told so, for people and 'pristine status'",
        ["Pristine.Cli/Commands/StatusCommand.cs"] = "how long ago a run has told something; a clock that was set back makes nothing stale",
        ["Pristine.Server/ServerApi.cs"] = "when somebody decided about an item, for people",
        ["Pristine/Remote/HttpFailure.cs"] = "a server's Retry-After may be a date; it is bounded, and one that is over means at once",
    };

    [Fact]
    public void The_time_of_day_is_asked_only_where_it_is_shown()
    {
        var source = TestFiles.InRepository("src");
        var found = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(source, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Where(file => Now().IsMatch(File.ReadAllText(Path.Combine(source, file)))).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(Reasons.Keys.Order(StringComparer.Ordinal), found);
    }

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?(Now|Today)\b|\bTimeProvider\.|GetUtcNow")]
    private static partial Regex Now();
}
