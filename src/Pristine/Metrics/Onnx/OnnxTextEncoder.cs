using System.Runtime.CompilerServices;
using Pristine.Metrics.Text;
using Pristine.Models;
using Pristine.Native;
using Pristine.Networks;

namespace Pristine.Metrics.Onnx;

/// <summary>
/// A network that makes a vector of a text. Thread-safe; a thread remembers its last text, which several images of an item share.
/// </summary>
internal sealed class OnnxTextEncoder
{
    private readonly OnnxFunction _network;
    private readonly TextTokenizer _tokenizer;
    private readonly int _length;
    private readonly (int Start, int End, int Pad) _ids;
    private readonly ConditionalWeakTable<Thread, Encoded> _last = [];

    private sealed record Encoded(string Text, float[] Embedding);

    /// <summary>Makes an encoder.</summary>
    /// <param name="session">The network.</param>
    /// <param name="text">What the manifest says of it.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <exception cref="OnnxRuntimeException">The network takes something else than tokens.</exception>
    /// <exception cref="ModelException">The tokenizer lacks a token that the manifest names.</exception>
    public OnnxTextEncoder(OnnxRuntimeSession session, OnnxText text, TextTokenizer tokenizer)
    {
        _network = new OnnxFunction(session, text.Output);
        (_tokenizer, _length) = (tokenizer, text.Tokenizer.Length);
        if (_network.Inputs.Count > 2 || _network.Inputs.Count == 2 && !_network.Inputs.Any(IsMask))
            throw new OnnxRuntimeException(
                $"expected one input of token ids, and perhaps one with mask in its name; found {string.Join(", ", _network.Inputs)}.");
        _ids = (Id(text.Tokenizer.Start), Id(text.Tokenizer.End), Id(text.Tokenizer.Pad));

        int Id(string token) => tokenizer.IdOf(token)
            ?? throw new ModelException($"{text.Tokenizer.File}: expected the token {token}; there is none.");
    }

    /// <summary>The vector of a text.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="OnnxRuntimeException">The network fails.</exception>
    public float[] Encode(string text)
    {
        if (_last.TryGetValue(Thread.CurrentThread, out var last) && last.Text == text)
            return last.Embedding;
        var (ids, mask) = (new long[_length], new long[_length]);
        var tokens = _tokenizer.Encode(text);
        var count = Math.Min(tokens.Count, _length - 2);
        ids.AsSpan().Fill(_ids.Pad);
        ids[0] = _ids.Start;
        for (var i = 0; i < count; i++)
            ids[1 + i] = tokens[i];
        ids[1 + count] = _ids.End;
        mask.AsSpan(0, count + 2).Fill(1);
        var vector = _network.Run([.. _network.Inputs.Select(name => IsMask(name) ? mask : ids)]);
        _last.AddOrUpdate(Thread.CurrentThread, new Encoded(text, vector));
        return vector;
    }

    private static bool IsMask(string input) => input.Contains("mask", StringComparison.OrdinalIgnoreCase);
}
