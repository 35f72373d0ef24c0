using Pristine.Kernels;

namespace Pristine.Tests.Kernels;

public class ReusableBufferTests
{
    [Fact]
    public void Keeps_its_memory_while_requests_fit()
    {
        using var buffer = new ReusableBuffer();
        buffer.Resize(100_000);
        var (address, capacity) = (buffer.Address, buffer.Capacity);
        Assert.Equal(0, address % 64);
        foreach (var length in new[] { 0, 1, 100_000, capacity })
        {
            Assert.Equal(length, buffer.Resize(length).Length);
            Assert.Equal(address, buffer.Address);
        }
    }

    [Fact]
    public void A_huge_request_does_not_hold_its_memory()
    {
        using var buffer = new ReusableBuffer();
        buffer.Resize(ReusableBuffer.KeptCapacity + 1);
        Assert.Equal(ReusableBuffer.KeptCapacity + 1, buffer.Capacity);
        buffer.Resize(1000);
        Assert.InRange(buffer.Capacity, 1000, ReusableBuffer.KeptCapacity);
    }

    [Fact]
    public void Is_empty_after_disposal_and_may_be_disposed_twice()
    {
        var buffer = new ReusableBuffer();
        buffer.Resize(10);
        buffer.Dispose();
        buffer.Dispose();
        Assert.True(buffer.Span.IsEmpty);
    }
}
