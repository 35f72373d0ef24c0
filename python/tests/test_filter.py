import json
import os
import zipfile

import pytest
from conftest import PHOTOS, SAMPLES

import pristine_iqa


def test_kept_paths_and_the_ledger_agree_with_the_scores(photos, expected):
    result = pristine_iqa.filter(photos, keep="brisque <= 54", drop=["sharpness <= 10"])

    def passes(row):
        return row["status"] == "ok" and row["brisque"] <= 54 and row["sharpness"] > 10

    assert result.items == [path for path in photos if passes(expected[path])]
    assert (result.kept, result.dropped) == (len(result.items), len(photos) - len(result.items))
    assert [entry["image"] for entry in result.ledger] == photos
    assert all(entry["reason"] for entry in result.ledger if not entry["kept"])
    assert repr(result) == "FilterResult(kept=%d, dropped=%d, out=None)" % (result.kept, result.dropped)


def test_records_are_kept_as_they_are(tmp_path):
    with open(SAMPLES / "captions.json", encoding="utf-8") as file:
        records = {record["id"]: record for record in json.load(file)}
    result = pristine_iqa.filter(SAMPLES / "captions.json", keep="brisque <= 54", no_image="drop")
    assert result.items and all(records[item["id"]] == item for item in result.items)
    out = tmp_path / "kept.json"
    again = pristine_iqa.filter(SAMPLES / "captions.json", keep="brisque <= 54", no_image="drop", out=out)
    assert again.items is None and again.out == str(out)
    assert json.loads(out.read_text()) == result.items
    assert again.ledger == result.ledger


def test_the_ledger_is_a_frame():
    pytest.importorskip("pandas")
    df = pristine_iqa.filter(PHOTOS, min_quality=0.5, limit=5).frame()
    assert df.kept.sum() == 5
    assert str(df.dtypes["value"]) == "float64" and str(df.dtypes["index"]) == "Int64"


def test_the_best_are_kept(photos, expected):
    result = pristine_iqa.filter(photos, keep_top=3, by="sharpness")
    best = sorted((path for path in photos if expected[path]["sharpness"] is not None), key=lambda path: -expected[path]["sharpness"])[:3]
    assert sorted(result.items) == sorted(best)


def test_a_rule_that_is_not_understood_is_shown():
    with pytest.raises(pristine_iqa.CommandError, match="brisk") as failure:
        pristine_iqa.filter(PHOTOS, keep="brisk <= 54")
    assert failure.value.exit_code == 2


@pytest.mark.parametrize(
    "images, message",
    [
        (["a.jpg", ""], "position 1, counted from 0; found an empty one"),
        (["a.jpg", None], "position 1, counted from 0; found NoneType"),
        (["a\0b.jpg"], "one with a NUL"),
        ([b"\xff\xd8\0"], "found bytes"),
        ([{"image": "a.jpg"}], "found dict"),
        (b"\xff\xd8", "found bytes"),
        (3, "found int"),
    ],
)
@pytest.mark.parametrize("call", [lambda images: pristine_iqa.filter(images, "width > 0"), pristine_iqa.check])
def test_what_is_no_path_is_refused_and_none_is_passed_over(call, images, message):
    with pytest.raises(pristine_iqa.RequestError, match=message):
        call(images)


def test_a_data_frame_has_a_column_of_paths(photos):
    pandas = pytest.importorskip("pandas")
    found = pristine_iqa.filter(pandas.DataFrame({"photo": photos[:3], "n": [1, 2, 3]}), "width > 0", image_field="photo")
    assert found.items == photos[:3]
    assert pristine_iqa.check(pandas.DataFrame({"image": photos[:3]}), "missing").images == 3


@pytest.mark.parametrize("name", ["a.ndjson", "a.jsonl.gz", "a.json", "a.json.gz", "a.jsonl"])
def test_records_of_every_name_come_back(tmp_path, name):
    import gzip

    records = [{"id": i, "image": os.fspath(PHOTOS / "leaf.jpg")} for i in range(2)]
    text = json.dumps(records) if ".json" in name and "l" not in name else "".join(json.dumps(record) + "\n" for record in records)
    with gzip.open(tmp_path / name, "wt") if name.endswith(".gz") else open(tmp_path / name, "w") as file:
        file.write(text)
    assert pristine_iqa.filter(tmp_path / name, "width > 0").items == records


def test_other_datasets_give_what_fits_them(tmp_path):
    coco = {"images": [{"id": 1, "file_name": os.fspath(PHOTOS / "leaf.jpg")}], "annotations": [], "categories": []}
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    assert pristine_iqa.filter(tmp_path / "coco.json", "width > 0").items == coco["images"]
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "a.jpg").write_bytes((PHOTOS / "leaf.jpg").read_bytes())
    (tmp_path / "hf" / "metadata.jsonl").write_text('{"file_name": "a.jpg", "text": "a leaf"}\n')
    found = pristine_iqa.filter(tmp_path / "hf", "width > 0")
    assert (found.kept, found.items, len(found.ledger)) == (1, None, 1)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.write(PHOTOS / "leaf.jpg", "leaf.jpg")
    found = pristine_iqa.filter(tmp_path / "a.zip", "width > 0")
    assert (found.kept, found.items) == (1, None)


def test_bytes_that_are_not_utf8_lose_nothing(tmp_path):
    line = b'{"image": "%s", "text": "caf\xe9"}\n' % os.fsencode(PHOTOS / "leaf.jpg")
    (tmp_path / "latin.jsonl").write_bytes(line)
    found = pristine_iqa.filter(tmp_path / "latin.jsonl", "width > 0")
    assert found.kept == len(found.ledger) == 1
    assert found.items[0]["text"].encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_the_ledgers_truth_values_can_be_negated(photos):
    pytest.importorskip("pandas")
    ledger = pristine_iqa.filter(photos, "brisque <= 30").frame()
    assert ledger.kept.dtype == bool
    assert sorted(ledger[~ledger.kept].image) == sorted(set(photos) - set(ledger[ledger.kept].image))


def test_what_the_program_says_of_a_run_that_went_well_is_a_warning(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"image": os.fspath(PHOTOS / "leaf.jpg"), "text": "<image> <image>"}) + "\n")
    with pytest.warns(pristine_iqa.PristineWarning, match="more or fewer placeholders"):
        pristine_iqa.filter(tmp_path / "a.jsonl", "width > 0")
    with pytest.warns(pristine_iqa.PristineWarning, match="no items"):
        pristine_iqa.filter(os.fspath(tmp_path / "no*.jpg"), "width > 0")


def test_thresholds_may_be_any_numbers():
    class Number(float):
        def __repr__(self):
            return "np.float64(%s)" % float(self)

    assert pristine_iqa.check(PHOTOS / "leaf.jpg", "dark", thresholds={"dark": Number(0.5)})["dark"]["threshold"] == 0.5
