using Pristine.Networks;

namespace Pristine.Tests.Networks;

public sealed class ConvolutionGraphTests
{
    [Theory]
    [InlineData(1, 11)]
    [InlineData(9, 12)]
    [InlineData(49, 13)]
    public void The_sum_of_a_mask_stays_right_to_half_a_step(int count, int seed)
    {
        var random = new Random(seed);
        for (var repetition = 0; repetition < 200; repetition++)
        {
            var weights = Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.4f).ToArray();
            var step = weights.Max(Math.Abs) / sbyte.MaxValue;
            var rounded = weights.Select(weight => (sbyte)MathF.Round(weight / step)).ToArray();

            ConvolutionGraph.KeepSum(weights, step, rounded);

            var exact = weights.Select(weight => weight / (double)step).ToArray();
            Assert.InRange(Math.Abs(exact.Sum() - rounded.Sum(weight => weight)), 0, 0.5 + 1e-6);
            // Each weight is one of the two whole numbers beside it.
            Assert.All(exact.Zip(rounded), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1 + 1e-6));
        }
    }

    [Fact]
    public void A_sum_that_all_weights_miss_alike_is_mended()
    {
        // Each is 0.4 too small; to the nearest their sum is 3.6 too small.
        var weights = Enumerable.Repeat(0.4f, 9).ToArray();
        var rounded = new sbyte[9];
        ConvolutionGraph.KeepSum(weights, 1, rounded);
        Assert.Equal(4, rounded.Sum(weight => weight));
        Assert.All(rounded, weight => Assert.InRange(weight, 0, 1));
    }

    [Fact]
    public void The_largest_weight_goes_no_further()
    {
        sbyte[] rounded = [127, 127];
        ConvolutionGraph.KeepSum([127.9f, 127.9f], 1, rounded);
        Assert.Equal([127, 127], rounded);
    }
}
