"""Apache Spark: functions for ``DataFrame.mapInPandas`` and ``RDD.pipe``.

::

    from pristine_iqa.adapters.spark import add_scores, pipe_command, request_line

    scored = df.mapInPandas(*add_scores(df.schema, "brisque", column="path"))

    rows = paths.map(request_line).pipe(pipe_command("brisque")).map(json.loads)

The package must be installed on every node. Paths must be readable there.
"""

import json
import shlex
from typing import Any, Callable, Iterator, Tuple

from .._images import request_of
from .._program import Names, find_program, scoring_arguments
from ._images import ImageScores
from .pandas import _add


class _AddScores:
    def __init__(self, scores: ImageScores, column: str):
        self._scores, self._column = scores, column

    def __call__(self, frames: Iterator[Any]) -> Iterator[Any]:
        for frame in frames:
            yield _add(frame, self._scores, self._column)


def add_scores(
    schema: Any, metrics: Names = "brisque", *, column: str = "image", prefix: str = "", **options: Any
) -> Tuple[Callable[[Iterator[Any]], Iterator[Any]], str]:
    """The two arguments of ``DataFrame.mapInPandas``: the function, and the schema of what it gives.

    Args:
        schema: The schema of the DataFrame: ``df.schema``, or DDL such as ``"path string"``.
        metrics, column, prefix, options: As for :func:`pristine_iqa.adapters.pandas.add_scores`.
    """
    scores = ImageScores(metrics, prefix, **options)
    given = schema if isinstance(schema, str) else ", ".join("`%s` %s" % (field.name, field.dataType.simpleString()) for field in schema.fields)
    kinds = {"FLOAT": "double", "DOUBLE": "double", "VARCHAR": "string"}
    new = ["`%s%s` %s" % (prefix, name, kinds.get(kind, "array<float>")) for name, kind in scores.types().items()]
    new += ["`%simage_status` string" % prefix, "`%simage_error` string" % prefix]
    return _AddScores(scores, column), ", ".join([given] + new)


def pipe_command(metrics: Names = "brisque", **options: Any) -> str:
    """The command for ``RDD.pipe``, which answers each line of :func:`request_line` with a row as JSON.

    Args:
        metrics: Names of metrics, separated by commas or as a sequence.
        options: More arguments of :class:`~pristine_iqa.Scorer`, but ``features``.
    """
    return " ".join(shlex.quote(part) for part in [find_program(), "worker"] + scoring_arguments(metrics=metrics, **options))


def request_line(image: Any) -> str:
    """The request of an image, a path or the bytes of a file, as a line of the worker's protocol (docs/worker.md)."""
    import base64

    path, content = request_of(image)
    return json.dumps({"path": path} if content is None else {"bytes": base64.b64encode(content).decode("ascii")})
