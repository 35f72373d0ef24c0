"""Dask: scores as new columns of a Dask DataFrame, computed partition by partition.

::

    from pristine_iqa.adapters.dask import add_scores

    df = add_scores(df, "brisque", column="path")

For a ``dask.bag`` of images: ``bag.map_partitions(score_partition, "brisque")``.
"""

from typing import Any, Iterable, List

from .._program import Names
from ..scorer import Row
from ._images import ImageScores
from .pandas import _add


def add_scores(df: Any, metrics: Names = "brisque", *, column: str = "image", prefix: str = "", **options: Any) -> Any:
    """A Dask DataFrame with the columns of :func:`pristine_iqa.adapters.pandas.add_scores`; nothing is computed yet.

    The package must be installed where the partitions are computed. Paths must be readable there.

    Args:
        df: A Dask DataFrame.
        metrics, column, prefix, options: As for :func:`pristine_iqa.adapters.pandas.add_scores`.
    """
    scores = ImageScores(metrics, prefix, **options)
    return df.map_partitions(_add, scores, column, meta=_add(df._meta, scores, column))


def score_partition(images: Iterable[Any], metrics: Names = "brisque", **options: Any) -> List[Row]:
    """The rows of a partition of images, for ``dask.bag.Bag.map_partitions``."""
    return ImageScores(metrics, **options).rows(list(images))
