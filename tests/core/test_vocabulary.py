"""Promises about attributes that an embedder gives by a vocabulary: found, corrected, and never taken on trust."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
import photographs
import toyworld
from foible.checks.verify import verify
from foible.diorama.vocabulary import ATTRIBUTES
from foible.errors import ConfigError, InputError
from foible.hunting.bearing import assigned
from foible.photographs import Photograph, PhotographSet, read_set
from foible.report import sentence
from foible.report.notes import assigned_sentence
from foible.vocabulary import Group, Vocabulary, read_groups

FIELDS = ("ground", "light", "texture")
WORDS = "".join(f"{field}: {', '.join(value.phrase for value in ATTRIBUTES[field])}\n" for field in FIELDS)
PHRASES = {field: {value.word: value.phrase for value in ATTRIBUTES[field]} for field in FIELDS}


@pytest.fixture(scope="module")
def taken():
    """Enough photographs for both planted bugs."""
    return photographs.scenes(160, first=2000)


@pytest.fixture(scope="module")
def mugs(taken):
    """Of these the mugs alone: one bug."""
    return [one for one in taken if one[0] == "coffee mug"]


def truth(more, every=1, number=0):
    """Give what a photograph truly shows, by the phrases, of every so many photographs."""
    return {field: PHRASES[field][more[field]] if number % every == 0 else "" for field in FIELDS}


def made(root, taken, every=0, fields=FIELDS):
    """Write a set without attributes, but for the truth of every so many photographs; and a vocabulary beside it."""
    root.mkdir()
    rows = [
        (label, image, {name: truth(more, every, at)[name] for name in fields if every})
        for at, (label, image, more) in enumerate(taken)
    ]
    source = photographs.folder(root / "set", rows, table="metadata.csv" if every else None)
    words = [line for line in WORDS.splitlines() if line.partition(":")[0] in fields]
    (root / "words.txt").write_text("\n".join(["# what may be seen", *words]), "utf-8")
    return foible.Spec(source, {"near_duplicates": False, "vocabulary": str(root / "words.txt")})


def hunt(out, source, embedder=None, classifier=None, **given):
    """Hunt over photographs with an embedder of images and texts."""
    return photographs.hunt(out, source, classifier, embedder=embedder or photographs.Joint(), **given)


def claims(run):
    """Give label and words of the confirmed findings."""
    return {(f.trial.hypothesis.label, frozenset(f.trial.hypothesis.treatment.words)) for f in run.confirmed}


MUG = ("coffee mug", frozenset({"ground=on grass"}))
PLANTED = {
    MUG,
    ("water bottle", frozenset({"light=at night", "texture=striped"})),
}


def test_a_folder_and_a_list_of_words_are_enough(taken, tmp_path):
    """Both planted bugs and no other are found; every number can be worked out again without set, words and parts."""
    source = made(tmp_path / "here", taken)
    joint, classifier = photographs.Joint(), photographs.Once()
    run = hunt(tmp_path / "run", source, joint, classifier)
    assert claims(run) == PLANTED
    for finding in run.confirmed:
        assert finding.assigned.checked_with == finding.assigned.checked_without == 0
        assert (finding.assigned.difference.low, finding.assigned.difference.high) == (-1, 1)
        assert "nobody checked" in assigned_sentence(finding)
        assert assigned_sentence(finding) in (run.folder / "findings.md").read_text("utf-8")
    (tmp_path / "here").rename(tmp_path / "gone")
    assert verify(run.folder).differences == ()
    assert claims(foible.open(run.folder)) == PLANTED


def test_a_second_hunt_asks_no_part_again(mugs, tmp_path):
    """Split otherwise and with other options, what the embedder said of images and texts is in the archive."""
    source = made(tmp_path / "here", mugs)
    joint, classifier = photographs.Joint(), photographs.Once()
    hunt(tmp_path / "one", source, joint, classifier)
    asked, shown, texts = joint.asked, classifier.shown, joint.texts
    assert asked >= 160
    assert texts > 0
    hunt(tmp_path / "two", source, joint, classifier, seed=1)
    assert (joint.asked, classifier.shown, joint.texts) == (asked, shown, texts)


class Stops(photographs.Joint):
    """Is interrupted in one call."""

    left = 0

    def embed(self, images):
        """Stop when its calls are used up."""
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return super().embed(images)


def test_an_interrupted_hunt_ends_as_one_that_was_not(mugs, tmp_path):
    """Stopped while it embeds, it goes on and writes the same bytes."""
    source = made(tmp_path / "here", mugs, every=4)
    once = hunt(tmp_path / "once" / "run", source, Stops())
    embedder = Stops()
    for left in (3, 9):
        embedder.left = left
        with pytest.raises(KeyboardInterrupt):
            hunt(tmp_path / "twice" / "run", source, embedder)
    embedder.left = 0
    again = hunt(tmp_path / "twice" / "run", source, embedder)
    assert toyworld.written(again.folder) == toyworld.written(once.folder)


def test_checked_photographs_say_how_right_the_embedder_is(mugs, tmp_path):
    """With a right embedder, all checked ones agree, and what is left of the rates holds the true ones."""
    run = hunt(tmp_path / "run", made(tmp_path / "here", mugs, every=2))
    assert claims(run) == {MUG}
    for finding in run.confirmed:
        own = finding.assigned
        assert own.right_with == own.checked_with > 0
        assert own.right_without == own.checked_without > 0
        assert own.treat.low <= 1.0 == own.treat.high
        assert own.control.low == 0.0
        assert own.difference.low > 0
        assert f"{own.right_with} of" in assigned_sentence(finding)
    assert verify(run.folder).differences == ()


class Mistaken(photographs.Joint):
    """Takes night for grass, and daylight for snow: its attributes are others than their words."""

    fingerprint = "a mistaken space"

    def embed(self, images):
        """Place images by their light where their ground should be."""
        rows = super().embed(images)
        for row, image in zip(rows, images, strict=True):
            scene = toyworld.read(image)
            for at, (field, word) in enumerate(self.values, 1):
                if field == "ground":
                    row[at] = float(word == ("grass" if scene.light == "night" else "snow"))
        return rows


class Night(toyworld.Classifier):
    """Knows no mug at night."""

    fingerprint = "knows no mug at night"

    def answer(self, scene):
        """Name what is seen."""
        return "bucket" if scene.label == "coffee mug" and scene.light == "night" else scene.label


def test_a_wrong_attribute_is_no_bug_where_somebody_checked(mugs, tmp_path):
    """Mugs at night fail, and the embedder calls night "on grass": those that were checked deny the grass."""
    run = hunt(tmp_path / "run", made(tmp_path / "here", mugs, 1, ("ground",)), Mistaken(), Night())
    (finding,) = [f for f in run if f.trial.hypothesis.about[1].words == ("ground=on grass",)]
    assert finding.verdict == "undecided"
    assert "takes something else for it" in finding.reason
    assert not run.confirmed


def test_a_wrong_attribute_that_nobody_checked_is_said_to_be_unchecked(mugs, tmp_path):
    """It is a bug of photographs that the embedder calls so, and every output says whose word that is."""
    run = hunt(tmp_path / "run", made(tmp_path / "here", mugs, 0, ("ground",)), Mistaken(), Night())
    (finding,) = run.confirmed
    for name in ("findings.md", "report.html"):
        text = (run.folder / name).read_text("utf-8")
        assert "An embedder says which photographs have the attribute" in text
    assert "coffee mug" in sentence(finding, run.result)


def test_few_checked_photographs_leave_much_open(mugs, tmp_path):
    """The interval without the embedder's errors is wide, and nothing is said against the finding."""
    run = hunt(tmp_path / "run", made(tmp_path / "here", mugs, every=40))
    assert claims(run) == {MUG}
    assert all(f.assigned.difference.low < 0.1 for f in run.confirmed)


def test_where_no_phrase_is_likely_a_photograph_is_on_neither_side(mugs, tmp_path):
    """With words that tell nothing apart, nothing is claimed."""
    source = made(tmp_path / "here", mugs)
    sure = foible.Spec(source.name, {**source.args, "sure": 1.0})
    run = hunt(tmp_path / "run", sure)
    assert not run.confirmed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must hold groups"),
        ("# nothing\n", "must hold groups"),
        ("on grass, on sand", "line 1 .* must be a group"),
        ("ground: on grass", "two phrases"),
        ("ground: on grass, On Grass", "two phrases"),
        ("ground: a, b\nground: c, d", "line 2 .* each group once"),
        ("a=b: c, d", "must be a group"),
        ("ground: on\x07grass, b", "printable"),
        ("ground: " + ", ".join(map(str, range(3000))), "at most"),
    ],
)
def test_a_vocabulary_has_a_form(text, told):
    """Anything else is one sentence with the number of the line."""
    with pytest.raises(ConfigError, match=told) as found:
        read_groups(text, "words.txt")
    assert "\n" not in str(found.value)


def test_what_a_vocabulary_needs_is_said_before_anything_is_done(taken, tmp_path):
    """An embedder that reads text, a file that can be read, columns that use the same words."""
    source = made(tmp_path / "here", taken[:60], every=1)
    with pytest.raises(ConfigError, match="there is none; name one such as CLIP"):
        photographs.hunt(tmp_path / "run", source)
    with pytest.raises(ConfigError, match="embeds images alone"):
        hunt(tmp_path / "run", source, toyworld.embed)
    (tmp_path / "other.txt").write_text("ground: grass, sand\n", "utf-8")
    wrong: dict[str, dict[str, object]] = {
        "cannot be read": {"vocabulary": str(tmp_path / "none.txt")},
        "use the same words": {"vocabulary": str(tmp_path / "other.txt")},
        "names 'wether', which is none": {"checked": {"wether": "light"}},
        "is a share from 0 to 1": {"sure": 2},
        r"a text with one \{phrase\}": {"template": "a photo"},
    }
    for told, args in wrong.items():
        with pytest.raises(InputError, match=told):
            hunt(tmp_path / "run", foible.Spec(source.name, {**source.args, **args}))
    assert not (tmp_path / "run").exists()


@given(
    st.lists(st.lists(st.floats(-1, 1), min_size=3, max_size=3), min_size=1, max_size=8),
    st.floats(0, 1),
    st.floats(0.5, 50),
)
def test_each_group_gives_one_phrase_or_leaves_all_open(rows, sure, factor):
    """Of every group, and whoever else is asked about."""
    words = Vocabulary(
        groups=(Group(name="a", phrases=("x", "y")), Group(name="b", phrases=("x", "y", "z"))), sure=sure
    )
    texts = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0], [0.8, 0, 0.6]], float)
    images = np.array(rows, np.float32)
    found = assigned(images, factor, texts, words)
    assert found == [assigned(image[None], factor, texts, words)[0] for image in images]
    for has, open_ in found:
        for group in words.groups:
            own = {group.attribute(phrase) for phrase in group.phrases}
            assert (len(has & own), len(open_ & own)) in {(1, 0), (0, len(own))}


@given(st.lists(st.text(min_size=1, max_size=8), max_size=4), st.floats(0, 1))
def test_a_set_with_a_vocabulary_is_read_as_it_was_written(told, sure):
    """Words, template and truth survive, and belong to what the set is."""
    words = Vocabulary(groups=(Group(name="a", phrases=("x", "y")),), sure=sure)
    photograph = Photograph(place="p", image="i", label="n", truth=tuple(told))
    found = PhotographSet(photographs=(photograph,), vocabulary=words)
    assert read_set(list(found.lines())) == found
    assert found.digest != PhotographSet(photographs=(photograph,)).digest
