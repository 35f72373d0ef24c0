namespace Pristine.Networks;

/// <summary>
/// A network that training/train.py trained. Its graphs in floats take <c>image</c> [batch, 3, height, width] with a border as wide as the
/// mask of the stem reaches beyond an image, which the stem does not add (so a border may have the value that stands for nothing in each
/// channel), both sides even; they give <c>statistics</c> [batch, 2 x channels of all stages], means and then deviations. The graph in
/// 8-bit integers takes the same pixels as <c>squares</c> [batch, height / 2, width / 2, 12], bytes: the R, G, B of the four pixels of a
/// 2x2 square, row by row. It gives <c>stage1</c>, <c>stage2</c> ... [batch, rows, columns, channels], bytes in steps that the metadata
/// <c>steps</c> has, of which the statistics are taken outside (a sixth to a fifth of the time would go to that in floats), and
/// <c>statistics</c> of the last stage, [batch, 2 x its channels].
/// </summary>
internal interface ITrainedNetwork
{
    /// <summary>Channels of each stage.</summary>
    IReadOnlyList<int> StageChannels { get; }

    /// <summary>The graphs that it can be written as.</summary>
    NetworkGraphs Graphs { get; }
}
