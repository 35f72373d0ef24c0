"""What the adapters have in common: scores of lists of images, by a worker of this process."""

from typing import Any, Dict, List, Optional, Sequence

from .._images import is_image, is_missing
from .._program import Names
from ..scorer import Row, shared_scorer

NO_IMAGE = "no_image"


class ImageScores:
    """Metrics to compute, wherever this object is sent.

    Args:
        metrics: Names of metrics, separated by commas or as a sequence.
        prefix: What the names of new columns begin with.
        options: More arguments of :class:`~pristine_iqa.Scorer`.
    """

    def __init__(self, metrics: Names = "brisque", prefix: str = "", **options: Any):
        self.prefix = prefix
        self.options: Dict[str, Any] = dict(options, metrics=metrics if isinstance(metrics, str) else ",".join(metrics))

    def rows(self, images: Sequence[Any]) -> List[Row]:
        """A row per image; None, NaN and pandas' NA are no images and have the status ``no_image``."""
        scorer = shared_scorer(**self.options)
        there = [(position, image) for position, image in enumerate(images) if not _is_none(image)]
        found = dict(zip((position for position, _ in there), scorer.score_numbered(there)))
        nothing = dict.fromkeys(scorer.columns)
        nothing["status"] = NO_IMAGE
        return [found[position] if position in found else dict(nothing) for position in range(len(images))]

    def types(self) -> Dict[str, str]:
        """The SQL types of the columns that metrics have, without the prefix, in order: scores, qualities, and what else is asked for."""
        scorer = shared_scorer(**self.options)
        names = (name for metric in scorer.metrics for name in (metric["name"], metric["quality_column"]) if name)
        types = scorer.columns
        return {name: types[name] for name in names}

    def columns(self, images: Sequence[Any]) -> Dict[str, List[Any]]:
        """The new columns: scores and qualities, ``image_status`` and ``image_error``."""
        rows = self.rows(images)
        columns = {self.prefix + name: [row[name] for row in rows] for name in self.types()}
        columns[self.prefix + "image_status"] = [row["status"] for row in rows]
        columns[self.prefix + "image_error"] = [row["error"] for row in rows]
        return columns


class Range:
    """The values of a column that are kept; both ends belong to it, and a missing value never does."""

    def __init__(self, column: Optional[str], least: Optional[float], most: Optional[float], metrics: str):
        self.column = column if column is not None else metrics.split(",")[0].strip() + "_quality"
        self.least, self.most = least, most
        if least is None and most is None:
            raise ValueError("Expected at least one of 'least' and 'most'; found neither.")
        if least is not None and most is not None and not least <= most:
            raise ValueError("Expected least <= most; found %s and %s." % (least, most))

    def holds(self, row: Row) -> bool:
        """Whether the row's value is kept.

        Raises:
            KeyError: The row has no such column.
        """
        if self.column not in row:
            raise KeyError("Expected a column of %s; found %r." % (", ".join(row), self.column))
        value = row[self.column]
        return value is not None and (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def _is_none(image: Any) -> bool:
    """True for a missing value, also in the shape of an image of Hugging Face datasets."""
    return is_missing(image) or (isinstance(image, dict) and is_image(image) and all(is_missing(value) for value in image.values()))
