#!/usr/bin/env bash
# Keeps one of several duplicates of a synthetic table of 10 million rows, a million of which are one file. Prints wall time, processor
# time and peak memory of each run.
# Usage: bench/dedup-10m.sh [ROWS] [FOLDER] [EQUAL], one image in EQUAL (10) is the same file; needs a Release build and GNU time. The table is
# kept if FOLDER is named.
set -euo pipefail
rows=${1:-10000000}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
table=${2:-$work/table}
pristine=(dotnet "$root/src/Pristine.Cli/bin/${CONFIGURATION:-Release}/net10.0/Pristine.Cli.dll")
[ -f "$table/scores.json" ] || dotnet run "$root/bench/make-table.cs" -- "$table" "$rows" "${3:-10}"
measure() {
  echo "pristine $*"
  /usr/bin/time -f '%e s wall, %U s user, %M KiB peak memory' "${pristine[@]}" "$@"
}
measure select "$table" --dedup exact --workers 2
measure select "$table" --dedup near --workers 2
measure select "$table" --dedup near --keep-best brisque --keep "width >= 600" --workers 2 --ledger "$work/two.parquet"
measure select "$table" --dedup near --keep-best brisque --keep "width >= 600" --workers 1 --ledger "$work/one.parquet"
cmp "$work/one.parquet" "$work/two.parquet" && echo "the ledgers of one and two workers are the same, byte for byte"
measure select "$table" --keep "copies = 1" --workers 2
measure duplicates "$table" --workers 2 --format csv > "$work/list.csv"
wc -l < "$work/list.csv"
