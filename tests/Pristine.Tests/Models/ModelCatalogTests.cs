using System.Globalization;
using System.Text;
using Pristine.Models;

namespace Pristine.Tests.Models;

public sealed class ModelCatalogTests
{
    private const string Good = """
        {"models":[{"name":"a","summary":"s","format":"brisque-live","origin":"o","licence":"l","citation":"c","with":["b"],
          "files":[{"name":"f","url":"https://h/f","bytes":1,"sha256":"HASH"}]},
          {"name":"b","summary":"s","format":"arniqa-encoder","origin":"o","licence":"l","citation":"c","files":[{"name":"g"}]}]}
        """;

    private static readonly string Hash = new('0', 64);

    [Fact]
    public void The_catalog_in_the_assembly_is_the_one_in_the_repository()
    {
        var read = ModelCatalog.Parse(File.ReadAllBytes(TestFiles.InRepository("models", "catalog.json")), "catalog.json");
        Assert.Equal(read.Select(model => model.Name), ModelCatalog.All.Select(model => model.Name));
        Assert.Equal(read.SelectMany(model => model.Files), ModelCatalog.All.SelectMany(model => model.Files));
        Assert.All(ModelCatalog.All, model => Assert.All(
            (string[])[model.Summary, model.Licence, model.Citation, model.Origin], text => Assert.NotEmpty(text)));
    }

    [Fact]
    public void The_documentation_names_every_model_with_its_hash()
    {
        var rows = File.ReadAllLines(TestFiles.InRepository("docs", "models.md"));
        foreach (var (model, file) in ModelCatalog.All.SelectMany(model => model.Files.Select(file => (model, file))))
        {
            var row = Assert.Single(rows, line => line.StartsWith($"| `{model.Name}` | {file.Name} |", StringComparison.Ordinal));
            Assert.EndsWith(
                $"| {file.Bytes?.ToString(CultureInfo.InvariantCulture) ?? "?"} | {file.Sha256 ?? "not known: pull with `--trust`"} |", row,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Arniqa_is_downloaded_with_its_default_regressor()
    {
        var encoder = ModelCatalog.Get("arniqa");
        Assert.Equal(["arniqa-kadid10k"], encoder.With);
        Assert.Equal(
            "https://github.com/miccunifi/ARNIQA/releases/download/weights/ARNIQA.pth", Assert.Single(encoder.Files).Url!.AbsoluteUri);
        Assert.Equal(112_155_914, encoder.Bytes);
        Assert.Equal(8, ModelCatalog.All.Count(model => model.Name.StartsWith("arniqa-", StringComparison.Ordinal)));
        Assert.Null(ModelCatalog.Get("arniqa-live").Bytes);
    }

    [Fact]
    public void Every_part_of_an_entry_is_read()
    {
        var models = Parse(Good);
        Assert.Equal(["a", "b"], models.Select(model => model.Name));
        Assert.Equal(("s", "l", "c", "o"), (models[0].Summary, models[0].Licence, models[0].Citation, models[0].Origin));
        Assert.Equal(new ModelFile("f", Hash, 1, new Uri("https://h/f")), Assert.Single(models[0].Files));
        Assert.Equal(new ModelFile("g", null), Assert.Single(models[1].Files));
    }

    [Theory]
    [InlineData("\"name\":\"a\"", "\"name\":\"../a\"", "expected a name of letters")]
    [InlineData("\"name\":\"b\"", "\"name\":\"a\"", "found several")]
    [InlineData("brisque-live", "pickle", "found 'pickle'")]
    [InlineData("[\"b\"]", "[\"c\"]", "found 'c'")]
    [InlineData("[{\"name\":\"g\"}]", "[]", "at least one file")]
    [InlineData("\"name\":\"g\"", "\"name\":\"sub/g\"", "found 'sub/g'")]
    [InlineData("\"name\":\"g\"", "\"name\":\"manifest.json\"", "found 'manifest.json'")]
    [InlineData("HASH", "ABC", "64 hexadecimal digits")]
    [InlineData("\"bytes\":1", "\"bytes\":0", "size of f above 0")]
    [InlineData("https://h/f", "http://h/f", "an https address of f")]
    [InlineData("\"licence\":\"l\",", "", "licence")]
    [InlineData("\"url\"", "\"adress\"", "adress")]
    [InlineData("{\"models\"", "[{\"models\"", "catalog.json")]
    public void A_faulty_entry_is_refused(string good, string bad, string message)
    {
        var at = Good.IndexOf(good, StringComparison.Ordinal);
        var error = Assert.Throws<ModelException>(() => Parse(string.Concat(Good.AsSpan(0, at), bad, Good.AsSpan(at + good.Length))));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_must_be_an_archive_of_pytorch()
    {
        var validate = ModelCatalog.Get("arniqa").Validate;
        var checkpoint = new TinyResNet().TorchFile();
        validate([checkpoint]);
        Assert.Throws<ModelException>(() => validate([TinyResNet.Regressor([1, 2], 3)]));
        ModelCatalog.Get("arniqa-live").Validate([TinyResNet.Regressor([1, 2], 3)]);
        Assert.Throws<ModelException>(() => validate(["<html>a page</html>"u8.ToArray()]));
        Assert.Throws<ModelException>(() => validate([checkpoint[..^8]]));
    }

    private static IReadOnlyList<ModelDefinition> Parse(string json) =>
        ModelCatalog.Parse(Encoding.UTF8.GetBytes(json.Replace("HASH", Hash, StringComparison.Ordinal)), "catalog.json");
}
