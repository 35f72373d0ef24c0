using System.Globalization;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Server;

namespace Pristine.Tests.Server;

public sealed class HeldImagesTests : IDisposable
{
    private const int Count = 40;

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();
    private readonly string[] _references;
    private int _readings;

    public HeldImagesTests()
    {
        var addresses = Enumerable.Range(0, Count).Select(AddressOf).ToArray();
        File.WriteAllLines(_folder["data.jsonl"], addresses.Select(address => $$"""{"image":"{{address}}"}"""));
        _references = [.. addresses.Select(address => new DataSource(System.Text.Encoding.ASCII.GetBytes(address)).Reference)];
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Those_that_are_asked_for_together_are_read_together()
    {
        var images = new HeldImages(Open);
        foreach (var reference in _references.Reverse())
            Assert.Equal(reference, images.Find(reference, () => _references, Cancellation)!.Reference);
        Assert.Equal(1, _readings);
        // One that is not there is looked for once, until it is asked for anew.
        for (var time = 0; time < 3; time++)
            Assert.Null(images.Find("data:image/png#0", () => ["data:image/png#1"], Cancellation));
        Assert.Null(images.Find("data:image/png#1", () => [], Cancellation));
        Assert.Equal(2, _readings);
        images.ForgetAbsent();
        Assert.Null(images.Find("data:image/png#1", () => [], Cancellation));
        Assert.Equal(3, _readings);
    }

    [Fact]
    public void No_more_bytes_stay_than_allowed_and_each_is_found_all_the_same()
    {
        var images = new HeldImages(Open, mostBytes: AddressOf(10).Length * 10);
        foreach (var reference in _references.Skip(10))
        {
            var following = _references.SkipWhile(other => other != reference);
            Assert.Equal(reference, images.Find(reference, () => following, Cancellation)!.Reference);
        }
        Assert.Equal(3, _readings);
        var least = new HeldImages(Open, mostBytes: 1);
        foreach (var reference in _references)
            Assert.Equal(reference, least.Find(reference, () => _references, Cancellation)!.Reference);
        Assert.Equal(3 + Count, _readings);
    }

    private static string AddressOf(int number) => string.Create(CultureInfo.InvariantCulture, $"DATA:image/png;base64,{number:0000}");

    private Dataset Open()
    {
        _readings++;
        return Dataset.Open(_folder["data.jsonl"], new DatasetOptions());
    }
}
