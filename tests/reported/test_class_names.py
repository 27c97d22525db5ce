"""Reported faults in how classes are called: spellings of one name, and classes that are hard to tell apart."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.draws.request import prompt
from foible.errors import LabelError
from foible.labels import Classes, class_name, split_name
from foible.labels import resolve as resolve_all


def resolve(texts, names):
    """Give the labels, and the first right class of each, for one classifier with these names and one more."""
    known = None if names is None else (*names, "something else")
    labels, (classes,) = resolve_all(texts, [Classes(classifier="it", names=known)])
    found = [(label, classes.right[label.name][0]) for label in labels]
    return found if texts else found[:-1]


PERSIAN, HINDI, ASTRONAUT = "می\u200cخک", "क्\u200dष", "👩\u200d🚀 astronaut"


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_a_name_is_found_in_another_unicode_form(form, asked):
    """C30: "café" is found, and drawn alike, whether its accent is a letter's part or a mark of its own."""
    ((label, index),) = resolve([unicodedata.normalize(asked, "CAFÉ")], ["bar", unicodedata.normalize(form, "café")])
    assert (index, label.name) == (1, "CAFÉ")
    assert class_name(1, ["bar", unicodedata.normalize(form, "café")]) == "café"


@pytest.mark.parametrize("name", [PERSIAN, HINDI, ASTRONAUT])
def test_joiners_are_allowed_in_labels(name):
    """C30: names that are spelled with zero-width joiners are labels, asked for by name, by index, or not at all."""
    for texts in ([name], [f"0={name}"], []):
        assert resolve(texts, [name] if not texts else [name, "vase"])[0][0].name == name
    assert class_name(0, [name]) == name


@pytest.mark.parametrize("mark", ["\u200b", "\u202e", "\x1b", "\x00", "\ufeff"])
def test_other_unseen_marks_are_refused(mark):
    """C30: what turns text round, or cannot be seen and means nothing, is no part of a label."""
    with pytest.raises(LabelError):
        resolve([f"0=mug{mark}cup"], None)
    with pytest.raises(LabelError):
        resolve([], [f"mug{mark}cup"])


@pytest.mark.parametrize("asked", ["coffee_mug", "coffee mug", "Coffee-Mug", "coffee__mug", "1=coffee_mug", ""])
@pytest.mark.parametrize("known", ["coffee_mug", "coffee mug", "Coffee_Mug"])
def test_underscores_do_not_go_into_prompts(asked, known):
    """C30: either spelling finds the class, and "coffee_mug" is drawn and shown as "coffee mug"."""
    label, index = resolve([asked] if asked else [], ["vase", known])[1 if not asked else 0]
    assert index == 1
    assert "_" not in prompt(label, "a photograph of a {name} ({kind})")
    assert class_name(1, ["vase", known]).casefold() == "coffee mug"
    assert split_name("Tomato___Early_blight (leaf_disease)") == ("Tomato Early blight", "leaf disease")


def test_classes_that_differ_in_parentheses_are_told_apart():
    """A16: a class keeps its parentheses where another has the same name, so none "is taken for itself"."""
    names = ["tomato (fruit)", "Tomato (plant)", "pepper (fruit)", "crane", "crane (machine)"]
    called = [class_name(index, names) for index in range(len(names))]
    assert called == ["tomato (fruit)", "Tomato (plant)", "pepper", "crane", "crane (machine)"]
    assert [resolve([name], names)[0][1] for name in called[:3]] == [0, 1, 2]


def test_two_labels_of_one_name_are_told_how_to_differ():
    """A16: a hunt over both is refused with a label that can be given as it stands."""
    names = ["tomato (fruit)", "tomato (plant)"]
    with pytest.raises(LabelError, match="as in '0=tomato fruit'") as told:
        resolve([], names)
    assert resolve([str(told.value).split("'")[-2], "tomato (plant)"], names)[0][0].name == "tomato fruit"


@pytest.mark.parametrize("name", ["a = b", "mug (cup) (red)", "(unknown)", "7=seven"])
def test_a_class_of_any_name_is_hunted_over_by_default(name):
    """C30: a name in no form of a label stands for its own class: by default, in full, and with its index."""
    names = ["vase", name]
    assert resolve([], names)[1][1] == 1
    if not name[0].isdecimal():  # "7=seven" in full means class 7
        assert resolve([name], names)[0][1] == 1
    assert resolve([f"1={name}"], names)[0] == resolve([], names)[1]


@given(st.lists(st.text("ab_- ()=01é\u0301\u200d", min_size=1, max_size=8), min_size=1, max_size=5))
def test_by_default_each_class_is_hunted_over_as_itself(names):
    """C30: whatever classes are called, each label of a default hunt has its own class's index, or all are refused."""
    try:
        labels = resolve([], names)
    except LabelError:
        return
    assert [index for _, index in labels] == list(range(len(names)))


@pytest.mark.parametrize(
    "names",
    [
        ("LABEL_0", "LABEL_1"),
        ("0", "1"),
        ("class 3", "class 4"),
        ("n01440764", "n01443537"),
        ("n00000001 red", "n00000002 blue"),
        ("0: red", "1: blue"),
        ("007-tench", "008-goldfish"),
        ("001.Black_footed_Albatross", "red"),
    ],
    ids=str,
)
def test_codes_are_no_names_to_be_drawn(names):
    """A14: whoever names them, numbers and codes never become prompts: what they show is asked for, with an example."""
    for texts in ([], [names[0]])[: 1 if names[0].isdecimal() else 2]:  # a "0" that is asked for is a digit
        with pytest.raises(LabelError, match=r"nobody can draw; say what it shows|for that class write 0=|looks like"):
            resolve(texts, names)
    ((label, index),) = resolve(["0=coffee mug"], names)
    assert (label.name, index) == ("coffee mug", 0)


def test_a_list_that_counts_its_classes_in_order_names_nothing():
    """A14: c0, c1, c2 for all classes say no more than their places, so that what they show is asked for."""
    counted = Classes(classifier="it", names=("c0", "c1", "c2"))
    for texts in ([], ["c1"]):
        with pytest.raises(LabelError, match="nobody can draw; say what it shows"):
            resolve_all(texts, [counted])
    labels, _ = resolve_all(["1=safe driving"], [counted])
    assert labels[0].name == "safe driving"
    labels, _ = resolve_all([], [Classes(classifier="it", names=("BMW 3", "BMW 5"))])
    assert [label.name for label in labels] == ["BMW 3", "BMW 5"]


@pytest.mark.parametrize(
    "name",
    ["7-Eleven shop", "747 jet", "cat 5 cable", "nematode", "n1 road", "4x4", "label maker", "3.5 inch disk"],
)
def test_names_with_numbers_in_them_are_names(name):
    """A14: a number in a name does not make it a code."""
    ((label, index),) = resolve([name], [name, "other"])
    assert (label.name, index) == (name, 0)


@pytest.mark.parametrize(
    ("own", "asked"), [("coffee mug", "\uff43offee \uff4dug"), ("\ufb01sh", "fish"), ("class \u2167", "class viii")]
)
def test_a_name_in_other_letters_of_the_same_kind_is_found(own, asked):
    """C30: wide letters, ligatures and single characters for several ones do not make another name."""
    ((_, index),) = resolve([asked], [own, "dog"])
    assert index == 0
    with pytest.raises(LabelError, match="is the name of classes"):
        resolve([asked], [own, asked])
