"""PyTorch: the scores of a ``Dataset``, and the ``Subset`` of it that passes.

::

    from pristine_iqa.adapters.pytorch import score_dataset, subset

    dataset = torchvision.datasets.ImageFolder("photos")
    df = score_dataset(dataset, path=lambda dataset, i: dataset.samples[i][0])
    good = subset(dataset, least=0.5, path=lambda dataset, i: dataset.samples[i][0])

With ``path``, the files are scored as they are and nothing is decoded in Python; without it, the image of each item is.
"""

from typing import Any, Callable, Iterator, List, Optional, Union

from .._program import Names
from ..frames import check_format, frame
from ..scorer import Row, Scorer
from ._images import Range

Image = Union[int, str, Callable[[Any], Any]]
Path = Callable[[Any, int], Any]


def score_dataset(
    dataset: Any, metrics: Names = "brisque", *, image: Image = 0, path: Optional[Path] = None, format: str = "pandas", **options: Any
) -> Any:
    """Scores the images of a map-style dataset.

    Args:
        dataset: Anything with ``__len__`` and ``__getitem__``.
        metrics: Names of metrics, separated by commas or as a sequence.
        image: Where an item has its image: an index, a key, or a function of the item. A path, bytes, a PIL image or an array.
        path: Gives the path of the ``i``-th image from ``(dataset, i)``; then no item is read.
        format: As for :func:`pristine_iqa.score`.
        options: More arguments of :class:`~pristine_iqa.Scorer`.

    Returns:
        A row per item, in order.
    """
    check_format(format)
    with Scorer(metrics, **options) as scorer:
        return frame(scorer.score_many(_images(dataset, image, path)), format, scorer.columns)


def subset(
    dataset: Any, metrics: Names = "brisque", *, least: Optional[float] = None, most: Optional[float] = None, by: Optional[str] = None,
    image: Image = 0, path: Optional[Path] = None, **options: Any
) -> Any:
    """The items whose value lies in a range; both ends belong to it, and an image without a score is not kept.

    Args:
        dataset, metrics, image, path, options: As for :func:`score_dataset`.
        least, most: The range; at least one of them.
        by: The column that is compared; None takes the quality (0 to 1, 1 best) of the first metric.

    Returns:
        A ``torch.utils.data.Subset``.
    """
    from torch.utils.data import Subset

    names = metrics if isinstance(metrics, str) else ",".join(metrics)
    kept = Range(by, least, most, names)
    with Scorer(names, **options) as scorer:
        indices = [i for i, row in enumerate(scorer.score_many(_images(dataset, image, path))) if kept.holds(row)]
    return Subset(dataset, indices)


class ScoredDataset:
    """A dataset whose items are pairs of the dataset's own item and the row of its image, scored when it is asked for.

    Each worker process of a ``DataLoader`` has a worker of its own; give it ``workers=1``, since there are several of them.

    Args:
        dataset, metrics, image, options: As for :func:`score_dataset`.
    """

    def __init__(self, dataset: Any, metrics: Names = "brisque", *, image: Image = 0, **options: Any):
        from ._images import ImageScores

        self.dataset = dataset
        self.image = image
        self._scores = ImageScores(metrics, **options)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        item = self.dataset[index]
        return item, self._scores.rows([_image(item, self.image)])[0]

    def __getitems__(self, indices: List[int]) -> List[Any]:
        items = [self.dataset[index] for index in indices]
        return list(zip(items, self._scores.rows([_image(item, self.image) for item in items])))


def _images(dataset: Any, image: Image, path: Optional[Path]) -> Iterator[Any]:
    for i in range(len(dataset)):
        yield _image(dataset[i], image) if path is None else path(dataset, i)


def _image(item: Any, image: Image) -> Any:
    found = image(item) if callable(image) else item[image]
    # A tensor of torchvision: channels first.
    if type(found).__module__.partition(".")[0] == "torch" and found.dim() == 3 and found.shape[0] in (1, 3):
        found = found.permute(1, 2, 0)
    return found.contiguous().numpy() if type(found).__module__.partition(".")[0] == "torch" else found


__all__ = ["Row", "ScoredDataset", "score_dataset", "subset"]
