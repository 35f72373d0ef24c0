#!/bin/sh
# ARNIQA's official mode, float and int8, against eager PyTorch on the same files: rate, CPU time per image, agreement, memory.
#   compare-arniqa.sh MODELS IMAGES [THREADS] [ROUNDS]
# MODELS holds ARNIQA.pth and the regressor_*.pth (any weights of that layout), IMAGES some JPEGs (bench/make-images.sh); the int8
# encoder is calibrated on the first 40 of them and measured on the next 20. Needs Debian's python3-torch, python3-pil and
# libopenblas0-pthread: with another BLAS PyTorch is many times slower and the comparison worthless.
set -eu
models=$1 images=$2 threads=${3:-1} rounds=${4:-3}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet build -c Release --nologo -v quiet "$root/bench/Arniqa"
arniqa=$root/bench/Arniqa/bin/Release/net10.0/Arniqa
mkdir "$work/calibration" "$work/images"
find "$images" -name '*.jpg' | LC_ALL=C sort | head -60 > "$work/list"
head -40 "$work/list" | xargs -d '\n' ln -st "$work/calibration"
tail -20 "$work/list" | xargs -d '\n' ln -st "$work/images"
lscpu | grep 'Model name'
"$arniqa" "$work/store" import "$models"
"$arniqa" "$work/store" quantise percentile "$work/calibration"
"$arniqa" "$work/store" score arniqa "$work/images" 1 > /dev/null
for round in $(seq "$rounds"); do
    echo "round $round"
    "$arniqa" "$work/store" score arniqa "$work/images" "$threads" > "$work/float.tsv"
    /usr/bin/python3 "$root/bench/peers/arniqa_torch.py" "$models" "$work/images" "$threads" > "$work/torch.tsv"
    "$arniqa" "$work/store" score arniqa:int8 "$work/images" "$threads" > "$work/int8.tsv"
done
for ours in float int8; do
    LC_ALL=C join "$work/$ours.tsv" "$work/torch.tsv" |
        awk -v name="$ours" '{ d = $2 - $3; if (d < 0) d = -d; if (d > max) max = d } END { printf "%s: largest difference to PyTorch %.2g over %d images\n", name, max, NR }'
done
