using System.Text.RegularExpressions;
using Pristine.Metrics;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Tests.Documentation;

/// <summary>The table of filters in README.md: its columns exist, its rules can be read and name them.</summary>
public sealed partial class ReadmeFiltersTests
{
    private const string Title = "## The filters in use today";

    /// <summary>The filters that the design names, and duplicates.</summary>
    private static readonly string[] Filters =
    [
        "file size", "shape", "aspect ratio", "number of faces", "not safe for work", "aesthetics", "text length", "audio length",
        "video length", "duplicates",
    ];

    private static readonly (string Filter, string Columns, string Rules)[] Rows =
        [.. File.ReadAllLines(TestFiles.InRepository("README.md")).SkipWhile(line => line != Title).Skip(3)
            .TakeWhile(line => line.StartsWith('|')).Select(line => line.Trim('|').Split('|'))
            .Select(cells => (cells[0].Trim(), cells[1], cells[2]))];

    private static bool IsColumn(string name) => TableSchema.Row.Find(name) != null || MetricSet.BuiltIn.Find(name) != null;

    [Fact]
    public void Every_filter_has_a_row_with_columns_that_exist()
    {
        Assert.Superset(Filters.ToHashSet(), Rows.Select(row => row.Filter).ToHashSet());
        foreach (var (filter, columns, _) in Rows)
        {
            var names = Code().Matches(columns).Select(match => match.Groups[1].Value).ToArray();
            Assert.NotEmpty(names);
            Assert.All(names, name => Assert.True(IsColumn(name), $"{filter}: there is no column '{name}'"));
        }
    }

    [Fact]
    public void Rules_can_be_read_and_name_a_column_of_their_row()
    {
        foreach (var (filter, columns, rules) in Rows)
            foreach (var text in Code().Matches(rules).Select(match => match.Groups[1].Value).Where(text => !text.StartsWith('-')))
            {
                var named = Rule.Parse(text).Columns.Select(name => name.Replace(Column.QualitySuffix, "", StringComparison.Ordinal))
                    .Select(name => MetricSet.BuiltIn.Find(name)?.Name ?? name);
                Assert.True(named.All(name => columns.Contains($"`{name}`", StringComparison.Ordinal)), $"{filter}: {text}");
            }
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
