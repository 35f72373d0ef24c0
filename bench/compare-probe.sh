#!/usr/bin/env bash
# CPU time of the linear probe's logistic regressions against scikit-learn's lbfgs, one thread each, alternately, and their objectives.
#
#   bench/compare-probe.sh [ROUNDS]        needs Debian's python3-sklearn and libopenblas0-pthread
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
/usr/bin/python3 "$root/bench/peers/logistic_sklearn.py" make "$work/data"
lscpu | grep 'Model name'
for _ in $(seq "${1:-3}"); do
    DOTNET_PROCESSOR_COUNT=1 dotnet run -c Release "$root/bench/probe.cs" -- "$work/data"
    OPENBLAS_NUM_THREADS=1 /usr/bin/python3 "$root/bench/peers/logistic_sklearn.py" fit "$work/data"
done
