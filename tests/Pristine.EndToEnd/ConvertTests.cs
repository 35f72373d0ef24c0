using System.Security.Cryptography;
using Pristine.Tests;
using Pristine.Tests.Models;

namespace Pristine.EndToEnd;

/// <summary>
/// <c>pristine models convert</c> with real networks: the one that is imported, and files of ARNIQA's layout where they are.
/// </summary>
public sealed class ConvertTests : IDisposable
{
    private const string Network = "resnet50-imagenet";

    private readonly TemporaryFolder _folder = TestFiles.NewFolder();

    public ConvertTests() => Directory.CreateDirectory(_folder["out"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_network_becomes_one_file_that_stands_on_stdout_with_its_size_and_hash()
    {
        InstalledNetwork.LinkTo(PristineCommand.UserStore, _folder["store"]);
        var model = _folder["out/network.onnx"];
        var converted = Convert(Network, "--out", model).Expect(0);
        var content = File.ReadAllBytes(model);
        Assert.Equal([$"{model}\t{content.Length}\t{System.Convert.ToHexStringLower(SHA256.HashData(content))}"], converted.Lines);
        Assert.Contains("image [N, 3, H, W] -> embedding [N, 2048], 32-bit floats.", converted.Error, StringComparison.Ordinal);
        Assert.Contains($"'{model}' is there already", Convert(Network, "--out", model).Expect(2).Error, StringComparison.Ordinal);
        Assert.Equal(["network.onnx"], Written);
    }

    [Fact]
    public void In_8_bits_it_says_how_many_images_it_was_calibrated_on()
    {
        InstalledNetwork.LinkTo(PristineCommand.UserStore, _folder["store"]);
        foreach (var photo in (string[])["boats.jpg", "corrupt.jpg", "moss.jpg"])
            File.Copy(TestFiles.InRepository("samples", "photos", photo), _folder[photo]);
        var converted = Convert(Network, "--int8", "--calibration", _folder.Path, "--out", _folder["out/int8.onnx"]).Expect(0);
        Assert.Contains("8-bit integers.", converted.Error, StringComparison.Ordinal);
        Assert.Contains(
            $"Calibrated on 2 images (4 crops) of {_folder.Path}; 1 could not be used. 20 or more are better.", converted.Error,
            StringComparison.Ordinal);
        Assert.InRange(new FileInfo(_folder["out/int8.onnx"]).Length, 23_000_000, 25_000_000);
        Assert.Equal(["int8.onnx"], Written);
    }

    [Fact]
    [Trait("kind", "long")]
    public void Arniqas_files_become_a_scoring_model_and_the_8_bit_metric_of_the_store()
    {
        var (encoder, head) = (TestFiles.Reference("arniqa", "ARNIQA.pth"), TestFiles.Reference("arniqa", "regressor_kadid10k.pth"));
        Assert.Contains("full [N, 3, H, W], half [N, 3, H, W] -> score [N]", Convert(
            encoder, "--head", head, "--out", _folder["out/arniqa.onnx"]).Expect(0).Error, StringComparison.Ordinal);
        Assert.Contains("expected a state dict; found a module", Convert(head, "--out", _folder["out/x.onnx"])
            .Expect(1).Error, StringComparison.Ordinal);
        Assert.Contains("pristine models pull arniqa", Convert("arniqa", "--int8").Expect(1).Error, StringComparison.Ordinal);
        Run("models", "import", "arniqa", encoder, "--trust").Expect(0);
        Run("models", "import", "arniqa-kadid10k", head, "--trust").Expect(0);
        string[] score = ["score", TestFiles.InRepository("samples", "photos", "moss.jpg"), "--metrics", "arniqa:int8"];
        Assert.Contains("run: pristine models convert arniqa --int8", Run(score).Expect(1).Error, StringComparison.Ordinal);
        File.Copy(TestFiles.InRepository("samples", "photos", "moss.jpg"), _folder["moss.jpg"]);
        Convert("arniqa", "--int8", "--calibration", _folder["*.jpg"]).Expect(0);
        Assert.Matches("\"arniqa:int8\": ?-?[0-9]", Run(score).Expect(0).Output);
        Assert.Equal(["arniqa.onnx"], Written);
    }

    [Theory]
    [InlineData("neither", "nothing.pth", "--out", "OUT")]
    [InlineData("a folder", "samples", "--out", "OUT")]
    [InlineData("Expected --out FILE", "README.md")]
    [InlineData("Expected --out FILE", "arniqa", "--head", "koniq10k")]
    [InlineData("--head: expected a file, or one of kadid10k", "arniqa", "--head", "koniq", "--out", "OUT")]
    [InlineData("--out: expected a file in a folder that is there", "arniqa", "--out", "none/model.onnx")]
    [InlineData("--calibration: expected with --int8", "arniqa", "--calibration", "samples", "--out", "OUT")]
    public void Wrong_usage_is_told_in_one_line(string message, params string[] arguments) =>
        Refuse(2, message, arguments);

    [Theory]
    [InlineData("README.md: expected a zip archive as torch.save writes it", "README.md", "--out", "OUT")]
    [InlineData("global.json: expected the format 'layers-model'", "global.json", "--out", "OUT")]
    [InlineData("pristine models pull arniqa", "arniqa", "--out", "OUT")]
    [InlineData("pristine models import resnet50-imagenet", Network, "--out", "OUT")]
    public void What_cannot_be_converted_is_told_in_one_line(string message, params string[] arguments) =>
        Refuse(1, message, arguments);

    [Fact]
    public void Calibration_without_images_is_told_in_one_line()
    {
        InstalledNetwork.LinkTo(PristineCommand.UserStore, _folder["store"]);
        Refuse(1, "Expected at least one image to calibrate with in training", [
            Network, "--int8", "--calibration", "training", "--out", "OUT"]);
    }

    private void Refuse(int exitCode, string message, string[] arguments)
    {
        var result = Convert([.. arguments.Select(argument => argument == "OUT" ? _folder["out/model.onnx"] : argument)]).Expect(exitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        Assert.Empty(result.Output);
        Assert.Empty(Written);
    }

    private IEnumerable<string> Written => Directory.EnumerateFileSystemEntries(_folder["out"]).Select(path => Path.GetFileName(path));

    private CommandResult Convert(params string[] arguments) => Run(["models", "convert", .. arguments]);

    private CommandResult Run(params string[] arguments) =>
        PristineCommand.Run(arguments, TestFiles.Root, null, ("PRISTINE_MODELS", _folder["store"]));
}
