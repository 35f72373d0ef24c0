#!/usr/bin/env python3
"""What a page of items costs at the beginning, in the middle and at the end of a large table: time of 'POST /items' and the server's memory.

    bench/serve-pages.py TABLE [PAGES]

PRISTINE is the command to measure, default 'pristine'; several words are allowed. Linux only (/proc/PID/status). bench/make-table.cs makes a table of
as many rows as are wanted; its images need not be there."""
import http.client
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

table = sys.argv[1]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 10
overrides = os.path.join(tempfile.mkdtemp(prefix="pristine-pages-"), "overrides.jsonl")
server = subprocess.Popen(
    [*shlex.split(os.environ.get("PRISTINE", "pristine")), "serve", table, "--port", "0", "--overrides", overrides], stdout=subprocess.PIPE, text=True)
place = urllib.parse.urlparse(server.stdout.readline().strip()).netloc
connection = http.client.HTTPConnection(place)


def ask(method, path, body=None):
    started, busy = time.monotonic(), processor()
    connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"} if body is not None else {})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    if answer.status != 200:
        raise SystemExit(f"{path} {body}: {answer.status} {content}")
    return time.monotonic() - started, processor() - busy, content


def processor():
    """The processor time that the server has had, in seconds: on a busy machine the wall clock says little."""
    fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(name):
    return next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{server.pid}/status").read_text().splitlines() if line.startswith(name)) // 1024


rows = ask("GET", "/table")[2]["images"]
rule = {"keep": ["brisque <= 60", "width >= 600"]}
seconds, busy, counts = ask("POST", "/select", rule)
print(f"{rows:,} images; {counts['kept']:,} kept. The first request selects: {seconds:.1f} s, {busy:.1f} s of processor time, {resident('VmRSS')} MB resident.")
for title, request, cursor in (
    ("kept, in the order of the dataset", {**rule, "show": "kept"}, lambda share: f"0_{int(share * rows)}"),
    ("dropped, worst brisque first", {**rule, "show": "dropped", "order": "brisque", "descending": True}, lambda share: f"{100 - 40 * share}_0"),
):
    ask("POST", "/items", {**request, "size": 50})
    for where, share in (("first", 0), ("middle", 0.5), ("last", 0.98)):
        times, costs, after = [], [], None if share == 0 else cursor(share)
        for _ in range(count):
            seconds, busy, page = ask("POST", "/items", {**request, "size": 50, **({"after": after} if after else {})})
            times.append(seconds)
            costs.append(busy)
            after = page["next"]
            if after is None:
                break
        print(f"{title}, {where} pages of 50: {len(times)} pages, median {1000 * statistics.median(times):.0f} ms, most {1000 * max(times):.0f} ms, processor {1000 * statistics.median(costs):.0f} ms; "
              f"{resident('VmRSS')} MB resident")
print(f"most memory: {resident('VmHWM')} MB")
server.terminate()
server.wait()
