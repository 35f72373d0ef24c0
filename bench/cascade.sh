#!/usr/bin/env bash
# What a cascade saves: `pristine score --metrics brisque,resnet50` with and without gates on one folder, measured alternately.
# Prints Markdown rows: gate, network runs, median CPU (user + system) seconds, median wall seconds, images per second, ratio of CPU time.
#
#   dotnet publish -c Release src/Pristine.Cli -o /tmp/pristine
#   bench/cascade.sh FOLDER [ROUNDS] [GATE...]
#
# PRISTINE is the command to measure, default /tmp/pristine/pristine. One thread, so that other programs disturb it less.
set -euo pipefail

folder=$(realpath "${1:?usage: bench/cascade.sh FOLDER [ROUNDS] [GATE...]}")
rounds=${2:-3}
gates=("" "${@:3}")
((${#gates[@]} > 1)) || gates+=("brisque <= 60" "brisque <= 40")
read -ra pristine <<<"${PRISTINE:-/tmp/pristine/pristine}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for ((round = 0; round <= rounds; round++)); do # round 0 fills the page cache
  for g in "${!gates[@]}"; do
    gate=${gates[g]}
    /usr/bin/time -o "$work/time" -f '%U %S %e' "${pristine[@]}" score "$folder" --metrics brisque,resnet50 --workers 1 --format csv ${gate:+--cascade "$gate"} >"$work/$g.csv" 2>"$work/$g.err"
    ((round == 0)) || tail -1 "$work/time" >>"$work/$g.times"
    echo "round $round: ${gate:-no gate}: $(tail -1 "$work/time") (user, system, wall s)" >&2
  done
done

median() { sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
images=$(($(wc -l <"$work/0.csv") - 1))
whole=$(awk '{print $1 + $2}' "$work/0.times" | median)
echo "| gate | network runs | CPU s | wall s | images/s | CPU time |"
echo "|---|---|---|---|---|---|"
for g in "${!gates[@]}"; do
  skipped=$(grep -o '[0-9,]* with skipped scores' "$work/$g.err" | tr -d ' ,a-z' || true)
  awk -v gate="${gates[g]:-none}" -v n="$images" -v runs="$((images - ${skipped:-0}))" -v cpu="$(awk '{print $1 + $2}' "$work/$g.times" | median)" \
    -v wall="$(awk '{print $3}' "$work/$g.times" | median)" -v whole="$whole" \
    'BEGIN {printf "| `%s` | %d of %d | %.1f | %.1f | %.1f | %.2f |\n", gate, runs, n, cpu, wall, n / wall, cpu / whole}'
done
