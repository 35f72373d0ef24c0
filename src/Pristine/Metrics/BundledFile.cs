namespace Pristine.Metrics;

/// <summary>The files of models/ that are part of this library.</summary>
internal static class BundledFile
{
    /// <summary>Reads a file.</summary>
    /// <param name="name">For example <c>resnet50-biq2021.head</c>.</param>
    public static byte[] Read(string name)
    {
        using var stream = typeof(BundledFile).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The library lacks its resource {name}.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
