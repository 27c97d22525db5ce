"""Promises of keys and seeds: equal work has equal keys, other work has others, and no seed serves two streams."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from foible import identity
from foible.identity import answer_key, canonical, derive_seed, derive_seeds, digest, draw_key
from foible.records import Label
from foible.stages.prompts import make_prompt

PART = {"spec": "diorama:scenes", "args": {"size": 64}, "fingerprint": "world 1", "version": "numpy 2.4.1"}

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def shuffled(value):
    """Give an equal value whose mappings were filled in the other order."""
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def test_keys_stay_what_they_are():
    """The keys and seeds of known work are pinned: whoever changes them must raise IDENTITY_VERSION on purpose."""
    assert identity.IDENTITY_VERSION == 1
    assert draw_key(PART, "a photograph of a coffee mug", 7) == "a5eb14d610dde45fac1fdd204d91df7c"
    assert answer_key(PART, "ab" * 32) == "48d15b0ea083651ea54d25b540fa69d8"
    assert answer_key(PART, "ab" * 32, '["coffee mug","cup"]') == "af31e34b6fd387631fa7ee453a09219e"
    assert derive_seeds(0, "explore", '[0,"coffee mug"]', 3) == [46236430, 2652025300, 3690755154]
    assert derive_seeds(0, "test", '[0,"coffee mug"]', 3) == [2677755055, 1260590855, 3068192339]


def test_a_draw_key_covers_each_ingredient_and_nothing_else():
    """The key of a draw changes with the generator's spec, arguments, weights and version, the prompt and the seed."""
    changes = [{**PART, name: value} for name, value in (("spec", "x:y"), ("fingerprint", "world 2"), ("version", ""))]
    changes.append({**PART, "args": {"size": 65}})
    keys = {draw_key(part, "a mug", 7) for part in (PART, *changes)}
    keys |= {draw_key(PART, text, 7) for text in ("a  mug", "A mug", "", "a mug, on grass")}
    keys |= {draw_key(PART, "a mug", seed) for seed in (0, 8, 2**32 - 1)}
    assert len(keys) == 5 + 4 + 3
    assert draw_key(dict(reversed(PART.items())), "a mug", 7) == draw_key(PART, "a mug", 7)


def test_an_answer_key_covers_each_ingredient_and_nothing_else():
    """The key of an answer changes with the part, the image and the question, and is never the key of a draw."""
    others = [{**PART, name: value} for name, value in (("spec", "x:y"), ("fingerprint", "f"), ("version", ""))]
    keys = {answer_key(part, "ab" * 32, question) for part in (PART, *others) for question in ("", "mug", "vase")}
    keys |= {answer_key(PART, "cd" * 32), draw_key(PART, "ab" * 32, 0)}
    assert len(keys) == 14


@given(values)
def test_equal_values_have_equal_text(value):
    """The canonical text does not depend on the order of keys, reads back as the same value, and is plain ASCII."""
    text = canonical(value)
    assert canonical(shuffled(value)) == text
    assert json.loads(text) == value
    assert text.isascii()
    assert digest(shuffled(value)) == digest(value)


@given(values, values)
def test_different_values_have_different_text(one, other):
    """Two values with the same canonical text are the same value, types of numbers and truth included."""
    if canonical(one) == canonical(other):
        assert one == other
        assert type(one) is type(other)


@given(
    root=st.integers(0, 2**63 - 1), label=st.text(max_size=9), count=st.integers(0, 50), numbers=st.integers(0, 10**6)
)
def test_explore_and_test_seeds_never_meet(root, label, count, numbers):
    """No seed of the explore stream is one of the test stream, whatever the hunt, the label or the number."""
    assert derive_seed(root, "explore", label, numbers) % 2 == 0
    assert derive_seed(root, "test", label, numbers) % 2 == 1
    explore, test = (derive_seeds(root, stream, label, count) for stream in ("explore", "test"))
    assert len({*explore, *test}) == 2 * count
    assert all(0 <= seed < 2**32 for seed in (*explore, *test))
    assert derive_seeds(root, "explore", label, count + 3)[:count] == explore


def test_no_seed_of_a_label_comes_twice(monkeypatch):
    """Where two numbers give one seed, the second is passed over: one image never counts as two."""
    monkeypatch.setattr(identity, "derive_seed", lambda root, stream, label, number: number // 3 * 2)
    assert derive_seeds(0, "explore", "mug", 4) == [0, 2, 4, 6]


def test_seeds_depend_on_root_stream_label_and_number():
    """Another root, stream, label or number gives another seed."""
    seeds = [derive_seed(*of) for of in itertools.product((0, 1), ("explore", "test"), ("mug", "vase"), range(50))]
    assert len(set(seeds)) == len(seeds)


def test_a_prompt_reads_as_english():
    """The base prompt names label and hypernym; without a hypernym no brackets are left; before a vowel it is "an"."""
    template = "a realistic photograph of a {name} ({hypernym})"
    texts = [
        make_prompt(Label(0, "coffee mug", "cup"), template).text,
        make_prompt(Label(0, "orange", ""), template, ("striped", "on grass")).text,
        make_prompt(Label(0, "{name}", "{x}"), template).text,
    ]
    assert texts == [
        "a realistic photograph of a coffee mug (cup)",
        "a realistic photograph of an orange, striped, on grass",
        "a realistic photograph of a {name} ({x})",
    ]
