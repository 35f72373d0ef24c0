"""Whole datasets at once: score, filter, check."""

import glob
import gzip
import json
import os
import subprocess
import tempfile
import warnings
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union
from urllib.parse import urlsplit

from ._program import Names, PathLike, find_program, message, names, scoring_arguments, texts, told_in
from .errors import CommandError, PristineWarning, RequestError
from .frames import check_format, frame
from .scorer import Row, Scorer


_NOTHING = object()


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
        RequestError: One of the images is none; the message says at which position.
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
        rows = list(_rows_of(["score", _argument(images), "--format", "jsonl"] + scoring_arguments(**options)))
        # What has no value in any row has no type either: the program knows it.
        types: Mapping[str, str] = {}
        if any(all(row.get(name) is None for row in rows) for name in (rows[0] if rows else [""])):
            with Scorer(**options) as scorer:
                types = scorer.columns
        return frame(rows, format, types if not rows else None, names(metrics), types)
    if _is_one(images):
        images = [images]
    if not isinstance(images, Iterable):
        raise RequestError("Expected the path of a dataset, or images in an iterable; found %s." % type(images).__name__)
    images = _of_table(images, image_field or "image")
    with Scorer(**options) as scorer:
        rows = list(_score_all(scorer, images))
        _warn_of_missing(rows)
        return frame(rows, format, scorer.columns)


class FilterResult:
    """What :func:`filter` has kept, and why not the rest.

    Attributes:
        kept: Number of items that are kept.
        dropped: Number of items that are dropped.
        out: The file or folder with the kept items; None where none was asked for.
        items: The kept items where no ``out`` was asked for: paths of images, dicts of the records of JSON (of COCO its ``images``). None with
            ``out``, and for other datasets (tables, archives, Hugging Face folders), of which the ledger tells.
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
        images: The path of a folder, a dataset or a glob; or paths in any iterable, or in the column ``image_field`` (None: ``image``) of a pandas
            DataFrame. :func:`score` takes images in memory.
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
        RequestError: A path in an iterable is none; the message says at which position.
        CommandError: A rule is not understood, the dataset cannot be read, ``out`` cannot be written, or a model is not installed.
        ProgramNotFound: The program is not installed.
    """
    source, given = _source(images, image_field)
    image_field = image_field if given is None else None
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
        ("--dedup", dedup), ("--keep-best", keep_best), ("--per", per), ("--min-quality", min_quality), ("--max-quality", max_quality), ("--by", by),
        ("--keep-top", keep_top), ("--limit", limit), ("--images", several), ("--no-image", no_image),
    ):
        if value is not None:
            arguments += [option, str(value)]
    with tempfile.TemporaryDirectory(prefix="pristine-") as folder:
        ledger = os.path.join(folder, "ledger.jsonl")
        extension = _extension(source)
        kept = os.fspath(out) if out is not None else os.path.join(folder, "kept" + extension) if extension is not None else None
        _run(["filter", source, "--ledger", ledger] + ([] if kept is None else ["--out", kept]) + arguments, given)
        with open(ledger, encoding="utf-8") as lines:
            entries = [json.loads(line) for line in lines]
        return FilterResult(None if out is None else kept, _items(kept) if kept is not None and out is None else None, entries)


class CheckResult:
    """What :func:`check` has found.

    Attributes:
        images: Number of images.
        with_issue: How many of them have at least one of the issues.
        issues: An entry for every issue that was looked for: ``name``, ``summary``, ``rule`` (SQL that is true of the images which have it),
            ``threshold`` where it has one, ``count``, ``share`` (0 to 1, of all images), ``not_judged`` (images without its scores), ``out_of_scope`` (those that
            it cannot judge: ``damaged`` small ones), ``examples`` (``id``, ``image``, ``value``), ``reason``, ``calibration``.
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
        types = {
            "name": "VARCHAR", "count": "BIGINT", "share": "DOUBLE", "threshold": "DOUBLE", "not_judged": "BIGINT", "out_of_scope": "BIGINT",
            "rule": "VARCHAR", "summary": "VARCHAR",
        }
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
        images: The path of a folder, a dataset, a glob or a score table; or paths in any iterable, or in the column ``image_field`` (None: ``image``) of a
            pandas DataFrame.
        issues: Issues to look for, separated by commas or as a sequence; none for the default ones.
        thresholds: Thresholds of issues instead of their defaults, for example ``{"dark": 0.3}``.
        examples: Images to name for each issue, 0 to 1000.
        device, workers, image_root, image_field, max_megapixels, image_timeout, keep_truncated: As for :class:`~pristine_iqa.Scorer`.

    Returns:
        The issues with their counts, rules and examples. ``filter(images, drop_issue=...)`` drops the images that have them.

    Raises:
        RequestError: A path in an iterable is none; the message says at which position.
        CommandError: The dataset cannot be read, or there is no such issue.
        ProgramNotFound: The program is not installed.
    """
    source, given = _source(images, image_field)
    image_field = image_field if given is None else None
    arguments = scoring_arguments(
        device=device, workers=workers, image_root=image_root, image_field=image_field, max_megapixels=max_megapixels, image_timeout=image_timeout,
        keep_truncated=keep_truncated,
    )
    if names(issues):
        arguments += ["--issues", ",".join(names(issues))]
    arguments += _thresholds(thresholds) + ["--examples", str(examples)]
    return CheckResult(json.loads(_run(["check", source, "--format", "json"] + arguments, given)))


def _thresholds(thresholds: Optional[Mapping[str, float]]) -> List[str]:
    return [part for name, value in (thresholds or {}).items() for part in ("--set", "%s=%r" % (name, float(value)))]


def _source(images: Any, column: Optional[str]) -> Tuple[str, Optional[bytes]]:
    """The input of a command and what it reads from its standard input."""
    if isinstance(images, (str, os.PathLike)):
        return _argument(images), None
    if _is_one(images) or not isinstance(images, Iterable):
        raise RequestError("Expected the path of a dataset, or paths in an iterable; found %s." % type(images).__name__)
    paths = []
    for position, path in enumerate(_of_table(images, column or "image")):
        if not isinstance(path, (str, os.PathLike)):
            raise RequestError(
                "Expected the path of an image at position %d, counted from 0; found %s. score() takes images in memory and records; a dataset of "
                "records is filtered and checked by the path of its file." % (position, type(path).__name__)
            )
        name = os.fsencode(path)
        # NUL stands in no path.
        if not name or b"\0" in name:
            raise RequestError(
                "Expected the path of an image at position %d, counted from 0; found %s." % (position, "one with a NUL" if name else "an empty one")
            )
        paths.append(name + b"\0")
    return "-", b"".join(paths)


def _is_one(image: Any) -> bool:
    """True for one image in memory, which many would be in an iterable: bytes, a PIL image, an array of a height, a width and channels."""
    if isinstance(image, (bytes, bytearray, memoryview)) or (hasattr(image, "save") and hasattr(image, "mode")):
        return True
    shape = getattr(image, "shape", None)
    is_array = shape is not None and hasattr(image, "tobytes") and str(image.dtype) in ("uint8", "torch.uint8")
    return is_array and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)))


def _score_all(scorer: Scorer, images: Iterable[Any]) -> Iterator[Row]:
    """Rows of images, or of the records that they are."""
    inputs = iter(images)
    first = next(inputs, _NOTHING)
    if first is _NOTHING:
        return
    inputs = chain([first], inputs)
    several: Iterator[List[Row]]
    if isinstance(first, Mapping) and not _is_image(first):
        several = scorer.score_records(inputs)
    else:
        several = ([row] for row in scorer.score_many(inputs))
    answered = 0
    try:
        for rows in several:
            yield from rows
            answered += 1
    except RequestError as error:
        raise RequestError("Position %d, counted from 0: %s" % (answered, error)) from error


def _warn_of_missing(rows: List[Row]) -> None:
    """As the program does of datasets."""
    missing = [row for row in rows if row["status"] == "missing"]
    if missing and len(missing) * 10 >= len(rows) * 9:
        warnings.warn(
            "%d of %d images are missing, first %r." % (len(missing), len(rows), missing[0]["image"]), PristineWarning, stacklevel=3
        )


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


def _extension(source: str) -> Optional[str]:
    """The end of the name of a file that can hold what is kept of a dataset, where its items can be read from there; else None."""
    if os.path.isdir(source):
        # The rows of a Hugging Face folder are kept together with their images.
        inner = glob.escape(source)
        return None if any(glob.glob(os.path.join(inner, depth, "metadata.*")) for depth in ("", "*", os.path.join("*", "*"))) else ".txt"
    lowered = (urlsplit(source).path if "://" in source else source).lower()
    for extension in (".jsonl", ".ndjson", ".json"):
        for compressed in ("", ".gz"):
            if lowered.endswith(extension + compressed):
                return extension + compressed
    return None if lowered.endswith((".csv", ".tsv", ".tar", ".tgz", ".parquet", ".zip", ".h5", ".gz", ".zst")) else ".txt"


def _items(kept: str) -> List[Any]:
    """The kept items of a list, JSON or JSONL."""
    name = kept[:-len(".gz")] if kept.endswith(".gz") else kept
    with gzip.open(kept, "rb") if name != kept else open(kept, "rb") as file:
        content = file.read()
    if name.endswith(".txt"):
        separator = b"\0" if b"\0" in content else b"\n"
        return [os.fsdecode(path) for path in content.split(separator) if path]
    # Bytes that are not UTF-8 are in the records as they were: text.encode("utf-8", "surrogateescape") gives them back.
    text = content.decode("utf-8-sig", "surrogateescape")
    if text.lstrip()[:1] == "[":
        return list(json.loads(text))
    if name.endswith(".json"):
        try:
            whole = json.loads(text)
        except json.JSONDecodeError:
            pass
        else:
            return list(whole["images"]) if "images" in whole and "annotations" in whole else [whole]
    return [json.loads(line) for line in text.split("\n") if line.strip()]


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
    else:
        for told in told_in(stderr):
            warnings.warn(told, PristineWarning, stacklevel=4)


__all__: Tuple[str, ...] = ("CheckResult", "FilterResult", "check", "filter", "score")
