using System.Globalization;
using Pristine.Experiments.Training;

namespace Pristine.Cli.Display;

/// <summary>Tells on stderr how an experiment goes.</summary>
internal sealed class ExperimentDisplay : IExperimentProgress, IDisposable
{
    private readonly LiveLine _line = new();
    private Progress? _images;

    public void Begin(string stage)
    {
        Clear();
        Console.Error.WriteLine($"{char.ToUpperInvariant(stage[0])}{stage[1..]}.");
        _images = new Progress();
    }

    public void Image(bool usable) => _images!.Add(1, usable ? 0 : 1);

    public void Model(string condition, ExperimentCell cell, int done, int total)
    {
        if (!LiveLine.IsLive && !_line.IsDue && done < total)
            return;
        var outcome = cell.Outcome == null
            ? "nothing to train on"
            : string.Create(CultureInfo.InvariantCulture, $"{100 * cell.Accuracy:0.0} %");
        _line.Show(string.Create(CultureInfo.InvariantCulture, $"{done:N0} of {total:N0}: {condition}, seed {cell.Seed}: {outcome}"));
    }

    public void Dispose() => Clear();

    private void Clear()
    {
        LiveLine.Clear();
        _images?.Dispose();
        _images = null;
    }
}
