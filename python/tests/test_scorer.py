import itertools
import os
import pickle
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import PHOTOS

import pristine_iqa
from pristine_iqa import RequestError, Scorer, WorkerError


def test_one_image_after_the_other_has_the_scores_of_the_program(photos, expected):
    with Scorer("brisque,sharpness") as scorer:
        for path in photos:
            row = scorer.score(path)
            assert {name: row[name] for name in ("id", "status", "brisque", "sharpness", "brisque_quality")} == {
                name: expected[path][name] for name in ("id", "status", "brisque", "sharpness", "brisque_quality")
            }


def test_many_come_in_order_and_are_read_as_they_are_needed(photos, expected):
    read = []

    def endless():
        for path in itertools.cycle(photos):
            read.append(path)
            yield path

    with Scorer(workers=2) as scorer:
        rows = list(itertools.islice(scorer.score_many(endless()), 200))
    assert [row["id"] for row in rows] == list(itertools.islice(itertools.cycle(photos), 200))
    assert [row["brisque"] for row in rows] == [expected[row["id"]]["brisque"] for row in rows]
    assert len(read) <= 200 + 2 * 32


def test_rows_do_not_wait_for_images_that_come_slowly(photos):
    given = []
    steps = []

    with Scorer() as scorer:

        def slow():
            for path in photos[:5]:
                steps.append(len(given))
                yield path
                while scorer._worker.pending:
                    time.sleep(0.01)

        for row in scorer.score_many(slow()):
            given.append(row)
    # Each image finds the rows of those before it given, save that of the last one.
    assert all(count >= step - 1 for step, count in enumerate(steps))
    assert len(given) == 5


def test_threads_share_a_scorer(photos, expected):
    with Scorer() as scorer, ThreadPoolExecutor(8) as threads:
        for path, row in zip(photos * 5, threads.map(scorer.score, photos * 5)):
            assert (row["id"], row["brisque"]) == (path, expected[path]["brisque"])


def test_a_future_is_given_before_its_row_is_known(photos):
    with Scorer() as scorer:
        futures = [scorer.submit(path) for path in photos]
        assert not futures[0].cancel()
        assert [future.result()["id"] for future in futures] == photos


def test_bytes_have_a_name_where_one_is_given():
    content = (PHOTOS / "leaf.jpg").read_bytes()
    with Scorer() as scorer:
        assert scorer.score(content, name='a "leaf" é')["id"] == 'a "leaf" é'
        assert scorer.score({"bytes": content, "path": "leaf.jpg"})["image"] == "leaf.jpg"
        assert scorer.score(memoryview(content))["status"] == "ok"
        assert scorer.score(b"no picture")["status"] == "unreadable"


def test_it_tells_what_it_computes():
    with Scorer("brisque,min_side", workers=3, features="brisque-live") as scorer:
        assert [metric["name"] for metric in scorer.metrics][:2] == ["brisque", "min_side"]
        assert scorer.metrics[0]["direction"] == "lower_is_better" and scorer.metrics[0]["high"] == 100
        assert scorer.columns["brisque"] == "FLOAT" and scorer.columns["key"] == "BIGINT"
        assert scorer.workers == 3
        assert scorer.program.startswith("pristine ")
        row = scorer.score(PHOTOS / "leaf.jpg")
        assert len(row["brisque-live_features"]) == 36


def test_records_have_a_row_for_each_image():
    record = {"id": 7, "images": [str(PHOTOS / "leaf.jpg"), "nowhere.jpg"], "score": float("nan")}
    with Scorer() as scorer:
        assert [row["status"] for row in scorer.score_record(record)] == ["ok", "missing"]
        assert [[row["status"] for row in rows] for rows in scorer.score_records([record, {"text": "words"}])] == [["ok", "missing"], ["no_image"]]
        with pytest.raises(RequestError, match="Expected a record of JSON values"):
            scorer.score_record({"image": object()})
        with pytest.raises(RequestError, match="Expected a record, a mapping; found list"):
            scorer.score_record([1])


def test_one_that_is_no_image_does_not_disturb_the_others(photos):
    with Scorer() as scorer:
        rows = scorer.score_many([photos[0], 3, photos[1]])
        assert next(rows)["id"] == photos[0]
        with pytest.raises(RequestError, match="found int"):
            next(rows)
        with pytest.raises(RequestError, match="an empty one"):
            scorer.score("")
        assert scorer.score(photos[1])["status"] == "ok"


@pytest.mark.skipif(os.name == "nt", reason="Names of files are Unicode there.")
def test_a_name_that_is_not_utf8_is_scored(tmp_path):
    path = os.fsencode(tmp_path) + b"/leaf-\xff.jpg"
    with open(path, "wb") as file:
        file.write((PHOTOS / "leaf.jpg").read_bytes())
    with Scorer() as scorer:
        assert scorer.score(os.fsdecode(path))["status"] == "ok"
        assert scorer.score(os.fsdecode(path) + "2")["status"] == "missing"


def test_a_closed_scorer_says_so():
    scorer = Scorer()
    future = scorer.submit(PHOTOS / "leaf.jpg")
    scorer.close()
    scorer.close()
    assert future.result()["status"] == "ok"
    with pytest.raises(WorkerError, match="This Scorer is closed"):
        scorer.score(PHOTOS / "leaf.jpg")


@pytest.mark.skipif(os.name == "nt", reason="Kills with a signal.")
def test_a_worker_that_dies_is_told_of_and_never_started_again(photos):
    with Scorer() as scorer:
        process = scorer._worker.process
        os.kill(process.pid, signal.SIGSTOP)
        waiting = [scorer.submit(path) for path in photos[:3]]
        os.kill(process.pid, signal.SIGKILL)
        for future in waiting:
            with pytest.raises(WorkerError, match="The worker ended by signal 9") as failure:
                future.result()
            assert failure.value.exit_code == -9
        for _ in range(2):
            with pytest.raises(WorkerError, match="The worker ended by signal 9"):
                scorer.score(photos[0])


@pytest.mark.parametrize("answer, message", [
    (b"{}", "is not understood: KeyError\\('request'\\)"),
    (b"broken", "is not understood: JSONDecodeError"),
    (b"[]", "is not understood"),
    (b'{"request":7}', "answered another request"),
])
def test_an_answer_that_is_none_ends_all_that_wait(tmp_path, monkeypatch, answer, message):
    hello = b'{"request":1,"hello":{"protocol":1,"program":"p","workers":1,"metrics":[],"columns":[]}}'
    program = tmp_path / "program"
    program.write_text("#!%s\nimport sys\nfor answer in %r:\n    sys.stdin.readline()\n    print(answer, flush=True)\nsys.stdin.read()\n" % (
        sys.executable, [hello.decode(), answer.decode()]))
    program.chmod(0o755)
    monkeypatch.setenv("PRISTINE_PROGRAM", str(program))
    with Scorer() as scorer:
        futures = [scorer.submit("a.jpg"), scorer.submit("b.jpg")]
        for future in futures:
            with pytest.raises(WorkerError, match=message):
                future.result()


def test_an_exception_in_the_block_ends_the_worker_at_once(photos):
    with pytest.raises(KeyError, match="mine"):
        with Scorer() as scorer:
            for path in photos * 20:
                scorer.submit(path)
            raise KeyError("mine")
    assert scorer._worker.process.poll() is not None


def test_a_scorer_that_is_forgotten_is_warned_of_and_ended():
    scorer = Scorer()
    process = scorer._worker.process
    with pytest.warns(ResourceWarning, match="A Scorer was not closed"):
        del scorer
    assert process.wait(20) is not None


def test_it_cannot_be_pickled():
    with Scorer() as scorer, pytest.raises(TypeError, match="A Scorer cannot be pickled"):
        pickle.dumps(scorer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Needs fork.")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_is_told_to_make_its_own():
    with Scorer() as scorer:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                scorer.score(PHOTOS / "leaf.jpg")
            except WorkerError as error:
                os.write(writing, str(error).encode())
            finally:
                scorer.close()
                os._exit(0)
        os.waitpid(child, 0)
        assert b"make one in each process" in os.read(reading, 1000)
        os.close(reading)
        os.close(writing)
        assert scorer.score(PHOTOS / "leaf.jpg")["status"] == "ok"


def test_large_images_in_memory_do_not_pile_up():
    numpy = pytest.importorskip("numpy")
    made = []

    def images():
        for _ in range(6):
            made.append(1)
            yield numpy.zeros((3000, 4000, 3), "uint8")

    with Scorer("width", workers=2) as scorer:
        rows = scorer.score_many(images())
        next(rows)
        # 36 MB each, 48 as base64: one or two under way, not all six.
        assert len(made) <= 3
        assert [row["width"] for row in rows] == [4000] * 5


def test_the_worker_ends_with_the_program_that_started_it():
    import subprocess

    code = "import pristine_iqa, os; s = pristine_iqa.Scorer(); print(s._worker.process.pid, flush=True); os._exit(0)"
    pid = int(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout)
    for _ in range(300):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        # A process that nobody waits for stays as a zombie where no init runs.
        with open("/proc/%d/stat" % pid) as stat:
            if stat.read().rpartition(")")[2].split()[0] == "Z":
                return
        time.sleep(0.1)
    pytest.fail("The worker still runs.")


def test_reading_threads_end_with_their_scorers():
    before = threading.active_count()
    for _ in range(3):
        with Scorer() as scorer:
            scorer.score(PHOTOS / "leaf.jpg")
    assert threading.active_count() == before


def test_what_the_worker_says_is_logged(caplog):
    with Scorer() as scorer:
        scorer._worker._stderr.write(b"beware")
        scorer._worker._stderr.flush()
    assert "beware" in caplog.text
    assert pristine_iqa.__version__ in scorer.program
