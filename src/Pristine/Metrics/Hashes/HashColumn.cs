namespace Pristine.Metrics.Hashes;

/// <summary>
/// A perceptual hash as a column of a score table: text of 16 hexadecimal digits. It is asked for like a metric, by its name, but has no
/// score: nothing ranks images by it.
/// </summary>
internal sealed class HashColumn() : FeatureColumn(new PerceptualHash())
{
    /// <summary>The column's name.</summary>
    public const string Hash = "phash";

    public override string Name => Hash;

    public override string Version => "1";

    public override string Summary =>
        "Perceptual hash of 64 bits: copies of an image that were resized or compressed again differ in few of them.";

    public override string Formula =>
        "DCT-II of the 32 x 32 area averages of luma; of the coefficients with frequencies 1 to 8 on both axes a bit each: larger than " +
        "their median";

    public override string Citation =>
        "C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010; see docs/duplicates.md.";

    public override string Notes =>
        "A text of 16 hexadecimal digits. Missing for images without content (one colour). Hashes of other programs cannot be compared " +
        "with it.";

    public override MetricRange Range => new(double.NegativeInfinity, double.PositiveInfinity);

    public override Metric WithDevice(string device) => this;
}

/// <summary>The hashes, by their names.</summary>
internal sealed class HashFamily : MetricFamily
{
    /// <inheritdoc/>
    public override Metric? Parse(string name, out string? fault)
    {
        fault = null;
        return name == HashColumn.Hash ? new HashColumn() : null;
    }
}
