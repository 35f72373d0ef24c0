"""Multinomial logistic regression by scikit-learn's lbfgs, as a peer of the linear probe.

  logistic_sklearn.py make FILE      writes 3,000 rows of 2,048 features like those of a network (not negative, sparse), 10 classes
  logistic_sklearn.py fit FILE       standardises, fits nine penalties, prints objective, iterations and CPU time

Needs Debian's python3-sklearn. One thread: OPENBLAS_NUM_THREADS=1. The objective is the probe's: mean log loss + penalty/2 |W|^2.
"""
import sys
import time

import numpy

if sys.argv[1] == "make":
    random = numpy.random.default_rng(20261126)
    n, features, classes = 3000, 2048, 10
    labels = random.integers(classes, size=n).astype("<i4")
    basis = random.normal(size=(64, features))
    latent = random.normal(size=(n, 64)) + 0.35 * random.normal(size=(classes, 64))[labels]
    x = numpy.maximum(latent @ basis / 8 + 0.5 * random.normal(size=(n, features)), 0).astype("<f4")
    with open(sys.argv[2], "wb") as file:
        file.write(numpy.array([n, features, classes], "<i4").tobytes() + labels.tobytes() + x.tobytes())
    sys.exit()

import sklearn
from sklearn.linear_model import LogisticRegression

data = open(sys.argv[2], "rb").read()
n, features, classes = numpy.frombuffer(data, "<i4", 3)
labels = numpy.frombuffer(data, "<i4", n, 12)
x = numpy.frombuffer(data, "<f4", n * features, 12 + 4 * n).reshape(n, features).astype("f8")
start = time.process_time()
deviation = x.std(axis=0)
z = (x - x.mean(axis=0)) / numpy.where(deviation > 0, deviation, 1)
model = LogisticRegression(multi_class="multinomial", solver="lbfgs", warm_start=True, max_iter=200, tol=1e-4)
lines, iterations = [], 0
for step in range(9):
    penalty = 10 ** (1 - step / 2)
    # scikit-learn minimises the sum of log losses times C plus |W|^2 / 2.
    model.set_params(C=1 / (n * penalty)).fit(z, labels)
    iterations += int(model.n_iter_.max())
    log_probabilities = model.predict_log_proba(z)
    objective = -log_probabilities[numpy.arange(n), labels].mean() + penalty / 2 * (model.coef_ ** 2).sum()
    lines.append("penalty %.4g: objective %.6f, %d iterations" % (penalty, objective, model.n_iter_.max()))
seconds = time.process_time() - start
print("\n".join(lines))
print("scikit-learn %s: %.2f CPU s for 9 penalties, %d iterations" % (sklearn.__version__, seconds, iterations))
