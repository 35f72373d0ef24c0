using Pristine.Datasets;

namespace Pristine.Tables;

/// <summary>
/// Places within a table that its own files name. A table may come from anywhere, and what it says is not trusted: no name leads out of it.
/// </summary>
internal static class TablePlace
{
    /// <summary>The place of a name.</summary>
    /// <param name="folder">The table.</param>
    /// <param name="name">A path relative to it.</param>
    /// <param name="namedBy">The file that names it.</param>
    /// <exception cref="ScoreTableException">It leads out of the table.</exception>
    public static string Of(string folder, string name, string namedBy)
    {
        var place = Path.Combine(folder, name);
        var leads = name.Length == 0 || Path.IsPathRooted(name) || name.Contains('\0', StringComparison.Ordinal)
            || name.Split('/', '\\').Any(part => part is "" or "." or "..")
            || !RealPath.IsWithin(RealPath.Of(place), RealPath.Of(folder));
        return !leads ? place : throw new ScoreTableException(
            $"{namedBy} of the table {folder} names the file '{name}'; expected one within the table. Another program, or a hand, has " +
            $"changed it.");
    }
}
