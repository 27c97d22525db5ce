"""Promises of keys and seeds: equal work has equal keys, other work has others, and no seed serves two streams."""

from __future__ import annotations

import itertools
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foible import identity
from foible.arms import ARMS, CERTIFY, COLLECT, COMPARE, FOLLOW, MEASURE, RETEST, SUGGEST, TEST, TRAIN, VALIDATE
from foible.draws.request import prompt
from foible.identity import answer_key, canonical, derive_seed, digest, question_key, request_key, seed_stream
from foible.records import Label, Treatment
from streams import stream_of

PART = {"spec": "diorama:scenes", "args": {"size": 64}, "fingerprint": "world 1", "version": "numpy 2.4.1"}

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def seeds(root, stream, label, count):
    """Give the first seeds of a label in a stream."""
    return list(itertools.islice(seed_stream(root, stream, label), count))


def shuffled(value):
    """Give an equal value whose mappings were filled in the other order."""
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def test_keys_stay_what_they_are():
    """The keys and seeds of known work are pinned: whoever changes them must raise IDENTITY_VERSION on purpose."""
    assert identity.IDENTITY_VERSION == 3
    assert request_key(PART, "a photograph of a coffee mug", 7) == "8d6d99cdc858919e084858a65d5d9c15"
    assert answer_key(question_key(PART), "ab" * 32) == "da9af66e72c2c1e25bc3ae52394c0ecd"
    assert answer_key(question_key(PART, '["coffee mug","cup"]'), "ab" * 32) == "774bfcb7a77e09eb50a22bf91d59fb53"
    assert seeds(0, SUGGEST, "coffee mug", 3) == [2264305494, 3236866574, 482159380]
    assert seeds(0, FOLLOW, "coffee mug", 3) == [1910471413, 3984222755, 2120826443]
    assert seeds(0, TEST, "coffee mug", 3) == [18683341, 4260391573, 2594630846]


def test_a_request_key_covers_each_ingredient_and_nothing_else():
    """The key of a request changes with the generator's spec, arguments, weights, version, prompt and seed."""
    changes = [{**PART, name: value} for name, value in (("spec", "x:y"), ("fingerprint", "world 2"), ("version", ""))]
    changes.append({**PART, "args": {"size": 65}})
    keys = {request_key(part, "a mug", 7) for part in (PART, *changes)}
    keys |= {request_key(PART, text, 7) for text in ("a  mug", "A mug", "", "a mug, on grass")}
    keys |= {request_key(PART, "a mug", seed) for seed in (0, 8, 2**32 - 1)}
    assert len(keys) == 5 + 4 + 3
    assert request_key(dict(reversed(PART.items())), "a mug", 7) == request_key(PART, "a mug", 7)


def test_an_answer_key_covers_each_ingredient_and_nothing_else():
    """The key of an answer changes with the part, the image and the question, and is never the key of a request."""
    others = [{**PART, name: value} for name, value in (("spec", "x:y"), ("fingerprint", "f"), ("version", ""))]
    questions = {question_key(part, question) for part in (PART, *others) for question in ("", "mug", "vase")}
    keys = questions | {answer_key(question, image) for question in questions for image in ("ab" * 32, "cd" * 32)}
    assert len(keys | {request_key(PART, "ab" * 32, 0)}) == 12 + 24 + 1


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
    root=st.integers(0, 2**63 - 1), label=st.text(max_size=9), count=st.integers(0, 50), number=st.integers(0, 10**6)
)
def test_seeds_of_two_streams_never_meet(root, label, count, number):
    """No seed of one stream is one of another, whatever the hunt, the label or the number."""
    for stream in (SUGGEST, FOLLOW, TEST, MEASURE):
        assert stream_of(derive_seed(root, stream, label, number)) == stream
    each = [seeds(root, stream, label, count) for stream in (SUGGEST, FOLLOW, TEST, MEASURE)]
    assert len({seed for own in each for seed in own}) == 4 * count
    assert all(0 <= seed < 2**32 for own in each for seed in own)
    assert seeds(root, SUGGEST, label, count + 3)[:count] == each[0]


@given(root=st.integers(0, 2**63 - 1), label=st.text(max_size=9), count=st.integers(1, 50))
def test_what_goes_on_from_a_run_takes_seeds_of_its_own(root, label, count):
    """Its streams never meet one another, and leave out whatever they are told that the run spent."""
    each = [seeds(root, stream, label, count) for stream in (TRAIN, VALIDATE, RETEST, COMPARE, COLLECT, CERTIFY)]
    assert len({seed for own in each for seed in own}) == 6 * count
    spent = each[0][:: max(1, count // 5)]
    left = itertools.islice(seed_stream(root, TRAIN, label, spent), count)
    assert [seed for seed in left if seed in spent] == []


@given(root=st.integers(0, 2**63 - 1), label=st.text(max_size=9), images=st.integers(2, 40))
def test_seeds_of_a_stream_are_spread_over_all_that_a_generator_makes_of_them(root, label, images):
    """A generator that shows image number `seed % n`, or goes by the size of a seed, shows each stream all images."""
    for stream in (SUGGEST, FOLLOW, TEST, MEASURE, TRAIN, VALIDATE, RETEST, COLLECT):
        own = np.array(seeds(root, stream, label, 50 * images))
        for places in (own % images, own * images >> 32):
            counts = np.bincount(places, minlength=images)
            assert counts.min() > 50 - 6 * 50**0.5
            assert counts.max() < 50 + 7 * 50**0.5


def test_what_suggests_and_what_tests_take_seeds_of_different_streams():
    """Every arm that tests is on the stream of tests, and no arm that suggests is."""
    tests = {arm for arm, rule in ARMS.items() if rule.stream == TEST}
    assert tests == {"treat", "control", "explain", "test"}
    others = [ARMS[arm].stream for arm in ("explore", "follow", "measure")]
    assert len({*others, TEST}) == 4


def test_no_seed_of_a_label_comes_twice(monkeypatch):
    """Where two numbers give one seed, the second is passed over: one image never counts as two."""
    monkeypatch.setattr(identity, "derive_seed", lambda root, stream, label, number: number // 3 * 2)
    assert seeds(0, SUGGEST, "mug", 4) == [0, 2, 4, 6]


def test_seeds_depend_on_root_stream_label_and_number():
    """Another root, stream, label or number gives another seed."""
    every = [
        derive_seed(*of)
        for of in itertools.product((0, 1), (SUGGEST, FOLLOW, TEST, MEASURE), ("mug", "vase"), range(50))
    ]
    assert len(set(every)) == len(every)


def test_a_prompt_reads_as_english():
    """The base prompt names label and kind; without a kind no brackets are left; before a vowel it is "an"."""
    template = "a realistic photograph of a {name} ({kind})"
    texts = [
        prompt(Label("coffee mug", "cup"), template),
        prompt(Label("orange"), template, Treatment(words=("striped", "on grass"))),
        prompt(Label("{name}", "{x}"), template),
    ]
    assert texts == [
        "a realistic photograph of a coffee mug (cup)",
        "a realistic photograph of an orange, striped, on grass",
        "a realistic photograph of a {name} ({x})",
    ]
