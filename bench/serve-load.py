#!/usr/bin/env python3
"""Does the server hold under load? Clients ask 'pristine serve' for pages, counts, thumbnails, images, explanations and scores for a while; each
request that does not get a 200 is an error. Tells requests, latency by kind, and the server's resident memory by tenths of the run.

    bench/serve-load.py TABLE [CLIENTS] [SECONDS]

PRISTINE is the command to measure, default 'pristine'; several words are allowed. Linux only (/proc/PID/status). TABLE needs a metric; its images
must be there."""
import http.client
import json
import os
import pathlib
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

table = sys.argv[1]
clients = int(sys.argv[2]) if len(sys.argv) > 2 else 32
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 60
folder = tempfile.mkdtemp(prefix="pristine-load-")
server = subprocess.Popen(
    [*shlex.split(os.environ.get("PRISTINE", "pristine")), "serve", table, "--port", "0", "--overrides", os.path.join(folder, "overrides.jsonl")],
    stdout=subprocess.PIPE, text=True)
place = urllib.parse.urlparse(server.stdout.readline().strip()).netloc


def ask(connection, method, path, body=None, content_type="application/json"):
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    connection.request(method, path, data, {"Content-Type": content_type} if data is not None else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


first = http.client.HTTPConnection(place)
about = json.loads(ask(first, "GET", "/table")[1])
metric = next(column["name"] for column in about["columns"] if column["metric"] and column["type"] == "FLOAT")
page = json.loads(ask(first, "POST", "/items", {"size": 500})[1])["items"]
images = [image for item in page for image in item["images"] if image["status"] == "ok"]
values = sorted(image[metric] for image in images if image[metric] is not None)
upload = ask(first, "GET", f"/image?key={images[0]['key']}")[1]
rules = [{"keep": [f"{metric} >= {values[len(values) * share // 10]}"]} for share in range(2, 8)]
times, errors, end = {}, [], time.monotonic() + seconds
lock = threading.Lock()


def client(number):
    choose = random.Random(number)
    connection = http.client.HTTPConnection(place)
    mine = {}
    while time.monotonic() < end:
        key, rule, item = choose.choice(images)["key"], choose.choice(rules), choose.choice(page)
        kind, *request = choose.choice([
            ("items", "POST", "/items", {**rule, "show": "dropped", "order": metric, "size": 20}),
            ("select", "POST", "/select", rule),
            ("why", "POST", "/why", {**rule, "index": item["index"]}),
            ("thumb", "GET", f"/thumb?key={key}"),
            ("image", "GET", f"/image?key={key}"),
            ("score", "POST", "/score", upload, "application/octet-stream"),
            ("override", "POST", "/overrides", {"index": item["index"], "id": item["id"], "keep": choose.choice([True, False, None])}),
        ])
        begun = time.monotonic()
        try:
            status, answer = ask(connection, *request)
            if status != 200:
                errors.append(f"{kind} {status} {answer[:200]}")
        except OSError as error:
            errors.append(f"{kind} {error}")
            connection = http.client.HTTPConnection(place)
        mine.setdefault(kind, []).append(time.monotonic() - begun)
    with lock:
        for kind, found in mine.items():
            times.setdefault(kind, []).extend(found)


def resident():
    return next(int(line.split()[1]) for line in pathlib.Path(f"/proc/{server.pid}/status").read_text().splitlines() if line.startswith("VmRSS")) // 1024


threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
for thread in threads:
    thread.start()
memory = []
for _ in range(10):
    time.sleep(seconds / 10)
    memory.append(resident())
for thread in threads:
    thread.join()
server.terminate()
code = server.wait()
print(f"{clients} clients, {seconds:.0f} s, {about['images']} images: {sum(map(len, times.values()))} requests, {len(errors)} errors, exit code {code}")
for kind, found in sorted(times.items()):
    found.sort()
    print(f"  {kind:8} {len(found):6}  median {1000 * statistics.median(found):6.0f} ms, 99 % {1000 * found[len(found) * 99 // 100]:6.0f} ms")
print("  MB resident by tenths:", *memory)
for error in errors[:10]:
    print(" ", error)
sys.exit(1 if errors else 0)
