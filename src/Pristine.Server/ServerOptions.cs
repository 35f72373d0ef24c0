using System.Net;
using Pristine.Metrics;
using Pristine.Remote;
using Pristine.Scoring;

namespace Pristine.Server;

/// <summary>How a table is served.</summary>
internal sealed record ServerOptions
{
    /// <summary>Where to listen. Other than loopback needs a <see cref="Token"/>.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 for one that is free.</summary>
    public int Port { get; init; }

    /// <summary>What every request must show; null to ask for nothing, on loopback only.</summary>
    public string? Token { get; init; }

    /// <summary>Names that the Host header may have besides those of <see cref="Address"/>.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>
    /// Whether it listens on all addresses of this machine. They are many, and none of them is in <see cref="Address"/>: its name stands
    /// for them.
    /// </summary>
    public bool IsEverywhere => Address.Equals(IPAddress.Any) || Address.Equals(IPAddress.IPv6Any);

    /// <summary>The names that the Host header may have. Elsewhere than on loopback the first of them is the one to tell.</summary>
    public IReadOnlyList<string> Names => IPAddress.IsLoopback(Address)
        ? ["localhost", "127.0.0.1", "[::1]", .. Hosts]
        : [.. Hosts, IsEverywhere ? Dns.GetHostName() : Address.ToString(), "localhost"];

    /// <summary>The file of overrides.</summary>
    public required string Overrides { get; init; }

    /// <summary>Who decides, as the overrides name them.</summary>
    public string? By { get; init; }

    /// <summary>Folder of relative image paths; null for where they were scored.</summary>
    public string? ImageRoot { get; init; }

    /// <summary>Folders besides the dataset's own whose images may be shown.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    /// <summary>How uploaded images are scored: metrics, workers, decoding. Its workers bound what is decoded at a time.</summary>
    public required ScoringOptions Scoring { get; init; }

    /// <summary>The metrics that rules may name.</summary>
    public MetricSet Known { get; init; } = MetricSet.BuiltIn;

    /// <summary>Longest body of a request, and the most bytes that are read from an address.</summary>
    public long MostUploadBytes { get; init; } = 32L << 20;

    /// <summary>The longest file of kept items that is made for a client.</summary>
    public long MostExportBytes { get; init; } = 4L << 30;

    /// <summary>Reads addresses; null for the default limits, which exclude hosts that are not public.</summary>
    public RemoteAccess? Remote { get; init; }

    /// <summary>Whether images at addresses are read: those that POST /score names, and those of the table's rows.</summary>
    public bool ReadsAddresses { get; init; } = true;
}
