namespace Pristine.Remote;

/// <summary>
/// What is at an address, read in any order, as files are that have a directory at their end (Parquet, zip): in ranges, of which some
/// megabytes are held. Where the server sends no ranges, all is read once into a temporary file of bounded size, which has no name and is
/// gone with the process. All parts are of one version, that of the first. Safe to use from several threads.
/// </summary>
/// <param name="access">Reads.</param>
/// <param name="address">The address.</param>
internal sealed class RemoteFile(RemoteAccess access, string address)
{
    public const int BlockBytes = 512 << 10;

    /// <summary>Blocks that are held: 64 MiB.</summary>
    public const int MostBlocks = 128;

    /// <summary>Blocks that are read ahead of one that follows the block before it.</summary>
    public const int BlocksAhead = 8;

    // The first request tells size and version. So many bytes say what kind of file it is.
    private const int HeadBytes = 4 << 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, Block> _blocks = [];
    private readonly LinkedList<Block> _byUse = new();
    private readonly Stack<byte[]> _free = [];
    private Head? _head;
    private FileStream? _spool;
    private int _open;
    private RemoteException? _failure;

    public string Address => address;

    public RemoteAccess Access => access;

    /// <summary>Bytes of the whole.</summary>
    /// <exception cref="RemoteException">It cannot be read.</exception>
    public long Length => Open().Length;

    /// <summary>The version of the whole; null where the server does not tell.</summary>
    /// <exception cref="RemoteException">It cannot be read.</exception>
    public string? Version => Open().Version;

    /// <summary>Whether the server sends ranges; if not, there is a temporary file.</summary>
    /// <exception cref="RemoteException">It cannot be read.</exception>
    public bool HasRanges => Open().HasRanges;

    /// <summary>What to add to the name of its kind where it is read in an unusual way; empty otherwise.</summary>
    /// <exception cref="RemoteException">It cannot be read.</exception>
    public string Remark => HasRanges ? "" : ", through a temporary file because the server sends no ranges";

    /// <summary>A stream over it with a position of its own. What is held is given up when the last stream is closed.</summary>
    public Stream OpenStream()
    {
        lock (_gate)
            _open++;
        return new RemoteFileStream(this);
    }

    /// <summary>Reads bytes.</summary>
    /// <param name="bytes">Gets them.</param>
    /// <param name="offset">The first of them.</param>
    /// <returns>How many; fewer than asked for at the end alone.</returns>
    /// <exception cref="RemoteException">They cannot be read, or the file has changed.</exception>
    /// <exception cref="IOException">The temporary file cannot be written or read.</exception>
    public int Read(Span<byte> bytes, long offset)
    {
        var head = Open();
        bytes = bytes[..(int)Math.Clamp(head.Length - offset, 0, bytes.Length)];
        if (offset + bytes.Length <= head.Bytes.Length)
        {
            head.Bytes.AsSpan((int)offset, bytes.Length).CopyTo(bytes);
            return bytes.Length;
        }
        if (!head.HasRanges)
            return ReadSpool(head, bytes, offset);
        for (var done = 0; done < bytes.Length;)
        {
            var (number, within) = Math.DivRem(offset + done, BlockBytes);
            done += Copy(head, number, (int)within, bytes[done..]);
        }
        return bytes.Length;
    }

    /// <summary>Whether a stream over it is open.</summary>
    internal bool IsOpen => Volatile.Read(ref _open) > 0;

    /// <summary>
    /// Removes the temporary file; what is asked for later makes another. For those who hold the gate of temporary files.
    /// </summary>
    internal void ReleaseSpool()
    {
        _spool?.Dispose();
        _spool = null;
    }

    /// <summary>
    /// The latest failure of a stream, once: libraries that read from a stream tell failures in their own words.
    /// </summary>
    public RemoteException? TakeFailure() => Interlocked.Exchange(ref _failure, null);

    private void Close()
    {
        lock (_gate)
        {
            if (--_open > 0)
                return;
            _blocks.Clear();
            _byUse.Clear();
            _free.Clear();
        }
    }

    private Head Open()
    {
        if (Volatile.Read(ref _head) is { } known)
            return known;
        lock (_gate)
        {
            if (_head != null)
                return _head;
            var bytes = new byte[HeadBytes];
            var piece = Wait(access.ReadRangeAsync(address, new RemoteRange(0, HeadBytes), bytes, CancellationToken.None));
            if (piece is { IsPart: true, Whole: { } whole })
                return _head = new Head(whole, piece.Version, true, bytes[..piece.Length]);
            lock (access.SpoolGate)
            {
                var (length, version) = Spool(null, piece.Whole);
                return _head = new Head(length, version, false, []);
            }
        }
    }

    /// <summary>Copies from a block, which is read first where it is not here.</summary>
    private int Copy(Head head, long number, int within, Span<byte> target)
    {
        while (true)
        {
            Block block;
            lock (_gate)
            {
                block = Begin(head, number);
                if (_blocks.ContainsKey(number - 1))
                    for (var ahead = 1; ahead <= BlocksAhead && (number + ahead) * BlockBytes < head.Length; ahead++)
                        Begin(head, number + ahead);
            }
            try
            {
                Wait(block.Reading);
            }
            catch (RemoteException)
            {
                // Another time it is asked for again.
                lock (_gate)
                    Remove(block);
                throw;
            }
            lock (_gate)
            {
                // Others may have read so much meanwhile that its memory holds another block.
                if (block.Memory is not { } memory)
                    continue;
                var length = Math.Min(target.Length, block.Length - within);
                memory.AsSpan(within, length).CopyTo(target);
                return length;
            }
        }
    }

    private Block Begin(Head head, long number)
    {
        if (_blocks.TryGetValue(number, out var block))
        {
            _byUse.Remove(block.Node);
            _byUse.AddLast(block.Node);
            return block;
        }
        if (_blocks.Count >= MostBlocks && _byUse.First is { } oldest)
        {
            Remove(oldest.Value);
            // The memory of one that is still being read is left to the collector.
            if (oldest.Value.Reading.IsCompleted)
                _free.Push(oldest.Value.Memory!);
            oldest.Value.Memory = null;
        }
        var memory = _free.TryPop(out var free) ? free : new byte[BlockBytes];
        var length = (int)Math.Min(BlockBytes, head.Length - number * BlockBytes);
        var reading = Task.Run(async () =>
        {
            var piece = await access.ReadRangeAsync(
                address, new RemoteRange(number * BlockBytes, length, head.Version), memory.AsMemory(0, length), CancellationToken.None)
                .ConfigureAwait(false);
            if (!piece.IsPart || piece.Length < length || piece.Whole is { } whole && whole != head.Length)
                throw RemoteException.Changed();
        });
        block = new Block(number, memory, length, reading);
        _blocks.Add(number, block);
        _byUse.AddLast(block.Node);
        return block;
    }

    private void Remove(Block block)
    {
        if (_blocks.GetValueOrDefault(block.Number) != block)
            return;
        _blocks.Remove(block.Number);
        _byUse.Remove(block.Node);
    }

    private int ReadSpool(Head head, Span<byte> bytes, long offset)
    {
        lock (access.SpoolGate)
        {
            if (_spool == null)
            {
                var (length, version) = Spool(head, null);
                if (length != head.Length || version != head.Version)
                    throw RemoteException.Changed();
            }
            var done = 0;
            for (int read; done < bytes.Length && (read = RandomAccess.Read(
                _spool!.SafeFileHandle, bytes[done..], offset + done)) > 0;)
                done += read;
            return done;
        }
    }

    /// <summary>Reads all into a temporary file.</summary>
    private (long Length, string? Version) Spool(Head? known, long? length)
    {
        var most = access.Options.MaxSpoolBytes;
        if (known == null && length > most)
            throw TooLarge($"the file has {length} bytes");
        access.AddSpool(this);
        var path = Path.Combine(Path.GetTempPath(), $"pristine-{Guid.NewGuid():N}.tmp");
        var spool = new FileStream(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, bufferSize: 0, FileOptions.DeleteOnClose);
        // A file that is open needs no name here, and one without leaves nothing behind however the process ends.
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        try
        {
            using var all = new RemoteStream(access, address);
            var buffer = new byte[1 << 16];
            for (int read; (read = all.Read(buffer)) > 0;)
            {
                if (spool.Position + read > most)
                    throw TooLarge("the server sends more");
                spool.Write(buffer, 0, read);
            }
            _spool = spool;
            return (spool.Length, all.Version);
        }
        catch
        {
            spool.Dispose();
            throw;
        }
    }

    private RemoteException TooLarge(string found) => new(
        RemoteFailure.Refused,
        $"the server sends no ranges, so that the whole file is needed on the disk; {found}, at most {access.Options.MaxSpoolBytes} are " +
        $"read");

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    /// <summary>What the first request tells.</summary>
    private sealed record Head(long Length, string? Version, bool HasRanges, byte[] Bytes);

    private sealed class Block
    {
        public Block(long number, byte[] memory, int length, Task reading)
        {
            (Number, Memory, Length, Reading) = (number, memory, length, reading);
            Node = new LinkedListNode<Block>(this);
        }

        public long Number { get; }

        /// <summary>Null once the memory is another block's.</summary>
        public byte[]? Memory { get; set; }

        public int Length { get; }

        public Task Reading { get; }

        public LinkedListNode<Block> Node { get; }
    }

    /// <summary>A position in the file. For one thread at a time.</summary>
    private sealed class RemoteFileStream(RemoteFile file) : Stream
    {
        private bool _isClosed;

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => file.Length;

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            try
            {
                var read = file.Read(buffer, Position);
                Position += read;
                return read;
            }
            catch (RemoteException failure)
            {
                file._failure = failure;
                throw;
            }
        }

        public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
        {
            SeekOrigin.Current => Position,
            SeekOrigin.End => Length,
            _ => 0,
        };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_isClosed)
            {
                _isClosed = true;
                file.Close();
            }
            base.Dispose(disposing);
        }
    }
}
