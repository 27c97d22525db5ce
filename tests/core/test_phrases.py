"""Promises of cutting captions: any text gives a few short phrases that can be said again and name nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.diorama.scene import caption, imagine
from foible.diorama.vocabulary import ATTRIBUTES, LABELS
from foible.stages.phrases import LONGEST, WIDEST, cut, is_modifier, opening

NAMES = ["coffee mug", "bucket", "dog", "fly", "cat", "water bottle", "table lamp", "mixing bowl", "ping-pong ball"]

CAPTIONS = {
    # as GIT, BLIP and ViT-GPT2 write them
    "a close up of a fly on a leaf": ("on a leaf",),
    "a coffee mug sitting on top of a wooden table": ("on top of a wooden table",),
    "a black and white photo of a dog": ("black and white",),
    "arafed dog with a red collar": ("with a red collar",),
    "there is a dog that is laying on the ground": ("on the ground",),
    "a man holding a coffee mug in his hand": ("in his hand",),
    "a person is holding a water bottle in front of a window": ("in front of a window",),
    "a blue and white striped coffee mug on a wooden table next to a book": (
        "blue and white",
        "striped",
        "on a wooden table",
        "next to a book",
    ),
    "the coffee mug is on the table": ("on the table",),
    "a dog wearing a hat and sunglasses on a beach at sunset": (
        "wearing a hat and sunglasses",
        "on a beach",
        "at sunset",
    ),
    "an image of a table lamp in the dark": ("in the dark",),
    "a photo of a yellow water bottle in the snow": ("yellow", "in the snow"),
    "a bunch of coffee mugs hanging on a wall": ("bunch", "hanging", "on a wall"),
    "two dogs are playing in the grass": ("two", "playing", "in the grass"),
    "a blurry photo of a dog in the rain at night": ("blurry", "in the rain", "at night"),
    "a small bird perched on a branch of a tree": ("small", "bird", "on a branch of a tree"),
    "on grass, a coffee mug": ("on grass",),
    "a street at night with a dog in the foreground": ("at night", "in the foreground"),
    "cat sitting on a couch next to a window with a view of the city": (
        "on a couch",
        "next to a window",
        "with a view of the city",
    ),
    "a ping-pong ball from above": ("from above",),
    "an aerial view of a coffee mug": ("aerial",),
    "a bucket full of water": ("full of water",),
    "COFFEE MUG ON GRASS": ("on grass",),
    "a coffee mug on a table beside two buckets": ("on a table",),
    "a dog, a cat and a bird": ("a bird",),
    "dog": (),
    "": (),
    "...": (),
    "of of of": (),
}


@pytest.mark.parametrize(("text", "phrases"), CAPTIONS.items())
def test_a_caption_is_cut_into_what_is_said_of_its_object(text, phrases):
    """Captions as real captioners write them give modifiers, places and what stands beside, without the object."""
    assert cut(text, NAMES) == phrases


@given(st.integers(0, 2**32 - 1), st.sampled_from(LABELS))
def test_every_caption_of_the_embedded_world_comes_apart_into_its_attributes(seed, label):
    """A caption in the diorama's language gives exactly the phrases of the scene, whatever its label."""
    scene = imagine(f"a {label.name}", seed).scene
    said = {
        value.phrase for field, values in ATTRIBUTES.items() for value in values if value.word == getattr(scene, field)
    }
    found = cut(caption(scene), [one.name for one in LABELS])
    assert set(found) <= said
    assert len(found) >= len(said) - 5  # what goes without saying is left out of the caption


SMALL_WORDS = "a an the and with in on at from of to above next front there is are that photo view red big ( ) , . ;"
words = st.sampled_from([*NAMES, *SMALL_WORDS.split()])
texts = st.text(max_size=200) | st.lists(words, max_size=40).map(" ".join)


@given(text=texts, names=st.lists(st.text(max_size=12) | st.sampled_from(NAMES), max_size=6))
def test_any_caption_gives_short_phrases_that_name_nothing(text, names):
    """Any text gives phrases in lower case, each once, short, of words alone; none names any of the names."""
    phrases = cut(text, names)
    assert len(set(phrases)) == len(phrases)
    for phrase in phrases:
        assert phrase == phrase.lower().strip()
        assert 0 < len(phrase.split()) <= LONGEST
        assert len(phrase) <= WIDEST
        assert not set(phrase) & set(',;:.()<>&"\n\t')
        for name in (" ".join(name.lower().split()) for name in names if re.fullmatch(r"[^\W_]+(?: [^\W_]+)*", name)):
            assert re.search(rf"(?<!\w){name}(?:s|es)?(?!\w)", phrase) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    ["a red dog on grass, ", "sitting ", "on ", "a", "a ", "in the middle ", "((", "coffee ", "dog ", "é-", "' "],
)
def test_a_caption_of_10_000_characters_is_no_trouble(piece):
    """A caption of 10,000 characters, or four times that, is cut without growing beyond all patience."""
    for length in (10_000, 40_000):
        phrases = cut(piece * (length // len(piece)), NAMES)
        assert all(len(phrase) <= WIDEST for phrase in phrases)


def test_phrases_know_their_kind():
    """A single word is a modifier; a phrase with a preposition opens with it, compounds included."""
    assert is_modifier("striped")
    assert is_modifier("black and white")
    assert not is_modifier("on sand and")
    assert not is_modifier("full of water")
    assert not is_modifier("on grass")
    assert not is_modifier("inside")
    assert [opening(p) for p in ("on grass", "next to a box", "striped", "", "far away", "in front of a box")] == [
        "on",
        "next to",
        "",
        "",
        "",
        "in front of",
    ]
