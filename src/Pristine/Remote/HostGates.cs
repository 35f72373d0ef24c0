namespace Pristine.Remote;

/// <summary>
/// Bounds the requests to each host, and to all together; a host that asks for a pause gets it from all of them. Waits are in order.
/// </summary>
internal sealed class HostGates(RemoteOptions options) : IDisposable
{
    private readonly Dictionary<string, Gate> _gates = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _all = new(options.MaxConnections);

    internal sealed class Gate(int most)
    {
        private long _notBefore;

        public SemaphoreSlim Slots { get; } = new(most);

        /// <summary>
        /// Requests that wait or are under way: a gate without any is forgotten, so that memory does not grow with the hosts.
        /// </summary>
        public int Users { get; set; }

        /// <summary>When the host wants to be asked again, in milliseconds of the system's uptime.</summary>
        public long NotBefore
        {
            get => Volatile.Read(ref _notBefore);
            set => Volatile.Write(ref _notBefore, value);
        }
    }

    /// <summary>A place among the requests to a host. Giving it back twice does nothing.</summary>
    public sealed class Place : IDisposable
    {
        private readonly HostGates _gates;
        private readonly string _host;
        private Gate? _gate;

        internal Place(HostGates gates, string host, Gate gate) => (_gates, _host, _gate) = (gates, host, gate);

        /// <summary>Lets all requests to the host that are not under way wait.</summary>
        public void Pause(TimeSpan time)
        {
            if (_gate is { } gate)
                gate.NotBefore = Math.Max(gate.NotBefore, Environment.TickCount64 + (long)time.TotalMilliseconds);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _gate, null) is not { } gate)
                return;
            _gates._all.Release();
            gate.Slots.Release();
            _gates.Leave(_host, gate);
        }
    }

    /// <summary>Waits for a place.</summary>
    /// <param name="host">The host.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<Place> EnterAsync(string host, CancellationToken cancellation)
    {
        Gate? gate;
        lock (_gates)
        {
            if (!_gates.TryGetValue(host, out gate))
                _gates.Add(host, gate = new Gate(options.MaxConnectionsPerHost));
            gate.Users++;
        }
        var isIn = false;
        try
        {
            await gate.Slots.WaitAsync(cancellation).ConfigureAwait(false);
            isIn = true;
            while (gate.NotBefore - Environment.TickCount64 is var pause and > 0)
                await Task.Delay(TimeSpan.FromMilliseconds(pause), cancellation).ConfigureAwait(false);
            // Last, so that a host whose own places are taken holds none of those for all.
            await _all.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            if (isIn)
                gate.Slots.Release();
            Leave(host, gate);
            throw;
        }
        return new Place(this, host, gate);
    }

    public void Dispose() => _all.Dispose();

    private void Leave(string host, Gate gate)
    {
        lock (_gates)
        {
            // One that asked for a pause is remembered until that is over.
            if (--gate.Users == 0 && gate.NotBefore <= Environment.TickCount64 && _gates.GetValueOrDefault(host) == gate)
                _gates.Remove(host);
        }
    }
}
