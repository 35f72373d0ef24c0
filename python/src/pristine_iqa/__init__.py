"""Scores images with no-reference quality metrics and keeps the good ones.

Three lines, a DataFrame::

    import pristine_iqa
    df = pristine_iqa.score("photos/")
    good = df[df.brisque_quality >= 0.5]

- :func:`score`: a DataFrame, an Arrow table or a dict about a folder, a dataset, or images in memory.
- :func:`filter`: the items that pass rules, and a ledger of why not the rest.
- :func:`check`: what is wrong with a dataset: dark, blurry, truncated, duplicate and so on, with counts, rules and examples.
- :class:`Scorer`: a running worker, for images that come one by one or from many threads.
- :mod:`pristine_iqa.adapters`: PaddleMIX, Hugging Face datasets, PyTorch, WebDataset, pandas, Dask, Spark.

The work is done by the program ``pristine`` in this package; nothing else needs to be installed. pandas and pyarrow are needed only
for what they give.
"""

from ._version import __version__
from .errors import (
    CommandError,
    MissingDependency,
    PristineError,
    PristineWarning,
    ProgramNotFound,
    RequestError,
    WorkerError,
)
from .functions import CheckResult, FilterResult, check, filter, score
from .scorer import Row, Scorer

__all__ = [
    "CheckResult",
    "CommandError",
    "FilterResult",
    "MissingDependency",
    "PristineError",
    "PristineWarning",
    "ProgramNotFound",
    "RequestError",
    "Row",
    "Scorer",
    "WorkerError",
    "__version__",
    "check",
    "filter",
    "score",
]
