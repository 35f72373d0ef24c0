#:project ../src/Pristine/Pristine.csproj
#:project ../src/Pristine.Experiments/Pristine.Experiments.csproj
#:property PublishAot=false

// Fits the linear probe's nine penalties to the data that peers/logistic_sklearn.py wrote, and prints objective, iterations and CPU time.
//   dotnet run -c Release bench/probe.cs -- FILE        see compare-probe.sh
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Pristine.Experiments.Training;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var reader = new BinaryReader(File.OpenRead(args[0]));
var (count, features, classes) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
var labels = Enumerable.Range(0, count).Select(_ => reader.ReadInt32()).ToArray();
var rows = Enumerable.Range(0, count).Select(_ => MemoryMarshal.Cast<byte, float>(reader.ReadBytes(4 * features)).ToArray()).ToArray();
var penalties = new LinearProbeOptions().Penalties;
for (var round = 0; round < 2; round++)
{
    // The first round warms up the compiler.
    var before = Process.GetCurrentProcess().TotalProcessorTime;
    var fits = MultinomialLogisticRegression.FitPath(rows, labels, classes, penalties).ToArray();
    var seconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
    if (round == 0)
        continue;
    foreach (var fit in fits)
        Console.WriteLine(
            $"penalty {fit.Penalty:G4}: objective {fit.Objective:F6}, {fit.Iterations} iterations{(fit.Converged ? "" : ", not converged")}");
    Console.WriteLine($"pristine: {seconds:F2} CPU s for {fits.Length} penalties, {fits.Sum(fit => fit.Iterations)} iterations");
}
