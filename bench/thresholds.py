#!/usr/bin/env python3
"""What a threshold drops, by what people think of the images: for each metric and share, the threshold that drops this share of the images, how many of the
worst tenth by opinion it drops, how many of the better half, and the mean opinion of what is kept.

    bench/thresholds.py SCORES.csv MOS.csv METRIC...

SCORES.csv is of 'pristine export TABLE --format csv'; MOS.csv has the name of an image and its mean opinion (higher is better) in its first two columns.
A metric with a minus sign before its name is better where it is low. Prints Markdown."""
import csv
import os
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = {os.path.basename(row["id"]).lower(): row for row in csv.DictReader(file)}
with open(sys.argv[2], encoding="utf-8") as file:
    opinions = {name.lower(): float(opinion) for name, opinion, *_ in list(csv.reader(file))[1:]}
names = [name for name in opinions if name in rows]
in_order = sorted(names, key=opinions.get)
worst, better = set(in_order[: len(names) // 10]), set(in_order[len(names) // 2 :])
print(f"{len(names)} images; mean opinion {sum(opinions[name] for name in names) / len(names):.3f}.\n")
print("| metric | drops | rule that keeps the others | of the worst tenth | of the better half | mean opinion of the kept |")
print("| --- | ---: | --- | ---: | ---: | ---: |")
for metric in sys.argv[3:]:
    low_is_good = metric.startswith("-")
    metric = metric.lstrip("-")
    ranked = sorted((name for name in names if rows[name][metric]), key=lambda name: float(rows[name][metric]), reverse=low_is_good)
    for share in (0.05, 0.1, 0.2, 0.3):
        count = round(share * len(ranked))
        dropped, kept = set(ranked[:count]), ranked[count:]
        rule = f"{metric} {'<=' if low_is_good else '>='} {float(rows[kept[0]][metric]):.3g}"
        mean = sum(opinions[name] for name in kept) / len(kept)
        print(f"| `{metric}` | {share:.0%} | `{rule}` | {len(dropped & worst) / len(worst):.0%} | {len(dropped & better) / len(better):.0%} | {mean:.3f} |")
