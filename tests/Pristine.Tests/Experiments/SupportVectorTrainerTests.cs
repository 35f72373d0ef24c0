using System.Diagnostics;
using System.Globalization;
using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Metrics.Brisque;

namespace Pristine.Tests.Experiments;

public sealed class SupportVectorTrainerTests
{
    private static SupportVectorRegressor Train(double[][] rows, double[] targets, SupportVectorOptions? options = null) =>
        SupportVectorTrainer.Train(rows, targets, options, TestContext.Current.CancellationToken);

    private static (double[][] Rows, double[] Targets) Data(int rows, int features, int seed)
    {
        var random = new Random(seed);
        double[][] x =
            [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, features).Select(_ => 2 * random.NextDouble() - 1).ToArray())];
        return (x, [.. x.Select(row => 50 + 30 * Math.Sin(2 * row[0]) + 10 * row[1] * row[^1] + 4 * random.NextDouble())]);
    }

    [Fact]
    public void Two_points_by_hand()
    {
        // K = [1 k; k 1] with k = exp(-1). The coefficients are +-c with f(0) = -1 + epsilon and f(1) = 1 - epsilon: c (1 - k) = 1 -
        // epsilon.
        var model = Train([[0], [1]], [-1, 1], new() { Cost = 100, Gamma = 1, Epsilon = 0.25, Tolerance = 1e-9 });
        var c = 0.75 / (1 - Math.Exp(-1));
        // The kernel is kept in single precision.
        Assert.Equal([-c, c], model.Coefficients.ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal(0, model.Rho, 1e-6);
        Assert.Equal(-0.75, model.Predict([0]), 1e-6);
        // With a small C both coefficients stop at it.
        var bounded = Train([[0], [1]], [-1, 1], new() { Cost = 0.5, Gamma = 1, Epsilon = 0.25 });
        Assert.Equal([-0.5, 0.5], bounded.Coefficients.ToArray());
    }

    [Theory]
    [InlineData(200, 3, 10, 0.5, 1.0)]
    [InlineData(120, 36, 1024, 0.05, 0.1)]
    [InlineData(150, 5, 0.5, 2.0, 3.0)]
    [InlineData(80, 2, 100, 0.3, 0.0)]
    public void Fulfils_the_conditions_of_the_optimum(int rows, int features, double cost, double gamma, double epsilon)
    {
        var (x, y) = Data(rows, features, rows);
        var options = new SupportVectorOptions { Cost = cost, Gamma = gamma, Epsilon = epsilon, Tolerance = 1e-4 };
        var model = Train(x, y, options);
        Assert.Equal(features, model.Dimension);
        var coefficients = Coefficients(model, x);
        // Gradients are updated in single-precision kernels, which adds to the tolerance: some C times the number of vectors roundings of
        // 6e-8.
        var slack = options.Tolerance + 1e-6 * cost * rows;
        // The sum of all coefficients is 0 up to rounding.
        Assert.Equal(0, coefficients.Sum(), 1e-9 * cost * rows);
        var bounded = 0;
        for (var i = 0; i < rows; i++)
        {
            var c = coefficients[i];
            Assert.InRange(Math.Abs(c), 0, cost);
            var residual = y[i] - model.Predict(x[i]);
            // Inside the tube: no coefficient. On its edge: between 0 and C. Outside: C.
            if (c == 0)
                Assert.InRange(Math.Abs(residual), 0, epsilon + slack);
            else if (Math.Abs(c) < cost)
                Assert.InRange(residual * Math.Sign(c), epsilon - slack, epsilon + slack);
            else
            {
                bounded++;
                Assert.True(residual * Math.Sign(c) >= epsilon - slack, $"row {i}: residual {residual}, coefficient {c}");
            }
        }
        Assert.True(cost > 0.5 || bounded > 0);
    }

    [Fact]
    public void Rows_without_a_coefficient_are_left_out_and_the_result_repeats()
    {
        var (x, y) = Data(100, 4, 7);
        var options = new SupportVectorOptions { Cost = 10, Gamma = 0.5, Epsilon = 3 };
        var model = Train(x, y, options);
        Assert.InRange(model.Coefficients.Length, 2, 99);
        Assert.DoesNotContain(0, model.Coefficients.ToArray());
        var again = Train(x, y, options);
        Assert.Equal(model.Coefficients.ToArray(), again.Coefficients.ToArray());
        Assert.Equal(model.Rho, again.Rho);
    }

    [Fact]
    public void What_cannot_be_trained_on_is_refused()
    {
        Assert.Contains(
            "constant fits", Assert.Throws<DatasetException>(() => Train([[0], [1]], [1, 1.1])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Train([], []));
        Assert.Throws<ArgumentException>(() => Train([[0], [1]], [1]));
        Assert.Throws<ArgumentException>(() => Train([[0], [1, 2]], [1, 2]));
        Assert.Throws<ArgumentException>(() => Train([[0], [double.NaN]], [1, 2]));
        Assert.Throws<ArgumentException>(() => Train([[0], [1]], [1, double.NaN]));
        Assert.Contains("Cost above 0; found 0", Assert.Throws<ArgumentException>(
            () => Train([[0], [1]], [1, 2], new() { Cost = 0 })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Train([[0], [1]], [1, 2], new() { Epsilon = -1 }));
        Assert.Throws<OperationCanceledException>(() => SupportVectorTrainer.Train([[0], [1]], [1, 9], null, new CancellationToken(true)));
    }

    [Fact]
    public void Written_and_read_again_it_is_the_same_model()
    {
        var (x, y) = Data(60, 36, 8);
        var range = LibSvmRange.Fit(x);
        foreach (var row in x)
            range.Scale(row, row);
        Assert.Equal(-1, x.Min(row => row[5]), 1e-15);
        Assert.Equal(1, x.Max(row => row[5]), 1e-15);
        var model = Train(x, y);
        var read = LibSvmModel.Parse(LibSvmModel.Format(model), "m");
        Assert.Equal(model.Coefficients.ToArray(), read.Coefficients.ToArray());
        Assert.Equal(model.SupportVectors.ToArray(), read.SupportVectors.ToArray());
        Assert.Equal((model.Gamma, model.Rho), (read.Gamma, read.Rho));
        var (raw, expected, found) = (Data(1, 36, 9).Rows[0], new double[36], new double[36]);
        range.Scale(raw, expected);
        LibSvmRange.Parse(range.Format(), "r").Scale(raw, found);
        Assert.Equal(expected, found);
    }

    [Fact]
    public void Svm_predict_gives_the_same_values_and_svm_train_the_same_function()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/svm-predict") && File.Exists(
            "/usr/bin/svm-train"), "Needs svm-train and svm-predict (Debian: libsvm-tools).");
        using var folder = TestFiles.NewFolder();
        var (x, y) = Data(150, 8, 10);
        var (others, _) = Data(40, 8, 11);
        var options = new SupportVectorOptions { Cost = 20, Gamma = 0.3, Epsilon = 0.5 };
        var model = Train(x, y, options);
        File.WriteAllText(folder["ours"], LibSvmModel.Format(model));
        File.WriteAllText(folder["train"], Sparse(x, y));
        File.WriteAllText(folder["test"], Sparse(others, new double[others.Length]));
        Run("svm-train", "-q", "-s", "3", "-t", "2", "-c", "20", "-g", "0.3", "-p", "0.5", "-e", "0.001", folder["train"],
            folder["theirs"]);
        Run("svm-predict", "-q", folder["test"], folder["ours"], folder["ours.out"]);
        Run("svm-predict", "-q", folder["test"], folder["theirs"], folder["theirs.out"]);
        var predicted = Numbers(folder["ours.out"]);
        var trained = Numbers(folder["theirs.out"]);
        Assert.Equal(others.Length, predicted.Length);
        for (var i = 0; i < others.Length; i++)
        {
            // svm-predict prints six digits.
            Assert.Equal(model.Predict(others[i]), predicted[i], 2e-4);
            // Two solvers that stop within 0.001 of the optimum.
            Assert.Equal(trained[i], predicted[i], 0.05);
        }

        static double[] Numbers(string path) =>
            [.. File.ReadAllLines(path).Select(line => double.Parse(line, CultureInfo.InvariantCulture))];

        static string Sparse(double[][] rows, double[] targets) => string.Concat(rows.Zip(targets, (row, target) =>
            target.ToString("R", CultureInfo.InvariantCulture) + string.Concat(
                row.Select((value, k) => string.Create(CultureInfo.InvariantCulture, $" {k + 1}:{value:R}"))) + "\n"));

        static void Run(string program, params string[] arguments)
        {
            using var process = Process.Start(
                new ProcessStartInfo("/usr/bin/" + program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, error.Result);
        }
    }

    /// <summary>The coefficient of every row, 0 for those that are no support vectors.</summary>
    private static double[] Coefficients(SupportVectorRegressor model, double[][] rows)
    {
        var coefficients = new double[rows.Length];
        var next = 0;
        for (var i = 0; i < rows.Length && next < model.Coefficients.Length; i++)
            if (model.SupportVectors.Slice(next * model.Dimension, model.Dimension).SequenceEqual(rows[i]))
                coefficients[i] = model.Coefficients[next++];
        Assert.Equal(model.Coefficients.Length, next);
        return coefficients;
    }
}
