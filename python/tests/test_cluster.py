"""The example samples/cluster/dask_scores.py on a cluster of two processes, of which one dies in the middle; and what docs/cluster.md shows."""

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SAMPLES

distributed = pytest.importorskip("distributed")
bag = pytest.importorskip("dask.bag")
dask = pytest.importorskip("dask")

sys.path.insert(0, str(SAMPLES / "cluster"))
# Warnings of Dask about its own libraries.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
dask_scores = importlib.import_module("dask_scores")
PATIENCE = "900s"


@pytest.fixture
def client(monkeypatch):
    # The processes of the cluster import this file by its name.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    # A busy machine is no dead one.
    patience = {"distributed.comm.timeouts.%s" % kind: PATIENCE for kind in ("connect", "tcp")}
    with dask.config.set(patience, **{"distributed.scheduler.worker-ttl": None}), distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster, distributed.Client(cluster) as client:
        yield client


def rows_of(files):
    """The rows of files in their order; what counts requests is left out."""
    rows = [json.loads(line) for file in files for line in Path(file).read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in row.items() if name != "key"} for row in rows]


def right(photos, expected, metrics):
    return [(expected[path]["status"], *(expected[path][metric] for metric in metrics)) for path in photos]


def test_the_example_gives_what_the_command_gives(client, photos, expected, tmp_path):
    files = dask_scores.score(client, photos, str(tmp_path / "scores"), "brisque,sharpness", partitions=4)
    assert files == [str(tmp_path / "scores" / ("%d.part" % i)) for i in range(4)]
    rows = rows_of(files)
    assert [row["id"] for row in rows] == photos
    assert [(row["status"], row["brisque"], row["sharpness"]) for row in rows] == right(photos, expected, ["brisque", "sharpness"])


def test_the_example_runs_as_a_command(photos, expected, tmp_path):
    out = tmp_path / "scores"
    patience = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__%s" % kind: PATIENCE for kind in ("CONNECT", "TCP")}
    done = subprocess.run(
        [sys.executable, str(SAMPLES / "cluster" / "dask_scores.py"), str(SAMPLES / "photos"), str(out), "--partitions", "3"],
        env=dict(os.environ, **patience), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, universal_newlines=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "%d images -> 3 files in %s\n" % (len(photos), out)
    rows = rows_of(out / ("%d.part" % i) for i in range(3))
    assert [(row["status"], row["brisque"]) for row in rows] == right(photos, expected, ["brisque"])


def score_but_die_once(images, marker):
    """Scores a partition; the first process that comes to the partition of ``leaf.jpg`` kills itself when it has its scores."""
    from pristine_iqa.adapters.dask import score_partition

    images = list(images)
    rows = score_partition(images, "brisque", workers=1)
    if any(image.endswith("leaf.jpg") for image in images):
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return rows
        os.kill(os.getpid(), signal.SIGKILL)
    return rows


def test_a_process_that_dies_loses_no_row(client, photos, expected, tmp_path):
    marker = tmp_path / "died"
    rows = bag.from_sequence(photos, npartitions=6).map_partitions(score_but_die_once, str(marker))
    rows = client.compute(rows).result()
    assert marker.exists()
    assert [row["id"] for row in rows] == photos
    assert [(row["status"], row["brisque"]) for row in rows] == right(photos, expected, ["brisque"])
