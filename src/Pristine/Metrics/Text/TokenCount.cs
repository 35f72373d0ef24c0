using Pristine.Models;

namespace Pristine.Metrics.Text;

/// <summary>
/// Tokens of an item's text by the tokenizer of a language model, without those that begin and end a text: data-juicer's <c>num_token</c>.
/// </summary>
public sealed class TokenCount : TextMetric
{
    /// <summary>Its name, which needs a tokenizer.</summary>
    internal const string MetricName = "token_count";

    private readonly string _file;
    private readonly Lazy<TextTokenizer> _tokenizer;

    private TokenCount(string file)
    {
        _file = Path.GetFullPath(file);
        _tokenizer = new(() => TextTokenizer.Read(_file));
    }

    /// <summary>Tokenizers.</summary>
    internal static MetricFile TokenizerFile { get; } = new(
        "tokenizer",
        "tokenizer.json",
        $"The tokenizer of a language model, for the metric {MetricName}: Hugging Face's tokenizer.json with byte pair encoding of bytes " +
        "(GPT-2, GPT-NeoX, Qwen, LLaMA 3)",
        Read);

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="file">Hugging Face's <c>tokenizer.json</c>, with byte pair encoding of bytes.</param>
    /// <exception cref="ModelException">It is none, or of another kind; the message says which.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static TokenCount Read(string file)
    {
        var metric = new TokenCount(file);
        // What cannot be read is told before any work.
        _ = metric._tokenizer.Value;
        return metric;
    }

    /// <inheritdoc/>
    public override string Name => MetricName;

    /// <inheritdoc/>
    public override string Unit => "tokens";

    /// <inheritdoc/>
    public override string Summary => "Tokens of the item's text.";

    /// <inheritdoc/>
    public override string Formula => "number of tokens that the tokenizer makes of the text, without those that begin and end a text";

    /// <inheritdoc/>
    public override string Citation => $"num_token of token_num_filter, {DataJuicer}.";

    /// <inheritdoc/>
    public override string? ModelSha256 => FileHash.Of(_file);

    /// <inheritdoc/>
    public override double Measure(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _tokenizer.Value.Count(text);
    }
}

/// <summary>Says what the metric lacks where no tokenizer is given.</summary>
internal sealed class TokenCountFamily : MetricFamily
{
    /// <inheritdoc/>
    public override Metric? Parse(string name, out string? fault)
    {
        fault = name == TokenCount.MetricName
            ? $"{TokenCount.MetricName} needs the tokenizer of a language model: --tokenizer tokenizer.json."
            : null;
        return null;
    }
}
