using System.Text;

namespace Pristine.Experiments;

/// <summary>Lines of label files: comma, semicolon or tab between fields, quotes as in RFC 4180; a field cannot hold a line break.</summary>
internal static class DelimitedLine
{
    /// <summary>The separator of a header: whichever of comma, semicolon and tab it has most of.</summary>
    public static char SeparatorOf(string header) => ((ReadOnlySpan<char>)[',', ';', '\t']).ToArray().MaxBy(candidate => header.Count(c => c == candidate));

    /// <summary>The fields of a line.</summary>
    public static string[] Fields(string line, char separator)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && quoted && i + 1 < line.Length && line[i + 1] == '"')
                field.Append(line[i++]);
            else if (line[i] == '"')
                quoted = !quoted;
            else if (line[i] == separator && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
                field.Append(line[i]);
        }
        fields.Add(field.ToString());
        return [.. fields];
    }
}
