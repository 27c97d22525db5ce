"""Chooses confirmed findings of a run by their numbers: the same for everything that is done about them.

Comes in: a result, and numbers that a person read off its table. Goes out: findings, or one sentence. Neighbours:
`transfer.py` and `export.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from foible.errors import ConfigError
from foible.findings import Finding, HuntResult


def chosen(result: HuntResult, numbers: Sequence[int]) -> dict[int, Finding]:
    """Choose confirmed findings.

    Args:
        result: of a finished run.
        numbers: from 1, in the order of the result; each counts once. Empty for all.

    Returns:
        The findings by number, in the order in which they were asked for.

    Raises:
        ConfigError: there is no confirmed finding, or none of a number.
    """
    confirmed = dict(enumerate((f for f in result.findings if f.verdict == "confirmed"), 1))
    if not confirmed:
        message = "the run has no confirmed finding, so there is no bug to go on from"
        raise ConfigError(message)
    if wrong := [number for number in numbers if number not in confirmed]:
        message = f"there is no confirmed finding {wrong[0]}; the run has {len(confirmed)}, numbered from 1"
        raise ConfigError(message)
    return {number: confirmed[number] for number in numbers or confirmed}
