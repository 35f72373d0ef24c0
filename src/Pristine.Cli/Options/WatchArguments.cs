using System.CommandLine;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using Pristine.Scoring;

namespace Pristine.Cli.Options;

/// <summary>How a run tells what it does: <c>--progress</c> and <c>--otlp</c>.</summary>
internal sealed class WatchArguments
{
    private readonly Option<string> _progress = new("--progress")
    {
        Description = "On stderr: text, json (an object a line, every two seconds and at the end, with counts, rate and the time of each " +
            "stage) or none",
        HelpName = "HOW",
        DefaultValueFactory = _ => "text",
    };

    private readonly Option<string?> _otlp = new("--otlp")
    {
        Description = "Send the counters pristine.images and pristine.stage.time to an OpenTelemetry collector, for example " +
            "http://localhost:4318",
        HelpName = "URL",
    };

    public void AddTo(Command command)
    {
        _progress.OneOf("text", "json", "none");
        _otlp.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } url && Endpoint(url) == null)
                result.AddError($"--otlp: expected the http:// or https:// address of a collector; found '{url}'.");
        });
        command.Options.Add(_progress);
        command.Options.Add(_otlp);
    }

    /// <summary>How progress is told.</summary>
    public string Progress(ParseResult parsed) => parsed.GetRequiredValue(_progress);

    /// <summary>Starts to send counters, until what is returned is disposed; null where nobody asked for it.</summary>
    public IDisposable? StartSending(ParseResult parsed)
    {
        if (parsed.GetValue(_otlp) is not { } url)
            return null;
        return Sdk.CreateMeterProviderBuilder()
            .AddMeter(RunWatch.MeterName)
            .ConfigureResource(resource => resource.AddService("pristine", serviceVersion: ProgramVersion.Number))
            .AddOtlpExporter(exporter =>
            {
                exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
                exporter.Endpoint = new Uri(Endpoint(url)!, "v1/metrics");
            })
            .Build();
    }

    /// <summary>The address that paths are put behind; null for what is none.</summary>
    private static Uri? Endpoint(string url) =>
        Uri.TryCreate(url.EndsWith('/') ? url : url + "/", UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? uri : null;
}
