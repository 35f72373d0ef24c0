"""A running worker, asked for one image after the other."""

import atexit
import base64
import json
import logging
import os
import subprocess
import tempfile
import threading
import time
import warnings
from collections import deque
from concurrent.futures import Future
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from ._images import at, name_of, request_of
from ._program import Names, PathLike, find_program, message, scoring_arguments, texts
from .errors import PristineError, RequestError, WorkerError

Row = Dict[str, Any]
"""A row: a value for every column that docs/tables.md lists, and for each metric; None where it is missing."""

PROTOCOL = 1
"""The version of the worker's protocol (docs/worker.md) that this package speaks."""

_log = logging.getLogger("pristine_iqa")
_MAX_LINE_MEGABYTES = 512
_HELD_BYTES = 64 << 20
_SECONDS_TO_END = 5.0


class _Worker:
    """The process, the requests that wait for their answers, and the thread that reads these."""

    def __init__(self, arguments: List[str]):
        command = [find_program(), "worker"] + arguments
        # A session of its own: Ctrl-C is for the Python program, which then closes the worker.
        options: Dict[str, Any] = {"start_new_session": True} if os.name != "nt" else {}
        self._stderr = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, **options)
        except OSError as error:
            self._stderr.close()
            raise WorkerError("The worker cannot be started: %s" % error, 1) from error
        self.pid = os.getpid()
        self.closing = False
        self._end: Optional[WorkerError] = None
        self._sequence = 0
        self._pending: Deque[Tuple[int, "Future[Any]", Callable[[Dict[str, Any]], Any]]] = deque()
        self._lock = threading.Lock()
        self.reader = threading.Thread(target=self._read, name="pristine-reader", daemon=True)
        self.reader.start()

    def ask(self, content: bytes, answer: Callable[[Dict[str, Any]], Any]) -> "Future[Any]":
        """Sends a request, whose fields are given without the braces, and promises what ``answer`` makes of the reply."""
        if os.getpid() != self.pid:
            raise WorkerError(
                "This Scorer belongs to process %d and cannot be used in process %d, which was forked from it; make one in each process."
                % (self.pid, os.getpid()),
                1,
            )
        future: "Future[Any]" = Future()
        # It cannot be cancelled any more: the worker answers in order.
        future.set_running_or_notify_cancel()
        with self._lock:
            if self.closing:
                raise WorkerError("This Scorer is closed.", 0)
            if self._end is not None:
                raise self._end.with_traceback(None)
            self._sequence += 1
            self._pending.append((self._sequence, future, answer))
            try:
                stdin = self.process.stdin
                assert stdin is not None
                stdin.write(b'{"request":%d,%b}\n' % (self._sequence, content))
                stdin.flush()
            except (BrokenPipeError, OSError):
                # It has ended; the reader finds out why and tells all who wait.
                pass
        return future

    @property
    def pending(self) -> int:
        return len(self._pending)

    def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        broken: Optional[str] = None
        for line in stdout:
            broken = self._answer(line)
            if broken is not None:
                break
        if broken is not None:
            self.process.kill()
        code = self.process.wait()
        said = self.said()
        if broken is None:
            broken = message(said, "") if code not in (0, 3) else ""
            broken = "The worker ended%s%s" % (_how(code, self.closing), ": " + broken if broken else ".")
        end = WorkerError(broken, code)
        with self._lock:
            self._end = end
            waiting = list(self._pending)
            self._pending.clear()
        for _, future, _ in waiting:
            if not future.done():
                future.set_exception(end)

    def _answer(self, line: bytes) -> Optional[str]:
        """Gives a reply to who waits for it, the first in the line.

        Returns:
            None, or why the reply is not one to that request.
        """
        if not self._pending:
            return "The worker answered what was not asked."
        sequence, future, answer = self._pending[0]
        try:
            reply = json.loads(line)
            if reply.pop("request") != sequence:
                return "The worker answered another request than the one that was next."
            result = None if reply.get("status") == "bad_request" else answer(reply)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            return "The worker's answer is not understood: %r" % error
        if result is None:
            future.set_exception(RequestError(reply["error"]))
        else:
            future.set_result(result)
        self._pending.popleft()
        return None

    def said(self) -> str:
        """What the program has written to its standard error."""
        try:
            self._stderr.seek(0)
            return self._stderr.read().decode("utf-8", "replace")
        except ValueError:
            return ""

    def end_input(self) -> None:
        with self._lock:
            self.closing = True
            try:
                assert self.process.stdin is not None
                self.process.stdin.close()
            except OSError:
                pass

    def kill(self) -> None:
        self.closing = True
        self.process.kill()

    def abandon(self) -> None:
        """Ends it without waiting for answers."""
        self.kill()
        self.reader.join(_SECONDS_TO_END)
        self.release()

    def release(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self._stderr):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass


def _how(code: int, is_closing: bool) -> str:
    if code < 0:
        return " by signal %d" % -code
    return "" if is_closing else " with exit code %d" % code


class Scorer:
    """Scores images one at a time, or many in parallel, with metrics that are loaded once.

    It starts the program's worker (docs/worker.md) and ends it with :meth:`close` or at the end of a ``with`` block. All methods may be
    called by several threads at the same time. A worker that ends by itself is not started again: every call raises
    :class:`WorkerError` from then on. A forked process needs a Scorer of its own.

    Args:
        metrics: Names of metrics, separated by commas or as a sequence; ``pristine metrics`` lists them.
        cascade: Rules on cheap metrics, for example ``"brisque <= 60"``: an image that fails one is not scored by the metrics that the
            rule does not name; ``skipped`` says so.
        features: Features to keep as columns of vectors, ``NAME_features``.
        heads: Files that ``pristine fit`` made; each adds the metric ``resnet50@NAME``.
        networks: Manifests of ONNX networks (docs/networks.md).
        device: ``cpu`` or ``cuda:N``; None takes ``PRISTINE_DEVICE``, else the processor.
        workers: Images scored at a time; None takes one per core.
        image_root: Folder of relative paths; None takes the current folder at this moment.
        image_field: The field of records that names their images; None searches for it.
        max_megapixels: Larger images (in millions of pixels) get the status ``too_large``; None takes 200.
        image_timeout: Images whose decoding takes longer (in seconds) get the status ``timeout``; None takes 300.
        keep_truncated: Whether what is there of a cut-off image is scored, with the status ``partial``.

    Raises:
        ProgramNotFound: The program is not installed.
        WorkerError: The worker did not start: a metric is not known, or its model is not installed.
    """

    def __init__(
        self,
        metrics: Names = "brisque",
        *,
        cascade: Names = (),
        features: Names = (),
        heads: Names = (),
        networks: Names = (),
        device: Optional[str] = None,
        workers: Optional[int] = None,
        image_root: Optional[PathLike] = None,
        image_field: Optional[str] = None,
        max_megapixels: Optional[float] = None,
        image_timeout: Optional[float] = None,
        keep_truncated: bool = False,
    ):
        arguments = scoring_arguments(
            metrics=metrics,
            cascade=cascade,
            heads=heads,
            networks=networks,
            device=device,
            workers=workers,
            image_root=image_root,
            image_field=image_field,
            max_megapixels=max_megapixels,
            image_timeout=image_timeout,
            keep_truncated=keep_truncated,
        )
        for feature in texts(features):
            arguments += ["--features", feature]
        arguments += ["--max-line-megabytes", str(_MAX_LINE_MEGABYTES)]
        self._worker = _Worker(arguments)
        try:
            self._hello: Dict[str, Any] = self._worker.ask(b'"hello":%d' % PROTOCOL, lambda reply: reply["hello"]).result()
        except BaseException:
            self._worker.abandon()
            raise

    @property
    def metrics(self) -> List[Dict[str, Any]]:
        """The metrics: ``name``, ``version``, ``model_sha256``, ``direction``, ``low``, ``high``, ``unit``, ``quality_column``."""
        return list(self._hello["metrics"])

    @property
    def columns(self) -> Dict[str, str]:
        """The columns of a row with their SQL types, in order."""
        return {column["name"]: column["type"] for column in self._hello["columns"]}

    @property
    def workers(self) -> int:
        """Images scored at a time."""
        return int(self._hello["workers"])

    @property
    def program(self) -> str:
        """Name and version of the program, for example ``pristine 0.1.0``."""
        return str(self._hello["program"])

    def submit(self, image: Any, *, name: Optional[str] = None) -> "Future[Row]":
        """Asks for an image and does not wait.

        Args:
            image: A path, the bytes of an image file, a PIL image, an array of 8-bit samples, or a mapping with ``bytes`` or ``path``.
            name: What the row calls an image of bytes, in ``id`` and ``image``.

        Returns:
            The row, as soon as it is known. It cannot be cancelled.

        Raises:
            RequestError: It is no image.
            WorkerError: The worker has ended, or the Scorer is closed.
        """
        return self._submit(image, name)[0]

    def score(self, image: Any, *, name: Optional[str] = None) -> Row:
        """Scores one image.

        Args:
            image: As for :meth:`submit`.
            name: As for :meth:`submit`.

        Returns:
            The row. ``status`` is ``ok`` where every metric has a score; otherwise ``error`` says why not.

        Raises:
            RequestError: It is no image, or it has more than 380 MB of bytes.
            WorkerError: The worker has ended, or the Scorer is closed.
        """
        return self.submit(image, name=name).result()

    def score_many(self, images: Iterable[Any]) -> Iterator[Row]:
        """Scores images in parallel; memory does not grow with their number.

        Args:
            images: Images as for :meth:`submit`; read while the rows are taken.

        Yields:
            The rows, in the order of the images.

        Raises:
            RequestError: One of them is no image; it says which. The rows before it are given first.
            WorkerError: The worker has ended, or the Scorer is closed.
        """
        return self.score_numbered(enumerate(images))

    def score_numbered(self, images: Iterable[Tuple[int, Any]]) -> Iterator[Row]:
        """As :meth:`score_many`, of images with their positions, which errors name: for lists in which some are missing."""
        return self._stream(images, self._submit_any)

    def score_record(self, record: Mapping[str, Any]) -> List[Row]:
        """Scores the images of a record (LLaVA, PaddleMIX MM and MIX, chat messages, ...).

        Args:
            record: A record as a line of a JSONL dataset has it.

        Returns:
            A row per image; one with the status ``no_image`` for a record without any.

        Raises:
            RequestError: The record is no JSON object.
            WorkerError: The worker has ended, or the Scorer is closed.
        """
        return self._submit_record(record)[0].result()

    def score_records(self, records: Iterable[Mapping[str, Any]]) -> Iterator[List[Row]]:
        """Scores the images of records in parallel: a list as of :meth:`score_record` for each, in order."""
        return self._stream(enumerate(records), self._submit_record)

    def close(self) -> None:
        """Ends the worker, after the answers to what was asked. Does nothing the second time."""
        worker = self._worker
        if worker.pid != os.getpid():
            return
        worker.end_input()
        ended = time.monotonic()
        while worker.reader.is_alive():
            worker.reader.join(0.2)
            # A forked process may hold the other end of its input open.
            if worker.pending == 0 and time.monotonic() - ended > _SECONDS_TO_END:
                worker.kill()
        said = worker.said()
        if said.strip():
            _log.warning("pristine worker: %s", said.strip())
        worker.release()

    def __enter__(self) -> "Scorer":
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not None and self._worker.pid == os.getpid():
            # Nobody waits for what is under way.
            self._worker.kill()
        self.close()

    def __del__(self) -> None:
        worker = getattr(self, "_worker", None)
        if worker is not None and not worker.closing and worker.pid == os.getpid():
            warnings.warn("A Scorer was not closed; use it in a 'with' block.", ResourceWarning, source=self)
            worker.abandon()

    def __reduce__(self) -> Any:
        raise TypeError("A Scorer cannot be pickled: it is a running program. Make one in each process; pristine_iqa.adapters does.")

    def _submit(self, image: Any, name: Optional[str]) -> Tuple["Future[Row]", int]:
        path, content = request_of(image)
        if path is not None:
            return self._worker.ask(b'"path":' + json.dumps(path).encode(), _row), len(path)
        assert content is not None
        encoded = base64.b64encode(content)
        if len(encoded) > (_MAX_LINE_MEGABYTES << 20) - 4096:
            raise RequestError("Expected an image of at most %d MB; found %d MB of bytes." % (380, len(content) // 10**6))
        name = name or name_of(image)
        named = b',"name":' + json.dumps(name).encode() if name else b""
        return self._worker.ask(b'"bytes":"' + encoded + b'"' + named, _row), len(encoded)

    def _submit_any(self, image: Any) -> Tuple["Future[Row]", int]:
        return self._submit(image, None)

    def _submit_record(self, record: Mapping[str, Any]) -> Tuple["Future[List[Row]]", int]:
        if not isinstance(record, Mapping):
            raise RequestError("Expected a record, a mapping; found %s." % type(record).__name__)
        try:
            text = json.dumps(dict(record), separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            raise RequestError("Expected a record of JSON values: %s" % error) from error
        return self._worker.ask(b'"record":' + text, _rows), len(text)

    def _stream(self, inputs: Iterable[Tuple[int, Any]], submit: Callable[[Any], Tuple["Future[Any]", int]]) -> Iterator[Any]:
        window: Deque[Tuple["Future[Any]", int, int]] = deque()
        most = 32 * self.workers
        held = 0
        for position, one in inputs:
            try:
                future, size = submit(one)
            except RequestError as error:
                # Told in its turn.
                future, size = Future(), 0
                future.set_exception(error)
            window.append((future, size, position))
            held += size
            # The images may come slower than the rows.
            while window and window[0][0].done():
                future, size, position = window.popleft()
                held -= size
                yield _result(future, position)
            if len(window) < most and held <= _HELD_BYTES:
                continue
            # Waking up for half of them at once costs less than for each.
            count = max(1, len(window) // 2)
            window[count - 1][0].exception()
            for _ in range(count):
                future, size, position = window.popleft()
                held -= size
                yield _result(future, position)
        while window:
            future, _, position = window.popleft()
            yield _result(future, position)


def _result(future: "Future[Any]", position: int) -> Any:
    try:
        return future.result()
    except RequestError as error:
        raise at(position, error) from error


def _row(reply: Dict[str, Any]) -> Row:
    return reply


def _rows(reply: Dict[str, Any]) -> List[Row]:
    rows: List[Row] = reply["rows"]
    return rows


_shared: Dict[Tuple[Any, ...], Scorer] = {}
_shared_lock = threading.Lock()


def shared_scorer(**options: Any) -> Scorer:
    """The Scorer of this process with these options, for functions that are pickled, forked or called for one image at a time.

    It is made at the first use, also once for each current folder, and ends with the process or with :func:`close_shared`.
    """
    key = (os.getpid(), os.getcwd()) + tuple(sorted((name, _frozen(value)) for name, value in options.items()))
    with _shared_lock:
        scorer = _shared.get(key)
        if scorer is None:
            scorer = _shared[key] = Scorer(**options)
        return scorer


def close_shared() -> None:
    """Closes the Scorers that :func:`shared_scorer` has made in this process."""
    with _shared_lock:
        mine = [key for key in _shared if key[0] == os.getpid()]
        scorers = [_shared.pop(key) for key in mine]
    for scorer in scorers:
        try:
            scorer.close()
        except PristineError:
            _log.exception("A worker could not be closed.")


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _after_fork() -> None:
    # The parent's workers are not this process's; and its lock may be held by a thread that is not here.
    global _shared_lock
    _shared_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

atexit.register(close_shared)
