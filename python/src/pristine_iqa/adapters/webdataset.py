"""WebDataset: scores in samples, and samples that pass.

::

    import webdataset as wds
    from pristine_iqa.adapters.webdataset import add_scores, keep, scored

    samples = wds.WebDataset("shards-{000..099}.tar")
    samples = samples.compose(scored("brisque"))        # many at a time, in order
    samples = samples.select(keep(least=0.5))           # by the scores that are there, or .select(keep("brisque", least=0.5))

Put them before ``.decode()``: the files are scored as they are. To filter shards into shards without Python:
``pristine filter shards.tar --out kept.tar``.
"""

from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional

from .._images import EXTENSIONS
from .._program import Names
from ..scorer import shared_scorer
from ._images import NO_IMAGE, ImageScores, Range

Sample = Dict[str, Any]

IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "tif", "tiff", "avif")
"""The fields that are looked for before all others, in this order."""


class add_scores(ImageScores):
    """For ``.map``: adds the field ``iqa`` with the row of the sample's image.

    Args:
        metrics: Names of metrics, separated by commas or as a sequence.
        image: The field of the image, such as ``left.jpg``; None takes the first of :data:`IMAGES` that is there, else the first field whose last
            extension is that of an image. Of several images in a sample one is scored; :func:`keep` looks at all.
        field: The field that is added.
        options: More arguments of :class:`~pristine_iqa.Scorer`.
    """

    def __init__(self, metrics: Names = "brisque", *, image: Optional[str] = None, field: str = "iqa", **options: Any):
        super().__init__(metrics, **options)
        self.image, self.field = image, field

    def __call__(self, sample: Sample) -> Sample:
        return dict(sample, **{self.field: self.rows([image_of(sample, self.image)])[0]})


class scored(add_scores):
    """For ``.compose``, and for any iterable of samples: as :class:`add_scores`, with as many images at a time as there are cores."""

    def __call__(self, samples: Iterable[Sample]) -> Iterator[Sample]:  # type: ignore[override]
        held: List[Sample] = []
        scorer = shared_scorer(**self.options)
        most = 32 * scorer.workers
        for sample in samples:
            held.append(sample)
            if len(held) == most:
                yield from self._scored(held)
                held = []
        yield from self._scored(held)

    def _scored(self, samples: List[Sample]) -> Iterator[Sample]:
        for sample, row in zip(samples, self.rows([image_of(sample, self.image) for sample in samples])):
            yield dict(sample, **{self.field: row})


def keep(
    metrics: Names = "brisque", *, least: Optional[float] = None, most: Optional[float] = None, by: Optional[str] = None,
    image: Optional[str] = None, field: str = "iqa", **options: Any
) -> Callable[[Sample], bool]:
    """For ``.select``: True where a value lies in a range; both ends belong to it, for each image of the sample. Samples without one are kept.

    Args:
        metrics, image, field, options: As for :class:`add_scores`. A sample that has ``field`` is not scored again.
        least, most: The range; at least one of them.
        by: The column that is compared; None takes the quality (0 to 1, 1 best) of the first metric.
    """
    return _Keep(add_scores(metrics, image=image, field=field, **options), least, most, by)


class _Keep:
    def __init__(self, scores: add_scores, least: Optional[float], most: Optional[float], by: Optional[str]):
        self._scores = scores
        self._range = Range(by, least, most, scores.options["metrics"])

    def __call__(self, sample: Sample) -> bool:
        row = sample.get(self._scores.field)
        names = _image_fields(sample) if self._scores.image is None else [self._scores.image]
        rows = [row] if row else self._scores.rows([image_of(sample, name) for name in names])
        return all(row["status"] == NO_IMAGE or self._range.holds(row) for row in rows)


def image_of(sample: Sample, image: Optional[str] = None) -> Any:
    """The image of a sample with its name; None where it has none."""
    name = image if image is not None else next(iter(_image_fields(sample)), None)
    if name is None or sample.get(name) is None:
        return None
    content = sample[name]
    if isinstance(content, (bytes, bytearray, memoryview)):
        return {"bytes": content, "path": "%s.%s" % (sample.get("__key__", ""), name)}
    return content


def _image_fields(sample: Sample) -> List[str]:
    """The fields of images, as the program finds them: by the last extension."""
    there = [name for name in IMAGES if name in sample]
    return there + [name for name in sample if name not in there and name.rpartition(".")[2].lower() in EXTENSIONS]
