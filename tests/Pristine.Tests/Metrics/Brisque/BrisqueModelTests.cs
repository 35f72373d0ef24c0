using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Pristine.Metrics.Brisque;
using Pristine.Models;

namespace Pristine.Tests.Metrics.Brisque;

public class BrisqueModelTests
{
    private const string Sha256 = "a841712e6cb439806d2beee4006e348586673ee796aaeaa3d3f6f1d50d8cd151";

    private static string Bundled => TestFiles.InRepository("models", "brisque-opencv.bin");

    [Fact]
    public void The_bundled_file_is_the_one_its_note_describes()
    {
        Assert.Equal(Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Bundled))));
        Assert.Equal(Sha256, new BrisqueMetric().ModelSha256);
        Assert.Contains(Sha256, File.ReadAllText(TestFiles.InRepository("models", "brisque-opencv.md")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_conversion_program_makes_the_same_file_again()
    {
        const string source = "/usr/share/opencv4/quality";
        Assert.SkipUnless(Directory.Exists(source), $"Needs {source}, which Debian's package opencv-data installs.");
        using var folder = TestFiles.NewFolder();
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        foreach (var argument in (string[])
        [
            "run", TestFiles.InRepository("models", "convert-brisque-opencv.cs"), "--",
            $"{source}/brisque_model_live.yml", $"{source}/brisque_range_live.yml", folder["out.bin"],
        ])
            start.ArgumentList.Add(argument);
        using var conversion = Process.Start(start)!;
        var output = conversion.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = conversion.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await conversion.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(conversion.ExitCode == 0, await output + await errors);
        Assert.Equal(await File.ReadAllBytesAsync(Bundled, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(
            folder["out.bin"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_damaged_file_is_refused_with_a_reason()
    {
        var file = File.ReadAllBytes(Bundled);
        Assert.Equal(Sha256, BrisqueModel.Read("it", file).Sha256);
        Assert.Contains(
            "starts with 'BRISQUE1'", Refusal(Encoding.ASCII.GetBytes("svm_type epsilon_svr kernel_type rbf")), StringComparison.Ordinal);
        Assert.Contains($"found {file.Length - 1}", Refusal(file[..^1]), StringComparison.Ordinal);
        file[8] = 35;
        Assert.Contains("expected 36 features; found 35", Refusal(file), StringComparison.Ordinal);

        static string Refusal(byte[] bytes) => Assert.Throws<ModelException>(() => BrisqueModel.Read("it", bytes)).Message;
    }

    /// <summary>
    /// Far from every support vector nothing is left but the offset, which OpenCV's checkerboard and 1-bit references show too.
    /// </summary>
    [Fact]
    public void Predicts_the_offset_far_away_and_infinity_for_nan()
    {
        var features = new double[BrisqueFeatures.Count];
        Array.Fill(features, 1000);
        Assert.Equal(149.63506109127357, BrisqueModel.OpenCv.Predict(features), 1e-12);
        features[35] = double.NaN;
        Assert.Equal(double.PositiveInfinity, BrisqueModel.OpenCv.Predict(features));
    }
}
