using System.Globalization;
using System.Text;

namespace Pristine.Pages;

/// <summary>A line of a <see cref="LineChart"/>.</summary>
/// <param name="Label">What it is.</param>
/// <param name="IsControl">Drawn in grey and dashed, for what others are compared with.</param>
/// <param name="Points">Places and values with their intervals; a NaN has no mark.</param>
internal sealed record ChartLine(string Label, bool IsControl, IReadOnlyList<(double X, ChartValue Y)> Points);

/// <summary>Values with their confidence intervals over another number; large numbers stand on the left.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="XAxis">What lies along the horizontal axis, with its unit.</param>
/// <param name="YAxis">What lies along the vertical axis, with its unit.</param>
/// <param name="Lines">The lines.</param>
/// <param name="Reference">A level that is drawn across; null for none.</param>
internal sealed record LineChart(
    string Title, string XAxis, string YAxis, IReadOnlyList<ChartLine> Lines, (string Label, double Value)? Reference) : PageChart
{
    private const int Left = 64, Top = 12, PlotWidth = 560, PlotHeight = 300, Below = 48, Legend = 230, LineHeight = 20;

    /// <summary>Colours of the style: s1, s2 and so on.</summary>
    private const int Colors = 8;

    public override string Title { get; } = Title;

    public override void AppendTo(StringBuilder html)
    {
        var values = Lines.SelectMany(line => line.Points).SelectMany(point => new[] { point.Y.Value, point.Y.Low, point.Y.High })
            .Append(Reference?.Value ?? double.NaN).Where(double.IsFinite).DefaultIfEmpty(0).ToArray();
        var step = Step(values.Max() - values.Min());
        var (low, high) = (Math.Floor(values.Min() / step) * step, Math.Ceiling(values.Max() / step) * step);
        if (high <= low)
            high = low + step;
        var places = Lines.SelectMany(line => line.Points).Select(point => point.X).Distinct().OrderDescending().ToArray();
        var (first, last) = (places.Max(), places.Min() == places.Max() ? places.Min() - 1 : places.Min());
        Open(html, Left + PlotWidth + Legend, Math.Max(Top + PlotHeight + Below, Top + (Lines.Count + 1) * LineHeight));
        for (var value = low; value <= high + step / 2; value += step)
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<line x1=\"{Left}\" y1=\"{Y(value):F1}\" x2=\"{Left + PlotWidth}\" y2=\"{Y(value):F1}\" class=\"grid\"/>");
            html.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{Left - 8}\" y=\"{Y(value) + 4:F1}\" text-anchor=\"end\">{Math.Round(value, 6):0.###}</text>\n");
        }
        // Places that lie close together share a number.
        var written = double.NegativeInfinity;
        foreach (var place in places.Where(place => X(place) - written > 36 && (written = X(place)) > double.NegativeInfinity))
            html.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{X(place):F1}\" y=\"{Top + PlotHeight + 18}\" text-anchor=\"middle\">{place:0.#}</text>");
        html.Append(
            CultureInfo.InvariantCulture,
            $"<text x=\"{Left + PlotWidth / 2}\" y=\"{Top + PlotHeight + 40}\" text-anchor=\"middle\">{HtmlPage.Escape(XAxis)}</text>");
        html.Append(
            CultureInfo.InvariantCulture,
            $"<text transform=\"translate(14 {Top + PlotHeight / 2}) rotate(-90)\" text-anchor=\"middle\">{HtmlPage.Escape(YAxis)}</text>\n");
        var legend = Top + LineHeight / 2;
        if (Reference is { } reference && double.IsFinite(reference.Value))
        {
            html.Append(
                CultureInfo.InvariantCulture,
                $"<line x1=\"{Left}\" y1=\"{Y(reference.Value):F1}\" x2=\"{Left + PlotWidth}\" y2=\"{Y(reference.Value):F1}\" " +
                $"class=\"reference\"/>\n");
            AppendLegend(reference.Label, "reference");
        }
        var color = 0;
        for (var i = 0; i < Lines.Count; i++)
        {
            var line = Lines[i];
            var style = line.IsControl ? "series control" : string.Create(CultureInfo.InvariantCulture, $"series s{color++ % Colors + 1}");
            // Side by side, so that intervals at the same place can be told apart.
            var shift = (i - (Lines.Count - 1) / 2.0) * 5;
            var points = line.Points.Where(point => double.IsFinite(point.Y.Value)).OrderByDescending(point => point.X).ToArray();
            html.Append(CultureInfo.InvariantCulture, $"<g class=\"{style}\"><polyline points=\"");
            html.AppendJoin(' ', points.Select(
                point => string.Create(CultureInfo.InvariantCulture, $"{X(point.X) + shift:F1},{Y(point.Y.Value):F1}"))).Append("\"/>");
            foreach (var (x, y) in points)
            {
                if (double.IsFinite(y.Low))
                    html.Append(
                        CultureInfo.InvariantCulture,
                        $"<line x1=\"{X(x) + shift:F1}\" y1=\"{Y(y.Low):F1}\" x2=\"{X(x) + shift:F1}\" y2=\"{Y(y.High):F1}\" " +
                        $"class=\"range\"/>");
                html.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(x) + shift:F1}\" cy=\"{Y(y.Value):F1}\" r=\"4\"/>");
            }
            html.Append("</g>\n");
            AppendLegend(line.Label, style);
        }
        html.Append("</svg>\n");

        double X(double value) => Left + 24 + (PlotWidth - 48) * (first - value) / (first - last);
        double Y(double value) => Top + PlotHeight * (1 - (value - low) / (high - low));

        void AppendLegend(string label, string style)
        {
            var x = Left + PlotWidth + 16;
            html.Append(
                CultureInfo.InvariantCulture, $"<line x1=\"{x}\" y1=\"{legend}\" x2=\"{x + 24}\" y2=\"{legend}\" class=\"{style}\"/>");
            html.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + 32}\" y=\"{legend + 4}\">{HtmlPage.Escape(label)}</text>\n");
            legend += LineHeight;
        }
    }

    /// <summary>A round step that divides a range into four to ten.</summary>
    private static double Step(double range)
    {
        if (!(range > 0))
            return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(range / 4)));
        return new[] { 1, 2, 5, 10 }.Select(factor => factor * power).Last(step => step <= range / 4 * 1.0000001);
    }
}
