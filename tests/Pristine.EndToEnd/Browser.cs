using Microsoft.Playwright;

namespace Pristine.EndToEnd;

/// <summary>The system's Chromium, headless; started once for a class of tests.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (Find() is not { } program)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = program,
            // Tests run as root in containers, where Chromium's sandbox does not start; and without a GPU.
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser != null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>Opens a file of this machine. Everything the page logs or asks for is kept.</summary>
    internal async Task<OpenedPage> Open(string file, int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        if (_browser == null)
            Assert.Skip("Needs Chromium (Debian: apt-get install chromium), or its path in PRISTINE_CHROMIUM.");
        var page = await _browser.NewPageAsync(
            new BrowserNewPageOptions { ViewportSize = new ViewportSize { Width = width, Height = 900 }, ColorScheme = scheme });
        var opened = new OpenedPage(page);
        await page.GotoAsync(new Uri(file).AbsoluteUri);
        return opened;
    }

    private static string? Find() => Environment.GetEnvironmentVariable("PRISTINE_CHROMIUM") is { Length: > 0 } configured
        ? configured
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
}

/// <summary>A page, with what it complained of and asked for.</summary>
internal sealed class OpenedPage : IAsyncDisposable
{
    public OpenedPage(IPage page)
    {
        Page = page;
        page.Console += (_, message) => Messages.Add($"{message.Type}: {message.Text}");
        page.PageError += (_, error) => Messages.Add(error);
        page.Dialog += async (_, dialog) =>
        {
            Messages.Add($"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        page.Request += (_, request) => Requests.Add(request.Url.Split(',', 2)[0]);
    }

    public IPage Page { get; }

    public List<string> Messages { get; } = [];

    /// <summary>Addresses; of those that hold their data only what is before it.</summary>
    public List<string> Requests { get; } = [];

    public async ValueTask DisposeAsync() => await Page.CloseAsync();
}
