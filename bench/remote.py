#!/usr/bin/env python3
"""Do workers wait for the network? Scores images from an HTTP server that answers each request after a delay, and tells how much of the time the
two worker threads could run: on a processor, or waiting for one that others use. What is missing to 100 % they waited for bytes. The same from
files, and fetching without decoding, which is the most that the network gives.

    bench/make-images.sh /tmp/bench512
    dotnet publish -c Release src/Pristine.Cli -o /tmp/pristine
    bench/remote.py /tmp/bench512 [COUNT] [DELAY_MS]

PRISTINE is the command to measure, default /tmp/pristine/pristine. Linux only (/proc/PID/task/TID/schedstat)."""
import asyncio
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import threading
import time

WORKERS = 2


async def serve(folder, delay, ready):
    files = {f"/{file.name}": file.read_bytes() for file in folder.iterdir() if file.is_file()}

    async def answer(reader, writer):
        try:
            while line := await reader.readline():
                while await reader.readline() not in (b"\r\n", b""):
                    pass
                path = line.split()[1].decode().split("?")[0]
                await asyncio.sleep(delay)
                body = files.get(path)
                status = b"404 Not Found" if body is None else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n\r\n" % len(body or b"") + (body or b""))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    ready(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def runnable(pid):
    """Nanoseconds that each worker thread ran or waited for a processor."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            if (task / "comm").read_text().startswith("pristine-worker"[:15]):
                ran, waited, _ = map(int, (task / "schedstat").read_text().split())
                found[task.name] = ran, waited
        except OSError:
            pass
    return found


def run(pristine, dataset, *options):
    """Runs the command and samples its workers from their start to the last moment they are there."""
    process = subprocess.Popen([*pristine, "score", dataset, "--workers", str(WORKERS), "--allow-private-hosts", *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    first = last = None
    error = []
    reading = threading.Thread(target=lambda: error.append(process.stderr.read()))
    reading.start()
    while process.poll() is None:
        now, tasks = time.monotonic_ns(), runnable(process.pid)
        if len(tasks) == WORKERS:
            first = first or (now, tasks)
            last = now, tasks
        time.sleep(.02)
    reading.join()
    if process.returncode != 0 or first is None:
        sys.exit(f"remote: the command failed: {error[0].decode()}")
    wall = last[0] - first[0]
    share = [(sum(last[1][task]) - sum(first[1][task])) / wall for task in first[1] if task in last[1]]
    ran = sum(last[1][task][0] - first[1][task][0] for task in first[1] if task in last[1])
    return wall / 1e9, sum(share) / len(share), ran / 1e9, error[0].decode().strip().splitlines()[-1]


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: bench/remote.py FOLDER [COUNT] [DELAY_MS]")
    folder = pathlib.Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    delay = float(sys.argv[3]) / 1000 if len(sys.argv) > 3 else .05
    pristine = shlex.split(os.environ.get("PRISTINE", "/tmp/pristine/pristine"))
    names = sorted(file.name for file in folder.iterdir() if file.is_file())
    reader, writer = os.pipe()
    server = os.fork()
    if server == 0:
        asyncio.run(serve(folder, delay, lambda port: os.write(writer, b"%d\n" % port)))
    try:
        port = int(os.fdopen(reader).readline())
        with tempfile.TemporaryDirectory() as work:
            # Each address and each path is another one, so that none is scored once for several items.
            remote, local = pathlib.Path(work, "remote.jsonl"), pathlib.Path(work, "local.jsonl")
            remote.write_text("".join(f'{{"image": "http://127.0.0.1:{port}/{names[i % len(names)]}?{i}"}}\n' for i in range(count)))
            for i in range(count):
                os.symlink((folder / names[i % len(names)]).resolve(), pathlib.Path(work, f"{i}{pathlib.Path(names[i % len(names)]).suffix}"))
            local.write_text("".join(f'{{"image": "{i}{pathlib.Path(names[i % len(names)]).suffix}"}}\n' for i in range(count)))
            print(f"{count} images, {delay * 1000:.0f} ms per answer, {WORKERS} workers, load {os.getloadavg()[0]:.1f}")
            for what, dataset, options in (
                ("files, brisque", local, ["--metrics", "brisque"]),
                ("http, brisque", remote, ["--metrics", "brisque"]),
                ("http, width alone", remote, ["--metrics", "width"]),
            ):
                wall, share, ran, said = run(pristine, str(dataset), *options)
                print(f"{what:18} {wall:7.2f} s  {count / wall:6.0f} images/s  workers runnable {share:6.1%}  on a processor {ran:6.2f} s   {said}")
    finally:
        os.kill(server, 9)
        os.waitpid(server, 0)


if __name__ == "__main__":
    main()
