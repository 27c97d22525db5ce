"""Promises of labels: what a user calls a class is found, or refused with one sentence that helps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.errors import LabelError
from foible.labels import MOST_BY_DEFAULT, class_name, find_class, resolve, split_name
from foible.records import Label

NAMES = ["coffee mug (cup)", "ping-pong ball (ball)", "crane (bird)", "crane (machine)", "Vase", "bucket"]


def refusal(texts, names=NAMES):
    """Give the sentence about labels that cannot be used."""
    with pytest.raises(LabelError) as told:
        resolve(texts, names)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 800
    return str(told.value)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("coffee mug", Label(0, "coffee mug", "cup", frozenset({0}))),
        ("  Coffee   MUG ", Label(0, "Coffee MUG", "cup", frozenset({0}))),
        ("coffee mug (cup)", Label(0, "coffee mug", "cup", frozenset({0}))),
        ("coffee mug (crockery)", Label(0, "coffee mug", "crockery", frozenset({0}))),
        ("ping pong ball", Label(1, "ping pong ball", "ball", frozenset({1}))),
        ("crane (machine)", Label(3, "crane", "machine", frozenset({3}))),
        ("2=crane bird", Label(2, "crane bird", "", frozenset({2}))),
        ("2 | 3 = crane (thing)", Label(2, "crane", "thing", frozenset({2, 3}))),
        ("5|5=pail", Label(5, "pail", "", frozenset({5}))),
        ("vase", Label(4, "vase", "", frozenset({4}))),
    ],
)
def test_a_label_is_found(text, label):
    """A label is found by its name, with or without its hypernym, whatever case and hyphens; or given by index."""
    assert resolve([text], NAMES) == (label,)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["cofee mug"], "there is no label 'cofee mug': did you mean 'coffee mug'?"),
        (["crane"], r"the label 'crane' is the name of classes [2, 3]; say which, as 2=crane"),
        (["vase", "VASE"], "the label 'VASE' is given twice (class 4 is also 'vase')"),
        (["vase", "4=urn"], "the label '4=urn' is given twice (class 4 is also 'vase')"),
        (["crane (bird)", "crane (machine)"], "two labels are called 'crane'"),
        (["6=pan"], "names class 6, but the classifier has 6 (from 0)"),
        (["0|9=pan"], "names class 9, but the classifier has 6 (from 0)"),
        ([""], "a label looks like"),
        (["=mug"], "a label looks like"),
        (["5="], "a label looks like"),
        (["5|=mug"], "a label looks like"),
        (["-1=mug"], "a label looks like"),
        (["mug (cup"], "a label looks like"),
        (["(cup)"], "a label looks like"),
        (["5=mug\x00"], "a label looks like"),
        (["5=mug\x1b[31m"], "a label looks like"),
        (["5=\udcff"], "a label looks like"),
        (["9" * 5000 + "=mug"], "a label looks like"),
        (["x" * 5000], "there is no label"),
        ([" " * 5000 + "("], "a label looks like"),
    ],
)
def test_a_label_that_cannot_be_used_is_one_sentence(texts, says):
    """An unknown, ambiguous, doubled, malformed or impossible label is refused, saying which and what to do."""
    assert says in refusal(texts)


def test_a_classifier_without_names_takes_indices():
    """Where the classifier names no class, a label is INDEX=name, and a bare name or none is refused, saying so."""
    assert resolve(["504|968=coffee mug (cup)"], None) == (Label(504, "coffee mug", "cup", frozenset({504, 968})),)
    assert "write the label as INDEX=vase" in refusal(["vase"], None)
    assert "labels must be given as INDEX=name" in refusal([], None)


def test_no_label_means_every_class():
    """Without labels a hunt is over every class, in order; over many classes it must be told which."""
    names = [f"thing {number} (kind)" for number in range(MOST_BY_DEFAULT)]
    assert [label.index for label in resolve([], names)] == list(range(MOST_BY_DEFAULT))
    assert f"has {MOST_BY_DEFAULT + 1} classes; name the labels" in refusal([], [*names, "one more"])


def test_the_target_is_found_as_a_label_is():
    """The wrong label of the targeted mode is one class, by name or by index."""
    assert find_class("bucket", NAMES) == 5
    assert find_class("3=crane", NAMES) == 3
    with pytest.raises(LabelError, match="did you mean 'bucket'"):
        find_class("buckets", NAMES)


def test_a_class_is_called_by_its_name():
    """A class is called by its name without the hypernym; by its number where it has none."""
    assert [class_name(i, NAMES) for i in (0, 4, 6, -1)] == ["coffee mug", "Vase", "class 6", "class -1"]
    assert class_name(3, None) == "class 3"
    assert split_name("odd (name) (here)") == ("odd (name) (here)", "")


pieces = st.text(alphabet="ab 0129|=()-\t\n\x00é٣", max_size=12) | st.text(max_size=12) | st.sampled_from(NAMES)


@given(texts=st.lists(pieces, max_size=4), names=st.none() | st.lists(pieces, max_size=5))
def test_any_text_gives_labels_or_a_label_error(texts, names):
    """Whatever is given as labels, over whatever classes, either gives labels that hold or a `LabelError`."""
    try:
        labels = resolve(texts, names)
    except LabelError:
        return
    assert len({label.index for label in labels}) == len({label.name for label in labels}) == len(labels)
    for label in labels:
        assert label.index in label.accepted
        assert min(label.accepted) >= 0
        assert names is None or max(label.accepted) < len(names)
        assert label.name.strip()
        assert label.name.isprintable()
    assert len(labels) == len(texts or names or ())


@given(st.integers(0, 5), st.booleans())
def test_a_label_text_resolves_to_itself(index, indexed):
    """The text of a label, with its index or without, resolves to the same label again."""
    (label,) = resolve([NAMES[index]], NAMES)
    text = f"{label.name} ({label.hypernym})" if label.hypernym else label.name
    assert resolve([f"{index}={text}" if indexed else text], NAMES) == (label,)


def test_a_classifier_may_say_which_classes_are_as_good():
    """A label that lists no indices of its own is right for these too; one that does means what it says."""
    names, accepted = ["laptop", "notebook", "mug"], {0: {1}, 1: {0}}
    laptop, mug = resolve(["laptop", "mug"], names, accepted)
    assert (laptop.accepted, mug.accepted) == ({0, 1}, {2})
    assert resolve(["0=laptop"], names, accepted)[0].accepted == {0}
