"""Writes paired_test_scipy.json, the values that PairedTestTests expects.

    /usr/bin/python3 paired_test_scipy.py > paired_test_scipy.json     (Debian 12: python3-scipy)
"""
import json
import platform
import random

import numpy
import scipy
from scipy import stats

random.seed(20261126)
cases = []
for count, shift, noise in [(2, 0.1, 0.2), (3, 0.0, 1.0), (5, 0.01, 0.004), (5, -0.02, 0.03), (10, 0.002, 0.01), (20, 0.5, 0.1), (40, -0.001, 0.02)]:
    first = [random.random() for _ in range(count)]
    second = [value - shift + random.gauss(0, noise) for value in first]
    differences = numpy.subtract(first, second)
    interval = stats.t.interval(0.95, count - 1, loc=differences.mean(), scale=stats.sem(differences))
    cases.append({
        "differences": differences.tolist(),
        "p": float(stats.ttest_rel(first, second).pvalue),
        "mean": float(differences.mean()), "low": float(interval[0]), "high": float(interval[1]),
    })

print(json.dumps({
    "tool": f"scipy {scipy.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}",
    "command": "/usr/bin/python3 paired_test_scipy.py > paired_test_scipy.json",
    "cases": cases,
}, separators=(",", ":")))
