using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Pristine.Native;
using OnnxRuntimeException = Pristine.Native.OnnxRuntimeException;

namespace Pristine.Networks;

/// <summary>
/// A loaded ONNX model whose inputs are floats. It is thread-safe and meant to be shared: each worker makes its own
/// <see cref="OnnxRuntimeWorker"/>, whose runs take place on the worker's own thread.
/// </summary>
internal sealed class OnnxRuntimeSession : IDisposable
{
    private readonly Lock _gate = new();
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
        : this(device, isTrained: false, options => new InferenceSession(path, options))
    {
    }

    /// <summary>Loads a model from memory.</summary>
    /// <param name="model">Contents of an .onnx file.</param>
    /// <param name="device">As for files.</param>
    /// <param name="folder">Where files with weights lie that the model names; null for none.</param>
    /// <param name="isTrained">Whether the model is that of an <see cref="ITrainedNetwork"/>: outputs may be bytes, and the shapes of
    /// all follow from that of the input.</param>
    /// <inheritdoc cref="OnnxRuntimeSession(string, string)" path="/exception"/>
    public OnnxRuntimeSession(byte[] model, string device = "cpu", string? folder = null, bool isTrained = false)
        : this(device, isTrained, options =>
        {
            if (folder != null)
                options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", folder);
            return new InferenceSession(model, options);
        })
    {
    }

    private OnnxRuntimeSession(string device, bool isTrained, Func<SessionOptions, InferenceSession> create)
    {
        var cuda = CudaIndex(device);
        OnnxRuntime.Load();
        using var options = new SessionOptions
        {
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            // Workers are the parallelism: N workers with one thread each beat one worker with N threads.
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            // Memory patterns are kept for every input shape that was ever seen, so memory would grow with the dataset.
            EnableMemoryPattern = false,
        };
        if (cuda is { } index)
            UseCuda(options, index);
        IsOnDevice = cuda != null;
        Session = OnnxRuntimeWorker.Try(() => create(options));
        var inputDimensions = Session.InputMetadata.Values.SelectMany(input => input.SymbolicDimensions).ToHashSet(StringComparer.Ordinal);
        TakesBatches = Session.InputMetadata.Values.Concat(Session.OutputMetadata.Values).All(HasFreeBatch);
        HasByteOutputs = isTrained;
        HasOutputsOfKnownShape = isTrained || Session.OutputMetadata.Values.All(
            output => output.IsTensor && output.ElementDataType == TensorElementType.Float
            && output.Dimensions.Zip(output.SymbolicDimensions)
            .All(side => side.First >= 0 || (side.Second.Length > 0 && inputDimensions.Contains(side.Second))));
    }

    /// <summary>Whether the first dimension of every input and output is free: then it counts images.</summary>
    public bool TakesBatches { get; }

    /// <summary>The model's inputs, in its order.</summary>
    public IReadOnlyList<string> InputNames => Session.InputNames;

    /// <summary>The model's outputs, in its order.</summary>
    public IReadOnlyList<string> OutputNames => Session.OutputNames;

    internal InferenceSession Session { get; }

    /// <summary>Whether inputs are copied to a device when they are bound.</summary>
    internal bool IsOnDevice { get; }

    /// <summary>Whether outputs may be bytes.</summary>
    internal bool HasByteOutputs { get; }

    /// <summary>Whether the shapes of the inputs determine those of the outputs, as the model declares them.</summary>
    internal bool HasOutputsOfKnownShape { get; }

    /// <summary>What a key of the model's metadata says, or null.</summary>
    public string? Metadata(string key) => Session.ModelMetadata.CustomMetadataMap.GetValueOrDefault(key);

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
            if (!_disposed && _workers == 0)
                Session.Dispose();
            _disposed = true;
        }
    }

    internal void Leave()
    {
        lock (_gate)
            if (--_workers == 0 && _disposed)
                Session.Dispose();
    }

    private static bool HasFreeBatch(NodeMetadata tensor) => tensor is { IsTensor: true, Dimensions: [< 0, ..] };

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
    private static void UseCuda(SessionOptions options, int index)
    {
        try
        {
            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(new()
            {
                ["device_id"] = index.ToString(CultureInfo.InvariantCulture),
                // TF32 keeps 10 bits of each factor.
                ["use_tf32"] = "0",
                // An exhaustive search would measure all algorithms anew for every size of image.
                ["cudnn_conv_algo_search"] = "HEURISTIC",
            });
            options.AppendExecutionProvider_CUDA(cuda);
        }
        catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException error)
        {
            throw WithoutCuda(index, new(error));
        }
    }

    /// <summary>Why a CUDA device cannot be used, and what to do.</summary>
    internal static PlatformNotSupportedException WithoutCuda(int index, OnnxRuntimeException error)
    {
        // "FILE:LINE FUNCTION [ONNXRuntimeError] : 1 : FAIL : REASON", on several lines.
        const string code = " : FAIL : ";
        var reason = error.Message[(error.Message.LastIndexOf(code, StringComparison.Ordinal) is >= 0 and var at ? at + code.Length : 0)..];
        reason = string.Join(' ', reason.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
        var remedy = OnnxRuntime.Providers.Contains("CUDAExecutionProvider")
            ? "Install CUDA 13"
            : $"Build with -p:OnnxRuntimeGpu=true, or set {NativeLibraries.Variable(NativeLibraries.OnnxRuntime)} to the full path of " +
                "libonnxruntime from ONNX Runtime's GPU package, beside its libonnxruntime_providers_cuda";
        return new(
            $"The device cuda:{index} cannot be used with {NativeLibraries.PathOf(NativeLibraries.OnnxRuntime)}: {reason}. {remedy}, or " +
            $"use the device cpu.", error);
    }
}

/// <summary>
/// One worker's side of a session: a buffer per input and one per output. Not thread-safe. A run with the shapes of the run before
/// allocates nothing managed, if the model's declared dimensions tell the outputs' shapes from the inputs'.
/// </summary>
internal sealed class OnnxRuntimeWorker : IDisposable
{
    private readonly OnnxRuntimeSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();
    private readonly TensorBuffer[] _inputs;
    private readonly TensorBuffer[] _outputs;
    private bool _areInputsBound;
    private bool _areOutputsBound;
    private bool _hasRun;
    private bool _disposed;

    internal OnnxRuntimeWorker(OnnxRuntimeSession session)
    {
        _session = session;
        _binding = Try(session.Session.CreateIoBinding);
        _inputs = [.. session.InputNames.Select(_ => new TensorBuffer())];
        _outputs = [.. session.OutputNames.Select(_ => new TensorBuffer())];
    }

    /// <summary>
    /// The buffer of the first input for a shape, with unspecified contents where the shape changed. Valid until the next call.
    /// </summary>
    /// <param name="shape">Sizes of the dimensions, the slowest first; all at least 1.</param>
    public Span<float> Input(params ReadOnlySpan<int> shape) => InputAt(0, shape);

    /// <summary>
    /// The buffer of any input for a shape, with unspecified contents where the shape changed. Valid until the next call for this input.
    /// </summary>
    /// <param name="index">Position in <see cref="OnnxRuntimeSession.InputNames"/>.</param>
    /// <param name="shape">Sizes of the dimensions, the slowest first; all at least 1.</param>
    public Span<float> InputAt(int index, params ReadOnlySpan<int> shape) => InputAt<float>(index, shape);

    /// <summary>The same for an input of floats or bytes.</summary>
    /// <typeparam name="T"><see cref="float"/> or <see cref="byte"/>.</typeparam>
    /// <param name="index">Position in <see cref="OnnxRuntimeSession.InputNames"/>.</param>
    /// <param name="shape">Sizes of the dimensions, the slowest first; all at least 1.</param>
    public Span<T> InputAt<T>(int index, params ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var input = _inputs[index];
        foreach (var side in shape)
            ArgumentOutOfRangeException.ThrowIfLessThan(side, 1, nameof(shape));
        if (!input.HasShape(shape))
        {
            input.Reshape<T>([.. shape]);
            _areInputsBound = _areOutputsBound = false;
        }
        return input.Values<T>();
    }

    /// <summary>Runs the model on what stands in the buffers of its inputs, on this thread.</summary>
    /// <exception cref="OnnxRuntimeException">
    /// The model does not take the shape, an output is no tensor of floats, or memory ran out.
    /// </exception>
    /// <exception cref="InvalidOperationException">An input is not there yet.</exception>
    public void Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _hasRun = false;
        try
        {
            if (!_areInputsBound || _session.IsOnDevice)
                BindInputs();
            if (_areOutputsBound)
                _session.Session.RunWithBinding(_options, _binding);
            else
                RunForShapes();
        }
        catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException error)
        {
            throw new OnnxRuntimeException(error);
        }
        _hasRun = true;
    }

    /// <summary>An output of the last run, in row-major order. Valid until the next run.</summary>
    /// <param name="index">Position in <see cref="OnnxRuntimeSession.OutputNames"/>.</param>
    /// <exception cref="InvalidOperationException">There was no run, or it failed.</exception>
    public ReadOnlySpan<float> Output(int index = 0) => Output<float>(index);

    /// <summary>The same for an output of floats or bytes.</summary>
    /// <typeparam name="T"><see cref="float"/> or <see cref="byte"/>.</typeparam>
    /// <param name="index">Position in <see cref="OnnxRuntimeSession.OutputNames"/>.</param>
    /// <exception cref="InvalidOperationException">There was no run, or it failed; or the output's values are others.</exception>
    public ReadOnlySpan<T> Output<T>(int index)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var output = _outputs[index];
        return _hasRun ? output.Values<T>() : throw new InvalidOperationException("Expected Run before Output.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _binding.Dispose();
        _options.Dispose();
        foreach (var buffer in _inputs.Concat(_outputs))
            buffer.Dispose();
        _session.Leave();
    }

    /// <summary>What the managed API throws, as our exception.</summary>
    internal static T Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException error)
        {
            throw new OnnxRuntimeException(error);
        }
    }

    private void BindInputs()
    {
        for (var i = 0; i < _inputs.Length; i++)
        {
            var value = _inputs[i].Value
                ?? throw new InvalidOperationException($"Expected a shape for the input {_session.InputNames[i]} before Run.");
            _binding.BindInput(_session.InputNames[i], value);
        }
        _areInputsBound = true;
    }

    /// <summary>The runtime makes the outputs. Their shapes serve the next run, which writes to buffers of ours.</summary>
    private void RunForShapes()
    {
        _binding.ClearBoundOutputs();
        foreach (var name in _session.OutputNames)
            _binding.BindOutputToDevice(name, OrtMemoryInfo.DefaultInstance);
        using var values = _session.Session.RunWithBoundResults(_options, _binding);
        for (var i = 0; i < _outputs.Length; i++)
        {
            var (name, output) = (_session.OutputNames[i], _outputs[i]);
            var information = values[i].GetTensorTypeAndShape();
            int[] shape = [.. information.Shape.Select(side => checked((int)side))];
            switch (information.ElementDataType)
            {
                case TensorElementType.Float:
                    output.Reshape<float>(shape);
                    values[i].GetTensorDataAsSpan<float>().CopyTo(output.Values<float>());
                    break;
                case TensorElementType.UInt8 when _session.HasByteOutputs:
                    output.Reshape<byte>(shape);
                    values[i].GetTensorDataAsSpan<byte>().CopyTo(output.Values<byte>());
                    break;
                default:
                    throw new OnnxRuntimeException($"Expected floats in the output {name}; found {information.ElementDataType}.");
            }
        }
        _binding.ClearBoundOutputs();
        _areOutputsBound = _session.HasOutputsOfKnownShape;
        for (var i = 0; _areOutputsBound && i < _outputs.Length; i++)
            _binding.BindOutput(_session.OutputNames[i], _outputs[i].Value!);
    }

    /// <summary>Memory that the runtime reads or writes in place; it grows and never shrinks.</summary>
    private sealed class TensorBuffer : IDisposable
    {
        private Array _memory = Array.Empty<float>();
        private int[] _shape = [];
        private int _count;

        /// <summary>The runtime's view of the values; null before the first shape.</summary>
        public OrtValue? Value { get; private set; }

        public Span<T> Values<T>()
            where T : unmanaged => _memory is T[] values
            ? values.AsSpan(0, _count)
            : throw new InvalidOperationException($"Expected values of {typeof(T).Name}; there are {_memory.GetType().Name}.");

        public bool HasShape(ReadOnlySpan<int> shape) => Value != null && shape.SequenceEqual(_shape);

        public void Reshape<T>(int[] shape)
            where T : unmanaged
        {
            Dispose();
            _count = shape.Aggregate(1, (product, side) => checked(product * side));
            _shape = shape;
            if (_memory is not T[] memory || memory.Length < _count)
                _memory = memory = GC.AllocateUninitializedArray<T>(_count, pinned: true);
            Value = OrtValue.CreateTensorValueFromMemory(
                OrtMemoryInfo.DefaultInstance, memory.AsMemory(0, _count), Array.ConvertAll(shape, side => (long)side));
        }

        public void Dispose()
        {
            Value?.Dispose();
            Value = null;
        }
    }
}
