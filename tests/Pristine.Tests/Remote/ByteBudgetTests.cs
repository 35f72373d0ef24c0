using Pristine.Remote;

namespace Pristine.Tests.Remote;

public class ByteBudgetTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_does_not_fit_waits_until_something_is_given_back()
    {
        var budget = new ByteBudget(100);
        var (first, second, third) = (budget.Enter(60), budget.Enter(30), budget.Enter(0));
        Assert.True(budget.HasRoom);
        var waiting = second.GrowAsync(20, Cancellation);
        Assert.False(waiting.IsCompleted);
        // A smaller one that fits does not wait behind it.
        Assert.True(third.GrowAsync(10, Cancellation).IsCompleted);
        Assert.False(budget.HasRoom);
        first.Leave();
        await waiting;
        Assert.Equal(60, budget.Held);
        second.Leave();
        second.Leave();
        third.Leave();
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task The_oldest_item_gets_what_it_needs_also_beyond_the_budget()
    {
        var budget = new ByteBudget(100);
        var (first, second) = (budget.Enter(60), budget.Enter(30));
        Assert.True(first.GrowAsync(1000, Cancellation).IsCompleted);
        var waiting = second.GrowAsync(200, Cancellation);
        Assert.False(waiting.IsCompleted);
        first.Leave();
        // It is the oldest now.
        await waiting;
        Assert.Equal(230, budget.Held);
    }

    [Fact]
    public async Task One_that_leaves_while_it_waits_holds_nothing()
    {
        var budget = new ByteBudget(100);
        var (first, second) = (budget.Enter(100), budget.Enter(0));
        var waiting = second.GrowAsync(50, Cancellation);
        second.Leave();
        await waiting;
        Assert.Equal(100, budget.Held);
        Assert.True(second.GrowAsync(50, Cancellation).IsCompleted);
        first.Leave();
        Assert.Equal(0, budget.Held);
    }
}
