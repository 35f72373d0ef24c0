"""The kept items of a run of ``pristine filter`` that has no output of its own."""

import csv
import io
import json
import os
from typing import Any, List, Optional, Set

from ._images import EXTENSIONS


class Kept:
    """Where the program writes kept items for the moment, and how they are read.

    Args:
        source: The program's input.
        folder: An empty folder.
        image_field: The field of images that the caller has named.
    """

    def __init__(self, source: str, folder: str, image_field: Optional[str] = None):
        self._kind = kind = _folder_kind(source, image_field) if os.path.isdir(source) else _kind(source)
        # A name without an extension stands for the dataset's own format, not compressed.
        name = {"tar": "kept.tar", "zip": "kept.tar", "parquet": "kept.parquet", "h5": "kept.jsonl"}.get(kind, "kept")
        self._path = os.path.join(folder, name)
        # The rows of a Hugging Face folder are exported together with their images: as links, which take no room.
        self.arguments = ["--out", self._path] + (["--link"] if kind.startswith("metadata") else [])

    def items(self, count: int) -> Optional[List[Any]]:
        """The kept items; None where they are no text.

        Args:
            count: How many there are.
        """
        if self._kind in ("tar", "zip", "parquet", "metadata.parquet"):
            return None
        if count == 0:
            return []
        if self._kind.startswith("metadata"):
            read = _lines if self._kind == "metadata.jsonl" else _rows
            return [item for file in _metadata(self._path) for item in read(_read(file))]
        content = _read(self._path)
        if self._kind == "json":
            return _json(content)
        if self._kind in ("jsonl", "ndjson", "h5"):
            return _lines(content)
        return _rows(content) if self._kind in ("csv", "tsv") else _paths(content)


def _kind(source: str) -> str:
    """The format of a file, of several that a pattern names, or of what is at an address: its extension without that of a compression."""
    lowered = source.lower()
    if lowered.startswith(("http://", "https://")):
        lowered = lowered.partition("?")[0].partition("#")[0]
    if lowered.endswith(".tgz"):
        return "tar"
    for compression in (".gz", ".zst"):
        if lowered.endswith(compression):
            lowered = lowered[: -len(compression)]
    return lowered.rpartition(".")[2]


def _folder_kind(folder: str, image_field: Optional[str]) -> str:
    """What the program takes a folder for: ``metadata.jsonl`` and so on for a Hugging Face folder, ``tar``, ``parquet``, else images."""
    for file in _metadata(folder, 2):
        if image_field is not None or _names_images(file):
            return os.path.basename(file)
    kinds = _kinds_in(folder)
    if "tar" in kinds and not any(_kinds_of(files) & EXTENSIONS for _, _, files in os.walk(folder)):
        return "tar"
    if "parquet" in kinds | _kinds_in(os.path.join(folder, "data")) and not kinds & EXTENSIONS:
        return "parquet"
    return "images"


def _kinds_in(folder: str) -> Set[str]:
    return next((_kinds_of(files) for _, _, files in os.walk(folder)), set())


def _kinds_of(files: List[str]) -> Set[str]:
    return {_kind(file) for file in files if not file.startswith(".") and file != "metadata.parquet"}


def _metadata(folder: str, most_depth: Optional[int] = None) -> List[str]:
    """The files of metadata in a folder and below, in the order of their paths."""
    found = []
    for path, folders, files in os.walk(folder, followlinks=most_depth is not None):
        below = os.path.relpath(path, folder)
        if most_depth is not None and below != os.curdir and below.count(os.sep) + 1 >= most_depth:
            folders.clear()
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(path, name) for name in files if name in ("metadata.jsonl", "metadata.csv", "metadata.parquet")]
    # Compared as the program does: with a slash between the parts.
    return sorted(found, key=lambda file: os.path.relpath(file, folder).replace(os.sep, "/"))


def _names_images(file: str) -> bool:
    """Whether the first row of metadata names images, as the program and ``load_dataset`` ask."""
    if file.endswith(".parquet"):
        return True
    with open(file, "rb") as content:
        first = content.readline()
    fields = _text(first).rstrip("\r\n").split(_separator(_text(first)))
    if file.endswith(".jsonl"):
        try:
            fields = list(_lines(first)[0])
        except (LookupError, ValueError):
            # A row that is none names nothing.
            return False
    return any(field.strip(' "') in ("file_name", "file_names") or field.strip(' "').endswith(("_file_name", "_file_names")) for field in fields)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _text(content: bytes) -> str:
    """Bytes that are not UTF-8 become surrogates: kept items may have some."""
    text = content.decode("utf-8", "surrogateescape")
    return text[1:] if text.startswith("\ufeff") else text


def _json(content: bytes) -> List[Any]:
    text = _text(content)
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    if text.strip():
        whole, end = json.JSONDecoder().raw_decode(text.lstrip())
        images = whole.get("images")
        # COCO: one object, whose images are the items.
        is_coco = _begins_with(images, "file_name") or _begins_with(whole.get("annotations"), "image_id")
        if is_coco and not text.lstrip()[end:].strip():
            return list(images)
    return _lines(content)


def _begins_with(records: Any, field: str) -> bool:
    return isinstance(records, list) and records[:1] != [] and isinstance(records[0], dict) and field in records[0]


def _lines(content: bytes) -> List[Any]:
    return [json.loads(line) for line in _text(content).split("\n") if line.strip()]


def _rows(content: bytes) -> List[Any]:
    text = _text(content)
    # A field may be of any length.
    limit = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        return [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text.partition("\n")[0]))]
    finally:
        csv.field_size_limit(limit)


def _separator(header: str) -> str:
    """The most frequent of the separators, the first of those that are equally frequent."""
    return max(",;\t", key=header.count)


def _paths(content: bytes) -> List[Any]:
    text = _text(content)
    if "\0" in text:
        return [path for path in text.split("\0") if path]
    return [path[:-1] if path.endswith("\r") else path for path in text.split("\n") if path.rstrip("\r")]
