using System.Globalization;
using System.Text;

namespace Pristine.Pages;

/// <summary>Values with their confidence intervals on one axis.</summary>
/// <param name="Axis">What the values are.</param>
/// <param name="Low">Left end of the axis.</param>
/// <param name="High">Right end of the axis.</param>
/// <param name="Marks">A label and a value per line; a NaN has no mark.</param>
internal sealed record IntervalChart(string Axis, double Low, double High, IReadOnlyList<(string Label, ChartValue Value)> Marks)
    : PageChart
{
    private const int LabelWidth = 180, PlotWidth = 480, LineHeight = 24, Margin = 12;

    public override string Title => Axis;

    public override void AppendTo(StringBuilder html)
    {
        // Long labels get room; a character is at most about 7.5 pixels wide.
        var labels = Math.Max(LabelWidth, (int)(7.5 * Marks.Max(mark => mark.Label.Length)) + Margin);
        var axis = Marks.Count * LineHeight + Margin / 2;
        Open(html, labels + PlotWidth + 2 * Margin, (Marks.Count + 1) * LineHeight + Margin);
        for (var tick = 0; tick <= 4; tick++)
        {
            var value = Low + tick * (High - Low) / 4;
            var isZero = Low < 0 && Math.Abs(value) < 1e-9;
            html.Append(
                CultureInfo.InvariantCulture,
                $"<line x1=\"{X(value):F1}\" y1=\"0\" x2=\"{X(value):F1}\" y2=\"{axis}\" class=\"{(isZero ? "zero" : "grid")}\"/>");
            html.Append(
                CultureInfo.InvariantCulture, $"<text x=\"{X(value):F1}\" y=\"{axis + 16}\" text-anchor=\"middle\">{value:0.##}</text>\n");
        }
        for (var i = 0; i < Marks.Count; i++)
        {
            var (label, mark) = Marks[i];
            var y = i * LineHeight + LineHeight / 2;
            html.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{labels - Margin}\" y=\"{y + 4}\" text-anchor=\"end\">{HtmlPage.Escape(label)}</text>");
            if (!double.IsNaN(mark.Value))
            {
                if (!double.IsNaN(mark.Low))
                    html.Append(
                        CultureInfo.InvariantCulture,
                        $"<line x1=\"{X(mark.Low):F1}\" y1=\"{y}\" x2=\"{X(mark.High):F1}\" y2=\"{y}\" class=\"series s1\"/>");
                html.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(mark.Value):F1}\" cy=\"{y}\" r=\"5\" class=\"mark s1\"/>");
            }
            html.Append('\n');
        }
        html.Append("</svg>\n");

        double X(double value) => labels + PlotWidth * Math.Clamp((value - Low) / (High - Low), 0, 1);
    }
}
