using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using static Pristine.Native.OnnxRuntimeApi;

namespace Pristine.Native;

/// <summary>
/// A loaded ONNX model whose inputs are floats. It is thread-safe and meant to be shared: each worker makes its own
/// <see cref="OnnxRuntimeWorker"/>, whose runs take place on the worker's own thread.
/// </summary>
public sealed unsafe class OnnxRuntimeSession : IDisposable
{
    private const int AllOptimizations = 99;

    private readonly Lock _gate = new();
    private readonly nint[] _outputNames;
    private readonly nint[] _inputNames;
    private nint _session;
    private int _workers;
    private bool _disposed;

    /// <summary>Loads a model from a file.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="device"><c>cpu</c>, or <c>cuda:0</c>, <c>cuda:1</c>, ... where the library has CUDA.</param>
    /// <exception cref="ArgumentException">The device is neither.</exception>
    /// <exception cref="PlatformNotSupportedException">The library has no CUDA; the message says what to do.</exception>
    /// <exception cref="OnnxRuntimeException">The file is no model that the runtime can run.</exception>
    /// <exception cref="DllNotFoundException">ONNX Runtime is not here.</exception>
    public OnnxRuntimeSession(string path, string device = "cpu")
        : this(device, options =>
        {
            // ORTCHAR_T: UTF-16 on Windows, bytes elsewhere.
            var name = (OperatingSystem.IsWindows() ? Encoding.Unicode : Encoding.UTF8).GetBytes(path + "\0");
            nint session;
            fixed (byte* file = name)
                Check(((delegate* unmanaged<nint, byte*, nint, nint*, nint>)Function(Slot.CreateSession))(OnnxRuntimeApi.Environment, file, options, &session));
            return session;
        })
    {
    }

    /// <summary>Loads a model from memory.</summary>
    /// <param name="model">Contents of an .onnx file.</param>
    /// <param name="device">As for files.</param>
    /// <inheritdoc cref="OnnxRuntimeSession(string, string)" path="/exception"/>
    public OnnxRuntimeSession(byte[] model, string device = "cpu")
        : this(device, options =>
        {
            nint session;
            fixed (byte* bytes = model)
                Check(((delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint>)Function(Slot.CreateSessionFromArray))(
                    OnnxRuntimeApi.Environment, bytes, (nuint)model.Length, options, &session));
            return session;
        })
    {
    }

    private OnnxRuntimeSession(string device, Func<nint, nint> create)
    {
        var cuda = CudaIndex(device);
        nint options;
        Check(((delegate* unmanaged<nint*, nint>)Function(Slot.CreateSessionOptions))(&options));
        try
        {
            Set(options, Slot.SetSessionLogSeverityLevel, 3);
            Set(options, Slot.SetSessionGraphOptimizationLevel, AllOptimizations);
            // Workers are the parallelism: N workers with one thread each beat one worker with N threads.
            Set(options, Slot.SetIntraOpNumThreads, 1);
            Set(options, Slot.SetInterOpNumThreads, 1);
            // Memory patterns are kept for every input shape that was ever seen, so memory would grow with the dataset.
            Check(((delegate* unmanaged<nint, nint>)Function(Slot.DisableMemPattern))(options));
            if (cuda is { } index)
                UseCuda(options, index);
            _session = create(options);
        }
        finally
        {
            Release(Slot.ReleaseSessionOptions, options);
        }
        OutputNames = Names(Slot.SessionGetOutputCount, Slot.SessionGetOutputName);
        InputNames = Names(Slot.SessionGetInputCount, Slot.SessionGetInputName);
        _inputNames = [.. InputNames.Select(Marshal.StringToCoTaskMemUTF8)];
        _outputNames = [.. OutputNames.Select(Marshal.StringToCoTaskMemUTF8)];
    }

    /// <summary>Frees the model if nobody disposed it.</summary>
    ~OnnxRuntimeSession() => Free();

    /// <summary>The model's inputs, in its order.</summary>
    public IReadOnlyList<string> InputNames { get; }

    /// <summary>The model's outputs, in its order.</summary>
    public IReadOnlyList<string> OutputNames { get; }

    /// <summary>Makes a worker's side of the session.</summary>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public OnnxRuntimeWorker CreateWorker()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _workers++;
        }
        return new OnnxRuntimeWorker(this);
    }

    /// <summary>Gives up the session; the model is freed when its last worker is disposed too.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            if (_workers == 0)
                Free();
        }
        GC.SuppressFinalize(this);
    }

    internal void Leave()
    {
        lock (_gate)
            if (--_workers == 0 && _disposed)
                Free();
    }

    /// <summary>One run; the runtime makes the outputs.</summary>
    internal void Run(ReadOnlySpan<nint> inputs, Span<nint> outputs)
    {
        fixed (nint* names = _outputNames, values = outputs, inputNames = _inputNames, given = inputs)
            Check(((delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)Function(Slot.Run))(
                _session, 0, inputNames, given, (nuint)inputs.Length, names, (nuint)outputs.Length, values));
    }

    /// <summary>The number of a CUDA device, or null for the CPU.</summary>
    /// <exception cref="ArgumentException">It is no device.</exception>
    internal static int? CudaIndex(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device == "cpu")
            return null;
        if (!device.StartsWith("cuda:", StringComparison.Ordinal)
            || !int.TryParse(device.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            throw new ArgumentException($"Expected the device cpu, or cuda:0, cuda:1 and so on; found '{device}'.", nameof(device));
        return index;
    }

    /// <summary>A library built without CUDA, or whose CUDA part is not installed, fails here and says why.</summary>
    private static void UseCuda(nint options, int index)
    {
        nint provider = 0;
        try
        {
            Check(((delegate* unmanaged<nint*, nint>)Function(Slot.CreateCudaProviderOptions))(&provider));
            fixed (byte* device = Encoding.ASCII.GetBytes($"{index}\0"),
                deviceKey = "device_id\0"u8, exactKey = "use_tf32\0"u8, no = "0\0"u8, searchKey = "cudnn_conv_algo_search\0"u8, heuristic = "HEURISTIC\0"u8)
            {
                // TF32 keeps 10 bits of each factor. An exhaustive search would measure all algorithms anew for every size of image.
                byte** keys = stackalloc byte*[] { deviceKey, exactKey, searchKey };
                byte** values = stackalloc byte*[] { device, no, heuristic };
                Check(((delegate* unmanaged<nint, byte**, byte**, nuint, nint>)Function(Slot.UpdateCudaProviderOptions))(provider, keys, values, 3));
            }
            Check(((delegate* unmanaged<nint, nint, nint>)Function(Slot.AppendCuda))(options, provider));
        }
        catch (OnnxRuntimeException error)
        {
            throw WithoutCuda(index, error);
        }
        finally
        {
            Release(Slot.ReleaseCudaProviderOptions, provider);
        }
    }

    /// <summary>Why a CUDA device cannot be used, and what to do.</summary>
    internal static PlatformNotSupportedException WithoutCuda(int index, OnnxRuntimeException error)
    {
        NativeLibraries.TryLoad(NativeLibraries.OnnxRuntime, out var path);
        // "FILE:LINE FUNCTION [ONNXRuntimeError] : 1 : FAIL : REASON", on several lines.
        const string code = " : FAIL : ";
        var reason = error.Message[(error.Message.LastIndexOf(code, StringComparison.Ordinal) is >= 0 and var at ? at + code.Length : 0)..];
        reason = string.Join(' ', reason.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
        return new(
            $"The device cuda:{index} cannot be used with {path}: {reason}. Set " +
            $"{NativeLibraries.Variable(NativeLibraries.OnnxRuntime)} to the full path of libonnxruntime from ONNX Runtime's GPU package, " +
            "beside its libonnxruntime_providers_cuda, or use the device cpu.", error);
    }

    private static void Set(nint options, Slot slot, int value) => Check(((delegate* unmanaged<nint, int, nint>)Function(slot))(options, value));

    private string[] Names(Slot countSlot, Slot nameSlot)
    {
        nint allocator;
        Check(((delegate* unmanaged<nint*, nint>)Function(Slot.GetAllocatorWithDefaultOptions))(&allocator));
        nuint count;
        Check(((delegate* unmanaged<nint, nuint*, nint>)Function(countSlot))(_session, &count));
        var names = new string[(int)count];
        for (var i = 0; i < names.Length; i++)
        {
            nint name;
            Check(((delegate* unmanaged<nint, nuint, nint, nint*, nint>)Function(nameSlot))(_session, (nuint)i, allocator, &name));
            names[i] = Marshal.PtrToStringUTF8(name)!;
            Check(((delegate* unmanaged<nint, nint, nint>)Function(Slot.AllocatorFree))(allocator, name));
        }
        return names;
    }

    private void Free()
    {
        Release(Slot.ReleaseSession, _session);
        _session = 0;
        foreach (var name in (_inputNames ?? []).Concat(_outputNames ?? []))
            Marshal.FreeCoTaskMem(name);
    }
}

/// <summary>One worker's side of a session: a buffer per input and the outputs of its last run. Not thread-safe; runs allocate nothing managed.</summary>
public sealed unsafe class OnnxRuntimeWorker : IDisposable
{
    private const int FloatElements = 1;
    private const int MaxDimensions = 8;
    private const nuint Alignment = 64;

    private readonly OnnxRuntimeSession _session;
    private readonly nint[] _outputs;
    private readonly nint[] _inputs;
    private readonly InputBuffer[] _buffers;
    private readonly nint _memoryInfo;
    private bool _disposed;

    private struct InputBuffer
    {
        public float* Data;
        public int Capacity;
        public int Dimensions;
        public fixed long Shape[MaxDimensions];
    }

    internal OnnxRuntimeWorker(OnnxRuntimeSession session)
    {
        _session = session;
        _outputs = new nint[session.OutputNames.Count];
        _inputs = new nint[session.InputNames.Count];
        _buffers = new InputBuffer[_inputs.Length];
        nint memoryInfo;
        // OrtArenaAllocator, OrtMemTypeDefault: an ordinary CPU buffer.
        Check(((delegate* unmanaged<int, int, nint*, nint>)Function(Slot.CreateCpuMemoryInfo))(1, 0, &memoryInfo));
        _memoryInfo = memoryInfo;
    }

    /// <summary>Frees the buffers if nobody disposed the worker.</summary>
    ~OnnxRuntimeWorker() => Free();

    /// <summary>The buffer of the first input for a shape, with unspecified contents where the shape changed. Valid until the next call.</summary>
    /// <param name="shape">Sizes of the dimensions, the slowest first; all at least 1.</param>
    public Span<float> Input(params ReadOnlySpan<int> shape) => InputAt(0, shape);

    /// <summary>The buffer of any input for a shape, with unspecified contents where the shape changed. Valid until the next call for this input.</summary>
    /// <param name="index">Position in <see cref="OnnxRuntimeSession.InputNames"/>.</param>
    /// <param name="shape">Sizes of the dimensions, the slowest first; all at least 1.</param>
    public Span<float> InputAt(int index, params ReadOnlySpan<int> shape)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shape.Length, MaxDimensions, nameof(shape));
        ref var input = ref _inputs[index];
        ref var buffer = ref _buffers[index];
        var count = 1;
        var changed = shape.Length != buffer.Dimensions || input == 0;
        for (var d = 0; d < shape.Length; d++)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(shape[d], 1, nameof(shape));
            count = checked(count * shape[d]);
            changed |= buffer.Shape[d] != shape[d];
            buffer.Shape[d] = shape[d];
        }
        if (changed)
        {
            buffer.Dimensions = shape.Length;
            Release(Slot.ReleaseValue, input);
            input = 0;
            Reserve(ref buffer, count);
            nint value;
            fixed (long* sides = buffer.Shape)
                Check(((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)Function(Slot.CreateTensorWithDataAsOrtValue))(
                    _memoryInfo, buffer.Data, (nuint)count * sizeof(float), sides, (nuint)buffer.Dimensions, FloatElements, &value));
            input = value;
        }
        return new Span<float>(buffer.Data, count);
    }

    /// <summary>Runs the model on what stands in the buffers of its inputs, on this thread.</summary>
    /// <exception cref="OnnxRuntimeException">The model does not take the shape, or memory ran out.</exception>
    /// <exception cref="InvalidOperationException">An input is not there yet.</exception>
    public void Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_inputs.AsSpan().IndexOf(0) is >= 0 and var missing)
            throw new InvalidOperationException($"Expected a shape for the input {_session.InputNames[missing]} before Run.");
        ReleaseOutputs();
        _session.Run(_inputs, _outputs);
    }

    /// <summary>An output of the last run, in row-major order. Valid until the next run.</summary>
    /// <param name="index">Position in <see cref="OnnxRuntimeSession.OutputNames"/>.</param>
    /// <exception cref="OnnxRuntimeException">The output is no tensor of floats.</exception>
    public ReadOnlySpan<float> Output(int index = 0)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var value = _outputs[index];
        if (value == 0)
            throw new InvalidOperationException("Expected Run before Output.");
        nint info;
        Check(((delegate* unmanaged<nint, nint*, nint>)Function(Slot.GetTensorTypeAndShape))(value, &info));
        nuint count;
        int type;
        try
        {
            Check(((delegate* unmanaged<nint, int*, nint>)Function(Slot.GetTensorElementType))(info, &type));
            Check(((delegate* unmanaged<nint, nuint*, nint>)Function(Slot.GetTensorShapeElementCount))(info, &count));
        }
        finally
        {
            Release(Slot.ReleaseTensorTypeAndShapeInfo, info);
        }
        if (type != FloatElements)
            throw new OnnxRuntimeException($"Expected floats in the output {_session.OutputNames[index]}; found the element type {type}.");
        float* data;
        Check(((delegate* unmanaged<nint, float**, nint>)Function(Slot.GetTensorMutableData))(value, &data));
        return new ReadOnlySpan<float>(data, checked((int)count));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Free();
        _session.Leave();
        GC.SuppressFinalize(this);
    }

    private static void Reserve(ref InputBuffer buffer, int count)
    {
        if (count <= buffer.Capacity)
            return;
        NativeMemory.AlignedFree(buffer.Data);
        buffer.Data = null;
        buffer.Capacity = 0;
        buffer.Data = (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), Alignment);
        buffer.Capacity = count;
    }

    private void ReleaseOutputs()
    {
        foreach (ref var output in _outputs.AsSpan())
        {
            Release(Slot.ReleaseValue, output);
            output = 0;
        }
    }

    private void Free()
    {
        ReleaseOutputs();
        for (var i = 0; i < _inputs.Length; i++)
        {
            Release(Slot.ReleaseValue, _inputs[i]);
            NativeMemory.AlignedFree(_buffers[i].Data);
            _buffers[i].Data = null;
        }
        Release(Slot.ReleaseMemoryInfo, _memoryInfo);
    }
}
