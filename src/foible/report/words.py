"""How numbers and untrusted texts are written, the same in every output.

Comes in: rates, counts, p-values, texts that a model or a stranger wrote. Goes out: short printable strings. Neighbour:
`sentences.py` makes whole sentences of them.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from foible.errors import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foible.findings import HuntResult, LabelSummary, Rate
    from foible.records import Hypothesis

_VOWEL_LETTER_CONSONANT_SOUND = ("eu", "one", "uni", "usa", "use", "ute", "uku")
_NUMBER_SPACE = re.compile(r"(?<=\d) (?=%)|(?<=[<>]) (?=\d)|(?<=\d) (?=× )|(?<=×) (?=\d)")
_NAME = 120
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def printable(text: object) -> str:
    """Make any text safe to show on one line: each control, format or surrogate character becomes "·"."""
    return visible(" ".join(str(text).split()))


def shorten(text: object, limit: int) -> str:
    """Make any text one printable line of at most `limit` characters; a cut is shown as "…"."""
    line = printable(str(text)[: 4 * limit])
    return line if len(line) <= limit and len(str(text)) <= 4 * limit else line[: limit - 1].rstrip() + "…"


def stopped(clause: str) -> str:
    """Give a clause its full stop, unless it has one."""
    line = clause.strip()
    return line + ("" if not line or line[-1] in ".!?…" else ".")


def as_sentence(clause: str) -> str:
    """Give a clause its capital and its full stop."""
    line = stopped(clause)
    return line[:1].upper() + line[1:]


def percent(share: float | None) -> str:
    """Write a share of 0..1 as a percentage: "0 %" and "100 %" only for exactly that, "–" for none."""
    if share is None:
        return "–"
    if share in (0.0, 1.0) or 0.01 <= share <= 0.99:  # noqa: PLR2004 - where whole percents say enough
        return f"{_half_up(100 * share)} %"
    if 0 < share < 0.001:  # noqa: PLR2004
        return "< 0.1 %"
    if 0.999 < share < 1:  # noqa: PLR2004
        return "> 99.9 %"
    return f"{100 * share:.1f} %"


def interval(rate: Rate) -> str:
    """Write the interval of a rate: "[79 %, 97 %]"."""
    return f"[{percent(rate.low)}, {percent(rate.high)}]"


def points(share: float | None) -> str:
    """Write a difference of two rates, -1..1, in percentage points: "+86", "−3", "0", "–" for none."""
    if share is None:
        return "–"
    size = abs(100 * share)
    if size == 0:
        return "0"
    sign = "+" if share > 0 else "−"
    if size < 0.1:  # noqa: PLR2004
        return f"{sign}<0.1"
    return f"{sign}{size:.1f}" if size < 1 else f"{sign}{_half_up(size)}"


def points_interval(rate: Rate) -> str:
    """Write the interval of a difference in percentage points: "[+66, +94]"."""
    return f"[{points(rate.low)}, {points(rate.high)}]"


def _half_up(number: float) -> int:
    """Round as readers do, so that 92.5 and 87.5 go the same way; rounding errors of the product do not decide."""
    return math.floor(round(number, 6) + 0.5)


def probability(p: float) -> str:
    """Write a p-value with two significant digits: "0.043", "1", "2 × 10⁻⁹"."""
    if p == 0 or p >= 0.0001:  # noqa: PLR2004
        return f"{p:.2g}"
    digits, _, exponent = f"{p:.0e}".partition("e")
    return f"{digits} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def unbroken(text: str) -> str:
    """Keep each number and its unit on one line."""
    return _NUMBER_SPACE.sub("\u00a0", text)


def count(number: int, one: str = "", many: str = "") -> str:
    """Write a number with its noun: "1 draw", "12,480 draws"; `many` is `one` with an s unless given."""
    noun = one if number == 1 else many or f"{one}s"
    return f"{number:,} {noun}" if one else f"{number:,}"


def listed(words: list[str], joint: str = "and") -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    return f" {joint} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def with_article(name: str) -> str:
    """Put "a" or "an" before a name."""
    low = name.lower()
    vowel = low[:1] in set("aeiou") and not low.startswith(_VOWEL_LETTER_CONSONANT_SOUND)
    return f"{'an' if vowel else 'a'} {name}"


def class_name(index: int, result: HuntResult, classifier: int = 0, limit: int = 160) -> str:
    """Name a class of a classifier, its name cut after `limit` characters.

    "class 504" where the name is not known; "crane (class 517)" where another class of the result reads the same.
    """
    name = shorten(result.class_name(index, classifier) or "", limit)
    if not name:
        return f"class {index}"
    return f"{name} (class {index})" if _shared(name, index, result, classifier, limit) else name


def label_name(hypothesis: Hypothesis | LabelSummary, result: HuntResult, limit: int = 160) -> str:
    """Name the label of a hypothesis or a summary, cut after `limit` characters.

    With its class where another one reads the same.
    """
    short, classifier = shorten(hypothesis.label, limit), hypothesis.classifier
    right = result.classifiers[classifier].right.get(hypothesis.label)
    alike = right and _shared(short, right[0], result, classifier, limit)
    return f"{short} (class {right[0]})" if right and alike else short


def _shared(name: str, index: int, result: HuntResult, classifier: int, limit: int) -> bool:
    """Tell whether a class or label of another index reads the same as one that is shown."""
    own = result.classifiers[classifier]
    others = [text for other, text in own.class_names.items() if other != index]
    others += [label for label, right in own.right.items() if index not in right]
    return any(_read_as(text, limit) == name.casefold() for text in others)


@lru_cache(maxsize=16384)
def _read_as(text: str, limit: int) -> str:
    """Give what a name is read as: of a thousand classes each is compared with each."""
    return shorten(text, limit).casefold()


def subject(result: HuntResult) -> str:
    """Name what is under test: the classifier by its spec, or how many there are."""
    own = result.classifiers
    return (spec_name(own[0].identity) or "the classifier") if len(own) == 1 else f"{len(own)} classifiers"


def by(classifier: int, result: HuntResult) -> str:
    """Name one classifier where there are several; empty where there is one."""
    if len(result.classifiers) == 1:
        return ""
    name = printable(result.classifiers[classifier].name[-4 * _NAME :])
    # Names that are alike differ at their end.
    return (name if len(name) <= _NAME else f"…{name[1 - _NAME :]}") or f"classifier {classifier + 1}"


def parts(result: HuntResult) -> list[tuple[str, Mapping[str, object]]]:
    """Give every part with its identity: the classifiers first."""
    own = result.classifiers
    names = ["classifier"] if len(own) == 1 else [f"classifier {place}" for place in range(1, len(own) + 1)]
    others = [("source" if result.photographs and kind == "generator" else kind, p) for kind, p in result.parts.items()]
    return [*zip(names, (one.identity for one in own), strict=True), *others]


def times(factor: float) -> str:
    """Write a factor with two figures: "4.7", "12", "0.31"."""
    return f"{factor:.2g}" if factor < 10 else f"{factor:,.0f}"  # noqa: PLR2004 - two figures are whole from there


def spec_name(part: Mapping[str, object] | None) -> str:
    """Name a part by its spec, "diorama:biased-resnet", of a long path the end; empty where it says none."""
    spec = (part or {}).get("spec", "")
    family, colon, name = str(spec.get("name", "") if hasattr(spec, "get") else spec).partition(":")
    if name.count("/") > 1:  # not "owner/name" of a hub; the whole path stands among the parts
        name = f"…/{name.rstrip('/').rpartition('/')[2]}"
    return shorten(f"{family}{colon}{name}", 120)


def margin(result: HuntResult) -> float | None:
    """Give the margin that the difference had to exceed; None where the settings do not say, or say what cannot be."""
    value = result.settings.get("confirm.margin")
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if known else None  # type: ignore[arg-type]
