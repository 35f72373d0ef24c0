using System.Text;

namespace Pristine.Tables;

/// <summary>Describes the columns of tables to people: the list in docs/tables.md is made from <see cref="TableSchema.Row"/>.</summary>
public static class TableDocumentation
{
    /// <summary>The columns of every row as a Markdown table.</summary>
    /// <returns>Markdown with line feeds, ending in one.</returns>
    public static string Columns()
    {
        var text = new StringBuilder("| column | type | content | known |\n|---|---|---|---|\n");
        foreach (var column in TableSchema.Row)
            text.Append($"| `{column.Name}` | {column.SqlType} | {Content(column)} | {Known(column)} |\n");
        return text.ToString();
    }

    private static string Content(Column column) =>
        column.Unit.Length == 0 || column.Summary.Contains(column.Unit, StringComparison.Ordinal)
        ? column.Summary
        : $"{column.Summary}, in {column.Unit}";

    /// <summary>When a rule on the column can be judged.</summary>
    private static string Known(Column column) => column.Source switch
    {
        ColumnSource.Item or ColumnSource.ItemText => "from the record",
        ColumnSource.Place => "from the dataset",
        ColumnSource.File => "from the file",
        _ => "after scoring",
    };
}
