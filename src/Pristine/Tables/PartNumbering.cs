using System.Globalization;
using System.Text;

namespace Pristine.Tables;

/// <summary>
/// The numbers of a table in parts. While the parts are scored nobody knows how many images stand before one, so keys, positions of items
/// and lines are numbered within the part, with the part's number in the bits above. When all parts are finished, their sizes are known,
/// and each number is what it would have been on one machine.
/// </summary>
internal sealed class PartNumbering
{
    /// <summary>Bits of a position within a part.</summary>
    public const int Bits = 40;

    /// <summary>A table has fewer parts than this.</summary>
    public const int MostParts = 1_000_000;

    /// <param name="sizes">Rows, items and lines of each part, in order.</param>
    public PartNumbering(IEnumerable<PartSize> sizes)
    {
        var (rows, items, lines) = (new StringBuilder(), new StringBuilder(), new StringBuilder());
        var (part, before) = (0, new PartSize(0, 0, 0));
        foreach (var size in sizes)
        {
            if (size.BeginsFile)
                before = before with { Lines = 0 };
            Add(rows, before.Rows - First(part));
            Add(items, before.Items - First(part));
            Add(lines, before.Lines - First(part));
            before = new PartSize(before.Rows + size.Rows, before.Items + size.Items, before.Lines + size.Lines);
            part++;
        }
        string At(StringBuilder list) => $"[{list}][(key >> {Bits}) + 1]";
        // An item without an id has its position for one, and a record that is none names its line: numbers that no dataset has by itself.
        var line = "try_cast(regexp_extract(error, ':(\\d{13,19}): ', 1) AS BIGINT)";
        Sql = $"key + {At(rows)} AS key, item_index + {At(items)} AS item_index, " +
            $"CASE WHEN id = '#' || item_index THEN '#' || (item_index + {At(items)}) ELSE id END AS id, " +
            $"CASE WHEN error IS NOT NULL AND key >= {First(1)} AND {line} >> {Bits} = key >> {Bits} " +
            $"THEN replace(error, ':' || {line} || ': ', ':' || ({line} + {At(lines)}) || ': ') ELSE error END AS error";
    }

    /// <summary>The columns that are replaced, as SQL.</summary>
    public string Sql { get; }

    /// <summary>The first number of a part.</summary>
    public static long First(int part) => (long)part << Bits;

    private static void Add(StringBuilder list, long number) =>
        list.Append(list.Length == 0 ? "" : ", ").Append(number.ToString(CultureInfo.InvariantCulture));
}

/// <summary>What a part holds.</summary>
/// <param name="Rows">Rows of the table.</param>
/// <param name="Items">Items of the dataset.</param>
/// <param name="Lines">Lines of the dataset's file; 0 where it is not made of lines.</param>
/// <param name="BeginsFile">Whether it begins with the first line of a file.</param>
internal readonly record struct PartSize(long Rows, long Items, long Lines, bool BeginsFile = false);
