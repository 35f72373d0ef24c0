import os
import sys

import pytest
from conftest import PHOTOS, SAMPLES, command_rows

import pristine_iqa


def test_three_lines_give_a_data_frame_whose_digits_are_those_of_the_program(expected):
    pandas = pytest.importorskip("pandas")
    df = pristine_iqa.score(PHOTOS, "brisque,sharpness")
    good = df[df.brisque_quality >= 0.5]
    assert 0 < len(good) < len(df) == len(expected)
    for row in df.itertuples():
        right = expected[os.path.join(PHOTOS, row.id)] if not os.path.isabs(row.id) else expected[row.id]
        for name in ("brisque", "sharpness"):
            value = getattr(row, name)
            assert value == right[name] if right[name] is not None else pandas.isna(value)
        assert row.status == right["status"]


def test_a_folder_paths_and_bytes_give_the_same_frame(photos):
    pandas = pytest.importorskip("pandas")
    by_folder = pristine_iqa.score(os.fspath(PHOTOS), ["brisque", "min_side", "phash"])
    by_paths = pristine_iqa.score(photos, "brisque,min_side,phash")
    by_bytes = pristine_iqa.score((open_bytes(path) for path in photos), "brisque,min_side,phash")
    names = [name for name in by_paths.columns if name not in ("id", "image", "folder")]
    pandas.testing.assert_frame_equal(by_folder[names], by_paths[names])
    names = [name for name in names if name not in ("modified", "bytes", "error")]
    pandas.testing.assert_frame_equal(by_bytes[names], by_paths[names])
    assert str(by_paths.dtypes["width"]) == "Int64"
    assert str(by_paths.dtypes["min_side"]) == "float64"
    assert len(by_paths["phash"][0]) == 16
    assert str(by_paths.dtypes["modified"]) == "datetime64[ns, UTC]"


def open_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def test_datasets_and_records_are_scored_alike():
    import json

    dataset = SAMPLES / "captions.json"
    right = command_rows("score", os.fspath(dataset), "--metrics", "brisque")
    assert pristine_iqa.score(dataset, format="rows") == right
    with open(dataset, encoding="utf-8") as file:
        records = json.load(file)
    assert pristine_iqa.score(records, format="rows", image_root=SAMPLES) == right


def test_a_data_frame_and_a_hugging_face_dataset_have_a_column_of_images(photos, expected):
    pandas = pytest.importorskip("pandas")

    class Dataset:
        """As ``datasets.Dataset`` with ``Image(decode=False)``."""

        column_names = ["picture", "label"]
        features = {"picture": None, "label": None}

        def __iter__(self):
            return ({"picture": {"bytes": None, "path": path}, "label": 0} for path in photos)

    right = [expected[path]["brisque"] for path in photos]
    assert pristine_iqa.score(pandas.DataFrame({"image": photos}), format="dict")["brisque"] == right
    assert pristine_iqa.score(Dataset(), image_field="picture", format="dict")["brisque"] == right
    assert pristine_iqa.score(pandas.Series(photos), format="dict")["brisque"] == right
    with pytest.raises(pristine_iqa.RequestError, match="one of picture, label; found 'image'"):
        pristine_iqa.score(Dataset(), format="dict")


def test_images_in_memory_are_scored_by_their_pixels():
    pil = pytest.importorskip("PIL.Image")
    numpy = pytest.importorskip("numpy")
    with pil.open(PHOTOS / "leaf.jpg") as image:
        image.load()
        pixels = numpy.asarray(image)
        rows = pristine_iqa.score([image, pixels, pixels[:, :, 0], PHOTOS / "leaf.jpg"], format="rows")
    assert [row["status"] for row in rows] == ["ok"] * 4
    assert rows[0]["brisque"] == rows[1]["brisque"] == rows[3]["brisque"]
    assert (rows[2]["width"], rows[2]["height"], rows[2]["format"]) == (768, 480, "png")


@pytest.mark.parametrize("image", [3, None, object(), [1, 2]])
def test_what_is_no_image_is_refused(image):
    with pytest.raises(pristine_iqa.RequestError, match="Expected a path, the bytes of an image file"):
        pristine_iqa.score([PHOTOS / "leaf.jpg", image], format="rows")


def test_arrays_of_another_kind_are_refused():
    numpy = pytest.importorskip("numpy")
    for array, message in ((numpy.zeros((4, 4)), "uint8; found float64"), (numpy.zeros((3, 4, 4, 1), "uint8"), "found \\(3, 4, 4, 1\\)")):
        with pytest.raises(pristine_iqa.RequestError, match=message):
            pristine_iqa.score([array], format="dict")


def test_a_dict_has_a_list_for_each_column_also_without_rows():
    columns = pristine_iqa.score([], format="dict")
    assert columns["brisque"] == columns["status"] == []
    columns = pristine_iqa.score([PHOTOS / "leaf.jpg", "nowhere.jpg"], format="dict")
    assert columns["status"] == ["ok", "missing"]
    assert columns["brisque"][1] is None


def test_an_empty_frame_has_the_columns_and_types_of_a_full_one(photos):
    pytest.importorskip("pandas")
    assert list(pristine_iqa.score([]).dtypes.items()) == list(pristine_iqa.score(photos[:3]).dtypes.items())


def test_an_empty_dataset_has_the_columns_of_an_empty_list(tmp_path):
    pytest.importorskip("pandas")
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "empty.jsonl", tmp_path / "folder"):
        with pytest.warns(pristine_iqa.PristineWarning, match="no items in"):
            df = pristine_iqa.score(path, "brisque,phash")
        assert list(df.dtypes.items()) == list(pristine_iqa.score([], "brisque,phash").dtypes.items())


def test_a_column_without_values_has_the_type_of_a_full_one(tmp_path):
    pytest.importorskip("pandas")
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    by_path = pristine_iqa.score(tmp_path, "brisque,phash,width")
    assert list(by_path.dtypes.items()) == list(pristine_iqa.score([tmp_path / "broken.jpg"], "brisque,phash,width").dtypes.items())
    assert str(by_path.dtypes["phash"]) == "object" and str(by_path.dtypes["brisque"]) == "float64"


def test_an_arrow_table_has_the_types_of_score_tables(photos):
    pyarrow = pytest.importorskip("pyarrow")
    table = pristine_iqa.score(photos[:5], format="arrow")
    assert table.schema.field("brisque").type == pyarrow.float32()
    assert table.schema.field("width").type == pyarrow.int32()
    assert table.schema.field("modified").type == pyarrow.timestamp("us")
    assert table.num_rows == 5


def test_a_library_that_is_missing_is_named_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(pristine_iqa.MissingDependency, match="needs pyarrow, which is not installed; format='dict' needs nothing"):
        pristine_iqa.score("there is no such folder", format="arrow")
    with pytest.raises(ValueError, match="Expected the format pandas, arrow, dict, rows; found 'csv'"):
        pristine_iqa.score("there is no such folder", format="csv")


def test_mistakes_have_the_words_of_the_program():
    with pytest.raises(pristine_iqa.CommandError, match="'there is no such folder' does not exist") as failure:
        pristine_iqa.score("there is no such folder", format="dict")
    assert failure.value.exit_code == 1
    with pytest.raises(pristine_iqa.CommandError, match="There is no metric 'brisk'") as failure:
        pristine_iqa.score(PHOTOS, "brisk", format="dict")
    assert failure.value.exit_code == 2
    with pytest.raises(pristine_iqa.WorkerError, match="There is no metric 'brisk'"):
        pristine_iqa.score([PHOTOS / "leaf.jpg"], "brisk", format="dict")


def test_a_dataset_whose_images_are_nearly_all_missing_is_warned_of(tmp_path):
    (tmp_path / "data.jsonl").write_text('{"image":"a.jpg"}\n{"image":"b.jpg"}\n')
    with pytest.warns(pristine_iqa.PristineWarning, match="2 of 2 images are missing"):
        columns = pristine_iqa.score(tmp_path / "data.jsonl", format="dict")
    assert columns["status"] == ["missing", "missing"]


def test_options_reach_the_program(tmp_path):
    row = pristine_iqa.score(
        ["leaf.jpg"], "brisque,sharpness", cascade="brisque <= 1", image_root=PHOTOS, workers=1, max_megapixels=1, image_timeout=100,
        keep_truncated=True, format="rows",
    )[0]
    assert row["brisque"] is not None and row["sharpness"] is None
    assert "fails brisque <= 1" in row["skipped"]["sharpness"]
    row = pristine_iqa.score([PHOTOS / "leaf.jpg"], max_megapixels=0.01, format="rows")[0]
    assert row["status"] == "too_large"
    row = pristine_iqa.score([PHOTOS / "corrupt.jpg"], keep_truncated=True, format="rows")[0]
    assert row["status"] == "partial"


def test_transparent_pil_images_have_the_scores_of_their_files(tmp_path):
    image = pytest.importorskip("PIL.Image")
    clear = image.open(PHOTOS / "leaf.jpg").convert("RGBA")
    clear.putalpha(image.linear_gradient("L").resize(clear.size))
    for mode in ("RGBA", "LA", "P", "1"):
        clear.convert(mode).save(tmp_path / (mode + ".png"))
        file, opened = pristine_iqa.score([tmp_path / (mode + ".png"), image.open(tmp_path / (mode + ".png"))], "brisque,brightness", format="rows")
        assert (file["status"], file["brisque"], file["brightness"]) == ("ok", opened["brisque"], opened["brightness"]), mode
