#!/usr/bin/env python3
"""What sharing a dataset by parts costs: bytes that a shard reads, and processor time of all shards beside that of one run.

Usage: bench/parts.py FOLDER_OF_IMAGES [--items N] [--shards 8] [--metrics brisque] [--pristine "dotnet .../Pristine.Cli.dll"]
Makes 20 tar archives of the images (repeated up to N) in a temporary folder. Linux: bytes are rchar of /proc/PID/io, which counts what
a process asked the system for, cached or not; processor time is that of the process, user and system apart.
"""
import argparse, hashlib, itertools, os, pathlib, resource, shlex, subprocess, sys, tarfile, tempfile

PARTS = 20
root = pathlib.Path(__file__).resolve().parent.parent
parser = argparse.ArgumentParser()
parser.add_argument("images", type=pathlib.Path)
parser.add_argument("--items", type=int, default=2000)
parser.add_argument("--shards", type=int, default=8)
parser.add_argument("--metrics", default="brisque")
parser.add_argument("--pristine", default=f"dotnet {root}/src/Pristine.Cli/bin/Release/net10.0/Pristine.Cli.dll")
options = parser.parse_args()
files = sorted(path for path in options.images.iterdir() if path.suffix in (".jpg", ".png"))


def run(*arguments):
    """Runs the program; gives the bytes it read, and its user and system seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen([*shlex.split(options.pristine), *arguments], stderr=messages)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        read = next(int(line.split()[1]) for line in open(f"/proc/{process.pid}/io") if line.startswith("rchar"))
        if process.wait() != 0:
            messages.seek(0)
            sys.exit(messages.read().decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return read, after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime


with tempfile.TemporaryDirectory() as work:
    images = list(itertools.islice(itertools.cycle(files), options.items))
    for part in range(PARTS):
        chunk = images[part * options.items // PARTS:(part + 1) * options.items // PARTS]
        with tarfile.open(f"{work}/set-{part:02}.tar", "w") as tar:
            for i, path in enumerate(chunk):
                tar.add(path, f"{part:02}{i:06}{path.suffix}")
    total = sum(os.path.getsize(f"{work}/{name}") for name in os.listdir(work))
    score = ["score", f"{work}/set-{{00..{PARTS - 1}}}.tar", "--workers", "1", "--metrics", options.metrics, "--out"]
    print(f"{options.items:,} images in {PARTS} archives, {total:,} bytes, {options.metrics}")
    run(*score, f"{work}/planned", "--shard", "plan")
    nothing, *start = run(*score, f"{work}/planned", "--shard", "plan")
    print(f"no part (start, and the list of parts is there): {nothing:,} bytes, {start[0]:.2f} s user")
    one = run(*score, f"{work}/one")
    print(f"one run: {one[0] - nothing:,} bytes more, {one[1]:.2f} s user, {one[2]:.2f} s system")
    for shards in (20, options.shards):
        found = [run(*score, f"{work}/in{shards}", "--shard", f"{shard}/{shards}") for shard in range(shards)]
        shares = [(read - nothing) / (one[0] - nothing) * shards for read, _, _ in found]
        user = sum(user for _, user, _ in found)
        print(f"{shards} shards: each reads {min(shares):.3f} to {max(shares):.3f} of its share; {user:.2f} s user in all, "
              f"{user / one[1]:.3f} of one run's")
    digests = set()
    for table in ("one", "in20", f"in{options.shards}"):
        subprocess.run([*shlex.split(options.pristine), "merge", f"{work}/{table}", "--out", f"{work}/{table}.parquet"], check=True)
        digests.add(hashlib.sha256(pathlib.Path(f"{work}/{table}.parquet").read_bytes()).hexdigest())
    print("the merged tables are the same, byte for byte" if len(digests) == 1 else "THE TABLES DIFFER")
