"""Scores the images of a folder with Dask and writes a file of JSON lines per partition.

Two processes on this machine, or a cluster that is there:

    python samples/cluster/dask_scores.py photos out/scores --processes 2
    python samples/cluster/dask_scores.py photos out/scores --scheduler tcp://head:8786

The package pristine_iqa is installed on every node, and every node reads the images by the same names. A partition whose process or node dies
is scored again by another.
"""

import argparse
import json
from pathlib import Path
from typing import List

import dask.bag
from distributed import Client, LocalCluster

from pristine_iqa.adapters.dask import score_partition

EXTENSIONS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif"}


def score(client: Client, images: List[str], out: str, metrics: str = "brisque", partitions: int = 8) -> List[str]:
    """Scores images on a cluster.

    Args:
        client: The cluster.
        images: Paths, readable on every node.
        out: Folder for the files of the partitions, ``0.part``, ``1.part``, ...; every node can write there.
        metrics: Names of metrics, separated by commas.
        partitions: Into how many parts the images are divided.

    Returns:
        The files.
    """
    bag = dask.bag.from_sequence(images, npartitions=min(partitions, len(images)))
    # One thread per worker of Dask: it has a process of Pristine of its own.
    rows = bag.map_partitions(score_partition, metrics, workers=1).map(json.dumps)
    client.gather(client.compute(rows.to_textfiles("%s/*.part" % out, compute=False)))
    return ["%s/%d.part" % (out, i) for i in range(bag.npartitions)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="searched recursively")
    parser.add_argument("out")
    parser.add_argument("--metrics", default="brisque")
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--scheduler", help="address of a cluster; default: processes on this machine")
    given = parser.parse_args()
    images = sorted(str(path.resolve()) for path in given.folder.rglob("*") if path.suffix.lower() in EXTENSIONS)
    if not images:
        raise SystemExit("Expected images in %s; found none." % given.folder)
    cluster = given.scheduler or LocalCluster(n_workers=given.processes, threads_per_worker=1, dashboard_address=None)
    with Client(cluster) as client:
        files = score(client, images, given.out, given.metrics, given.partitions)
    if not given.scheduler:
        cluster.close()
    print("%d images -> %d files in %s" % (len(images), len(files), given.out))


if __name__ == "__main__":
    main()
