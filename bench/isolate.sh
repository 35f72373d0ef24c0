#!/usr/bin/env bash
# What --isolate costs: processor time (user and system, with the children's) of the same run with and without it, in turn, and whether the rows
# are the same bytes.
# usage: bench/isolate.sh FOLDER [ROUNDS] [METRICS]      PRISTINE=path/to/pristine for another build than the one in the checkout
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1 rounds=${2:-5} metrics=${3:-brisque}
pristine=${PRISTINE:-dotnet src/Pristine.Cli/bin/Release/net10.0/Pristine.Cli.dll}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'
run() { { time $pristine score "$folder" --metrics "$metrics" --format jsonl "${@:2}" > "$work/$1.jsonl" 2> /dev/null; } 2>> "$work/$1.times"; }
for ((round = 0; round < rounds; round++)); do
  run plain
  run isolated --isolate
  cmp "$work/plain.jsonl" "$work/isolated.jsonl"
done
python3 - "$work" << 'END'
import statistics, sys
rows = {name: [sum(map(float, line.split())) for line in open(f"{sys.argv[1]}/{name}.times")] for name in ("plain", "isolated")}
user = {name: [float(line.split()[0]) for line in open(f"{sys.argv[1]}/{name}.times")] for name in ("plain", "isolated")}
for name, of in (("user", user), ("user and system", rows)):
    ratios = sorted(b / a for a, b in zip(of["plain"], of["isolated"]))
    print(f"{name}: {statistics.median(of['plain']):.2f} s without, {statistics.median(of['isolated']):.2f} s with --isolate; "
          f"paired ratio: median {statistics.median(ratios):.3f}, {ratios[0]:.3f} to {ratios[-1]:.3f}")
END
