using Pristine.Datasets;
using Pristine.Experiments;
using Pristine.Metrics;

namespace Pristine.Tests.Experiments;

public sealed class FeatureFileTests
{
    private static readonly Feature Set = Feature.Get("brisque-live");

    private static float[] Features(int seed) => [.. Enumerable.Range(0, Set.Count).Select(k => seed + k / 64f)];

    [Fact]
    public void What_was_added_is_there_when_the_file_is_opened_again()
    {
        using var folder = TestFiles.NewFolder();
        var found = new float[Set.Count];
        using (var file = new FeatureFile(folder["f"], Set))
        {
            for (var i = 0; i < 5; i++)
                file.Add((UInt128)i << 100, Features(i));
            file.Add(0, Features(99));
            Assert.Equal(5, file.Images);
            Assert.True(file.TryRead((UInt128)3 << 100, found));
            Assert.Equal(Features(3), found);
            Assert.Throws<ArgumentException>(() => file.Add(7, [1, 2]));
        }
        using var again = new FeatureFile(folder["f"], Set);
        Assert.Equal(5, again.Images);
        for (var i = 0; i < 5; i++)
        {
            Assert.True(again.TryRead((UInt128)i << 100, found));
            Assert.Equal(Features(i), found);
        }
        Assert.False(again.TryRead(1, found));
    }

    [Fact]
    public void Features_of_another_kind_of_device_are_kept_apart()
    {
        using var folder = TestFiles.NewFolder();
        var network = Feature.Get("resnet50");
        new FeatureFile(folder["f"], network.WithDevice("cuda:0")).Dispose();
        new FeatureFile(folder["f"], network.WithDevice("cuda:1")).Dispose();
        Assert.Contains("resnet50:int8/cuda", Assert.Throws<DatasetException>(() => new FeatureFile(folder["f"], network.WithDevice("cpu"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(159)]
    public void A_record_that_was_cut_off_is_dropped_and_written_anew(int missing)
    {
        using var folder = TestFiles.NewFolder();
        using (var file = new FeatureFile(folder["f"], Set))
        {
            file.Add(1, Features(1));
            file.Add(2, Features(2));
        }
        using (var stream = File.OpenWrite(folder["f"]))
            stream.SetLength(stream.Length - missing);
        var found = new float[Set.Count];
        using (var file = new FeatureFile(folder["f"], Set))
        {
            Assert.Equal(1, file.Images);
            Assert.False(file.TryRead(2, found));
            file.Add(2, Features(2));
        }
        using var again = new FeatureFile(folder["f"], Set);
        Assert.True(again.TryRead(1, found));
        Assert.Equal(Features(1), found);
        Assert.True(again.TryRead(2, found));
        Assert.Equal(Features(2), found);
    }

    [Fact]
    public void Another_file_is_refused_and_left_alone()
    {
        using var folder = TestFiles.NewFolder();
        new FeatureFile(folder["f"], Set).Dispose();
        var error = Assert.Throws<DatasetException>(() => new FeatureFile(folder["f"], Feature.Get("resnet50")));
        Assert.Contains("resnet50:int8 15360", error.Message, StringComparison.Ordinal);
        Assert.Contains("brisque-live:1 36", error.Message, StringComparison.Ordinal);
        File.WriteAllText(folder["photo.jpg"], "not features");
        Assert.Throws<DatasetException>(() => new FeatureFile(folder["photo.jpg"], Set));
        Assert.Equal("not features", File.ReadAllText(folder["photo.jpg"]));
    }
}
