using System.Globalization;
using Pristine.Media;
using Pristine.Native;
using Pristine.Scoring;
using Pristine.Tables;

namespace Pristine.Selection;

/// <content>The steps of a selection: each makes the next table of decisions from the one before, in the database.</content>
public sealed partial class SelectionRun
{
    /// <summary>The first table of decisions: rules.</summary>
    private void Judge()
    {
        var code = new List<string>();
        if (!Options.KeepItemsWithoutImage)
            code.Add($"WHEN status = 'no_image' THEN {SelectionCode.DroppedWithoutImage}");
        // A record that could not be understood, or whose sound or film is broken, has no image, and so no folder; folders are cheaper to
        // read than names of images.
        code.Add($"WHEN folder IS NULL AND status <> 'no_image' THEN {SelectionCode.InvalidRecord}");
        foreach (var rule in _parsed.Rules)
            if (_record.Of(rule.Condition) is { } part)
                code.Add(FailureOf(rule, part));
        var needsImage = _parsed.Rules.Any(rule => !_record.IsWhole(rule.Condition))
            || (_parsed.By is { } column && !_record.IsWhole(column));
        code.Add($"WHEN status = 'no_image' THEN {(needsImage ? SelectionCode.KeptWithoutImage : SelectionCode.Passes)}");
        foreach (var rule in _parsed.Rules.Where(rule => !_record.IsWhole(rule.Condition)))
            code.Add(FailureOf(rule, rule.Condition));
        // The header of a broken image may pass every rule.
        if (!_parsed.Rules.Any(rule => JudgesBroken(rule.Condition)))
            code.Add(
                $"WHEN {OfEvery($"status IN ('{ImageStatus.Unreadable.Name()}', '{ImageStatus.Truncated.Name()}')")} THEN " +
                $"{SelectionCode.BrokenImage}");
        var statuses = string.Join(' ', Enum.GetValues<ImageStatus>().Select(status => $"WHEN '{status.Name()}' THEN {(int)status}"));
        var by = _parsed.By == null ? "NULL::DOUBLE" : _parsed.By.NumberSql(Width.Double);
        var per = _parsed.Per == null
            ? "CAST(0 AS TINYINT)"
            : $"coalesce(CAST({DuckDbConnection.Identifier(_parsed.Per.Name)} AS VARCHAR), '')";
        var judged =
            $"""
            SELECT key, item_index{(HasSeveralImages ? ", image_index" : "")}, CAST(code AS SMALLINT) AS code, CAST(CASE status {statuses} END AS TINYINT) AS status,
              {_reasons.CaseOfCode("abs(code)", reason => reason.Value)} AS value, {_reasons.CaseOfCode("abs(code)", reason => reason.Threshold)} AS threshold, {by} AS by_value, {per} AS per
            FROM (SELECT *, CASE {string.Join(' ', code)} ELSE {SelectionCode.Passes} END AS code FROM rows)
            """;
        if (HasSeveralImages)
            judged = PerItem(judged);
        Decide(judged);
    }

    /// <summary>
    /// Whether a rule says itself what becomes of an image that could not be decoded: it names its status, or asks whether something is
    /// missing.
    /// </summary>
    private bool JudgesBroken(RuleExpression expression) =>
        expression is ColumnReference { Column.Name: "status" or "error" }
        || (expression is IsNull { Subject: var subject } && !_record.IsWhole(subject))
        || expression.Parts.Any(JudgesBroken);

    /// <summary>SQL of the cases in which a rule drops.</summary>
    private string FailureOf(Rule rule, RuleExpression condition)
    {
        _reasons.Rule = rule.Text;
        var reason = condition.Explain(_reasons, wanted: true);
        var fails = HasSeveralImages && Options.Images == ImagePolicy.Any
            ? $"{OfEvery($"{condition.ConditionSql()} IS NOT TRUE")} AND "
            : "";
        return $"WHEN {fails}{condition.ConditionSql()} IS FALSE THEN {reason} WHEN {fails}{condition.ConditionSql()} IS NULL THEN " +
            $"-({reason})";
    }

    /// <summary>
    /// SQL of whether something holds of an image or, where one image is enough for each rule, of every image of its item.
    /// </summary>
    private string OfEvery(string condition) =>
        HasSeveralImages && Options.Images == ImagePolicy.Any ? $"bool_and({condition}) OVER (PARTITION BY {ItemIndex})" : condition;

    /// <summary>
    /// SQL: whether an item takes part in shares and percentiles. One without an image does where these read only the record.
    /// </summary>
    private string TakesPart => _record.IsWhole(_parsed.By!) ? SelectionCode.Kept : $"code = {SelectionCode.Passes}";

    /// <summary>
    /// Of several images the one that decides about the item: the first that fails (worst), or the first that passes (best). Where one
    /// image is enough for each rule, all of them pass or all fail, and the best value counts.
    /// </summary>
    private string PerItem(string judged)
    {
        var isWorst = Options.Images != ImagePolicy.Best;
        var order =
            $"(CASE WHEN code = {SelectionCode.Passes} THEN {(isWorst ? 1 : 0)} ELSE {(isWorst ? 0 : 1)} END) * 4294967296 + image_index";
        isWorst &= Options.Images == ImagePolicy.Worst;
        // The worst by value is the largest where small is good. An item with an image that has no value has no worst value.
        var extreme = isWorst == _parsed.SmallestIsBest ? "max(by_value)" : "min(by_value)";
        var by = isWorst ? $"CASE WHEN count(by_value) = count(*) THEN {extreme} END" : extreme;
        return
            $"""
            SELECT item_index, d.key AS key, d.code AS code, d.status AS status, d.value AS value, d.threshold AS threshold, by_value, d.per AS per
            FROM (SELECT item_index, {by} AS by_value,
                    arg_min(struct_pack(key := key, code := code, status := status, value := value, threshold := threshold, per := per), {order}) AS d
                  FROM ({judged}) GROUP BY item_index)
            """;
    }

    private void KeepBetween(PercentileRange range)
    {
        var rule = $"{_parsed.By!.Name} between {range}{PerText}";
        var (missing, low, high) = (_reasons.Add(rule, _parsed.By), _reasons.Add(rule, _parsed.By), _reasons.Add(rule, _parsed.By));
        var shares = string.Create(CultureInfo.InvariantCulture, $"[{range.Low / 100}, {range.High / 100}]");
        _database.Execute(
            $"""
            CREATE TABLE bounds AS SELECT per, ends[1] AS low, ends[2] AS high
            FROM (SELECT per, quantile_cont(by_value, {shares}) AS ends FROM {_decided} WHERE {TakesPart} GROUP BY per)
            """);
        Refine(
            $"""
            SELECT key, item_index, status, by_value, d.per,
              CASE WHEN NOT {TakesPart} THEN code WHEN by_value IS NULL THEN -{missing} WHEN by_value < low THEN {low} WHEN by_value > high THEN {high} ELSE code END AS code,
              CASE WHEN NOT {TakesPart} THEN value ELSE by_value END AS value,
              CASE WHEN NOT {TakesPart} THEN threshold WHEN by_value < low THEN low ELSE high END AS threshold
            FROM {_decided} d LEFT JOIN bounds b ON d.per = b.per
            """);
    }

    private void KeepTop(TopShare top)
    {
        var rule = $"top {top} by {_parsed.By!.Name}{PerText}";
        var (missing, beyond) = (_reasons.Add(rule, _parsed.By), _reasons.Add(rule, _parsed.By));
        var amount = top.Amount.ToString(CultureInfo.InvariantCulture);
        var count = top.IsPercent ? $"CAST(ceil(count(*) * {amount} / 100) AS BIGINT)" : $"least(count(*), {amount})";
        var (best, worse) = _parsed.SmallestIsBest ? ("ASC", ">") : ("DESC", "<");
        var candidates = $"(SELECT * FROM {_decided} WHERE {TakesPart} AND by_value IS NOT NULL)";
        // The value and key of the last one that is kept, in each group; everything after it goes.
        _database.Execute(
            $"""
            CREATE TABLE last_kept AS
            SELECT per, by_value AS last_value, key AS last_key
            FROM (SELECT per, by_value, key, row_number() OVER (PARTITION BY per ORDER BY by_value {best}, key) AS rank FROM {candidates})
            JOIN (SELECT per, {count} AS size FROM {candidates} GROUP BY per) USING (per)
            WHERE rank = size
            """);
        Refine(
            $"""
            SELECT key, item_index, status, by_value, d.per,
              CASE WHEN NOT {TakesPart} THEN code WHEN by_value IS NULL THEN -{missing}
                   WHEN last_key IS NULL OR by_value {worse} last_value OR (by_value = last_value AND key > last_key) THEN {beyond} ELSE code END AS code,
              CASE WHEN NOT {TakesPart} THEN value ELSE by_value END AS value,
              CASE WHEN NOT {TakesPart} THEN threshold ELSE last_value END AS threshold
            FROM {_decided} d LEFT JOIN last_kept l ON d.per = l.per
            """);
    }

    private void KeepFirst(long limit)
    {
        var beyond = _reasons.Add(string.Create(CultureInfo.InvariantCulture, $"limit {limit}"), null);
        var last = limit == 0 ? -1 : _database.QueryInt64(
            $"SELECT item_index FROM {_decided} WHERE {SelectionCode.Kept} ORDER BY item_index LIMIT 1 OFFSET $1", limit - 1);
        if (last is { } index)
            Refine($"SELECT * REPLACE (CASE WHEN {SelectionCode.Kept} AND item_index > {index.ToString(CultureInfo.InvariantCulture)} " +
                $"THEN {beyond} ELSE code END AS code) FROM {_decided}");
    }

    private string PerText => _parsed.Per == null ? "" : $" per {_parsed.Per.Name}";

    /// <summary>Makes the next table of decisions from a query and forgets those before.</summary>
    private void Decide(string query)
    {
        var next = NextName();
        _database.Execute($"CREATE TABLE {next} AS {query}");
        // The newest first: each may be a view of the one before.
        while (_decisions.TryPop(out var before))
            _database.Execute($"DROP {(before.IsView ? "VIEW" : "TABLE")} {before.Name}");
        Become(next, isView: false);
    }

    /// <summary>
    /// The same for a step that costs little: without groups, and asked once, its decisions are computed whenever they are read, which is
    /// cheaper than to write them all again.
    /// </summary>
    private void Refine(string query)
    {
        if (_parsed.Per != null || _isAskedOften)
        {
            Decide(query);
            return;
        }
        var next = NextName();
        _database.Execute($"CREATE VIEW {next} AS {query}");
        Become(next, isView: true);
    }

    private string NextName() => string.Create(CultureInfo.InvariantCulture, $"decided_{_steps++}");

    private void Become(string name, bool isView)
    {
        _decisions.Push((name, isView));
        _decided = name;
    }
}
