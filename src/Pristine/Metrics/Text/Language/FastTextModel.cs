using System.Globalization;
using System.Text;
using Pristine.Models;

namespace Pristine.Metrics.Text.Language;

/// <summary>
/// A classifier of texts as fastText saves it (Joulin et al.: Bag of tricks for efficient text classification, EACL 2017; FastText.zip,
/// arXiv 1612.03651), with the hierarchical softmax that its identification of languages has. The mean of the vectors of the words and of
/// their sequences of letters goes down a tree of decisions whose leaves are the labels. Weights are floats or products of codebooks. What
/// is computed, and in which order, is fastText's (commit 1142dc4): scores are the same but for roundings. Thread-safe.
/// </summary>
internal sealed class FastTextModel
{
    private const int Magic = 793712314;
    private const int Format = 12;
    private const int HierarchicalSoftmax = 1;
    private const int Supervised = 3;
    private const string LabelPrefix = "__label__";
    private const string EndOfLine = "</s>";

    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, int>? _kept;
    private readonly int _wordRows, _buckets, _shortest, _longest;
    private readonly FastTextMatrix _input, _output;
    private readonly (int Left, int Right)[] _tree;

    private FastTextModel(BinaryReader file, string path)
    {
        if (file.ReadInt32() != Magic)
            throw new ModelException($"{path}: expected a model of fastText; it begins with other bytes.");
        if (file.ReadInt32() is var format && format != Format)
            throw new ModelException($"{path}: expected version {Format} of fastText's models; found {format}.");
        var dimension = Count(file, "dimensions", 1, 4096);
        file.ReadInt32();
        file.ReadInt32();
        file.ReadInt32();
        file.ReadInt32();
        var sequences = file.ReadInt32();
        var (loss, kind) = (file.ReadInt32(), file.ReadInt32());
        if ((sequences, loss, kind) != (1, HierarchicalSoftmax, Supervised))
            throw new ModelException(
                $"{path}: expected a classifier of single words with hierarchical softmax; found sequences of {sequences} words, loss " +
                $"{loss} and kind {kind}.");
        (_buckets, _shortest, _longest) = (file.ReadInt32(), file.ReadInt32(), file.ReadInt32());
        file.ReadInt32();
        file.ReadDouble();

        var entries = Count(file, "entries", 1, 1 << 24);
        var (words, labels) = (Count(file, "words", 0, entries), Count(file, "labels", 1, entries));
        file.ReadInt64();
        var kept = file.ReadInt64();
        var counts = new long[labels];
        var names = new string[labels];
        for (var i = 0; i < entries; i++)
        {
            var text = Text(file);
            var (count, isLabel) = (file.ReadInt64(), file.ReadByte() == 1);
            if (isLabel != i >= words || i - words >= labels)
                throw new InvalidDataException("words and labels are not in order");
            if (isLabel)
                (names[i - words], counts[i - words]) = (text.Replace(LabelPrefix, "", StringComparison.Ordinal), count);
            else
                _words[text] = i;
        }
        if (kept >= 0)
        {
            _kept = new Dictionary<uint, int>();
            for (var i = 0L; i < kept; i++)
                _kept[(uint)file.ReadInt32()] = file.ReadInt32();
        }
        var isInCodes = file.ReadBoolean();
        _input = FastTextMatrix.Read(file, isInCodes, dimension);
        _output = FastTextMatrix.Read(file, file.ReadBoolean() && isInCodes, dimension);
        if (_output.Rows != labels)
            throw new InvalidDataException($"{_output.Rows} rows for {labels} labels");
        var sequenceRows = _input.Rows - words;
        if (_longest > 0 && (_buckets < 1
            || (_kept == null ? sequenceRows < _buckets : _kept.Values.Any(row => row < 0 || row >= sequenceRows))))
            throw new InvalidDataException($"{_input.Rows} rows for {words} words and their sequences of letters");
        if (sequenceRows < 0)
            throw new InvalidDataException($"{_input.Rows} rows for {words} words");
        (Labels, _tree, _wordRows) = (names, Tree(counts), words);

        int Count(BinaryReader reader, string what, int least, int most) =>
            reader.ReadInt32() is var number && number >= least && number <= most
            ? number
            : throw new InvalidDataException($"{number} {what}");
    }

    /// <summary>Reads a model.</summary>
    /// <param name="path">Its name, for messages.</param>
    /// <param name="content">Contents of a <c>.bin</c> or <c>.ftz</c> file.</param>
    /// <exception cref="ModelException">It is no such model.</exception>
    public static FastTextModel Read(string path, byte[] content)
    {
        try
        {
            using var file = new BinaryReader(new MemoryStream(content, writable: false));
            return new FastTextModel(file, path);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or OverflowException)
        {
            throw new ModelException($"{path}: expected a whole model of fastText; {error.Message}", error);
        }
    }

    /// <summary>Names of the labels.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>The most probable label of a line.</summary>
    /// <param name="line">The text; a line end counts as a space.</param>
    /// <returns>The label and its probability.</returns>
    public (string Label, double Probability) Classify(ReadOnlySpan<char> line)
    {
        var sum = new float[_input.Columns];
        var rows = 0;
        var words = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var part in line.SplitAny(" \n\r\t\v\f\0"))
            if (line[part] is { Length: > 0 } word)
                AddWord(word, words.TryGetValue(word, out var at) ? at : -1, sum, ref rows);
        AddWord(EndOfLine, words.TryGetValue(EndOfLine, out var end) ? end : -1, sum, ref rows);
        if (rows > 0)
            for (var i = 0; i < sum.Length; i++)
                sum[i] *= (float)(1.0 / rows);
        var best = (Label: -1, Score: double.NegativeInfinity);
        Descend(_tree.Length - 1, 0, sum, ref best);
        return (Labels[best.Label], Math.Exp(best.Score));
    }

    private void AddWord(ReadOnlySpan<char> word, int row, float[] sum, ref int rows)
    {
        if (row >= 0)
            Add(row, sum, ref rows);
        // fastText takes such a word for a label of the text.
        else if (word.StartsWith(LabelPrefix, StringComparison.Ordinal))
            return;
        if (_longest <= 0 || word.SequenceEqual(EndOfLine))
            return;
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(word.Length) + 2];
        bytes[0] = (byte)'<';
        var length = 1 + Encoding.UTF8.GetBytes(word, bytes.AsSpan(1));
        bytes[length++] = (byte)'>';
        for (var i = 0; i < length; i++)
        {
            if (IsInside(bytes[i]))
                continue;
            var hash = 2166136261;
            for (int j = i, letters = 1; j < length && letters <= _longest; letters++)
            {
                do
                    hash = (hash ^ (uint)(sbyte)bytes[j++]) * 16777619;
                while (j < length && IsInside(bytes[j]));
                // The signs before and after a word are no sequences of their own.
                if (letters >= _shortest && !(letters == 1 && (i == 0 || j == length)))
                    AddSequence(hash % (uint)_buckets, sum, ref rows);
            }
        }
    }

    private static bool IsInside(byte part) => (part & 0xC0) == 0x80;

    private void AddSequence(uint bucket, float[] sum, ref int rows)
    {
        if (_kept == null)
            Add(_wordRows + (int)bucket, sum, ref rows);
        else if (_kept.TryGetValue(bucket, out var place))
            Add(_wordRows + place, sum, ref rows);
    }

    private void Add(int row, float[] sum, ref int rows)
    {
        _input.AddTo(sum, row);
        rows++;
    }

    /// <summary>Goes down where a better leaf than the best so far may be.</summary>
    private void Descend(int node, double score, float[] vector, ref (int Label, double Score) best)
    {
        if (score < best.Score)
            return;
        if (node < Labels.Count)
        {
            if (score > best.Score)
                best = (node, score);
            return;
        }
        var right = 1 / (1 + MathF.Exp(-_output.Dot(vector, node - Labels.Count)));
        Descend(_tree[node].Left, score + Logarithm(1f - right), vector, ref best);
        Descend(_tree[node].Right, score + Logarithm(right), vector, ref best);
    }

    private static float Logarithm(float probability) => (float)Math.Log(probability + 1e-5);

    /// <summary>Huffman's tree of the labels, which fastText makes anew of their counts; leaves first, the root last.</summary>
    private static (int Left, int Right)[] Tree(long[] counts)
    {
        var nodes = new (int Left, int Right)[2 * counts.Length - 1];
        var sums = new long[nodes.Length];
        Array.Fill(sums, (long)1e15);
        counts.CopyTo(sums, 0);
        var (leaf, inner) = (counts.Length - 1, counts.Length);
        for (var i = counts.Length; i < nodes.Length; i++)
        {
            var left = Smaller();
            var right = Smaller();
            nodes[i] = (left, right);
            sums[i] = sums[left] + sums[right];

            // Leaves become larger towards the first, nodes towards the last.
            int Smaller() => leaf >= 0 && sums[leaf] < sums[inner] ? leaf-- : inner++;
        }
        return nodes;
    }

    private static string Text(BinaryReader file)
    {
        var bytes = new List<byte>();
        while (file.ReadByte() is var next and not 0)
            bytes.Add(next);
        return Encoding.UTF8.GetString([.. bytes]);
    }
}

/// <summary>Rows of numbers: as floats, or as codes of codebooks for every few columns, with a code for their length.</summary>
internal sealed class FastTextMatrix
{
    private const int CodesOfABook = 256;

    private readonly float[] _values = [];
    private readonly byte[] _codes = [];
    private readonly byte[]? _lengths;
    private readonly Codebooks? _books, _lengthBook;

    private FastTextMatrix(BinaryReader file, bool isInCodes)
    {
        var hasLengths = isInCodes && file.ReadBoolean();
        (Rows, Columns) = (checked((int)file.ReadInt64()), checked((int)file.ReadInt64()));
        if (Rows < 0 || Columns is < 1 or > 4096)
            throw new InvalidDataException($"a matrix of {Rows} x {Columns}");
        if (!isInCodes)
        {
            _values = Floats(file, (long)Rows * Columns);
            return;
        }
        _codes = Bytes(file, file.ReadInt32());
        _books = new Codebooks(file);
        if (_books.Columns != Columns || _codes.Length != Rows * _books.Count)
            throw new InvalidDataException($"{_codes.Length} codes of {_books.Columns} columns for a matrix of {Rows} x {Columns}");
        if (!hasLengths)
            return;
        _lengths = Bytes(file, Rows);
        _lengthBook = new Codebooks(file);
        if (_lengthBook.Columns != 1)
            throw new InvalidDataException($"lengths of {_lengthBook.Columns} columns");
    }

    /// <summary>Reads a matrix of so many columns.</summary>
    public static FastTextMatrix Read(BinaryReader file, bool isInCodes, int columns) =>
        new FastTextMatrix(file, isInCodes) is var matrix && matrix.Columns == columns
        ? matrix
        : throw new InvalidDataException($"{matrix.Columns} columns for {columns} dimensions");

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Adds a row to a vector.</summary>
    public void AddTo(float[] vector, int row)
    {
        if (_books == null)
            for (var i = 0; i < Columns; i++)
                vector[i] += _values[row * Columns + i];
        else
            _books.AddTo(vector, _codes.AsSpan(row * _books.Count, _books.Count), Length(row));
    }

    /// <summary>The product of a row and a vector.</summary>
    public float Dot(float[] vector, int row)
    {
        if (_books != null)
        {
            var values = new float[Columns];
            _books.AddTo(values, _codes.AsSpan(row * _books.Count, _books.Count), Length(row));
            return Sum(values, vector);
        }
        return Sum(_values.AsSpan(row * Columns, Columns), vector);
    }

    private static float Sum(ReadOnlySpan<float> row, float[] vector)
    {
        var sum = 0f;
        for (var i = 0; i < row.Length; i++)
            sum += row[i] * vector[i];
        return sum;
    }

    private float Length(int row)
    {
        if (_lengths == null)
            return 1;
        var length = new float[1];
        _lengthBook!.AddTo(length, [_lengths[row]], 1);
        return length[0];
    }

    private static float[] Floats(BinaryReader file, long count)
    {
        var values = new float[count];
        file.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static byte[] Bytes(BinaryReader file, int count)
    {
        var bytes = new byte[count];
        file.BaseStream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>A codebook for every few columns; that of the last columns may be narrower.</summary>
    private sealed class Codebooks
    {
        private readonly int _width, _lastWidth;
        private readonly float[] _centres;

        public Codebooks(BinaryReader file)
        {
            (Columns, Count, _width, _lastWidth) = (file.ReadInt32(), file.ReadInt32(), file.ReadInt32(), file.ReadInt32());
            if (Columns is < 1 or > 4096 || Count < 1 || _width < 1 || _lastWidth < 1 || (Count - 1) * _width + _lastWidth != Columns)
                throw new InvalidDataException(string.Create(
                    CultureInfo.InvariantCulture, $"{Count} codebooks of {_width} and {_lastWidth} columns for {Columns}"));
            _centres = Floats(file, (long)Columns * CodesOfABook);
        }

        public int Columns { get; }

        public int Count { get; }

        public void AddTo(float[] vector, ReadOnlySpan<byte> codes, float factor)
        {
            for (var book = 0; book < Count; book++)
            {
                var width = book == Count - 1 ? _lastWidth : _width;
                var centre = book * CodesOfABook * _width + codes[book] * width;
                for (var i = 0; i < width; i++)
                    vector[book * _width + i] += factor * _centres[centre + i];
            }
        }
    }
}
