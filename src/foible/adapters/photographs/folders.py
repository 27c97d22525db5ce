"""Image files with annotations: a folder for each label, a table beside the images, or both.

Comes in: a folder, or a CSV or JSON-lines file that names image files. Goes out: each photograph with its folder and
its row. Neighbours: `files.py` reads image files and guards against links; `labelled.py` says what a reader is.

By the custom of Hugging Face's `imagefolder`, `metadata.csv`, `metadata.jsonl` and `metadata.parquet` describe the
images in and below their folder, by a column `file_name`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from foible import pixels
from foible.adapters.photographs import files as _files
from foible.adapters.photographs.columns import FILES
from foible.errors import PluginError, brief, near

TABLES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
GONE = "named by a table, but not there"
"""Why photographs are left out, in words that follow a number."""


class AnnotatedFolder:
    """Image files below a folder, with the rows of tables that name them."""

    def __init__(self, name: str, root: Path, table: Path | None) -> None:
        """Read the tables.

        Args:
            name: of the set, for sentences.
            root: where the images lie.
            table: the one file that names the images; None for every image below the folder, and every table in it.

        Raises:
            PluginError: a table cannot be read, or has no column of file names.
        """
        self._root, self._only = root, table is not None
        self._folder = _files.Folder(root)
        self._rows: dict[Path, dict[str, str]] = {}
        tables = [table] if table is not None else _files.named(root, TABLES)
        known: dict[str, None] = {}
        for one in tables:
            for row in _read(name, one):
                column = _file_column(name, one, row)
                path = one.parent / row[column]
                self._rows[path] = {key: value for key, value in row.items() if key != column}
                known |= dict.fromkeys(self._rows[path])
        self.columns = tuple(known)
        self.resolved: Mapping[str, str | None] = {}

    def walk(self) -> Iterator[tuple[str, Path, bytes | str, str, Mapping[str, str]]]:
        """Give every photograph in the order of names, then what tables name in vain."""
        seen = set()
        for path, content in self._folder.walk():
            if not self._only or path in self._rows:
                seen.add(path)
                folder = path.parent.name if path.parent != self._root else ""
                yield path.relative_to(self._root).as_posix(), path, content, folder, self._rows.get(path, {})
        for path in self._rows.keys() - seen:
            yield str(path), path, GONE, "", {}

    def read(self, where: Path) -> bytes:
        """Read a file again."""
        return self._folder.read(where)


def _read(name: str, table: Path) -> Iterator[dict[str, str]]:
    """Give the rows of a table, every value as text."""
    try:
        if table.suffix == ".parquet":
            from foible.adapters.photographs.tables import rows_of

            yield from rows_of(table)
            return
        text = _files.content(table.resolve(), most=_files.LARGEST_TABLE).decode("utf-8-sig")
        if table.suffix == ".csv":
            yield from ({k: v or "" for k, v in row.items() if isinstance(k, str)} for row in _csv(text))
        else:
            yield from ({str(k): _text(v) for k, v in json.loads(line).items()} for line in text.splitlines() if line)
    except (OSError, ValueError, AttributeError, RecursionError, csv.Error, ImportError) as problem:
        message = f"the table {brief(table.name)!r} of {brief(name)!r} cannot be read ({brief(problem, 120)}); "
        raise PluginError(message + "save it as UTF-8 text, a row for each photograph") from problem


def _csv(text: str) -> Iterator[dict[str, str]]:
    head = text[:4096].partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    yield from csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _file_column(name: str, table: Path, row: Mapping[str, str]) -> str:
    """Find the column of file names: by what it is called, else the one whose value ends like an image file."""
    called = next((column for column in FILES if column in row), None)
    found = called or next((key for key, value in row.items() if value.lower().endswith(pixels.SUFFIXES)), None)
    if found is None:
        message = f"the table {brief(table.name)!r} of {brief(name)!r} has no column of file names such as file_name; "
        raise PluginError(message + near("", map(brief, row)))
    return found
