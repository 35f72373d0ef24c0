using Pristine.Networks;

namespace Pristine.Metrics.Arniqa;

/// <summary>The metrics <c>arniqa[:MODE][:int8][@REGRESSOR]</c>.</summary>
internal sealed class ArniqaFamily : MetricFamily
{
    private static readonly string[] Variants = ["official", "training", "pyiqa", "torchmetrics", "int8"];

    /// <inheritdoc/>
    public override Metric? Parse(string name, out string? fault)
    {
        fault = null;
        var parts = name.Split('@', 2);
        var variants = parts[0].Split(':');
        if (variants[0] != ArniqaFeature.BaseName)
            return null;
        var regressor = parts is [_, var head] ? head : ArniqaHead.Default;
        if (ArniqaHead.All.FirstOrDefault(known => known.Name == regressor) is not { } found)
        {
            fault = $"ARNIQA has no regressor '{regressor}'. Known: {string.Join(", ", ArniqaHead.All.Select(known => known.Name))}"
                + (regressor.Contains(':', StringComparison.Ordinal) ? "; a mode stands before the @." : ".");
            return null;
        }
        var options = new ArniqaOptions { Head = found };
        foreach (var variant in variants.Skip(1))
        {
            if (!Variants.Contains(variant))
            {
                fault = $"ARNIQA has no variant '{variant}'. Known: {string.Join(", ", Variants)}.";
                return null;
            }
            options = variant switch
            {
                "training" => options with { Mode = ArniqaMode.Training },
                "pyiqa" => options with { Mode = ArniqaMode.Pyiqa },
                "torchmetrics" => options with { Mode = ArniqaMode.TorchMetrics },
                "int8" => options with { Precision = NetworkPrecision.Int8 },
                _ => options with { Mode = ArniqaMode.Official },
            };
        }
        return new ArniqaMetric(options);
    }
}
