#:project ../src/Pristine/Pristine.csproj
#:property PublishAot=false

// What a request to 'pristine worker' takes beyond the scoring itself: each image is scored in this process and by a worker, in turn.
//   dotnet run -c Release bench/worker-latency.cs -- FOLDER PROGRAM [ARGUMENT...]
// PROGRAM is the command, for example: dotnet src/Pristine.Cli/bin/Release/net10.0/Pristine.Cli.dll
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Pristine.Scoring;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var images = Directory.GetFiles(args[0]).Order(StringComparer.Ordinal).ToArray();
using var worker = Process.Start(
    new ProcessStartInfo(args[1], [.. args[2..], "worker"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
using var scorer = new ImageScorer();
var (own, asked, extra) = (new List<double>(), new List<double>(), new List<double>());
for (var i = 0; i < images.Length; i++)
{
    var started = Stopwatch.GetTimestamp();
    var row = scorer.Score(images[i]);
    var alone = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    started = Stopwatch.GetTimestamp();
    worker.StandardInput.Write(new JsonObject { ["path"] = images[i] }.ToJsonString() + "\n");
    worker.StandardInput.Flush();
    var reply = JsonNode.Parse(worker.StandardOutput.ReadLine()!)!;
    var through = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    if ((float)row["brisque"] != reply["brisque"]!.GetValue<float>())
        throw new InvalidDataException($"{images[i]}: {row["brisque"]} here, {reply["brisque"]} from the worker.");
    // The first hundred warm up both compilers.
    if (i < 100)
        continue;
    own.Add(alone);
    asked.Add(through);
    extra.Add(through - alone);
}
worker.StandardInput.Close();
worker.WaitForExit();
Console.WriteLine($"{own.Count} images, ms            median     90 %     99 %");
Console.WriteLine($"scored in this process     {Line(own)}");
Console.WriteLine($"asked of the worker        {Line(asked)}");
Console.WriteLine($"difference, image by image {Line(extra)}");

static string Line(List<double> values)
{
    values.Sort();
    return string.Concat(new[] { 0.5, 0.9, 0.99 }.Select(share => $"{values[(int)(share * (values.Count - 1))],9:F3}"));
}
