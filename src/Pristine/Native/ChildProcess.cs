using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pristine.Native;

/// <summary>What a process does that works for another one of the same program, which .NET 10 does not offer.</summary>
internal static partial class ChildProcess
{
    /// <summary>How many bytes of data a process may have, in <c>setrlimit</c> of Linux.</summary>
    private const int DataLimit = 2;

    private static readonly TimeSpan Watch = TimeSpan.FromSeconds(1);

    /// <summary>Whether <see cref="LimitMemory"/> works here.</summary>
    public static bool CanLimitMemory => OperatingSystem.IsLinux();

    /// <summary>
    /// Limits the memory that this process may take from now on. What is limited is data (RLIMIT_DATA: the heap and private writable
    /// mappings), not address space (RLIMIT_AS): the runtime reserves hundreds of gigabytes of that and uses few.
    /// </summary>
    /// <param name="bytes">Besides what it has.</param>
    /// <exception cref="PlatformNotSupportedException">The system has no such limit.</exception>
    public static void LimitMemory(long bytes)
    {
        if (!CanLimitMemory)
            throw new PlatformNotSupportedException("Only Linux limits the memory of a process.");
        const string name = "VmData:";
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        var now = long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
        var limit = new ResourceLimit { Soft = (nuint)(now + bytes), Hard = (nuint)(now + bytes) };
        if (setrlimit(DataLimit, limit) != 0)
            throw new IOException($"The memory of the process could not be limited to {bytes} bytes.");
    }

    /// <summary>Ends this process soon after another one has ended, also while it is inside a library.</summary>
    /// <param name="parent">The other process, which started this one.</param>
    public static void EndWith(int parent)
    {
        if (OperatingSystem.IsWindows())
            return;
        new Thread(() =>
        {
            while (getppid() == parent)
                Thread.Sleep(Watch);
            Exit(0);
        })
        {
            IsBackground = true,
            Name = "parent",
        }.Start();
    }

    /// <summary>
    /// Standard output for this program alone: what a library prints goes to standard error. For a process whose output is a protocol.
    /// </summary>
    public static Stream TakeOutput()
    {
        if (OperatingSystem.IsWindows())
            return Console.OpenStandardOutput();
        var own = dup(1);
        if (own < 0 || dup2(2, 1) < 0)
            throw new IOException("Standard output could not be taken.");
        return new FileStream(new SafeFileHandle(own, ownsHandle: true), FileAccess.Write, 0);
    }

    /// <summary>Does on purpose what a broken decoder does. For tests of those who must survive it.</summary>
    /// <param name="fault"><c>segv</c>, <c>abort</c>, <c>hang</c>, <c>exit</c> or <c>memory</c>.</param>
    public static void Fail(ReadOnlySpan<byte> fault)
    {
        if (fault.SequenceEqual("segv"u8))
            strlen(0);
        else if (fault.SequenceEqual("abort"u8))
            abort();
        else if (fault.SequenceEqual("hang"u8))
            _ = pause();
        else if (fault.SequenceEqual("exit"u8))
            Exit(7);
        else if (fault.SequenceEqual("memory"u8))
            throw new InsufficientMemoryException($"{TakeAll()} MiB were there.");
    }

    // In pieces that the allocator maps one by one, and not touched: they count against the limit all the same.
    private static long TakeAll()
    {
        const int piece = 1 << 20, most = 1 << 16;
        var count = 0L;
        while (count < most && malloc(piece) != 0)
            count++;
        return count;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc")]
    private static partial int getppid();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup2(int descriptor, int other);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int status);

    [LibraryImport("libc")]
    private static partial nint strlen(nint text);

    [LibraryImport("libc")]
    private static partial void abort();

    [LibraryImport("libc")]
    private static partial int pause();

    [LibraryImport("libc")]
    private static partial nint malloc(nint size);

    private struct ResourceLimit
    {
        public nuint Soft;
        public nuint Hard;
    }
}
