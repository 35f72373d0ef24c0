"""Writes logistic_scipy.json, the values that MultinomialLogisticRegressionTests expects.

    /usr/bin/python3 logistic_scipy.py > logistic_scipy.json     (Debian 12: python3-scipy)

Minimises mean(-ln p) + penalty / 2 * sum(w^2) over weights and intercepts, features standardised, by scipy's BFGS, then by
Newton's method with the exact Hessian, until no element of the gradient is above 1e-12. Intercepts are determined up to a common number;
the mean of those for standardised features is made 0.
"""
import json
import platform

import numpy
import scipy
from scipy import optimize, special


def case(name, seed, rows, features, classes, penalty, scale=1.0, separable=False, missing=None):
    random = numpy.random.default_rng(seed)
    labels = random.integers(classes, size=rows)
    if missing is not None:
        labels[labels == missing] = (missing + 1) % classes
    centres = random.normal(size=(classes, features)) * (6 if separable else 0.7)
    # Stored as float32, which is what the program takes.
    x = ((centres[labels] + random.normal(size=(rows, features))) * scale * (1 + numpy.arange(features)) + 3).astype(numpy.float32)
    present = numpy.unique(labels)
    y = numpy.searchsorted(present, labels)
    k, d = len(present), features
    wide = x.astype(numpy.float64)
    means, deviations = wide.mean(0), wide.std(0)
    z = numpy.hstack([(wide - means) / deviations, numpy.ones((rows, 1))])
    target = numpy.eye(k)[y]
    weight = penalty * numpy.tile(numpy.append(numpy.ones(d), 0), k)

    def value(p):
        scores = z @ p.reshape(k, d + 1).T
        return float(numpy.mean(special.logsumexp(scores, axis=1) - scores[numpy.arange(rows), y]) + (weight * p * p).sum() / 2)

    def gradient(p):
        scores = z @ p.reshape(k, d + 1).T
        return ((special.softmax(scores, axis=1) - target).T @ z / rows).ravel() + weight * p

    def hessian(p):
        s = special.softmax(z @ p.reshape(k, d + 1).T, axis=1)
        blocks = [[(z * ((s[:, a] * ((a == b) - s[:, b])) / rows)[:, None]).T @ z for b in range(k)] for a in range(k)]
        return numpy.block(blocks) + numpy.diag(weight)

    found = optimize.minimize(value, numpy.zeros(k * (d + 1)), jac=gradient, method="BFGS", options={"gtol": 1e-7, "maxiter": 5000})
    p = found.x
    # BFGS compares values and so stops at the root of their precision; a Newton step does not.
    for _ in range(4):
        p = p - numpy.linalg.lstsq(hessian(p), gradient(p), rcond=1e-12)[0]
    residue = float(numpy.abs(gradient(p)).max())
    assert residue < 1e-12, (name, residue)
    p = p.reshape(k, d + 1)
    p[:, d] -= p[:, d].mean()
    return {
        "name": name, "classes": classes, "penalty": penalty, "features": x.astype(float).tolist(), "labels": labels.tolist(), "present": present.tolist(),
        "objective": value(p.ravel()), "weights": p[:, :d].tolist(), "intercepts": p[:, d].tolist(),
        "probabilities": special.softmax(z[:5] @ p.T, axis=1).tolist(),
    }


print(json.dumps({
    "tool": f"scipy {scipy.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}",
    "command": "/usr/bin/python3 logistic_scipy.py > logistic_scipy.json",
    "cases": [
        case("three classes", 1, 60, 4, 3, 0.05),
        case("two classes, weak penalty", 2, 80, 3, 2, 1e-3),
        case("more features than rows", 3, 12, 20, 4, 0.3),
        case("separable", 4, 40, 5, 3, 1e-3, separable=True),
        case("strong penalty", 5, 50, 6, 5, 20),
        case("large and small features", 6, 70, 5, 3, 0.02, scale=1000),
        case("a class without rows", 7, 45, 4, 4, 0.1, missing=1),
    ],
}, separators=(",", ":")))
