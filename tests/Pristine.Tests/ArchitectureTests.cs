using System.Xml.Linq;
using Pristine.Metrics;

namespace Pristine.Tests;

public class ArchitectureTests
{
    [Fact]
    public void The_code_follows_the_rules()
    {
        var violations = SourceFiles().SelectMany(file => ArchitectureRules.Check(file, Read(file))).ToArray();
        Assert.True(
            violations.Length == 0,
            $"docs/architecture.md is broken in {violations.Length} places:\n{string.Join('\n', violations.AsEnumerable())}");
    }

    [Fact]
    public void No_exemption_is_stale()
    {
        foreach (var exemption in ArchitectureRules.Exemptions)
            Assert.True(
                ArchitectureRules.Check(exemption.Rule, exemption.File, Read(exemption.File)).Any(),
                $"{exemption.File} no longer needs its exemption from {exemption.Rule}: remove it.");
    }

    [Fact]
    public void Every_public_type_has_a_summary()
    {
        var assembly = typeof(Metric).Assembly;
        var path = Path.ChangeExtension(assembly.Location, ".xml");
        var members = XDocument.Load(path).Descendants("member").ToDictionary(m => m.Attribute("name")!.Value);
        var types = assembly.GetExportedTypes();
        Assert.Contains(typeof(Metric), types);
        foreach (var type in types)
        {
            members.TryGetValue("T:" + type.FullName!.Replace('+', '.'), out var member);
            Assert.False(string.IsNullOrWhiteSpace(member?.Element("summary")?.Value), $"{type.FullName} has no summary in {path}.");
        }
    }

    /// <summary>Each rule finds its fault, in the right line, and lets the same thing pass where it belongs.</summary>
    [Theory]
    [InlineData("Pristine/Metrics/A.cs", "\nnamespace Pristine.Media;", 2, "expected the namespace Pristine.Metrics")]
    [InlineData("Pristine/Metrics/Brisque/A.cs", "namespace Pristine.Metrics;", 1, "expected the namespace Pristine.Metrics.Brisque")]
    [InlineData("Pristine.Cli/Commands/A.cs", "namespace Pristine.Cli;", 1, "expected the namespace Pristine.Cli.Commands")]
    [InlineData("Pristine/Nowhere/A.cs", "namespace Pristine.Nowhere;", 1, "found it in Pristine")]
    [InlineData("Pristine/Metrics/A.cs", "class A;", 1, "outside any namespace")]
    [InlineData("Pristine/Attic/A.cs", "namespace Pristine.Attic;", 1, "found it in Pristine/Attic")]
    [InlineData("Pristine/Metrics/A.cs", "using System;\nusing Pristine.Datasets;", 2, "found Datasets")]
    [InlineData("Pristine/Datasets/A.cs", "using Pristine.Metrics;", 1, "found Metrics")]
    [InlineData("Pristine/Datasets/A.cs", "using static Pristine.Metrics.MetricCatalog;", 1, "found Metrics")]
    [InlineData("Pristine/Datasets/A.cs", "using M = Pristine.Metrics.Metric;", 1, "found Metrics")]
    [InlineData("Pristine/Kernels/A.cs", "using Pristine.Native;", 1, "found Native")]
    [InlineData("Pristine/Media/A.cs", "using Pristine.Models;", 1, "found Models")]
    [InlineData("Pristine/Scoring/A.cs", "using Pristine.Selection;", 1, "found Selection")]
    [InlineData("Pristine/Reports/A.cs", "using Pristine.Experiments;", 1, "found Experiments")]
    [InlineData("Pristine/Selection/A.cs", "using Pristine.Networks;", 1, "found Networks")]
    [InlineData(
        "Pristine/Scoring/A.cs", "namespace Pristine.Scoring;\nclass A { object B => new global::Pristine.Cli.Program(); }", 2,
        "found Cli")]
    [InlineData("Pristine/Kernels/A.cs", "namespace Pristine.Kernels;\nclass A { Media.ImageView B; }", 2, "found Media")]
    [InlineData("Pristine/Kernels/A.cs", "namespace Pristine.Kernels;\nclass A { void B() => Media.Decoder.Run(); }", 2, "found Media")]
    [InlineData("Pristine/Selection/A.cs", "namespace Pristine.Selection;\nclass A { void B(ImageView view) { } }", 2, "found ImageView")]
    [InlineData(
        "Pristine/Selection/A.cs", "namespace Pristine.Selection;\nclass A { void B(JpegDecoder decoder) { } }", 2, "found JpegDecoder")]
    [InlineData("Pristine/Metrics/A.cs", "namespace Pristine.Metrics;\nunsafe class A;", 2, "unsafe code")]
    [InlineData("Pristine/Metrics/A.cs", "namespace Pristine.Metrics;\nclass A { byte* B; }", 2, "unsafe code")]
    [InlineData("Pristine/Metrics/A.cs", "namespace Pristine.Metrics;\nclass A { delegate*<int> B; }", 2, "unsafe code")]
    [InlineData(
        "Pristine/Metrics/A.cs", "namespace Pristine.Metrics;\nclass A { void B(byte[] c) => Unsafe.Add(ref c[0], 1); }", 2, "unsafe code")]
    [InlineData("Pristine/Models/A.cs", "using System.Runtime.Intrinsics.X86;", 1, "vector arithmetic")]
    [InlineData("Pristine/Models/A.cs", "namespace Pristine.Models;\nclass A { Vector<double> B; }", 2, "vector arithmetic")]
    [InlineData("Pristine/Native/A.cs", "namespace Pristine.Native;\nclass A { int B => Vector256<int>.Count; }", 2, "vector arithmetic")]
    [InlineData(
        "Pristine/Media/A.cs", "namespace Pristine.Media;\nclass A { [LibraryImport(\"vips\")] static partial void B(); }", 2,
        "native libraries")]
    [InlineData(
        "Pristine/Media/A.cs", "namespace Pristine.Media;\nclass A { [DllImport(\"vips\")]\nstatic void B(); }", 2, "native libraries")]
    [InlineData("Pristine/Media/A.cs", "namespace Pristine.Media;\nclass A { static extern void B(); }", 2, "native libraries")]
    [InlineData("Pristine.Cli/A.cs", "namespace Pristine.Cli;\nclass A { nint B => NativeLibrary.Load(\"c\"); }", 2, "native libraries")]
    [InlineData("Pristine/Metrics/ImageUtils.cs", "namespace Pristine.Metrics;", 1, "found ImageUtils")]
    [InlineData("Pristine/Metrics/Common/A.cs", "namespace Pristine.Metrics.Common;", 1, "found Common")]
    [InlineData("Pristine/Metrics/A.cs", "namespace Pristine.Metrics;\nclass A { class HelperOfA; }", 2, "found HelperOfA")]
    [InlineData("Pristine/Metrics/A.cs", "namespace Pristine.Metrics;\nrecord WorkManager;", 2, "found WorkManager")]
    public void A_rule_finds_its_fault(string file, string text, int line, string message)
    {
        var violation = Assert.Single(ArchitectureRules.Check(file, text));
        Assert.Equal((file, line), (violation.File, violation.Line));
        Assert.Contains(message, violation.Message, StringComparison.Ordinal);
        Assert.StartsWith($"src/{file}:{line}: ", violation.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "Pristine/Metrics/A.cs",
        "using Pristine.Media;\nusing Pristine.Kernels;\nusing Pristine.Models;\nnamespace Pristine.Metrics;\nclass A;")]
    [InlineData(
        "Pristine/Selection/A.cs",
        "using Pristine.Media;\nusing Pristine.Scoring;\nnamespace Pristine.Selection;\nclass A { ImageStatus B; }")]
    [InlineData("Pristine.Cli/Program.cs", "using Pristine.Native;\nusing Pristine.Selection;\nreturn 0;")]
    [InlineData(
        "Pristine/Kernels/A.cs",
        "using System.Runtime.Intrinsics;\nnamespace Pristine.Kernels;\nunsafe class A { byte* B; Vector256<int> C; }")]
    [InlineData(
        "Pristine/Native/A.cs",
        "namespace Pristine.Native;\nunsafe partial class A { [LibraryImport(\"c\")] static partial void B(byte* c); }")]
    // Comments, strings and members that happen to be called like a room are no references.
    [InlineData(
        "Pristine/Kernels/A.cs",
        "namespace Pristine.Kernels;\n// unlike Pristine.Metrics\nclass A { string B => \"using Pristine.Datasets; unsafe\"; }")]
    [InlineData(
        "Pristine/Selection/A.cs",
        "namespace Pristine.Selection;\nclass A { string[] B => [\"ImageView\", \"Vector\", \"Unsafe\", \"NativeLibrary\"]; }")]
    [InlineData(
        "Pristine/Datasets/A.cs",
        "namespace Pristine.Datasets;\nclass A { int[] Metrics { get; } int B => Metrics.Length + this.Metrics.Length; }")]
    [InlineData("Pristine/Metrics/A.cs", "namespace Pristine.Metrics;\nclass Commonwealth { class Vectors; }")]
    public void What_belongs_is_let_pass(string file, string text) => Assert.Empty(ArchitectureRules.Check(file, text));

    private static string[] SourceFiles()
    {
        var source = TestFiles.InRepository("src");
        var files = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(source, path).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .ToArray();
        Assert.Contains("Pristine/Metrics/Metric.cs", files);
        return files;
    }

    private static string Read(string file) => File.ReadAllText(TestFiles.InRepository("src", file));
}
