#!/usr/bin/env bash
# Selects from a synthetic table of 10 million rows: two rules and a range of percentiles. Prints wall time and peak memory of each run.
# Usage: bench/select-10m.sh [ROWS] [FOLDER]; needs a Release build and GNU time. The table is kept if FOLDER is named.
set -euo pipefail
rows=${1:-10000000}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
table=${2:-$work/table}
pristine=(dotnet "$root/src/Pristine.Cli/bin/Release/net10.0/Pristine.Cli.dll")
[ -f "$table/scores.json" ] || dotnet run -c Release "$root/bench/make-table.cs" -- "$table" "$rows"
du -sh "$table" | cut -f 1
measure() { /usr/bin/time -f '%e s wall, %U s user, %M KiB peak memory' "${pristine[@]}" select "$table" "$@"; }
rules=(--keep "brisque <= 60" --keep "width >= 600 and sharpness > 50")
echo "two rules and a range of percentiles"
measure "${rules[@]}" --keep-between p5..p95 --by brisque --workers 2
echo "two rules and the best 80 %"
measure "${rules[@]}" --keep-top 80% --by brisque --workers 2
echo "two rules, the best 80 % in each folder"
measure "${rules[@]}" --keep-top 80% --by brisque --per folder --workers 2
echo "two rules, percentiles, and a ledger of every item"
measure "${rules[@]}" --keep-between p5..p95 --by brisque --workers 2 --ledger "$work/two.parquet"
measure "${rules[@]}" --keep-between p5..p95 --by brisque --workers 1 --ledger "$work/one.parquet"
cmp "$work/one.parquet" "$work/two.parquet" && echo "the ledgers of one and two workers are the same, byte for byte"
