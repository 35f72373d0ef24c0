"""Hugging Face ``datasets``: scores as new columns, and filtering by them.

::

    from datasets import Image
    from pristine_iqa.adapters.huggingface import add_scores, keep

    dataset = dataset.cast_column("image", Image(decode=False))   # the files as they are: no decoding in Python
    dataset = dataset.map(add_scores("brisque,sharpness"), batched=True)
    good = dataset.filter(keep("brisque", least=0.5), batched=True)

Decoded images work too, but are sent as PNG with the pixels that Pillow has made of the file. They are turned upright as EXIF says.
"""

from typing import Any, Dict, List, Optional

from .._program import Names
from ._images import ImageScores, Range


class add_scores(ImageScores):
    """For ``Dataset.map(..., batched=True)``: a column per score, ``image_status`` and ``image_error``.

    Args:
        metrics: Names of metrics, separated by commas or as a sequence.
        column: The column of images: ``Image`` with or without ``decode=False``, paths, or bytes.
        prefix: What the names of the new columns begin with.
        options: More arguments of :class:`~pristine_iqa.Scorer`.
    """

    def __init__(self, metrics: Names = "brisque", *, column: str = "image", prefix: str = "", **options: Any):
        super().__init__(metrics, prefix, **options)
        self.column = column

    def __call__(self, batch: Dict[str, List[Any]]) -> Dict[str, List[Any]]:
        return self.columns(batch[self.column])


class keep(ImageScores):
    """For ``Dataset.filter(..., batched=True)``: True where a value lies in a range; both ends belong to it.

    A row without an image has no value and is dropped, unlike by :func:`pristine_iqa.filter`, and by ``keep`` of :mod:`.webdataset`.

    Args:
        metrics: The metric, or several, the first of which counts.
        least, most: The range; at least one of them.
        by: The column that is compared; None takes the quality (0 to 1, 1 best) of the first metric.
        column: The column of images, as for :class:`add_scores`.
        options: More arguments of :class:`~pristine_iqa.Scorer`.
    """

    def __init__(
        self, metrics: Names = "brisque", *, least: Optional[float] = None, most: Optional[float] = None, by: Optional[str] = None,
        column: str = "image", **options: Any
    ):
        super().__init__(metrics, **options)
        self.range = Range(by, least, most, self.options["metrics"])
        self.column = column

    def __call__(self, batch: Dict[str, List[Any]]) -> List[bool]:
        return [self.range.holds(row) for row in self.rows(batch[self.column])]
