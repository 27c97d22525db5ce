"""Where the text of a `findings.json` differs from what it should be.

Comes in: the file, not trusted, and the text that the run gives. Goes out: one line for each difference. Neighbour:
`verify.py`, which worked the text out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from foible.errors import brief

MOST = 200
"""Differences of one kind that are listed; the rest are counted."""


def compare(path: Path, again: str) -> list[str]:
    """List where `findings.json` differs from what the run gives."""
    try:
        if not path.is_file():  # a pipe would never end
            return ["findings.json is missing; the same command writes it again"]
        if path.stat().st_size > 4 * len(again.encode()) + 10_000:
            return [f"findings.json holds {path.stat().st_size:,} bytes, far more than the run gives"]
        text = path.read_text("utf-8")
        said = json.loads(text)
    except OSError as problem:
        return [f"findings.json cannot be read ({problem.strerror}); the same command writes it again"]
    except (ValueError, RecursionError) as problem:
        return [f"findings.json is no JSON ({brief(problem)}); the same command writes it again"]
    found = list(_walk(said, json.loads(again), ""))
    if not found and text != again:
        found = ["findings.json is written in another way than foible does, with the same content"]
    more = [f"and {len(found) - MOST} more differences of findings.json"] if len(found) > MOST else []
    return [*found[:MOST], *more]


def _walk(said: object, again: object, where: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(again, dict):
        for name in dict.fromkeys([*said, *again]):
            yield from _walk(said.get(name), again.get(name), f"{where}.{name}" if where else name)
    elif isinstance(said, list) and isinstance(again, list) and len(said) == len(again):
        for place, (one, other) in enumerate(zip(said, again, strict=True)):
            yield from _walk(one, other, f"{where}[{place}]")
    elif isinstance(said, list) and isinstance(again, list):
        yield f"{brief(where)}: findings.json has {len(said)} entries, the run gives {len(again)}"
    elif said != again:
        yield f"{brief(where)}: findings.json says {_short(said)}, the run {_short(again)}"


def _short(value: object) -> str:
    return brief(json.dumps(value, ensure_ascii=False), 80)
