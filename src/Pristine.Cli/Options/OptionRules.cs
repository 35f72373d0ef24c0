using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Pristine.Cli.Options;

/// <summary>
/// What values options and arguments take. Each rule says expected and found; it looks at what was typed, never at a default.
/// </summary>
internal static class OptionRules
{
    /// <summary>A whole number from <paramref name="least"/> on.</summary>
    public static Option<T> AtLeast<T>(this Option<T> option, long least) => option.Between(least, long.MaxValue);

    /// <summary>A whole number between two ends.</summary>
    public static Option<T> Between<T>(this Option<T> option, long least, long most)
    {
        var expected = most == long.MaxValue ? $"at least {least}" : $"{least} to {most}";
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (long.TryParse(token.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    && (number < least || number > most))
                    result.AddError($"{option.Name}: expected {expected}; found {token.Value}.");
        });
        return option;
    }

    /// <summary>A number for which something holds.</summary>
    /// <param name="option">The option.</param>
    /// <param name="expected">What is expected: <c>a number above 0</c>.</param>
    /// <param name="holds">Whether a number is so.</param>
    public static Option<T> Number<T>(this Option<T> option, string expected, Func<double, bool> holds)
    {
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && !holds(number))
                    result.AddError($"{option.Name}: expected {expected}; found {token.Value}.");
        });
        return option;
    }

    /// <summary>One of a few words; the help shows them as the value.</summary>
    public static Option<T> OneOf<T>(this Option<T> option, params string[] words)
    {
        option.HelpName ??= string.Join('|', words);
        option.CompletionSources.Add(_ => words.Select(word => new CompletionItem(word)));
        option.Validators.Add(result => Check(result, option.Name, words));
        return option;
    }

    /// <summary>Names from a list, which the help does not show.</summary>
    public static Argument<T> OneOf<T>(this Argument<T> argument, IReadOnlyList<string> names, string listedBy) =>
        argument.OneOf(() => names, listedBy);

    /// <summary>Names from a list that is made when one was given.</summary>
    public static Argument<T> OneOf<T>(this Argument<T> argument, Func<IReadOnlyList<string>> list, string listedBy)
    {
        argument.CompletionSources.Add(_ => list().Select(name => new CompletionItem(name)));
        argument.Validators.Add(result =>
        {
            var names = list();
            foreach (var token in result.Tokens.Where(token => !names.Contains(token.Value)))
                result.AddError(
                    $"There is no {argument.Name.ToLowerInvariant()} '{token.Value}'.{NearestNames.Question(token.Value, names)} " +
                    $"'{listedBy}' shows them all.");
        });
        return argument;
    }

    /// <summary>
    /// What holds for every command: no empty texts, save where an id may be one; and no comma in a number, where the parser would read
    /// <c>0,5</c> as 5.
    /// </summary>
    public static void ApplyTo(Command command)
    {
        foreach (var argument in command.Arguments.Where(argument => argument.Name != "ID"))
            argument.Validators.Add(result => RefuseEmpty(result, argument.HelpName ?? argument.Name));
        foreach (var option in command.Options.Where(option => option.HelpName != "ID"))
            option.Validators.Add(result => RefuseEmpty(result, option.Name));
        foreach (var option in command.Options.Where(option => option.ValueType == typeof(double) || option.ValueType == typeof(double?)))
            option.Validators.Add(result => RefuseCommas(result, option.Name));
        foreach (var subcommand in command.Subcommands)
            ApplyTo(subcommand);
    }

    private static void RefuseCommas(OptionResult result, string name)
    {
        foreach (var token in result.Tokens.Where(token => token.Value.Contains(',', StringComparison.Ordinal)))
            result.AddError($"{name}: expected a number with a point; found '{token.Value}'. Write {token.Value.Replace(',', '.')}.");
    }

    private static void RefuseEmpty(SymbolResult result, string name)
    {
        if (result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value)))
            result.AddError($"{name}: expected a text; found an empty one.");
    }

    private static void Check(OptionResult result, string name, string[] words)
    {
        foreach (var token in result.Tokens.Where(token => !words.Contains(token.Value)))
        {
            var list = words.Length == 1 ? words[0] : $"{string.Join(", ", words[..^1])} or {words[^1]}";
            result.AddError($"{name}: expected {list}; found '{token.Value}'.{NearestNames.Question(token.Value, words)}");
        }
    }
}
