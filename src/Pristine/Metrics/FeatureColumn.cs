using Pristine.Media;

namespace Pristine.Metrics;

/// <summary>
/// A <see cref="Feature"/> as a column of a score table: <c>NAME_features</c>, a list of 32-bit floats. It has no score; runs compute it
/// with the metrics, of which those on the same feature cost nothing more.
/// </summary>
/// <param name="feature">The feature.</param>
internal class FeatureColumn(Feature feature) : Metric
{
    private const string Suffix = "_features";

    public Feature Feature => feature;

    public override string Name => feature.Name + Suffix;

    public override string Version => feature.Identity;

    public override string Summary => $"The {feature.Count} numbers of the feature {feature.Name}.";

    public override string Formula => feature.Name;

    public override ImageInput Input => feature.Input;

    public override int MinSide => feature.MinSide;

    internal override bool HasScore => false;

    public override string? ModelSha256 => feature.ModelSha256;

    public override string Device => feature.Device;

    public override string? Missing => feature.Missing;

    public override Metric WithDevice(string device) => new FeatureColumn(feature.WithDevice(device));

    public override MetricScorer CreateScorer() => throw new InvalidOperationException($"{Name} is a vector and has no score.");

    /// <summary>Finds the feature of a column; null when there is none.</summary>
    /// <param name="column">For example <c>resnet50-embedding_features</c>.</param>
    public static FeatureColumn? Find(string column) =>
        MetricCatalog.Features.FirstOrDefault(known => known.Name + Suffix == column) is { } found ? new FeatureColumn(found) : null;

    /// <summary>Finds a feature by its name; null when there is none.</summary>
    public static Feature? Named(string name) => MetricCatalog.Features.FirstOrDefault(known => known.Name == name);

    /// <summary>The column of a feature.</summary>
    public static string NameOf(string feature) => feature + Suffix;
}

/// <summary>The columns of features, by their names: what finds similar images needs one of them.</summary>
internal sealed class FeatureFamily : MetricFamily
{
    /// <inheritdoc/>
    public override Metric? Parse(string name, out string? fault)
    {
        fault = null;
        return FeatureColumn.Find(name);
    }
}
