#!/usr/bin/env bash
# Precision and recall of the issues of 'pristine check': 2,000 photographs of BIQ2021's training split and a degraded copy of each.
#
#   bench/issues.sh BIQ2021 WORK > bench/results/DATE-CPU/issues.md
#
# BIQ2021 is a clone of github.com/nisarahmedrana/BIQ2021 with Images/ and "Train (Images and MOS).csv". Photographs are taken in the order of
# the SHA-256 of their names: the first 2,000 served to choose the thresholds (FIRST=0 SEED=501), the next 2,000 to measure (the default).
set -euo pipefail
biq=$1 work=$2 first=${FIRST:-2000} seed=${SEED:-502}
cd "$(dirname "$0")/.."
mkdir -p "$work/set/photos"
python3 - "$biq" "$work" "$first" <<'PY'
import csv, hashlib, os, sys
biq, work, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
have = {name.lower(): name for name in os.listdir(f"{biq}/Images")}
rows = [(have[row[0].lower()], row[1]) for row in list(csv.reader(open(f"{biq}/Train (Images and MOS).csv")))[1:]]
rows.sort(key=lambda row: hashlib.sha256(row[0].encode()).hexdigest())
with open(f"{work}/mos.tsv", "w") as mos:
    for name, score in rows[first:first + 2000]:
        mos.write(f"{name}\t{float(score)}\n")
        if not os.path.exists(f"{work}/set/photos/{name}"):
            os.link(f"{biq}/Images/{name}", f"{work}/set/photos/{name}")
PY
dotnet run -c Release -v q --project src/Pristine.Cli -- degrade "$work/set/photos" --out "$work/set/copies" --levels 3-5 --seed "$seed" >&2
dotnet run -c Release bench/issues.cs -- "$work/set" "$work/mos.tsv" "$work/table"
