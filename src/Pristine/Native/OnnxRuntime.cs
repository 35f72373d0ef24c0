using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Pristine.Native;

/// <summary>ONNX Runtime refused something; the message is its own.</summary>
/// <param name="message">What happened.</param>
/// <param name="innerException">The cause; null if there is none.</param>
internal sealed class OnnxRuntimeException(string message, Exception? innerException = null) : PristineException(message, innerException)
{
    internal OnnxRuntimeException(Microsoft.ML.OnnxRuntime.OnnxRuntimeException error)
        : this($"ONNX Runtime: {error.Message}", error)
    {
    }
}

/// <summary>
/// ONNX Runtime's native library, which its managed API (Microsoft.ML.OnnxRuntime) calls. <see cref="NativeLibraries"/> finds it.
/// </summary>
internal static unsafe class OnnxRuntime
{
    /// <summary>
    /// The managed API calls functions by their place in the table of this version; an older library has a shorter table.
    /// </summary>
    private static readonly Version Oldest = new(1, 31);

    private static readonly Lazy<string> Started = new(Start);

    /// <summary>The library's version, for example <c>1.31.1</c>.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    /// <exception cref="OnnxRuntimeException">The library is too old.</exception>
    public static string Version => Started.Value;

    /// <summary>
    /// The execution providers that the library was built with, for example <c>CPUExecutionProvider</c>; that one is here does not mean
    /// that it works.
    /// </summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    /// <exception cref="OnnxRuntimeException">The library is too old.</exception>
    public static IReadOnlyList<string> Providers
    {
        get
        {
            Load();
            return OrtEnv.Instance().GetAvailableProviders();
        }
    }

    /// <summary>Makes the library ready for the managed API. Must come before its first use.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    /// <exception cref="OnnxRuntimeException">The library is too old.</exception>
    internal static void Load() => _ = Version;

    private static string Start()
    {
        var handle = NativeLibraries.Require(NativeLibraries.OnnxRuntime);
        var version = FindVersion(handle);
        if (!System.Version.TryParse(version, out var found) || found < Oldest)
            throw new OnnxRuntimeException(
                $"Expected ONNX Runtime {Oldest} or later in {NativeLibraries.PathOf(NativeLibraries.OnnxRuntime)}; found {version}.");
        OrtEnv.DisableDllImportResolver = true;
        NativeLibraries.Serve(typeof(InferenceSession).Assembly, NativeLibraries.OnnxRuntime);
        if (!OrtEnv.IsCreated)
        {
            var options = new EnvironmentCreationOptions { logId = "pristine", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            OrtEnv.CreateInstanceWithOptions(ref options);
        }
        return version;
    }

    /// <summary>OrtGetApiBase()->GetVersionString(), the second of the two functions in OrtApiBase.</summary>
    private static string FindVersion(nint library)
    {
        var entry = (delegate* unmanaged<nint*>)NativeLibrary.GetExport(library, "OrtGetApiBase");
        return Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)entry()[1])()) ?? "";
    }
}
