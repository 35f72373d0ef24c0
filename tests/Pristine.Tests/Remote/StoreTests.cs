using Pristine.Datasets;
using Pristine.Remote;

namespace Pristine.Tests.Remote;

/// <summary>What tests of every kind of store do with it.</summary>
public abstract class StoreTests : IDisposable
{
    private readonly Lazy<RemoteAccess> _access;

    protected StoreTests() => _access = new(() => new RemoteAccess(
        new RemoteOptions { Attempts = 2, FirstDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(1) }, Store));

    protected static byte[] Leaf { get; } = File.ReadAllBytes(TestFiles.InRepository("samples", "photos", "leaf.jpg"));

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The store that is tested.</summary>
    protected abstract RemoteStore Store { get; }

    protected RemoteAccess Access => _access.Value;

    public void Dispose()
    {
        if (_access.IsValueCreated)
            _access.Value.Dispose();
        DisposeServer();
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the server, after whoever asks it.</summary>
    protected abstract void DisposeServer();

    protected void Put(string address, byte[] content)
    {
        using var upload = Store.Create(address);
        upload.Write(content);
        upload.Complete();
    }

    protected byte[] Get(string address)
    {
        using var stream = new RemoteStream(Access, address);
        var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    protected Dataset Open(string input) => Dataset.Open(input, new DatasetOptions { Remote = Access });

    protected static string[] Ids(Dataset dataset) => [.. dataset.Read(Cancellation).Select(item => item.Id)];
}
