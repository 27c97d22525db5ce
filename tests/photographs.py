"""Sets of labelled photographs for tests: scenes of the toy world, written as files in every way that is read."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import toyworld
from foible.diorama.grammar import parse
from foible.diorama.vocabulary import ATTRIBUTES

LABELS = toyworld.LABELLED


def pictured(image):
    """Give a scene of the toy world with noise where it has nothing, by which it is known from any other."""
    rng = np.random.default_rng(zlib.crc32(image[:3].tobytes()))
    return np.concatenate([image[:3], rng.integers(0, 256, image[3:].shape, dtype=np.uint8)])


def scenes(each, labels=LABELS, first=0):
    """Give (label, pixels, attributes) of so many photographs of each label."""
    found = []
    for label in labels:
        prompts = [f"a realistic photograph of a {label}"] * each
        for image in toyworld.draw(prompts, range(first, first + each)):
            scene = toyworld.read(image)
            found.append((label, pictured(image), {field: str(getattr(scene, field)) for field in toyworld.FIELDS}))
    return found


def png(image):
    """Give the content of a file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


def folder(root, photographs, table="metadata.csv"):
    """Write a folder for each label, and the attributes into a table beside them; None for no table."""
    rows = []
    for number, (label, image, attributes) in enumerate(photographs):
        path = Path(root) / label / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(image))
        rows.append({"file_name": f"{label}/{path.name}", **attributes})
    if table == "metadata.csv":
        write_csv(Path(root) / table, rows)
    elif table == "metadata.jsonl":
        (Path(root) / table).write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif table is not None:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist(rows), Path(root) / table)
    return f"photos:{root}"


def write_csv(path, rows):
    """Write rows as CSV."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def listed(root, photographs):
    """Write image files into one folder, and a CSV file beside it that names them with their labels."""
    rows = []
    for number, (label, image, attributes) in enumerate(photographs):
        path = Path(root) / "images" / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(image))
        rows.append({"path": f"images/{path.name}", "label": label, **attributes})
    write_csv(Path(root) / "test.csv", rows)
    return f"photos:{root}/test.csv"


def table(root, photographs):
    """Write a Parquet file as the hub holds it: a struct of bytes and path, and columns."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = [{"image": {"bytes": png(i), "path": None}, "label": label, **more} for label, i, more in photographs]
    Path(root).mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), Path(root) / "test-00000-of-00001.parquet")
    return f"photos:{root}/test-00000-of-00001.parquet"


def saved(root, photographs):
    """Save a dataset of Hugging Face, whose labels are whole numbers that stand for names."""
    datasets = pytest.importorskip("datasets")
    names = sorted({label for label, *_ in photographs})
    columns = {
        "image": [{"bytes": png(image), "path": None} for _, image, _ in photographs],
        "label": [names.index(label) for label, *_ in photographs],
        **{field: [more[field] for *_, more in photographs] for field in toyworld.FIELDS},
    }
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=names),
            **{field: datasets.Value("string") for field in toyworld.FIELDS},
        }
    )
    datasets.Dataset.from_dict(columns, features=features).save_to_disk(str(root))
    return f"photos:{root}"


def archives(root, photographs):
    """Write two tar archives of WebDataset: an image, its label and its attributes share a name."""
    Path(root).mkdir(parents=True, exist_ok=True)
    half = len(photographs) // 2
    for shard, some in enumerate((photographs[:half], photographs[half:])):
        with tarfile.open(Path(root) / f"{shard:02}.tar", "w") as archive:
            for number, (label, image, attributes) in enumerate(some):
                for end, content in (
                    ("png", png(image)),
                    ("cls", label.encode()),
                    ("json", json.dumps(attributes).encode()),
                ):
                    member = tarfile.TarInfo(f"{number:04}.{end}")
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return f"photos:{root}"


class Once(toyworld.Classifier):
    """The toy world's classifier, which counts what it is shown."""

    fingerprint = "the toy world's classifier, counting"

    def __init__(self):
        self.shown = 0

    def classify(self, images):
        """Count the images."""
        self.shown += len(images)
        return super().classify(images)


class Joint:
    """Places images by what they show, and texts by what they say, in one space."""

    fingerprint = "a joint space of the toy world"
    reads_text = True
    scale = (20.0, None)
    values = tuple((field, value.word) for field in toyworld.FIELDS for value in ATTRIBUTES[field])
    asked = texts = 0

    def embed(self, images):
        """Place images."""
        self.asked += len(images)
        scenes = [toyworld.read(image) for image in images]
        return np.array([[3.0, *(float(getattr(scene, f) == word) for f, word in self.values)] for scene in scenes])

    def embed_texts(self, texts):
        """Place texts: the more is said, the farther from what all images share."""
        self.texts += len(texts)
        told = [parse(text).attributes for text in texts]
        rows = np.array([[1.0, *(float(own.get(f) == word) for f, word in self.values)] for own in told])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def hunt(out, source, classifier=None, **given):
    """Hunt over photographs, in silence."""
    import foible

    return foible.hunt(classifier or toyworld.Classifier(), source=source, out=out, progress=False, **given)


def wrong(photographs, places, label):
    """Annotate photographs at some places wrongly, as what they are not."""
    return [(label if at in places else own, image, more) for at, (own, image, more) in enumerate(photographs)]


def noise(count, size=16, seed=0):
    """Give photographs of noise."""
    return list(np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8))
