using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.ResNet;
using Pristine.Selection;

namespace Pristine.Tests.Selection;

public class RuleTests
{
    [Theory]
    [InlineData("brisque < 40", 39.9, true)]
    [InlineData("brisque < 40", 40, false)]
    [InlineData("brisque <= 40", 40, true)]
    [InlineData("brisque > 40", 40, false)]
    [InlineData("brisque >= 40", 40, true)]
    [InlineData("brisque = 40", 40, true)]
    [InlineData("brisque == 40", 41, false)]
    [InlineData("brisque <> 40", 40, false)]
    [InlineData("brisque != 40", 41, true)]
    [InlineData("40 >= brisque", 40, true)]
    [InlineData("brisque between 10 and 40", 10, true)]
    [InlineData("brisque between 10 and 40", 40, true)]
    [InlineData("brisque between 10 and 40", 9.99, false)]
    [InlineData("brisque not between 10 and 40", 9.99, true)]
    [InlineData("brisque in (1, 2, 3)", 2, true)]
    [InlineData("brisque not in (1, 2, 3)", 2, false)]
    [InlineData("BRISQUE <= 4e1 AND Width >= 600", 40, true)]
    [InlineData("\"brisque\" <= +40", 40, true)]
    [InlineData("brisque > -1", 0, true)]
    [InlineData("brisque>-1 and brisque<1", 0, true)]
    [InlineData("not brisque < 40", 40, true)]
    [InlineData("not (brisque < 40 or width < 600)", 40, true)]
    [InlineData("width < 600 or brisque = 40 and height = 480", 40, true)]
    [InlineData("(width < 600 or brisque = 40) and height = 1", 40, false)]
    [InlineData("format = 'jpeg'", 0, true)]
    [InlineData("format in ('png', 'webp')", 0, false)]
    [InlineData("status = 'ok' and error is null", 0, true)]
    [InlineData("brisque is not null", 0, true)]
    [InlineData("brisque_quality >= 0.6", 40, true)]
    [InlineData("brisque_quality <= 0.6", 40, true)]
    [InlineData("brisque_quality > 0.6", 40, false)]
    [InlineData("brisque + 10 < sharpness", 89, true)]
    [InlineData("brisque + 10 < sharpness", 90, false)]
    [InlineData("2 + 3 * 4 = 14 and (2 + 3) * 4 = 20 and 7 % 4 = 3 and 1 - 2 - 3 = -4 and 8 / 4 / 2 = 1", 0, true)]
    [InlineData("-brisque = -40 and - -brisque = 40", 40, true)]
    [InlineData("(brisque) < (sharpness)", 40, true)]
    [InlineData("abs(brisque - 50) <= 10", 40, true)]
    [InlineData("least(brisque, sharpness) = 40 and greatest(brisque, sharpness) = 100", 40, true)]
    [InlineData("sqrt(sharpness) = 10 and log10(sharpness) = 2 and ln(1) = 0", 40, true)]
    [InlineData("round(brisque) = 41 and floor(brisque) = 40 and ceil(brisque) = 41", 40.6, true)]
    [InlineData("image like 'f/%.jpg' and image not like '%.png' and image ilike 'F/%'", 40, true)]
    [InlineData("length(id) = 2 and upper(id) = 'I0' and lower('A') = 'a'", 40, true)]
    [InlineData("has_image", 40, true)]
    [InlineData("not has_image", 40, false)]
    [InlineData("has_image = true", 40, true)]
    [InlineData("folder = 'f'", 40, true)]
    [InlineData("id = 'it''s' or id = 'i0'", 40, true)]
    public void Is_evaluated_as_SQL_does(string rule, double brisque, bool expected)
    {
        using var folder = TestFiles.NewFolder();
        Assert.Equal(expected ? "0" : "", SmallTable.Make(folder, SmallTable.Row(0, brisque)).Kept(new SelectionOptions { Keep = [rule] }));
    }

    [Theory]
    [InlineData("brisque <= 40", null)]
    [InlineData("not brisque <= 40", null)]
    [InlineData("brisque between 1 and 2", null)]
    [InlineData("brisque in (1, 2)", null)]
    [InlineData("brisque + 1 > 0", null)]
    [InlineData("brisque <= 40 and image_index >= 0", null)]
    [InlineData("brisque <= 40 and image_index < 0", false)]
    [InlineData("brisque <= 40 or image_index >= 0", true)]
    [InlineData("brisque <= 40 or image_index < 0", null)]
    [InlineData("brisque is null", true)]
    [InlineData("brisque is not null", false)]
    [InlineData("coalesce(brisque, 7) = 7", true)]
    [InlineData("1 / image_index > 0", null)]
    [InlineData("sqrt(image_index - 1) > 0 or ln(image_index) > 0", null)]
    public void A_missing_value_is_SQL_NULL_and_a_rule_that_is_not_true_drops(string rule, bool? expected)
    {
        using var folder = TestFiles.NewFolder();
        using var run = SelectionRun.Run(
            SmallTable.Make(folder, SmallTable.Row(0, 0, status: ImageStatus.Timeout)), new SelectionOptions { Keep = [rule] },
            cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(expected switch { true => "", false => $"fails {rule}", null => "image timeout" }, string.Join(
            ' ', run.Reasons.Select(reason => reason.Reason)));
    }

    [Fact]
    public void Rules_within_the_bounds_are_judged_and_beyond_them_refused()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, SmallTable.Row(0, 20));
        static string Repeat(string term, string separator, int count) => string.Join(separator, Enumerable.Repeat(term, count));
        Assert.Equal("0", table.Kept(new SelectionOptions { Keep = [$"{Repeat("brisque", " + ", 198)} > 0"] }));
        Assert.Equal("", table.Kept(new SelectionOptions { Keep = [$"{Repeat("brisque > 100", " or ", 200)}"] }));
        Assert.Equal("0", table.Kept(new SelectionOptions { Keep = [$"brisque in ({Repeat("1", ", ", 998)}, 20)"] }));
        // Each level once doubled the text for the database.
        var deep = "brisque > 100";
        for (var i = 0; i < 40; i++)
            deep = $"(width > {1000 + i} or (height > {i} and {deep}))";
        Assert.Equal("", table.Kept(new SelectionOptions { Keep = [deep] }));

        void Refused(string message, params string[] rules) =>
            Assert.Contains(message, Assert.Throws<RuleException>(
                () => table.Kept(new SelectionOptions { Keep = rules })).Message, StringComparison.Ordinal);
        Refused("at most 200 operations", $"{Repeat("brisque", " + ", 300)} > 0");
        Refused("at most 1,000 columns and constants; found more", $"{Repeat("brisque", " + ", 5000)} > 0");
        Refused("at most 1,000,000 characters; found 2,000,000", new string(' ', 2_000_000));
        Refused("at most 200 nested conditions", $"{Repeat("not ", "", 5000)} brisque > 0");
        // The root's SQL has its argument twice, that of "in" its subject once per choice.
        Refused("fewer roots and logarithms", $"{Repeat("sqrt(", "", 60)}brisque{Repeat(")", "", 60)} > 0");
        Refused("a shorter list or subject", $"{Repeat("brisque", " + ", 150)} in ({Repeat("1", ", ", 500)})");
        Refused("in all rules together", [.. Enumerable.Repeat(Repeat("brisque > 100", " or ", 450), 3)]);
    }

    [Theory]
    [InlineData("", "character 1: expected a column")]
    [InlineData("brisque", "character 8: expected a comparison")]
    [InlineData("brisque and width > 3", "expected a comparison")]
    [InlineData("brisque <=", "character 11: expected a column, a number or a 'text'; found the end of the rule")]
    [InlineData("brisque <= 40 width", "character 15: expected and, or, or the end of the rule; found width")]
    [InlineData("brisque <= 4o", "expected a number instead of '4o'")]
    [InlineData("(brisque <= 40", "expected ')'")]
    [InlineData("brisque between 1", "expected and")]
    [InlineData("brisque between 40 and 10", "can never hold")]
    [InlineData("brisk <= 40", "Nearest: brisque")]
    [InlineData("aspect_ratio_quality > 1", "There is no column 'aspect_ratio_quality'")]
    [InlineData("format <= 40", "format (text) cannot be compared with 40 (a number)")]
    [InlineData("format + 1 > 2", "expected a number; format (text)")]
    [InlineData("brisque like 'x'", "expected text; brisque (a number)")]
    [InlineData("brisque <= 'x", "a closing '")]
    [InlineData("brisque; drop table", "no ';' here")]
    [InlineData("brisque <= (select 1)", "expected a column, a number")]
    [InlineData("brisque in (select 1)", "expected a column, a number")]
    [InlineData("exists (select 1)", "There is no function 'exists'")]
    [InlineData("brisque is 3", "expected null")]
    [InlineData("read_csv('x') = 1", "There is no function 'read_csv'")]
    [InlineData("read_text('/etc/passwd') like '%'", "There is no function 'read_text'")]
    [InlineData("copy t to 'x'", "There is no column 'copy'")]
    [InlineData("attach 'x'", "There is no column 'attach'")]
    [InlineData("install httpfs", "There is no column 'install'")]
    [InlineData("set threads = 1", "There is no column 'set'")]
    [InlineData("abs(1, 2) = 1", "abs takes one argument; found 2")]
    [InlineData("item. > 3", "the name of a field")]
    [InlineData("format = \"jpeg\"", "A text stands in single quotes: 'jpeg'.")]
    [InlineData("format = jpeg", "A text stands in single quotes: 'jpeg'.")]
    [InlineData("format in (\"jpeg\")", "A text stands in single quotes: 'jpeg'.")]
    [InlineData("item.source = coco", "A text stands in single quotes: 'coco'.")]
    [InlineData("brisque < 40 && width > 3", "character 14: expected no '&&' here; write and")]
    [InlineData("brisque < 40 || width > 3", "no '||' here; write or")]
    [InlineData("brisque =< 40", "no '=<' here; write <=")]
    [InlineData("brisque => 40", "no '=>' here; write >=")]
    [InlineData("!(brisque < 40)", "no '!' here; write not")]
    [InlineData("brisque \u2264 40", "write <=")]
    [InlineData("format = \u2018jpeg\u2019", "straight single quotes")]
    [InlineData("brisque_quality >= 0,5", "expected a number with a point; found 0,5. Write 0.5.")]
    [InlineData("brisque = null", "found null; write is null")]
    [InlineData("resnet > 0.5", "Nearest: resnet50")]
    [InlineData("\"arniqa:matlab\" > 0.5", "ARNIQA has no variant 'matlab'")]
    public void A_bad_rule_says_where_and_what_was_expected(string text, string message) =>
        Assert.Contains(message, Assert.Throws<RuleException>(() => Rule.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("(")]
    [InlineData("-")]
    [InlineData("abs(")]
    [InlineData("not ")]
    public void Deep_nesting_is_refused_instead_of_overflowing_the_stack(string part) =>
        Assert.Contains("nested", Assert.Throws<RuleException>(
            () => Rule.Parse(string.Concat(Enumerable.Repeat(part, 50_000)))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_column_that_the_table_does_not_have_is_told_from_one_that_no_table_has()
    {
        using var folder = TestFiles.NewFolder();
        var table = SmallTable.Make(folder, SmallTable.Row(0, 1));
        Assert.Contains("adds it", Assert.Throws<RuleException>(
            () => table.Kept(new SelectionOptions { Keep = ["entropy > 3"] })).Message, StringComparison.Ordinal);
        Assert.Contains("There is no column 'brisk'", Assert.Throws<RuleException>(
            () => table.Kept(new SelectionOptions { Keep = ["brisk > 3"] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_the_columns_and_the_metrics_it_needs()
    {
        Assert.Equal(["brisque_quality", "width", "item.source"], Rule.Parse(
            "BRISQUE_quality > 0.5 or abs(width) > 3 and item.source = 'x' and width < 9").Columns);
        var options = new SelectionOptions
        {
            Keep = ["min_side >= 256"],
            Drop = ["brisque > 40"],
            Score = "0.5 * brisque_quality + entropy",
            Top = new(1, false),
            By = "score",
            Per = "sharpness",
        };
        Assert.Equal(
            ["min_side", "brisque", "entropy", "sharpness"], Rule.MetricsOf(options.Parse().Columns).Select(metric => metric.Name));
    }

    [Fact]
    public void A_rule_can_name_a_metric_that_the_catalog_does_not_list()
    {
        Assert.Equal(["arniqa:int8", "arniqa:pyiqa@koniq10k_quality"], Rule.Parse(
            "arniqa:int8 >= 0.5 and arniqa:pyiqa@koniq10k_quality > 0.4").Columns);
        Assert.Equal(["arniqa:pyiqa@koniq10k"], Rule.MetricsOf(["arniqa:pyiqa@koniq10k_quality"]).Select(metric => metric.Name));
        var own = new QualityHead("rule-tests", "resnet50:int8", new float[15360], 0.5, 0, 1, "none");
        var known = MetricSet.BuiltIn.With(new ResNetMetric(own));
        Assert.Equal(["resnet50@rule-tests"], Rule.Parse("resnet50@rule-tests >= 0.5", known).Columns);
        Assert.Contains("There is no column 'resnet50@rule-tests'", Assert.Throws<RuleException>(
            () => Rule.Parse("\"resnet50@rule-tests\" >= 0.5")).Message, StringComparison.Ordinal);
        Assert.Contains("no variant 'nonsense'", Assert.Throws<RuleException>(
            () => Rule.Parse("arniqa:nonsense > 0.5")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_short_name_of_a_metric_is_its_column() =>
        Assert.Equal(["resnet50@biq2021", "resnet50@biq2021_quality"], Rule.Parse(
            "resnet50 > 0.4 or RESNET50_quality > 0.5 or \"resnet50\" > 1").Columns);

    [Theory]
    [InlineData(0.6, 0.4)]
    [InlineData(-0.1, 1)]
    [InlineData(0, 1.1)]
    [InlineData(double.NaN, 1)]
    public void Quality_limits_that_make_no_sense_are_refused(double low, double high) =>
        Assert.Throws<RuleException>(() => Rule.QualityBetween("brisque", low, high));

    [Fact]
    public void Quality_limits_include_both_ends()
    {
        using var folder = TestFiles.NewFolder();
        double[] scores = [40.01, 40, 30, 20, 19.99];
        var table = SmallTable.Make(folder, [.. scores.Select((score, i) => SmallTable.Row(i, score))]);
        Assert.Equal("1 2 3", table.Kept(new SelectionOptions { Keep = [Rule.QualityBetween("brisque", 0.6, 0.8)] }));
    }
}
