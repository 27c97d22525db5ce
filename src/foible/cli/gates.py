"""`--fail-on`: the gates that a result may have to pass.

Comes in: what was written after the flag, and a result. Goes out: whether the gate fails, and on what; where
classifiers are held against each other, an exit code. Neighbours: `hunts.py` makes one of the gate of a hunt;
`act/gates.py` has the gates of rows, which `compare.py` and `suites.py` end with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foible.cli.flags import told
from foible.errors import ConfigError, brief
from foible.gates import RATE, read_rate

if TYPE_CHECKING:
    from foible.comparison import Comparison
    from foible.findings import HuntResult, Rate
    from foible.repairs import Repair
    from foible.seeking import Seeking
    from foible.suites import SuiteRun

FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        help="Exit with 1 on: never; worse (it surely fails more often on a bug or label); open (that, or it is not "
        "decided); rate>X (it surely fails more often than X on a bug, such as 0.2 or 20%); several with commas "
        "between them.",
        metavar="GATE",
    ),
]
"""The gates of rows: those of a comparison, and of a suite."""
FailOnSought = Annotated[
    str,
    typer.Option(
        "--fail-on",
        help="Exit with 1 on: never; there (a bug is there, too); open (that, or it is not shown not to be); rate>X "
        "(with the description the classifier surely fails more often than X there); several with commas between them.",
        metavar="GATE",
    ),
]
"""The gates of bugs that are sought in the other kind of images."""
TOLD = 5
"""Rows that a failing gate names on stderr."""
_WANTED = f"--fail-on wants never, confirmed, or {RATE}"


@dataclass(frozen=True, slots=True)
class Gate:
    """What makes a hunt or a probe end with 1."""

    kind: Literal["never", "confirmed", "rate"]
    above: float = 1.0
    """Of `rate`: the failure rate that none may surely exceed."""

    def fails(self, result: HuntResult) -> bool:
        """Tell whether a result fails the gate."""
        return next(self.reasons(result), None) is not None

    def reasons(self, result: HuntResult) -> Iterator[str]:
        """Say on what it fails, one clause each.

        confirmed: a confirmed finding, or a label that fails by itself (`HuntResult.base_failures`).
        rate: a label's rate under the base prompt, or that of a finding with or without its description, of which the
        lower end of the 95 % interval is above the bound; each is taken alone.
        """
        from foible.report.bases import base_title
        from foible.report.sentences import plain, title
        from foible.report.words import interval, percent

        def surely(rate: Rate) -> bool:
            return rate.value is not None and rate.low > self.above

        if self.kind == "confirmed":
            yield from (plain(title(f, result)) for f in result.findings if f.verdict == "confirmed")
            yield from (base_title(one, result) for one in result.base_failures)
        if self.kind == "rate":
            rates = [(base_title(one, result), one.rate) for one in result.explored]
            rates += [(plain(title(f, result)), f.treat) for f in result.findings]
            rates += [(f"{plain(title(f, result))}, without the description", f.control) for f in result.findings]
            yield from (f"{name} fails in {percent(r.value)} {interval(r)}" for name, r in rates if surely(r))


def read_gate(text: str) -> Gate:
    """Read what was written after `--fail-on`.

    Raises:
        ConfigError: it is none of the gates.
    """
    said = text.strip()
    if said in {"never", "confirmed"}:
        return Gate(said)  # type: ignore[arg-type]
    above = read_rate(said)
    if above is None:
        message = f"{_WANTED}, but got {brief(text)!r}"
        raise ConfigError(message)
    return Gate("rate", above)


def end(found: Comparison | SuiteRun | Repair | Seeking) -> None:
    """End with the code of the verdict, and say on stderr which rows it is about.

    Raises:
        typer.Exit: 1 where the gate fails; 2 where it does not, and of some row nothing can be said: it has not passed.
    """
    from foible.report import comparison, seeking
    from foible.report.comparison import verdict
    from foible.seeking import Seeking

    if found.verdict not in {"failed", "unknown"}:
        return
    reasons = (
        (seeking.reason(row, found) for row in found.rows if row.gate == found.verdict)
        if isinstance(found, Seeking)
        else (comparison.reason(row) for row in found.rows if row.gate == found.verdict)
    )
    for reason in islice(reasons, TOLD):
        told(reason, 1)
    raise typer.Exit(told(verdict(found), 1 if found.verdict == "failed" else 2))
