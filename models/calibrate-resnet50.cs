// Measures the ranges of the activations of resnet50-imagenet on images; see models/resnet50-imagenet-int8.md.
//   dotnet run models/calibrate-resnet50.cs -- OUT.json MinMax|Percentile|LeastError IMAGE...
#:project ../src/Pristine/Pristine.csproj
#:property AssemblyName=Pristine.Benchmarks
#:property PublishAot=false
using System.Globalization;
using Pristine.Media;
using Pristine.Metrics.ResNet;
using Pristine.Models;
using Pristine.Networks;

if (args.Length < 3)
{
    Console.Error.WriteLine("usage: dotnet run models/calibrate-resnet50.cs -- OUT.json MinMax|Percentile|LeastError IMAGE...");
    return 2;
}
var method = Enum.Parse<CalibrationMethod>(args[1]);
using var decoder = new ImageDecoder();
using var session = ImageNetResNet50.Open(ModelStore.Default, NetworkPrecision.Float, "cpu");
using var sizes = new ResNetPlanes();
using var calibration = new Int8Calibration(
    ResNet50Graph.Of(ImageNetResNet50.Read(ModelStore.Default)), ResNetFeatures.InputRange);
foreach (var path in args.Skip(2))
{
    if (decoder.Load(path, ImageInput.Rgb) is { Status: not ImageStatus.Ok } failure)
        throw new InvalidDataException($"{path}: {failure.Error}");
    var image = decoder.Image;
    var (full, half) = ResNetFeatures.Sizes(image.Width, image.Height);
    foreach (var (width, height) in new[] { full, half })
    {
        var planes = new float[3 * width * height];
        sizes.Write(image, width, height, planes);
        calibration.Add(planes, height, width);
    }
}
var lines = calibration.Ranges(method).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => string.Create(
    CultureInfo.InvariantCulture, $"  \"{pair.Key}\": [{pair.Value.Low}, {pair.Value.High}]"));
File.WriteAllText(args[0], "{\n" + string.Join(",\n", lines) + "\n}\n");
return 0;
