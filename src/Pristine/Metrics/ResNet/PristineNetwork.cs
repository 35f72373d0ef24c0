using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Metrics.ResNet;

/// <summary>A part of an image that a network sees.</summary>
/// <param name="Side">The image is shrunk to the area of a square of this side.</param>
/// <param name="Piece">Side of the square that is cut out of its middle; null for all of it.</param>
internal sealed record PristineView(int Side, int? Piece = null);

/// <summary>A network that this repository trained and carries (training/README.md): its files, and what it sees of an image.</summary>
internal sealed class PristineNetwork
{
    /// <summary>The small one: opinion, damage and the kinds of damage.</summary>
    public static PristineNetwork Small { get; } = new()
    {
        Name = PristineMetric.BaseName,
        Revision = 3,
        Architecture = "three stages of a ResNet-18",
        Views = [new(288), new(512, 192)],
        Means = [123, 116, 103],
        StageChannels = [64, 128, 256],
        Outputs = PristineCheckpoint.Outputs,
    };

    /// <summary>The large one: opinion alone.</summary>
    public static PristineNetwork Large { get; } = new()
    {
        Name = "pristine-large",
        Revision = 1,
        Architecture = "three stages and a block of a ResNet-50",
        Views = [new(384)],
        Means = [124, 117, 104],
        StageChannels = [256, 512, 1024, 2048],
        Outputs = [PristineCheckpoint.Quality],
    };

    private readonly Lazy<IReadOnlyDictionary<string, QualityHead>> _heads;

    /// <summary>A network, described by its properties.</summary>
    public PristineNetwork() => _heads = new(() =>
        QualityHead.ParseAll(BundledFile.Read(HeadsFile), HeadsFile).ToDictionary(head => head.Name, StringComparer.Ordinal));

    /// <summary>Those that are carried.</summary>
    public static IReadOnlyList<PristineNetwork> All { get; } = [Small, Large];

    /// <summary>The names of all.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(network => network.Name)];

    /// <summary>Name of its features, and of its opinion.</summary>
    public required string Name { get; init; }

    /// <summary>Counts the networks of this name that were carried: another one gives other features.</summary>
    public required int Revision { get; init; }

    /// <summary>What it is, for descriptions.</summary>
    public required string Architecture { get; init; }

    /// <summary>What it sees of an image.</summary>
    public required IReadOnlyList<PristineView> Views { get; init; }

    /// <summary>R, G and B of the border, in whole numbers: the means that are nothing for the network, to within half a level.</summary>
    public required IReadOnlyList<byte> Means { get; init; }

    /// <summary>Channels at the ends of the stages.</summary>
    public required IReadOnlyList<int> StageChannels { get; init; }

    /// <summary>Numbers per view: mean and deviation of every channel at the ends of the stages.</summary>
    public int Statistics => 2 * StageChannels.Sum();

    /// <summary>The regressors of <see cref="HeadsFile"/>.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>Identity of its features.</summary>
    public string Identity => $"{Name}:{Revision}:int8";

    /// <summary>Numbers per image: those of the views in their order; finite and not negative.</summary>
    public int Count => Views.Count * Statistics;

    /// <summary>The regressor of the opinion, for those who begin with it.</summary>
    public QualityHead Opinion => Head(PristineCheckpoint.Quality);

    private string GraphFile => Name + "-int8.onnx";

    private string HeadsFile => Name + ".heads";

    /// <summary>A carried regressor.</summary>
    public QualityHead Head(string name) => _heads.Value[name];

    /// <summary>The network, ready to run; every caller in the process gets the same session.</summary>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <exception cref="PlatformNotSupportedException">The device is not available.</exception>
    public OnnxRuntimeSession Open(string device) =>
        NetworkSessions.Open(GraphFile, device, () => new OnnxRuntimeSession(BundledFile.Read(GraphFile), device, isTrained: true));

    /// <summary>By its regressors' features, or null.</summary>
    public static PristineNetwork? Of(QualityHead head) => All.FirstOrDefault(network => network.Identity == head.Features);
}
