#!/usr/bin/env bash
# Resident memory over a run of `pristine filter` on a large dataset: sampled twice a second, told at 10 %, 20 % ... 100 % of the scoring. Fails
# where memory after 10 % rises by more than LIMIT (default 1.10) over that at 10 %.
#
#   dotnet publish -c Release src/Pristine.Cli -o /tmp/pristine
#   dotnet run -c Release bench/make-parquet.cs -- /tmp/million.parquet 1000000
#   bench/flat-memory.sh /tmp/million.parquet /tmp/kept.parquet
#
# A tar set of 20 GB from one archive of 1 GB: for i in $(seq -w 0 19); do ln -s one.tar shard-$i.tar; done
#   bench/flat-memory.sh '/tmp/set/shard-{00..19}.tar' '/tmp/kept/{0000..}.tar'
#
# PRISTINE is the command to measure, default /tmp/pristine/pristine; RULE the rule, METRICS follow from it.
set -euo pipefail
input=${1:?usage: bench/flat-memory.sh INPUT OUTPUT}
output=${2:?usage: bench/flat-memory.sh INPUT OUTPUT}
read -ra pristine <<<"${PRISTINE:-/tmp/pristine/pristine}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${pristine[@]}" filter "$input" --keep "${RULE:-brisque <= 50}" --out "$output" --scores "$work/scores" 2>"$work/err" &
process=$!
while kill -0 "$process" 2>/dev/null; do
  parts=$({ find "$work/scores" -name 'part-*.parquet' 2>/dev/null || true; } | wc -l)
  rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$process/status" 2>/dev/null || true)
  [ -z "$rss" ] || echo "$parts $rss" >>"$work/samples"
  sleep 0.5
done
wait "$process" || { tail -5 "$work/err" >&2; exit 1; }
tail -4 "$work/err"
parts=$(find "$work/scores" -name 'part-*.parquet' | wc -l)
awk -v parts="$parts" -v limit="${LIMIT:-1.10}" '
  { share = $1 / parts; slot = int(share * 10); rss[slot] += $2; count[slot]++; if (share >= 1 && $2 > last) last = $2; else if (share >= .1 && $2 > most) most = $2 }
  END {
    printf "mean RSS in MiB by tenths of the scoring:"
    for (slot = 0; slot < 10; slot++) if (count[slot]) printf " %.0f", rss[slot] / count[slot] / 1024
    base = rss[1] / count[1]; top = 0
    for (slot = 1; slot < 10; slot++) if (count[slot] && rss[slot] / count[slot] > top) top = rss[slot] / count[slot]
    printf "\nhighest of 10-100 %%: mean %.0f (%.3f of that at 10 %%, limit %s), single sample %.0f; while selecting and writing: %.0f\n", top / 1024, top / base, limit, most / 1024, last / 1024
    exit top / base > limit }' "$work/samples"
