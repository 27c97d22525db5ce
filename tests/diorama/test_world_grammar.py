"""What the diorama promises about reading text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.diorama.grammar import parse
from foible.diorama.vocabulary import ATTRIBUTES, LABELS


@given(st.text(max_size=400))
def test_any_text_is_read(text):
    """Whatever the characters, reading does not raise and reports words, each once."""
    ignored = parse(text).ignored
    assert len(set(ignored)) == len(ignored)
    assert all(ignored)


@given(st.lists(st.sampled_from(["red", "a", "(", ")", "mug", "cup", "on", "grass", "beside", "box", "zebra"])))
def test_any_order_of_words_is_read(words):
    """Words in any order set what they name."""
    read = parse(" ".join(words))
    assert ("zebra" in read.ignored) == ("zebra" in words)
    assert (read.label == "coffee mug") == bool({"mug", "cup"} & set(words))


@pytest.mark.parametrize(
    "text",
    ["x" * 10_000, "a mug, " * 1_500, "<script>alert('&amp;')</script>" * 300, "\x00\x07\x1b[2J" * 2_000, "(" * 10_000],
    ids=["one word", "many mugs", "html", "control", "parentheses"],
)
def test_long_and_hostile_text_is_read_at_once(text):
    """Ten thousand characters of anything take a fraction of a second."""
    start = time.perf_counter()
    parse(text)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label.name)
def test_base_prompts_name_their_label_and_nothing_is_ignored(label):
    """The hypernym in parentheses belongs to the label, with additions or without."""
    base = f"a realistic photograph of a {label.name} ({label.hypernym})"
    assert (parse(base).label, parse(base).attributes, parse(base).ignored) == (label.name, {}, ())
    more = parse(f"{base}, striped, on grass, at night")
    assert more.label == label.name
    assert more.attributes == {"texture": "striped", "ground": "grass", "light": "night"}
    assert more.ignored == ()


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_phrase_and_synonym_sets_its_value(attribute):
    """Each way to say a value says that value and nothing else."""
    for value in ATTRIBUTES[attribute]:
        for said in (value.phrase, *value.synonyms):
            read = parse(f"a vase, {said}")
            assert read.attributes == {attribute: value.word}, said
            assert (read.label, read.ignored) == ("vase", ())


@pytest.mark.parametrize(
    ("text", "label", "attributes"),
    [
        ("PING PONG BALL", "ping-pong ball", {}),
        ("a misty photo of a distant ping-pong  ball", "ping-pong ball", {"weather": "fog", "distance": "far"}),
        ("Dotted teapot seen from overhead", "teapot", {"texture": "spotted", "viewpoint": "above"}),
        ("polka-dot vase, bird's-eye view", "vase", {"texture": "spotted", "viewpoint": "above"}),
        ("on the lawn, a candle beside a traffic cone", "candle", {"ground": "grass", "companion": "cone"}),
        ("a barrel next to a wooden crate", "barrel", {"companion": "box"}),
        ("a close-up of a white bucket", "bucket", {"colour": "white", "distance": "close"}),
    ],
)
def test_variants_are_understood(text, label, attributes):
    """Case, hyphens, order and everyday synonyms do not matter."""
    read = parse(text)
    assert (read.label, read.attributes, read.ignored) == (label, attributes, ())


def test_unknown_words_are_reported_in_order():
    """Content words without meaning here come back, once each, as they stand in the text."""
    assert parse("a shiny baroque vase of shiny porcelain").ignored == ("shiny", "baroque", "porcelain")


def test_the_first_object_is_the_label_and_later_ones_are_ignored():
    """One picture shows one object."""
    read = parse("a teapot and a vase")
    assert (read.label, read.ignored) == ("teapot", ("vase",))


def test_the_last_of_two_values_wins_and_the_earlier_is_ignored():
    """What is said last counts; what it overrules is reported."""
    read = parse("a red vase on grass, blue, on sand")
    assert read.attributes == {"colour": "blue", "ground": "sand"}
    assert read.ignored == ("red", "on grass")


def test_a_hypernym_in_parentheses_elsewhere_is_still_an_object():
    """Only the label's own hypernym, right after it, is swallowed."""
    assert parse("a vase (cup)").ignored == ("cup",)
    assert parse("a fly (insect)").ignored == ("fly", "insect")
