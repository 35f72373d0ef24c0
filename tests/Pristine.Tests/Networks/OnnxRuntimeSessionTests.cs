using Pristine.Metrics.Arniqa;
using Pristine.Native;
using Pristine.Networks;
using Pristine.Tests.Models;

namespace Pristine.Tests.Networks;

public sealed class OnnxRuntimeSessionTests
{
    private const int Side = 16;

    [Fact]
    public void Workers_of_one_session_give_the_same_numbers_on_any_thread()
    {
        using var session = new OnnxRuntimeSession(TinyModel());
        Assert.Equal(["embedding"], session.OutputNames);
        var expected = Run(session, 3);
        var results = new float[4][];
        var threads = Enumerable.Range(0, results.Length).Select(i => new Thread(() =>
        {
            using var worker = session.CreateWorker();
            for (var round = 0; round < 20; round++)
            {
                // Other shapes in between must not matter.
                worker.Input(1 + round % 2, 3, Side + round, Side).Fill(0.5f);
                worker.Run();
                Fill(worker.Input(1, 3, Side, Side), 3);
                worker.Run();
                results[i] = worker.Output().ToArray();
                if (!results[i].SequenceEqual(expected))
                    return;
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.All(results, result => Assert.Equal(expected, result));
    }

    [Fact]
    public void A_run_allocates_nothing_managed()
    {
        using var session = new OnnxRuntimeSession(TinyModel());
        using var worker = session.CreateWorker();
        var sum = 0f;
        Once();
        Assert.Equal(0, Allocations.Least(Once));
        Assert.True(float.IsFinite(sum));

        void Once()
        {
            worker.Input(1, 3, Side, Side).Fill(1);
            worker.Run();
            sum += worker.Output()[0];
        }
    }

    [Fact]
    public void Inputs_have_buffers_and_shapes_of_their_own()
    {
        var head = new LinearHead([.. Enumerable.Range(0, 2 * TinyResNet.Features).Select(i => i / 10f)], 0.25f);
        using var session = new OnnxRuntimeSession(
            ResNet50Graph.Float(ArniqaCheckpoint.ReadEncoder(new TinyResNet().TorchFile(), "tiny.pth"), head).ToArray());
        using var encoder = new OnnxRuntimeSession(TinyModel());
        Assert.Equal(["full", "half"], session.InputNames);
        Assert.Equal(["score"], session.OutputNames);
        using var worker = session.CreateWorker();
        Fill(worker.InputAt(1, 1, 3, Side / 2, Side), 5);
        Assert.Contains("full", Assert.Throws<InvalidOperationException>(worker.Run).Message, StringComparison.Ordinal);
        foreach (var seed in new[] { 1, 2 })
        {
            Fill(worker.InputAt(0, 1, 3, Side, Side), seed);
            worker.Run();
            using var half = encoder.CreateWorker();
            Fill(half.Input(1, 3, Side / 2, Side), 5);
            half.Run();
            float[] features = [.. Run(encoder, seed), .. half.Output()];
            Assert.Equal(
                features.Zip(head.Weights, (f, w) => (double)f * w).Sum() + head.Bias, Assert.Single(worker.Output().ToArray()), 1e-5);
        }
        Assert.Throws<IndexOutOfRangeException>(() => worker.InputAt(2, 1, 3, Side, Side).Length);
    }

    [Fact]
    public void A_session_may_be_disposed_before_its_workers()
    {
        var session = new OnnxRuntimeSession(TinyModel());
        using var worker = session.CreateWorker();
        session.Dispose();
        Fill(worker.Input(1, 3, Side, Side), 1);
        worker.Run();
        Assert.Equal(TinyResNet.Features, worker.Output().Length);
        Assert.Throws<ObjectDisposedException>(session.CreateWorker);
        worker.Dispose();
        Assert.Throws<ObjectDisposedException>(worker.Run);
    }

    [Fact]
    public void A_device_that_is_not_there_is_refused_with_the_remedy()
    {
        Assert.Contains("cpu, or cuda:0", Assert.Throws<ArgumentException>(
            () => new OnnxRuntimeSession(TinyModel(), "gpu")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new OnnxRuntimeSession(TinyModel(), "cuda:-1"));
        // The CUDA part of the runtime is a library of its own, which the package for processors does not bring.
        if (Environment.GetEnvironmentVariable("PRISTINE_ORT") != null)
            Assert.Skip("PRISTINE_ORT names another ONNX Runtime, which may have CUDA.");
        var message = Assert.Throws<PlatformNotSupportedException>(() => new OnnxRuntimeSession(TinyModel(), "cuda:0")).Message;
        Assert.Contains("PRISTINE_ORT", message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_runtime_refuses_becomes_an_exception_with_its_message()
    {
        using var folder = TestFiles.NewFolder();
        Assert.Throws<OnnxRuntimeException>(() => new OnnxRuntimeSession([1, 2, 3]));
        Assert.Contains("absent.onnx", Assert.Throws<OnnxRuntimeException>(
            () => new OnnxRuntimeSession(folder["absent.onnx"])).Message, StringComparison.Ordinal);
        using var session = new OnnxRuntimeSession(TinyModel());
        using var worker = session.CreateWorker();
        Assert.Throws<InvalidOperationException>(worker.Run);
        Assert.Throws<ArgumentOutOfRangeException>(() => worker.Input(1, 3, 0, Side).Length);
        worker.Input(1, 4, Side, Side);
        Assert.Contains("ONNX Runtime", Assert.Throws<OnnxRuntimeException>(worker.Run).Message, StringComparison.Ordinal);
        // The worker is still of use.
        Fill(worker.Input(1, 3, Side, Side), 1);
        worker.Run();
        Assert.Equal(Run(session, 1), worker.Output().ToArray());
    }

    [Fact]
    public void A_file_with_a_name_beyond_ASCII_loads()
    {
        using var folder = TestFiles.NewFolder();
        File.WriteAllBytes(folder["Modell für Güte 質.onnx"], TinyModel());
        using var fromFile = new OnnxRuntimeSession(folder["Modell für Güte 質.onnx"]);
        using var fromMemory = new OnnxRuntimeSession(TinyModel());
        Assert.Equal(Run(fromMemory, 2), Run(fromFile, 2));
    }

    private static byte[] TinyModel() =>
        ResNet50Graph.Float(ArniqaCheckpoint.ReadEncoder(new TinyResNet().TorchFile(), "tiny.pth")).ToArray();

    private static float[] Run(OnnxRuntimeSession session, int seed)
    {
        using var worker = session.CreateWorker();
        Fill(worker.Input(1, 3, Side, Side), seed);
        worker.Run();
        return worker.Output().ToArray();
    }

    private static void Fill(Span<float> input, int seed)
    {
        var random = new Random(seed);
        foreach (ref var value in input)
            value = (float)random.NextDouble();
    }
}
