using System.Globalization;
using System.Text;

namespace Pristine.Pages;

/// <summary>A picture of some numbers; in HTML only.</summary>
internal abstract record PageChart
{
    /// <summary>What it shows, for those who cannot see it.</summary>
    public abstract string Title { get; }

    /// <summary>Writes it as SVG.</summary>
    public abstract void AppendTo(StringBuilder html);

    /// <summary>The opening tag of a picture of this size.</summary>
    protected void Open(StringBuilder html, int width, int height)
    {
        html.Append(
            CultureInfo.InvariantCulture,
            $"<svg role=\"img\" aria-label=\"{HtmlPage.Escape(Title)}\" width=\"{width}\" height=\"{height}\" ");
        html.Append(CultureInfo.InvariantCulture, $"viewBox=\"0 0 {width} {height}\">\n");
    }
}

/// <summary>A value and the ends of its interval, NaN where there is none.</summary>
internal readonly record struct ChartValue(double Value, double Low, double High);
