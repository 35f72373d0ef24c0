using System.Globalization;
using System.IO.Hashing;
using System.Runtime.Intrinsics.X86;
using System.Text;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>
/// The commands of training/README.md, on a small data set: the same command makes the same network, in one piece or stopped and started
/// again.
/// </summary>
[Trait("kind", "long")]
public sealed class TrainingTests : IClassFixture<TrainingTests.SmallData>
{
    /// <summary>Debian's: another python3 may come first in PATH.</summary>
    private const string Python = "/usr/bin/python3";

    /// <summary>Names the Debian packages; the last line is where the first weights are looked for.</summary>
    private const string Needs = """
        import sys
        try:
            import PIL, onnx, scipy, torch
        except ImportError as missing:
            print(missing)
            sys.exit(3)
        sys.path.insert(0, sys.argv[1])
        import resnet18
        print(resnet18.package_file())
        """;

    /// <summary>Runs a script that kills itself, as kill -9 does, as soon as a file of a name is whole.</summary>
    private const string Killed = """
        import os, runpy, signal, sys
        name, script = sys.argv[1:3]
        replace = os.replace
        def replace_and_die(source, target):
            replace(source, target)
            if os.path.basename(target) == name:
                os.kill(os.getpid(), signal.SIGKILL)
        os.replace = replace_and_die
        sys.argv, sys.path[0] = sys.argv[2:], os.path.dirname(script)
        runpy.run_path(script, run_name='__main__')
        """;

    /// <summary>For each two files the number of their tensors, and then the names of those that are not equal bit for bit.</summary>
    private const string Compare = """
        import sys
        import torch
        for pair in zip(sys.argv[1::2], sys.argv[2::2]):
            first, second = (torch.load(path) for path in pair)
            if first.keys() != second.keys():
                sys.exit(f'{sorted(first)} against {sorted(second)}')
            print(len(first), *[name for name in first if first[name].numpy().tobytes() != second[name].numpy().tobytes()])
        """;

    private static readonly string[] Files = ["start.pt", "epoch1.pt", "epoch2.pt"];

    private const int KilledExitCode = 128 + 9;

    /// <summary>
    /// Weight and bias of 15 convolutions, in stem, three stages of two blocks and two shortcuts, and of the head; the means and deviations
    /// of what the head takes; the mean of the pixels.
    /// </summary>
    private const int Tensors = 2 * 15 + 2 + 2 + 1;

    private const string Convolution = "trunk.stages.2.1.second.weight";

    private readonly SmallData _data;

    public TrainingTests(SmallData data)
    {
        if (SmallData.Missing.Value is { } missing)
            Assert.Skip(missing);
        _data = data;
    }

    [Fact]
    public void The_same_command_gives_the_same_weights_and_figures()
    {
        var first = _data.Whole;
        var second = _data.Train("second").Expect(0);
        var differing = Differing(
            [.. Files.Select(file => ($"{first.Folder}/{file}", _data[$"second/{file}"])),
                ($"{first.Folder}/start.pt", $"{first.Folder}/epoch1.pt"), ($"{first.Folder}/epoch1.pt", $"{first.Folder}/epoch2.pt")]);
        Assert.All(differing[..Files.Length], Assert.Empty);
        Assert.Equal(first.Figures, SmallData.Figures(second.Output));

        // Weights and figures change with the training; all figures are there and numbers.
        Assert.All(differing[Files.Length..], names => Assert.Contains(Convolution, names));
        Assert.Equal(["start", "epoch 1", "epoch 2"], first.Figures.Select(line => line.Split(':')[0]));
        Assert.All(first.Figures, line =>
        {
            Assert.Contains("\"srcc\": ", line, StringComparison.Ordinal);
            Assert.Contains("\"auc\": ", line, StringComparison.Ordinal);
            Assert.DoesNotContain("NaN", line, StringComparison.Ordinal);
        });
        Assert.Equal(3, first.Figures.Select(line => line.Split(':', 2)[1]).Distinct().Count());
    }

    [Fact]
    public void A_run_that_is_killed_goes_on_to_the_same_weights_and_figures()
    {
        // A checkpoint after every step. The run is killed in the middle of an epoch; when the weights of the epoch are written, and not
        // yet its figures; and after its checkpoint.
        string[] everyStep = ["--minutes", "0"];
        foreach (var file in (string[])["last.pt", "epoch1.pt", "last.pt"])
            _data.Train("killed", everyStep, killedAfter: file).Expect(KilledExitCode);
        _data.Train("killed", everyStep).Expect(0);

        var log = File.ReadAllLines(_data["killed/log.txt"]);
        var steps = SmallData.StepsPerEpoch;
        Assert.Equal(
            [$"goes on at step 1 of {2 * steps}", $"goes on at step {steps - 1} of {2 * steps}", $"goes on at step {steps} of {2 * steps}"],
            log.Where(line => line.Contains("goes on", StringComparison.Ordinal)).Select(line => line.Split(' ', 2)[1]));
        Assert.Equal(_data.Whole.Figures, SmallData.Figures(string.Join('\n', log)));
        Assert.All(Differing([.. Files.Select(file => ($"{_data.Whole.Folder}/{file}", _data[$"killed/{file}"]))]), Assert.Empty);
        Assert.Empty(Directory.GetFiles(_data["killed"], "*.tmp"));
    }

    [Fact]
    public void Another_seed_gives_other_weights()
    {
        _data.Train("other", ["--seed", "2"], killedAfter: "epoch1.pt").Expect(KilledExitCode);
        var differing = Assert.Single(Differing([($"{_data.Whole.Folder}/epoch1.pt", _data["other/epoch1.pt"])]));
        Assert.Contains("head.weight", differing);
        Assert.Contains(Convolution, differing);
        // Frozen: as in the package, whatever the seed.
        Assert.DoesNotContain("trunk.stages.0.0.first.weight", differing);
    }

    [Fact]
    public void A_network_learns_half_from_people_and_half_from_a_teacher()
    {
        var rated = SmallData.Ratings(_data.RatingsFile);
        var (taught, same, incomplete) = (_data["opinions.csv"], _data["ratings.csv"], _data["short.csv"]);
        _data.Teach($"{_data.Whole.Folder}/epoch2.pt", taught).Expect(0);
        var names = File.ReadLines(taught).Skip(1).Select(line => line.Split(',')[0]).ToArray();
        Assert.Equal(SmallData.TrainingImages, names.Distinct().Count());

        // Where the teacher says what people say, nothing changes.
        File.WriteAllLines(same, ["id,opinion", .. names.Select(name => $"{name},{rated[name]}")]);
        _data.Train("same", ["--teacher", same], killedAfter: "epoch1.pt").Expect(KilledExitCode);
        _data.Train("taught", ["--teacher", taught], killedAfter: "epoch1.pt").Expect(KilledExitCode);
        var differing = Differing(
            [($"{_data.Whole.Folder}/epoch1.pt", _data["same/epoch1.pt"]), ($"{_data.Whole.Folder}/epoch1.pt", _data["taught/epoch1.pt"])]);
        Assert.Empty(differing[0]);
        Assert.Contains(Convolution, differing[1]);

        File.WriteAllLines(incomplete, File.ReadLines(taught).Where((_, line) => line != 1));
        var refused = _data.Train("short", ["--teacher", incomplete]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(
            $"{incomplete}: expected the {SmallData.TrainingImages} training images; 1 are missing or not among them, such as {names[0]}",
            refused.Error, StringComparison.Ordinal);
        File.WriteAllLines(incomplete, names.Select(name => $"{name}\t{rated[name]}"));
        refused = _data.Train("short", ["--teacher", incomplete]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"{incomplete}: expected a CSV file with a column id", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_weights_become_a_network_and_its_regressors()
    {
        var (network, heads) = (_data["trained.onnx"], _data["trained.heads"]);
        var converted = PristineCommand.Run("models", "convert", $"{_data.Whole.Folder}/epoch2.pt", "--out", network, "--heads", heads)
            .Expect(0);
        Assert.StartsWith($"{network}\t{new FileInfo(network).Length}\t", Assert.Single(converted.Lines), StringComparison.Ordinal);
        Assert.Contains("image [N, 3, H, W] -> statistics [N, 896], 32-bit floats.", converted.Error, StringComparison.Ordinal);
        Run(Python, "-c", "import onnx, sys; onnx.checker.check_model(sys.argv[1])", network).Expect(0);
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(heads));
        string[] names = ["quality", "damage", "blur", "noise", "compression", "dark", "bright", "contrast", "color", "lowres"];
        foreach (var name in names)
            Assert.Contains($"\"name\":\"{name}\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_network_of_a_repository_is_a_start_for_another_run()
    {
        var (network, heads, weights) = (_data["carried.onnx"], _data["carried.heads"], _data["carried.pt"]);
        PristineCommand.Run(
            "models", "convert", $"{_data.Whole.Folder}/epoch2.pt", "--out", network, "--heads", heads, "--int8", "--calibration",
            _data["copies/train"]).Expect(0);
        _data.Unpack(network, heads, weights).Expect(0);
        _data.Teach($"{_data.Whole.Folder}/epoch2.pt", _data["trained.csv"]).Expect(0);
        _data.Teach(weights, _data["carried.csv"]).Expect(0);

        // What the 8 bits lose is small beside what the images differ by.
        var (trained, carried) = (Opinions("trained.csv"), Opinions("carried.csv"));
        Assert.True(trained.Max() - trained.Min() > 0.2, $"{trained.Min()} to {trained.Max()}");
        Assert.All(trained.Zip(carried), pair => Assert.Equal(pair.First, pair.Second, 0.02));
        var differing = Differing([($"{_data.Whole.Folder}/epoch2.pt", weights)])[0];
        Assert.Contains(Convolution, differing);
        Assert.DoesNotContain(differing, name => name.StartsWith("trunk.stem", StringComparison.Ordinal)
            || name.StartsWith("trunk.stages.0", StringComparison.Ordinal));

        var content = File.ReadAllBytes(heads);
        File.WriteAllBytes(heads, content.AsSpan(0, 2000).ToArray());
        var refused = _data.Unpack(network, heads, weights);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"{heads}: ", refused.Error, StringComparison.Ordinal);

        // A head of another name, and a network in floats.
        File.WriteAllBytes(heads, Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(content).Replace(
            "\"name\":\"damage\"", "\"name\":\"harm\"", StringComparison.Ordinal)));
        refused = _data.Unpack(network, heads, weights);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"{heads}: expected heads of", refused.Error, StringComparison.Ordinal);
        PristineCommand.Run("models", "convert", $"{_data.Whole.Folder}/epoch2.pt", "--out", _data["floats.onnx"]).Expect(0);
        refused = _data.Unpack(_data["floats.onnx"], heads, weights);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"{_data["floats.onnx"]}: expected a network in 8 bits", refused.Error, StringComparison.Ordinal);

        double[] Opinions(string file) =>
            [.. File.ReadLines(_data[file]).Skip(1).Select(line => double.Parse(line.Split(',')[1], CultureInfo.InvariantCulture))];
    }

    [Fact]
    public void Rated_images_are_seen_in_the_size_in_which_their_copies_were_made()
    {
        _data.MakeSmaller("smaller");
        var (copies, smaller) = (_data["copies=all"], _data["smaller"]);
        Directory.CreateSymbolicLink(copies, _data["copies/train"]);
        Assert.Equal(SmallData.TrainingImages + SmallData.ValidationImages, Directory.GetFiles(smaller).Length);
        _data.Train("named", ["--degraded", $"{copies}={_data.Images}"], killedAfter: "epoch1.pt").Expect(KilledExitCode);
        _data.Train("sizes", ["--degraded", $"{copies}={smaller}"], killedAfter: "epoch1.pt").Expect(KilledExitCode);
        var differing = Differing(
            [($"{_data.Whole.Folder}/epoch1.pt", _data["named/epoch1.pt"]), ($"{_data.Whole.Folder}/epoch1.pt", _data["sizes/epoch1.pt"])]);
        Assert.Empty(differing[0]);
        Assert.Contains(Convolution, differing[1]);
    }

    /// <summary>For each two files the tensors that differ.</summary>
    private static string[][] Differing((string First, string Second)[] pairs)
    {
        var lines = Run(Python, ["-c", Compare, .. pairs.SelectMany(pair => (string[])[pair.First, pair.Second])]).Expect(0).Lines;
        Assert.Equal(pairs.Length, lines.Length);
        Assert.All(lines, line => Assert.Equal($"{Tensors}", line.Split(' ')[0]));
        return [.. lines.Select(line => line.Split(' ')[1..])];
    }

    private static CommandResult Run(string program, params string[] arguments) =>
        PristineCommand.Finish(PristineCommand.StartProgram(program, arguments, TestFiles.Root), null);

    /// <summary>
    /// Rated images in the form of BIQ2021: the sample photos with ratings made up from their names; degraded copies of those that are
    /// rated well; and one run on them.
    /// </summary>
    public sealed class SmallData : IDisposable
    {
        private const int Batch = 8;

        private const string RatingsName = "Train (Images and MOS).csv";

        /// <summary>36 images, of which 4 validate.</summary>
        public const int TrainingImages = 32;

        public const int ValidationImages = 4;

        public const int StepsPerEpoch = TrainingImages / Batch;

        private readonly TemporaryFolder _folder = TestFiles.NewFolder();
        private readonly Lazy<string> _images;
        private readonly Lazy<(string Folder, string[] Figures)> _whole;

        public SmallData()
        {
            _images = new(Make);
            _whole = new(() => (_folder["whole"], Figures(Train("whole").Expect(0).Output)));
        }

        /// <summary>Why there can be no training here; null if there can.</summary>
        internal static Lazy<string?> Missing { get; } = new(() =>
        {
            const string packages = "Debian: apt-get install python3-torch python3-onnx python3-scipy python3-pil";
            if (!File.Exists(Python))
                return $"Needs {Python} ({packages}).";
            var found = Run(Python, "-c", Needs, TestFiles.InRepository("training"));
            if (found.ExitCode == 3)
                return $"Needs {Python} with torch, onnx, scipy and PIL ({packages}): {found.Output.Trim()}.";
            var weights = found.Expect(0).Output.Trim();
            return File.Exists(weights) ? null : $"Needs the first weights (dotnet restore training/weights.csproj): {weights}.";
        });

        /// <summary>A run in one piece: its folder and its figures of the validation images.</summary>
        internal (string Folder, string[] Figures) Whole => _whole.Value;

        public string this[string name] => _folder[name];

        public void Dispose() => _folder.Dispose();

        /// <summary>What the log says about the validation images, without the time of day.</summary>
        internal static string[] Figures(string log) => [.. log.Split('\n')
            .Where(line => line.Contains("\"srcc\"", StringComparison.Ordinal)).Select(line => line.Split(' ', 2)[1])];

        /// <summary>Runs train.py into a folder, to its end or until it has written a file.</summary>
        internal CommandResult Train(string folder, string[]? more = null, string? killedAfter = null)
        {
            string[] start = killedAfter == null ? [] : ["-c", Killed, killedAfter];
            return Run(
                Python,
                [.. start, TestFiles.InRepository("training", "train.py"), .. Network,
                    "--degraded", _folder["copies/train"], "--degraded-validation", _folder["copies/validation"],
                    "--out", _folder[folder], "--epochs", "2", "--batch", $"{Batch}", "--start-images", $"{TrainingImages}",
                    .. more ?? []]);
        }

        /// <summary>Writes what a network says of the training images.</summary>
        internal CommandResult Teach(string weights, string file) => Run(
            Python, [TestFiles.InRepository("training", "teacher.py"), weights, .. Network, "--network", "resnet18", "--out", file]);

        /// <summary>Makes weights to start from of a converted network.</summary>
        internal CommandResult Unpack(string network, string heads, string file) => Run(
            Python,
            [TestFiles.InRepository("training", "unpack.py"), network, heads, .. Data, "--views", "whole:64,crop:64", "--count", "8",
                "--out", file]);

        /// <summary>Writes the rated images smaller.</summary>
        internal void MakeSmaller(string folder) =>
            Run(Python, [TestFiles.InRepository("training", "smaller.py"), .. Data, "--out", _folder[folder]]).Expect(0);

        /// <summary>The MOS of each file, as it is written.</summary>
        internal static Dictionary<string, string> Ratings(string file) =>
            File.ReadLines(file).Skip(1).Select(line => line.Split(',')).ToDictionary(fields => fields[0], fields => fields[1]);

        /// <summary>Written with the images, whichever is asked for first.</summary>
        internal string RatingsFile => Path.Combine(Path.GetDirectoryName(Images)!, RatingsName);

        /// <summary>The folder of the rated images.</summary>
        internal string Images => _images.Value;

        private string[] Data => ["--images", _images.Value, "--ratings", RatingsFile];

        /// <summary>
        /// Data and network of both scripts; the precision as training/README.md says of processors without 16-bit floats.
        /// </summary>
        private string[] Network =>
            [.. Data, "--views", "whole:64,crop:64", "--stages", "3", "--threads", "1",
                .. Avx512F.IsSupported ? (string[])[] : ["--float32"]];

        /// <summary>Makes the images, their ratings and the degraded copies.</summary>
        /// <returns>The folder of the images.</returns>
        private string Make()
        {
            var (images, ratings) = (_folder["images"], _folder[RatingsName]);
            Directory.CreateDirectory(images);
            var lines = new List<string> { "Image Name,MOS,," };
            foreach (var photo in Directory.GetFiles(TestFiles.InRepository("samples", "photos"), "*.jpg").Order(StringComparer.Ordinal))
            {
                var name = Path.GetFileName(photo);
                if (name == "corrupt.jpg")
                    continue;
                File.Copy(photo, Path.Combine(images, name));
                // Damaged ones have a hyphen in their names.
                var share = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(name)) % 1000 / 1000.0;
                var rating = name.Contains('-', StringComparison.Ordinal) ? 0.1 + 0.35 * share : 0.5 + 0.4 * share;
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"{name},{rating:F4},,"));
            }
            File.WriteAllLines(ratings, lines);
            Run(
                Python, TestFiles.InRepository("training", "split.py"), "--images", images, "--ratings", ratings,
                "--out", _folder["intact"]).Expect(0);
            Degrade("train", "2-5", "11");
            Degrade("validation", "3-5", "901");
            return images;

            void Degrade(string part, string levels, string seed) => PristineCommand.Run(
                "degrade", _folder[$"intact/{part}"], "--out", _folder[$"copies/{part}"], "--levels", levels, "--seed", seed).Expect(0);
        }
    }
}
