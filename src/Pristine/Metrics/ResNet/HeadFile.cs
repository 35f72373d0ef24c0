namespace Pristine.Metrics.ResNet;

/// <summary>The files that <c>pristine fit</c> writes, as metrics.</summary>
internal static class HeadFile
{
    /// <summary>What <c>--head</c> takes.</summary>
    public static MetricFile File { get; } = new(
        "head", "FILE",
        $"A head that 'pristine fit' trained: adds the metric {ResNetMetric.BaseName}@NAME, " +
        $"{string.Join(" or ", PristineNetwork.Names.Select(name => name + "@NAME"))}; may be repeated",
        file => ToMetric(QualityHead.Read(file)));

    /// <summary>The metric of a regressor: which one, its features say.</summary>
    /// <param name="head">The regressor.</param>
    /// <exception cref="ArgumentException">There are no such features; the message says which there are.</exception>
    public static Metric ToMetric(QualityHead head) =>
        PristineNetwork.Of(head) != null ? new PristineMetric(head) : new ResNetMetric(head);
}
