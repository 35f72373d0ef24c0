namespace Pristine.Models;

/// <summary>
/// Lets one writer at a time change a model of the store, among the threads of a process and the processes of a machine: a file that is
/// held open exclusively. The system frees it when a process dies. The file stays: deleting it would let two writers hold two files.
/// </summary>
/// <remarks>
/// On file systems without locks (some network mounts) every writer gets in. Then two may download the same file; what they install is
/// still checked by its hash and appears whole.
/// </remarks>
internal sealed class ModelLock : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private readonly FileStream _file;

    private ModelLock(FileStream file) => _file = file;

    /// <summary>Waits until no other writer holds the lock.</summary>
    /// <param name="path">The lock's file; made when it does not exist.</param>
    public static ModelLock Acquire(string path)
    {
        while (true)
        {
            if (TryAcquire(path) is { } held)
                return held;
            Thread.Sleep(Poll);
        }
    }

    /// <summary>Waits until no other writer holds the lock.</summary>
    /// <param name="path">The lock's file; made when it does not exist.</param>
    /// <param name="onWait">Called once when it is not free at once.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public static async Task<ModelLock> AcquireAsync(string path, Action onWait, CancellationToken cancellation)
    {
        var waits = false;
        while (true)
        {
            if (TryAcquire(path) is { } held)
                return held;
            if (!waits)
                onWait();
            waits = true;
            await Task.Delay(Poll, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose() => _file.Dispose();

    private static ModelLock? TryAcquire(string path)
    {
        try
        {
            return new(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1));
        }
        catch (IOException error) when (IsHeld(error))
        {
            return null;
        }
    }

    /// <summary>
    /// EWOULDBLOCK of Linux or macOS, ERROR_SHARING_VIOLATION of Windows. Anything else, such as a full disk, is a failure.
    /// </summary>
    private static bool IsHeld(IOException error) =>
        error.HResult == (OperatingSystem.IsWindows() ? unchecked((int)0x80070020) : OperatingSystem.IsMacOS() ? 35 : 11);
}
