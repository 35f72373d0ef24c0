"""Whole datasets at once: score, filter, check."""

import json
import os
import subprocess
import tempfile
import warnings
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from ._program import Names, PathLike, find_program, message, names, scoring_arguments, texts
from .errors import CommandError, PristineWarning, RequestError
from .frames import check_format, frame
from .scorer import Row, Scorer


def score(
    images: Any,
    metrics: Names = "brisque",
    *,
    format: str = "pandas",
    cascade: Names = (),
    heads: Names = (),
    networks: Names = (),
    device: Optional[str] = None,
    workers: Optional[int] = None,
    image_root: Optional[PathLike] = None,
    image_field: Optional[str] = None,
    max_megapixels: Optional[float] = None,
    image_timeout: Optional[float] = None,
    keep_truncated: bool = False,
) -> Any:
    """Scores images.

    Args:
        images: One of

            - the path of a folder (searched recursively), an image, or a dataset (.json, .jsonl, .csv, .tar, ...), or a glob;
            - images, in any iterable: paths, bytes of image files, PIL images, arrays of 8-bit samples, mappings with ``bytes`` or ``path``;
            - records, in any iterable of other mappings, which name their images as the lines of a JSONL dataset do;
            - a pandas DataFrame or a Hugging Face ``Dataset``, whose images stand in the column ``image_field`` (None: ``image``).
        metrics: Names of metrics, separated by commas or as a sequence; ``pristine metrics`` lists them.
        format: ``pandas`` for a DataFrame, ``arrow`` for a ``pyarrow.Table``, ``dict`` for a list per column, ``rows`` for a list of dicts.
        cascade, heads, networks, device, workers, image_root, image_field, max_megapixels, image_timeout, keep_truncated:
            As for :class:`~pristine_iqa.Scorer`.

    Returns:
        One row per image with the columns of docs/tables.md, then for each metric ``NAME``, its score in its own range, and
        ``NAME_quality`` from 0 to 1, 1 best. An image that could not be scored is a row too: ``status`` and ``error`` say why.

    Raises:
        CommandError: The dataset cannot be read, a metric is not known, or its model is not installed.
        MissingDependency: pandas or pyarrow is not installed.
        RequestError: One of the images is none.
        ProgramNotFound: The program is not installed.
    """
    check_format(format)
    options: Dict[str, Any] = {
        "metrics": metrics,
        "cascade": cascade,
        "heads": heads,
        "networks": networks,
        "device": device,
        "workers": workers,
        "image_root": image_root,
        "image_field": image_field,
        "max_megapixels": max_megapixels,
        "image_timeout": image_timeout,
        "keep_truncated": keep_truncated,
    }
    if isinstance(images, (str, os.PathLike)):
        arguments = ["score", _argument(images), "--format", "jsonl"] + scoring_arguments(**options)
        return frame(_rows_of(arguments), format, scores=names(metrics))
    if isinstance(images, (bytes, bytearray, memoryview)):
        images = [images]
    if not isinstance(images, Iterable):
        raise RequestError("Expected the path of a dataset, or images in an iterable; found %s." % type(images).__name__)
    images = _of_table(images, image_field or "image")
    with Scorer(**options) as scorer:
        return frame(_score_all(scorer, images), format, scorer.columns)


class FilterResult:
    """What :func:`filter` has kept, and why not the rest.

    Attributes:
        kept: Number of items that are kept.
        dropped: Number of items that are dropped.
        out: The file or folder with the kept items; None where none was asked for.
        items: The kept items where no ``out`` was asked for: paths for images, dicts for records; otherwise None.
        ledger: An entry for every item, in order: ``index``, ``id``, ``image``, ``kept``, ``status``, ``rule``, ``column``, ``value``,
            ``threshold``, ``margin``, ``reason``.
    """

    def __init__(self, out: Optional[str], items: Optional[List[Any]], ledger: List[Dict[str, Any]]):
        self.out = out
        self.items = items
        self.ledger = ledger
        self.kept = sum(1 for entry in ledger if entry["kept"])
        self.dropped = len(ledger) - self.kept

    def frame(self, format: str = "pandas") -> Any:
        """The ledger as ``pandas``, ``arrow``, ``dict`` or ``rows``."""
        types = {
            "index": "BIGINT", "id": "VARCHAR", "image": "VARCHAR", "kept": "BOOLEAN", "status": "VARCHAR", "rule": "VARCHAR",
            "column": "VARCHAR", "value": "DOUBLE", "threshold": "DOUBLE", "margin": "DOUBLE", "reason": "VARCHAR",
        }
        return frame(self.ledger, format, types)

    def __repr__(self) -> str:
        return "FilterResult(kept=%d, dropped=%d, out=%r)" % (self.kept, self.dropped, self.out)


def filter(
    images: Any,
    keep: Names = (),
    *,
    drop: Names = (),
    drop_issue: Names = (),
    thresholds: Optional[Mapping[str, float]] = None,
    dedup: Optional[str] = None,
    keep_best: Optional[str] = None,
    per: Optional[str] = None,
    min_quality: Optional[float] = None,
    max_quality: Optional[float] = None,
    by: Optional[str] = None,
    keep_top: Union[str, int, None] = None,
    limit: Optional[int] = None,
    several: Optional[str] = None,
    no_image: Optional[str] = None,
    out: Optional[PathLike] = None,
    heads: Names = (),
    networks: Names = (),
    device: Optional[str] = None,
    workers: Optional[int] = None,
    image_root: Optional[PathLike] = None,
    image_field: Optional[str] = None,
    max_megapixels: Optional[float] = None,
    image_timeout: Optional[float] = None,
    keep_truncated: bool = False,
) -> FilterResult:
    """Keeps the images or records that pass rules.

    Args:
        images: The path of a folder, a dataset or a glob; or paths in any iterable.
        keep: Rules that a kept item fulfils, for example ``"brisque <= 40 and min_side >= 256"`` (docs/rules.md); all must hold.
        drop: Rules that no kept item fulfils.
        drop_issue: Issues that no kept image has, for example ``"dark,blurry"``; :func:`check` knows them all.
        thresholds: Thresholds of issues instead of their defaults.
        dedup: Keep one of several duplicates: ``exact`` (same bytes) or ``near`` (perceptual hashes that differ in at most 4 bits, ``near:6`` for 6).
        keep_best: With ``dedup``, the column that says which duplicate is kept; None keeps the first.
        per: ``dedup`` and ``keep_top`` hold within each value of this column.
        min_quality, max_quality: Least and most quality, 0 to 1, of the metric ``by``.
        by: The metric of ``min_quality`` and ``max_quality``, or the column of ``keep_top``; None takes ``brisque``.
        keep_top: Keep the best ``N`` items, or the best ``"P%"``.
        limit: Keep at most so many, the first in the dataset.
        several: Items with several images: ``worst`` (every image must pass, the default), ``mean`` or ``best``.
        no_image: ``keep`` (the default) or ``drop`` items without an image.
        out: File for the kept items in the dataset's own format, byte for byte; None gives them as ``items`` of the result.
        heads, networks, device, workers, image_root, image_field, max_megapixels, image_timeout, keep_truncated:
            As for :class:`~pristine_iqa.Scorer`.

    Returns:
        The kept items and a ledger of all.

    Raises:
        CommandError: A rule is not understood, the dataset cannot be read, ``out`` cannot be written, or a model is not installed.
        ProgramNotFound: The program is not installed.
    """
    arguments = scoring_arguments(
        heads=heads, networks=networks, device=device, workers=workers, image_root=image_root, image_field=image_field,
        max_megapixels=max_megapixels, image_timeout=image_timeout, keep_truncated=keep_truncated,
    )
    for option, rules in (("--keep", keep), ("--drop", drop)):
        for rule in texts(rules):
            arguments += [option, rule]
    if names(drop_issue):
        arguments += ["--drop-issue", ",".join(names(drop_issue))]
    arguments += _thresholds(thresholds)
    for option, value in (
        ("--dedup", dedup), ("--keep-best", keep_best), ("--per", per), ("--min-quality", min_quality), ("--max-quality", max_quality), ("--by", by), ("--keep-top", keep_top), ("--limit", limit),
        ("--images", several), ("--no-image", no_image),
    ):
        if value is not None:
            arguments += [option, str(value)]
    source, given = _source(images)
    with tempfile.TemporaryDirectory(prefix="pristine-") as folder:
        ledger = os.path.join(folder, "ledger.jsonl")
        kept = os.fspath(out) if out is not None else os.path.join(folder, "kept" + _extension(source))
        _run(["filter", source, "--out", kept, "--ledger", ledger] + arguments, given)
        with open(ledger, encoding="utf-8") as lines:
            entries = [json.loads(line) for line in lines]
        return FilterResult(None if out is None else kept, _items(kept) if out is None else None, entries)


class CheckResult:
    """What :func:`check` has found.

    Attributes:
        images: Number of images.
        with_issue: How many of them have at least one of the issues.
        issues: An entry for every issue that was looked for: ``name``, ``summary``, ``rule`` (SQL that is true of the images which have it), ``threshold``
            where it has one, ``count``, ``share`` (0 to 1, of all images), ``not_judged`` (images without its scores), ``out_of_scope`` (those that it cannot
            judge: ``damaged`` small ones), ``examples`` (``id``, ``image``, ``value``), ``reason``, ``calibration``.
    """

    def __init__(self, found: Dict[str, Any]):
        self.images = int(found["images"])
        self.with_issue = int(found["with_issue"])
        self.issues: List[Dict[str, Any]] = found["issues"]

    def __getitem__(self, name: str) -> Dict[str, Any]:
        for issue in self.issues:
            if issue["name"] == name:
                return issue
        raise KeyError("Expected an issue that was looked for (%s); found %r." % (", ".join(issue["name"] for issue in self.issues), name))

    def frame(self, format: str = "pandas") -> Any:
        """The issues without their texts and examples, as ``pandas``, ``arrow``, ``dict`` or ``rows``."""
        types = {"name": "VARCHAR", "count": "BIGINT", "share": "DOUBLE", "threshold": "DOUBLE", "not_judged": "BIGINT", "out_of_scope": "BIGINT",
                 "rule": "VARCHAR", "summary": "VARCHAR"}
        return frame([{name: issue.get(name) for name in types} for issue in self.issues], format, types)

    def __repr__(self) -> str:
        found = sorted((issue for issue in self.issues if issue["count"]), key=lambda issue: -issue["count"])
        return "CheckResult(images=%d, with_issue=%d, %s)" % (
            self.images, self.with_issue, ", ".join("%s=%d" % (issue["name"], issue["count"]) for issue in found) or "none"
        )


def check(
    images: Any,
    issues: Names = (),
    *,
    thresholds: Optional[Mapping[str, float]] = None,
    examples: int = 3,
    device: Optional[str] = None,
    workers: Optional[int] = None,
    image_root: Optional[PathLike] = None,
    image_field: Optional[str] = None,
    max_megapixels: Optional[float] = None,
    image_timeout: Optional[float] = None,
    keep_truncated: bool = False,
) -> CheckResult:
    """Says what is wrong with the images of a dataset.

    Args:
        images: The path of a folder, a dataset, a glob or a score table; or paths in any iterable.
        issues: Issues to look for, separated by commas or as a sequence; none for the default ones.
        thresholds: Thresholds of issues instead of their defaults, for example ``{"dark": 0.3}``.
        examples: Images to name for each issue, 0 to 1000.
        device, workers, image_root, image_field, max_megapixels, image_timeout, keep_truncated: As for :class:`~pristine_iqa.Scorer`.

    Returns:
        The issues with their counts, rules and examples. ``filter(images, drop_issue=...)`` drops the images that have them.

    Raises:
        CommandError: The dataset cannot be read, or there is no such issue.
        ProgramNotFound: The program is not installed.
    """
    arguments = scoring_arguments(
        device=device, workers=workers, image_root=image_root, image_field=image_field, max_megapixels=max_megapixels, image_timeout=image_timeout,
        keep_truncated=keep_truncated,
    )
    if names(issues):
        arguments += ["--issues", ",".join(names(issues))]
    arguments += _thresholds(thresholds) + ["--examples", str(examples)]
    source, given = _source(images)
    return CheckResult(json.loads(_run(["check", source, "--format", "json"] + arguments, given)))


def _thresholds(thresholds: Optional[Mapping[str, float]]) -> List[str]:
    return [part for name, value in (thresholds or {}).items() for part in ("--set", "%s=%r" % (name, value))]


def _source(images: Any) -> Tuple[str, Optional[bytes]]:
    """The input of a command and what it reads from its standard input."""
    if isinstance(images, (str, os.PathLike)):
        return _argument(images), None
    # NUL stands in no path.
    return "-", b"".join(os.fsencode(path) + b"\0" for path in images)


def _score_all(scorer: Scorer, images: Iterable[Any]) -> Iterator[Row]:
    """Rows of images, or of the records that they are."""
    inputs = iter(images)
    first = next(inputs, None)
    if first is None:
        return iter(())
    inputs = chain([first], inputs)
    if isinstance(first, Mapping) and not _is_image(first):
        return chain.from_iterable(scorer.score_records(inputs))
    return scorer.score_many(inputs)


def _of_table(images: Iterable[Any], column: str) -> Iterable[Any]:
    """The images of a DataFrame or a Hugging Face dataset; anything else as it is."""
    if hasattr(images, "iterrows") and hasattr(images, "columns"):
        names = [str(name) for name in images.columns]
    elif hasattr(images, "column_names") and hasattr(images, "features"):
        names = list(images.column_names)
    else:
        return images
    if column not in names:
        raise RequestError("Expected a column of images, image_field, that is one of %s; found %r." % (", ".join(names), column))
    return images[column] if hasattr(images, "iterrows") else (row[column] for row in images)


def _is_image(mapping: Mapping[str, Any]) -> bool:
    """True for an image as Hugging Face datasets have it; records have other fields."""
    return bool(mapping) and set(mapping) <= {"bytes", "path"}


def _argument(path: PathLike) -> str:
    text = os.fspath(path)
    # An option must not be taken for it.
    return os.path.join(".", text) if text.startswith("-") else text


def _extension(source: str) -> str:
    lowered = source.lower()
    for extension in (".jsonl.gz", ".json.gz", ".csv.gz", ".tsv.gz", ".jsonl", ".json", ".csv", ".tsv", ".tar", ".parquet"):
        if lowered.endswith(extension) and not os.path.isdir(source):
            return extension
    return ".txt"


def _items(kept: str) -> Optional[List[Any]]:
    """The kept items of a list, JSON or JSONL; None for other formats, which need a file of their own."""
    if kept.endswith((".txt", ".json", ".jsonl")):
        with open(kept, "rb") as file:
            content = file.read()
        if kept.endswith(".json"):
            return list(json.loads(content))
        if kept.endswith(".jsonl"):
            return [json.loads(line) for line in content.splitlines() if line.strip()]
        separator = b"\0" if b"\0" in content else b"\n"
        return [os.fsdecode(path) for path in content.split(separator) if path]
    return None


def _run(arguments: List[str], given: Optional[bytes]) -> bytes:
    """Runs a command and gives what it has written."""
    done = subprocess.run([find_program()] + arguments, input=given if given is not None else b"", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _check(done.returncode, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def _rows_of(arguments: List[str]) -> Iterator[Row]:
    """The rows that a command writes as JSON lines."""
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen([find_program()] + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield json.loads(line)
        errors.seek(0)
        _check(process.returncode, errors.read().decode("utf-8", "replace"))


def _check(code: int, stderr: str) -> None:
    if code == 3:
        warnings.warn(message(stderr, "More images failed than should."), PristineWarning, stacklevel=4)
    elif code != 0:
        raise CommandError(message(stderr, "The program ended with exit code %d." % code), code)


__all__: Tuple[str, ...] = ("CheckResult", "FilterResult", "check", "filter", "score")
