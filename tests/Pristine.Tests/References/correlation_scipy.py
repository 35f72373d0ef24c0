"""Writes correlation_scipy.json, the values that CorrelationTests and LogisticCurveTests expect.

    /usr/bin/python3 correlation_scipy.py > correlation_scipy.json     (Debian 12: python3-scipy)
"""
import json
import math
import platform
import random

import numpy
import scipy
from scipy import optimize, stats

random.seed(20240601)


def gauss(n):
    return [random.gauss(0, 1) for _ in range(n)]


def case(name, x, y):
    x, y = [float(v) for v in x], [float(v) for v in y]
    return {
        "name": name, "x": x, "y": y,
        "pearson": float(stats.pearsonr(x, y)[0]),
        "spearman": float(stats.spearmanr(x, y)[0]),
        "kendall": float(stats.kendalltau(x, y, variant="b")[0]),
        "ranks": [float(v) for v in stats.rankdata(x)],
    }


def related(n, noise):
    x = gauss(n)
    return x, [v + noise * random.gauss(0, 1) for v in x]


cases = [
    case("two pairs", [1, 2], [5, 3]),
    case("three pairs", [0.1, 0.2, 0.15], [3, 9, 1]),
    case("ascending", range(10), [v ** 3 for v in range(10)]),
    case("descending", range(10), [-math.exp(v) for v in range(10)]),
    case("unrelated", gauss(101), gauss(101)),
    case("related", *related(200, 0.7)),
    case("ties in x", [v % 7 for v in range(60)], gauss(60)),
    case("ties in y", gauss(60), [random.randrange(5) for _ in range(60)]),
    case("ties in both", [random.randrange(6) for _ in range(150)], [random.randrange(5) for _ in range(150)]),
    case("one value but for one", [3] * 20 + [4], [random.randrange(3) for _ in range(21)]),
    case("half steps, as opinions", [round(2 * v) / 2 for v in gauss(120)], [round(4 * v) / 4 for v in gauss(120)]),
    case("far from zero", [1e6 + v for v in gauss(80)], [1e-3 * v - 5 for v in gauss(80)]),
    case("negative zero", [0.0, -0.0, 1.0, 2.0, 0.0], [1.0, 2.0, 3.0, 4.0, 4.0]),
]


def logistic(x, b1, b2, b3, b4):
    return b2 + (b1 - b2) / (1 + numpy.exp(-(x - b3) / abs(b4)))


def fit(name, x, truth, noise):
    x = numpy.array(x)
    y = logistic(x, *truth) + noise * numpy.array(gauss(len(x)))
    found, _ = optimize.curve_fit(logistic, x, y, p0=truth, ftol=1e-15, xtol=1e-15, gtol=1e-15, maxfev=100000)
    fitted = logistic(x, *found)
    return {
        "name": name, "x": x.tolist(), "y": y.tolist(),
        "b": [float(v) for v in found[:3]] + [abs(float(found[3]))],
        "plcc": float(stats.pearsonr(fitted, y)[0]),
        "rmse": float(math.sqrt(numpy.mean((fitted - y) ** 2))),
    }


fits = [
    fit("rising", [random.uniform(0, 100) for _ in range(120)], (80, 20, 45, 12), 4),
    fit("falling", [random.uniform(-3, 3) for _ in range(150)], (1.2, 4.6, 0.4, 0.6), 0.3),
    fit("steep", [random.uniform(0, 1) for _ in range(90)], (9, 0, 0.62, 0.03), 0.5),
    fit("wide", [random.gauss(30, 8) for _ in range(200)], (5, 1, 35, 9), 0.2),
]


def auc(name, values, positive):
    u = stats.mannwhitneyu([v for v, p in zip(values, positive) if p], [v for v, p in zip(values, positive) if not p])[0]
    return {"name": name, "values": [float(v) for v in values], "positive": positive, "auc": float(u) / (sum(positive) * (len(positive) - sum(positive)))}


areas = [
    auc("continuous", gauss(70), [random.random() < 0.3 for _ in range(70)]),
    auc("ties", [random.randrange(4) for _ in range(90)], [random.random() < 0.5 for _ in range(90)]),
]

print(json.dumps({
    "tool": f"scipy {scipy.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}",
    "command": "/usr/bin/python3 correlation_scipy.py > correlation_scipy.json",
    "correlations": cases, "logistic": fits, "auc": areas,
}, indent=None, separators=(",", ":")))
