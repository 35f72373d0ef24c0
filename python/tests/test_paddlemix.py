"""The example of PaddleMIX's IQA filters (paddlemix/datacopilot/example/iqa_filter), on a stand-in of its MMDataset with the same call shapes."""

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from conftest import SAMPLES

from pristine_iqa import RequestError, WorkerError
from pristine_iqa.adapters import paddlemix
from pristine_iqa.adapters.paddlemix import ensemble, iqa_arniqa, iqa_brisque, iqa_brisque_batch, tag_arniqa, tag_brisque

sys.path.insert(0, str(Path(__file__).parent / "stand_in"))

from paddlemix.datacopilot.core import MMDataset  # noqa: E402


@pytest.fixture
def dataset(monkeypatch):
    # Paths of items start at the current folder there.
    monkeypatch.chdir(SAMPLES)
    return MMDataset.from_json("captions.json")


def right(dataset, expected):
    """The qualities by the program: (100 - brisque) / 100."""
    qualities = {}
    for item in dataset:
        if "image" in item:
            row = expected.get(str(SAMPLES / item["image"]))
            qualities[item["image"]] = row["brisque_quality"] if row else None
    return qualities


def test_the_example_runs_with_the_import_changed(dataset, expected):
    qualities = right(dataset, expected)
    fn = partial(iqa_brisque, min_score=0.7)
    new_dataset = dataset.filter(fn, max_workers=1)
    assert 0 < len(new_dataset) < len(dataset)
    raw_imgs = {i["image"] for i in dataset if "image" in i}
    new_imgs = {i["image"] for i in new_dataset if "image" in i}
    assert new_imgs == {image for image in raw_imgs if qualities[image] is not None and qualities[image] >= 0.7}
    # Items without an image are kept.
    assert len(new_dataset) - len([i for i in new_dataset if "image" in i]) == len([i for i in dataset if "image" not in i]) == 1

    tag_dataset = dataset.map(tag_brisque)
    assert "__tag_brisque" in tag_dataset[0].keys()
    for item in tag_dataset:
        assert item["__tag_brisque"] == (qualities[item["image"]] if "image" in item else 1.0)

    for item in tag_dataset:
        item["__tag_arniqa"] = 0.5
    ensemble_fn = partial(ensemble, taggers=[tag_arniqa, tag_brisque], weights=[0.2, 0.8], min_score=0.6)
    new_dataset = tag_dataset.filter(ensemble_fn, max_workers=3)
    assert [item["id"] for item in new_dataset] == [
        item["id"] for item in tag_dataset
        if item["__tag_brisque"] is not None and 0.6 <= 0.5 * 0.2 + item["__tag_brisque"] * 0.8 <= 1
    ]
    by_name = tag_dataset.filter(partial(ensemble, taggers=["__tag_arniqa", "__tag_brisque"], weights=[0.2, 0.8], min_score=0.6))
    assert by_name.items == new_dataset.items


def test_threads_processes_and_batches_agree(dataset):
    threads = dataset.filter(partial(iqa_brisque, min_score=0.6, max_score=0.9))
    one = dataset.filter(partial(iqa_brisque, min_score=0.6, max_score=0.9), max_workers=1)
    paddlemix.shared_scorer.__globals__["close_shared"]()
    processes = dataset.filter(partial(iqa_brisque, min_score=0.6, max_score=0.9), max_workers=2, mode=ProcessPoolExecutor)
    batch = [item for item, kept in zip(dataset, iqa_brisque_batch(dataset, 0.6, 0.9)) if kept]
    assert threads.items == one.items == processes.items == batch
    tagged = tag_brisque.tag_batch([dict(item) for item in dataset])
    assert tagged == [tag_brisque(dict(item)) for item in dataset]


def test_the_range_takes_its_ends_in_and_is_checked(dataset):
    item = dict(dataset[0])
    quality = tag_brisque.score(item)
    assert iqa_brisque(item, min_score=quality) and iqa_brisque(item, max_score=quality) and not iqa_brisque(item, min_score=quality + 1e-9)
    for least, most in ((0.5, 0.5), (-0.1, 1), (0, 1.1), (0.9, 0.1)):
        with pytest.raises(ValueError, match="Expected 0 <= min_score < max_score <= 1"):
            iqa_brisque(item, least, most)
        with pytest.raises(ValueError, match="Expected 0 <= min_score < max_score <= 1"):
            ensemble(item, [], [], least, most)
    with pytest.raises(ValueError, match="Expected one weight per tagger"):
        ensemble(item, [tag_brisque], [])


def test_another_field_several_images_and_images_that_are_none(dataset):
    photo, other = "photos/leaf.jpg", "photos/boats.jpg"
    assert tag_brisque.score({"picture": photo}, key="picture") == tag_brisque.score({"image": photo})
    both = tag_brisque.score({"images": [{"id": 1, "url": photo}, {"id": 2, "url": other}]}, key="images")
    assert both == min(tag_brisque.score({"image": photo}), tag_brisque.score({"image": other}))
    assert iqa_brisque({"text": "words"}, min_score=0.99) and iqa_brisque({"image": None}, min_score=0.99, max_score=0.995)
    for nothing in ("", [], [None], [""], [{"url": None}], {"url": ""}, float("nan")):
        assert iqa_brisque({"image": nothing}, min_score=0.99) and tag_brisque.score({"image": nothing}) == 1.0
    assert tag_brisque.score({"image": [None, {"path": photo}]}) == tag_brisque.score({"image": {"url": photo}}) == tag_brisque.score({"image": photo})
    content = (SAMPLES / photo).read_bytes()
    assert tag_brisque.score({"image": [{"bytes": content, "path": None}]}) == tag_brisque.score({"image": photo})
    with pytest.raises(RequestError, match="found int. It is at position 1"):
        iqa_brisque_batch([{"image": [photo, photo]}, {"image": 3}])
    assert tag_brisque({"image": "nowhere.jpg"}) == {"image": "nowhere.jpg", "__tag_brisque": None}
    assert not iqa_brisque({"image": "nowhere.jpg"})
    assert not ensemble({"__tag_brisque": None}, [tag_brisque], [1.0])
    assert ensemble({}, [tag_brisque], [1.0], 0.9)


def test_arniqa_works_or_says_how_to_get_its_weights(dataset):
    try:
        assert isinstance(iqa_arniqa(dataset[0], min_score=0.6), bool)
    except WorkerError as error:
        assert "pristine models pull arniqa" in str(error)
