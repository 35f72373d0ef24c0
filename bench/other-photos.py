#!/usr/bin/env python3
"""Metrics on photographs of other people than BIQ2021's: how opinions agree (SRCC), and how blur of the camera is told from none (AUC).

Usage: bench/other-photos.py WORK [--metrics pristine,brisque] [--pristine "dotnet .../Pristine.Cli.dll"]
Fetches the photographs that other-photos.csv lists from the repositories it names, at the commits it names, into WORK (once), scores them
there and prints a table. 57 of KonIQ-10k (Hosu et al., IEEE TIP 29, 2020) with their mean opinions, 1 to 5; 70 photographs, 27 sharp and 43 out of
focus or moved, 47 of which are 16 scenes of blur-dataset (Kwentar), each taken sharp and blurred. Small sets: see the intervals (95 %, bootstrap).
"""
import argparse, csv, pathlib, random, shlex, subprocess

root = pathlib.Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser()
parser.add_argument("work", type=pathlib.Path)
parser.add_argument("--metrics", default="pristine,pristine-large,pristine@damage,pristine@blur,brisque,sharpness")
parser.add_argument("--pristine", default=f"dotnet {root}/src/Pristine.Cli/bin/Release/net10.0/Pristine.Cli.dll")
options = parser.parse_args()
RESAMPLES = 2000


def fetch(rows):
    """Writes the images of the rows that are not there yet."""
    for row in rows:
        target = options.work / row["set"] / row["image"]
        if target.exists():
            continue
        clone = options.work / "repositories" / row["repository"].replace("/", "+")
        if not clone.exists():
            address = f"https://github.com/{row['repository']}"
            subprocess.run(["git", "clone", "--quiet", "--bare", "--filter=blob:none", address, clone], check=True)
        show = ["git", "--git-dir", clone, "show", f"{row['commit']}:{row['path']}"]
        content = subprocess.run(show, check=True, stdout=subprocess.PIPE).stdout
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def scores(name):
    """{image: {metric: score, higher is better}} of a folder."""
    table, file = options.work / f"{name}.scores", options.work / f"{name}.csv"
    pristine("score", options.work / name, "--metrics", options.metrics, "--out", table)
    pristine("export", table, "--format", "csv", "--out", file)
    with open(file, newline="") as lines:
        rows = list(csv.DictReader(lines))
    if failed := [f"{row['image']} ({row['status']})" for row in rows if not all(row[metric] for metric in metrics)]:
        raise SystemExit(f"{options.work / name}: expected a score of every metric for every image; missing: {', '.join(failed)}")
    return {row["image"]: {metric: signs[metric] * float(row[metric]) for metric in metrics} for row in rows}


def pristine(*arguments):
    """What a command of Pristine prints."""
    command = [*shlex.split(options.pristine), *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def ranks(values):
    """1 for the smallest; equal ones share the mean of theirs."""
    ordered, found = sorted(range(len(values)), key=values.__getitem__), [0.0] * len(values)
    i = 0
    while i < len(ordered):
        j = i
        while j + 1 < len(ordered) and values[ordered[j + 1]] == values[ordered[i]]:
            j += 1
        for place in ordered[i:j + 1]:
            found[place] = (i + j) / 2 + 1
        i = j + 1
    return found


def srcc(first, second):
    a, b = ranks(first), ranks(second)
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    return sum((x - ma) * (y - mb) for x, y in zip(a, b)) / (sum((x - ma) ** 2 for x in a) * sum((y - mb) ** 2 for y in b)) ** 0.5


def auc(blurred, sharp):
    return (sum(ranks(blurred + sharp)[len(blurred):]) - len(sharp) * (len(sharp) + 1) / 2) / (len(blurred) * len(sharp))


def interval(statistic, *groups):
    """95 % of what the statistic is on groups drawn from the given ones, with replacement."""
    draw = random.Random(1)
    found = sorted(statistic(*[draw.choices(group, k=len(group)) for group in groups]) for _ in range(RESAMPLES))
    return f"{found[RESAMPLES // 40]:.3f} to {found[-RESAMPLES // 40 - 1]:.3f}"


with open(root / "bench" / "other-photos.csv", newline="") as file:
    photos = list(csv.DictReader(file))
metrics = options.metrics.split(",")
ends = {name: end for name, end, *_ in (line.split("\t") for line in pristine("metrics").splitlines() if "\t" in line)}
if unknown := [metric for metric in metrics if ends.get(metric) not in ("high", "low")]:
    raise SystemExit(f"--metrics: expected metrics with a good end (pristine metrics); found {', '.join(unknown)}")
signs = {metric: 1 if ends[metric] == "high" else -1 for metric in metrics}
fetch(photos)
opinions, blur = scores("opinions"), scores("blur")
labels = {(row["set"], row["image"]): row["label"] for row in photos}
print("| metric | SRCC with opinions | AUC, blurred against sharp |\n| --- | ---: | ---: |")
for metric in metrics:
    pairs = [(each[metric], float(labels["opinions", image])) for image, each in opinions.items()]
    sharp, blurred = ([each[metric] for image, each in blur.items() if labels["blur", image] == label] for label in ("sharp", "blurred"))
    agreement = lambda drawn: srcc([score for score, _ in drawn], [opinion for _, opinion in drawn])
    print(f"| `{metric}` | {agreement(pairs):.3f} ({interval(agreement, pairs)}) | {auc(blurred, sharp):.3f} ({interval(auc, blurred, sharp)}) |")
damage = [(labels["blur", image], each["pristine@damage"]) for image, each in blur.items()] if "pristine@damage" in metrics else []
for label in ("sharp", "blurred") if damage else ():
    found = [-score for each, score in damage if each == label]
    print(f"\n`pristine@damage` above 0.7: {sum(score > 0.7 for score in found)} of {len(found)} {label} ones")
