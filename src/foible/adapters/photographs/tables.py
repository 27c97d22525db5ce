"""The photographs of a dataset on disk: Arrow files as `datasets` saves them, and Parquet files as the hub holds them.

Comes in: a folder or a file. Goes out: a shelf of the images in one column. Neighbours: `_shelf.py` says what a shelf
is, `_folder.py` reads image files. Of the libraries, `pyarrow` alone is needed: it reads both formats, and runs nothing
out of them.

Tables are untrusted: offsets are checked before anything behind them is touched, a row that names a file instead of
holding an image is followed inside the dataset alone, and a column is read a few rows at a time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
from pyarrow import parquet

from foible import pixels
from foible.adapters.photographs import files as _folder
from foible.errors import ArgumentError, PluginError, brief, near

EMPTY = "rows without an image, or whose image lies elsewhere or is too large"
"""Why a row is left out, in words that follow a number."""
_ROWS = 32
"""Rows of a Parquet file that are in memory at once."""
_SHARD = re.compile(r"(?P<split>.+)-\d{5}-of-\d{5}(-.*)?")
_JSON = 1 << 24
_BINARY = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)


class Dataset:
    """The images in one column of one split; the place of an image is its file and row."""

    def __init__(self, name: str, root: Path, split: str | None, column: str | None) -> None:
        """Find the files and the column.

        Raises:
            PluginError: a file cannot be read, or no column holds images.
            ArgumentError: there is no such split or column, or there are several and none was chosen.
        """
        self._name = name
        self._homes = _folder.homes(root)
        split, self._files = _split(name, root, split)
        for file in self._files:
            if not file.is_file() or not _folder.inside(file, self._homes):
                message = f"the dataset {brief(name)!r} wants its file {brief(file.name)!r}, which is not in it"
                raise PluginError(message)
        with self._told(self._files[0]):
            self._column = _column(name, _schema(self._files[0]), column)
        self.resolved: Mapping[str, str | None] = {"split": split, "column": self._column}

    def walk(self) -> Iterator[tuple[tuple[Path, int], bytes | str]]:
        """Give every row, file by file: its content, or why it is left out.

        Raises:
            PluginError: a file cannot be read to its end; a dataset is not taken for whole without it.
        """
        for file in self._files:
            with self._told(file):
                for first, images in _pieces(file, self._column):
                    for row in range(len(images)):
                        yield (file, first + row), self._content(images[row]) or EMPTY

    def read(self, place: tuple[Path, int]) -> bytes:
        """Read a row again."""
        file, row = place
        try:
            for first, images in _pieces(file, self._column, row):
                if row < first + len(images):
                    return self._content(images[row - first]) or b""
        except (pa.ArrowException, ValueError, KeyError) as error:
            raise OSError from error
        raise OSError

    @property
    def others(self) -> tuple[str, ...]:
        """The columns that hold text, numbers or classes."""
        return tuple(name for name in _plain_columns(self.schema) if name != self._column)

    @property
    def schema(self) -> Any:
        """Names and types of the columns."""
        with self._told(self._files[0]):
            return _schema(self._files[0])

    def texts(self, file: Path) -> list[dict[str, str]]:
        """Give what the other columns of a file say, row by row."""
        with self._told(file):
            return list(rows_of(file, self.others))

    def _content(self, image: Any) -> bytes | None:
        """Give the content of a row; None where there is none, it is too large, or it lies elsewhere."""
        if not image.is_valid:
            return None
        held = image["bytes"] if pa.types.is_struct(image.type) else image
        if held.is_valid and (buffer := held.as_buffer()).size:
            return bytes(buffer.to_pybytes()) if buffer.size <= pixels.LARGEST else None
        if not pa.types.is_struct(image.type) or image.type.get_field_index("path") < 0 or not image["path"].is_valid:
            return None
        try:
            path = (self._homes[0] / str(image["path"].as_py())).resolve(strict=True)
            return _folder.content(path) if _folder.inside(path, self._homes) else None
        except (OSError, ValueError):  # it is not there, or is no path at all
            return None

    @contextmanager
    def _told(self, file: Path) -> Iterator[None]:
        """Turn what is wrong with a file into one sentence."""
        try:
            yield
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            message = f"the file {brief(file.name)!r} of the dataset {brief(self._name)!r} cannot be read "
            message += f"({type(error).__name__}: {brief(' '.join(str(error).split()), 120)}); save or fetch it again"
            raise PluginError(message) from error


class AnnotatedDataset:
    """The photographs of a dataset with what its other columns say of them."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.columns = dataset.others
        self.resolved = dataset.resolved

    def walk(self) -> Iterator[tuple[str, tuple[Path, int], bytes | str, str, Mapping[str, str]]]:
        """Give every row; the columns of one file at a time are in memory."""
        last, rows = None, list[dict[str, str]]()
        for (file, row), content in self._dataset.walk():
            if file != last:
                last, rows = file, self._dataset.texts(file)
            yield f"{file.name} row {row + 1}", (file, row), content, "", rows[row]

    def read(self, where: tuple[Path, int]) -> bytes:
        """Read a row again."""
        return self._dataset.read(where)


def rows_of(file: Path, columns: Iterable[str] | None = None) -> Iterator[dict[str, str]]:
    """Give the rows of a table as text, numbers of classes by their names; other kinds of columns are passed over.

    Args:
        file: Arrow or Parquet.
        columns: which; None for all.
    """
    schema = _schema(file)
    names = list(_plain_columns(schema) if columns is None else columns)
    classes = {name: _class_names(schema, name) for name in names}
    for batch in _batches(file, schema, names):
        held = [batch.column(batch.schema.get_field_index(name)).to_pylist() for name in names]
        for values in zip(*held, strict=True):
            yield {name: _said(value, classes[name]) for name, value in zip(names, values, strict=True)}


def _batches(file: Path, schema: Any, names: list[str]) -> Iterator[Any]:
    if file.suffix.lower() == ".parquet":
        with parquet.ParquetFile(file) as table:
            yield from table.iter_batches(1024, columns=names, use_threads=False)
        return
    included = pa.ipc.IpcReadOptions(included_fields=sorted(schema.get_field_index(name) for name in names))
    with pa.memory_map(str(file)) as source:
        yield from pa.ipc.open_stream(source, options=included)


def _plain_columns(schema: Any) -> list[str]:
    """Name the columns of texts, numbers and truth values, a dictionary of them among these."""
    kinds = pa.types
    checks = (kinds.is_string, kinds.is_large_string, kinds.is_integer, kinds.is_floating, kinds.is_boolean)
    plain = [(field.name, field.type.value_type if kinds.is_dictionary(field.type) else field.type) for field in schema]
    return [name for name, kind in plain if any(check(kind) for check in checks)]


def _class_names(schema: Any, column: str) -> list[str]:
    """Give the names of the classes that a column of whole numbers stands for, as `datasets` notes them."""
    info = _json((schema.metadata or {}).get(b"huggingface", b"")[:_JSON]).get("info")
    features = info.get("features") if isinstance(info, dict) else None
    feature = features.get(column) if isinstance(features, dict) else None
    names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
    return [str(name) for name in names] if isinstance(names, list) else []


def _said(value: Any, classes: list[str]) -> str:
    if value is None or (classes and value == -1):  # `datasets` writes -1 for no class
        return ""
    return classes[value] if isinstance(value, int) and 0 <= value < len(classes) else str(value)


# --- finding the files ---------------------------------------------------------------------------------------------


def _split(name: str, root: Path, given: str | None) -> tuple[str | None, list[Path]]:
    """Choose the files of one split."""
    found: dict[str | None, list[Path]] = {}
    if (root / "state.json").is_file():
        found[None] = _listed(name, root)
    elif (root / "dataset_dict.json").is_file():
        folders = (folder for folder in sorted(root.iterdir()) if (folder / "state.json").is_file())
        found = {folder.name: _listed(name, folder) for folder in folders if not folder.is_symlink()}
    else:
        for file in [root] if root.is_file() else _folder.files(root, (".parquet",)):
            found.setdefault(_split_of(file), []).append(file)
    if given is None and len(found) == 1:
        return found.popitem()
    if given is None or given not in found:
        _wrong(name, "split", given, [one for one in found if one is not None])
    return given, found[given]


def _split_of(file: Path) -> str | None:
    """Say which split a Parquet file is of, where its name, or its folder's, says so."""
    if shard := _SHARD.fullmatch(file.stem):
        return shard["split"]
    return file.parent.name if file.stem.isdecimal() else None


def _listed(name: str, folder: Path) -> list[Path]:
    """Give the files that `save_to_disk` lists: others may lie beside them, left from an earlier time."""
    state = _json((folder / "state.json").read_bytes()[:_JSON])
    listed = state.get("_data_files")
    named = [one.get("filename") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    names = [one for one in named if isinstance(one, str) and one.endswith(".arrow")]
    if not names or len(names) < len(named):
        message = f"the file state.json of the dataset {brief(name)!r} lists no Arrow files; save the dataset again"
        raise PluginError(message)
    return [folder / one for one in names]


# --- finding the column --------------------------------------------------------------------------------------------


def _schema(file: Path) -> Any:
    """Read the names and types of a table's columns."""
    if file.suffix.lower() == ".parquet":
        with parquet.ParquetFile(file) as table:
            return table.schema_arrow
    with pa.memory_map(str(file)) as source, pa.ipc.open_stream(source) as table:
        return table.schema


def _column(name: str, schema: Any, given: str | None) -> str:
    """Choose the column of images: the one of the struct that the hub keeps images in, or the one that is named."""
    features = _features(schema)
    structs = [field.name for field in schema if _holds(field.type, alone=False)]
    images = [one for one in structs if features.get(one, "Image") == "Image"]
    if given is None and len(images) == 1:
        return str(images[0])
    plain = [field.name for field in schema if _holds(field.type, alone=True)]
    if given is not None and given in {*images, *plain}:
        return given
    if images or plain:
        _wrong(name, "column", given, [*images, *plain])
    message = f"the dataset {brief(name)!r} has no column of images; {near('', map(brief, schema.names))}"
    raise PluginError(message)


def _holds(kind: Any, *, alone: bool) -> bool:
    """Say whether a column of this type can hold the content of images: bytes alone, or a struct of bytes and path."""
    if alone:
        return any(check(kind) for check in _BINARY)
    if not pa.types.is_struct(kind):
        return False
    index = kind.get_field_index("bytes")
    return index >= 0 and _holds(kind.field(index).type, alone=True)


def _features(schema: Any) -> dict[str, object]:
    """Say what kind of thing each column holds, where `datasets` noted it: sounds come in the same struct."""
    info = _json((schema.metadata or {}).get(b"huggingface", b"")[:_JSON]).get("info")
    features = info.get("features") if isinstance(info, dict) else None
    if not isinstance(features, dict):
        return {}
    return {str(key): value.get("_type") for key, value in features.items() if isinstance(value, dict)}


def _json(text: bytes) -> dict[str, Any]:
    """Read an object of JSON; whatever else it is counts as an empty one."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _wrong(name: str, what: str, given: str | None, known: Iterable[str]) -> NoReturn:
    """Refuse a split or column, or the lack of one."""
    if given is None:
        message = f"the dataset {brief(name)!r} needs the argument {what}; {near('', map(brief, known))}"
    else:
        message = f"the dataset {brief(name)!r} has no {what} {brief(given)!r}; {near(given, map(brief, known))}"
    raise ArgumentError(message)


# --- reading -------------------------------------------------------------------------------------------------------


def _pieces(file: Path, column: str, row: int = 0) -> Iterator[tuple[int, Any]]:
    """Give pieces of a column, each with the number of its first row, from that of the given row on, or before it.

    A file is mapped no longer than it is read: one that shrinks meanwhile would end the process.
    """
    pieces = _of_parquet(file, column, row) if file.suffix.lower() == ".parquet" else _of_arrow(file, column)
    for first, images in pieces:
        images.validate(full=True)
        yield first, images


def _of_arrow(file: Path, column: str) -> Iterator[tuple[int, Any]]:
    """Read batches out of a mapped file, whose other columns are not touched."""
    with pa.memory_map(str(file)) as source:
        index = _index(pa.ipc.open_stream(source).schema, column)
        source.seek(0)
        first = 0
        for batch in pa.ipc.open_stream(source, options=pa.ipc.IpcReadOptions(included_fields=[index])):
            yield first, batch.column(0)
            first += batch.num_rows


def _of_parquet(file: Path, column: str, row: int) -> Iterator[tuple[int, Any]]:
    """Read a few rows at a time, beginning with the row group in which a row is."""
    with parquet.ParquetFile(file) as table:
        _index(table.schema_arrow, column)
        first = 0
        for group in range(table.num_row_groups):
            rows = table.metadata.row_group(group).num_rows
            if row < first + rows:
                done = first
                for batch in table.iter_batches(_ROWS, row_groups=[group], columns=[column], use_threads=False):
                    yield done, batch.column(0)
                    done += batch.num_rows
            first += rows


def _index(schema: Any, column: str) -> int:
    index = schema.get_field_index(column)
    if index < 0 or not any(_holds(schema.field(index).type, alone=alone) for alone in (True, False)):
        message = f"it has no column of images {brief(column)!r}"
        raise KeyError(message)
    return int(index)
