using Pristine.Imaging;
using Pristine.Scoring;
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
    public void Evaluates_as_SQL_does(string text, double brisque, bool expected)
    {
        var rules = KeepRules.Parse(text);
        Assert.Equal(expected, rules.Rules[0].Evaluate(Rows.Row(rules, ("brisque", brisque), ("width", 640), ("height", 480)), rules.Columns));
    }

    [Theory]
    [InlineData("brisque <= 40", null)]
    [InlineData("not brisque <= 40", null)]
    [InlineData("brisque between 1 and 2", null)]
    [InlineData("brisque in (1, 2)", null)]
    [InlineData("brisque <= 40 and width > 0", null)]
    [InlineData("brisque <= 40 and width < 0", false)]
    [InlineData("brisque <= 40 or width > 0", true)]
    [InlineData("brisque <= 40 or width < 0", null)]
    [InlineData("brisque is null", true)]
    [InlineData("brisque is not null", false)]
    public void A_missing_score_is_SQL_NULL(string text, bool? expected)
    {
        var rules = KeepRules.Parse(text);
        Assert.Equal(expected, rules.Rules[0].Evaluate(Rows.Row(rules, ("width", 640), ("height", 480)), rules.Columns));
    }

    [Theory]
    [InlineData("", "character 1: expected a column")]
    [InlineData("brisque", "character 8: expected a comparison")]
    [InlineData("brisque <=", "character 11: expected a column, a number or a 'text'; found the end of the rule")]
    [InlineData("brisque <= 40 width", "character 15: expected and, or, or the end of the rule; found width")]
    [InlineData("brisque <= 4o", "expected a number instead of '4o'")]
    [InlineData("(brisque <= 40", "expected ')'")]
    [InlineData("brisque between 1", "expected and")]
    [InlineData("brisque between 40 and 10", "can never hold")]
    [InlineData("brisk <= 40", "Nearest: brisque")]
    [InlineData("aspect_ratio_quality > 1", "There is no column 'aspect_ratio_quality'")]
    [InlineData("format <= 40", "format (text) cannot be compared with 40 (a number)")]
    [InlineData("brisque <= 'x", "a closing '")]
    [InlineData("brisque; drop table", "no ';' here")]
    [InlineData("brisque <= (select 1)", "expected a column, a number")]
    [InlineData("brisque is 3", "expected null")]
    [InlineData("read_csv('x') = 1", "There is no column 'read_csv'")]
    public void A_bad_rule_says_where_and_what_was_expected(string text, string message) =>
        Assert.Contains(message, Assert.Throws<RuleException>(() => Rule.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Deep_nesting_is_refused_instead_of_overflowing_the_stack() =>
        Assert.Contains("nested", Assert.Throws<RuleException>(() => Rule.Parse(new string('(', 100_000))).Message, StringComparison.Ordinal);

    [Fact]
    public void Names_the_columns_and_the_metrics_it_needs()
    {
        var rules = KeepRules.Parse("min_side >= 256 and brisque <= 40", "BRISQUE_quality > 0.5 or width > 3");
        Assert.Equal(["brisque_quality", "width"], rules.Rules[1].Columns);
        Assert.Equal(["min_side", "brisque"], rules.Metrics.Select(metric => metric.Name));
    }

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
        var rule = Rule.QualityBetween("brisque", 0.6, 0.8);
        var columns = new KeepRules([rule]).Columns;
        double[] scores = [40.01, 40, 30, 20, 19.99];
        Assert.Equal(
            [false, true, true, true, false],
            scores.Select(score => rule.Evaluate(Rows.Row(columns, ImageStatus.Ok, ("brisque", score)), columns)));
    }
}
