"""The kept items of every format, without an output of one's own."""

import gzip
import json
import os
import shutil
import tarfile
import zipfile

import pytest
from conftest import PHOTOS

import pristine_iqa

RECORDS = [{"id": 1, "image": "leaf.jpg", "text": "ä"}, {"id": 2, "image": "nowhere.jpg"}, {"id": 3, "image": "moss.jpg", "n": 1e400}]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("leaf.jpg", "moss.jpg"):
        shutil.copy(PHOTOS / name, tmp_path)
    return tmp_path


def kept(path, **options):
    result = pristine_iqa.filter(path, keep="width > 0", **options)
    return result.items


def lines(records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "A.JSONL"])
@pytest.mark.parametrize("compression", ["", ".gz"])
def test_lines_of_records(folder, name, compression):
    content = lines(RECORDS)
    (folder / (name + compression)).write_bytes(gzip.compress(content) if compression else content)
    assert kept(name + compression) == [RECORDS[0], RECORDS[2]]


def test_arrays_of_records(folder):
    (folder / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(RECORDS, indent=1).encode())
    (folder / "a.json.gz").write_bytes(gzip.compress(json.dumps(RECORDS).encode()))
    assert kept("a.json") == kept("a.json.gz") == [RECORDS[0], RECORDS[2]]
    assert pristine_iqa.filter("a.json", keep="width > 10000").items == []


def test_records_in_zstandard(folder):
    program = shutil.which("zstd") or pytest.skip("Needs zstd.")
    import subprocess

    (folder / "a.jsonl").write_bytes(lines(RECORDS))
    subprocess.run([program, "-q", "a.jsonl"], check=True)
    assert kept("a.jsonl.zst") == [RECORDS[0], RECORDS[2]]


def test_several_files(folder):
    for i, record in enumerate(RECORDS):
        (folder / ("part-%d.jsonl" % i)).write_bytes(lines([record]))
    assert kept("part-*.jsonl") == kept("part-{0..2}.jsonl") == [RECORDS[0], RECORDS[2]]


def test_records_that_are_not_utf8_are_not_lost(folder):
    (folder / "a.jsonl").write_bytes(b'{"image": "leaf.jpg", "text": "a\xff"}\r\n{"image":\r"moss.jpg"}\n')
    (folder / "a.json").write_bytes(b'[{"image": "leaf.jpg", "text": "a\xff"}]')
    items = kept("a.jsonl")
    assert [item["image"] for item in items] == ["leaf.jpg", "moss.jpg"]
    assert items[0]["text"].encode("utf-8", "surrogateescape") == b"a\xff"
    assert kept("a.json") == items[:1]


def test_coco_has_images(folder):
    images = [{"id": 7, "file_name": "leaf.jpg"}, {"id": 8, "file_name": "nowhere.jpg"}]
    coco = {"info": {}, "images": images, "annotations": [{"id": 1, "image_id": 7}], "categories": []}
    for indent in (None, 2):
        (folder / "coco.json").write_text(json.dumps(coco, indent=indent))
        assert kept("coco.json") == images[:1]
    assert pristine_iqa.filter("coco.json", keep="width > 10000").items == []
    # A single record of MIX is no COCO.
    record = {"images": [{"id": 0, "url": "leaf.jpg"}], "annotations": [{"label": "x"}]}
    (folder / "mix.json").write_text(json.dumps(record))
    assert kept("mix.json") == [record]


def test_tables_have_rows(folder):
    text = 'image;caption\nleaf.jpg;"a; ""b""\nc"\nnowhere.jpg;d\nmoss.jpg;%s\n' % ("long " * 40000)
    (folder / "a.csv").write_text(text, encoding="utf-8-sig")
    (folder / "a.tsv.gz").write_bytes(gzip.compress(text.replace(";", "\t").encode()))
    right = [{"image": "leaf.jpg", "caption": 'a; "b"\nc'}, {"image": "moss.jpg", "caption": "long " * 40000}]
    assert kept("a.csv") == right
    assert kept("a.tsv.gz") == [{"image": "leaf.jpg", "caption": 'a\t "b"\nc'}, right[1]]


def test_lists_have_paths(folder):
    (folder / "list.txt").write_bytes(b"\xef\xbb\xbfleaf.jpg\r\nnowhere.jpg\r\nmoss.jpg\r\n")
    (folder / "list.txt.gz").write_bytes(gzip.compress(b"leaf.jpg\nmoss.jpg"))
    assert kept("list.txt") == kept("list.txt.gz") == ["leaf.jpg", "moss.jpg"]
    assert kept(".") == ["./leaf.jpg", "./moss.jpg"]
    assert kept("*.jpg") == ["leaf.jpg", "moss.jpg"]
    assert kept("leaf.jpg") == ["leaf.jpg"]


def test_archives_and_tables_of_bytes_have_none(folder):
    for name, mode in (("a.tar", "w"), ("a.tgz", "w:gz"), ("a.tar.gz", "w:gz")):
        with tarfile.open(name, mode) as archive:
            archive.add("leaf.jpg")
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("leaf.jpg")
    os.mkdir("shards")
    shutil.copy("a.tar", "shards/a-000.tar")
    for source in ("a.tar", "a.tgz", "a.tar.gz", "a.zip", "shards", "shards/*.tar"):
        result = pristine_iqa.filter(source, keep="width > 0")
        assert (result.items, result.kept) == (None, 1), source
    # Images of its own make a folder of archives one of images.
    shutil.copy("leaf.jpg", "shards")
    with pytest.warns(pristine_iqa.PristineWarning, match="a-000.tar' is not read"):
        assert kept("shards") == ["shards/leaf.jpg"]


def test_a_hugging_face_folder_has_its_rows(folder):
    for split, name in (("train", "leaf.jpg"), ("test", "moss.jpg")):
        os.makedirs("pets/" + split)
        shutil.copy(name, "pets/" + split)
        (folder / "pets" / split / "metadata.jsonl").write_bytes(lines([{"file_name": name, "text": split}]))
    assert kept("pets") == [{"file_name": "moss.jpg", "text": "test"}, {"file_name": "leaf.jpg", "text": "train"}]
    assert pristine_iqa.filter("pets", keep="width > 10000").items == []
    os.mkdir("table")
    shutil.copy("leaf.jpg", "table")
    (folder / "table" / "metadata.csv").write_text('"file_name",text\nleaf.jpg,a\n')
    assert kept("table") == [{"file_name": "leaf.jpg", "text": "a"}]
    # Metadata that name no image make no such folder.
    (folder / "table" / "metadata.csv").write_text("name,text\nleaf.jpg,a\n")
    with pytest.warns(pristine_iqa.PristineWarning, match="metadata.csv' is not read"):
        assert kept("table") == ["table/leaf.jpg"]


def test_an_address_has_the_format_of_its_path_without_the_query():
    from pristine_iqa._kept import _kind

    addresses = ("https://host/a.jsonl.gz?token=a.b", "http://host/a.tar.zst#x", "s3://bucket/a.csv", "https://host/a.json?b.tar")
    assert [_kind(address) for address in addresses] == ["jsonl", "tar", "csv", "json"]
