namespace Pristine.Metrics.Brisque;

/// <summary>One of the 36 numbers that BRISQUE describes an image by.</summary>
/// <param name="Index">Its place, 0..35.</param>
/// <param name="Name">Lower-case name, unique.</param>
/// <param name="Description">What it is, with its unit and range.</param>
public sealed record BrisqueFeature(int Index, string Name, string Description);

/// <summary>
/// The 36 features of BRISQUE, in the paper's order: 18 at full size, then the same 18 at half size. They describe how the MSCN pixels
/// (each pixel less its local mean, over its local standard deviation) and the products of neighbouring MSCN pixels are distributed.
/// Values are without unit. A feature is NaN where no value of the sign it describes occurs, as in constant images.
/// </summary>
public static class BrisqueFeatures
{
    /// <summary>Number of features.</summary>
    public const int Count = 36;

    /// <summary>Features of one scale.</summary>
    public const int PerScale = Count / 2;

    /// <summary>All features, by index.</summary>
    public static IReadOnlyList<BrisqueFeature> All { get; } =
        [.. Describe().Select((f, i) => new BrisqueFeature(i, f.Name, f.Description))];

    private static IEnumerable<(string Name, string Description)> Describe()
    {
        foreach (var (prefix, scale) in new[] { ("", "full size"), ("half_", "half size") })
        {
            yield return ($"{prefix}mscn_shape",
                $"Shape of the distribution of MSCN pixels at {scale}, 0.2 to 10: 2 is Gaussian, 1 Laplacian; blur lowers it, noise " +
                $"raises it.");
            yield return ($"{prefix}mscn_variance",
                $"Variance of the MSCN pixels at {scale}, at least 0: the mean of the variances below and above zero.");
            foreach (var (direction, neighbour) in new[]
            {
                ("horizontal", "to the right"), ("vertical", "below"), ("main_diagonal", "below right"), ("anti_diagonal", "below left"),
            })
            {
                var product = $"products of MSCN pixels with their neighbours {neighbour}, at {scale}";
                yield return ($"{prefix}{direction}_shape", $"Shape of the asymmetric distribution of the {product}, 0.2 to 10.");
                yield return ($"{prefix}{direction}_mean",
                    $"Mean of the fitted asymmetric distribution of the {product}: positive where neighbours resemble each other.");
                yield return ($"{prefix}{direction}_left_variance", $"Mean square of the negative {product}; at least 0.");
                yield return ($"{prefix}{direction}_right_variance", $"Mean square of the positive {product}; at least 0.");
            }
        }
    }
}
