"""`--fail-on`: the gates that a result may have to pass.

Comes in: what was written after the flag, and a result. Goes out: whether the gate fails, and on what. Neighbour:
`hunts.py` turns that into an exit code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from foible.errors import ConfigError, brief
from foible.gates import RATE, read_rate

if TYPE_CHECKING:
    from foible.findings import HuntResult, Rate

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
