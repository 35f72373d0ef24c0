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


def test_one_image_in_memory_is_one_image():
    numpy = pytest.importorskip("numpy")
    image = pytest.importorskip("PIL.Image").open(PHOTOS / "leaf.jpg")
    for one in (image, numpy.asarray(image), numpy.asarray(image)[:, :, 0], (PHOTOS / "leaf.jpg").read_bytes()):
        rows = pristine_iqa.score(one, "width", format="rows")
        assert [(row["status"], row["width"]) for row in rows] == [("ok", image.width)]


def test_pil_images_have_the_scores_of_their_files(tmp_path):
    numpy = pytest.importorskip("numpy")
    image = pytest.importorskip("PIL.Image")
    photo = image.open(PHOTOS / "leaf.jpg")
    grey = numpy.asarray(photo.convert("L")).astype("uint16") * 256 + 77
    image.fromarray(grey).save(tmp_path / "16.png")
    upright = photo.getexif()
    upright[0x0112] = 6
    photo.save(tmp_path / "turned.jpg", exif=upright, quality=95)
    clear = photo.convert("RGBA")
    clear.putalpha(image.linear_gradient("L").resize(photo.size))
    clear.save(tmp_path / "alpha.png")
    clear.convert("P").save(tmp_path / "palette.png")
    for name in ("16.png", "turned.jpg", "alpha.png", "palette.png"):
        file, opened = pristine_iqa.score([tmp_path / name, image.open(tmp_path / name)], "brisque,brightness", format="rows")
        assert (file["width"], file["height"]) == (opened["width"], opened["height"]), name
        # JPEGs are decoded by another library.
        assert file["brightness"] == pytest.approx(opened["brightness"], abs=2e-3 if name.endswith("jpg") else 0), name
        assert name.endswith("jpg") or file["brisque"] == opened["brisque"], name
    for mode, value, message in (("F", 0.5, "mode F"), ("I", 70_000, "0 to 65535; found 70000")):
        with pytest.raises(pristine_iqa.RequestError, match=message):
            pristine_iqa.score([image.new(mode, (8, 8), value)])


def test_the_position_of_what_is_no_image_is_told(photos):
    with pytest.raises(pristine_iqa.RequestError, match="^Position 2, counted from 0: "):
        pristine_iqa.score([photos[0], photos[1], float("nan"), photos[2]])


def test_a_folder_without_images_has_the_columns_of_a_full_one(tmp_path, photos):
    pytest.importorskip("pandas")
    full = pristine_iqa.score(photos[:2], "brisque,phash")
    with pytest.warns(pristine_iqa.PristineWarning, match="no items"):
        empty = pristine_iqa.score(tmp_path, "brisque,phash")
    assert list(empty.dtypes.items()) == list(full.dtypes.items())
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    broken = pristine_iqa.score(tmp_path, "brisque,phash")
    assert list(broken.dtypes.items()) == list(full.dtypes.items())


def test_paths_that_are_nearly_all_missing_are_warned_of():
    with pytest.warns(pristine_iqa.PristineWarning, match="3 of 3 images are missing, first 'a.jpg'"):
        pristine_iqa.score(["a.jpg", "b.jpg", "c.jpg"], "width")
