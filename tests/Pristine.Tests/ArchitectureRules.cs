using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Pristine.Tests;

/// <summary>A place where the code breaks a rule of docs/architecture.md.</summary>
internal sealed record Violation(string File, int Line, string Message)
{
    public override string ToString() => $"src/{File}:{Line}: {Message}";
}

/// <summary>
/// The rules of docs/architecture.md that a parser can check. A room is a folder of src/Pristine, or another project beside it:
/// src/Pristine.Cli is the room Cli. To change the architecture, change the tables here and docs/architecture.md in one commit.
/// </summary>
internal static partial class ArchitectureRules
{
    private const string Cli = "Cli";
    private const string Files = "Files";

    /// <summary>The files of src/Pristine that lie in no folder: they use no room, and every room may use them.</summary>
    private const string Ground = "Pristine";
    private const string Kernels = "Kernels";
    private const string Native = "Native";
    private const string Pages = "Pages";
    private const string Remote = "Remote";
    private const string Selection = "Selection";

    private static readonly string[] BelowSelection =
        ["Scoring", "Tables", "Metrics", "Datasets", "Networks", "Models", "Media", Files, Kernels, Native, Remote];

    /// <summary>
    /// Which rooms a room may use besides itself: any below it in Cli -> Server -> Reports, Experiments, PaddleMix -> Selection -> Scoring
    /// -> Tables -> Metrics, Datasets -> Networks -> Models, Media -> Files, Kernels, Native, Remote, not one beside it (Pages stands below
    /// Reports and Experiments). Selection consumes the rows that Scoring makes, so it stands above Scoring; it never touches pixels, so of
    /// what lies lower it may use only names, numbers, products of vectors in Kernels and, in Native, the database.
    /// </summary>
    private static readonly Dictionary<string, string[]> MayUse = new(StringComparer.Ordinal)
    {
        [Ground] = [],
        [Native] = [],
        [Kernels] = [],
        [Files] = [],
        [Remote] = [],
        [Pages] = [],
        ["Media"] = [Files, Kernels, Native, Remote],
        ["Models"] = [Files, Kernels, Native, Remote],
        ["Networks"] = ["Models", Files, Kernels, Native, Remote],
        ["Metrics"] = ["Networks", "Models", "Media", Files, Kernels, Native, Remote],
        ["Datasets"] = ["Models", "Media", Files, Kernels, Native, Remote],
        ["Tables"] = ["Metrics", "Datasets", "Networks", "Models", "Media", Files, Kernels, Native, Remote],
        ["Scoring"] = ["Tables", "Metrics", "Datasets", "Networks", "Models", "Media", Files, Kernels, Native, Remote],
        [Selection] = ["Scoring", "Tables", "Metrics", "Datasets", "Media", Files, Kernels, Native, Remote],
        ["Reports"] = [Selection, Pages, .. BelowSelection],
        ["Experiments"] = [Selection, Pages, .. BelowSelection],
        ["PaddleMix"] = [Selection, .. BelowSelection],
        ["Cloud"] = [Remote],
        ["Server"] = ["Reports", Selection, Pages, .. BelowSelection],
        [Cli] = ["Cloud", "Server", "Reports", "Experiments", "PaddleMix", Selection, .. BelowSelection],
    };

    /// <summary>Files that a rule does not apply to. <paramref name="File"/> is relative to src; the reason is for the reader.</summary>
    /// <param name="Rule">The name of a rule's method below.</param>
    internal sealed record Exemption(string Rule, string File, string Reason);

    /// <summary>All exemptions. A test fails for one that is no longer needed.</summary>
    public static readonly IReadOnlyList<Exemption> Exemptions = [];

    private static readonly Dictionary<string, Func<SourceFile, IEnumerable<Violation>>> Rules = new(StringComparer.Ordinal)
    {
        [nameof(FolderIsNamespace)] = FolderIsNamespace,
        [nameof(ArrowsPointDown)] = ArrowsPointDown,
        [nameof(SelectionTouchesNoPixels)] = SelectionTouchesNoPixels,
        [nameof(PointersStayLow)] = PointersStayLow,
        [nameof(VectorsStayInKernels)] = VectorsStayInKernels,
        [nameof(PInvokeStaysInNative)] = PInvokeStaysInNative,
        [nameof(NamesSayWhat)] = NamesSayWhat,
    };

    /// <summary>Checks one file against every rule.</summary>
    /// <param name="file">Path relative to src, with forward slashes: <c>Pristine/Metrics/Entropy.cs</c>.</param>
    /// <param name="text">The file's text.</param>
    public static IEnumerable<Violation> Check(string file, string text) =>
        Rules.Where(rule => !Exemptions.Any(e => e.Rule == rule.Key && e.File == file))
        .SelectMany(rule => rule.Value(new SourceFile(file, text)));

    /// <summary>Checks one file against one rule, exempt or not.</summary>
    public static IEnumerable<Violation> Check(string rule, string file, string text) => Rules[rule](new SourceFile(file, text));

    private static IEnumerable<Violation> FolderIsNamespace(SourceFile source)
    {
        var expected = source.Folder.Replace('/', '.');
        foreach (var declaration in source.Root.DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>())
            if (declaration.Name.ToString() != expected)
                yield return source.At(declaration, $"expected the namespace {expected}, as the folder; found {declaration.Name}");
        // Top-level statements stand outside namespaces, but types may not.
        foreach (var type in source.Root.Members.OfType<BaseTypeDeclarationSyntax>())
            yield return source.At(
                type, $"expected the namespace {expected}, as the folder; found {type.Identifier} outside any namespace");
    }

    private static IEnumerable<Violation> ArrowsPointDown(SourceFile source)
    {
        if (!MayUse.TryGetValue(source.Room, out var below))
        {
            yield return source.At(
                source.Root, $"expected a file in one of the rooms {string.Join(", ", MayUse.Keys)}; found it in {source.Folder}");
            yield break;
        }
        foreach (var (token, room) in References(source))
            if (room != source.Room && !below.Contains(room))
                yield return source.At(
                    token, $"{source.Room} may use only {(below.Length == 0 ? "itself" : string.Join(", ", below))}; found {room}");
    }

    /// <summary>
    /// Every mention of a room: <c>Pristine.Room</c> in usings and qualified names, and <c>Room.Name</c>, which a namespace below
    /// Pristine resolves, unless the file itself declares something called Room.
    /// </summary>
    private static IEnumerable<(SyntaxToken Token, string Room)> References(SourceFile source)
    {
        var tokens = source.Tokens;
        var declared = DeclaredNames(source.Root);
        for (var i = 0; i + 2 < tokens.Count; i++)
        {
            var isQualified = i > 0 && tokens[i - 1].IsKind(SyntaxKind.DotToken);
            if (!tokens[i].IsKind(SyntaxKind.IdentifierToken) || isQualified || !tokens[i + 1].IsKind(SyntaxKind.DotToken))
                continue;
            var name = tokens[i].ValueText;
            if (name == "Pristine")
                yield return (tokens[i], tokens[i + 2].ValueText);
            else if (MayUse.ContainsKey(name) && !declared.Contains(name))
                yield return (tokens[i], name);
        }
    }

    private static HashSet<string> DeclaredNames(CompilationUnitSyntax root) =>
        root.DescendantNodes().Select(node => node switch
        {
            PropertyDeclarationSyntax property => property.Identifier.ValueText,
            ParameterSyntax parameter => parameter.Identifier.ValueText,
            VariableDeclaratorSyntax variable => variable.Identifier.ValueText,
            BaseTypeDeclarationSyntax type => type.Identifier.ValueText,
            EnumMemberDeclarationSyntax member => member.Identifier.ValueText,
            _ => "",
        }).ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<Violation> SelectionTouchesNoPixels(SourceFile source)
    {
        if (source.Room != Selection)
            return [];
        return source.Tokens
            .Where(t => Names(t, "ImageView", "MetricScorer", "CreateScorer")
                || (t.IsKind(SyntaxKind.IdentifierToken) && t.ValueText.Contains("Decoder", StringComparison.Ordinal)))
            .Select(t => source.At(t, $"selection never touches pixels; found {t.ValueText}"));
    }

    private static IEnumerable<Violation> PointersStayLow(SourceFile source)
    {
        if (source.Room is Kernels or Native)
            return [];
        var keywords = source.Tokens.Where(
            t => t.IsKind(SyntaxKind.UnsafeKeyword) || t.IsKind(SyntaxKind.FixedKeyword) || Names(t, "Unsafe"));
        var pointers = source.Root.DescendantNodes().Where(n => n is PointerTypeSyntax or FunctionPointerTypeSyntax)
            .Select(n => n.GetFirstToken());
        return keywords.Concat(pointers)
            .Select(t => source.At(t, $"unsafe code and pointers belong to Kernels and Native; found {t.Parent}"));
    }

    private static IEnumerable<Violation> VectorsStayInKernels(SourceFile source)
    {
        if (source.Room == Kernels)
            return [];
        return source.Tokens
            .Where(t => Names(t, "Vector", "Vector64", "Vector128", "Vector256", "Vector512", "Intrinsics"))
            .Select(t => source.At(t, $"vector arithmetic belongs to Kernels; found {t.Parent}"));
    }

    private static IEnumerable<Violation> PInvokeStaysInNative(SourceFile source)
    {
        if (source.Room == Native)
            return [];
        return source.Tokens
            .Where(t => t.IsKind(SyntaxKind.ExternKeyword)
                || Names(t, "DllImport", "DllImportAttribute", "LibraryImport", "LibraryImportAttribute", "NativeLibrary"))
            .Select(t => source.At(t, $"bindings to native libraries belong to Native; found {t.ValueText}"));
    }

    private static IEnumerable<Violation> NamesSayWhat(SourceFile source)
    {
        foreach (var part in source.File[..^".cs".Length].Split('/'))
            if (IsVague(part))
                yield return source.At(source.Root, $"a name says what a thing is; found {part}");
        foreach (var type in source.Root.DescendantNodes().OfType<BaseTypeDeclarationSyntax>())
            if (IsVague(type.Identifier.ValueText))
                yield return source.At(type.Identifier, $"a name says what a thing is; found {type.Identifier.ValueText}");
    }

    // A string literal's token carries its content as its value, so the kind counts.
    private static bool Names(SyntaxToken token, params ReadOnlySpan<string> names) =>
        token.IsKind(SyntaxKind.IdentifierToken) && names.Contains(token.ValueText);

    private static bool IsVague(string name) => VagueWord().IsMatch(name);

    // Whole PascalCase words only: "Commonwealth" is fine.
    [GeneratedRegex("(Utils?|Utility|Utilities|Common|Helpers?|Managers?)(?![a-z])")]
    private static partial Regex VagueWord();

    /// <summary>A parsed file and where it stands.</summary>
    private sealed class SourceFile
    {
        public SourceFile(string file, string text)
        {
            File = file;
            Root = CSharpSyntaxTree.ParseText(text, CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Preview))
                .GetCompilationUnitRoot();
            Tokens = [.. Root.DescendantTokens()];
        }

        public string File { get; }

        public CompilationUnitSyntax Root { get; }

        /// <summary>The code's tokens; comments are not among them.</summary>
        public IReadOnlyList<SyntaxToken> Tokens { get; }

        public string Folder => File[..File.LastIndexOf('/')];

        /// <summary>
        /// A folder of src/Pristine, its ground, or the last part of another project's name: Cli, Experiments, PaddleMix.
        /// </summary>
        public string Room => File.Split('/') switch
        {
            [Ground, _] => Ground,
            [Ground, var room, ..] => room,
            var parts => parts[0]["Pristine.".Length..],
        };

        public Violation At(SyntaxNode node, string message) => At(node.GetFirstToken(), message);

        public Violation At(SyntaxToken token, string message) =>
            new(File, token.GetLocation().GetLineSpan().StartLinePosition.Line + 1, message);
    }
}
