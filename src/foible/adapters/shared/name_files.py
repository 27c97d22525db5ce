"""Reads names of classes from a text, whatever tool wrote it.

Comes in: the text of a label file, or of a model's metadata. Goes out: names in order, or names by index. Neighbour:
`_names.py` holds them against the outputs of the model.

What is read: one name a line, JSON and JSON lines, what Python writes, CSV and tables with tabs. An index or a synset
in front of a name is no part of it. Where indices are said, each name keeps its own: nothing here counts anew.
"""

from __future__ import annotations

import ast
import codecs
import csv
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

Listed = list[str] | dict[int, str]
"""Names in the order of the outputs, or by index."""

_INSIDE = ("id2label", "label2id", "class_to_idx", "idx_to_class", "names", "labels", "classes", "class_names",
           "label_names", "categories")  # fmt: skip
"""Keys of a larger document under which names are kept."""
_NAME_KEYS = ("name", "label", "class", "class_name", "display_name", "title", "names", "labels", "classes")
_INDEX_KEYS = ("id", "index", "idx", "class_id", "class_index", "label_id", "label", "number")
_SYNSET = re.compile(r"n[0-9]{8}")
_AFTER_SYNSET = re.compile(r"n[0-9]{8}[\s:,;=_-]+(?=\S)")
_MARKED = re.compile(r"[0-9]{1,9}\s*[:=]\s*\S.*")
_NUMBERED = re.compile(r"[(\[#]?([0-9]{1,9})(\s*[:=]\s*|[.)\]]\s+|\s+-\s+|\s+)(\S.*)")
_NUMBERED_AFTER = re.compile(r"(.*\S)(\s*[:=]\s*|\s+)([0-9]{1,9})")
_PAGE = re.compile(r"<(?:!doctype|html|\?xml)\b", re.IGNORECASE)
_INTEGER = re.compile(r"[0-9]{1,9}")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
"""Longer marks first: that of UTF-32 begins as that of UTF-16."""


class Unreadable(ValueError):  # noqa: N818 - what the text is
    """A text that names no classes; the message says why, and is the end of a sentence."""


def decoded(content: bytes) -> str:
    """Turn the bytes of a file into text: UTF-8, or what its byte-order mark says.

    Raises:
        UnicodeError: it is neither.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding)
    return content.decode("utf-8")


def parsed(text: str) -> Listed:
    """Read names from a text.

    Raises:
        Unreadable: there are none, or which class each belongs to is not said.
    """
    try:
        return _parsed(text)
    except RecursionError as error:
        message = "it is nested too deeply"
        raise Unreadable(message) from error


def _parsed(text: str) -> Listed:
    whole = text.strip().removeprefix("\ufeff").strip()
    if whole[:1] in ("{", "["):
        return _of_document(whole)
    if _PAGE.match(whole):
        message = "it is a page of HTML or XML"
        raise Unreadable(message)
    lines = [line.strip() for line in text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    while lines and re.match(r"#+\s", lines[0]):
        lines.pop(0)
    for number, line in enumerate(lines, 1):
        if not any(character.isalnum() for character in line) or line.endswith(":"):
            message = f"line {number} of them ({line[:40]!r}) is no name"
            raise Unreadable(message)
    if not lines:
        message = "it is empty"
        raise Unreadable(message)
    return _of_lines(lines)


def plain(listed: Sequence[Any]) -> Listed:
    """Take indices and synsets away from before names that are given as a list.

    Raises:
        Unreadable: some names have an index in front and others have none, or two have the same.
    """
    bare = [_AFTER_SYNSET.sub("", str(name).strip(), count=1) for name in listed]
    found = [_NUMBERED.fullmatch(name) for name in bare]
    numbered = [(one[1], one[2].strip(), one[3]) for one in found if one]
    if len(numbered) == len(bare) and _are_indices(numbered):
        return _by_index([(index, name) for index, _, name in numbered])
    after = [(one[3], one[1]) for one in map(_NUMBERED_AFTER.fullmatch, bare) if one and one[1].strip(":= ")]
    indices = sorted(int(index) for index, _ in after)
    if indices == list(range(len(bare))) and len({name for _, name in after}) == len(bare) > 1:
        return _by_index([(index, name.rstrip(" :=")) for index, name in after])
    marked = next((name for name in bare if _MARKED.fullmatch(name)), None)
    if marked is not None:
        message = f"some have an index in front, such as {marked[:40]!r}, and others have none"
        raise Unreadable(message)
    return bare


def _are_indices(numbered: Sequence[tuple[str, str, str]]) -> bool:
    """Tell "0 red" from "2 euro": what is an index has a mark after it, or counts classes from 0 or 1 that differ."""
    if all(mark for _, mark, _ in numbered):
        return True
    indices, names = {int(index) for index, _, _ in numbered}, {name for _, _, name in numbered}
    return len(indices) == len(names) == len(numbered) > 1 and min(indices) <= 1


def by_index(found: Mapping[Any, Any]) -> Listed:
    """Read a mapping, from index to name or from name to index.

    Raises:
        Unreadable: it is neither, or two names have one index.
    """
    if not found:
        message = "it is empty"
        raise Unreadable(message)
    if all(_is_index(key) for key in found):
        return _by_index([(key, _name_of(value)) for key, value in found.items()])
    if all(_is_index(value) for value in found.values()):
        return _by_index([(value, str(key)) for key, value in found.items()])
    message = "it is a table that does not say the index of each class"
    raise Unreadable(message)


def _of_document(text: str) -> Listed:
    """Read JSON, JSON lines, or what Python writes."""
    for read in (_json, ast.literal_eval, lambda lines: [_json(line) for line in lines.split("\n") if line.strip()]):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's reader warns of odd escapes
                found = read(text)
        except Unreadable:
            raise
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        return _of_value(found)
    message = "it begins as JSON does, but is none"
    raise Unreadable(message)


def _json(text: str) -> Any:
    """Read JSON in which no key stands twice, since the library would keep one of the two without a word."""
    return json.loads(text, object_pairs_hook=_only_once)


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a key stands twice in it"
        raise Unreadable(message)
    return found


def _of_value(found: Any) -> Listed:
    if isinstance(found, dict):
        inner = next((found[key] for key in _INSIDE if isinstance(found.get(key), dict | list) and found[key]), None)
        return by_index(found) if inner is None else _of_value(inner)
    if not isinstance(found, list | tuple) or not found:
        message = "it holds no names"
        raise Unreadable(message)
    if all(isinstance(item, dict) for item in found):
        return _of_records(found)
    return plain([_name_of(item) for item in found])


def _of_records(records: Sequence[dict[str, Any]]) -> Listed:
    """Read rows such as {"id": 0, "name": "red"}; or each {"red": 0}."""
    pairs = [next(iter(record.items())) for record in records if len(record) == 1]
    if len(pairs) == len(records) and len(dict(pairs)) == len(records) and not set(dict(pairs)) & set(_NAME_KEYS):
        return by_index(dict(pairs))
    index = next((key for key in _INDEX_KEYS if all(_is_index(one.get(key)) for one in records)), None)
    name = next((key for key in _NAME_KEYS if key != index and all(isinstance(r.get(key), str) for r in records)), None)
    if name is None:
        message = "its rows have no name"
        raise Unreadable(message)
    if index is None:
        return plain([record[name] for record in records])
    return _by_index([(record[index], record[name]) for record in records])


def _of_lines(lines: Sequence[str]) -> Listed:
    """Read lines: a table where each has several cells, otherwise names, of which several words for one are cut."""
    if len(lines) == 1 and "," in lines[0]:
        return plain([cell.strip() for cell in _cells(lines, ",")[0]])
    for separator in ("\t", ";", ","):
        rows = [[cell.strip() for cell in row] for row in _cells(lines, separator)]
        if len(rows) == len(lines) and min(map(len, rows)) > 1:
            return _of_table(rows, separator)
    rows = [[cell.strip() for cell in row] for row in _cells(lines, ",")]
    return plain(_firsts(rows, ", ")) if len(rows) == len(lines) else plain(lines)


def _cells(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Cut lines as CSV; a quote that is never closed is a character like others."""
    try:
        rows = [next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True)) for line in lines]
    except (csv.Error, StopIteration):
        return [line.split(separator) for line in lines]
    return rows


def _of_table(rows: list[list[str]], separator: str) -> Listed:
    """Find the columns of indices and names."""
    head = [cell.casefold() for cell in rows[0]]
    width = min(map(len, rows))
    index = next((at for at in range(width) if all(_INTEGER.fullmatch(row[at]) for row in rows[1:] or rows)), None)
    has_head = (index is not None and len(rows) > 1 and not _INTEGER.fullmatch(head[index])) or (
        index is None and any(cell in _NAME_KEYS for cell in head[:width])
    )
    body = rows[1:] if has_head else rows
    if index is None:
        named = next((at for at in range(width) if has_head and head[at] in _NAME_KEYS), None)
        if named is not None:
            return plain([row[named] for row in body])
        texts = [[cell for cell in row if not _SYNSET.fullmatch(cell)] or row for row in body]
        return plain(_firsts(texts, f"{separator} ") if separator == "," else [row[0] for row in texts])
    others = [at for at in range(width) if at != index and not all(_SYNSET.fullmatch(row[at]) for row in body)]
    others.sort(key=lambda at: not (has_head and head[at] in _NAME_KEYS))
    if not others:
        message = "its rows have no name"
        raise Unreadable(message)
    return _by_index([(row[index], row[others[0]]) for row in body])


def _firsts(rows: Sequence[Sequence[str]], separator: str) -> list[str]:
    """Give the first of several words for a class; all of them where the first is another class's too."""
    firsts = [row[0] for row in rows]
    return [separator.join(row) if firsts.count(row[0]) > 1 else row[0] for row in rows]


def _name_of(item: Any) -> str:
    """Give the name in an entry: a text, a number, [synset, name], or a row."""
    if isinstance(item, list | tuple):
        texts = [str(one) for one in item if not _SYNSET.fullmatch(str(one))] or [str(one) for one in item]
        item = texts[0] if texts else ""
    elif isinstance(item, dict):
        item = next((item[key] for key in _NAME_KEYS if isinstance(item.get(key), str)), "")
    return "" if item is None else _AFTER_SYNSET.sub("", str(item).strip(), count=1)


def _is_index(value: object) -> bool:
    if isinstance(value, str):
        return bool(_INTEGER.fullmatch(value.strip()))
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _by_index(pairs: Sequence[tuple[Any, str]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for key, name in pairs:
        index = int(key)
        if index in found:
            message = f"two names have the index {index}"
            raise Unreadable(message)
        found[index] = name
    return found
