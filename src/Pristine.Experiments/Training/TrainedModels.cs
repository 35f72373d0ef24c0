using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Pristine.Datasets;

namespace Pristine.Experiments.Training;

/// <summary>Outcomes of models on disk, each in a file named by the hash of all that it depends on.</summary>
internal sealed partial class TrainedModels(string folder, Trainer trainer, IReadOnlyList<string> classes)
{
    private readonly Dictionary<string, string> _stamps = new(StringComparer.Ordinal);

    public Trainer Trainer => trainer;

    public string KeyOf(TrainingTask task)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add($"{trainer.Identity}\n{string.Join('\n', classes)}\n{task.Seed}\n");
        foreach (var part in (IReadOnlyList<TrainingExample>[])[task.Train, task.Validation, task.Test])
        {
            Add($"{part.Count}\n");
            foreach (var example in part)
                Add($"{example.Label}\0{example.Path}\0{Stamp(example.Path)}\n");
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..32];

        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
    }

    public TrainingOutcome? Find(string key)
    {
        var file = FileOf(key);
        if (!File.Exists(file))
            return null;
        try
        {
            using var stream = File.OpenRead(file);
            return JsonSerializer.Deserialize(stream, OutcomeJson.Default.TrainingOutcome) ?? throw new JsonException("null");
        }
        catch (JsonException error)
        {
            throw new DatasetException(
                $"Expected the outcome of a model in '{file}'; {error.Message}. Delete the file to train the model again.", error);
        }
    }

    public void Keep(string key, TrainingOutcome outcome)
    {
        using var file = PartialFile.Create(FileOf(key), null);
        JsonSerializer.Serialize(file.Stream, outcome, OutcomeJson.Default.TrainingOutcome);
        file.Complete();
    }

    private string FileOf(string key) => Path.Combine(folder, $"{key}.json");

    private string Stamp(string path)
    {
        if (_stamps.TryGetValue(path, out var known))
            return known;
        var file = new FileInfo(path);
        return _stamps[path] = string.Create(CultureInfo.InvariantCulture, $"{file.Length} {file.LastWriteTimeUtc.Ticks}");
    }

    [JsonSourceGenerationOptions(
        GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(TrainingOutcome))]
    private sealed partial class OutcomeJson : JsonSerializerContext;
}
