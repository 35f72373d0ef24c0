using System.Text.Json;
using Pristine.Experiments.Training;

namespace Pristine.Tests.Experiments.Training;

public class PairedTestTests
{
    /// <summary>Both sides invert the incomplete beta function by iteration.</summary>
    private const double Tolerance = 1e-9;

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Reference().Length)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Interval_and_probability_are_those_of_scipy(int number)
    {
        var reference = Reference()[number];
        var differences = reference.Numbers("differences");
        var mean = PairedTest.Mean(differences, 0.95);
        Assert.Equal(reference.Number("mean"), mean.Value, Tolerance);
        Assert.Equal(reference.Number("low"), mean.Interval.Low, Tolerance * Math.Max(1, Math.Abs(mean.Interval.Low)));
        Assert.Equal(reference.Number("high"), mean.Interval.High, Tolerance * Math.Max(1, Math.Abs(mean.Interval.High)));
        Assert.Equal(reference.Number("p"), PairedTest.Probability(differences), Tolerance);
    }

    [Fact]
    public void Without_variation_nothing_is_claimed()
    {
        Assert.Equal(1, PairedTest.Probability([0, 0, 0]));
        Assert.True(double.IsNaN(PairedTest.Probability([0.1, 0.1, 0.1])));
        Assert.True(double.IsNaN(PairedTest.Probability([0.1])));
        Assert.True(double.IsNaN(PairedTest.Mean([0.1], 0.95).Interval.Low));
        Assert.True(double.IsNaN(PairedTest.Mean([], 0.95).Value));
    }

    [Fact]
    public void Holm_adjusts_the_smallest_most_and_never_turns_the_order_around()
    {
        // By hand: 0.01 x 4; max(0.04, 0.02 x 3) = 0.06; max(0.06, 0.03 x 2) = 0.06; max(0.06, 0.5 x 1) = 0.5.
        Assert.Equal([0.06, 0.5, 0.04, double.NaN, 0.06], PairedTest.Holm([0.03, 0.5, 0.01, double.NaN, 0.02]), (a, b) => a.Equals(
            b) || Math.Abs(a - b) < 1e-15);
        Assert.Equal([1.0, 1.0], PairedTest.Holm([0.9, 0.8]));
    }

    private static JsonElement[] Reference() =>
        [.. JsonDocument.Parse(File.ReadAllBytes(TestFiles.InRepository(
            "tests", "Pristine.Tests", "References", "paired_test_scipy.json"))).RootElement.GetProperty("cases").EnumerateArray()];
}
