"""Whole datasets at once: score, filter, check."""

import json
import os
import subprocess
import tempfile
import warnings
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from ._images import at, checked, is_image, is_one_image, path_of
from ._kept import Kept
from ._program import Names, PathLike, find_program, message, names, scoring_arguments, texts, told
from .errors import CommandError, PristineWarning, RequestError
from .frames import are_known, check_format, frame
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
            - one of these that is not a path: an array of two or three dimensions is one image;
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
        RequestError: One of the images is none; it says at which position.
        ProgramNotFound: The program is not installed.

    Warns:
        PristineWarning: What the program has to say about a dataset, such as that it has no items, or that nearly all of its images are missing.
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
        rows = list(_rows_of(arguments))
        types = None
        if format != "rows" and not are_known(rows):
            with Scorer(**options) as scorer:
                types = scorer.columns
        return frame(rows, format, types, names(metrics))
    if is_one_image(images):
        images = [images]
    _check_iterable(images, "images")
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
        items: The kept items where no ``out`` was asked for: paths for images, dicts for records, rows of tables (CSV, TSV) and
            images of COCO files. Bytes that are not UTF-8 are surrogates in their texts, as in the paths of ``os.fsdecode``.
            None with ``out``, and for archives and Parquet.
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
        images: The path of a folder, a dataset or a glob; paths in any iterable; or a pandas DataFrame or Hugging Face ``Dataset`` with paths in the
            column ``image_field`` (None: ``image``).
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
        RequestError: What stands in an iterable is no path; it says at which position. Images in memory are for :func:`score`.
        ProgramNotFound: The program is not installed.

    Warns:
        PristineWarning: As for :func:`score`.
    """
    source, given = _source(images, image_field)
    arguments = scoring_arguments(
        heads=heads, networks=networks, device=device, workers=workers, image_root=image_root, image_field=image_field if given is None else None,
        max_megapixels=max_megapixels, image_timeout=image_timeout, keep_truncated=keep_truncated,
    )
    for option, rules in (("--keep", keep), ("--drop", drop)):
        for rule in texts(rules):
            arguments += [option, rule]
    if names(drop_issue):
        arguments += ["--drop-issue", ",".join(names(drop_issue))]
    arguments += _thresholds(thresholds)
    for option, value in (
        ("--dedup", dedup), ("--keep-best", keep_best), ("--per", per), ("--min-quality", min_quality), ("--max-quality", max_quality),
        ("--by", by), ("--keep-top", keep_top), ("--limit", limit), ("--images", several), ("--no-image", no_image),
    ):
        if value is not None:
            arguments += [option, str(value)]
    with tempfile.TemporaryDirectory(prefix="pristine-") as folder:
        ledger = os.path.join(folder, "ledger.jsonl")
        kept = Kept(source, folder, image_field) if out is None else None
        exported = ["--out", os.fspath(out)] if kept is None else kept.arguments
        _run(["filter", source, "--ledger", ledger] + exported + arguments, given)
        with open(ledger, encoding="utf-8") as lines:
            entries = [json.loads(line) for line in lines]
        count = sum(1 for entry in entries if entry["kept"])
        return FilterResult(None if out is None else os.fspath(out), None if kept is None else kept.items(count), entries)


class CheckResult:
    """What :func:`check` has found.

    Attributes:
        images: Number of images.
        with_issue: How many of them have at least one of the issues.
        issues: An entry for every issue that was looked for: ``name``, ``summary``, ``rule`` (SQL that is true of the images which
            have it), ``threshold`` where it has one, ``count``, ``share`` (0 to 1, of all images), ``not_judged`` (images without its
            scores), ``out_of_scope`` (those that it cannot judge: ``damaged`` small ones), ``examples`` (``id``, ``image``, ``value``),
            ``reason``, ``calibration``.
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
        images: As for :func:`filter`, or the path of a score table.
        issues: Issues to look for, separated by commas or as a sequence; none for the default ones.
        thresholds: Thresholds of issues instead of their defaults, for example ``{"dark": 0.3}``.
        examples: Images to name for each issue, 0 to 1000.
        device, workers, image_root, image_field, max_megapixels, image_timeout, keep_truncated: As for :class:`~pristine_iqa.Scorer`.

    Returns:
        The issues with their counts, rules and examples. ``filter(images, drop_issue=...)`` drops the images that have them.

    Raises:
        CommandError: The dataset cannot be read, or there is no such issue.
        RequestError: As for :func:`filter`.
        ProgramNotFound: The program is not installed.

    Warns:
        PristineWarning: As for :func:`score`.
    """
    source, given = _source(images, image_field)
    arguments = scoring_arguments(
        device=device, workers=workers, image_root=image_root, image_field=image_field if given is None else None, max_megapixels=max_megapixels,
        image_timeout=image_timeout, keep_truncated=keep_truncated,
    )
    if names(issues):
        arguments += ["--issues", ",".join(names(issues))]
    arguments += _thresholds(thresholds) + ["--examples", str(examples)]
    return CheckResult(json.loads(_run(["check", source, "--format", "json"] + arguments, given)))


def _thresholds(thresholds: Optional[Mapping[str, float]]) -> List[str]:
    arguments: List[str] = []
    for name, value in (thresholds or {}).items():
        try:
            # A number of NumPy has another text.
            arguments += ["--set", "%s=%r" % (name, float(value))]
        except (TypeError, ValueError) as error:
            raise RequestError("Expected a number as the threshold of %r; found %r." % (name, value)) from error
    return arguments


def _source(images: Any, image_field: Optional[str]) -> Tuple[str, Optional[bytes]]:
    """The input of a command and what it reads from its standard input."""
    if isinstance(images, (str, os.PathLike)):
        return _argument(images), None
    _check_iterable(images, "paths")
    if is_one_image(images):
        raise RequestError("Expected a path, or paths in an iterable; found an image, %s. %s" % (type(images).__name__, _IN_MEMORY))
    paths = []
    for position, image in enumerate(_of_table(images, image_field or "image")):
        try:
            paths.append(os.fsencode(path_of(image)))
        except RequestError as error:
            raise RequestError("%s %s" % (at(position, error), _IN_MEMORY)) from error
    # NUL stands in no path.
    return "-", b"".join(path + b"\0" for path in paths)


_IN_MEMORY = "Images and records in memory are for score, whose frame has a row for each; filter and check take paths, or the path of a dataset."


def _check_iterable(images: Any, what: str) -> None:
    if isinstance(images, Mapping) and not is_image(images):
        raise RequestError("Expected the path of a dataset, or %s in an iterable; found a mapping. A record is scored by score([record])." % what)
    if not isinstance(images, Iterable) and not is_one_image(images):
        raise RequestError("Expected the path of a dataset, or %s in an iterable; found %s." % (what, type(images).__name__))


def _score_all(scorer: Scorer, images: Iterable[Any]) -> Iterator[Row]:
    """Rows of images, or of the records that they are."""
    inputs = iter(images)
    first = next(inputs, None)
    if first is None:
        return iter(())
    inputs = chain([first], inputs)
    if isinstance(first, Mapping) and not is_image(first):
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


def _argument(path: PathLike) -> str:
    text = checked(os.fsdecode(path))
    # An option must not be taken for it.
    return os.path.join(".", text) if text.startswith("-") else text


def _run(arguments: List[str], given: Optional[bytes]) -> bytes:
    """Runs a command and gives what it has written."""
    done = subprocess.run([find_program()] + arguments, input=given if given is not None else b"", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # That a list which the caller has made is empty is no news.
    said = "" if given == b"" and done.returncode == 0 else done.stderr.decode("utf-8", "replace")
    _check(done.returncode, said)
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
    """Raises what went wrong in a run, and warns of what the program said besides its summary."""
    if code not in (0, 3):
        raise CommandError(message(stderr, "The program ended with exit code %d." % code), code)
    for line in told(stderr) or (["More images failed than should."] if code == 3 else []):
        warnings.warn(line, PristineWarning, stacklevel=4)


def _warn_of_missing(rows: List[Row]) -> None:
    """The program's warnings about a dataset of which at least nine in ten images are not reached, about images from an iterable."""
    count = sum(1 for row in rows if row["status"] != "no_image")
    for status, what in (("network", "could not be fetched"), ("missing", "are missing")):
        lost = [row for row in rows if row["status"] == status]
        if lost and len(lost) * 10 >= count * 9:
            text = "%d of %d images %s, first '%s': %s." % (len(lost), count, what, lost[0]["image"], lost[0]["error"])
            warnings.warn(text, PristineWarning, stacklevel=3)


__all__: Tuple[str, ...] = ("CheckResult", "FilterResult", "check", "filter", "score")
