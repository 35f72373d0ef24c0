using System.Text.Json;
using Pristine.Kernels;
using Pristine.Media;
using Pristine.Metrics;
using Pristine.Metrics.Faces;

namespace Pristine.Tests.Metrics.Faces;

/// <summary>
/// Faces against the same networks in OpenCV's runtime and an implementation of their own for the rest: faces_opencv.json, which
/// faces_opencv.py writes.
/// </summary>
public class FaceTests
{
    /// <summary>Two runtimes add up convolutions in different orders; the largest difference seen is 2e-5 pixels.</summary>
    private const double Pixels = 2e-3;

    /// <summary>The same of scores, which are at most 1.</summary>
    private const double Scores = 1e-4;

    private static readonly JsonElement Expected = JsonDocument.Parse(
        File.ReadAllBytes(TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "Faces", "faces_opencv.json"))).RootElement;

    [Theory]
    [InlineData(256)]
    [InlineData(128)]
    public void Networks_give_what_they_give_in_OpenCV(int side)
    {
        using var network = side == 256 ? BlazeFace.Back("cpu") : BlazeFace.Front("cpu");
        Assert.Equal(side, network.Side);
        var input = network.Input();
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
                for (var c = 0; c < 3; c++)
                    input[3 * (y * side + x) + c] = (float)((x * 3 + y * 5 + c * 40 + x * y / 16) % 256 / 127.5 - 1);
        var found = new List<FaceBox>();
        network.Find(0.001, found);
        Same(Expected.GetProperty("patterns").GetProperty($"{side}"), [.. found.OrderByDescending(box => box.Score).Take(5)]);
    }

    [Theory]
    [InlineData("astronaut", 1)]
    [InlineData("small", 1)]
    // A dog's: the networks are wrong about it.
    [InlineData("spaniels", 1)]
    [InlineData("cups", 0)]
    public void Faces_are_those_of_the_reference(string name, int count)
    {
        var image = Read(name);
        using var detector = new FaceDetector("cpu");
        var faces = new List<FaceBox>();
        // Twice: nothing stays of the image before.
        detector.Find(image, faces);
        detector.Find(image, faces);
        Same(Expected.GetProperty("faces").GetProperty(name), faces);
        Assert.Equal(count, faces.Count);
    }

    [Fact]
    public void Metrics_give_the_count_and_the_share_of_the_largest()
    {
        var image = Read("astronaut");
        using var scorers = new MetricScorers([MetricCatalog.Get("face_count"), MetricCatalog.Get("face_ratio")]);
        scorers.BeginImage();
        Assert.Equal(1, scorers.Score(0, image));
        var box = Expected.GetProperty("faces").GetProperty("astronaut")[0];
        Assert.Equal(box[3].GetDouble() * box[4].GetDouble() / (512 * 384), scorers.Score(1, image), Scores);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 900)]
    [InlineData(1500, 2)]
    public void Any_size_has_a_count(int width, int height)
    {
        using var scorer = new FaceCount().CreateScorer();
        Assert.Equal(0, scorer.Score(new ImageView(new ImageHeader(width, height, "png", 0), new byte[3 * width * height], [])));
    }

    private static void Same(JsonElement expected, List<FaceBox> found)
    {
        Assert.Equal(expected.GetArrayLength(), found.Count);
        foreach (var (box, face) in expected.EnumerateArray().Zip(found))
        {
            Assert.Equal(box[0].GetDouble(), face.Score, Scores);
            Assert.Equal(box[1].GetDouble(), face.Left, Pixels);
            Assert.Equal(box[2].GetDouble(), face.Top, Pixels);
            Assert.Equal(box[3].GetDouble(), face.Width, Pixels);
            Assert.Equal(box[4].GetDouble(), face.Height, Pixels);
        }
    }

    /// <summary>The images of faces_opencv.py.</summary>
    private static ImageView Read(string name)
    {
        if (name is "spaniels" or "cups")
            return Decode(TestFiles.InRepository("samples", "photos", name + ".jpg"));
        var astronaut = Decode(TestFiles.InRepository("tests", "Pristine.Tests", "Metrics", "Faces", "astronaut.jpg"));
        if (name == "astronaut")
            return astronaut;
        const int width = 1600, height = 900, side = 200;
        var small = new byte[3 * side * side];
        using var resize = new PillowResize();
        resize.Resize(
            ResampleFilter.Bilinear, astronaut.Rgb, astronaut.Width, astronaut.Height, side, side, new(0, 0, side, side), small);
        var rgb = new byte[3 * width * height];
        for (var i = 0; i < rgb.Length; i++)
            rgb[i] = (byte)(i % 3 == 1 ? 120 : 90);
        for (var y = 0; y < side; y++)
            small.AsSpan(3 * y * side, 3 * side).CopyTo(rgb.AsSpan(3 * ((500 + y) * width + 1100)));
        return new ImageView(new ImageHeader(width, height, "png", 0), rgb, []);
    }

    private static ImageView Decode(string path)
    {
        using var decoder = new ImageDecoder();
        Assert.Equal(ImageStatus.Ok, decoder.Load(path, ImageInput.Rgb).Status);
        return new ImageView(new ImageHeader(decoder.Image.Width, decoder.Image.Height, "jpeg", 0), decoder.Image.Rgb.ToArray(), []);
    }
}
