"""Names of classes that are numbers or codes, which nobody can draw.

Comes in: what a classifier calls its classes. Goes out: whether these are names, and names without the numbers in front
of them. Neighbours: `labels.py` refuses to draw a code; `adapters/shared/` reads names from files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_PLACE = r"(?:(?:label|class|cls|category|cat|id|output|target|unnamed|idx|index)?[ _-]?)?[0-9]+"
_CODED = re.compile(
    rf"{_PLACE}"  # LABEL_0, class 3, 17
    r"|n[0-9]{8}(?:[ _:,-].*)?|[0-9]+ ?[:.)] .*"  # n01440764 tench, 0: tench
    r"|0[0-9]*[._ -].*|[0-9]+\.[^\W\d].*",  # 00_tench, 001.Black_footed_Albatross
    re.IGNORECASE | re.DOTALL,
)
_COUNTED = re.compile(r"(?P<word>[^\W\d_]{1,12}[ _-]?)(?P<number>[0-9]{1,6})")
_NUMBERED = re.compile(r"(?P<number>[0-9]{1,6})[._ -]+(?P<name>[^\W\d].*)", re.DOTALL)
_MANY = 2


def is_coded(name: str) -> bool:
    """Tell whether the name of a class is a number or a code, or begins with one: it would be drawn as it stands."""
    return bool(_CODED.fullmatch(" ".join(name.split())))


@lru_cache(maxsize=8)
def are_places(names: tuple[str, ...]) -> bool:
    """Tell whether no name says more than its place does: LABEL_0, class 3, 17; or c0, c1, c2 for all classes in order.

    One "c0" may be a name; a list that counts its classes in order with one word before each number names nothing.
    """
    found = [" ".join(name.split()) for name in names]
    if not found:
        return False
    if all(re.fullmatch(_PLACE, name, re.IGNORECASE) for name in found):
        return True
    counted = [_COUNTED.fullmatch(name) for name in found]
    words = {one["word"] for one in counted if one}
    numbers = [int(one["number"]) for one in counted if one]
    return len(found) >= _MANY and len(numbers) == len(found) and len(words) == 1 and _in_order(numbers)


def without_numbers(names: Sequence[str]) -> list[str]:
    """Take numbers off that count the names in their order, as in the folders "001.Laysan_Albatross", "002.Auklet"."""
    found = [_NUMBERED.fullmatch(name) for name in names]
    numbered = [(int(one["number"]), one["name"].strip()) for one in found if one]
    if len(names) < _MANY or len(numbered) != len(names) or not _in_order([number for number, _ in numbered]):
        return list(names)
    return [name for _, name in numbered]


def _in_order(numbers: Sequence[int]) -> bool:
    return numbers[0] in (0, 1) and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))
