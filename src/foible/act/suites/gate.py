"""The gates that a classifier may have to pass over a suite.

Comes in: what a person wrote, and rows. Goes out: the rows, each with what the gate says of it. Neighbours: `run.py`
makes the rows; every output and the exit code say what stands here and nothing else.

`worse` and `open` ask whether the classifier lost anything against the one whose bugs they are. `rate` asks whether a
bug is there, whoever had it first: of a bug that failed in 90 % when it was saved no classifier is surely worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from foible.errors import ConfigError, brief
from foible.gates import RATE, read_rate
from foible.statistics import surely_above
from foible.suites import Gated, Rechecked


@dataclass(frozen=True, slots=True)
class Gate:
    """What makes a run of a suite end with 1."""

    kind: Literal["never", "worse", "open", "rate"]
    above: float = 1.0
    """Of `rate`: what the failure rate of no bug may surely exceed."""


def read_gate(text: str) -> Gate:
    """Read a gate.

    Raises:
        ConfigError: it is none.
    """
    said = text.strip()
    if said in {"never", "worse", "open"}:
        return Gate(said)  # type: ignore[arg-type]
    above = read_rate(said)
    if above is None:
        message = f"--fail-on of a suite wants never, worse, open, or {RATE}, but got {brief(text)!r}"
        raise ConfigError(message)
    return Gate("rate", above)


def gated(rows: Sequence[Rechecked], gate: Gate, level: float) -> list[Rechecked]:
    """Say of each row whether it passes.

    worse: it is not surely worse. open: it is surely better or the same. rate: of a bug, it does not surely fail more
    often than the bound (exact, one-sided; over all bugs the chance of a false alarm is at most the level). A row of
    which nothing can be said has passed none.

    Args:
        rows: those of a suite.
        gate: which one.
        level: between 0 and 1.
    """
    if gate.kind == "never":
        return list(rows)
    known = [at for at, row in enumerate(rows) if row.words and row.change is not None and gate.kind == "rate"]
    counts = [rows[at].now for at in known]
    above = surely_above([one.failures for one in counts], [one.scored for one in counts], gate.above, level)
    high = {at for at, is_above in zip(known, above, strict=True) if is_above}

    def one(at: int) -> Rechecked:
        said, told = _said(rows[at], gate, high=at in high)
        return replace(rows[at], gate=said, told=told)

    return [rows[at] if gate.kind == "rate" and not rows[at].words else one(at) for at in range(len(rows))]


def _said(row: Rechecked, gate: Gate, *, high: bool) -> tuple[Gated, str]:
    if row.change is None:
        return "unknown", row.reason
    if gate.kind == "rate":
        return ("failed", f"its failure rate is surely above {gate.above:.4g}") if high else ("passed", "")
    if row.change == "worse":
        return "failed", "it surely fails more often than when the suite was saved"
    if row.change == "open" and gate.kind == "open":
        return "failed", "these images do not show that it fails no more often than when the suite was saved"
    return "passed", ""
