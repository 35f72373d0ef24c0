// Converts OpenCV's BRISQUE model and feature range (YAML) into models/brisque-opencv.bin; see models/brisque-opencv.md.
//   dotnet run models/convert-brisque-opencv.cs -- brisque_model_live.yml brisque_range_live.yml brisque-opencv.bin
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

if (args.Length != 3)
{
    Console.Error.WriteLine("usage: dotnet run models/convert-brisque-opencv.cs -- MODEL.yml RANGE.yml OUT.bin");
    return 2;
}
var model = File.ReadAllText(args[0]);
var range = File.ReadAllText(args[1]);

Require(args[0], model, "svmType", "EPS_SVR");
Require(args[0], model, "type", "RBF");
var dimension = (int)Number(args[0], model, "var_count");
var vectors = (int)Number(args[0], model, "sv_total");
var gamma = Number(args[0], model, "gamma");
var rho = Number(args[0], model, "rho");
var supportVectors = Numbers(args[0], Section(args[0], model, "support_vectors:", "decision_functions:"), vectors * dimension);
var decision = Section(args[0], model, "decision_functions:", null);
var coefficients = Numbers(args[0], Section(args[0], decision, "alpha:", null), vectors);
if (decision.Contains("index:", StringComparison.Ordinal))
    throw new InvalidDataException($"{args[0]}: expected coefficients in the order of the support vectors; found an index.");
var bounds = Numbers(args[1], Section(args[1], range, "data:", null), 2 * dimension);

using (var output = new BinaryWriter(File.Create(args[2])))
{
    output.Write(Encoding.ASCII.GetBytes("BRISQUE1"));
    output.Write(dimension);
    output.Write(vectors);
    output.Write(gamma);
    output.Write(rho);
    foreach (var bound in bounds)
        output.Write(Single(bound));
    foreach (var coefficient in coefficients)
        output.Write(coefficient);
    foreach (var value in supportVectors)
        output.Write(Single(value));
}
return 0;

// OpenCV writes these from float32 with nine digits, which give the same float32 back.
static float Single(double value) => (float)value;

static void Require(string file, string text, string key, string expected)
{
    var found = Value(file, text, key);
    if (found != expected)
        throw new InvalidDataException($"{file}: expected {key}: {expected}; found {found}.");
}

static string Value(string file, string text, string key)
{
    var match = Regex.Match(text, $@"^[\s-]*{key}:\s*(\S+)\s*$", RegexOptions.Multiline);
    return match.Success ? match.Groups[1].Value : throw new InvalidDataException($"{file}: expected a line '{key}: ...'; found none.");
}

static double Number(string file, string text, string key) => double.Parse(Value(file, text, key), CultureInfo.InvariantCulture);

static string Section(string file, string text, string after, string? before)
{
    var start = text.IndexOf(after, StringComparison.Ordinal);
    var end = before == null ? text.Length : text.IndexOf(before, StringComparison.Ordinal);
    if (start < 0 || end < start)
        throw new InvalidDataException($"{file}: expected '{after}'{(before == null ? "" : $" before '{before}'")}; found none.");
    return text[(start + after.Length)..end];
}

static double[] Numbers(string file, string text, int count)
{
    var numbers = Regex.Matches(text, @"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?").Select(m => double.Parse(m.Value, CultureInfo.InvariantCulture))
        .ToArray();
    return numbers.Length == count ? numbers : throw new InvalidDataException($"{file}: expected {count} numbers; found {numbers.Length}.");
}
