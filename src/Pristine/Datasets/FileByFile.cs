using System.Globalization;

namespace Pristine.Datasets;

/// <summary>Reads the files of a dataset one after the other, so that one that cannot be read costs its own items alone.</summary>
internal static class FileByFile
{
    /// <summary>The most files that a message names.</summary>
    private const int MostNamed = 20;

    /// <summary>
    /// The items of all files, in order. A file that cannot be read on does not keep those behind it from being read: what was wrong with
    /// it is thrown at the end.
    /// </summary>
    /// <param name="source">The dataset as the user named it.</param>
    /// <param name="files">The files.</param>
    /// <param name="read">Reads the items of a file; the first has the position that is given.</param>
    /// <exception cref="DatasetException">Files could not be read on; the message names them.</exception>
    public static IEnumerable<DatasetItem> Read<T>(string source, IReadOnlyList<T> files, Func<T, long, IEnumerable<DatasetItem>> read)
    {
        var failures = new List<Exception>();
        var index = 0L;
        foreach (var file in files)
        {
            using var items = read(file, index).GetEnumerator();
            while (true)
            {
                try
                {
                    if (!items.MoveNext())
                        break;
                }
                catch (Exception exception) when (files.Count > 1 && IsOfFile(exception))
                {
                    failures.Add(exception);
                    break;
                }
                index++;
                yield return items.Current;
            }
        }
        if (failures.Count > 0)
            throw new DatasetException(string.Create(
                CultureInfo.InvariantCulture,
                $"{failures.Count:N0} of {files.Count:N0} files of '{source}' could not be read, the others were: " +
                $"{Join(failures.Select(failure => failure.Message))}"), failures[0])
            {
                IsOfSomeParts = true,
            };
    }

    /// <summary>Whether an exception says that a file cannot be read on.</summary>
    public static bool IsOfFile(Exception exception) => exception is DatasetException or IOException or UnauthorizedAccessException;

    /// <summary>Reasons as one text, of very many the first.</summary>
    public static string Join(IEnumerable<string> reasons)
    {
        string[] all = [.. reasons];
        return string.Join(" ", all.Take(MostNamed)) + (all.Length > MostNamed
            ? string.Create(CultureInfo.InvariantCulture, $" And {all.Length - MostNamed:N0} more.")
            : "");
    }
}
