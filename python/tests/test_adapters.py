"""The adapters with the real libraries where they are installed, else with stand-ins of the calls that their documentation shows."""

import json
import pickle
import subprocess
import tarfile

import pytest
from conftest import PHOTOS

from pristine_iqa import RequestError
from pristine_iqa.adapters import dask, huggingface, pandas, pytorch, spark, webdataset


def quality(expected, path):
    return expected[path]["brisque_quality"]


def batches(rows, size):
    """What ``Dataset.map(batched=True)`` gives to a function: a dict of lists."""
    for start in range(0, len(rows), size):
        part = rows[start:start + size]
        yield {name: [row[name] for row in part] for name in part[0]}


def test_hugging_face_maps_batches(photos, expected):
    rows = [{"image": {"bytes": None, "path": path}, "label": i} for i, path in enumerate(photos)]
    rows += [{"image": {"bytes": (PHOTOS / "leaf.jpg").read_bytes(), "path": "leaf.jpg"}, "label": -1}, {"image": None, "label": -2}]
    add = pickle.loads(pickle.dumps(huggingface.add_scores("brisque,sharpness")))
    scored = [add(batch) for batch in batches(rows, 10)]
    assert list(scored[0]) == ["brisque", "brisque_quality", "sharpness", "sharpness_quality", "image_status", "image_error"]
    values = [value for batch in scored for value in batch["brisque"]]
    assert values == [expected[path]["brisque"] for path in photos] + [expected[str(PHOTOS / "leaf.jpg")]["brisque"], None]
    assert scored[-1]["image_status"][-1] == "no_image"
    keep = huggingface.keep("brisque", least=0.5)
    kept = [kept for batch in batches(rows, 10) for kept in keep(batch)]
    assert kept[: len(photos)] == [quality(expected, path) is not None and quality(expected, path) >= 0.5 for path in photos]
    assert kept[-1] is False


def test_hugging_face_with_the_library(photos, expected):
    datasets = pytest.importorskip("datasets")
    dataset = datasets.Dataset.from_dict({"image": photos}).cast_column("image", datasets.Image(decode=False))
    dataset = dataset.map(huggingface.add_scores("brisque"), batched=True, batch_size=16)
    assert dataset["brisque"] == [expected[path]["brisque"] for path in photos]
    good = dataset.filter(huggingface.keep("brisque", least=0.5), batched=True)
    assert len(good) == sum(1 for path in photos if (quality(expected, path) or 0) >= 0.5)


def test_a_range_needs_an_end_and_a_column_that_is_there():
    with pytest.raises(ValueError, match="Expected at least one of 'least' and 'most'"):
        huggingface.keep()
    with pytest.raises(ValueError, match="Expected least <= most; found 2 and 1"):
        huggingface.keep(least=2, most=1)
    with pytest.raises(KeyError, match="found 'brisk'"):
        huggingface.keep(least=0.5, by="brisk")({"image": [str(PHOTOS / "leaf.jpg")]})


class Items:
    """A map-style dataset."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


def test_pytorch_datasets_are_scored(photos, expected):
    items = Items([(path, i) for i, path in enumerate(photos)])
    right = [expected[path]["brisque"] for path in photos]
    assert pytorch.score_dataset(items, format="dict")["brisque"] == right
    assert pytorch.score_dataset(items, path=lambda dataset, i: dataset.items[i][0], format="dict")["brisque"] == right
    pairs = pytorch.ScoredDataset(items, workers=1)
    assert len(pairs) == len(items)
    assert pairs[3][0] == items[3] and pairs[3][1]["brisque"] == right[3]
    assert [row["brisque"] for _, row in pairs.__getitems__([0, 1, 2])] == right[:3]


def test_pytorch_with_the_library(photos, expected):
    torch = pytest.importorskip("torch")
    pil = pytest.importorskip("PIL.Image")
    numpy = pytest.importorskip("numpy")

    class Photos(torch.utils.data.Dataset):
        def __len__(self):
            return len(photos)

        def __getitem__(self, index):
            return {"path": photos[index], "label": index}

    good = pytorch.subset(Photos(), least=0.5, image="path")
    assert isinstance(good, torch.utils.data.Subset)
    assert [item["path"] for item in good] == [path for path in photos if (quality(expected, path) or 0) >= 0.5]
    # A DataLoader's processes have workers of their own.
    loader = torch.utils.data.DataLoader(pytorch.ScoredDataset(Photos(), image="path", workers=1), batch_size=None, num_workers=2)
    assert [row["brisque"] for _, row in loader] == [expected[path]["brisque"] for path in photos]
    # Tensors have their channels first.
    with pil.open(PHOTOS / "leaf.jpg") as image:
        pixels = torch.from_numpy(numpy.array(image)).permute(2, 0, 1)
    scores = pytorch.score_dataset(Items([(pixels, 0), (pixels[0], 0)]), format="dict")
    assert scores["brisque"][0] == expected[str(PHOTOS / "leaf.jpg")]["brisque"]
    assert scores["width"] == [768, 768]


def samples_of(tar):
    """Samples as WebDataset gives them before ``decode``."""
    with tarfile.open(tar) as archive:
        sample = {}
        for member in archive:
            key, _, extension = member.name.partition(".")
            if sample.get("__key__", key) != key:
                yield sample
                sample = {}
            sample["__key__"] = key
            sample[extension] = archive.extractfile(member).read()
        yield sample


@pytest.fixture
def shard(tmp_path, photos):
    path = tmp_path / "shard.tar"
    texts = tmp_path / "text.txt"
    texts.write_text("words")
    with tarfile.open(path, "w") as archive:
        for i, photo in enumerate(photos):
            archive.add(photo, "%05d.jpg" % i)
            archive.add(texts, "%05d.txt" % i)
        archive.add(texts, "99999.txt")
    return path


def test_webdataset_samples_are_scored(shard, photos, expected):
    samples = list(samples_of(shard))
    scored = list(webdataset.scored("brisque")(samples))
    assert [sample["iqa"]["brisque"] for sample in scored] == [expected[path]["brisque"] for path in photos] + [None]
    assert scored[0]["iqa"]["image"] == "00000.jpg" and scored[-1]["iqa"]["status"] == "no_image"
    assert [dict(sample, iqa=None) for sample in scored] == [dict(sample, iqa=None) for sample in samples]
    one = pickle.loads(pickle.dumps(webdataset.add_scores("brisque", image="jpg")))(samples[0])
    assert one["iqa"]["brisque"] == scored[0]["iqa"]["brisque"] and "iqa" not in samples[0]
    keep = webdataset.keep(least=0.5)
    right = [(quality(expected, path) or 0) >= 0.5 for path in photos] + [True]
    assert [keep(sample) for sample in scored] == right
    assert [keep(sample) for sample in samples[:5]] == right[:5]


def test_webdataset_samples_have_images_by_their_last_extension(photos, expected):
    content = (PHOTOS / "leaf.jpg").read_bytes()
    right = expected[str(PHOTOS / "leaf.jpg")]["brisque"]
    add = webdataset.add_scores("brisque")
    for sample in ({"left.jpg": content, "right.png": content}, {"json": b"{}", "Left.JPG": content}, {"png": content}, {"jfif": content}):
        name = next(name for name in sample if name != "json")
        row = add(dict(sample, __key__="7"))["iqa"]
        assert (row["brisque"], row["image"]) == (right, "7." + name)
    row = webdataset.add_scores("brisque", image="right.png")({"__key__": "7", "left.jpg": b"none", "right.png": content})["iqa"]
    assert (row["brisque"], row["image"]) == (right, "7.right.png")
    assert not webdataset.keep(least=0.999)({"__key__": "7", "left.jpg": content})
    assert add({"__key__": "7", "jpg.txt": b"words"})["iqa"]["status"] == "no_image"


def test_webdataset_with_the_library(shard, photos, expected):
    wds = pytest.importorskip("webdataset")
    scored = list(wds.WebDataset(str(shard), shardshuffle=False).compose(webdataset.scored("brisque")).select(webdataset.keep(least=0.5)))
    assert len(scored) == 1 + sum(1 for path in photos if (quality(expected, path) or 0) >= 0.5)


def test_pandas_gets_new_columns(photos, expected):
    pd = pytest.importorskip("pandas")
    df = pd.DataFrame({"path": photos + [None], "n": range(len(photos) + 1)}, index=range(100, 101 + len(photos)))
    scored = pandas.add_scores(df, "brisque,phash", column="path", prefix="iqa_")
    assert list(scored.columns) == ["path", "n", "iqa_brisque", "iqa_brisque_quality", "iqa_phash", "iqa_image_status", "iqa_image_error"]
    assert isinstance(scored["iqa_phash"].iloc[0], str)
    assert list(df.columns) == ["path", "n"] and list(scored.index) == list(df.index)
    right = [expected[path]["brisque"] for path in photos] + [None]
    assert [None if pd.isna(value) else value for value in scored["iqa_brisque"]] == right
    assert scored["iqa_image_status"].iloc[-1] == "no_image"


def test_every_missing_value_of_a_table_is_no_image():
    pd = pytest.importorskip("pandas")
    leaf = str(PHOTOS / "leaf.jpg")
    df = pd.DataFrame({"path": pd.array([leaf, None, leaf], dtype="string")})
    assert list(pandas.add_scores(df, column="path")["image_status"]) == ["ok", "no_image", "ok"]
    df = pd.DataFrame({"path": [leaf, pd.NA, pd.NaT, float("nan"), None, {"bytes": None, "path": None}]}, dtype="object")
    scored = pandas.add_scores(df, column="path")
    assert list(scored["image_status"]) == ["ok"] + ["no_image"] * 5 and scored["brisque"].notna().sum() == 1
    part = next(spark.add_scores("path string", column="path")[0](iter([df])))
    assert list(part["image_status"]) == list(scored["image_status"])
    with pytest.raises(RequestError, match="an empty one. It is at position 2, counted from 0."):
        pandas.add_scores(pd.DataFrame({"path": [leaf, None, ""]}), column="path")


def test_dask_computes_partitions(photos, expected):
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    df = dd.from_pandas(pd.DataFrame({"path": photos}), npartitions=3)
    scored = dask.add_scores(df, "brisque", column="path").compute(scheduler="threads")
    right = [expected[path]["brisque"] for path in photos]
    assert [None if pd.isna(value) else value for value in scored["brisque"]] == right
    assert [row["brisque"] for row in dask.score_partition(iter(photos[:3]))] == right[:3]


def test_spark_gets_a_function_a_schema_and_a_command(photos, expected):
    pd = pytest.importorskip("pandas")
    function, schema = spark.add_scores("path string", "brisque", column="path")
    assert schema == "path string, `brisque` double, `brisque_quality` double, `image_status` string, `image_error` string"
    function = pickle.loads(pickle.dumps(function))
    parts = list(function(iter([pd.DataFrame({"path": photos[:5]}), pd.DataFrame({"path": photos[5:8]})])))
    assert [len(part) for part in parts] == [5, 3]
    assert list(parts[1]["brisque"]) == [expected[path]["brisque"] for path in photos[5:8]]
    # RDD.pipe writes each element as a line and gives the command's lines.
    lines = "".join(spark.request_line(path) + "\n" for path in photos) + spark.request_line((PHOTOS / "leaf.jpg").read_bytes()) + "\n"
    piped = subprocess.run(spark.pipe_command("brisque", workers=1), shell=True, input=lines.encode(), stdout=subprocess.PIPE, check=True)
    rows = [json.loads(line) for line in piped.stdout.splitlines()]
    assert [row["brisque"] for row in rows] == [expected[path]["brisque"] for path in photos] + [expected[str(PHOTOS / "leaf.jpg")]["brisque"]]


def test_spark_with_the_library(photos, expected):
    sql = pytest.importorskip("pyspark.sql")
    session = sql.SparkSession.builder.master("local[2]").getOrCreate()
    try:
        df = session.createDataFrame([(path,) for path in photos], "path string")
        scored = df.mapInPandas(*spark.add_scores(df.schema, "brisque", column="path")).toPandas()
        assert list(scored["brisque"].fillna(-1)) == [expected[path]["brisque"] or -1 for path in photos]
        rows = session.sparkContext.parallelize(photos, 2).map(spark.request_line).pipe(spark.pipe_command("brisque")).map(json.loads).collect()
        assert [row["id"] for row in rows] == photos
    finally:
        session.stop()


def test_webdataset_keeps_samples_of_which_every_image_passes():
    good, bad = ((PHOTOS / name).read_bytes() for name in ("leaf.jpg", "boats-noise.jpg"))
    sample = {"__key__": "a", "left.JPG": good, "right.jpg": bad, "json": b"{}"}
    assert not webdataset.keep("brisque", least=0.5)(sample)
    assert webdataset.keep("brisque", least=0.5, image="left.JPG")(sample)
    assert webdataset.keep("brisque", least=0.5)({"__key__": "a", "left.jpg": good, "right.png": good})
    assert webdataset.keep("brisque", least=0.5)({"__key__": "a", "txt": b"no image"})
