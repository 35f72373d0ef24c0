using Pristine.Models;

namespace Pristine.Metrics.Text.Language;

/// <summary>
/// In which language an item's text is, by fastText's lid.176 (Joulin et al.: Bag of tricks for efficient text classification, EACL 2017,
/// doi:10.18653/v1/E17-2068): the probability of the most probable language, or of a certain one where it is the most probable. These are
/// data-juicer's <c>lang_score</c> and <c>lang</c>; like data-juicer it looks at the text in lower case as one line. Deviations: the small
/// form of the model (lid.176.ftz, 0.9 MB of lid.176.bin's 126), whose scores differ a little; characters become lower case one by one;
/// a score is at most 1, where fastText's roundings give up to 1.00006.
/// </summary>
/// <remarks>No unit. Range: 0 to 1. No direction.</remarks>
public sealed class LanguageScore : TextMetric
{
    internal const string Base = "lang_score";

    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, WeakReference<FastTextModel>> Models = new(StringComparer.Ordinal);

    private readonly string? _language;
    private readonly ModelStore? _store;
    private readonly Lazy<FastTextModel> _model;

    private LanguageScore(string? language, ModelStore? store = null)
    {
        (_language, _store) = (language, store);
        _model = new(Open);
    }

    /// <summary>The probability of the most probable language.</summary>
    public static LanguageScore Any { get; } = new(null);

    /// <summary>The probability of a language.</summary>
    /// <param name="language">Its code, one of <see cref="Languages"/>.</param>
    /// <exception cref="ArgumentException">The model does not know it.</exception>
    public static LanguageScore Of(string language) => Languages.Contains(language)
        ? new(language)
        : throw new ArgumentException(
            $"Expected one of the {Languages.Count} languages of lid.176; found '{language}'. Nearest: " +
            $"{string.Join(", ", NearestNames.Of(language ?? "", Languages))}.", nameof(language));

    /// <summary>Codes of the languages that the model knows: ISO 639-1, where there is none 639-3.</summary>
    public static IReadOnlyList<string> Languages { get; } =
    [
        .. (
        "af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de " +
        "diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie " +
        "ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr " +
        "mrj ms mt mwl my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah " +
        "sc scn sco sd sh si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu " +
        "xal xmf yi yo yue zh").Split(' '),
    ];

    private ModelStore Store => _store ?? ModelStore.Default;

    /// <inheritdoc/>
    public override string Name => _language == null ? Base : $"{Base}:{_language}";

    /// <inheritdoc/>
    public override string Summary => _language == null
        ? "Probability of the language that the item's text most probably is in."
        : $"Probability that the item's text is in the language '{_language}'; 0 where another is more probable.";

    /// <inheritdoc/>
    public override string Formula => _language == null
        ? "max over languages of P(language | text), by fastText's lid.176.ftz on the text in lower case, as one line"
        : $"P({_language} | text) where it is the largest of all languages, otherwise 0; P as for {Base}";

    /// <inheritdoc/>
    public override string Notes =>
        "lang_score:en is that of English, and so for each of 176 languages by its code; 0 where another language is more probable. " +
        "data-juicer takes lid.176.bin, of which this is the small form.";

    /// <inheritdoc/>
    public override string Citation =>
        "Joulin et al.: Bag of tricks for efficient text classification, EACL 2017, doi:10.18653/v1/E17-2068; lang_score of " +
        $"language_id_score_filter, {DataJuicer}.";

    /// <inheritdoc/>
    public override string Unit => "probability";

    /// <inheritdoc/>
    public override MetricRange Range => new(0, 1);

    /// <inheritdoc/>
    public override string? ModelSha256 => LanguageModel.Sha256(Store);

    /// <inheritdoc/>
    public override string? Missing => LanguageModel.Missing(Store);

    /// <inheritdoc/>
    /// <exception cref="ModelException">The model is not installed.</exception>
    public override double Measure(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (language, probability) = Find(text);
        return _language == null || _language == language ? Math.Min(1, probability) : 0;
    }

    /// <summary>The most probable language of a text.</summary>
    /// <param name="text">The text.</param>
    /// <returns>Its code and its probability.</returns>
    /// <exception cref="ModelException">The model is not installed.</exception>
    public (string Language, double Probability) Find(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _model.Value.Classify(text.ToLowerInvariant());
    }

    /// <summary>The metric with the model of another store.</summary>
    internal LanguageScore WithStore(ModelStore store) => new(_language, store);

    /// <summary>The model, which all metrics of a store share.</summary>
    private FastTextModel Open()
    {
        var store = Store;
        lock (Gate)
        {
            if (Models.TryGetValue(store.Folder, out var reference) && reference.TryGetTarget(out var open))
                return open;
            var model = LanguageModel.Read(store);
            Models[store.Folder] = new(model);
            return model;
        }
    }
}

/// <summary>The probabilities of languages, by their names: <c>lang_score:en</c>.</summary>
internal sealed class LanguageFamily : MetricFamily
{
    /// <inheritdoc/>
    public override Metric? Parse(string name, out string? fault)
    {
        fault = null;
        if (name.Split(':') is not [LanguageScore.Base, var language])
            return null;
        if (LanguageScore.Languages.Contains(language))
            return LanguageScore.Of(language);
        fault = $"Expected one of the {LanguageScore.Languages.Count} languages of lid.176 after the colon of '{name}', such as " +
            $"{LanguageScore.Base}:en. Nearest: {string.Join(", ", NearestNames.Of(language, LanguageScore.Languages))}.";
        return null;
    }
}
