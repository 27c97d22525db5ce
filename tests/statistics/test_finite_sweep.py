"""Simulated finite sets without any pattern: what is confirmed wrongly, and how often intervals hold the truth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from foible.config import ConfirmOptions
from foible.records import Answered, Draw, Hypothesis, Outcome, Request, Treatment
from foible.trial.whole import Half, decide_set

TREATMENT = Treatment(words=("a=b",))
SETS = 60


def half(failed, bears):
    """Give the half of a set that tests: which photographs fail, and which have the attribute."""
    seen = []
    for number, fails in enumerate(failed):
        request = Request(
            key=str(number), label="mug", treatment=Treatment(), seed=number, arm="test", text=str(number)
        )
        outcome = Outcome(status="failed" if fails else "passed", predicted=int(fails))
        seen.append(Answered(draw=Draw(request=request, image=str(number)), outcomes=(outcome,)))
    words = [frozenset(TREATMENT.words) if has else frozenset[str]() for has in bears]
    keys = [one.request.key for one in seen]
    return Half(seen=seen, bearing=dict(zip(keys, words, strict=True)), labels=dict.fromkeys(keys, "mug"))


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [1, 5])
@pytest.mark.parametrize("size", [20, 60, 400, 2000])
def test_sets_without_a_pattern_confirm_nothing_beyond_the_level(size, wrong):
    """Over base rates of 0 to 100 % false confirmations stay within the level, and intervals hold the true difference.

    The difference of photographs like these is 0, whatever share of them has the attribute.
    """
    rng = np.random.default_rng(size + wrong)
    hypothesis = Hypothesis(label="mug", treatment=TREATMENT)
    tried, confirmed, held = 0, 0, 0
    for base, share in itertools.product([0.0, 0.05, 0.3, 0.7, 1.0], [0.1, 0.5]):
        for _ in range(SETS if size < 2000 else SETS // 6):
            failed = rng.random(size // 2) < base
            mistaken = rng.permutation(size // 2)[: rng.binomial(wrong, 0.5)]  # of the whole set, those in this half
            failed[mistaken] = ~failed[mistaken]
            bears = rng.random(size // 2) < share
            if not bears.any() or bears.all():
                continue
            (found,) = decide_set([hypothesis], half(failed, bears), ConfirmOptions(), 8)
            tried += 1
            confirmed += found.verdict == "confirmed"
            held += found.difference.low - 1e-9 <= 0.0 <= found.difference.high + 1e-9
    slack = 3 * math.sqrt(0.05 * 0.95 / tried)
    assert confirmed / tried <= 0.05
    assert held / tried >= 0.94 - slack
