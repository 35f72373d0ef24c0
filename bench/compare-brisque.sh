#!/usr/bin/env bash
# User CPU seconds per image of `pristine score --metrics brisque` and of OpenCV's BRISQUE on one folder, measured alternately,
# and the agreement of their scores. Writes bench/results/<date>-<cpu>/brisque-vs-opencv.md.
#
#   apt-get install g++ make pkg-config libopencv-dev opencv-data time gawk
#   make -C bench/peers && dotnet publish -c Release src/Pristine.Cli -o /tmp/pristine
#   bench/make-images.sh /tmp/bench512
#   bench/compare-brisque.sh /tmp/bench512 [ROUNDS]
#
# PRISTINE is the command to measure, default /tmp/pristine/pristine; OPENCV_QUALITY the folder of OpenCV's model.
set -euo pipefail

folder=$(realpath "${1:?usage: bench/compare-brisque.sh FOLDER [ROUNDS]}")
rounds=${2:-5}
bench=$(cd "$(dirname "$0")" && pwd)
read -ra pristine <<<"${PRISTINE:-/tmp/pristine/pristine}"
model=${OPENCV_QUALITY:-/usr/share/opencv4/quality}
peer=$bench/peers/build/opencv_brisque
for file in "${pristine[0]}" "$peer" "$model/brisque_model_live.yml"; do
  command -v "$file" >/dev/null || [[ -r $file ]] || { echo "compare-brisque: expected $file; see the top of $0" >&2; exit 1; }
done
images=$(find "$folder" -maxdepth 1 -type f | wc -l)
((images > 0 && rounds > 0)) || { echo "compare-brisque: expected images in $folder and at least one round" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ours=("${pristine[@]}" score "$folder" --metrics brisque --format csv)
theirs=("$peer" "$model/brisque_model_live.yml" "$model/brisque_range_live.yml" "$folder")

measure() { # measure NAME COMMAND...: appends "user system wall" seconds to NAME.times, keeps the output in NAME.out
  local name=$1
  shift
  /usr/bin/time -a -o "$work/$name.times" -f '%U %S %e' "$@" >"$work/$name.out" 2>"$work/$name.err" ||
    { echo "compare-brisque: failed: $*" >&2; tail -5 "$work/$name.err" >&2; exit 1; }
}

measure warm-up "${ours[@]}" # the files are in the page cache from here on
for ((round = 1; round <= rounds; round++)); do
  measure pristine "${ours[@]}"
  measure opencv "${theirs[@]}"
  echo "round $round: pristine $(tail -1 "$work/pristine.times"), opencv $(tail -1 "$work/opencv.times") (user, system, wall s)" >&2
done

row() { # row NAME COLUMN: minimum | median | maximum of a column of NAME.times, in ms per image
  awk -v c="$2" '{print $c}' "$work/$1.times" | sort -g |
    awk -v n="$images" '{v[NR]=$1*1000/n} END{m=NR%2?v[(NR+1)/2]:(v[NR/2]+v[NR/2+1])/2; printf "%.3f | %.3f | %.3f", v[1], m, v[NR]}'
}
median() { row "$1" "$2" | cut -d' ' -f3; }
ratio() { awk -v a="$(median opencv "$1")" -v b="$(median pristine "$1")" 'BEGIN{printf "%.2f", a/b}'; }

# The scores joined by file name; CSV fields may be quoted, so gawk splits them by pattern.
agreement=$(gawk '
  function text(field) { if (field ~ /^"/) { field = substr(field, 2, length(field) - 2); gsub(/""/, "\"", field) } return field }
  function name(path) { sub(/.*\//, "", path); return path }
  FNR == NR { split($0, pair, "\t"); theirs[name(pair[1])] = pair[2]; next }
  { sub(/\r$/, ""); n = patsplit($0, field, /([^,"]*|("([^"]|"")*"))/) }
  FNR == 1 { for (i = 1; i <= n; i++) column[text(field[i])] = i
             if (!("image" in column) || !("brisque" in column)) { print "expected the columns image and brisque; found: " $0 > "/dev/stderr"; exit 1 }
             next }
  { file = name(text(field[column["image"]])); score = text(field[column["brisque"]])
    if (score == "" || !(file in theirs)) { unmatched++; next }
    d = score - theirs[file]; if (d < 0) d = -d; sum += d; joined++; if (d > worst || joined == 1) { worst = d; at = file } }
  END { if (joined == 0) { print "no score could be joined by file name" > "/dev/stderr"; exit 1 }
        printf "%d images with both scores (%d of pristine without): largest |difference| %.6f (%s), mean %.6f.\n", joined, unmatched, worst, at, sum / joined }
' "$work/opencv.out" "$work/pristine.out")

cpu=$(awk -F': ' '/^model name/{print $2; exit}' /proc/cpuinfo)
slug=$(tr -cs 'A-Za-z0-9\n' '-' <<<"${cpu:-$(uname -m)}" | tr 'A-Z' 'a-z' | sed 's/^-//; s/-$//')
result=$bench/results/$(date -u +%F)-$slug/brisque-vs-opencv.md
mkdir -p "$(dirname "$result")"
cat >"$result" <<TEXT
# BRISQUE: Pristine and OpenCV C++

$images JPEGs in \`$folder\`, $rounds rounds, alternately; from file to score. Pristine runs one worker per core, OpenCV one thread:
compare the user time; the wall time shows what a user waits.

- CPU: ${cpu:-$(uname -m)}, $(nproc) cores; $(. /etc/os-release && echo "$PRETTY_NAME"), Linux $(uname -r)
- Pristine: $(git -C "$bench" describe --always --dirty), .NET $(dotnet --list-runtimes | awk '/NETCore.App/{v=$2} END{print v}')
- OpenCV: $(dpkg-query -W -f '${Version}' libopencv-dev), $(g++ --version | head -1)

| ms per image | user min | median | max | system min | median | max | wall min | median | max |
|---|---|---|---|---|---|---|---|---|---|
| pristine | $(row pristine 1) | $(row pristine 2) | $(row pristine 3) |
| opencv | $(row opencv 1) | $(row opencv 2) | $(row opencv 3) |

**OpenCV / Pristine, medians: user $(ratio 1), wall $(ratio 3).**

Agreement: $agreement

\`\`\`
${ours[*]}
${theirs[*]/#$bench/bench}
\`\`\`
TEXT
cat "$result"
