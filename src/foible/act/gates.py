"""The gates that a classifier may have to pass where it is held against another one, or sought a bug of.

Comes in: what a person wrote, and rows. Goes out: the rows, each with what the gates say of it. Neighbours:
`compare.py`, `suites/run.py` and `seek.py` make the rows; every output and the exit code say what stands here and
nothing else.

`worse` and `open` ask whether the classifier lost anything against the one whose bugs they are. `rate` asks whether a
bug is there, whoever had it first: of a bug that failed in 90 % when it was saved no classifier is surely worse.
`there` asks whether a bug of one kind of images is one of the other, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from foible.comparison import Gated, Paired
from foible.errors import ConfigError, brief
from foible.gates import RATE, read_rate
from foible.seeking import Sought
from foible.statistics import rate_sequence, surely_above

Row = TypeVar("Row", bound=Paired)

_TOLD = {
    "worse": "it surely fails more often than {than}",
    "open": "these images do not show that it fails no more often than {than}",
    "rate": "its failure rate is surely above {above:.4g}",
}
"""By rule: why a row fails."""
_ORDER: tuple[Gated, ...] = ("failed", "unknown", "passed")
"""From the worst to the best."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What makes a comparison, or a run of a suite, end with 1."""

    kind: Literal["never", "worse", "there", "open", "rate"]
    above: float = 1.0
    """Of `rate`: what the failure rate of no bug may surely exceed."""


def read_gates(text: str, words: Sequence[str] = ("worse", "open")) -> tuple[Gate, ...]:
    """Read gates, with commas between them.

    Args:
        text: what a person wrote.
        words: those that may stand there, beside "never" and a rate.

    Raises:
        ConfigError: one of them is none.
    """
    return tuple(_read(one, text, ("never", *words)) for one in text.split(","))


def _read(one: str, text: str, words: Sequence[str]) -> Gate:
    said = one.strip()
    if said in words:
        return Gate(said)  # type: ignore[arg-type]
    above = read_rate(said)
    if above is None:
        wanted = f"{', '.join(words)}, {RATE}, or several with commas between them"
        message = f"--fail-on wants {wanted}, but got {brief(text)!r}"
        raise ConfigError(message)
    return Gate("rate", above)


def gated(
    rows: Sequence[Row], gates: Sequence[Gate], level: float, than: str, *, sequential: bool = False
) -> list[Row]:
    """Say of each row whether it passes.

    worse: it is not surely worse. open: it is surely better or the same. rate: of a bug, it does not surely fail more
    often than the bound (exact, one-sided; over all bugs the chance of a false alarm is at most the level). A row of
    which nothing can be said has passed none.

    Args:
        rows: with what may be said of them.
        gates: which ones; a row that fails one of them fails.
        level: of each gate; between 0 and 1.
        than: what a classifier is worse than, for a sentence.
        sequential: whether the number of images hung on what was seen of them. The rate of a bug is then above the
            bound where all of an interval is that holds at all times, with the level shared out over the bugs.
    """
    said = [_said(rows, gate, level, than, sequential=sequential) for gate in gates]
    return [_worst(row, [of[at] for of in said]) for at, row in enumerate(rows)]


def _said(rows: Sequence[Row], gate: Gate, level: float, than: str, *, sequential: bool) -> list[Row]:
    """Say of each row what one gate says of it."""
    if gate.kind == "never":
        return list(rows)
    known = [at for at, row in enumerate(rows) if row.description and row.change is not None and gate.kind == "rate"]
    failures, scored = [rows[at].now.failures for at in known], [rows[at].now.scored for at in known]
    if sequential:
        shared = 1.0 - level / max(len(known), 1)
        above = [rate_sequence(k, n, shared)[0] > gate.above for k, n in zip(failures, scored, strict=True)]
    else:
        above = list(surely_above(failures, scored, gate.above, level))
    high = {at for at, is_above in zip(known, above, strict=True) if is_above}

    def one(row: Row, *, is_high: bool) -> Row:
        if gate.kind == "rate" and not row.description:
            return row
        if row.change is None:
            return replace(row, gate="unknown", rule="unknown", told=row.reason)
        rule = "rate" if is_high else row.change if row.change in {"worse", gate.kind} and gate.kind != "rate" else ""
        told = _TOLD[rule].format(above=gate.above, than=than) if rule else ""
        return replace(row, gate="failed" if rule else "passed", rule=rule, told=told)

    return [one(row, is_high=at in high) for at, row in enumerate(rows)]


def gated_sought(rows: Sequence[Sought], gates: Sequence[Gate], *, drawn: bool) -> list[Sought]:
    """Say of each bug that was sought whether it passes.

    there: it is not there. open: it is surely within the margin. rate: with the description the classifier does not
    surely fail more often than the bound; the lower end of the 95 % interval is asked, of each bug alone. A bug that
    could not be asked, or that no photograph fits, has passed none.

    Args:
        rows: with their answers.
        gates: which ones; a row that fails one of them fails.
        drawn: whether they were sought in drawn images.
    """
    return [_worst_sought(row, [_sought(row, gate, drawn=drawn) for gate in gates]) for row in rows]


def _sought(row: Sought, gate: Gate, *, drawn: bool) -> tuple[Gated, str]:
    if gate.kind == "never":
        return "none", ""
    rate = (row.drawn if drawn else row.photographs).treat
    if row.answer in {"none", "unknown"} or (gate.kind == "rate" and rate.value is None):
        return "unknown", row.reason or "nothing is scored"
    if gate.kind == "rate":
        return ("failed", _TOLD["rate"].format(above=gate.above)) if rate.low > gate.above else ("passed", "")
    if row.answer == "there":
        return "failed", "it is there, too"
    if row.answer == "open" and gate.kind == "open":
        return "failed", "these images do not show that it is not there"
    return "passed", ""


def _worst_sought(row: Sought, said: Sequence[tuple[Gated, str]]) -> Sought:
    word = next((one for one in _ORDER if any(gate == one for gate, _ in said)), None)
    if word is None:
        return row
    return replace(row, gate=word, told=" and ".join(dict.fromkeys(told for gate, told in said if gate == word)))


def _worst(row: Row, said: Sequence[Row]) -> Row:
    """Put together what several gates say of a row."""
    word = next((one for one in _ORDER if any(of.gate == one for of in said)), None)
    if word is None:
        return row
    own = [of for of in said if of.gate == word]
    return replace(row, gate=word, rule=own[0].rule, told=" and ".join(dict.fromkeys(of.told for of in own)))
