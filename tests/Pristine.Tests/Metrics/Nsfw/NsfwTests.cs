using System.Text;
using System.Text.Json;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Nsfw;
using Pristine.Models;

namespace Pristine.Tests.Metrics.Nsfw;

/// <summary>The network of nsfwjs against TensorFlow.js: nsfw_tfjs.json, which nsfw_tfjs.mjs writes.</summary>
public class NsfwTests
{
    /// <summary>Two runtimes add up 52 layers in different orders.</summary>
    private const double Tolerance = 1e-5;

    [Fact]
    public void Probabilities_are_those_of_TensorFlow_js()
    {
        if (NsfwNetwork.Missing(ModelStore.Default) is { } missing)
            Assert.Skip(missing);
        using var json = JsonDocument.Parse(
            File.ReadAllBytes(TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "Nsfw", "nsfw_tfjs.json")));
        using var extractor = NsfwMetric.Nsfw.Feature.CreateExtractor();
        var found = new double[NsfwFeature.Classes];
        const int side = BundledModel.Side;
        foreach (var expected in json.RootElement.GetProperty("cases").EnumerateArray())
        {
            int Factor(string name) => expected.GetProperty(name).GetInt32();
            var rgb = new byte[3 * side * side];
            for (var y = 0; y < side; y++)
                for (var x = 0; x < side; x++)
                    for (var c = 0; c < 3; c++)
                        rgb[3 * (y * side + x) + c] = (byte)((x * Factor("a") + y * Factor("b") + c * Factor("c") + x * y / 16) % 256);
            extractor.Compute(new ImageView(new ImageHeader(side, side, "png", 0), rgb, []), found);
            double[] probabilities = [.. expected.GetProperty("probabilities").EnumerateArray().Select(value => value.GetDouble())];
            Assert.All(probabilities.Zip(found), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
            Assert.Equal(probabilities[1] + probabilities[3], NsfwMetric.Nsfw.Score(found), 2 * Tolerance);
            Assert.Equal(probabilities[4], NsfwMetric.Suggestive.Score(found), Tolerance);
        }
    }

    [Fact]
    public void Without_the_network_the_command_that_brings_it_is_told()
    {
        using var folder = TestFiles.NewFolder();
        var metric = NsfwMetric.Nsfw.WithStore(new ModelStore(folder.Path));
        var error = Assert.Throws<ModelException>(metric.CreateScorer);
        Assert.Contains("npm pack nsfwjs@4.3.0 && pristine models import nsfw nsfwjs-4.3.0.tgz", error.Message, StringComparison.Ordinal);
        Assert.Null(metric.ModelSha256);
    }

    [Fact]
    public void Literals_of_minifiers_become_JSON()
    {
        var literal = """{a:{b_1:[.5,-.25,-3,1e3,"x:{\"y"],t:!0,f:!1,n:null}},{},[1])"""u8;
        Assert.Equal(
            """{"a":{"b_1":[0.5,-0.25,-3,1e3,"x:{\"y"],"t":true,"f":false,"n":null}}""",
            Encoding.UTF8.GetString(BundledModel.Json("x", literal)));
    }

    [Theory]
    [InlineData("", "x.exports=\"\"", "expected a script that exports an object")]
    [InlineData("e.exports={a:1", "x.exports=\"\"", "expected a TensorFlow.js layers-model")]
    [InlineData("e.exports={weightsManifest:[],modelTopology:{}}", "x.exports=1", "expected a script that exports a text")]
    [InlineData("e.exports={weightsManifest:[],modelTopology:{}}", "x.exports=\"AA=", "the text does not end")]
    [InlineData("e.exports={weightsManifest:[],modelTopology:{}}", "x.exports=\"AA==\"", "expected 0 bytes of weights; found 1")]
    [InlineData("e.exports={weightsManifest:[],modelTopology:{}}", "x.exports=\"\"", "expected a TensorFlow.js layers-model")]
    public void What_is_no_such_model_is_told(string model, string weights, string message)
    {
        var error = Assert.Throws<ModelException>(
            () => BundledModel.Read("f", Encoding.UTF8.GetBytes(model), Encoding.UTF8.GetBytes(weights)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
