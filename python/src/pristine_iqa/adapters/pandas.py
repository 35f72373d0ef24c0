"""pandas: scores as new columns of a DataFrame.

::

    from pristine_iqa.adapters.pandas import add_scores

    df = add_scores(df, "brisque,sharpness", column="path")
"""

from typing import Any

from .._program import Names
from ._images import ImageScores


def add_scores(df: Any, metrics: Names = "brisque", *, column: str = "image", prefix: str = "", **options: Any) -> Any:
    """A copy of a DataFrame with a ``float64`` column per score, ``image_status`` and ``image_error``.

    Args:
        df: A DataFrame; it is not changed, and its index stays.
        metrics: Names of metrics, separated by commas or as a sequence.
        column: The column of images: paths, bytes, PIL images or mappings with ``bytes`` or ``path``; missing ones get ``no_image``.
        prefix: What the names of the new columns begin with.
        options: More arguments of :class:`~pristine_iqa.Scorer`.
    """
    return _add(df, ImageScores(metrics, prefix, **options), column)


def _add(df: Any, scores: ImageScores, column: str) -> Any:
    import pandas

    numbers = {scores.prefix + name for name, kind in scores.types().items() if kind in ("FLOAT", "DOUBLE")}
    new = scores.columns(list(df[column]))
    return df.assign(
        **{name: pandas.Series(values, index=df.index, dtype="float64" if name in numbers else "object") for name, values in new.items()}
    )
