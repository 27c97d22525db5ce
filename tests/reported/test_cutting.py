"""Reported faults of cutting captions into phrases."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.search.naming import Names, prepared, words_of
from foible.search.phrases import LONGEST, MOST, WIDEST, cut

NAMES = ["coffee mug", "mug", "ping-pong ball", "ball", "pong", "dog", "box", "crane (bird)", "crème brûlée", "", "("]
SMALL_WORDS = "a an the on of and with texture is it mugs boxes balls ping-pong pong-ball red crane bird dog's . , ( )"
WORDS = SMALL_WORDS.split()
names = st.lists(st.sampled_from(NAMES) | st.text("ab é-'_.(", max_size=6), max_size=8)
captions = st.lists(st.sampled_from([*NAMES, *WORDS]), max_size=25).map(" ".join) | st.text("ab é-'_.(", max_size=40)


def slow_forms(given_names):
    """Give what is looked for, one text for each name and ending, the longest name first."""
    for name in sorted(given_names, key=lambda n: (-len(n), n)):
        words = words_of(name)
        yield from ([*words[:-1], words[-1] + ending] for ending in ("", "s", "es") if words)


def slow_find(words, given_names):
    """Find the first name by trying each at each place."""
    for at in range(len(words)):
        for form in slow_forms(given_names):
            if words[at : at + len(form)] == form:
                return at, len(form)
    return None


def slow_said(phrase, given_names):
    """Look for each name by a regular expression of its own."""
    patterns = (rf"(?<!\w){re.escape(' '.join(form))}(?!\w)" for form in slow_forms(given_names))
    return any(re.search(pattern, phrase) for pattern in patterns)


@given(caption=captions, given_names=names)
def test_names_are_found_as_by_trying_each(caption, given_names):
    """Looking all names up at once finds what trying one after the other finds, in a caption and in a phrase."""
    words = words_of(caption)
    phrase = " ".join(word for word in words if word not in set(",;:.()"))
    assert Names(given_names).find(words) == slow_find(words, given_names)
    assert Names(given_names).said_in(phrase) == slow_said(phrase, given_names)


class Counted(list):
    """Words that count how often one of them is read."""

    reads = 0

    def __getitem__(self, at):
        """Read a word."""
        self.reads += 1
        return super().__getitem__(at)


def test_a_thousand_names_take_no_more_steps_than_ten():
    """A caption is read as often with 1,000 names as with 10, and the same names are prepared once."""
    reads = []
    for count in (10, 1000):
        words = Counted(words_of("a red thing on grass near a thing 12345, striped, at night"))
        assert Names(f"thing {number:05}" for number in range(count)).find(words) is None
        reads.append(words.reads)
    assert reads[0] == reads[1]
    assert prepared(("a", "b")) is prepared(("a", "b"))


@pytest.mark.parametrize(
    ("caption", "phrases"),
    [
        ("a cat with the texture of an elephant", ("with the texture of an elephant",)),
        ("a cat with elephant skin next to an elephant", ("with elephant skin",)),
        ("a cat made entirely of red and blue glass", ("made entirely of red and blue glass",)),
        ("a black and white photo of a cat in black and white", ("black and white", "in black and white")),
        ("a cat with red and blue stripes", ("with red and blue stripes",)),
        ("a cat next to a plate and a fork", ("next to a plate", "next to a fork")),
        ("a cat between a cup and a plate", ("between a cup and a plate",)),
        ("a cat on a beach and the sun is low", ("on a beach", "the sun is low")),
        ("a cat on grass and looking at the camera", ("on grass", "looking at the camera")),
        ("a cat with trees and elephants", ("with trees",)),
        ("a cat with a very large orange and white striped umbrella", ("with an orange and white striped umbrella",)),
        ("an elephant-textured cat from behind", ("elephant-textured", "from behind")),
        ("a cat in the style of an elephant, seen from below", ("in the style of an elephant", "from below")),
        ("a cat beside an elephant-sized elephant", ()),
        ("a cat with the rough wrinkled texture of an old elephant", ("with the texture of an old elephant",)),
    ],
)
def test_grammar_is_kept(caption, phrases):
    """What "and", "of" and a texture hold together is one phrase, though it says the wrong class."""
    assert cut(caption, ["cat", "elephant"]) == phrases


def test_only_names_of_the_object_are_not_said():
    """Another class may be said in a phrase, and be the object where neither true nor wrong name is."""
    assert cut("a cup on a table next to a bucket", ["mug", "vase"], ["table", "bucket", "cup"]) == (
        "on a table",
        "next to a bucket",
    )
    assert cut("a tea towel on a table", ["mug"], ["tea towel", "table"]) == ("on a table",)
    assert cut("a mug on a table next to a vase", ["mug", "vase"], ["table"]) == ("on a table",)
    assert cut("a mug on a table next to a vase", ["mug", "vase", "table"]) == ()


LONG = """Sure! Here is a description:

The image shows a **coffee mug** on a wooden table. The mug is white with a blue stripe and sits on a saucer. It has
a large handle. In the background, there is a window with sunlight streaming through it. The sky is blue."""


def test_a_caption_of_several_sentences_gives_phrases():
    """What a chat model says of the object in later sentences is phrases, without "the mug is"."""
    assert cut(LONG, ["coffee mug", "bucket"]) == (
        "on a wooden table",
        "white",
        "with a blue stripe",
        "on a saucer",
        "with a large handle",
        "in the background",
        "with a window",
        "with sunlight streaming",
        "blue sky",
    )
    assert cut("In this image, we can see a dog in the rain. Its fur is brown and white.", ["dog"]) == (
        "in the rain",
        "brown and white fur",
    )


def test_a_name_is_found_however_it_is_composed():
    """A name with decomposed letters or a joiner inside is the word that it looks like."""
    assert cut("a cre\u0300me bru\u0302le\u0301e on grass", ["crème brûlée"]) == ("on grass",)
    assert cut("a dog on grass", ["d\u200dog"]) == ("on grass",)


@given(
    caption=st.lists(st.sampled_from([*NAMES, *WORDS, "made", "between", "there", "has", "image", "shows"])).map(
        " ".join
    ),
    given_names=names,
    others=names,
)
def test_any_caption_gives_phrases_within_the_limits(caption, given_names, others):
    """Any text gives at most so many short phrases; a name is said by those alone that tell of a surface."""
    found = cut(caption, given_names, others)
    assert len(set(found)) == len(found) <= MOST
    for phrase in found:
        assert 0 < len(phrase.split()) <= LONGEST
        assert len(phrase) <= WIDEST
        assert phrase == " ".join(phrase.split())
        assert "texture" in phrase or not slow_said(phrase, given_names)
