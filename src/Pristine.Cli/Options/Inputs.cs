using System.CommandLine;
using System.Globalization;
using Pristine.Cli.Display;
using Pristine.Datasets;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Networks;
using Pristine.Scoring;

namespace Pristine.Cli.Options;

/// <summary>The argument and options that every command that reads images has.</summary>
internal sealed class Inputs
{
    /// <summary>More threads than this are a mistake.</summary>
    public const int MostWorkers = 1024;

    /// <summary>Where networks run.</summary>
    public const string DeviceOption = "--device";

    private readonly Argument<string> _input = new("INPUT")
    {
        Description = "A folder (searched recursively), a glob, a dataset file (.json, .jsonl: PaddleMIX, LLaVA, chat, COCO; .csv; .tar: " +
            "WebDataset, also shard-{000..123}.tar; .parquet), the https:// or s3:// address of one, or - for a list of paths on stdin",
    };

    private readonly Option<string?> _imageRoot = new("--image-root")
    {
        Description = "Folder of relative image paths; default: the folder of the dataset file, without one the current folder",
        HelpName = "DIR",
    };

    private readonly Option<string?> _imageField = new("--image-field")
    {
        Description = "Field of records that names their images, for example images or messages.content.image_url.url; default: known " +
            "fields are looked for",
        HelpName = "NAME",
    };

    /// <summary><c>--head</c>, <c>--metric</c>: an option for each kind of file that holds a metric.</summary>
    private readonly IReadOnlyList<(MetricFile Kind, Option<string[]> Option)> _metricFiles =
        [.. MetricCatalog.Files.Select(
            file => (file, new Option<string[]>($"--{file.Kind}") { Description = file.Description, HelpName = file.Pattern }))];

    private readonly Option<string?> _device = new(DeviceOption)
    {
        Description = $"Where networks run: cpu, or cuda:0, cuda:1, ... with an ONNX Runtime that has CUDA (see docs/models.md); " +
            $"default: {NetworkDevice.Variable}, else cpu",
        HelpName = "DEVICE",
    };

    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Images that the networks of a thread compute together: more keep a GPU busy, cost memory, and change nothing else",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<int?> _frames = new("--frames")
    {
        Description = "Score so many evenly spaced frames of each film as well, with the metrics of images that --metrics names: columns " +
            "video_mean_NAME, video_min_NAME and video_max_NAME, which rules may name too (8 frames then); needs ffmpeg",
        HelpName = "N",
    };

    private readonly Option<int> _workers = new("--workers", "-j")
    {
        Description = "Threads",
        HelpName = "N",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private readonly Option<double> _maxPixels = new("--max-megapixels")
    {
        Description = "Images with more pixels get the status too_large and are not decoded",
        HelpName = "N",
        DefaultValueFactory = _ => new ImagingOptions().MaxPixels / 1e6,
    };

    private readonly Option<string> _truncated = new("--truncated")
    {
        Description =
            "Images whose file ends too early: drop (status truncated, no scores) or keep (status partial, what is there is scored)",
        HelpName = "WHAT",
        DefaultValueFactory = _ => "drop",
    };

    private readonly Option<double> _timeout = new("--image-timeout")
    {
        Description = "Images whose decoding takes longer get the status timeout",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => new ImagingOptions().Timeout.TotalSeconds,
    };

    private readonly Option<bool> _isolate = new("--isolate")
    {
        Description = "Decode in processes of their own, one for each thread: what crashes or hangs in a decoder costs one image (status " +
            "crashed or timeout), not the run",
    };

    private readonly Option<int?> _isolateMemory = new("--isolate-memory")
    {
        Description = "With --isolate, on Linux: memory that decoding an image may take; one that needs more gets the status crashed",
        HelpName = "MIB",
    };

    private readonly Option<long?> _maxFailures = new("--max-failures")
    {
        Description = "Exit with code 3 when more images than this cannot be scored; default: any number may fail",
        HelpName = "N",
    };

    private readonly Option<long> _start = new("--start")
    {
        Description = "Skip the first N items, to go on after an interrupted run",
        HelpName = "N",
    };

    private readonly RemoteArguments _remote = new();

    /// <summary>How a run tells what it does.</summary>
    public WatchArguments Watching { get; } = new();

    public void AddTo(Command command)
    {
        AddImagesTo(command);
        AddHeadsTo(command);
        Watching.AddTo(command);
        command.Options.Add(_frames);
        command.Options.Add(_start);
        _frames.Between(1, FrameMetric.MostFrames);
        _start.AtLeast(0);
    }

    /// <summary>Metrics, and with <c>--frames</c> what they say of the frames of films.</summary>
    public IReadOnlyList<Metric> WithFrames(ParseResult parsed, IReadOnlyList<Metric> metrics) =>
        parsed.GetResult(_frames) == null || parsed.GetValue(_frames) == null
        ? metrics
        : [.. metrics.Concat(metrics.SelectMany(metric => FrameMetric.Of(metric))).DistinctBy(metric => metric.Name)];

    /// <summary>Adds <c>--head</c>, <c>--metric</c>, <c>--device</c> and <c>--batch</c>, for commands that compute metrics.</summary>
    public void AddHeadsTo(Command command)
    {
        foreach (var (_, option) in _metricFiles)
            command.Options.Add(option);
        AddDeviceTo(command);
    }

    /// <summary>Adds <c>--device</c> and <c>--batch</c>, for commands that run networks.</summary>
    public void AddDeviceTo(Command command)
    {
        command.Options.Add(_device);
        command.Options.Add(_batch);
        _batch.Between(1, ScoringOptions.MostBatch);
        _device.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } device && DeviceFault(device) is { } fault)
                result.AddError($"{DeviceOption}: {fault}");
        });
    }

    /// <summary>
    /// Where networks run. A device that cannot be used is refused before any work: the option's already with the other arguments.
    /// </summary>
    public string Device(ParseResult parsed)
    {
        if (parsed.GetValue(_device) is { } given)
            return given;
        var device = NetworkDevice.Default;
        return DeviceFault(device) is { } fault ? throw new UsageException($"{NetworkDevice.Variable}: {fault}") : device;
    }

    private static string? DeviceFault(string device)
    {
        try
        {
            NetworkDevice.Check(device);
            return null;
        }
        catch (ArgumentException)
        {
            return $"expected cpu, or cuda:0, cuda:1 and so on; found '{device}'.";
        }
        catch (Exception failure) when (failure is PlatformNotSupportedException or DllNotFoundException)
        {
            return failure.Message;
        }
    }

    /// <summary>The metrics that names may mean: those of this library, and those of <c>--head</c> and <c>--metric</c>.</summary>
    public MetricSet Known(ParseResult parsed)
    {
        var known = MetricSet.BuiltIn;
        foreach (var (kind, option) in _metricFiles)
            foreach (var file in parsed.GetValue(option) ?? [])
            {
                try
                {
                    known = known.With(kind.Read(file));
                }
                catch (ArgumentException exception)
                {
                    throw new UsageException($"{option.Name} {file}: {exception.Message}");
                }
            }
        return known;
    }

    /// <summary>As <see cref="AddTo"/> without <c>--start</c>, for commands that always go through the whole dataset.</summary>
    public void AddImagesTo(Command command)
    {
        command.Arguments.Add(_input);
        AddRootTo(command);
        AddDecodingTo(command);
    }

    /// <summary>Only where images are and which field names them.</summary>
    public void AddRootTo(Command command)
    {
        command.Options.Add(_imageRoot);
        command.Options.Add(_imageField);
        _remote.AddTo(command);
    }

    /// <summary>Only how images are decoded, for commands that have another way to name them.</summary>
    public void AddDecodingTo(Command command)
    {
        command.Options.Add(_workers);
        command.Options.Add(_maxPixels);
        command.Options.Add(_timeout);
        command.Options.Add(_truncated);
        command.Options.Add(_isolate);
        command.Options.Add(_isolateMemory);
        command.Options.Add(_maxFailures);
        _workers.Between(1, MostWorkers);
        _maxFailures.AtLeast(0);
        _maxPixels.Number("a number above 0", megapixels => megapixels > 0);
        var longest = ImagingOptions.LongestTimeout.TotalSeconds;
        _timeout.Number($"seconds above 0 and up to {longest}", seconds => seconds > 0 && seconds <= longest);
        _truncated.OneOf("drop", "keep");
        _isolateMemory.Between(LeastChildMemory, 1 << 20);
    }

    public string Input(ParseResult parsed) => parsed.GetRequiredValue(_input);

    public DatasetOptions Options(ParseResult parsed) => new()
    {
        ImageRoot = parsed.GetValue(_imageRoot),
        ImageField = parsed.GetValue(_imageField),
        Remote = _remote.Access(parsed),
    };

    public Dataset Open(ParseResult parsed) => Dataset.Open(Input(parsed), Options(parsed));

    public long Start(ParseResult parsed) => parsed.GetValue(_start);

    public ScoringOptions Scoring(ParseResult parsed, IReadOnlyList<Metric> metrics) => new()
    {
        Metrics = metrics,
        Workers = Workers(parsed),
        Imaging = Imaging(parsed),
        Device = Device(parsed),
        // A command without networks does not have the option.
        Batch = parsed.GetResult(_batch) == null ? 1 : parsed.GetValue(_batch),
        Frames = parsed.GetResult(_frames) == null ? FrameMetric.DefaultFrames : parsed.GetValue(_frames) ?? FrameMetric.DefaultFrames,
        Known = Known(parsed),
    };

    /// <summary>Threads. Each holds a file or two open; without room for them images would fail that are sound.</summary>
    public int Workers(ParseResult parsed)
    {
        var workers = parsed.GetValue(_workers);
        var needed = Failure.LeastOpenFiles + 2L * workers;
        return Native.OpenFileLimit.Current is var limit && limit < needed
            ? throw new UsageException(
                $"--workers {workers}: expected a limit of at least {needed} open files; found {limit}. Use fewer workers, or: ulimit -n " +
                $"{needed}")
            : workers;
    }

    public ImagingOptions Imaging(ParseResult parsed) => new()
    {
        MaxPixels = (long)(parsed.GetValue(_maxPixels) * 1e6),
        Timeout = TimeSpan.FromSeconds(parsed.GetValue(_timeout)),
        KeepTruncated = parsed.GetValue(_truncated) == "keep",
        Isolation = Isolation(parsed),
    };

    // What a photograph of the default limit takes is more; less than this is a mistake.
    private const int LeastChildMemory = 16;

    private DecoderIsolation? Isolation(ParseResult parsed)
    {
        var memory = parsed.GetValue(_isolateMemory);
        if (!parsed.GetValue(_isolate))
            return memory == null ? null : throw new UsageException("--isolate-memory: expected --isolate with it.");
        if (memory != null && !DecoderIsolation.CanLimitMemory)
            throw new UsageException("--isolate-memory: expected Linux; this system does not limit the memory of a process. Leave it out.");
        return DecoderIsolation.OfThisProgram() with { MemoryLimit = memory * (1L << 20) };
    }

    /// <summary>The exit code of a run that reached its end.</summary>
    public int ExitCodeOf(ParseResult parsed, long failed) =>
        parsed.GetValue(_maxFailures) is { } allowed && failed > allowed ? ExitCode.TooManyFailures : ExitCode.Done;

    /// <summary>Says on stderr how the records are laid out, so that a wrong guess is seen at the beginning.</summary>
    public static void TellLayout(Dataset dataset)
    {
        if (dataset.Layout is { } layout)
            Console.Error.WriteLine($"{dataset.Source}: {layout}");
        if (dataset.Format == DatasetFormat.Folder && Dataset.FileBesideImages(dataset.Source) is { } file)
            Console.Error.WriteLine(
                $"pristine: {dataset.Source} is a folder of images; '{file}' is not read: name that file where its records are meant.");
    }

    /// <summary>
    /// The exit code of a run over the images of a dataset that reached its end. Says on stderr when there was nothing, or nearly all
    /// images are missing: then the paths are wrong and nothing was judged.
    /// </summary>
    public int ExitCodeOf(ParseResult parsed, Progress progress, Dataset dataset)
    {
        if (progress.Items == 0)
        {
            var other = dataset.Format == DatasetFormat.Folder && Dataset.FileIn(dataset.Source) is { } file
                ? $" A folder is searched for images; it holds '{file}': name that file."
                : "";
            Console.Error.WriteLine($"pristine: no items in '{dataset.Source}'.{other}");
        }
        if (progress.Unreached > 0 && progress.Unreached * 10 >= progress.Images * 9)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"pristine: {progress.Unreached:N0} of {progress.Images:N0} images could not be fetched, first " +
                $"'{progress.FirstUnreached?.Image}': {progress.FirstUnreached?.Error}."));
            return ExitCode.TooManyFailures;
        }
        if (progress.MissingMedia > 0 && progress.MissingMedia * 10 >= progress.Items * 9)
        {
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"pristine: of {progress.Items:N0} items nearly all lack a sound or film, first {progress.FirstMissingMedia}. Relative " +
                $"paths start at {(dataset.ImageRoot.Length == 0 ? "the current folder" : $"'{dataset.ImageRoot}'")}: is --image-root " +
                $"right?"));
            return ExitCode.TooManyFailures;
        }
        if (progress.Missing * 10 < progress.Images * 9 || progress.Missing == 0)
            return ExitCodeOf(parsed, progress.Failed);
        var root = dataset.ImageRoot.Length == 0 ? "the current folder" : $"'{dataset.ImageRoot}'";
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"pristine: {progress.Missing:N0} of {progress.Images:N0} images are missing, first '{progress.FirstMissing}'. Relative " +
            $"paths start at {root}: is --image-root right?"));
        return ExitCode.TooManyFailures;
    }

    /// <summary>The same, for commands that need a number of each.</summary>
    public static IReadOnlyList<Metric> Scores(string names, MetricSet known, string option = "--metrics")
    {
        var chosen = Metrics(names, known, option);
        return chosen.FirstOrDefault(metric => !metric.HasScore) is { } text
            ? throw new UsageException($"{option}: expected metrics that give a number; found '{text.Name}', which is no number.")
            : chosen;
    }

    /// <summary>Metrics by their names, separated by commas.</summary>
    public static IReadOnlyList<Metric> Metrics(string names, MetricSet known, string option = "--metrics")
    {
        var list = names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (list.Length == 0)
            throw new UsageException($"{option}: expected at least one metric; found '{names}'.");
        var chosen = new List<Metric>();
        foreach (var name in list)
        {
            if (!known.TryFind(name, out var metric, out var reason))
                throw new UsageException($"{option}: {reason} 'pristine metrics' lists them all.");
            if (chosen.TrueForAll(other => other.Name != metric.Name))
                chosen.Add(metric);
        }
        return chosen;
    }
}
