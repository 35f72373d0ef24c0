"""What the program says of a run that succeeds is a warning."""

import shutil
import warnings

import pytest
from conftest import PHOTOS

import pristine_iqa
from pristine_iqa import PristineWarning


def test_placeholders_that_are_not_those_of_the_images(tmp_path):
    lines = ['{"image": "%s", "text": "%s"}' % (PHOTOS / "leaf.jpg", text) for text in ("<image> a", "b <image> <image>")]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    with pytest.warns(PristineWarning, match="^1 item has more or fewer placeholders") as told:
        pristine_iqa.score(tmp_path / "data.jsonl", "width", format="dict")
    assert len(told) == 1 and told[0].filename == __file__


def test_a_file_of_records_that_is_not_read(tmp_path):
    shutil.copy(PHOTOS / "leaf.jpg", tmp_path)
    (tmp_path / "data.jsonl").write_text('{"image": "leaf.jpg"}\n')
    for call in (lambda: pristine_iqa.filter(tmp_path, keep="width > 0"), lambda: pristine_iqa.check(tmp_path, "dark")):
        with pytest.warns(PristineWarning, match="data.jsonl' is not read") as told:
            call()
        assert len(told) == 1 and told[0].filename == __file__


def test_a_dataset_without_items(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    for call in (pristine_iqa.score, pristine_iqa.check, pristine_iqa.filter):
        with pytest.warns(PristineWarning, match="^no items in"):
            call(tmp_path / "empty.jsonl", **({"keep": "width > 0"} if call is pristine_iqa.filter else {}))


def test_an_empty_list_is_no_news():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pristine_iqa.score([], format="rows") == []
        assert pristine_iqa.filter([], keep="width > 0").items == []
        assert pristine_iqa.check([]).images == 0


def test_paths_that_are_nearly_all_missing(tmp_path):
    missing = [str(tmp_path / ("%d.jpg" % i)) for i in range(20)]
    for call in (
        lambda paths: pristine_iqa.score(paths, "width", format="rows"), lambda paths: pristine_iqa.filter(paths, keep="width > 0"),
        lambda paths: pristine_iqa.check(paths, "dark"),
    ):
        for paths, text in ((missing, "20 of 20"), (missing + [str(PHOTOS / "leaf.jpg")] * 2, "20 of 22")):
            with pytest.warns(PristineWarning, match=text + " images are missing, first '.*0.jpg'") as told:
                call(paths)
            assert len(told) == 1 and told[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call(missing[:8] + [str(PHOTOS / "leaf.jpg")])
