using System.Text.Json.Serialization;

namespace Pristine.Tables;

/// <summary>How the metadata of parts are read and written, made when the program is built: a table may have thousands of parts.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(PartContents))]
internal sealed partial class TableJson : JsonSerializerContext;
