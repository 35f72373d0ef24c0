using System.Runtime.InteropServices;
using System.Text.Json;
using Pristine.Tests;

namespace Pristine.EndToEnd;

/// <summary>The Python package from its source, around the program of this build: quick, beside <see cref="PythonPackageTests"/>.</summary>
public class PythonSourceTests
{
    private const string Python = "/usr/bin/python3";

    [Fact]
    public void Its_rows_are_those_of_the_command()
    {
        Assert.SkipUnless(File.Exists(Python), $"Needs {Python}.");
        const string code = "import json, sys, pristine_iqa; print(json.dumps(pristine_iqa.score(sys.argv[1:], format='rows')))";
        string[] photos = ["samples/photos/leaf.jpg", "samples/photos/corrupt.jpg"];
        var program = Path.ChangeExtension(PristineCommand.Assembly, OperatingSystem.IsWindows() ? ".exe" : null);
        var runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var process = PristineCommand.StartProgram(
            Python, ["-c", code, .. photos], TestFiles.Root, ("PYTHONPATH", TestFiles.InRepository("python", "src")),
            ("PYTHONDONTWRITEBYTECODE", "1"), ("PRISTINE_PROGRAM", program), ("DOTNET_ROOT", runtime));
        var rows = JsonDocument.Parse(PristineCommand.Finish(process, null).Expect(0).Output).RootElement.EnumerateArray();
        var expected = PristineCommand.Run(
            ["score", "-", "--format", "jsonl"], TestFiles.Root, System.Text.Encoding.UTF8.GetBytes(string.Join('\n', photos))).Expect(0);
        Assert.Equal(
            expected.Lines.Select(line => JsonDocument.Parse(line).RootElement).Select(row => (Text(row, "status"), Text(row, "brisque"))),
            rows.Select(row => (Text(row, "status"), Text(row, "brisque"))));
        static string Text(JsonElement row, string name) =>
            row.GetProperty(name) is { ValueKind: JsonValueKind.Number } number
                ? ((float)number.GetDouble()).ToString(System.Globalization.CultureInfo.InvariantCulture)
                : row.GetProperty(name).ToString();
    }
}
