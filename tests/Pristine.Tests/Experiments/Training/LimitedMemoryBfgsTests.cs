using Pristine.Experiments.Training;

namespace Pristine.Tests.Experiments.Training;

public sealed class LimitedMemoryBfgsTests
{
    private static MinimumFound Minimise(
        Func<double[], double[], double> function, double[] point, LimitedMemoryBfgsOptions? options = null) =>
        LimitedMemoryBfgs.Minimise(
            function, point, options ?? new() { MaxIterations = 1000, Tolerance = 1e-9 }, TestContext.Current.CancellationToken);

    /// <summary>Rosenbrock's valley, its minimum 0 at (1, ..., 1).</summary>
    private static double Rosenbrock(double[] x, double[] gradient)
    {
        Array.Clear(gradient);
        var sum = 0.0;
        for (var i = 0; i + 1 < x.Length; i++)
        {
            var (a, b) = (x[i + 1] - x[i] * x[i], 1 - x[i]);
            sum += 100 * a * a + b * b;
            gradient[i] += -400 * a * x[i] - 2 * b;
            gradient[i + 1] += 200 * a;
        }
        return sum;
    }

    [Theory]
    [InlineData(2, 10)]
    [InlineData(10, 5)]
    [InlineData(50, 1)]
    public void Finds_the_end_of_a_curved_valley(int length, int memory)
    {
        var point = Enumerable.Range(0, length).Select(i => i % 2 == 0 ? -1.2 : 1).ToArray();
        var found = Minimise(Rosenbrock, point, new() { Memory = memory, MaxIterations = 2000, Tolerance = 1e-9 });
        Assert.True(found.Converged);
        Assert.Equal(0, found.Value, 1e-15);
        Assert.All(point, value => Assert.Equal(1, value, 1e-7));
    }

    [Fact]
    public void Scales_of_variables_may_differ_by_orders_of_magnitude()
    {
        var target = new[] { 3.0, -2, 0.5, 7 };
        var point = new double[4];
        var found = Minimise(
            (x, gradient) =>
            {
                var sum = 0.0;
                for (var k = 0; k < x.Length; k++)
                {
                    var scale = Math.Pow(10, 2 * k - 3);
                    gradient[k] = scale * (x[k] - target[k]);
                    sum += scale / 2 * Math.Pow(x[k] - target[k], 2);
                }
                return sum;
            },
            point);
        Assert.True(found.Converged);
        for (var k = 0; k < point.Length; k++)
            Assert.Equal(target[k], point[k], 1e-5);
    }

    [Fact]
    public void Where_the_function_is_not_finite_is_too_far()
    {
        // -ln x + x: its minimum is 1 at x = 1; not defined at or below 0.
        var point = new[] { 1e-3 };
        var found = Minimise(
            (x, gradient) =>
            {
                gradient[0] = 1 - 1 / x[0];
                return x[0] > 0 && x[0] < 500 ? x[0] - Math.Log(x[0]) : x[0] <= 0 ? double.NaN : double.PositiveInfinity;
            },
            point);
        Assert.True(found.Converged);
        Assert.Equal(1, point[0], 1e-8);
    }

    [Fact]
    public void Ends_at_once_at_a_minimum_and_when_iterations_run_out()
    {
        double[] minimum = [1, 1], start = [-1.2, 1];
        Assert.Equal(new MinimumFound(0, 0, true), Minimise(Rosenbrock, minimum));
        var found = Minimise(Rosenbrock, start, new() { MaxIterations = 3 });
        Assert.Equal((3, false), (found.Iterations, found.Converged));
        Assert.Equal(Rosenbrock(start, new double[2]), found.Value);
        Assert.True(found.Value < Rosenbrock([-1.2, 1], new double[2]));
    }

    [Fact]
    public void A_slope_without_a_bottom_ends_the_search()
    {
        double[] point = [0];
        var found = Minimise(
            (x, gradient) =>
            {
                gradient[0] = -1;
                return -x[0];
            },
            point);
        Assert.False(found.Converged);
    }

    [Fact]
    public void Cancelling_ends_it()
    {
        using var cancellation = new CancellationTokenSource();
        double[] point = [-1.2, 1];
        Assert.Throws<OperationCanceledException>(() => LimitedMemoryBfgs.Minimise(
            (x, gradient) =>
            {
                cancellation.Cancel();
                return Rosenbrock(x, gradient);
            },
            point, new(), cancellation.Token));
    }
}
