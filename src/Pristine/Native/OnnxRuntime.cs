using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>ONNX Runtime through its C API, a table of functions that the library hands out by API version.</summary>
public static unsafe partial class OnnxRuntime
{
    /// <summary>The library's version, for example <c>1.30.0</c>.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    public static string Version => Marshal.PtrToStringUTF8((nint)OrtGetApiBase()->GetVersionString()) ?? "";

    // OrtApiBase of onnxruntime_c_api.h.
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct ApiBase
    {
        public readonly delegate* unmanaged<uint, void*> GetApi;
        public readonly delegate* unmanaged<byte*> GetVersionString;
    }

    [LibraryImport(NativeLibraries.OnnxRuntime)]
    private static partial ApiBase* OrtGetApiBase();
}
