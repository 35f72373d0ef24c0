#!/usr/bin/env bash
# User CPU time of `pristine score --metrics brisque` over the same images as files and as members of a tar archive, in turn. One worker. Prints each
# round and the ratio of the medians; fails above LIMIT (default 1.05).
#
#   apt-get install time
#   dotnet publish -c Release src/Pristine.Cli -o /tmp/pristine && bench/make-images.sh /tmp/bench512
#   bench/tar-cost.sh /tmp/bench512 [ROUNDS]
#
# PRISTINE is the command to measure, default /tmp/pristine/pristine.
set -euo pipefail
folder=$(realpath "${1:?usage: bench/tar-cost.sh FOLDER [ROUNDS]}")
rounds=${2:-5}
read -ra pristine <<<"${PRISTINE:-/tmp/pristine/pristine}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar --create --file "$work/images.tar" --sort=name --directory "$folder" .
measure() { # measure INPUT: prints user seconds
  /usr/bin/time -o "$work/time" -f %U "${pristine[@]}" score "$1" --metrics brisque --format csv --workers 1 >"$work/out" 2>"$work/err" || { tail -3 "$work/err" >&2; exit 1; }
  cat "$work/time"
}
measure "$folder" >/dev/null
for ((round = 1; round <= rounds; round++)); do
  files=$(measure "$folder")
  echo "round $round: files $files s, tar $(measure "$work/images.tar" | tee -a "$work/tars") s"
  echo "$files" >>"$work/files"
done
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
awk -v f="$(median "$work/files")" -v t="$(median "$work/tars")" -v limit="${LIMIT:-1.05}" 'BEGIN { printf "median files %.2f s, tar %.2f s, ratio %.3f (limit %s)\n", f, t, t / f, limit; exit t / f > limit }'
