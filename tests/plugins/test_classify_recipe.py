"""What classifiers in files share: how an image becomes an input, and what classes are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from foible.adapters.shared import recipe as _images
from foible.errors import ArgumentError, PluginError


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(1, 200), st.integers(1, 200)), st.integers(2, 64),
    st.sampled_from([1.0, 0.95, 0.9, 0.875]), st.sampled_from(["bilinear", "bicubic"]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_the_recipe_is_torchvisions(shape, size, crop, interpolation, seed):
    """Whatever the shape of the image and the recipe, the input is that of torchvision's own transforms."""
    from torchvision import transforms as t

    image = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    steps = t.Compose([
        t.Resize(int(size / crop), t.InterpolationMode(interpolation)), t.CenterCrop(size), t.ToTensor(),
        t.Normalize(mean, std),
    ])  # fmt: skip
    recipe = _images.recipe("x", size=size, crop=crop, mean=mean, std=std, interpolation=interpolation)
    made = recipe.batch([image])
    assert made.shape == (1, 3, size, size)
    assert np.allclose(made[0], steps(Image.fromarray(image)).numpy(), atol=1e-5)


def test_a_range_says_what_black_and_white_become():
    """[-1, 1] and [0, 255], in either layout; whole pixels stay whole."""
    black_and_white = [np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)]
    for low, high in ((-1, 1), (0, 255)):
        for layout, shape in (("nchw", (2, 3, 4, 4)), ("nhwc", (2, 4, 4, 3))):
            made = _images.recipe("x", size=4, pixel_range=[low, high], layout=layout).batch(black_and_white)
            assert made.shape == shape
            assert np.allclose(made[0], low, atol=1e-4)
            assert np.allclose(made[1], high, atol=1e-4)
    whole = _images.recipe("x", size=4, mean=None, std=None, layout="nhwc").batch(black_and_white)
    assert whole.dtype == np.uint8
    assert np.array_equal(whole, np.stack(black_and_white))


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"size": 0}, "argument size"),
        ({"size": [1, 2, 3]}, "argument size"),
        ({"size": 9999}, "argument size"),
        ({"size": 8, "crop": 0}, "argument crop"),
        ({"size": 8, "mean": [0, 0]}, "argument mean"),
        ({"size": 8, "std": [0, 1, 1]}, "argument std"),
        ({"size": 8, "std": None}, "mean and std together"),
        ({"size": 8, "pixel_range": [1, 0]}, "argument pixel_range"),
        ({"size": 8, "layout": "chwn"}, "known: nchw, nhwc"),
        ({"size": 8, "interpolation": "lanczos"}, "known: bicubic, bilinear"),
    ],
)
def test_a_recipe_that_cannot_be_is_told(args, told):
    """One sentence each, with what is wanted."""
    with pytest.raises(ArgumentError, match=told):
        _images.recipe("x", **args)


def test_imagenets_names_are_whole_and_read_back_as_labels():
    """1,000 names in order, each of which a hunt takes as a label; classes accept each other both ways."""
    from foible.adapters.shared.names import imagenet
    from foible.labels import Classes, resolve

    found = imagenet()
    assert found.labels is not None
    assert len(found.labels) == 1000
    assert found.labels[0] == "tench (cyprinid)"
    assert found.labels[134] == "crane (wading bird)"
    assert found.labels[517] == "crane (lifting device)"
    known = Classes(classifier="it", names=tuple(found.labels), accepted=found.accepted)
    for index, text in enumerate(found.labels):
        (label,), (classes,) = resolve([text], [known])
        assert classes.right[label.name][0] == index
        assert set(classes.right[label.name]) == {index, *found.accepted.get(index, ())}
    assert all(one in found.accepted[other] for one, others in found.accepted.items() for other in others)


def test_a_background_class_moves_every_index_by_one():
    """With 1,001 outputs the first is background, and what is accepted moves along."""
    from foible.adapters.shared.names import imagenet

    plain, moved = imagenet(1000), imagenet(1001)
    assert plain.labels is not None
    assert moved.labels == ("background", *plain.labels)
    assert moved.accepted == {one + 1: {other + 1 for other in others} for one, others in plain.accepted.items()}


def test_names_from_a_file(tmp_path):
    """One class a line; of several words for one the first counts; what is no text is told."""
    from foible.adapters.shared.names import names

    (tmp_path / "names.txt").write_text("\ufefftench, Tinca tinca\ncrane\n", encoding="utf-8")
    assert names("m", 2, given=str(tmp_path / "names.txt")).labels == ("tench", "crane")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    for file in (str(tmp_path / "binary.txt"), "nowhere.txt"):
        with pytest.raises(PluginError, match="cannot be read"):
            names("m", 2, given=file)
    wrong: tuple[Any, ...] = (["cup", ""], ["cup", "a\x1bb"], ["cup", 3])
    for bad in wrong:
        with pytest.raises(ArgumentError, match="number 1"):
            names("m", 2, given=bad)


def test_names_that_are_imagenets_get_kinds_and_accepted_classes():
    """A model's own list of the same words in the same order is known for what it is; another list is left alone."""
    from foible.adapters.shared.names import imagenet, names

    words = [text.partition(" (")[0] for text in imagenet().labels]
    same = names("m", 1000, given=None, own=[f"{word.upper()}, another word" for word in words])
    assert same == imagenet()
    assert names("m", 1000, given=None, own=words[::-1]).labels == tuple(words[::-1])
    assert names("m", 1000, given=words).labels == tuple(words)
