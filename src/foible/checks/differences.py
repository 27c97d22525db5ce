"""Where the files that a run was written to differ from what it gives.

Comes in: a file, not trusted, and the text that the run gives. Goes out: one line for each difference. Neighbour:
`verify.py`, which worked the text out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from foible.errors import brief

MOST = 200
"""Differences of one kind that are listed; the rest are counted."""


def compare(path: Path, again: str) -> list[str]:
    """List where `findings.json` differs from what the run gives."""
    try:
        text = _read(path, again)
        said = json.loads(text)
    except _UnreadableError as problem:
        return [str(problem)]
    except (ValueError, RecursionError) as problem:
        return [f"findings.json is no JSON ({brief(problem)}); the same command writes it again"]
    found = list(_walk(said, json.loads(again), ""))
    if not found and text != again:
        found = ["findings.json is written in another way than foible does, with the same content"]
    more = [f"and {len(found) - MOST} more differences of findings.json"] if len(found) > MOST else []
    return [*found[:MOST], *more]


def compare_text(path: Path, again: Sequence[str]) -> list[str]:
    """Say that the report in words, or the page, is none of those that the run may give.

    What the small pictures of a page show is not compared, since another version of the library that makes them writes
    other bytes of the same picture; nor what the folder of the archive is called. One that is not there claims nothing.
    """
    if not path.exists():
        return []
    try:
        said = _plain(_read(path, max(again, key=len)))
    except _UnreadableError as problem:
        return [str(problem)]
    except ValueError:
        return [f"{path.name} is no text; foible report writes it again"]
    given = [_plain(text) for text in again]
    if said in given:
        return []
    line = max(_alike(said, one) for one in given) + 1
    return [f"{path.name} is not what the run gives, from line {line} on; foible report writes it again"]


_PICTURE = re.compile(r"data:image/webp;base64,[A-Za-z0-9+/=]*")


def _plain(text: str) -> list[str]:
    return _PICTURE.sub("", text).split("\n")


def _alike(said: Sequence[str], given: Sequence[str]) -> int:
    """Count the lines before the first that differs."""
    return next((n for n, (one, other) in enumerate(zip(said, given, strict=False)) if one != other), len(given))


class _UnreadableError(Exception):
    """A file that cannot be compared; its text says why."""


def _read(path: Path, again: str) -> str:
    """Read a file that should hold a text.

    Raises:
        _UnreadableError: it is missing, no file, far too large, or cannot be read.
        ValueError: it is no UTF-8.
    """
    try:
        if not path.is_file():  # a pipe would never end
            what = "is no file" if path.exists() else "is missing"
            raise _UnreadableError(f"{path.name} {what}; the same command writes it again")
        if path.stat().st_size > 4 * len(again.encode()) + 10_000:
            raise _UnreadableError(f"{path.name} holds {path.stat().st_size:,} bytes, far more than the run gives")
        return path.read_text("utf-8")
    except OSError as problem:
        message = f"{path.name} cannot be read ({problem.strerror}); the same command writes it again"
        raise _UnreadableError(message) from None


def _walk(said: object, again: object, where: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(again, dict):
        for name in dict.fromkeys([*said, *again]):
            yield from _walk(said.get(name), again.get(name), f"{where}.{name}" if where else name)
    elif isinstance(said, list) and isinstance(again, list) and len(said) == len(again):
        for place, (one, other) in enumerate(zip(said, again, strict=True)):
            yield from _walk(one, other, f"{where}[{place}]")
    elif isinstance(said, list) and isinstance(again, list):
        yield f"{brief(where)}: findings.json has {len(said)} entries, the run gives {len(again)}"
    elif said != again or type(said) is not type(again):  # false equals 0 in Python
        yield f"{brief(where)}: findings.json says {_short(said)}, the run {_short(again)}"


def _short(value: object) -> str:
    return brief(json.dumps(value, ensure_ascii=False), 80)
