using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

public sealed class ChannelStatisticsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(64, 257)]
    [InlineData(64, 258)]
    [InlineData(128, 600)]
    [InlineData(100, 300)]
    [InlineData(4, 9)]
    public void Sums_and_squares_are_those_of_every_channel(int channels, int count)
    {
        var pixels = new byte[channels * count];
        new Random(channels).NextBytes(pixels);
        // The largest sums that there can be, in two channels.
        for (var i = 0; i < pixels.Length; i += channels)
            pixels[i] = pixels[i + channels - 1] = byte.MaxValue;
        // What stood there before does not count.
        var (sums, squares) = (new long[channels], new long[channels]);
        Array.Fill(sums, 5);
        Array.Fill(squares, 7);
        ChannelStatistics.Add(pixels, sums, squares);
        for (var channel = 0; channel < channels; channel++)
        {
            var values = pixels.Where((_, i) => i % channels == channel).Select(value => (long)value).ToArray();
            Assert.Equal((values.Sum(), values.Sum(value => value * value)), (sums[channel], squares[channel]));
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ChannelStatistics.Add(new byte[7], new long[3], new long[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ChannelStatistics.Add(new byte[6], new long[3], new long[2]));
    }
}
