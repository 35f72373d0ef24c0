using System.CommandLine;
using Pristine.Remote;

namespace Pristine.Cli.Options;

/// <summary>How addresses are read: the options of every command that opens datasets.</summary>
internal sealed class RemoteArguments
{
    private static readonly RemoteOptions Default = new();

    private readonly Option<bool> _allowPrivate = new("--allow-private-hosts")
    {
        Description = "Read addresses (https://...) also of hosts that are not public: this machine, the local network",
    };

    private readonly Option<int> _connections = new("--connections")
    {
        Description = "Requests at a time to one host",
        HelpName = "N",
        DefaultValueFactory = _ => Default.MaxConnectionsPerHost,
    };

    private readonly Option<double> _timeout = new("--network-timeout")
    {
        Description = "How long a server may be silent before it is asked again",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => Default.Timeout.TotalSeconds,
    };

    private readonly Option<int> _attempts = new("--network-attempts")
    {
        Description = "How often an address is asked for before it fails (status network)",
        HelpName = "N",
        DefaultValueFactory = _ => Default.Attempts,
    };

    private RemoteAccess? _access;

    public void AddTo(Command command)
    {
        command.Options.Add(_allowPrivate);
        command.Options.Add(_connections);
        command.Options.Add(_timeout);
        command.Options.Add(_attempts);
        _connections.Between(1, Default.MaxConnections);
        _attempts.Between(1, 100);
        _timeout.Number("seconds above 0 and up to 86400", seconds => seconds is > 0 and <= 86_400);
    }

    /// <summary>What reads addresses, one for the whole command. Its connections end with the process.</summary>
    public RemoteAccess Access(ParseResult parsed) => _access ??= new RemoteAccess(new RemoteOptions
    {
        AllowPrivateHosts = parsed.GetValue(_allowPrivate),
        MaxConnectionsPerHost = parsed.GetValue(_connections),
        Timeout = TimeSpan.FromSeconds(parsed.GetValue(_timeout)),
        Attempts = parsed.GetValue(_attempts),
    });
}
