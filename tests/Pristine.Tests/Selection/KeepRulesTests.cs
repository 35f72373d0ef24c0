using Pristine.Imaging;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Tests.Selection;

public class KeepRulesTests
{
    private static readonly KeepRules Rules = KeepRules.Parse("min_side >= 256", "brisque between 5 and 40");

    private static ScoreRow Scored(double minSide, double brisque) => Rows.Row(Rules, ("min_side", minSide), ("brisque", brisque));

    private static ScoreRow Bad(ImageStatus status) => Rows.Row(Rules.Columns, status);

    [Fact]
    public void The_first_rule_that_fails_is_named_with_value_threshold_and_margin()
    {
        var decision = Rules.Decide(Rows.Item(Scored(200, 60)));
        Assert.False(decision.Kept);
        Assert.Equal(("min_side >= 256", "min_side", 200.0, 256.0, -56.0), (decision.Rule, decision.Column, decision.Value, decision.Threshold, decision.Margin));
        Assert.Equal("min_side 200 fails min_side >= 256", decision.Reason);
    }

    [Theory]
    [InlineData(60, 40, 20)]
    [InlineData(3, 5, -2)]
    public void Of_a_range_the_end_that_was_passed_is_the_threshold(double score, double threshold, double margin)
    {
        var decision = Rules.Decide(Rows.Item(Scored(300, score)));
        Assert.Equal((threshold, margin), (decision.Threshold, decision.Margin));
    }

    [Theory]
    [InlineData("brisque <= 40 and width >= 500", "width", 400)]
    [InlineData("width < 100 or brisque < 10", "width", 400)]
    [InlineData("not (width >= 400)", "width", 400)]
    [InlineData("not (brisque > 50 or width >= 400)", "width", 400)]
    [InlineData("not (brisque < 50 and width >= 400)", "brisque", 20)]
    [InlineData("500 <= width", "width", 400)]
    public void The_comparison_that_decided_is_found_within_a_rule(string rule, string column, double value)
    {
        var rules = KeepRules.Parse(rule);
        var decision = rules.Decide(Rows.Item(Rows.Row(rules, ("brisque", 20), ("width", 400), ("height", 300))));
        Assert.Equal((column, value), (decision.Column, decision.Value));
    }

    [Fact]
    public void A_missing_score_drops_and_says_so()
    {
        var decision = Rules.Decide(Rows.Item(Bad(ImageStatus.Missing)));
        Assert.False(decision.Kept);
        Assert.Equal("missing score min_side: missing, a reason", decision.Reason);
        Assert.Equal(ImageStatus.Missing, decision.Status);
        Assert.Null(decision.Value);
    }

    [Fact]
    public void An_item_without_an_image_is_kept_and_says_so_unless_asked_otherwise()
    {
        var item = Rows.Item(Bad(ImageStatus.NoImage));
        Assert.Equal((true, "kept: no image to judge"), (Rules.Decide(item).Kept, Rules.Decide(item).Reason));
        Assert.False(new KeepRules(Rules.Rules, new SelectionOptions { KeepItemsWithoutImage = false }).Decide(item).Kept);
    }

    [Theory]
    [InlineData(ImagePolicy.Worst, 20, 30, true)]
    [InlineData(ImagePolicy.Worst, 20, 60, false)]
    [InlineData(ImagePolicy.Best, 20, 60, true)]
    [InlineData(ImagePolicy.Best, 61, 60, false)]
    [InlineData(ImagePolicy.Mean, 20, 60, true)]
    [InlineData(ImagePolicy.Mean, 21, 60, false)]
    public void Several_images_count_by_policy(ImagePolicy policy, double first, double second, bool kept)
    {
        var rules = new KeepRules(Rules.Rules, new SelectionOptions { Images = policy });
        Assert.Equal(kept, rules.Decide(Rows.Item(
            Rows.Row(rules, ("min_side", 300), ("brisque", first), ("width", 300), ("height", 300)),
            Rows.Row(rules, ("min_side", 300), ("brisque", second), ("width", 300), ("height", 300)))).Kept);
    }

    [Fact]
    public void A_missing_image_among_several_drops_by_worst_and_is_left_out_of_the_mean()
    {
        var item = Rows.Item(Rows.Row(Rules, ("min_side", 300), ("brisque", 20), ("width", 300), ("height", 300)), Bad(ImageStatus.Missing));
        Assert.False(Rules.Decide(item).Kept);
        Assert.True(new KeepRules(Rules.Rules, new SelectionOptions { Images = ImagePolicy.Mean }).Decide(item).Kept);
        Assert.True(new KeepRules(Rules.Rules, new SelectionOptions { Images = ImagePolicy.Best }).Decide(item).Kept);
    }
}
