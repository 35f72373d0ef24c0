using Pristine.Metrics.Brisque;
using Pristine.Models;

namespace Pristine.Tests.Metrics.Brisque;

public class LibSvmTests
{
    private const string Header = "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.5\nnr_class 2\ntotal_sv 2\nrho -3\nprobA 5.7\nSV\n";

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void Reads_sparse_support_vectors(string newLine)
    {
        var model = LibSvmModel.Parse(
            (Header + "2 2:1 \n-1e0 1:1 2:1 4:-2.5e-001\n").Replace("\n", newLine, StringComparison.Ordinal), "m");
        Assert.Equal(4, model.Dimension);
        // Against (1, 0, 0, 0) the vectors (0, 1, 0, 0) and (1, 1, 0, -0.25) lie at squared distances 2 and 1.0625.
        Assert.Equal(2 * Math.Exp(-1) - Math.Exp(-.5 * 1.0625) + 3, model.Predict([1, 0, 0, 0]), 1e-15);
    }

    [Fact]
    public void Nu_regression_reads_the_same() =>
        Assert.Equal(
            1, LibSvmModel.Parse(Header.Replace("epsilon_svr", "nu_svr", StringComparison.Ordinal) + "1 1:1\n1 1:2\n", "m").Dimension);

    [Theory]
    [InlineData("epsilon_svr", "c_svc", "line 1: expected svm_type epsilon_svr or nu_svr (a regression); found c_svc")]
    [InlineData("kernel_type rbf", "kernel_type linear", "line 2: expected kernel_type rbf; found linear")]
    [InlineData("gamma 0.5", "gamma x", "line 3: expected gamma, a finite number; found x")]
    [InlineData("gamma 0.5", "gamma nan", "line 3: expected gamma, a finite number; found nan")]
    [InlineData("gamma 0.5", "gamma -1", "line 3: expected gamma above 0; found -1")]
    [InlineData("gamma 0.5\n", "", "expected a line gamma before SV; found none")]
    [InlineData("nr_class 2", "nr_class 3", "line 4: expected nr_class 2, as every regression has; found 3")]
    [InlineData("total_sv 2", "total_sv 0", "line 5: expected total_sv, a whole number above 0; found 0")]
    [InlineData("total_sv 2", "total_sv 3", "expected 3 support vectors, as total_sv says; found 2 before the end of the file")]
    [InlineData("total_sv 2", "total_sv 1", "line 10: expected 1 support vectors, as total_sv says; found more")]
    [InlineData("rho -3", "label 1", "line 6: expected svm_type, kernel_type, gamma, nr_class, total_sv, rho, probA or SV; found label")]
    [InlineData("rho -3", "rho", "line 6: expected a name and its value, or SV; found rho")]
    [InlineData("SV\n1 1:1 2:3\n-1 1:2\n", "", "expected a line SV before the support vectors; found the end of the file")]
    [InlineData("1 1:1 2:3", "one 1:1 2:3", "line 9: expected a coefficient, a finite number; found one")]
    [InlineData("1 1:1 2:3", "1 1:1 2:", "line 9: expected the value of feature 2, a finite number; found ")]
    [InlineData("1 1:1 2:3", "1 1:1 2", "line 9: expected index:value; found 2")]
    [InlineData("1 1:1 2:3", "1 0:1 2:3", "line 9: expected a feature index of 1 to 65536; found 0")]
    [InlineData("1 1:1 2:3", "1 1:1 99999999:3", "line 9: expected a feature index of 1 to 65536; found 99999999")]
    [InlineData("1 1:1 2:3", "1 2:1 1:3", "line 9: expected a feature index above 2, in ascending order; found 1:3")]
    public void Says_what_is_wrong_with_a_model_and_where(string part, string replacement, string message)
    {
        var text = Header + "1 1:1 2:3\n-1 1:2\n";
        Assert.NotNull(LibSvmModel.Parse(text, "m"));
        var error = Assert.Throws<ModelException>(
            () => LibSvmModel.Parse(text.Replace(part, replacement, StringComparison.Ordinal), "models/m"));
        Assert.StartsWith("models/m, line ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scales_linearly_without_clipping_and_leaves_out_what_has_no_range()
    {
        var range = LibSvmRange.Parse("x\n-1 1\n1 0 10\n3 5 5\n4 1.5e-005 2\n", "r");
        Assert.Equal(4, range.Dimension);
        var scaled = new double[4];
        range.Scale([15, 3, 5, 1.5e-5], scaled);
        Assert.Equal([2, 0, 0, -1], scaled);
        range.Scale([double.NaN, double.NaN, double.PositiveInfinity, double.NegativeInfinity], scaled);
        Assert.All(scaled, value => Assert.False(double.IsFinite(value)));
    }

    [Theory]
    [InlineData("x\n", "y\n0 1\n0 100\nx\n", "line 1: expected a line x (scaled targets, section y, are not supported); found y")]
    [InlineData("-1 1\n", "-1\n", "line 2: expected the lower and the upper end of the scaled range; found -1")]
    [InlineData("-1 1\n", "1 1\n", "line 2: expected a lower end below the upper end; found 1 1")]
    [InlineData("1 0 10\n2 3 4\n", "", "expected at least one feature; found the end of the file")]
    [InlineData("-1 1\n1 0 10\n2 3 4\n", "", "expected the lower and the upper end of the scaled range; found the end of the file")]
    [InlineData("2 3 4", "2 3", "line 4: expected index, minimum and maximum of a feature; found 2 3")]
    [InlineData("2 3 4", "2 3 inf", "line 4: expected the maximum of feature 2, a finite number; found inf")]
    [InlineData("2 3 4", "2 4 3", "line 4: expected a minimum of feature 2 that is not above its maximum; found 2 4 3")]
    [InlineData("2 3 4", "1 3 4", "line 4: expected a feature index above 1, in ascending order; found 1")]
    [InlineData("2 3 4", "-2 3 4", "line 4: expected a feature index of 1 to 65536; found -2")]
    public void Says_what_is_wrong_with_a_range_and_where(string part, string replacement, string message)
    {
        const string Text = "x\n-1 1\n1 0 10\n2 3 4\n";
        Assert.Equal(2, LibSvmRange.Parse(Text, "r").Dimension);
        var error = Assert.Throws<ModelException>(
            () => LibSvmRange.Parse(Text.Replace(part, replacement, StringComparison.Ordinal), "models/r"));
        Assert.StartsWith("models/r, line ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scaling_checks_lengths()
    {
        var range = LibSvmRange.Parse("x\n-1 1\n1 0 10\n", "r");
        Assert.Throws<ArgumentException>(() => range.Scale([1, 2], new double[1]));
        Assert.Throws<ArgumentException>(() => range.Scale([1], new double[2]));
    }
}
