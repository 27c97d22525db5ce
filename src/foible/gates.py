"""What may stand after `--fail-on`.

Comes in: a text. Goes out: a bound of a failure rate. Neighbours: `cli/gates.py` has the gates of a hunt;
`act/gates.py` those of a comparison and of a suite.
"""

from __future__ import annotations

import re

_RATE = re.compile(r"rate\s*>\s*([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})\s*(%?)", re.ASCII)
RATE = "rate>X with X from 0 to below 1 (rate>0.2 or rate>20%)"
"""How a bound of a failure rate is written, for a sentence."""


def read_rate(text: str) -> float | None:
    """Read a bound of a failure rate: 0 to below 1; None where the text is none."""
    found = _RATE.fullmatch(text.strip())
    above = float(found[1]) / (100.0 if found[2] else 1.0) if found else 1.0
    return above if above < 1.0 else None
