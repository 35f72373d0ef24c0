#:project ../src/Pristine/Pristine.csproj
#:property AssemblyName=Pristine.Benchmarks
#:property PublishAot=false

// Groups random 64-bit hashes, a third of which are copies of others with up to three changed bits. Prints time, memory and what was found.
// Usage: dotnet run -c Release bench/group-hashes.cs -- COUNT DISTANCE [THREADS]
using System.Diagnostics;
using System.Globalization;
using Pristine.Selection.Duplicates;

var count = int.Parse(args[0], CultureInfo.InvariantCulture);
var distance = int.Parse(args[1], CultureInfo.InvariantCulture);
var threads = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : Environment.ProcessorCount;
var random = new Random(1);
var hashes = new ulong[count];
for (var i = 0; i < count; i++)
{
    hashes[i] = (ulong)random.NextInt64() << 1 ^ (ulong)random.NextInt64();
    if (i % 3 != 2)
        continue;
    hashes[i] = hashes[i - 2];
    for (var bit = random.Next(4); bit > 0; bit--)
        hashes[i] ^= 1UL << random.Next(64);
}
hashes = [.. hashes.Distinct().Order()];
var choices = BlockChoices.Of(distance, hashes.Length).Count;
GC.Collect();
var before = Process.GetCurrentProcess().TotalProcessorTime;
var watch = Stopwatch.StartNew();
var roots = NearHashes.Group(hashes, distance, threads);
watch.Stop();
var used = Process.GetCurrentProcess();
Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{count:N0} hashes ({hashes.Length:N0} different), distance {distance}, {threads} threads, {choices} choices of bits: " +
    $"{watch.Elapsed.TotalSeconds:0.0} s wall, "
    + $"{(used.TotalProcessorTime - before).TotalSeconds:0.0} s processor, peak {used.PeakWorkingSet64 >> 20} MiB, " +
    $"{roots.Distinct().Count():N0} groups"));
