using System.Diagnostics;

namespace Pristine.Tests.Remote;

/// <summary>A program from npm, which is installed into the user's cache at the first use.</summary>
/// <param name="package">Name and version, such as <c>s3rver@3.7.1</c>.</param>
internal sealed class NpmPackage(string package)
{
    private readonly Lazy<(string? Folder, string? Why)> _installed = new(() => Install(package));

    /// <summary>The folder that has <c>node_modules</c>; null where node, npm or their registry are not at hand.</summary>
    public string? Folder => _installed.Value.Folder;

    /// <summary>Why it is not there; null where it is.</summary>
    public string? Why => _installed.Value.Why;

    private static (string? Folder, string? Why) Install(string package)
    {
        var folder = Path.Combine(Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "pristine-tests", package);
        if (File.Exists(Path.Combine(folder, "complete")))
            return HasNode() ? (folder, null) : (null, "node is not installed.");
        try
        {
            Directory.CreateDirectory(folder);
            var start = new ProcessStartInfo("npm")
            {
                WorkingDirectory = folder,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            foreach (var argument in (string[])["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, package])
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                return (null, $"npm install failed: {output.Result} {error}");
            File.WriteAllText(Path.Combine(folder, "complete"), "");
            return HasNode() ? (folder, null) : (null, "node is not installed.");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (null, "npm is not installed.");
        }
    }

    private static bool HasNode()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("node", "--version") { RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
