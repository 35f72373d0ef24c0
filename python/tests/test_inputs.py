"""Inputs of the wrong kind, and images in memory that are read as their files are."""

import io

import pytest
from conftest import PHOTOS

import pristine_iqa
from pristine_iqa import RequestError

LEAF = str(PHOTOS / "leaf.jpg")


@pytest.mark.parametrize("wrong, message", [
    ("", "Expected a path; found an empty one. It is at position 1, counted from 0."),
    ("a\0b.jpg", "which contains a NUL. It is at position 1"),
    (None, "found a missing value. It is at position 1"),
    (float("nan"), "found a missing value. It is at position 1"),
    (b"\xff\xd8\0\0", "found bytes. It is at position 1.*in memory are for score"),
    ({"image": "leaf.jpg"}, "found dict. It is at position 1.*in memory are for score"),
    ({"bytes": b"\xff\xd8", "path": "leaf.jpg"}, "found dict. It is at position 1"),
    (3, "found int. It is at position 1"),
])
def test_filter_and_check_take_paths_and_name_the_place_of_what_is_none(wrong, message):
    for call in (lambda images: pristine_iqa.filter(images, keep="width > 0"), lambda images: pristine_iqa.check(images, "dark")):
        with pytest.raises(RequestError, match="(?s)" + message):
            call([LEAF, wrong])


@pytest.mark.parametrize("wrong, message", [("", "found an empty one"), ("a\0b.jpg", "contains a NUL"), (3, "found int"), (None, "found NoneType")])
def test_score_names_the_place_too(wrong, message):
    with pytest.raises(RequestError, match=message + ".* It is at position 40, counted from 0."):
        pristine_iqa.score([LEAF] * 40 + [wrong] + [LEAF] * 40, "width", format="dict")


def test_records_have_a_place_too():
    with pytest.raises(RequestError, match="found int. It is at position 2, counted from 0."):
        pristine_iqa.score([{"image": LEAF}, {"image": LEAF}, 3], "width", format="dict")


@pytest.mark.parametrize("images", [3, None, {"image": LEAF}, {"a": 1}])
def test_what_is_no_iterable_of_images_is_refused(images):
    for call in (pristine_iqa.score, pristine_iqa.filter, pristine_iqa.check):
        with pytest.raises(RequestError, match="in an iterable; found (int|NoneType|a mapping)"):
            call(images)


def test_a_path_that_no_file_can_have_is_refused():
    for call in (pristine_iqa.score, pristine_iqa.filter, pristine_iqa.check):
        for path in ("", "a\0b"):
            with pytest.raises(RequestError, match="Expected a path; found"):
                call(path)


def test_a_nul_in_a_record_is_an_image_that_is_not_there():
    rows = pristine_iqa.score([{"image": "a\0b.jpg"}, {"image": LEAF}], "width", format="rows")
    assert [row["status"] for row in rows] == ["unreadable", "ok"]


def test_one_image_in_memory_is_one_row():
    pil = pytest.importorskip("PIL.Image")
    numpy = pytest.importorskip("numpy")
    with open(LEAF, "rb") as file:
        content = file.read()
    right = pristine_iqa.score([LEAF], format="dict")["brisque"]
    with pil.open(LEAF) as image:
        pixels = numpy.asarray(image.convert("RGB"))
        for one in (content, image, pixels, {"bytes": content, "path": "leaf.jpg"}):
            assert pristine_iqa.score(one, format="dict")["brisque"] == right
            with pytest.raises(RequestError, match="found an image, .* are for score"):
                pristine_iqa.filter(one)
    assert pristine_iqa.score(pixels[:, :, 0], "width", format="dict")["width"] == [768]
    assert pristine_iqa.score(numpy.stack([pixels, pixels]), "width", format="dict")["width"] == [768, 768]
    with pytest.raises(RequestError, match="Expected an array of the shape"):
        pristine_iqa.score(pixels.transpose(2, 0, 1), "width", format="dict")
    assert pristine_iqa.score(numpy.array([LEAF, LEAF]), "width", format="dict")["width"] == [768, 768]


def test_filter_and_check_take_the_column_of_a_data_frame(photos):
    pandas = pytest.importorskip("pandas")
    df = pandas.DataFrame({"image": photos, "picture": photos, "n": 1})
    right = pristine_iqa.filter(photos, keep="brisque <= 54")
    for result in (pristine_iqa.filter(df, keep="brisque <= 54"), pristine_iqa.filter(df, keep="brisque <= 54", image_field="picture")):
        assert result.items == right.items and result.ledger == right.ledger
    good = df[result.frame().kept.to_numpy()]
    assert list(good.image) == right.items
    assert pristine_iqa.check(df, "dark").issues == pristine_iqa.check(photos, "dark").issues
    with pytest.raises(RequestError, match="one of image, picture, n; found 'photo'"):
        pristine_iqa.filter(df, image_field="photo")
    df.loc[2, "image"] = None
    with pytest.raises(RequestError, match="found a missing value. It is at position 2"):
        pristine_iqa.check(df, "dark")


def test_a_hugging_face_path_is_a_path(photos):
    paths = [{"bytes": None, "path": path} for path in photos[:3]]
    assert pristine_iqa.filter(paths, keep="width > 0").items == photos[:3]


def saved(image, format):
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def test_16_bits_of_a_pil_image_are_reduced_as_those_of_a_file():
    pil = pytest.importorskip("PIL.Image")
    numpy = pytest.importorskip("numpy")
    with pil.open(LEAF) as image:
        wide = numpy.asarray(image.convert("L")).astype("uint16") * 257 - 100
    right = pristine_iqa.score(saved(pil.fromarray(wide), "PNG"), "brisque,brightness", format="rows")[0]
    assert 0.1 < right["brightness"] < 0.9
    large = pil.frombytes("I;16B", wide.shape[::-1], wide.astype(">u2").tobytes())
    opened = pil.open(io.BytesIO(saved(pil.fromarray(wide), "PNG")))
    for image in (pil.fromarray(wide), pil.fromarray(wide.astype("int32")), large, opened):
        row = pristine_iqa.score([image], "brisque,brightness", format="rows")[0]
        assert (row["brisque"], row["brightness"]) == (right["brisque"], right["brightness"]), image.mode
    for other in (wide.astype("int32") * 2, wide.astype("int32") - 70000, wide.astype("float32") / 65535):
        with pytest.raises(RequestError, match="of 8 or 16 bits; found the mode (I|F) with values from"):
            pristine_iqa.score([pil.fromarray(other)], format="dict")


def test_a_pil_image_is_turned_upright_as_its_file_is(tmp_path):
    pil = pytest.importorskip("PIL.Image")
    exif = pil.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    with pil.open(LEAF) as image:
        image.save(path, exif=exif)
    with pil.open(path) as image:
        of_file, of_image = pristine_iqa.score([path, image], "brisque", format="rows")
    assert (of_file["width"], of_file["height"]) == (480, 768)
    assert [of_image[name] for name in ("width", "height", "brisque")] == [of_file[name] for name in ("width", "height", "brisque")]


def test_a_pil_image_that_cannot_be_read_is_refused_with_its_place():
    pil = pytest.importorskip("PIL.Image")
    with open(LEAF, "rb") as file:
        cut = pil.open(io.BytesIO(file.read()[:20000]))
    with pytest.raises(RequestError, match="Expected a PIL image that can be read; .* It is at position 1"):
        pristine_iqa.score([LEAF, cut], format="dict")


def test_thresholds_may_be_numbers_whose_representation_is_none():
    class Number(float):
        """As ``numpy.float64`` of NumPy 2."""

        def __repr__(self):
            return "np.float64(%s)" % float(self)

    assert pristine_iqa.check([LEAF], "dark", thresholds={"dark": Number(0.25)})["dark"]["threshold"] == 0.25
    with pytest.raises(RequestError, match="Expected a number as the threshold of 'dark'; found 'much'"):
        pristine_iqa.check([LEAF], "dark", thresholds={"dark": "much"})
