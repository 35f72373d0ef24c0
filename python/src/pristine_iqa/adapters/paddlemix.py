"""PaddleMIX DataCopilot: its operations on image quality, with the same names, arguments and results.

Change the import, and nothing else::

    from functools import partial
    from paddlemix.datacopilot.core import MMDataset
    from pristine_iqa.adapters.paddlemix import ensemble, iqa_brisque, tag_arniqa, tag_brisque

    dataset = MMDataset.from_json("llava.json")
    kept = dataset.filter(partial(iqa_brisque, min_score=0.7))
    tagged = dataset.map(tag_brisque)

Scores are qualities from 0 to 1, 1 best. What differs on purpose: ``brisque`` is that of OpenCV, whose numbers are not those of the package that
PaddleMIX calls; ``arniqa`` is clipped to 0..1; an image that is missing or cannot be read does not end the run: it is not kept, and its tag is None.
``MMDataset.map`` and ``filter`` call these with 8 threads, which are answered in parallel. The functions that end in ``_batch``, and
``tag_batch``, take many items at once, which is a little cheaper.
"""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

from .._images import is_missing
from ..scorer import shared_scorer

Item = Dict[str, Any]

BRISQUE = "brisque"
ARNIQA = "arniqa:pyiqa@koniq10k"
"""ARNIQA as PaddleMIX computes it: on the whole image, with the regressor of KonIQ-10k."""


class Tagger:
    """Writes a score into the field :meth:`key` of an item."""

    def tag(self, item: Item) -> Item:
        """Writes the score into the item and gives it back."""
        item[self.key()] = self.score(item)
        return item

    def key(self) -> str:
        """The field."""
        raise NotImplementedError

    def score(self, item: Item) -> Optional[float]:
        """The score."""
        raise NotImplementedError

    def __call__(self, item: Item) -> Item:
        return self.tag(item)


class QualityTagger(Tagger):
    """The quality of an item's image by a metric.

    Args:
        name: The field is ``__tag_NAME``.
        metric: The metric's name, as ``pristine metrics`` lists it.
        options: More arguments of :class:`~pristine_iqa.Scorer`, such as ``image_root``.
    """

    def __init__(self, name: str, metric: str, **options: Any):
        self._name = name
        self._metric = metric
        self._options = dict(options, metrics=metric)

    def key(self) -> str:
        """``__tag_brisque`` or ``__tag_arniqa``."""
        return "__tag_" + self._name

    def score(self, item: Item, key: str = "image") -> Optional[float]:
        """The quality, 0 to 1, of the item's image, of several the worst.

        Returns:
            1.0 for an item without an image, as PaddleMIX has it; None where an image cannot be scored.

        Raises:
            WorkerError: The metric's model is not installed; the message names the command that gets it.
        """
        return self.score_batch([item], key)[0]

    def score_batch(self, items: Iterable[Item], key: str = "image") -> List[Optional[float]]:
        """The qualities of many items, as of :meth:`score`."""
        images = [_images(item, key) for item in items]
        scorer = shared_scorer(**self._options)
        rows = scorer.score_numbered((position, image) for position, several in enumerate(images) for image in several)
        column = self._metric + "_quality"
        return [_worst([next(rows)[column] for _ in several]) for several in images]

    def tag_batch(self, items: Iterable[Item]) -> List[Item]:
        """Writes the scores of many items into them and gives them back."""
        items = list(items)
        for item, score in zip(items, self.score_batch(items)):
            item[self.key()] = score
        return items


tag_brisque = QualityTagger("brisque", BRISQUE)
"""Writes the quality by BRISQUE into ``__tag_brisque``."""

tag_arniqa = QualityTagger("arniqa", ARNIQA)
"""Writes the quality by ARNIQA into ``__tag_arniqa``; its weights come by ``pristine models pull arniqa``."""


def iqa_brisque(item: Item, min_score: float = 0.0, max_score: float = 1.0, key: str = "image") -> bool:
    """Whether the quality of an item's image by BRISQUE, (100 - score) / 100, lies in a range; both ends belong to it.

    Args:
        item: An item; one without ``key`` is kept.
        min_score, max_score: The range, within 0 to 1.
        key: The field of the image.

    Raises:
        ValueError: Not 0 <= min_score < max_score <= 1.
    """
    return iqa_brisque_batch([item], min_score, max_score, key)[0]


def iqa_arniqa(item: Item, min_score: float = 0.0, max_score: float = 1.0, key: str = "image") -> bool:
    """As :func:`iqa_brisque`, by ARNIQA.

    Raises:
        ValueError: Not 0 <= min_score < max_score <= 1.
        WorkerError: Its weights are not installed; the message names the command that gets them.
    """
    return iqa_arniqa_batch([item], min_score, max_score, key)[0]


def iqa_brisque_batch(items: Iterable[Item], min_score: float = 0.0, max_score: float = 1.0, key: str = "image") -> List[bool]:
    """:func:`iqa_brisque` for many items."""
    return _filter(tag_brisque, items, min_score, max_score, key)


def iqa_arniqa_batch(items: Iterable[Item], min_score: float = 0.0, max_score: float = 1.0, key: str = "image") -> List[bool]:
    """:func:`iqa_arniqa` for many items."""
    return _filter(tag_arniqa, items, min_score, max_score, key)


def ensemble(
    item: Item, taggers: Sequence[Union[Tagger, str]], weights: Sequence[float], min_score: float = 0.0, max_score: float = 1.0
) -> bool:
    """Whether the weighted sum of an item's tags lies in a range; both ends belong to it.

    Args:
        item: A tagged item; one that lacks a tag is kept, one with a tag that is None is not.
        taggers: Taggers, or the names of fields.
        weights: One per tagger.
        min_score, max_score: The range, within 0 to 1.

    Raises:
        ValueError: Not 0 <= min_score < max_score <= 1, or the numbers of taggers and weights differ.
    """
    _check(min_score, max_score)
    if len(taggers) != len(weights):
        raise ValueError("Expected one weight per tagger; found %d taggers and %d weights." % (len(taggers), len(weights)))
    keys = [tagger if isinstance(tagger, str) else tagger.key() for tagger in taggers]
    if any(key not in item for key in keys):
        return True
    if any(item[key] is None for key in keys):
        return False
    return min_score <= sum(item[key] * weight for key, weight in zip(keys, weights)) <= max_score


def _filter(tagger: QualityTagger, items: Iterable[Item], min_score: float, max_score: float, key: str) -> List[bool]:
    _check(min_score, max_score)
    items = list(items)
    # An item without an image is kept whatever the range is.
    return [
        not _images(item, key) or (score is not None and min_score <= score <= max_score)
        for item, score in zip(items, tagger.score_batch(items, key))
    ]


def _check(min_score: float, max_score: float) -> None:
    if not 0 <= min_score < max_score <= 1:
        raise ValueError("Expected 0 <= min_score < max_score <= 1; found %s and %s." % (min_score, max_score))


def _images(item: Item, key: str) -> List[Any]:
    """The images of an item: a path, or the list that MIX items have. Null, an empty text and an object without either are no image."""
    value = item.get(key)
    several = [_image(image) for image in (value if isinstance(value, (list, tuple)) else [value])]
    return [image for image in several if not (is_missing(image) or (isinstance(image, str) and not image))]


def _image(image: Any) -> Any:
    if not isinstance(image, dict) or image.get("bytes") is not None:
        return image
    return image.get("url") or image.get("path")


def _worst(qualities: List[Optional[float]]) -> Optional[float]:
    if not qualities:
        return 1.0
    return None if None in qualities else min(quality for quality in qualities if quality is not None)
