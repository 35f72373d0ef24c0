// What shrinking an image for a network costs, on every path of instructions in turn; all give the same bytes. The path of 128 bits is what
// there was for all of them before rows were taken two at a time.
//   dotnet run -c Release bench/resize.cs [-- ROUNDS]
#:project ../src/Pristine/Pristine.csproj
#:property AssemblyName=Pristine.Benchmarks
#:property PublishAot=false
using System.Diagnostics;
using System.Globalization;
using Pristine.Kernels;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var rounds = args.Length > 0 ? int.Parse(args[0]) : 200;
var paths = Simd.Supported.Where(path => path != SimdPath.Vector512).ToArray();
foreach (var (width, height, toWidth, toHeight) in new[] { (512, 384, 370, 277), (2048, 1536, 370, 277), (4000, 3000, 591, 443) })
{
    var source = new byte[3 * width * height];
    new Random(1).NextBytes(source);
    var outputs = paths.Select(_ => new byte[3 * toWidth * toHeight]).ToArray();
    var spent = new double[paths.Length];
    var resizes = paths.Select(path => new PillowResize(path)).ToArray();
    // The first tenth warms up.
    for (var round = -rounds / 10; round < rounds; round++)
        for (var i = 0; i < paths.Length; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            resizes[i].Resize(
                ResampleFilter.Bicubic, source, width, height, toWidth, toHeight, new(0, 0, toWidth, toHeight), outputs[i]);
            if (round >= 0)
                spent[i] += Stopwatch.GetElapsedTime(begun).TotalMilliseconds / rounds;
        }
    if (outputs.Any(output => !output.AsSpan().SequenceEqual(outputs[0])))
        throw new InvalidOperationException("The paths give different bytes.");
    Console.WriteLine($"{width}x{height} to {toWidth}x{toHeight}: " + string.Join(
        ", ", paths.Select((path, i) => $"{path} {spent[i]:F2} ms ({spent[Array.IndexOf(paths, SimdPath.Vector128)] / spent[i]:F1} x)")));
    foreach (var resize in resizes)
        resize.Dispose();
}
