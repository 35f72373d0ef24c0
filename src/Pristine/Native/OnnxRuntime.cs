using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>ONNX Runtime through its C API, a table of functions that the library hands out by API version.</summary>
public static unsafe class OnnxRuntime
{
    /// <summary>The library's version, for example <c>1.30.0</c>.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    public static string Version => Marshal.PtrToStringUTF8((nint)OnnxRuntimeApi.OrtGetApiBase()->GetVersionString()) ?? "";

    /// <summary>The execution providers that the library was built with, for example <c>CPUExecutionProvider</c>; that one is here does not mean that it works.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    /// <exception cref="OnnxRuntimeException">The library is too old.</exception>
    public static IReadOnlyList<string> Providers
    {
        get
        {
            byte** names;
            int count;
            OnnxRuntimeApi.Check(((delegate* unmanaged<byte***, int*, nint>)OnnxRuntimeApi.Function(OnnxRuntimeApi.Slot.GetAvailableProviders))(&names, &count));
            var providers = new string[count];
            for (var i = 0; i < count; i++)
                providers[i] = Marshal.PtrToStringUTF8((nint)names[i])!;
            OnnxRuntimeApi.Check(((delegate* unmanaged<byte**, int, nint>)OnnxRuntimeApi.Function(OnnxRuntimeApi.Slot.ReleaseAvailableProviders))(names, count));
            return providers;
        }
    }
}
