using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary><c>--device</c> on a machine whose ONNX Runtime has no CUDA, as that of the build.</summary>
public sealed class DeviceTests
{
    private static readonly string Photo = TestFiles.InRepository("samples", "photos", "moss.jpg");

    public static TheoryData<string> Commands =>
    [
        $"score {Photo} --out TABLE",
        $"filter {Photo} --keep brisque<=40 --out TABLE",
        "bench --images samples/photos --mos nothing.csv --out TABLE",
        "fit --images samples/photos --mos nothing.csv --out TABLE",
    ];

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_device_that_cannot_be_used_is_refused_before_any_work(string command)
    {
        using var folder = TestFiles.NewFolder();
        string[] arguments = [.. command.Replace("TABLE", folder["table"], StringComparison.Ordinal).Split(' ')];
        CommandResult Run(string[] device, params (string, string)[] environment) =>
            PristineCommand.Run([.. arguments, .. device], TestFiles.Root, null, [.. environment, ("PRISTINE_ORT", "")]).Expect(2);

        Assert.Contains(
            "--device: expected cpu, or cuda:0, cuda:1 and so on; found 'gpu'.", Run(["--device", "gpu"]).Error, StringComparison.Ordinal);
        var refused = Run(["--device", "cuda:0"]).Error;
        Assert.Contains("--device: The device cuda:0 cannot be used with ", refused, StringComparison.Ordinal);
        Assert.Contains("PRISTINE_ORT", refused, StringComparison.Ordinal);
        // That line, and where help is.
        Assert.Equal(2, refused.Count(c => c == '\n'));
        Assert.Contains("PRISTINE_DEVICE: expected cpu", Run([], ("PRISTINE_DEVICE", "gpu")).Error, StringComparison.Ordinal);
        Assert.Contains(
            "PRISTINE_DEVICE: The device cuda:1 cannot", Run([], ("PRISTINE_DEVICE", "cuda:1")).Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void The_option_is_stronger_than_the_variable_which_what_runs_no_network_ignores()
    {
        Assert.Single(
            PristineCommand.Run(["score", Photo, "--device", "cpu"], TestFiles.Root, null, ("PRISTINE_DEVICE", "gpu")).Expect(0).Lines);
        PristineCommand.Run(["metrics"], TestFiles.Root, null, ("PRISTINE_DEVICE", "gpu")).Expect(0);
        PristineCommand.Run(["doctor"], TestFiles.Root, null, ("PRISTINE_DEVICE", "gpu")).Expect(0);
    }
}
