#!/usr/bin/env bash
# Kills the scoring of 2,000 images with SIGKILL at random moments, resumes it each time, and compares the table with that of an
# uninterrupted run, row for row. Usage: bench/kill-9.sh [ROUNDS] (default 50); needs a Release build.
set -euo pipefail
rounds=${1:-50}
root=$(cd "$(dirname "$0")/.." && pwd)
pristine=(dotnet "$root/src/Pristine.Cli/bin/Release/net10.0/Pristine.Cli.dll")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/images"
photos=("$root"/samples/photos/*.jpg)
for i in $(seq -w 0 1999); do
  ln -s "${photos[$((10#$i % ${#photos[@]}))]}" "$work/images/$i.jpg"
done
score() { "${pristine[@]}" score "$work/images" --out "$1" --metrics "$2" "${@:3}"; }
RANDOM=1
kills=0
score "$work/whole" brisque 2> "$work/log"
score "$work/whole" brisque,sharpness 2>> "$work/log"
metrics=brisque
for round in $(seq "$rounds"); do
  # The second half of the rounds interrupts the adding of a column.
  if [ "$round" -gt $((rounds / 2)) ]; then
    if [ "$metrics" = brisque ]; then score "$work/killed" brisque --part-seconds 0.05 2>> "$work/log"; fi
    metrics=brisque,sharpness
  fi
  # Not through the function: $! must be the program itself, not a shell around it.
  "${pristine[@]}" score "$work/images" --out "$work/killed" --metrics "$metrics" --part-seconds 0.05 2>> "$work/log" &
  process=$!
  sleep "$(printf '0.%03d' $((250 + RANDOM % 700)))"
  if kill -9 "$process" 2> /dev/null; then kills=$((kills + 1)); fi
  wait "$process" 2> /dev/null || true
done
score "$work/killed" brisque,sharpness 2>> "$work/log"
"${pristine[@]}" export "$work/whole" --format jsonl --out "$work/whole.jsonl"
"${pristine[@]}" export "$work/killed" --format jsonl --out "$work/killed.jsonl"
cmp "$work/whole.jsonl" "$work/killed.jsonl"
echo "$kills of $rounds runs killed, $(ls "$work/killed" | grep -c parquet) parts, $(wc -l < "$work/killed.jsonl") rows: the same as uninterrupted"
