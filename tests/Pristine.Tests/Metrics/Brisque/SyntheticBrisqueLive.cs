using System.Globalization;
using System.Text;

namespace Pristine.Tests.Metrics.Brisque;

/// <summary>Files of the shape of the LIVE release's model, with random numbers: what a clone without that model is tested with.</summary>
internal static class SyntheticBrisqueLive
{
    public const double Rho = -41.5;

    /// <summary>Writes allmodel and allrange, and returns their paths.</summary>
    public static string[] Write(string folder, int seed = 1)
    {
        var random = new Random(seed);
        const int Vectors = 40;
        var model = new StringBuilder(
            $"svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\ntotal_sv {Vectors}\nrho {Text(Rho)}\nprobA 5.5\nSV\n");
        for (var i = 0; i < Vectors; i++)
        {
            model.Append(Text(random.Next(-1000, 1000) / 8.0)).Append(' ');
            for (var index = 1; index <= 36; index++)
                if (index == 36 || random.Next(10) > 0)
                    model.Append(CultureInfo.InvariantCulture, $"{index}:{Text(random.NextDouble() * 2 - 1)} ");
            model.Append('\n');
        }
        var range = new StringBuilder("x\n-1 1\n");
        for (var index = 1; index <= 36; index++)
            range.Append(CultureInfo.InvariantCulture, $"{index} {Text(-random.NextDouble())} {Text(.5 + random.NextDouble() * 3)}\n");
        Directory.CreateDirectory(folder);
        string[] paths = [Path.Combine(folder, "allmodel"), Path.Combine(folder, "allrange")];
        File.WriteAllText(paths[0], model.ToString());
        File.WriteAllText(paths[1], range.ToString());
        return paths;
    }

    private static string Text(double value) => value.ToString("G6", CultureInfo.InvariantCulture);
}
