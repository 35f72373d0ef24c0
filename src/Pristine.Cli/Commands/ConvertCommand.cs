using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Pristine.Cli.Display;
using Pristine.Cli.Options;
using Pristine.Datasets;
using Pristine.Files;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Arniqa;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;

namespace Pristine.Cli.Commands;

/// <summary><c>pristine models convert SOURCE --out FILE</c>: writes a network as an ONNX model, in floats or 8-bit integers.</summary>
internal static class ConvertCommand
{
    /// <summary>Ranges hardly move after some dozens of images, and each costs about a second.</summary>
    private const int MostImages = 64;

    /// <summary>With fewer images ranges are too narrow for what was not seen.</summary>
    private const int FewImages = 20;

    /// <summary>
    /// Beside the program in a build from a clone; not published, because the photos' licences differ from the program's.
    /// </summary>
    private static readonly string SamplePhotos = Path.Combine(AppContext.BaseDirectory, "samples", "photos");

    /// <summary>What was asked for.</summary>
    /// <param name="Source">A file, or the name of a network in the store.</param>
    /// <param name="Head">A file, or the name of a regressor in the store; null for none.</param>
    /// <param name="Out">The file to write; null for the store's own.</param>
    /// <param name="Precision">The arithmetic.</param>
    /// <param name="Calibration">The images to calibrate with, as an INPUT; null where none are needed.</param>
    /// <param name="Heads">The file for the regressors of a checkpoint of training/train.py; null for none.</param>
    private sealed record Request(
        string Source, string? Head, string? Out, NetworkPrecision Precision, string? Calibration, string? Heads);

    /// <summary>How a calibration went.</summary>
    private readonly record struct Calibrated(int Images, int Unusable, int Crops);

    public static Command Create()
    {
        var source = new Argument<string>("SOURCE")
        {
            Description = $"ARNIQA's checkpoint (.pth), a checkpoint of training/train.py (.pt), the model.json of Keras' ResNet-50 " +
                $"(TensorFlow.js), or the name of a network that is here: {string.Join(", ", OnnxExport.InstalledNames)}",
        };
        var head = new Option<string?>("--head")
        {
            Description = "With ARNIQA: a regressor_*.pth, or the name of an installed one such as koniq10k; the model then gives scores " +
                "instead of embeddings",
            HelpName = "FILE",
        };
        var output = new Option<string?>("--out", "-o")
        {
            Description = "The .onnx file to write; without it the store's own file of 'arniqa' is made, which the metrics arniqa and " +
                "arniqa:int8 use",
            HelpName = "FILE",
        };
        var int8 = new Option<bool>("--int8")
        {
            Description = "Write 8-bit integers: unsigned activations, signed weights with a step per channel",
        };
        var calibration = new Option<string?>("--calibration")
        {
            Description = $"With --int8: images to measure the activations on, some dozens like those to be scored, as a folder, glob or " +
                $"dataset file (at most {MostImages}, evenly spread, are used); default: the sample photos of a clone",
            HelpName = "DIR",
        };
        var heads = new Option<string?>("--heads")
        {
            Description = "With a checkpoint of training/train.py: the file to write its regressors to, as models/pristine.heads",
            HelpName = "FILE",
        };
        var command = new CliCommand(
            "convert",
            "Writes a network as one ONNX file: batch normalisation folded, L2 norm and head inside, in floats or 8-bit integers.",
            "pristine models convert arniqa --int8 --calibration photos",
            "pristine models convert resnet50-imagenet --out resnet50.onnx")
        { source, head, output, int8, calibration, heads };
        command.SetAction(parsed => Run(Check(new Request(
            parsed.GetRequiredValue(source), parsed.GetValue(head), parsed.GetValue(output),
            parsed.GetValue(int8) ? NetworkPrecision.Int8 : NetworkPrecision.Float, parsed.GetValue(calibration),
            parsed.GetValue(heads)))));
        return command;
    }

    /// <summary>All that can be refused before anything is read.</summary>
    private static Request Check(Request request)
    {
        if (!IsName(request.Source) && !File.Exists(request.Source))
        {
            throw new UsageException(
                $"Expected a file, or one of the networks {string.Join(", ", OnnxExport.InstalledNames)}; found '{request.Source}', " +
                $"which is {(Directory.Exists(request.Source) ? "a folder" : "neither")}.");
        }
        if (request.Head is { } head && !File.Exists(head) && ArniqaHead.All.All(known => known.Name != head))
            throw new UsageException(
                $"--head: expected a file, or one of {string.Join(", ", ArniqaHead.All.Select(known => known.Name))}; found '{head}', " +
                $"which is neither.");
        CheckOutput(request);
        if (request.Precision == NetworkPrecision.Int8)
            return request with { Calibration = CalibrationImages(request.Calibration) };
        return request.Calibration == null
            ? request
            : throw new UsageException("--calibration: expected with --int8; floats need no calibration.");
    }

    private static void CheckOutput(Request request)
    {
        if (request.Out is not { } file)
        {
            if (request.Source != ArniqaModel.Encoder || request.Head != null)
                throw new UsageException(
                    $"Expected --out FILE; it may be left out only with the name {ArniqaModel.Encoder} and without --head, for the file " +
                    $"of the store.");
            return;
        }
        CheckNew("--out", file);
        if (request.Heads is { } heads)
            CheckNew("--heads", heads);
    }

    private static void CheckNew(string option, string file)
    {
        if (Path.Exists(file))
            throw new UsageException($"{option}: expected the name of a new file; '{file}' is there already.");
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is not { } folder || !Directory.Exists(folder))
            throw new UsageException($"{option}: expected a file in a folder that is there; found '{file}'.");
    }

    private static string CalibrationImages(string? input)
    {
        if (input != null)
            return input;
        return Directory.Exists(SamplePhotos)
            ? SamplePhotos
            : throw new UsageException(
                "--int8 needs images to measure activations on: name some dozens like those to be scored with --calibration DIR.");
    }

    private static int Run(Request request)
    {
        var store = ModelStore.Default;
        var network = IsName(request.Source) ? OnnxExport.Installed(store, request.Source) : OnnxExport.Read(request.Source);
        if (request.Head is { } head)
            network = File.Exists(head) ? network.WithHead(head) : network.WithHead(store, head);
        if (request.Heads != null && network.Heads.Count == 0)
            throw new UsageException(
                $"--heads: expected with a checkpoint of training/train.py; '{request.Source}' has no such regressors.");
        var target = request.Out ?? ArniqaModel.GraphPath(store, request.Precision);
        CheckWritable(target);
        return Job.Run(() => "Stopped; nothing was written.", cancellation => Run(request, network, target, cancellation));
    }

    private static int Run(Request request, OnnxExport network, string target, CancellationToken cancellation)
    {
        Calibrated? calibrated = null;
        if (request.Precision == NetworkPrecision.Float)
            network.Save(target);
        else
            calibrated = Quantise(network, request.Calibration!, target, cancellation);
        if (request.Heads is { } heads)
            QualityHead.WriteAll(heads, network.Heads);
        using (var file = File.OpenRead(target))
            Console.Out.WriteLine($"{target}\t{file.Length}\t{Convert.ToHexStringLower(SHA256.HashData(file))}");
        Console.Error.WriteLine(
            $"Written: {target}. {network.Describe(calibrated != null)}, " +
            $"{(calibrated == null ? "32-bit floats" : "8-bit integers")}.");
        if (calibrated is { } done)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Calibrated on {done.Images} images ({done.Crops} crops) of {request.Calibration}; {done.Unusable} could not be " +
                $"used.{(done.Images < FewImages ? $" {FewImages} or more are better." : "")}"));
        }
        return ExitCode.Done;
    }

    /// <summary>Measures, then writes.</summary>
    private static Calibrated Quantise(OnnxExport network, string input, string target, CancellationToken cancellation)
    {
        using var progress = new Progress();
        using var quantiser = new NetworkQuantiser(network);
        using var decoder = new ImageDecoder();
        var usable = 0;
        foreach (var image in Spread(Dataset.Open(input).Read(cancellation).SelectMany(item => item.Images)))
        {
            cancellation.ThrowIfCancellationRequested();
            var isUsable = decoder.Load(image, ImageInput.Rgb).Status == ImageStatus.Ok
                && Math.Min(decoder.Image.Width, decoder.Image.Height) >= NetworkQuantiser.MinSide;
            if (isUsable)
            {
                quantiser.Add(decoder.Image);
                usable++;
            }
            progress.Add(1, isUsable ? 0 : 1);
        }
        LiveLine.Clear();
        if (usable == 0)
            throw new DatasetException(
                $"Expected at least one image to calibrate with in {input}; found none that can be read and has " +
                $"{NetworkQuantiser.MinSide} pixels on each side.");
        quantiser.Save(target);
        return new(usable, (int)progress.Failed, quantiser.Crops);
    }

    /// <summary>At most <see cref="MostImages"/> images, evenly spread over all of them; memory does not grow with their number.</summary>
    private static IEnumerable<MediaSource> Spread(IEnumerable<MediaSource> images)
    {
        var kept = new List<MediaSource>();
        var (seen, step) = (0L, 1L);
        foreach (var image in images)
        {
            if (seen++ % step == 0)
                kept.Add(image);
            if (kept.Count < 2 * MostImages)
                continue;
            kept = [.. kept.Where((_, i) => i % 2 == 0)];
            step *= 2;
        }
        var count = Math.Min(kept.Count, MostImages);
        return Enumerable.Range(0, count).Select(i => kept[(int)((long)i * kept.Count / count)]);
    }

    /// <summary>Calibration takes a minute: a target that cannot be written is told before.</summary>
    private static void CheckWritable(string file)
    {
        try
        {
            using (new FileStream(
                WholeFile.WithSuffix(file, $".{Guid.NewGuid():N}{WholeFile.Suffix}"), FileMode.CreateNew, FileAccess.Write, FileShare.None,
                1, FileOptions.DeleteOnClose))
            {
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"Expected to write {file}; its folder cannot be written to: {failure.Message}", failure);
        }
    }

    private static bool IsName(string source) => OnnxExport.InstalledNames.Contains(source);
}
