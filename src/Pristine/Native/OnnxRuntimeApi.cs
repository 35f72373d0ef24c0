using System.Runtime.InteropServices;

namespace Pristine.Native;

/// <summary>ONNX Runtime refused something; the message is its own.</summary>
public sealed class OnnxRuntimeException : Exception
{
    /// <summary>An error without a message.</summary>
    public OnnxRuntimeException()
    {
    }

    /// <summary>An error.</summary>
    /// <param name="message">What happened.</param>
    public OnnxRuntimeException(string message)
        : base(message)
    {
    }

    /// <summary>An error with its cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">The cause.</param>
    public OnnxRuntimeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// ONNX Runtime's C API: OrtApi, a table of function pointers that only ever grows, so a slot keeps its number in every later version.
/// </summary>
internal static unsafe partial class OnnxRuntimeApi
{
    /// <summary>The version of the table that has every slot used here; any library from 1.18 on hands it out.</summary>
    private const uint Version = 18;

    private const int LogErrors = 3;

    /// <summary>Positions of the functions in OrtApi (onnxruntime_c_api.h).</summary>
    internal enum Slot
    {
        GetErrorMessage = 2,
        CreateEnv = 3,
        CreateSession = 7,
        CreateSessionFromArray = 8,
        Run = 9,
        CreateSessionOptions = 10,
        DisableMemPattern = 17,
        SetSessionLogSeverityLevel = 22,
        SetSessionGraphOptimizationLevel = 23,
        SetIntraOpNumThreads = 24,
        SetInterOpNumThreads = 25,
        SessionGetInputCount = 30,
        SessionGetOutputCount = 31,
        SessionGetInputName = 36,
        SessionGetOutputName = 37,
        CreateTensorWithDataAsOrtValue = 49,
        GetTensorMutableData = 51,
        GetTensorElementType = 60,
        GetTensorShapeElementCount = 64,
        GetTensorTypeAndShape = 65,
        CreateCpuMemoryInfo = 69,
        AllocatorFree = 76,
        GetAllocatorWithDefaultOptions = 78,
        ReleaseStatus = 93,
        ReleaseMemoryInfo = 94,
        ReleaseSession = 95,
        ReleaseValue = 96,
        ReleaseTensorTypeAndShapeInfo = 99,
        ReleaseSessionOptions = 100,
        GetAvailableProviders = 125,
        ReleaseAvailableProviders = 126,
        AppendCuda = 204,
        CreateCudaProviderOptions = 205,
        UpdateCudaProviderOptions = 206,
        ReleaseCudaProviderOptions = 208,
    }

    private static readonly Lock Gate = new();
    private static void** _table;
    private static nint _environment;

    /// <summary>The process-wide environment.</summary>
    /// <exception cref="DllNotFoundException">The library is not here; the message says where it was looked for.</exception>
    /// <exception cref="OnnxRuntimeException">The library is too old.</exception>
    public static nint Environment
    {
        get
        {
            Load();
            return _environment;
        }
    }

    /// <summary>The function in a slot; the caller casts it to its type.</summary>
    public static void* Function(Slot slot)
    {
        if (_table == null)
            Load();
        return _table[(int)slot];
    }

    /// <summary>Throws what a failed call reports.</summary>
    public static void Check(nint status)
    {
        if (status == 0)
            return;
        var message = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<nint, byte*>)Function(Slot.GetErrorMessage))(status));
        Release(Slot.ReleaseStatus, status);
        throw new OnnxRuntimeException($"ONNX Runtime: {message}");
    }

    /// <summary>Calls one of the Release functions; null is fine.</summary>
    public static void Release(Slot slot, nint handle)
    {
        if (handle != 0)
            ((delegate* unmanaged<nint, void>)Function(slot))(handle);
    }

    private static void Load()
    {
        lock (Gate)
        {
            if (_table != null)
                return;
            var entry = OrtGetApiBase();
            var table = (void**)entry->GetApi(Version);
            if (table == null)
                throw new OnnxRuntimeException(
                    $"Expected ONNX Runtime 1.{Version} or later; found {Marshal.PtrToStringUTF8((nint)entry->GetVersionString())}.");
            nint environment;
            fixed (byte* name = "pristine\0"u8)
            {
                // Check needs the table, and the table must not be seen before the environment is there.
                var status = ((delegate* unmanaged<int, byte*, nint*, nint>)table[(int)Slot.CreateEnv])(LogErrors, name, &environment);
                if (status != 0)
                    throw new OnnxRuntimeException("ONNX Runtime: the environment could not be made.");
            }
            _environment = environment;
            _table = table;
        }
    }

    // OrtApiBase of onnxruntime_c_api.h.
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct ApiBase
    {
        public readonly delegate* unmanaged<uint, void*> GetApi;
        public readonly delegate* unmanaged<byte*> GetVersionString;
    }

    [LibraryImport(NativeLibraries.OnnxRuntime)]
    internal static partial ApiBase* OrtGetApiBase();
}
