"""The formats that a data set is written in: each is read by a library as it is.

Comes in: a folder, the rows of the table, and the file of each image. Goes out: files. Neighbours: `rows.py` says what
a row holds, `export.py` which there are, `card.py` what is said of the whole.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foible.act.sets.rows import COLUMNS, WHOLE
from foible.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
Files = Callable[[str], bytes]
"""Gives the PNG file of an image by the hash of its pixels."""
_ROW_GROUP = 256
"""Rows of a Parquet file that are read at once, at least."""
_SHARD = 1_000
"""Images of one archive of WebDataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A format."""

    write: Callable[[Path, Sequence[Row], Files], None]
    files: str
    """What lies in the folder, for the card."""


def _name(row: Row) -> str:
    return f"{row['pixel_hash']}.png"


def _classes(rows: Sequence[Row]) -> list[str]:
    """Name the labels in the order of their numbers in a format that wants numbers."""
    return sorted({row["label"] for row in rows})


# --- folders ----------------------------------------------------------------------------------------------------------


def _imagefolder(place: Path, rows: Sequence[Row], files: Files) -> None:
    """Write a folder for each label, and a table beside them."""
    for row in rows:
        path = place / row["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files(row["pixel_hash"]))
    with (place / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)


def _fiftyone(place: Path, rows: Sequence[Row], files: Files) -> None:
    """Write what FiftyOne calls a FiftyOneImageClassificationDataset: images, and a file of their labels."""
    (place / "data").mkdir()
    labels = {}
    for row in rows:
        (place / "data" / _name(row)).write_bytes(files(row["pixel_hash"]))
        told = {name: row[name] for name in COLUMNS if name not in {"file_name", "label"}}
        labels[row["pixel_hash"]] = {"label": row["label"], "attributes": told}
    whole = {"classes": None, "labels": labels}  # no list of classes: labels are names, and not places in a list
    (place / "labels.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(rows: Sequence[Row], files: Files) -> pa.Table:
    """Give one table with the images in it, the column of which `datasets` knows as images."""
    try:
        import pyarrow as pa
    except ImportError:
        message = 'this format needs pyarrow: pip install "foible[datasets]"'
        raise ConfigError(message) from None
    shown = [{"bytes": files(row["pixel_hash"]), "path": _name(row)} for row in rows]
    told = [{**row, "file_name": _name(row)} for row in rows]
    columns = {"image": shown} | {name: [row[name] for row in told] for name in COLUMNS}
    features = {name: {"dtype": "int64" if name in WHOLE else "string", "_type": "Value"} for name in COLUMNS}
    known = json.dumps({"info": {"features": {"image": {"_type": "Image"}, **features}}})
    kinds = [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    kinds += [(name, pa.int64() if name in WHOLE else pa.string()) for name in COLUMNS]
    return pa.table(columns, schema=pa.schema(kinds, metadata={"huggingface": known}))


def _parquet(place: Path, rows: Sequence[Row], files: Files) -> None:
    table = _table(rows, files)
    from pyarrow import parquet

    parquet.write_table(table, place / "data.parquet", row_group_size=_ROW_GROUP)


def _datasets(place: Path, rows: Sequence[Row], files: Files) -> None:
    """Write what `datasets.load_from_disk` reads."""
    try:
        import datasets
    except ImportError:
        message = "this format needs Hugging Face's library: pip install datasets"
        raise ConfigError(message) from None
    datasets.Dataset(_table(rows, files)).save_to_disk(place, num_proc=1)


# --- archives ---------------------------------------------------------------------------------------------------------


def _webdataset(place: Path, rows: Sequence[Row], files: Files) -> None:
    """Write tar archives: of each image its PNG, the number of its label, and what the table says as JSON."""
    classes = _classes(rows)
    (place / "classes.json").write_text(json.dumps(classes, ensure_ascii=False) + "\n", encoding="utf-8")
    for number, begin in enumerate(range(0, len(rows), _SHARD)):
        own = rows[begin : begin + _SHARD]
        with tarfile.open(place / f"data-{number:06}.tar", "w", format=tarfile.PAX_FORMAT) as archive:
            for name, data in _members(own, classes, files):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))


def _members(rows: Sequence[Row], classes: Sequence[str], files: Files) -> Iterator[tuple[str, bytes]]:
    for row in rows:
        key = row["pixel_hash"]
        told = {name: row[name] for name in COLUMNS if name != "file_name"}
        yield f"{key}.png", files(key)
        yield f"{key}.cls", str(classes.index(row["label"])).encode()
        yield f"{key}.json", json.dumps(told, ensure_ascii=False).encode()


FORMS = {
    "imagefolder": Form(write=_imagefolder, files="`data/LABEL/*.png` and `metadata.csv`"),
    "parquet": Form(write=_parquet, files="`data.parquet`"),
    "datasets": Form(write=_datasets, files="a dataset for `datasets.load_from_disk`"),
    "webdataset": Form(
        write=_webdataset, files="`data-*.tar`, where `.cls` is the place of the label in `classes.json`, from 0"
    ),
    "fiftyone": Form(write=_fiftyone, files="`data/*.png` and `labels.json` (FiftyOneImageClassificationDataset)"),
}
