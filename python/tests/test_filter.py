import json

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
    assert len(df[df.kept]) == 5 and len(df[~df.kept]) == len(df) - 5


def test_the_best_are_kept(photos, expected):
    result = pristine_iqa.filter(photos, keep_top=3, by="sharpness")
    best = sorted((path for path in photos if expected[path]["sharpness"] is not None), key=lambda path: -expected[path]["sharpness"])[:3]
    assert sorted(result.items) == sorted(best)


def test_a_rule_that_is_not_understood_is_shown():
    with pytest.raises(pristine_iqa.CommandError, match="brisk") as failure:
        pristine_iqa.filter(PHOTOS, keep="brisk <= 54")
    assert failure.value.exit_code == 2


def test_truth_values_are_negated_also_where_some_are_missing():
    pytest.importorskip("pandas")
    from pristine_iqa.frames import frame

    assert str(frame([{"kept": True}, {"kept": False}], "pandas", {"kept": "BOOLEAN"}).kept.dtype) == "bool"
    kept = frame([{"kept": True}, {"kept": None}], "pandas", {"kept": "BOOLEAN"}).kept
    assert str(kept.dtype) == "boolean" and (~kept).sum() == 0
