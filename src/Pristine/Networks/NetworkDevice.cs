using Pristine.Native;

namespace Pristine.Networks;

/// <summary>
/// Where networks run: <c>cpu</c>, or <c>cuda:0</c>, <c>cuda:1</c>, ... with an ONNX Runtime that has CUDA. Scores of the two differ in
/// their last digits, because sums are taken in another order; in 8 bits an activation may come out a step apart.
/// </summary>
public static class NetworkDevice
{
    /// <summary>The processor.</summary>
    public const string Cpu = "cpu";

    /// <summary>Names another <see cref="Default"/>.</summary>
    public const string Variable = "PRISTINE_DEVICE";

    private const string Cuda = "cuda";

    /// <summary>The device that <see cref="Variable"/> names, else the CPU.</summary>
    public static string Default => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } device ? device : Cpu;

    /// <summary>The kind of a device without its number: <c>cpu</c> or <c>cuda</c>.</summary>
    /// <param name="device">
    /// The device. It is not checked: what never runs a network must not fail because of <see cref="Variable"/>.
    /// </param>
    public static string KindOf(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Split(':')[0];
    }

    /// <summary>Checks that a text names a device, which need not be there.</summary>
    /// <param name="device">The text.</param>
    /// <exception cref="ArgumentException">It is no device.</exception>
    public static void Validate(string device) => OnnxRuntimeSession.CudaIndex(device);

    /// <summary>Runs a network of one convolution on a device, so that what is missing is told before any work.</summary>
    /// <param name="device">The device; the CPU is always there.</param>
    /// <exception cref="ArgumentException">It is no device.</exception>
    /// <exception cref="PlatformNotSupportedException">It cannot be used; the message says why, and the remedy.</exception>
    /// <exception cref="DllNotFoundException">ONNX Runtime is not here.</exception>
    public static void Check(string device)
    {
        if (OnnxRuntimeSession.CudaIndex(device) is not { } index)
            return;
        var graph = new OnnxGraph("probe");
        graph.Input("x", "1", "1", "1", "1");
        graph.Node("Conv", "y", ["x", graph.Constant("weight", [1f], 1, 1, 1, 1)], ("kernel_shape", new long[] { 1, 1 }));
        graph.Output("y", "1", "1", "1", "1");
        try
        {
            using var session = new OnnxRuntimeSession(graph.ToArray(), device);
            using var worker = session.CreateWorker();
            worker.Input(1, 1, 1, 1)[0] = 1;
            worker.Run();
        }
        catch (OnnxRuntimeException error)
        {
            throw OnnxRuntimeSession.WithoutCuda(index, error);
        }
    }

    /// <summary>The CUDA devices that work here; none where the runtime has no CUDA.</summary>
    /// <exception cref="DllNotFoundException">ONNX Runtime is not here.</exception>
    public static IReadOnlyList<string> FindCuda()
    {
        var found = new List<string>();
        try
        {
            for (; ; )
            {
                var device = $"{Cuda}:{found.Count}";
                Check(device);
                found.Add(device);
            }
        }
        catch (PlatformNotSupportedException)
        {
            // The first number that does not work ends the list.
            return found;
        }
    }
}
