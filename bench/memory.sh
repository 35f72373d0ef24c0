#!/usr/bin/env bash
# Peak resident memory of `pristine score` on 2,000 and on 20,000 images (links to the same files): it must not grow with the dataset.
# Prints both peaks and their ratio; fails above LIMIT (default 1.2).
#
#   apt-get install time
#   dotnet publish -c Release src/Pristine.Cli -o /tmp/pristine && bench/make-images.sh /tmp/bench512
#   bench/memory.sh /tmp/bench512 [METRICS]
#
# PRISTINE is the command to measure, default /tmp/pristine/pristine.
set -euo pipefail

folder=$(realpath "${1:?usage: bench/memory.sh FOLDER [METRICS]}")
metrics=${2:-brisque}
limit=${LIMIT:-1.2}
read -ra pristine <<<"${PRISTINE:-/tmp/pristine/pristine}"
mapfile -d '' -t files < <(find "$folder" -maxdepth 1 -type f -print0 | sort -z)
((${#files[@]} > 0)) || { echo "memory: expected images in $folder; found none" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

peak() { # peak COUNT: sets kib to the peak of a run over COUNT links
  mkdir "$work/$1"
  for ((i = 0; i < $1; i++)); do
    file=${files[i % ${#files[@]}]}
    printf '%s\0%s/%s/%05d.%s\0' "$file" "$work" "$1" "$i" "${file##*.}"
  done | xargs -0 -n 2 ln -s
  /usr/bin/time -o "$work/peak" -f %M "${pristine[@]}" score "$work/$1" --metrics "$metrics" --format csv >"$work/out" 2>"$work/err" ||
    { echo "memory: pristine failed on $1 images" >&2; tail -5 "$work/err" >&2; exit 1; }
  local scored
  scored=$(grep -c ',ok,' "$work/out" || true)
  ((scored == $1)) || { echo "memory: expected $1 rows with the status ok; found $scored" >&2; exit 1; }
  kib=$(<"$work/peak")
  rm -rf "${work:?}/$1"
}

peak 2000; small=$kib
peak 20000; large=$kib
awk -v s="$small" -v l="$large" -v limit="$limit" 'BEGIN {
  printf "peak RSS: 2,000 images %.1f MiB, 20,000 images %.1f MiB, ratio %.3f (limit %s)\n", s / 1024, l / 1024, l / s, limit
  exit l / s > limit }'
