using System.CommandLine;
using Pristine.Cli.Display;
using Pristine.Datasets;
using Pristine.Remote;
using Pristine.Scoring;
using Pristine.Selection;
using Pristine.Tables;

namespace Pristine.Cli.Options;

/// <summary>The table of a selecting command, and what the selection may use.</summary>
internal sealed class TableArguments
{
    private readonly Option<string?> _input = new("--input")
    {
        Description = "The dataset, if it is no longer where it was scored",
        HelpName = "INPUT",
    };

    private readonly Option<string?> _imageRoot = new("--image-root")
    {
        Description = "With --input: folder of relative image paths",
        HelpName = "DIR",
    };

    private readonly Option<string?> _imageField = new("--image-field")
    {
        Description = "With --input: field of records that names their images",
        HelpName = "NAME",
    };

    private readonly Option<int> _threads = Threads();

    private readonly RemoteArguments _remote = new();

    /// <summary><c>--workers</c> of commands that read tables.</summary>
    public static Option<int> Threads()
    {
        var threads = new Option<int>("--workers", "-j")
        {
            Description = "Threads; they do not change the result",
            HelpName = "N",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        threads.Between(1, Inputs.MostWorkers);
        return threads;
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_input);
        command.Options.Add(_imageRoot);
        command.Options.Add(_imageField);
        command.Options.Add(_threads);
        _remote.AddTo(command);
    }

    public Dataset OpenDataset(ParseResult parsed, ScoreTable table) => parsed.GetValue(_input) is { } input
        ? Dataset.Open(input, new DatasetOptions
        {
            ImageRoot = parsed.GetValue(_imageRoot),
            ImageField = parsed.GetValue(_imageField) ?? table.Provenance.Dataset.ImageField,
            Remote = Remote(parsed),
        })
        : SelectionRun.OpenDataset(table, Remote(parsed));

    public RemoteAccess Remote(ParseResult parsed) => _remote.Access(parsed);

    public SelectionResources Resources(ParseResult parsed) => new() { Threads = parsed.GetValue(_threads) };

    /// <summary>Opens a table and says on stderr when it is not whole.</summary>
    public static ScoreTable Open(string folder)
    {
        var table = ScoreTable.Open(folder);
        if (table.Incomplete is { } missing)
            Console.Error.WriteLine($"pristine: the table {folder} is not complete: {missing}. 'pristine score' goes on with it.");
        return table;
    }
}
