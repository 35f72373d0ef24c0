using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pristine.Reports;

namespace Pristine.Tests.Reports;

public sealed partial class ReportPageTests
{
    private const string Hostile = "</script><script>alert(1)</script><!-- \" ' & \u2028 </style> --> 猫";

    private static string Page()
    {
        using var output = new MemoryStream();
        ReportPage.Write(output, json =>
        {
            json.WriteStartObject();
            json.WriteString("text", Hostile);
            json.WriteEndObject();
        });
        return Encoding.UTF8.GetString(output.ToArray());
    }

    [Fact]
    public void Texts_of_the_data_cannot_leave_their_script_element()
    {
        var data = Data().Match(Page()).Groups[1].Value;
        Assert.DoesNotContain("<", data, StringComparison.Ordinal);
        Assert.DoesNotContain("&", data, StringComparison.Ordinal);
        Assert.Contains("猫", data, StringComparison.Ordinal);
        Assert.Equal(Hostile, JsonDocument.Parse(data).RootElement.GetProperty("text").GetString());
    }

    [Fact]
    public void The_policy_allows_exactly_the_style_and_script_of_the_page()
    {
        var page = Page();
        static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var policy = Policy().Match(page).Groups[1].Value;
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.Contains($"script-src '{Hash(Assert.Single(Script().Matches(page)).Groups[1].Value)}';", policy, StringComparison.Ordinal);
        Assert.Contains($"style-src '{Hash(Assert.Single(Style().Matches(page)).Groups[1].Value)}';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.True(page.IndexOf("Content-Security-Policy", StringComparison.Ordinal) < page.IndexOf(
            "<style>", StringComparison.Ordinal), "A policy holds for what follows it.");
    }

    [Fact]
    public void The_page_asks_for_nothing_outside_itself()
    {
        var page = Page().Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
        Assert.DoesNotMatch(@"https?:|\b(?:src|href)=|@import|url\((?!#)", page);
        Assert.DoesNotMatch(@"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", page);
        Assert.DoesNotContain("\r", page, StringComparison.Ordinal);
    }

    [GeneratedRegex("""<script type="application/json" id="data">(.*?)</script>""", RegexOptions.Singleline)]
    private static partial Regex Data();

    [GeneratedRegex("""http-equiv="Content-Security-Policy" content="([^"]*)">""")]
    private static partial Regex Policy();

    [GeneratedRegex("<script>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Script();

    [GeneratedRegex("<style>(.*?)</style>", RegexOptions.Singleline)]
    private static partial Regex Style();
}
