namespace Pristine.Experiments;

/// <summary>
/// The four-parameter logistic curve of VQEG that turns a metric's score into an opinion score before the two are compared:
/// Q(x) = b2 + (b1 - b2) / (1 + exp(-(x - b3) / |b4|)). From: Final report from the Video Quality Experts Group on the validation of
/// objective models of video quality assessment, phase I, 2000, as used by ITU-T Tutorial "Objective perceptual assessment" (2004).
/// </summary>
/// <param name="Upper">b1: the value far above the centre, in the opinion's unit; below b2 for a falling curve.</param>
/// <param name="Lower">b2: the value far below the centre, in the opinion's unit.</param>
/// <param name="Centre">b3: where the curve is half way, in the score's unit.</param>
/// <param name="Width">b4: the curve's width, in the score's unit; positive.</param>
public readonly record struct LogisticCurve(double Upper, double Lower, double Centre, double Width)
{
    // In standard deviations of x. Wider than this the curve is a straight line over the data, narrower a step.
    private const double WidestWidth = 100, NarrowestWidth = 0.01, FarthestCentre = 20;

    /// <summary>The opinion score that belongs to a metric's score.</summary>
    /// <param name="score">A finite number.</param>
    public double Evaluate(double score) => Lower + (Upper - Lower) * Sigmoid((score - Centre) / Width);

    /// <summary>Fits the curve by least squares.</summary>
    /// <param name="scores">The metric's scores; finite.</param>
    /// <param name="opinions">As many opinion scores; finite.</param>
    /// <returns>The curve; a constant one, the mean opinion, when all scores or all opinions are equal.</returns>
    /// <exception cref="ArgumentException">The lengths differ, a list is empty, or a number is not finite.</exception>
    public static LogisticCurve Fit(ReadOnlySpan<double> scores, ReadOnlySpan<double> opinions) => Fit(scores, opinions, null);

    /// <summary>As <see cref="Fit(ReadOnlySpan{double}, ReadOnlySpan{double})"/>, beginning at a curve that is known to be near.</summary>
    internal static LogisticCurve Fit(ReadOnlySpan<double> scores, ReadOnlySpan<double> opinions, LogisticCurve? near)
    {
        if (scores.IsEmpty)
            throw new ArgumentException("Expected at least one pair of numbers; found none.", nameof(scores));
        var search = new CurveSearch(scores, opinions);
        return search.Run(near);
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>
    /// Given centre and width, the best b1 and b2 follow from a linear regression, and the squared error falls as the correlation between
    /// sigmoid and opinions rises. So only two parameters are searched, by Nelder and Mead's simplex (DOI 10.1093/comjnl/7.4.308), with x
    /// standardised and the width's logarithm.
    /// </summary>
    private readonly ref struct CurveSearch
    {
        // The correlation is flat at its maximum: a parameter that is off by 1e-7 changes it by about 1e-14.
        private const double Tolerance = 1e-7;
        private const int MostSteps = 500;
        private readonly ReadOnlySpan<double> _opinions;
        private readonly double[] _x;
        private readonly double[] _sigmoid;
        private readonly double _mean;
        private readonly double _deviation;

        public CurveSearch(ReadOnlySpan<double> scores, ReadOnlySpan<double> opinions)
        {
            _opinions = opinions;
            _x = scores.ToArray();
            _sigmoid = new double[_x.Length];
            _mean = _x.Average();
            var mean = _mean;
            _deviation = Math.Sqrt(_x.Average(x => (x - mean) * (x - mean)));
            for (var i = 0; i < _x.Length; i++)
                _x[i] = (_x[i] - _mean) / _deviation;
        }

        private readonly record struct Point(double Centre, double LogWidth)
        {
            public static Point operator +(Point a, Point b) => new(a.Centre + b.Centre, a.LogWidth + b.LogWidth);

            public static Point operator -(Point a, Point b) => new(a.Centre - b.Centre, a.LogWidth - b.LogWidth);

            public static Point operator *(double factor, Point a) => new(factor * a.Centre, factor * a.LogWidth);
        }

        public LogisticCurve Run(LogisticCurve? near)
        {
            if (!(_deviation > 0) || double.IsNaN(Correlation.Pearson(_x, _opinions)))
                return Constant();
            Point start;
            if (near is { } known)
                start = new Point((known.Centre - _mean) / _deviation, Math.Log(known.Width / _deviation));
            else
            {
                start = default;
                foreach (var centre in (ReadOnlySpan<double>)[-1, 0, 1])
                    foreach (var width in (ReadOnlySpan<double>)[0.2, 1, 5])
                        if (Fault(new Point(centre, Math.Log(width))) < Fault(start))
                            start = new Point(centre, Math.Log(width));
            }
            return CurveAt(Minimise(start, near == null ? 0.5 : 0.1));
        }

        /// <summary>1 - r^2 of sigmoid and opinions: proportional to the squared error of the best curve.</summary>
        private double Fault(Point point)
        {
            FillSigmoid(point);
            var correlation = Correlation.Pearson(_sigmoid, _opinions);
            return double.IsNaN(correlation) ? 1 : 1 - correlation * correlation;
        }

        private (double Centre, double Width) FillSigmoid(Point point)
        {
            var centre = Math.Clamp(point.Centre, -FarthestCentre, FarthestCentre);
            var width = Math.Clamp(Math.Exp(point.LogWidth), NarrowestWidth, WidestWidth);
            for (var i = 0; i < _x.Length; i++)
                _sigmoid[i] = Sigmoid((_x[i] - centre) / width);
            return (centre, width);
        }

        private LogisticCurve CurveAt(Point point)
        {
            var (centre, width) = FillSigmoid(point);
            double meanSigmoid = _sigmoid.Average(), meanOpinion = 0;
            foreach (var opinion in _opinions)
                meanOpinion += opinion / _opinions.Length;
            double product = 0, square = 0;
            for (var i = 0; i < _sigmoid.Length; i++)
            {
                product += (_sigmoid[i] - meanSigmoid) * (_opinions[i] - meanOpinion);
                square += (_sigmoid[i] - meanSigmoid) * (_sigmoid[i] - meanSigmoid);
            }
            if (!(square > 0))
                return Constant();
            var height = product / square;
            var lower = meanOpinion - height * meanSigmoid;
            return new LogisticCurve(lower + height, lower, _mean + centre * _deviation, width * _deviation);
        }

        private LogisticCurve Constant()
        {
            var mean = _opinions.ToArray().Average();
            return new LogisticCurve(mean, mean, _mean, 1);
        }

        private Point Minimise(Point start, double size)
        {
            var simplex = new (Point Point, double Fault)[3];
            simplex[0] = Try(start);
            simplex[1] = Try(start + new Point(size, 0));
            simplex[2] = Try(start + new Point(0, size));
            for (var step = 0; step < MostSteps; step++)
            {
                Array.Sort(simplex, (a, b) => a.Fault.CompareTo(b.Fault));
                var (best, middle, worst) = (simplex[0], simplex[1], simplex[2]);
                if (Distance(best.Point, middle.Point) + Distance(best.Point, worst.Point) < Tolerance)
                    break;
                var centroid = 0.5 * (best.Point + middle.Point);
                var reflected = Try(centroid + (centroid - worst.Point));
                if (reflected.Fault < best.Fault)
                {
                    var expanded = Try(centroid + 2 * (centroid - worst.Point));
                    simplex[2] = expanded.Fault < reflected.Fault ? expanded : reflected;
                }
                else if (reflected.Fault < middle.Fault)
                    simplex[2] = reflected;
                else
                {
                    var outer = reflected.Fault < worst.Fault ? reflected : worst;
                    var contracted = Try(centroid + 0.5 * (outer.Point - centroid));
                    if (contracted.Fault < outer.Fault)
                        simplex[2] = contracted;
                    else
                    {
                        simplex[1] = Try(0.5 * (best.Point + middle.Point));
                        simplex[2] = Try(0.5 * (best.Point + worst.Point));
                    }
                }
            }
            return simplex.MinBy(corner => corner.Fault).Point;
        }

        private (Point Point, double Fault) Try(Point point) => (point, Fault(point));

        private static double Distance(Point a, Point b) => Math.Abs(a.Centre - b.Centre) + Math.Abs(a.LogWidth - b.LogWidth);
    }
}
