"""Promises of labels: what a user calls a class is found, or refused with one sentence that helps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.errors import ConfigError, LabelError
from foible.labels import MOST_BY_DEFAULT, Classes, called, class_name, resolve, split_name
from foible.records import Label

NAMES = ["coffee mug (cup)", "ping-pong ball (ball)", "crane (bird)", "crane (machine)", "Vase", "bucket"]


def found(texts, names=NAMES, accepted=None, **options):
    """Give the labels, and what is right for each, for one classifier."""
    classes = Classes(classifier="it", names=None if names is None else tuple(names), accepted=accepted or {})
    labels, (known,) = resolve(texts, [classes], **options)
    assert list(known.right) == [label.name for label in labels]
    return list(zip(labels, known.right.values(), strict=True))


def refusal(texts, names=NAMES, error=LabelError, **options):
    """Give the sentence about labels that cannot be used."""
    with pytest.raises(error) as told:
        found(texts, names, **options)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 800
    return str(told.value)


@pytest.mark.parametrize(
    ("text", "label", "right"),
    [
        ("coffee mug", Label("coffee mug", "cup"), (0,)),
        ("  Coffee   MUG ", Label("Coffee MUG", "cup"), (0,)),
        ("coffee mug (cup)", Label("coffee mug", "cup"), (0,)),
        ("coffee mug (crockery)", Label("coffee mug", "crockery"), (0,)),
        ("ping pong ball", Label("ping pong ball", "ball"), (1,)),
        ("crane (machine)", Label("crane", "machine"), (3,)),
        ("2=crane bird", Label("crane bird", ""), (2,)),
        ("2 | 3 = crane (thing)", Label("crane", "thing"), (2, 3)),
        ("5|5=pail", Label("pail", ""), (5,)),
        ("vase", Label("vase", ""), (4,)),
    ],
)
def test_a_label_is_found(text, label, right):
    """A label is found by its name, with or without its kind, whatever case and hyphens; or given by index."""
    assert found([text]) == [(label, right)]


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
    assert found(["504|968=coffee mug (cup)"], None) == [(Label("coffee mug", "cup"), (504, 968))]
    assert "write the label as INDEX=vase" in refusal(["vase"], None)
    assert "labels must be given as INDEX=name" in refusal([], None)


def test_no_label_means_every_class():
    """Without labels a hunt is over every class, in order; over many classes it must be told which."""
    names = [f"thing {number} (kind)" for number in range(MOST_BY_DEFAULT)]
    assert [right for _, right in found([], names)] == [(index,) for index in range(MOST_BY_DEFAULT)]
    assert f"has {MOST_BY_DEFAULT + 1} classes; name the labels" in refusal([], [*names, "one more"])


def target(text, *texts):
    """Give the classes of the wrong label of the targeted mode."""
    _, (known,) = resolve(texts, [Classes(classifier="it", names=tuple(NAMES))], target=text)
    return known.target


def test_the_target_is_found_as_a_label_is():
    """The wrong label of the targeted mode is found by name or by index, and is no label's own class."""
    assert target("bucket", "vase") == (5,)
    assert target("3=crane", "vase") == (3,)
    assert "did you mean 'bucket'" in refusal(["vase"], target="buckets")
    assert "the target 'Vase' is an accepted answer for the label 'vase'" in refusal(["vase"], target="Vase")
    assert "is an accepted answer for the label 'urn'" in refusal(["0|4=urn"], target="vase")


def test_a_label_that_can_never_fail_is_refused():
    """Where as many scores count as there are wrong classes and one more, nothing could ever be found."""
    assert "the label 'vase' can never fail" in refusal(["vase"], error=ConfigError, top=6)
    assert "the label 'urn' can never fail" in refusal(["4|5=urn"], error=ConfigError, top=5)
    assert found(["vase"], top=5) == [(Label("vase"), (4,))]


def test_a_class_is_called_by_its_name():
    """A class is called by its label, else by its name without the kind, else by its number."""
    assert [class_name(i, NAMES) for i in (0, 4, 6, -1)] == ["coffee mug", "Vase", "class 6", "class -1"]
    assert class_name(3, None) == "class 3"
    _, (known,) = resolve(["2=heron", "vase"], [Classes(classifier="it", names=tuple(NAMES))])
    assert [called(index, known) for index in (2, 3, 4)] == ["heron", "crane (machine)", "vase"]
    assert split_name("odd (name) (here)") == ("odd (name) (here)", "")


pieces = st.text(alphabet="ab 0129|=()-\t\n\x00é٣", max_size=12) | st.text(max_size=12) | st.sampled_from(NAMES)


@given(texts=st.lists(pieces, max_size=4), names=st.none() | st.lists(pieces, max_size=5))
def test_any_text_gives_labels_or_a_label_error(texts, names):
    """Whatever is given as labels, over whatever classes, either gives labels that hold or one of two errors."""
    try:
        labels = found(texts, names)
    except (LabelError, ConfigError):
        return
    assert len({right[0] for _, right in labels}) == len({label.name for label, _ in labels}) == len(labels)
    for label, right in labels:
        assert len(set(right)) == len(right) > 0
        assert min(right) >= 0
        assert names is None or max(right) < len(names)
        assert label.name.strip()
        assert label.name.isprintable()
    assert len(labels) == len(texts or names or ())


@given(st.integers(0, 5), st.booleans())
def test_a_label_text_resolves_to_itself(index, indexed):
    """The text of a label, with its index or without, resolves to the same label again."""
    ((label, right),) = found([NAMES[index]])
    text = f"{label.name} ({label.kind})" if label.kind else label.name
    assert found([f"{index}={text}" if indexed else text]) == [(label, right)]
    assert right == (index,)


def test_a_classifier_may_say_which_classes_are_as_good():
    """A label that lists no indices of its own is right for these too; one that does means what it says."""
    names, accepted = ["laptop", "notebook", "mug"], {0: {1}, 1: {0}}
    assert [right for _, right in found(["laptop", "mug"], names, accepted)] == [(0, 1), (2,)]
    assert [right for _, right in found(["0=laptop"], names, accepted)] == [(0,)]


# --- several classifiers ---------------------------------------------------------------------------------------------

SOME = Classes(classifier="a", names=("vase", "coffee mug (cup)"))
OTHER = Classes(classifier="b", names=("mug", "vase (vessel)", "coffee mug"))
MUTE = Classes(classifier="c")


def test_each_classifier_finds_a_label_among_its_own_classes():
    """One label, whatever its place in each classifier, with the kind that any of them knows."""
    labels, maps = resolve(["coffee mug", "vase"], [SOME, OTHER])
    assert labels == (Label("coffee mug", "cup"), Label("vase", "vessel"))
    assert [dict(one.right) for one in maps] == [{"coffee mug": (1,), "vase": (0,)}, {"coffee mug": (2,), "vase": (1,)}]
    assert [one.classifier for one in maps] == ["a", "b"]


def test_a_label_that_one_of_several_lacks_is_refused():
    """It cannot be tested for that one: one sentence."""
    with pytest.raises(LabelError, match="there is no label 'mug'"):
        resolve(["mug"], [OTHER, SOME])


def test_indices_must_mean_the_same_class_for_every_classifier():
    """An index that is another class of a classifier that knows the name is refused; one that is not known is taken."""
    with pytest.raises(LabelError, match="'1=coffee mug' names class 1, but b has 'coffee mug' as class 2"):
        resolve(["1=coffee mug"], [SOME, OTHER])
    _, maps = resolve(["1=coffee mug"], [SOME, MUTE])
    assert [one.right["coffee mug"] for one in maps] == [(1,), (1,)]
