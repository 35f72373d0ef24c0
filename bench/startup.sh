#!/usr/bin/env bash
# Processor time (user and system) of one start of the command, in milliseconds: the least and the median of N runs, builds in turn.
# Usage: bench/startup.sh N PROGRAM... -- ARGUMENTS...      for example: bench/startup.sh 9 out/jit/pristine out/r2r/pristine -- --version
set -euo pipefail
python3 - "$@" << 'PYTHON'
import resource
import statistics
import subprocess
import sys

runs, rest = int(sys.argv[1]), sys.argv[2:]
programs, arguments = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
times = {program: [] for program in programs}


def spent():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (usage.ru_utime + usage.ru_stime)


for _ in range(runs):
    for program in programs:
        before = spent()
        done = subprocess.run([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"{program} ended with exit code {done.returncode}.")
        times[program].append(spent() - before)
for program, found in times.items():
    print(f"{min(found):6.0f} {statistics.median(found):6.0f}  {program} {' '.join(arguments)}")
PYTHON
