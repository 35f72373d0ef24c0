using System.Net;
using System.Text;
using System.Text.Json;
using Pristine.Datasets;
using Pristine.Metrics;
using Pristine.Scoring;
using Pristine.Server;
using Pristine.Tables;

namespace Pristine.Tests.Server;

/// <summary>Some of the sample photos, scored and served for one test.</summary>
internal sealed class ServedPhotos : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    private ServedPhotos()
    {
    }

    public ScoreTable Table { get; private set; } = null!;

    public PristineServer Server { get; private set; } = null!;

    public HttpClient Client { get; private set; } = null!;

    public string this[string name] => _folder[name];

    public string Overrides => _folder["overrides.jsonl"];

    /// <summary>Scores photos into a table and serves it.</summary>
    public static async Task<ServedPhotos> StartAsync(Func<ServerOptions, ServerOptions>? change = null, Action<string>? addTo = null)
    {
        var served = new ServedPhotos();
        var photos = Directory.CreateDirectory(served["photos"]).FullName;
        foreach (var photo in Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg")
            .Where(photo => Path.GetFileName(photo) != "corrupt.jpg").Order(StringComparer.Ordinal).Take(8))
            File.Copy(photo, Path.Combine(photos, Path.GetFileName(photo)));
        File.WriteAllText(Path.Combine(photos, "broken.jpg"), "no picture");
        addTo?.Invoke(photos);
        var scoring = new ScoringOptions { Metrics = [MetricCatalog.Get("sharpness"), MetricCatalog.Get("brightness")], Workers = 2 };
        Dataset.Open(photos, new DatasetOptions()).ScoreInto(served["scores"], scoring);
        served.Table = ScoreTable.Open(served["scores"]);
        await served.ServeAsync(change, scoring);
        return served;
    }

    public async Task ServeAsync(Func<ServerOptions, ServerOptions>? change = null, ScoringOptions? scoring = null)
    {
        var options = new ServerOptions
        {
            Overrides = Overrides,
            By = "ann",
            Scoring = scoring ?? new ScoringOptions { Metrics = [MetricCatalog.Get("sharpness")], Workers = 2 },
        };
        Server = await PristineServer.StartAsync(Table, change == null ? options : change(options));
        Client = new HttpClient { BaseAddress = Server.Address };
    }

    public async Task StopAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }

    public async Task<JsonElement> GetAsync(string path) =>
        JsonDocument.Parse(await Client.GetStringAsync(path, TestContext.Current.CancellationToken)).RootElement;

    /// <summary>Posts JSON and expects success.</summary>
    public async Task<JsonElement> PostAsync(string path, string json)
    {
        var (status, text) = await TryPostAsync(path, json);
        Assert.True(status == HttpStatusCode.OK, $"{path} {json}: {status} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    public async Task<(HttpStatusCode Status, string Text)> TryPostAsync(string path, string json, string type = "application/json")
    {
        using var content = new StringContent(json, Encoding.UTF8, type);
        using var response = await Client.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }
}
