"""The diffusion pipeline that ships: it loads offline, draws what is asked for, and refuses what it was never shown."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foible.diorama.grammar import parse
from foible.diorama.models import PIPELINE, weights
from foible.diorama.narrow import FIXED, OPEN, hear
from foible.diorama.vocabulary import ATTRIBUTES, LABELS, phrase
from foible.errors import ConfigError, LabelError, PartError
from foible.parts import registry
from foible.parts.fitting import refuse_other_worlds, refuse_other_worlds_by_spec, refuse_undrawable
from foible.records import Label

pytest.importorskip("diffusers")


@cache
def generator():
    """The pipeline, by the name that a user gives."""
    return registry.load("generator", "diffusers:diorama")


def draw(prompts, seeds):
    """What the pipeline gives, as it gives it."""
    return generator().object.draw(prompts, seeds)


LABEL = st.sampled_from([label.name for label in LABELS])
SAID = st.fixed_dictionaries({}, optional={name: st.sampled_from(words) for name, words in OPEN.items()})


@given(LABEL, SAID)
def test_a_request_inside_its_world_is_heard_whole(label, said):
    """Whatever it says of colour, ground and light is in the text that the pipeline is given, and nothing else is."""
    text = f"a realistic photograph of a {said.get('colour', '')} {label}, " + ", ".join(
        phrase(name, word) for name, word in said.items() if name != "colour"
    )
    heard = hear(text)
    assert not isinstance(heard, PartError)
    assert parse(heard[0]).attributes == said
    assert parse(heard[0]).label == label


@given(st.text(max_size=80))
def test_any_text_is_heard_or_refused(text):
    """No text makes it fail; what is heard names an object."""
    heard = hear(text)
    assert isinstance(heard, PartError) or parse(heard[0]).label is not None


@given(LABEL, st.sampled_from([(name, value) for name, values in ATTRIBUTES.items() for value in values]))
def test_what_it_was_never_shown_is_refused_by_name(label, pair):
    """A value outside the narrow world is refused in a sentence that says which and what is known instead."""
    name, value = pair
    heard = hear(f"a {label}, {value.phrase}")
    known = OPEN.get(name) or (FIXED[name],)
    assert isinstance(heard, PartError) == (value.word not in known)
    if isinstance(heard, PartError):
        assert value.phrase in str(heard)
        assert phrase(name, known[0]) in str(heard)


def test_the_same_seed_gives_the_same_pixels_alone_and_among_others():
    """An image hangs on its own prompt and seed: not on its place, beyond the last bit of a pixel, nor on the run."""
    prompts = ["a red vase on grass in daylight", "a blue barrel on snow at night", "a teapot"]
    first, second = draw(prompts, [3, 4, 5]), draw(prompts, [3, 4, 5])
    alone = draw(prompts[1:2], [4])[0]
    other = draw(prompts[1:2], [6])[0]
    assert all(np.array_equal(one.image, two.image) for one, two in zip(first, second, strict=True))
    assert np.abs(alone.image.astype(int) - first[1].image).max() <= 1
    assert np.abs(alone.image.astype(int) - other.image).max() > 30


def test_what_is_fixed_changes_nothing_and_idle_words_are_told():
    """What all its images show may be said; words that mean nothing to it are handed back, as the renderer does."""
    plain, wordy = draw(["a red vase on grass", "a plain red flower vase on grass, close up, of dubious taste"], [7, 7])
    assert np.abs(plain.image.astype(int) - wordy.image).max() <= 1
    assert not plain.ignored
    assert wordy.ignored == ("dubious", "taste")


def test_a_request_outside_its_world_stands_as_a_sentence_among_drawn_ones():
    """It is not drawn as something else, and the others of its batch are drawn all the same."""
    drawn = draw(["a red vase", "a zebra", "a vase in fog", "a candle on sand"], [1, 2, 3, 4])
    assert [isinstance(one, PartError) for one in drawn] == [False, True, True, False]
    assert "names none of the 12 objects" in str(drawn[1])
    assert "in fog" in str(drawn[2])


def test_a_label_that_it_cannot_draw_is_refused_before_anything_is_drawn():
    """A hunt says so at its start, with the objects that there are."""
    refuse_undrawable(generator(), [Label(name="coffee mug"), Label(name="flower vase")])
    with pytest.raises(LabelError, match="cannot draw 'zebra', but"):
        refuse_undrawable(generator(), [Label(name="zebra")])


def test_its_images_are_of_the_world_that_the_diorama_models_know():
    """The default captioner, embedder and judge may look at them; at those of any other pipeline they may not."""
    looking = {"captioner": "diorama:captioner", "embedder": "diorama:embedder", "judge": "diorama:judge"}
    refuse_other_worlds_by_spec({"generator": "diffusers:diorama", **looking})
    refuse_other_worlds([generator(), registry.load("judge", "diorama:judge")])
    with pytest.raises(ConfigError, match="do not know"):
        refuse_other_worlds_by_spec({"generator": "diffusers:elsewhere", **looking})


def test_it_draws_what_it_is_asked_for():
    """The reference classifier names the label of four draws in five at least, on prompts with everything said."""
    names = [label.name for label in LABELS]
    grounds, lights, colours = OPEN["ground"], OPEN["light"], OPEN["colour"]
    prompts = [
        f"a {colours[(place * 5 + turn) % 8]} {name} {phrase('ground', grounds[(place + turn) % 4])} "
        + phrase("light", lights[turn % 2])
        for turn in range(4)
        for place, name in enumerate(names)
    ]
    images = [one.image for one in draw(prompts, range(len(prompts)))]
    scores = registry.load("classifier", "diorama:reference").object.classify(images)
    named = np.argmax(np.asarray(scores), axis=1) == np.arange(len(prompts)) % len(names)
    assert named.mean() >= 0.8


def test_its_weights_are_small_and_readable_by_all():
    """With those of all other models they are 25 MB at most, as safetensors, and a wheel takes them with it."""
    files = list(weights(PIPELINE).parent.rglob("*.safetensors"))
    assert weights(PIPELINE) / "unet" / "diffusion_pytorch_model.safetensors" in files
    assert sum(file.stat().st_size for file in files) <= 25e6
    assert all(file.stat().st_mode & 0o044 == 0o044 for file in files)
