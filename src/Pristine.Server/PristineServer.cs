using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Server;

/// <summary>A table that is served over HTTP until this is disposed. docs/serve.md describes what can be asked.</summary>
internal sealed class PristineServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ServerApi _api;

    private PristineServer(WebApplication application, ServerApi api, ServerOptions options)
    {
        (_application, _api) = (application, api);
        var bound = new Uri(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var host = options.IsEverywhere ? options.Names[0] : bound.Host;
        Address = new Uri($"http://{host}:{bound.Port}/");
    }

    /// <summary>Where it listens, as a browser opens it.</summary>
    public Uri Address { get; }

    /// <summary>Methods and paths that can be asked for.</summary>
    public static IReadOnlyList<(string Method, string Path)> Routes => ServerApi.Routes;

    /// <summary>Starts to listen.</summary>
    /// <param name="table">The table.</param>
    /// <param name="options">How it is served.</param>
    /// <exception cref="OverrideException">The file of overrides cannot be used.</exception>
    /// <exception cref="IOException">The port is taken or not allowed, or the address is none of this machine.</exception>
    public static async Task<PristineServer> StartAsync(ScoreTable table, ServerOptions options)
    {
        if (!IPAddress.IsLoopback(options.Address) && string.IsNullOrEmpty(options.Token))
            throw new ArgumentException($"Expected a token to listen on {options.Address}, which others can reach; found none.",
                nameof(options));
        // Nothing is read from the environment or the current folder.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "pristine" });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MostUploadBytes;
            kestrel.Limits.MaxConcurrentConnections = 512;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 << 10;
            kestrel.Listen(options.Address, options.Port);
        });
        builder.Services.AddRoutingCore();
        // Ctrl-C is the command's to handle.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        var application = builder.Build();
        ServerApi? api = null;
        try
        {
            api = new ServerApi(table, options);
            var guard = new RequestGuard(options);
            application.Use(next => context => GuardAsync(context, guard, next));
            application.UseRouting();
            api.MapTo(application);
            await ListenAsync(application, options);
            return new PristineServer(application, api, options);
        }
        catch
        {
            await application.DisposeAsync();
            api?.Dispose();
            throw;
        }
    }

    /// <summary>Ends the requests that are under way and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5)))
            await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
        _api.Dispose();
    }

    private static async Task ListenAsync(WebApplication application, ServerOptions options)
    {
        try
        {
            await application.StartAsync();
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            throw new IOException(
                $"Expected a port that is free; {options.Port} of {options.Address} is in use. --port 0 takes one that is free.",
                exception);
        }
        catch (SocketException exception)
        {
            throw new IOException(
                $"Expected an address of this machine and a port that may be listened on; found " +
                $"{new IPEndPoint(options.Address, options.Port)}: {exception.Message}.", exception);
        }
    }

    private static async Task GuardAsync(HttpContext context, RequestGuard guard, RequestDelegate next)
    {
        RequestGuard.AddHeaders(context.Response.Headers);
        try
        {
            guard.Check(context);
            if (HttpMethods.IsGet(context.Request.Method) && context.Request.Path == "/" && guard.HasTokenInQuery(context.Request))
            {
                // The token goes out of the address, where history and screenshots would show it.
                context.Response.Cookies.Append(
                    RequestGuard.Cookie, context.Request.Query[RequestGuard.Query].ToString(),
                    new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/" });
                context.Response.Redirect("/");
                return;
            }
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 405 })
            {
                await ServerApi.WriteErrorAsync(
                    context, 405, $"Expected {context.Response.Headers.Allow.ToString().Replace(", ", " or ", StringComparison.Ordinal)} " +
                    $"at {context.Request.Path}; found {context.Request.Method}.");
            }
            else if (context.Response is { HasStarted: false, StatusCode: 404 } && context.GetEndpoint() == null)
                await ServerApi.WriteErrorAsync(context, 404, "There is no such address here; /openapi.json lists them.");
        }
        catch (RequestException exception)
        {
            await ServerApi.WriteErrorAsync(context, exception.Status, exception.Message);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            await ServerApi.WriteErrorAsync(
                context, exception.StatusCode,
                $"Expected a body of at most {guard.MostUploadMegabytes} MiB (--max-upload-megabytes); found a longer one.");
        }
        catch (BadHttpRequestException exception)
        {
            await ServerApi.WriteErrorAsync(context, exception.StatusCode, exception.Message);
        }
        catch (RuleException exception)
        {
            await ServerApi.WriteErrorAsync(context, 400, exception.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
        catch (Exception exception) when (exception is PristineException or IOException or UnauthorizedAccessException)
        {
            await ServerApi.WriteErrorAsync(context, 500, exception.Message);
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
