using System.CommandLine;
using Pristine.Cloud;
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

    private readonly Option<string?> _endpoint = new("--s3-endpoint")
    {
        Description = "Server of s3:// addresses, for example http://minio:9000; default: AWS_ENDPOINT_URL, else Amazon's",
        HelpName = "URL",
    };

    private readonly Option<string?> _region = new("--s3-region")
    {
        Description = "Region of s3:// addresses; default: AWS_REGION, else the profile's",
        HelpName = "NAME",
    };

    private readonly Option<string?> _style = new("--s3-style")
    {
        Description = "Where requests name the bucket: path or host; default: path with an endpoint of one's own, else host",
    };

    private readonly Option<bool> _anonymous = new("--s3-anonymous")
    {
        Description = "Read public buckets (s3://, gs://) without credentials",
    };

    private RemoteAccess? _access;

    public void AddTo(Command command)
    {
        command.Options.Add(_allowPrivate);
        command.Options.Add(_connections);
        command.Options.Add(_timeout);
        command.Options.Add(_attempts);
        command.Options.Add(_endpoint);
        command.Options.Add(_region);
        command.Options.Add(_style);
        command.Options.Add(_anonymous);
        _style.OneOf("path", "host");
        _endpoint.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text
                && !(Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
                result.AddError($"--s3-endpoint: expected an address that starts with https:// or http://; found '{text}'.");
        });
        _connections.Between(1, Default.MaxConnections);
        _attempts.Between(1, 100);
        _timeout.Number("seconds above 0 and up to 86400", seconds => seconds is > 0 and <= 86_400);
    }

    /// <summary>What reads addresses, one for the whole command. Its connections end with the process.</summary>
    public RemoteAccess Access(ParseResult parsed) => _access ??= new RemoteAccess(
        new RemoteOptions
        {
            AllowPrivateHosts = parsed.GetValue(_allowPrivate),
            MaxConnectionsPerHost = parsed.GetValue(_connections),
            Timeout = TimeSpan.FromSeconds(parsed.GetValue(_timeout)),
            Attempts = parsed.GetValue(_attempts),
        },
        new S3Store(new S3Options
        {
            Endpoint = parsed.GetValue(_endpoint) is { } endpoint ? new Uri(endpoint) : null,
            Region = parsed.GetValue(_region),
            PathStyle = parsed.GetValue(_style) switch { null => null, var style => style == "path" },
            Anonymous = parsed.GetValue(_anonymous),
            MaxConnections = parsed.GetValue(_connections),
            Attempts = parsed.GetValue(_attempts),
        }),
        S3Store.OfGoogle(new S3Options
        {
            Anonymous = parsed.GetValue(_anonymous),
            MaxConnections = parsed.GetValue(_connections),
            Attempts = parsed.GetValue(_attempts),
        }),
        new AzureStore(new AzureOptions { Attempts = parsed.GetValue(_attempts) }));
}
