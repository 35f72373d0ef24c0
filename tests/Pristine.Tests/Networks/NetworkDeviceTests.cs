using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Native;
using Pristine.Networks;
using Pristine.Scoring;
using Pristine.Tests.Models;

namespace Pristine.Tests.Networks;

public sealed class NetworkDeviceTests
{
    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("cuda:0", "cuda")]
    [InlineData("cuda:12", "cuda")]
    public void A_device_is_the_processor_or_a_numbered_card(string device, string kind) =>
        Assert.Equal(kind, NetworkDevice.KindOf(device));

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("CPU")]
    [InlineData("cuda")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:1x")]
    [InlineData("cuda: 1")]
    public void Anything_else_is_refused_at_once(string device)
    {
        Assert.Contains(
            $"found '{device}'", Assert.Throws<ArgumentException>(() => NetworkDevice.Check(device)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => NetworkDevice.Validate(device));
        Assert.Throws<ArgumentException>(() => new ScoringOptions { Device = device });
    }

    [Fact]
    public void A_card_that_is_not_there_is_told_before_any_work()
    {
        NetworkDevice.Check("cpu");
        Assert.Contains("CPUExecutionProvider", OnnxRuntime.Providers);
        if (Environment.GetEnvironmentVariable("PRISTINE_ORT") != null)
            Assert.Skip("PRISTINE_ORT names another ONNX Runtime, which may have CUDA.");
        Assert.Empty(NetworkDevice.FindCuda());
        var message = Assert.Throws<PlatformNotSupportedException>(() => NetworkDevice.Check("cuda:0")).Message;
        Assert.StartsWith("The device cuda:0 cannot be used with ", message, StringComparison.Ordinal);
        Assert.EndsWith("or use the device cpu.", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_metric_with_a_network_goes_to_the_device_under_the_same_name_and_others_stay()
    {
        foreach (var name in (string[])["arniqa:pyiqa@koniq10k", "resnet50@biq2021"])
        {
            var metric = MetricCatalog.Get(name).WithDevice("cpu");
            var moved = metric.WithDevice("cuda:1");
            Assert.Equal((name, "cuda:1", metric.Version), (moved.Name, moved.Device, moved.Version));
            Assert.Same(moved, moved.WithDevice("cuda:1"));
            Assert.Equal("cpu", metric.Device);
        }
        Assert.Equal("cuda:1", Assert.IsType<ArniqaMetric>(MetricCatalog.Get("arniqa").WithDevice("cuda:1")).Options.Device);
        Assert.Equal("cuda:1", MetricCatalog.GetFeature("resnet50").WithDevice("cuda:1").Device);
        var brisque = MetricCatalog.Get("brisque");
        Assert.Same(brisque, brisque.WithDevice("cuda:1"));
        Assert.Equal("cpu", MetricCatalog.GetFeature("brisque-live").WithDevice("cuda:1").Device);
    }

    [Fact]
    public void A_scorer_on_a_card_that_is_not_there_says_so()
    {
        if (Environment.GetEnvironmentVariable("PRISTINE_ORT") != null)
            Assert.Skip("PRISTINE_ORT names another ONNX Runtime, which may have CUDA.");
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(folder["ARNIQA.pth"], new TinyResNet().TorchFile());
        File.WriteAllBytes(folder["regressor_kadid10k.pth"], TinyResNet.Regressor(new float[2 * TinyResNet.Features], 1));
        var store = new ModelStore(folder["store"]);
        store.Import("arniqa", [folder["ARNIQA.pth"]], UnknownFiles.Trust);
        store.Import("arniqa-kadid10k", [folder["regressor_kadid10k.pth"]], UnknownFiles.Trust);
        var metric = new ArniqaMetric(new() { Store = store, Device = "cpu" });
        Assert.Throws<PlatformNotSupportedException>(metric.WithDevice("cuda:0").CreateScorer);
        using var scorer = metric.WithDevice("cuda:0").WithDevice("cpu").CreateScorer();
        Assert.Equal(0, scorer.Score(new ImageView(new ImageHeader(4, 4, "png", 1), new byte[48], [])), 1e-6);
    }

    [Fact]
    public void The_features_of_a_head_are_those_it_was_trained_on_whatever_the_device() =>
        Assert.Equal(new ResNetFeature().Identity, new ResNetFeature().WithDevice("cuda:0").Identity);
}
