"""Reported: a bug that takes more phrases than a description may have was followed in vain, or named by a part."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
from foible.search.follow import WHOLE
from foible.statistics import phrase_sets, suspect, with_whole
from foible.statistics.suspicion import CHANCE
from foible.statistics.suspicion import WHOLE as BELIEVED

THINGS = ["a hat", "a bell", "a flag", "a rope", "a hook", "a star", "a leaf", "a coin", "a key", "a pin"]
NEEDED = {"with a hat", "with a bell", "with a flag"}


def draw(prompts, seeds):
    """Write into the pixels what stands beside the mug: what is asked for, and of the rest one in six."""
    images = []
    for prompt, seed in zip(prompts, seeds, strict=True):
        chance = random.Random(seed)
        image = np.zeros((16, 16, 3), np.uint8)
        image[0, : len(THINGS), 0] = [chance.random() < 1 / 6 or f"with {thing}" in prompt for thing in THINGS]
        image[1, :4, 1] = list(seed.to_bytes(4, "big"))
        images.append(image)
    return images


def seen(image):
    """Read what stands beside the mug."""
    return [f"with {thing}" for thing, there in zip(THINGS, image[0, :, 0], strict=False) if there]


def classify(images):
    """Take a mug with a hat, a bell and a flag for a vase, and only that."""
    return [[0.0, 1.0] if set(seen(image)) >= NEEDED else [1.0, 0.0] for image in images]


def caption(images):
    """Name all that is there."""
    return [f"a coffee mug {', '.join(seen(image))}" for image in images]


def embed(images):
    """Place images by what is there."""
    return [[1.0, *image[0, : len(THINGS), 0]] for image in images]


def judge(images, labels):
    """See the mug in each."""
    return [True] * len(images)


def hunt(out, seed):
    """Hunt over mugs in this world."""
    parts: dict[str, Any] = {"generator": draw, "captioner": caption, "embedder": embed, "judge": judge}
    config: dict[str, Any] = {"describe": {"whole": True}}
    config |= {"explore": {"draws": 400}, "batch": 64, "measure": {"most": 12}, "explain": {"draws": 0}}
    return foible.hunt(classify, ["0=coffee mug"], out=out, seed=seed, config=config, progress=False, **parts)


@pytest.mark.parametrize("seed", [7, 8])
def test_a_bug_of_three_phrases_is_named_by_all_of_them(tmp_path, seed):
    """Where no two phrases bring a failure back, the whole caption does, though a description has two at most."""
    run = hunt(tmp_path / "run", seed)
    assert run.result.explored[0].tally.failures > 0
    (finding,) = run.confirmed
    assert set(finding.trial.hypothesis.treatment.words) >= NEEDED
    assert len(finding.trial.hypothesis.treatment.words) <= WHOLE
    assert finding.treat.value == 1.0


@given(phrases=st.integers(1, 6), most=st.integers(1, 4))
def test_the_whole_is_one_more_candidate_and_an_unlikely_one(phrases, most):
    """Before anything is seen the candidates share what is not chance, and the whole has little of it, once."""
    sets = with_whole(phrase_sets(phrases, most))
    assert sets.tolist().count((1 << phrases) - 1) == 1
    belief = suspect(sets, np.zeros(0, np.intp), np.zeros(0, bool), most)
    assert belief.chance == pytest.approx(CHANCE)
    assert belief.each.sum() == pytest.approx(1 - CHANCE)
    if phrases > most:
        assert belief.each[-1] == pytest.approx((1 - CHANCE) * BELIEVED)


def test_draws_that_fail_with_all_phrases_and_with_no_pair_are_the_whole_s():
    """Three phrases that only together bring a failure back are believed once each pair has passed."""
    sets = with_whole(phrase_sets(3, 2))
    seen_with = [0b111] * 4 + [0b011, 0b101, 0b110] * 4
    belief = suspect(sets, np.array(seen_with, np.intp), np.array([True] * 4 + [False] * 12), 2)
    assert int(belief.sets[belief.each.argmax()]) == 0b111
    assert belief.each.max() > 0.8
