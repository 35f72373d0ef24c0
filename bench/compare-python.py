#!/usr/bin/env python3
"""CPU time of images scored one after the other from Python, through pristine_iqa.Scorer, against the command on the same folder.

  bench/compare-python.py FOLDER [ROUNDS]

Needs the package pristine-iqa (python/build.sh makes its wheel); PRISTINE_PROGRAM names another program for both. The rounds alternate; user time of all processes, start included.
"""

import os
import statistics
import sys

from pristine_iqa._program import find_program

MANY = """
import os, sys, pristine_iqa
folder = sys.argv[1]
with pristine_iqa.Scorer("brisque") as scorer:
    n = sum(1 for row in scorer.score_many(os.path.join(folder, name) for name in sorted(os.listdir(folder))) if row["status"] == "ok")
print(n, "images", file=sys.stderr)
"""
LONE = MANY.replace("scorer.score_many(", "map(scorer.score, (").replace("os.listdir(folder))) if", "os.listdir(folder)))) if")
BYTES = MANY.replace("score_many(os.path.join(folder, name)", 'score_many(open(os.path.join(folder, name), "rb").read()')


def user_seconds(arguments):
    """User time of a process and of the processes it has waited for."""
    child = os.posix_spawn(
        arguments[0], arguments, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    )
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        raise SystemExit("%s ended with status %d" % (" ".join(arguments[:2]), status))
    return usage.ru_utime


def main():
    folder, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    python = [sys.executable, "-W", "ignore::ResourceWarning", "-c"]
    ways = {
        "pristine score FOLDER": [find_program(), "score", folder, "--format", "jsonl"],
        "Scorer.score_many(paths)": python + [MANY, folder],
        "Scorer.score(path), one by one": python + [LONE, folder],
        "Scorer.score_many(bytes)": python + [BYTES, folder],
    }
    seconds = {way: [] for way in ways}
    for _ in range(rounds):
        for way, arguments in ways.items():
            seconds[way].append(user_seconds(arguments))
    command = statistics.median(seconds["pristine score FOLDER"])
    print("%d files, %d rounds; user seconds            min  median     max   median / command" % (len(os.listdir(folder)), rounds))
    for way, found in seconds.items():
        middle = statistics.median(found)
        print("%-40s %7.2f %7.2f %7.2f %10.3f" % (way, min(found), middle, max(found), middle / command))


main()
