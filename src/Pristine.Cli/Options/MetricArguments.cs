using System.CommandLine;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Selection;

namespace Pristine.Cli.Options;

/// <summary>What commands compute that give rows: metrics, the cascade before them, vectors of features.</summary>
internal sealed class MetricArguments
{
    private readonly Option<string> _metrics = new("--metrics", "-m")
    {
        Description = "Metrics, separated by commas; 'pristine metrics' lists them",
        HelpName = "A,B",
        DefaultValueFactory = _ => "brisque",
    };

    private readonly Option<string[]> _cascade = new("--cascade")
    {
        Description = "Rule on cheap metrics, for example \"brisque <= 60\": an image that fails it is not scored by the metrics the " +
            "rule does not name; "
            + "may be repeated, all must hold",
        HelpName = "RULE",
    };

    private readonly Option<string[]> _features = new("--features")
    {
        Description = "Features to keep as columns of vectors, NAME_features, for example to find similar images; may be repeated: "
            + string.Join(", ", MetricCatalog.Features.Select(feature => feature.Name)),
        HelpName = "NAME",
    };

    public void AddTo(Command command)
    {
        _features.AcceptOnlyFromAmong([.. MetricCatalog.Features.Select(feature => feature.Name)]);
        command.Options.Add(_metrics);
        command.Options.Add(_cascade);
        command.Options.Add(_features);
    }

    /// <summary>True where the metrics are given, not the default.</summary>
    public bool AreNamed(ParseResult parsed) => parsed.GetResult(_metrics) is { Implicit: false };

    /// <summary>Checks names and rules without asking for what the metrics need to run.</summary>
    /// <returns>The columns that are asked for by name.</returns>
    /// <exception cref="UsageException">A metric is not known.</exception>
    /// <exception cref="RuleException">A rule of the cascade is wrong.</exception>
    public IReadOnlyList<string> Check(ParseResult parsed, Inputs inputs)
    {
        var known = inputs.Known(parsed);
        var chosen = Inputs.Metrics(parsed.GetRequiredValue(_metrics), known);
        var rules = parsed.GetValue(_cascade) ?? [];
        _ = (Cascade.Of(rules, known), Cascade.OfItems(rules, known));
        var vectors = (parsed.GetValue(_features) ?? []).Select(name => new FeatureColumn(MetricCatalog.GetFeature(name)).Name);
        return [.. (AreNamed(parsed) ? chosen.Select(metric => metric.Name) : []).Concat(vectors)];
    }

    /// <summary>How to score.</summary>
    public ScoringOptions Scoring(ParseResult parsed, Inputs inputs)
    {
        var known = inputs.Known(parsed);
        var rules = parsed.GetValue(_cascade) ?? [];
        return inputs.Scoring(parsed, inputs.WithFrames(parsed, Inputs.Metrics(parsed.GetRequiredValue(_metrics), known))) with
        {
            Gates = Cascade.Of(rules, known),
            ItemGates = Cascade.OfItems(rules, known),
            Features = [.. (parsed.GetValue(_features) ?? []).Distinct().Select(MetricCatalog.GetFeature)],
        };
    }
}
