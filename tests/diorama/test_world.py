"""What the diorama promises about scenes and pictures."""

import hashlib
import random
from dataclasses import asdict, replace

import numpy as np
import pytest

from foible.diorama.generator import WORLD_VERSION, DioramaGenerator
from foible.diorama.render import render
from foible.diorama.scene import Scene, caption, full_caption, imagine
from foible.diorama.vocabulary import ATTRIBUTES, DEFAULTS, LABELS, phrase, words
from foible.errors import ArgumentError

FIELDS = {"label": tuple(label.name for label in LABELS), **{name: words(name) for name in ATTRIBUTES}}


def test_a_batch_in_any_order_draws_the_same_bytes_as_one_at_a_time():
    """A draw depends on its prompt, seed and size, never on what is drawn beside it."""
    seeds = list(range(37))
    prompts = [f"a {LABELS[seed % 12].name}" for seed in seeds]
    generator = DioramaGenerator(64)
    together = generator.draw(prompts, seeds)
    order = random.Random(5).sample(seeds, len(seeds))
    shuffled = generator.draw([prompts[k] for k in order], [seeds[k] for k in order])
    for place, k in enumerate(order):
        alone = DioramaGenerator(64).draw([prompts[k]], [seeds[k]])[0]
        assert alone.image.tobytes() == together[k].image.tobytes() == shuffled[place].image.tobytes()


def test_this_version_of_the_world_draws_the_pixels_it_always_drew():
    """Models are trained on these pixels: whoever changes them raises WORLD_VERSION and pins the new ones."""
    digest = hashlib.sha256()
    for size, count in ((64, 36), (192, 4)):
        for drawn in DioramaGenerator(size).draw([""] * count, range(count)):
            digest.update(drawn.image.tobytes())
    assert (WORLD_VERSION, digest.hexdigest()[:16]) == (1, "f4fbac10a5eb42fd")


@pytest.mark.parametrize("size", [64, 65, 100, 192, 256])
def test_images_have_the_size_that_was_asked_for(size):
    """Any size from 64 to 256 draws a square of bytes."""
    image = DioramaGenerator(size).draw(["a teapot"], [1])[0].image
    assert image.shape == (size, size, 3)
    assert image.dtype == np.uint8


@pytest.mark.parametrize("size", [63, 257, 0, -64, 64.0, True, "64"])
def test_other_sizes_are_refused_in_one_sentence(size):
    """A size outside 64 to 256 is an ArgumentError that says what is wanted and what came."""
    with pytest.raises(ArgumentError, match=f"64 to 256 pixels, got {size!r}"):
        DioramaGenerator(size)


def test_prompts_and_seeds_must_be_equally_many():
    """Two prompts and one seed are refused, not broadcast."""
    with pytest.raises(ArgumentError, match="one seed per prompt"):
        DioramaGenerator().draw(["a vase", "a vase"], [1])


def test_nothing_asked_is_nothing_drawn():
    """An empty batch gives an empty list."""
    assert DioramaGenerator().draw([], []) == []


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_saying_one_thing_more_changes_that_thing_alone(attribute):
    """With and without a phrase on the same seed, every other attribute stays as it was."""
    for seed in range(40):
        before = imagine("a realistic photograph of a vase (jar)", seed).scene
        for word in words(attribute):
            after = imagine(f"a realistic photograph of a vase (jar), {phrase(attribute, word)}", seed).scene
            assert after == replace(before, **{attribute: word})


def test_naming_an_object_changes_the_object_alone():
    """An unnamed object is chosen by the seed, and naming one leaves the rest of the scene."""
    for seed in range(40):
        assert imagine("a bucket", seed).scene == replace(imagine("", seed).scene, label="bucket")


def test_every_value_is_imagined_about_as_often_as_it_should_be():
    """Unsaid values are uniform, but for light, weather and companion, which have their odds."""
    scenes = [imagine("", seed).scene for seed in range(3000)]
    odds = {
        "light": {"daylight": 0.4, "sunset": 0.3, "night": 0.3},
        "weather": {"clear": 0.5, "fog": 0.25, "rain": 0.25},
        "companion": {"none": 0.6, "box": 0.2, "cone": 0.2},
    }
    for field, values in FIELDS.items():
        for word in values:
            share = sum(getattr(scene, field) == word for scene in scenes) / len(scenes)
            assert share == pytest.approx(odds.get(field, {}).get(word, 1 / len(values)), abs=0.035)


@pytest.mark.parametrize("field", FIELDS)
def test_every_value_shows(field):
    """Changing any one value of a scene changes its pixels, also in the dark, far away and in fog."""
    plain = Scene("teapot", "red", "plain", "grass", "daylight", "clear", "eye level", "middle", "none")
    murky = replace(plain, light="night", weather="fog", distance="far", colour="black")
    for scene in (plain, murky):
        scenes = [replace(scene, **{field: word}) for word in FIELDS[field]]
        images = render(scenes, [7] * len(scenes), 64)
        assert len({image.tobytes() for image in images}) == len(scenes)


def test_the_full_caption_gives_the_scene_back_on_any_seed():
    """Everything a full caption says is understood, and it says everything."""
    for seed in range(300):
        scene = imagine("", seed).scene
        heard = imagine(full_caption(scene), seed + 99_991)
        assert heard.scene == scene
        assert heard.ignored == ()


def test_the_short_caption_says_all_but_what_goes_without_saying():
    """A short caption sets what it says; what it leaves out are the defaults."""
    for seed in range(300):
        scene = imagine("", seed).scene
        heard = imagine(caption(scene), seed + 77).scene
        for field, word in asdict(scene).items():
            assert getattr(heard, field) == word or DEFAULTS.get(field) == word


def test_captions_are_controlled_english():
    """The order of words is fixed and the article is right."""
    scene = Scene("coffee mug", "red", "striped", "grass", "night", "fog", "above", "far", "box")
    assert caption(scene) == "a red striped coffee mug on grass at night in fog, from above, far away, beside a box"
    bare = Scene("vase", "orange", "plain", "sand", "daylight", "clear", "eye level", "middle", "none")
    assert caption(bare) == "an orange vase on sand in daylight"
    assert full_caption(bare) == (
        "an orange plain vase on sand in daylight in clear weather, at eye level, at medium distance, alone"
    )


def test_seeds_are_any_integers():
    """Negative and enormous seeds draw, and differ."""
    images = render([imagine("a vase on wood", 1).scene] * 3, [-1, 0, 10**30], 64)
    assert len({image.tobytes() for image in images}) == 3


def test_ignored_words_travel_with_the_image():
    """What means nothing here is reported beside the picture that it did not change."""
    plain, odd = DioramaGenerator().draw(["a vase", "a baroque vase"], [3, 3])
    assert odd.ignored == ("baroque",)
    assert plain.ignored == ()
    assert odd.image.tobytes() == plain.image.tobytes()
