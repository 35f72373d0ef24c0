using Pristine.Native;

namespace Pristine.Networks;

/// <summary>
/// The networks that are open in this process: who asks for the same file on the same device gets the same session, as long as somebody
/// holds it.
/// </summary>
internal static class NetworkSessions
{
    private static readonly Dictionary<(string Path, DateTime Written, string Device), WeakReference<OnnxRuntimeSession>> Sessions = [];
    private static readonly Lock Gate = new();

    /// <summary>The session of a file.</summary>
    /// <param name="path">Full path of the .onnx file. A file that is written anew is another one.</param>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <exception cref="OnnxRuntimeException">The runtime cannot load it.</exception>
    /// <exception cref="PlatformNotSupportedException">The device is not available.</exception>
    public static OnnxRuntimeSession Open(string path, string device) => Open(path, device, () => new OnnxRuntimeSession(path, device));

    /// <summary>The session of a network that may have no file.</summary>
    /// <param name="path">What it is known by.</param>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <param name="open">Opens it where it is not open yet.</param>
    public static OnnxRuntimeSession Open(string path, string device, Func<OnnxRuntimeSession> open)
    {
        lock (Gate)
        {
            if (Find(path, device) is { } found)
                return found;
            var session = open();
            // Opening may have written the file.
            Sessions[(path, File.GetLastWriteTimeUtc(path), device)] = new(session);
            return session;
        }
    }

    /// <summary>
    /// The session of what computes one output: of a network with several inputs the branch of that output, otherwise all of it.
    /// </summary>
    /// <param name="path">Full path of the .onnx file.</param>
    /// <param name="output">The output; the first when null.</param>
    /// <param name="device"><c>cpu</c> or <c>cuda:N</c>.</param>
    /// <exception cref="OnnxRuntimeException">The runtime cannot load it, or it has no such output.</exception>
    public static OnnxRuntimeSession OpenBranch(string path, string? output, string device)
    {
        // A file that is written anew is another one, of which this is a branch.
        var name = $"{path}\n{output}\n{File.GetLastWriteTimeUtc(path):O}";
        lock (Gate)
        {
            if (Find(name, device) is { } found)
                return found;
            var whole = Open(path, device);
            if (whole.InputNames.Count <= 1)
                return whole;
            var branch = output ?? whole.OutputNames[0];
            return Open(name, device, () => new OnnxRuntimeSession(OnnxBranch.Of(Read(path), branch), device, Path.GetDirectoryName(path)));
        }
    }

    private static byte[] Read(string path) => new FileInfo(path).Length <= Array.MaxLength
        ? File.ReadAllBytes(path)
        : throw new OnnxRuntimeException("it has several inputs and more than 2 GB: export the part of each of them as a file of its own.");

    private static OnnxRuntimeSession? Find(string path, string device) =>
        Sessions.TryGetValue((path, File.GetLastWriteTimeUtc(path), device), out var reference) && reference.TryGetTarget(out var session)
        ? session
        : null;
}
