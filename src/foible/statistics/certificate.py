"""How much of a prior over failure modes can lie on modes that fail often, from random modes that were looked at.

Comes in: passes and failures of each mode that was drawn by the prior. Goes out: how far each is cleared, and an upper
bound of the weight that holds at all times at once. Neighbours: `evidence.py` is about one hypothesis that somebody
has; `act/certify.py` draws. Why it is valid: `design/0026-certificate.md`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

UNCLEARED = 0.1
"""The expected clearance, at most, of a mode that fails as often as is asked about."""
_RATES = (0.0, 1 / 8, 1 / 3)
"""What a mode may fail in instead, as shares of the rate that is asked about."""
_NODES = 32
_BETS = 1.0 - ((np.arange(_NODES) + 0.5) / _NODES) ** 2
"""Shares of the wealth that are bet, each kept for ever."""
_HALVINGS = 40


def clearance(passes: int, failures: int, above: float) -> float:
    """Say how far a mode is cleared of failing in a share of its draws or more.

    Whoever stops at any time: the expectation is at most `UNCLEARED` where it fails so often.

    Args:
        passes: draws that pass, at least 0.
        failures: draws that fail, at least 0.
        above: the share, between 0 and 1, ends excluded.

    Returns:
        0..1; 1 for a mode that is cleared, `UNCLEARED` without draws.

    Raises:
        ValueError: a count is negative, or the share out of range.
    """
    if min(passes, failures) < 0 or not 0.0 < above < 1.0:
        message = f"expected counts of at least 0 and a share between 0 and 1, got {passes}, {failures}, {above!r}"
        raise ValueError(message)
    rates = above * np.asarray(_RATES)
    logs = passes * np.log((1.0 - rates) / (1.0 - above)) + special.xlogy(failures, rates / above)
    return float(min(1.0, UNCLEARED * np.exp(special.logsumexp(logs)) / len(_RATES)))


def log_evidence_below(cleared: Sequence[float], weight: float) -> float:
    """Weigh the evidence that modes which fail so often have less than a weight of the prior.

    Args:
        cleared: the clearance of every mode that was begun, drawn by the prior; none may be left out.
        weight: between 0 and 1, ends excluded.

    Returns:
        Natural logarithm of an e-value, which may be looked at at any time; 0 without modes. It grows with the weight.

    Raises:
        ValueError: a clearance lies outside 0..1, or the weight is out of range.
    """
    shares = np.asarray(cleared, dtype=np.float64)
    if not np.all((shares >= 0) & (shares <= 1)) or not 0.0 < weight < 1.0:
        message = f"expected clearances of 0..1 and a weight between 0 and 1, got {cleared!r} and {weight!r}"
        raise ValueError(message)
    mean = 1.0 - weight * (1.0 - UNCLEARED)
    logs = np.log1p(_BETS[:, None] * (shares[None, :] / mean - 1.0)).sum(axis=1)
    return float(special.logsumexp(logs) - np.log(_NODES))


def weight_at_most(cleared: Sequence[float], level: float) -> float:
    """Give an upper bound of the weight of modes that fail so often; it holds at all times at once.

    Args:
        cleared: as in `log_evidence_below`.
        level: the chance, at most, that the weight ever is as large as the bound or larger; between 0 and 1.

    Returns:
        Above 0, at most 1; 1 where nothing is refuted.

    Raises:
        ValueError: a clearance or the level is out of range.
    """
    if not 0.0 < level < 1.0:
        message = f"a level must lie between 0 and 1, got {level!r}"
        raise ValueError(message)
    bar = -np.log(level)
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if log_evidence_below(cleared, middle) >= bar else (middle, high)
    return high
