using Pristine.Media;
using Pristine.Networks;

namespace Pristine.Metrics;

/// <summary>
/// Something that is computed from an image: a <see cref="Metric"/>, which is one number, or a <see cref="Feature"/>, which is a vector.
/// </summary>
public abstract class Measure
{
    /// <summary>The name on the command line and the column's name in results, for example <c>brisque</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Changes whenever the same pixels may give other numbers.</summary>
    public virtual string Version => "1";

    /// <summary>What it needs of the image.</summary>
    public abstract ImageInput Input { get; }

    /// <summary>Both sides must have at least this many pixels; a smaller image gets no value and the status <c>too_small</c>.</summary>
    public virtual int MinSide => 1;

    /// <summary>SHA-256 of the model file in lower-case hex; null without a model, or where the model is not installed.</summary>
    public virtual string? ModelSha256 => null;

    /// <summary>Where it runs, as <see cref="NetworkDevice"/> names it: the CPU, unless it has a network.</summary>
    public virtual string Device => NetworkDevice.Cpu;

    /// <summary>The same on another device, under the same name; what has no network stays where it is.</summary>
    /// <param name="device">
    /// <c>cpu</c> or <c>cuda:N</c>. Whether it is there turns out when a worker is made, or beforehand by
    /// <see cref="NetworkDevice.Check"/>.
    /// </param>
    public virtual Measure WithDevice(string device) => this;

    /// <summary>Null when it can be computed here; otherwise what is missing and the command that remedies it.</summary>
    public virtual string? Missing => null;
}
