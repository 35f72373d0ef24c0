using System.Globalization;
using Pristine.Reports;

namespace Pristine.Tests.Reports;

public sealed class ThresholdTests
{
    public static TheoryData<double, double> Ranges => new()
    {
        { 0, 100 }, { 0.2118, 82.0521 }, { -7.3, 154.2 }, { 0, 1 }, { 0.1, 0.100001 }, { 1e-7, 3e-6 }, { -5, -5 }, { 0, 0 }, { 7, 7 },
        { 2.5e9, 2.6e9 }, { -1e12, 1e12 },
    };

    [Theory]
    [MemberData(nameof(Ranges))]
    public void A_scale_covers_its_values_with_round_numbers(double low, double high)
    {
        var scale = ThresholdScale.Of(low, high, [low, (low + high) / 2, high]);
        Assert.InRange(scale.Positions.Length, 2, 500);
        Assert.True(scale.Positions[0] <= low, $"{scale.Positions[0]} <= {low}");
        Assert.True(scale.Positions[^1] >= high, $"{scale.Positions[^1]} >= {high}");
        for (var i = 1; i < scale.Positions.Length; i++)
            Assert.True((float)scale.Positions[i] > (float)scale.Positions[i - 1], $"{scale.Positions[i]} after {scale.Positions[i - 1]}");
        // At most six digits tell neighbours apart, so a command with one stays short.
        Assert.All(scale.Positions, position => Assert.Equal(
            position, double.Parse(position.ToString("G8", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Whole_numbers_get_whole_thresholds()
    {
        var scale = ThresholdScale.Of(3, 40, [3, 5, 40]);
        Assert.Equal(Enumerable.Range(3, 38).Select(i => (double)i), scale.Positions);
    }

    [Fact]
    public void A_long_tail_gets_a_logarithmic_axis()
    {
        var random = new Random(1);
        var values = Enumerable.Range(0, 5000).Select(_ => Math.Exp(8 * random.NextDouble())).Order().ToArray();
        var scale = ThresholdScale.Of(values[0], values[^1], values);
        Assert.True(scale.IsLogarithmic);
        Assert.InRange(scale.Share(Math.Exp(4)), 0.45, 0.55);
        Assert.InRange(scale.Positions.Length, 300, 500);
    }

    [Fact]
    public void A_few_outliers_do_not_squeeze_the_axis()
    {
        var values = Enumerable.Range(0, 10_000).Select(i => i / 10_000.0).Append(1e6).ToArray();
        var scale = ThresholdScale.Of(0, 1e6, values);
        Assert.InRange(scale.Positions[^1], 0.99, 1.1);
        Assert.Equal(1, scale.Share(1e6));
        Assert.Equal(0, scale.Share(-1));
    }

    [Fact]
    public void Share_falls_between_its_positions()
    {
        var scale = ThresholdScale.Of(0, 1, [0, 0.5, 1]);
        Assert.Equal(0.5, scale.Share(0.5), 12);
        Assert.Equal(0.25125, scale.Share(0.25125), 12);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Counts_are_those_of_comparing_every_value(bool isFloat)
    {
        var random = new Random(2);
        var scale = ThresholdScale.Of(0, 10, [0, 5, 10]);
        var positions = ThresholdCounts.Compared(scale, isFloat);
        var counts = new ThresholdCounts(scale.Positions.Length);
        // Half of the values stand exactly on a threshold, some beyond the axis; items have one to three images.
        double Value() => random.Next(10) switch
        {
            < 5 => scale.Positions[random.Next(scale.Positions.Length)],
            9 => random.Next(2) == 0 ? -1 : 11,
            _ => 10 * random.NextDouble(),
        };
        double Stored(double value) => isFloat ? (float)value : value;
        var items = Enumerable.Range(0, 4000).Select(_ => Enumerable.Range(0, 1 + random.Next(3)).Select(_ => Stored(Value())).ToArray())
            .ToArray();
        foreach (var item in items)
            counts.Add(ThresholdPlace.Of(positions, item.Min(), item.Max()));
        Assert.Equal(items.Length, counts.Scored);
        for (var i = 0; i < scale.Positions.Length; i++)
        {
            var threshold = Stored(scale.Positions[i]);
            Assert.Equal(items.Count(item => item.All(value => value <= threshold)), counts.Kept(i, isAtMost: true));
            Assert.Equal(items.Count(item => item.All(value => value >= threshold)), counts.Kept(i, isAtMost: false));
        }
    }

    [Theory]
    [InlineData("data/a/x", "data/b/y", "data/")]
    [InlineData("data/ab", "data/ac", "data/")]
    [InlineData("a", "a/b", "")]
    [InlineData("", "z", "")]
    [InlineData("/one/two/three", "/one/two/three", "/one/two/")]
    public void The_shared_folder_is_a_whole_folder(string first, string last, string expected) =>
        Assert.Equal(expected, Breakdown.SharedFolder(first, last));
}
