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

    private static OnnxRuntimeSession? Find(string path, string device) =>
        Sessions.TryGetValue((path, File.GetLastWriteTimeUtc(path), device), out var reference) && reference.TryGetTarget(out var session)
        ? session
        : null;
}
