using System.Text;

namespace Pristine.Tests.Fuzz;

/// <summary>Damages bytes as disks, networks and attackers do; the same for the same seed.</summary>
internal static class Mutation
{
    private static readonly byte[][] Words =
    [
        .. ((string[])["", "0", "-1", "4294967295", "2147483648", "9223372036854775807", "1e999", "NaN", "null", "true", "\"", "{", "}",
            "[", "]", ":", ",", "\\u0000", "\\ud800", "\0", "\n", "\r", "(", ")", "'", "../", "\ufeff", "and", "not", "like", "%s",
            "99999999999999999999"])
            .Select(Encoding.UTF8.GetBytes),
        [0, 0, 0, 0], [255, 255, 255, 255], [127, 255, 255, 255], [128, 0, 0, 0], [255, 255, 255, 127], [255, 216], [255, 217],
        [0x80, 0x80],
    ];

    /// <summary>A damaged copy.</summary>
    /// <param name="seed">A sound file.</param>
    /// <param name="random">Says what is done.</param>
    /// <param name="others">More sound files, of which pieces may be put in.</param>
    public static byte[] Of(byte[] seed, Random random, IReadOnlyList<byte[]> others)
    {
        var bytes = seed.ToList();
        // Most inputs have one fault: what many faults do, the first of them mostly hides.
        for (var faults = random.Next(4) == 0 ? random.Next(2, 20) : 1; faults > 0; faults--)
            Damage(bytes, random, others);
        return [.. bytes];
    }

    private static void Damage(List<byte> bytes, Random random, IReadOnlyList<byte[]> others)
    {
        if (bytes.Count == 0)
        {
            bytes.AddRange(Words[random.Next(Words.Length)]);
            return;
        }
        // Headers stand in front, lists of contents behind.
        var near = Math.Min(bytes.Count, 256);
        var at = random.Next(3) switch
        {
            0 => random.Next(near),
            1 => bytes.Count - 1 - random.Next(near),
            _ => random.Next(bytes.Count),
        };
        var length = Math.Min(bytes.Count - at, 1 + random.Next(random.Next(2) == 0 ? 8 : 512));
        switch (random.Next(9))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                var word = Words[random.Next(Words.Length)];
                for (var i = 0; i < word.Length && at + i < bytes.Count; i++)
                    bytes[at + i] = word[i];
                break;
            case 3:
                bytes.InsertRange(at, Words[random.Next(Words.Length)]);
                break;
            case 4:
                bytes.RemoveRange(at, length);
                break;
            case 5:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 7:
                for (var i = 0; i < length; i++)
                    bytes[at + i] = (byte)random.Next(256);
                break;
            default:
                var other = others[random.Next(others.Count)];
                var from = random.Next(other.Length);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + length)]);
                break;
        }
    }
}
