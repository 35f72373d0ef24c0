using System.Text.Json;
using Pristine.Experiments.Training;

namespace Pristine.Tests.Experiments.Training;

public sealed class MultinomialLogisticRegressionTests
{
    /// <summary>
    /// Of weights for standardised features: a gradient of 1e-9 times the inverse of the smallest penalty, 1e-3, which bounds the error of
    /// the weights, with room for the features' single precision.
    /// </summary>
    private const double WeightTolerance = 2e-6;

    /// <summary>At a minimum, errors of the value are squares of errors of the weights.</summary>
    private const double ObjectiveTolerance = 1e-11;

    private static readonly LogisticRegressionOptions Exact = new() { MaxIterations = 5_000, Tolerance = 1e-9 };

    private static readonly JsonElement[] Reference = [.. JsonDocument.Parse(
        File.ReadAllBytes(TestFiles.InRepository("tests", "Pristine.Tests", "References", "logistic_scipy.json"))).RootElement.GetProperty(
            "cases").EnumerateArray()];

    public static TheoryData<string> Cases => [.. Reference.Select(reference => reference.GetProperty("name").GetString()!)];

    private static MultinomialLogisticRegression Fit(
        float[][] x, int[] labels, int classes, double penalty, LogisticRegressionOptions? options = null) =>
        MultinomialLogisticRegression.Fit(x, labels, classes, penalty, options, TestContext.Current.CancellationToken);

    private static (float[][] Rows, int[] Labels) Data(int rows, int features, int classes, double distance = 1, int seed = 1)
    {
        var random = new Random(seed);
        var centres = Enumerable.Range(0, classes)
            .Select(_ => Enumerable.Range(0, features).Select(_ => distance * random.NextDouble()).ToArray()).ToArray();
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => i % classes)];
        return ([.. labels.Select(label => centres[label].Select(centre => (float)(centre + random.NextDouble())).ToArray())], labels);
    }

    private static double[] Probabilities(MultinomialLogisticRegression fit, float[] row)
    {
        var probabilities = new double[fit.Classes];
        fit.Probabilities(row, probabilities);
        return probabilities;
    }

    private static int Predict(MultinomialLogisticRegression fit, float[] row)
    {
        var probabilities = Probabilities(fit, row);
        return Array.IndexOf(probabilities, probabilities.Max());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Ends_at_the_minimum_that_scipy_finds(string name)
    {
        var reference = Reference.Single(reference => reference.GetProperty("name").GetString() == name);
        float[][] x = [.. reference.GetProperty("features").EnumerateArray()
            .Select(row => row.EnumerateArray().Select(value => value.GetSingle()).ToArray())];
        int[] labels = [.. reference.GetProperty("labels").EnumerateArray().Select(value => value.GetInt32())];
        int[] present = [.. reference.GetProperty("present").EnumerateArray().Select(value => value.GetInt32())];
        var intercepts = reference.Numbers("intercepts");
        var fit = Fit(x, labels, reference.GetProperty("classes").GetInt32(), reference.Number("penalty"), Exact);
        Assert.True(fit.Converged);
        Assert.Equal(reference.Number("objective"), fit.Objective, ObjectiveTolerance);

        var means = Enumerable.Range(0, x[0].Length).Select(k => x.Average(row => (double)row[k])).ToArray();
        var deviations = means.Select((mean, k) => Math.Sqrt(x.Average(row => Math.Pow(row[k] - mean, 2)))).ToArray();
        // Intercepts for standardised features, the common number that does not matter taken away.
        var standardised = present.Select(c => fit.Intercept(c) + means.Select((mean, k) => fit.Weights(c)[k] * mean).Sum()).ToArray();
        for (var c = 0; c < present.Length; c++)
        {
            Assert.Equal(intercepts[c], standardised[c] - standardised.Average(), WeightTolerance);
            var weights = reference.GetProperty("weights")[c];
            for (var k = 0; k < means.Length; k++)
                Assert.Equal(weights[k].GetDouble(), fit.Weights(present[c])[k] * deviations[k], WeightTolerance);
        }
        var row = 0;
        foreach (var expected in reference.GetProperty("probabilities").EnumerateArray())
        {
            var probabilities = Probabilities(fit, x[row++]);
            Assert.Equal(1, probabilities.Sum(), 1e-12);
            for (var c = 0; c < present.Length; c++)
                Assert.Equal(expected[c].GetDouble(), probabilities[present[c]], WeightTolerance);
        }
    }

    [Theory]
    [InlineData(70, 9, 4)]
    [InlineData(32, 300, 2)]
    [InlineData(5, 1, 3)]
    public void The_gradient_is_what_differences_of_the_objective_say(int rows, int features, int classes)
    {
        const double step = 1e-5, tolerance = 1e-8;
        var (x, labels) = Data(rows, features, classes);
        var problem = new MultinomialLogisticRegression.Problem(x, labels);
        var random = new Random(2);
        double[] point = [.. Enumerable.Range(0, problem.Length).Select(_ => random.NextDouble() - 0.5)];
        double[] gradient = new double[point.Length], unused = new double[point.Length];
        problem.Evaluate(point, 0.3, gradient);
        for (var k = 0; k < point.Length; k += 1 + point.Length / 100)
        {
            var value = point[k];
            point[k] = value + step;
            var after = problem.Evaluate(point, 0.3, unused);
            point[k] = value - step;
            var before = problem.Evaluate(point, 0.3, unused);
            point[k] = value;
            Assert.Equal((after - before) / (2 * step), gradient[k], tolerance);
        }
    }

    [Fact]
    public void The_objective_is_the_mean_log_loss_and_the_penalty()
    {
        var (x, labels) = Data(50, 6, 3);
        var fit = Fit(x, labels, 3, 0.2, Exact);
        var deviations = Enumerable.Range(0, 6)
            .Select(k => Math.Sqrt(x.Average(row => Math.Pow(row[k] - x.Average(other => (double)other[k]), 2)))).ToArray();
        var squares = Enumerable.Range(0, 3)
            .Sum(c => deviations.Select((deviation, k) => Math.Pow(fit.Weights(c)[k] * deviation, 2)).Sum());
        Assert.Equal(x.Select((row, i) => -Math.Log(Probabilities(fit, row)[labels[i]]))
            .Average() + 0.1 * squares, fit.Objective, ObjectiveTolerance);
    }

    [Fact]
    public void A_class_without_rows_has_no_probability_and_changes_nothing_else()
    {
        var (x, labels) = Data(60, 5, 3);
        int[] shifted = [.. labels.Select(label => label + (label > 0 ? 2 : 1))];
        var (fit, whole) = (Fit(x, shifted, 6, 0.1), Fit(x, labels, 3, 0.1));
        foreach (var row in x)
        {
            var (found, expected) = (Probabilities(fit, row), Probabilities(whole, row));
            Assert.Equal([0, expected[0], 0, expected[1], expected[2], 0], found);
        }
        Assert.Equal(double.NegativeInfinity, fit.Intercept(2));
    }

    [Fact]
    public void Of_one_class_only_that_class_is_predicted()
    {
        var (x, _) = Data(10, 4, 2);
        var fit = Fit(x, [.. x.Select(_ => 1)], 3, 0.1);
        Assert.True(fit.Converged);
        Assert.Equal((0, 0.0), (fit.Iterations, fit.Objective));
        Assert.All(x, row => Assert.Equal([0, 1, 0], Probabilities(fit, row)));
        Assert.Equal([0, 1, 0], Probabilities(fit, [1e9f, -1e9f, 0, 3]));
    }

    [Fact]
    public void What_can_be_separated_is_with_weights_that_stay_finite()
    {
        var (x, labels) = Data(90, 8, 3, distance: 50);
        var fit = Fit(x, labels, 3, 1e-6, new() { MaxIterations = 1000 });
        Assert.Equal(labels, x.Select(row => Predict(fit, row)));
        Assert.True(fit.Objective < 1e-3);
        Assert.All(Enumerable.Range(0, 3), c => Assert.All(fit.Weights(c).ToArray(), weight => Assert.True(double.IsFinite(weight))));
    }

    [Fact]
    public void Constant_features_have_no_weight_and_one_row_is_enough()
    {
        var (x, labels) = Data(40, 4, 2);
        foreach (var row in x)
            row[2] = 0.1f;
        var fit = Fit(x, labels, 2, 0.1);
        Assert.Equal(0, fit.Weights(0)[2]);
        Assert.NotEqual(0, fit.Weights(0)[1]);
        Assert.Equal([0, 1], Probabilities(Fit([x[0]], [1], 2, 1), x[5]));
        // Nothing but constants: shares of the classes are the best guess.
        Assert.Equal(0.25, Probabilities(Fit([[1], [1], [1], [1]], [0, 1, 1, 1], 2, 1, Exact), [7])[0], 1e-8);
    }

    [Fact]
    public void A_path_of_penalties_ends_where_single_fits_end_but_sooner()
    {
        var (x, labels) = Data(200, 30, 5);
        double[] penalties = [1, 0.1, 0.01];
        var path = MultinomialLogisticRegression.FitPath(x, labels, 5, penalties, Exact, TestContext.Current.CancellationToken).ToArray();
        var single = penalties.Select(penalty => Fit(x, labels, 5, penalty, Exact)).ToArray();
        Assert.Equal(penalties, path.Select(fit => fit.Penalty));
        for (var p = 0; p < penalties.Length; p++)
        {
            Assert.Equal(single[p].Objective, path[p].Objective, ObjectiveTolerance);
            for (var k = 0; k < 30; k++)
                Assert.Equal(single[p].Weights(3)[k], path[p].Weights(3)[k], WeightTolerance);
        }
        Assert.True(path[0].Objective > path[1].Objective && path[1].Objective > path[2].Objective);
    }

    [Fact]
    public void Same_rows_same_bits_however_many_threads_fit_at_once()
    {
        var (x, labels) = Data(150, 70, 4);
        var expected = Fit(x, labels, 4, 0.01);
        var copies = x.Select(row => (float[])row.Clone()).ToArray();
        var fits = new MultinomialLogisticRegression[8];
        Parallel.For(0, fits.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => fits[i] = Fit(
            i % 2 == 0 ? x : copies, labels, 4, 0.01));
        foreach (var fit in fits)
        {
            Assert.Equal((expected.Objective, expected.Iterations), (fit.Objective, fit.Iterations));
            for (var c = 0; c < 4; c++)
            {
                Assert.Equal(expected.Intercept(c), fit.Intercept(c));
                Assert.Equal(expected.Weights(c), fit.Weights(c));
            }
        }
    }

    [Fact]
    public void What_cannot_be_fitted_is_refused()
    {
        var (x, labels) = Data(10, 3, 2);
        Assert.Contains("10 rows and 9 labels", Message(x, labels[1..]), StringComparison.Ordinal);
        Assert.Contains("0 rows", Message([], []), StringComparison.Ordinal);
        Assert.Contains("row 1 has 2", Message([x[0], x[1][1..], .. x[2..]], labels), StringComparison.Ordinal);
        Assert.Contains("labels from 0 to 1; found 2 in row 9", Message(x, [.. labels[..9], 2]), StringComparison.Ordinal);
        Assert.Contains("penalties above 0; found 0", Message(x, labels, 0), StringComparison.Ordinal);
        Assert.Contains("at least 1 iteration", Message(x, labels, 1, new() { MaxIterations = 0 }), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Probabilities(Fit(x, labels, 2, 1), [1, 2]));
        x[3][1] = float.NaN;
        Assert.Contains("found NaN in row 3", Message(x, labels), StringComparison.Ordinal);

        static string Message(float[][] x, int[] labels, double penalty = 1, LogisticRegressionOptions? options = null) =>
            Assert.Throws<ArgumentException>(() => Fit(x, labels, 2, penalty, options)).Message;
    }
}
