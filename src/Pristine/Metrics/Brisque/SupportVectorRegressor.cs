using Pristine.Kernels;

namespace Pristine.Metrics.Brisque;

/// <summary>
/// Support vector regression with a Gaussian (RBF) kernel: f(x) = sum_i c_i exp(-gamma |x - s_i|^2) - rho. Immutable; one instance may
/// serve any number of threads.
/// </summary>
public sealed class SupportVectorRegressor
{
    private readonly double _gamma, _rho;
    private readonly double[] _coefficients, _supportVectors;

    /// <summary>Takes over the arrays of a trained model.</summary>
    /// <param name="gamma">Width of the kernel; finite and above 0.</param>
    /// <param name="rho">Offset that is subtracted; finite.</param>
    /// <param name="coefficients">One finite coefficient per support vector; at least one.</param>
    /// <param name="supportVectors">
    /// The support vectors, one after the other: coefficients.Length x <see cref="Dimension"/> finite values.
    /// </param>
    /// <exception cref="ArgumentException">A value or a length is not as said.</exception>
    public SupportVectorRegressor(double gamma, double rho, double[] coefficients, double[] supportVectors)
    {
        ArgumentNullException.ThrowIfNull(coefficients);
        ArgumentNullException.ThrowIfNull(supportVectors);
        if (!(gamma > 0 && double.IsFinite(gamma)))
            throw new ArgumentException($"Expected a finite gamma above 0; found {gamma}.", nameof(gamma));
        if (!double.IsFinite(rho))
            throw new ArgumentException($"Expected a finite rho; found {rho}.", nameof(rho));
        if (coefficients.Length == 0)
            throw new ArgumentException("Expected at least one support vector; found none.", nameof(coefficients));
        if (supportVectors.Length == 0 || supportVectors.Length % coefficients.Length != 0)
            throw new ArgumentException(
                $"Expected the support vectors to hold a multiple of {coefficients.Length} values, one row per coefficient; found " +
                $"{supportVectors.Length}.",
                nameof(supportVectors));
        RequireFinite(coefficients, nameof(coefficients));
        RequireFinite(supportVectors, nameof(supportVectors));
        (_gamma, _rho, _coefficients, _supportVectors) = (gamma, rho, coefficients, supportVectors);
        Dimension = supportVectors.Length / coefficients.Length;
    }

    /// <summary>Number of features that the model takes.</summary>
    public int Dimension { get; }

    /// <summary>Width of the kernel.</summary>
    public double Gamma => _gamma;

    /// <summary>Offset that is subtracted.</summary>
    public double Rho => _rho;

    /// <summary>One coefficient per support vector.</summary>
    public ReadOnlySpan<double> Coefficients => _coefficients;

    /// <summary>The support vectors, one after the other.</summary>
    public ReadOnlySpan<double> SupportVectors => _supportVectors;

    /// <summary>
    /// The model's answer. An input with a value that is not finite counts as infinitely far from every support vector, so that all
    /// kernels vanish and the answer is -rho. Allocates nothing.
    /// </summary>
    /// <param name="x">The features, scaled as in training; <see cref="Dimension"/> values.</param>
    /// <returns>A finite value, provided the sum of the coefficients' magnitudes is.</returns>
    /// <exception cref="ArgumentException">The number of values is another.</exception>
    public double Predict(ReadOnlySpan<double> x) => Predict(x, Simd.Current);

    internal double Predict(ReadOnlySpan<double> x, SimdPath path)
    {
        if (x.Length != Dimension)
            throw new ArgumentException($"Expected {Dimension} features; found {x.Length}.", nameof(x));
        foreach (var value in x)
            if (!double.IsFinite(value))
                return -_rho;
        var sum = 0.0;
        for (var i = 0; i < _coefficients.Length; i++)
            sum += _coefficients[i] * Math.Exp(
                -_gamma * SquaredDistance.Between(x, _supportVectors.AsSpan(i * Dimension, Dimension), path));
        return sum - _rho;
    }

    private static void RequireFinite(double[] values, string name)
    {
        var at = Array.FindIndex(values, value => !double.IsFinite(value));
        if (at >= 0)
            throw new ArgumentException($"Expected finite values; found {values[at]} at index {at}.", name);
    }
}
