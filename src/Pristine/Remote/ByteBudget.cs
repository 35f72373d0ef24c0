namespace Pristine.Remote;

/// <summary>
/// Bounds the bytes that are read ahead. Items enter in order and never wait for that; what they turn out to need beyond the estimate waits
/// until there is room, except for the oldest item, which always gets it: so the work goes on, and a single item may need more than there
/// is.
/// </summary>
/// <param name="most">Bytes in all.</param>
internal sealed class ByteBudget(long most)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, Share> _open = [];
    private readonly List<(Share Share, long Bytes, TaskCompletionSource Granted)> _waiting = [];
    private long _next;
    private long _held;

    /// <summary>Called whenever bytes are given back; optional.</summary>
    public Action? Freed { get; set; }

    /// <summary>Whether another item may enter.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
                return _held < most;
        }
    }

    /// <summary>Bytes that are held or promised.</summary>
    public long Held
    {
        get
        {
            lock (_gate)
                return _held;
        }
    }

    /// <summary>Enters an item, younger than all before.</summary>
    /// <param name="bytes">What it needs, as far as that is known.</param>
    public Share Enter(long bytes)
    {
        lock (_gate)
        {
            var share = new Share(this, _next++) { Held = bytes };
            _held += bytes;
            _open.Add(share.Number, share);
            return share;
        }
    }

    /// <summary>The part of an item in the budget, from its entry until it is given back.</summary>
    public sealed class Share
    {
        private readonly ByteBudget _budget;
        private bool _isLeft;

        internal Share(ByteBudget budget, long number) => (_budget, Number) = (budget, number);

        internal long Number { get; }

        internal long Held { get; set; }

        /// <summary>Takes bytes, or gives some back where the number is negative. Completes when there is room.</summary>
        /// <param name="bytes">The bytes.</param>
        /// <param name="cancellation">Ends the wait.</param>
        public Task GrowAsync(long bytes, CancellationToken cancellation)
        {
            TaskCompletionSource granted;
            lock (_budget._gate)
            {
                if (_isLeft || _budget.TryTake(this, bytes))
                    return Task.CompletedTask;
                granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _budget._waiting.Add((this, bytes, granted));
            }
            return granted.Task.WaitAsync(cancellation);
        }

        /// <summary>Gives everything back. A second call does nothing.</summary>
        public void Leave()
        {
            lock (_budget._gate)
            {
                if (_isLeft)
                    return;
                _isLeft = true;
                _budget._open.Remove(Number);
                _budget._held -= Held;
                _budget.Grant();
            }
            _budget.Freed?.Invoke();
        }

        internal bool IsLeft => _isLeft;
    }

    private bool TryTake(Share share, long bytes)
    {
        if (bytes > 0 && _held + bytes > most && _open.Keys.First() != share.Number)
            return false;
        share.Held += bytes;
        _held += bytes;
        return true;
    }

    private void Grant()
    {
        for (var i = 0; i < _waiting.Count;)
        {
            var (share, bytes, granted) = _waiting[i];
            if (share.IsLeft || TryTake(share, bytes))
            {
                _waiting.RemoveAt(i);
                granted.SetResult();
            }
            else
                i++;
        }
    }
}
