namespace Pristine.Networks;

/// <summary>A linear regressor on the output of a network.</summary>
/// <param name="Weights">One factor per feature.</param>
/// <param name="Bias">Added to the sum.</param>
internal sealed record LinearHead(IReadOnlyList<float> Weights, float Bias);
