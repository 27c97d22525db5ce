"""Real photographs found by text: which one a prompt and a seed give, and what a hostile folder can do."""

from __future__ import annotations

import logging
import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import openai_server
from foible import testing
from foible.checks.doctor import examine
from foible.checks.forecast import plan
from foible.config import HuntConfig
from foible.errors import ArgumentError, PluginError
from foible.parts import asking as wrappers
from foible.parts import registry

PROMPT = "a photo of a red cup"
PHOTOS = 12


@pytest.fixture
def photos(tmp_path):
    """A folder of twelve photographs of flat colours and odd shapes, in two folders."""
    dice = np.random.default_rng(0)
    folder = tmp_path / "photos"
    (folder / "deep" / "er").mkdir(parents=True)
    for number in range(PHOTOS):
        pixels = np.kron(dice.integers(0, 256, (4, 5, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
        Image.fromarray(pixels).save((folder if number % 2 else folder / "deep" / "er") / f"{number}.png")
    return folder


@pytest.fixture
def load(photos, tiny, tmp_path):
    """Give a function that loads the folder by its spec."""

    def loaded(folder=photos, **args):
        shared = {"embedder": tiny("clip"), "cache": str(tmp_path / "cache"), "size": 32}
        return registry.load("generator", f"folder:{folder}", {**shared, **args})

    return loaded


def test_it_conforms(photos, tiny, tmp_path):
    """The same prompt and seed give the same photograph, alone or in a batch, in any order."""
    args = {"embedder": tiny("clip"), "cache": str(tmp_path / "cache"), "size": 32}
    assert testing.check("generator", f"folder:{photos}", args) == []


def test_the_nearest_photographs_are_those_of_the_embedder(photos, tiny, load):
    """With `top` 1 the photograph is the one whose vector, made by hand, has the largest cosine with the text's."""
    embedder = registry.load("embedder", f"transformers:{tiny('clip')}").object
    files = sorted(photos.rglob("*.png"))
    images = [np.asarray(Image.open(file)) for file in files]
    part = load(top=1).object
    for prompt in (PROMPT, "blue vase on grass", "ball"):
        cosines = embedder.embed(images) @ embedder.embed_texts([prompt])[0]
        best = images[int(cosines.argmax())]
        (found,) = part.draw([prompt], [7])
        edge = 4  # the middle of a 40x32 photograph, cut to 32x32
        assert np.array_equal(found, best[:, edge : edge + 32])


@pytest.mark.slow
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=st.integers(1, PHOTOS))
def test_a_seed_chooses_without_bias(top, load):
    """Over 600 seeds each of the `top` photographs comes up about as often as the others, and no other comes up."""
    part = load(top=top, odds=1e12).object
    images = part.draw([PROMPT] * 600, range(600))
    counts = Counter(image.tobytes() for image in images)
    assert len(counts) == top
    expected = 600 / top
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 40  # chi-square, 11 degrees: p < 1e-4


def test_vectors_are_made_once(load, monkeypatch, tiny):
    """A second load embeds nothing; a new photograph costs one; another embedder costs all."""
    from foible.adapters.transformers.embedder import TransformersEmbedder as Embedder

    asked = []
    plain = Embedder.embed

    def embed(self, images):
        asked.append(len(images))
        return plain(self, images)

    monkeypatch.setattr(Embedder, "embed", embed)
    first = load()
    assert load().identity == first.identity
    assert sum(asked) == PHOTOS
    load(embedder=tiny("siglip"))
    assert sum(asked) == 2 * PHOTOS


def test_a_torn_cache_is_made_anew(load, tmp_path):
    """Rubbish where the vectors were changes nothing."""
    before = load().object.draw([PROMPT], [0])[0]
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(b"PK rubbish")
    assert np.array_equal(load().object.draw([PROMPT], [0])[0], before)


def test_broken_files_and_links_are_left_out_and_counted_once(photos, load, tmp_path, caplog):
    """Half a PNG, text, a bomb, a link out of the folder, a pipe: one note, and the other photographs are found."""
    clean = load().identity["fingerprint"]
    whole = (photos / "1.png").read_bytes()
    (photos / "half.png").write_bytes(whole[: len(whole) // 2])
    (photos / "text.JPG").write_text("no image")
    (photos / "bomb.png").write_bytes(openai_server.bomb())
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (photos / "link.png").symlink_to(tmp_path / "secret.png")
    (photos / "out").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(photos / "pipe.png")
    (photos / "readme.txt").write_text("passed over")
    with caplog.at_level(logging.WARNING):
        part = load()
    assert part.identity["fingerprint"] == clean
    assert part.identity["args"]["photographs"] == PHOTOS
    (record,) = caplog.records
    assert record.getMessage() == (
        f"images in {photos} were left out: 3 damaged, too large, or no images; 1 links that lead out of it, or "
        "nowhere; 1 links to folders, which are not followed; 1 not to be opened, or larger than 128 MiB"
    )


def test_the_identity_is_of_the_content(photos, load):
    """Another name or a copy changes nothing; another photograph does."""
    before = load().identity["fingerprint"]
    (photos / "1.png").rename(photos / "other name.png")
    (photos / "copy.png").write_bytes((photos / "3.png").read_bytes())
    assert load().identity["fingerprint"] == before
    Image.new("RGB", (9, 9)).save(photos / "new.png")
    assert load().identity["fingerprint"] != before


def test_a_photograph_that_changed_or_went_is_no_image(photos, load):
    """After the folder was read: each is a fault of that draw."""
    part = load(top=1)
    images = {file: np.asarray(Image.open(file))[:, 4:36] for file in photos.rglob("*.png")}
    found = part.object.draw([PROMPT], [0])[0]
    (file,) = (file for file, image in images.items() if np.array_equal(image, found))
    Image.new("RGB", (9, 9)).save(file)
    assert "has changed" in wrappers.ask_generator(part, [PROMPT], [0])[0].reason
    file.unlink()
    assert "has gone" in wrappers.ask_generator(part, [PROMPT], [0])[0].reason


def test_what_cannot_be_is_one_sentence(tmp_path, load, tiny):
    """No folder, a file, no image, an embedder of images alone, numbers that cannot be."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").write_text("mine")
    for error, told, args in [
        (PluginError, "there is no folder", {"folder": tmp_path / "none"}),
        (PluginError, "holds no image that can be read, by names that end in", {"folder": tmp_path / "empty"}),
        (PluginError, "embeds images alone", {"embedder": tiny("vit")}),
        (PluginError, r"is a file; to draw photographs, name the folder", {"folder": tmp_path / "note.txt"}),
        (ArgumentError, "top", {"top": 0}),
        (ArgumentError, "odds .* is a number from 1 up, but got 0.5", {"odds": 0.5}),
        (ArgumentError, "size", {"size": True}),
    ]:
        with pytest.raises(error, match=told):
            load(**args)


def test_plan_and_doctor_say_how_many_fit(photos, tiny, tmp_path, load):
    """Before a hunt the user reads how many photographs fit the prompt of each label, the fewest first."""
    args = {"embedder": tiny("clip"), "cache": str(tmp_path / "cache"), "size": 32, "odds": 1.2}
    labels = ["red", "green", "blue"]
    prompts = [f"a realistic photograph of a {label}" for label in labels]
    counts = dict(zip(labels, load(odds=1.2).object.fitting(prompts), strict=True))
    named = ", ".join(f"{counts[label]} for {label!r}" for label in sorted(labels, key=lambda one: (counts[one], one)))
    assert all(1 <= count <= PHOTOS for count in counts.values())
    told = f"photographs that fit the prompt of a label: {named}; its draws show no more different images than these"
    spec = f"folder:{photos}"
    (checkup,) = examine([("generator", spec, args)], labels)
    assert told in checkup.note
    trivial = {"classifier": "ColourClassifier", "captioner": "ConstantCaptioner", "embedder": "MeanEmbedder"}
    parts = {kind: {"spec": f"python:foible.testing:{name}"} for kind, name in {**trivial, "judge": "YesJudge"}.items()}
    found = plan(HuntConfig(generator={"spec": spec, "args": args}, labels=labels, **parts))
    assert told in found.notes
    (drawn,) = examine([("generator", "python:foible.testing:NoiseGenerator", {})], labels)
    assert drawn.note == ""
