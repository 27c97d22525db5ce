"""CLIP and SigLIP as classifiers over classes that the user names."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_clip
from foible import testing
from foible.errors import ArgumentError, PluginError
from foible.parts import registry

CLASSES = ["red cup (vessel)", "ball", "vase"]
SENTENCES = ["a photo of a red cup (vessel).", "a photo of a ball.", "a photo of a vase."]


def load(folder, **args):
    """Load a folder as a classifier."""
    return registry.load("classifier", f"transformers:{folder}", {"classes": CLASSES, **args})


def wrong(folder, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        registry.load("classifier", f"transformers:{folder}", args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@cache
def library(folder, name):
    """Load the model, its image processor and its tokenizer as the library's own documentation does."""
    import transformers

    from foible.adapters.transformers.models import quiet

    with quiet():
        return (
            getattr(transformers, name).from_pretrained(folder).eval(),
            transformers.AutoImageProcessor.from_pretrained(folder, backend="pil"),
            transformers.AutoTokenizer.from_pretrained(folder),
        )


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_it_conforms(name, tiny):
    """Real classes of both kinds, saved and loaded again, keep the promises of a classifier."""
    assert testing.check("classifier", f"transformers:{tiny(name)}", {"classes": CLASSES}, size=32) == []


@pytest.mark.parametrize(("name", "kind"), [("clip", "CLIPModel"), ("siglip", "SiglipModel")])
def test_one_template_answers_as_the_library_would(name, kind, tiny, images):
    """The model's own logits of images and sentences, through its softmax or its sigmoid, are the scores."""
    import torch

    model, processor, tokenizer = library(tiny(name), kind)
    longest = model.config.get_text_config().max_position_embeddings
    tokens = tokenizer(SENTENCES, padding="max_length", max_length=longest, truncation=True, return_tensors="pt")
    given = {key: tokens[key] for key in ("input_ids", "attention_mask")}
    with torch.no_grad():
        logits = model(**given, pixel_values=processor(images=images, return_tensors="pt")["pixel_values"])
    logits = logits.logits_per_image
    expected = logits.softmax(dim=1) if name == "clip" else logits.sigmoid()
    found = load(tiny(name)).object
    assert np.allclose(found.classify(images), expected.numpy(), atol=1e-5)
    assert found.labels == tuple(CLASSES)


@settings(deadline=None, max_examples=25)
@given(st.tuples(st.integers(2, 120), st.integers(2, 120)), st.integers(0, 2**32 - 1), st.sampled_from(["clip", "vit"]))
def test_the_input_is_that_of_the_processors_own_call(tiny, shape, seed, name):
    """Whatever the shape of an image, the network sees what the processor makes of it by itself."""
    from foible.adapters.transformers import models as shared

    image = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = shared.source(tiny(name), device="cpu")
    own = found_processor(tiny(name))
    expected = own(image)
    seen = shared.pixels(shared.image_processor(found), [image], found)[0]
    assert np.allclose(seen, expected, atol=1e-5)


@cache
def found_processor(folder):
    """Give the processor as a function of one image, from a PIL picture."""
    import transformers
    from PIL import Image

    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    return lambda image: processor(images=Image.fromarray(image), return_tensors="np")["pixel_values"][0]


def test_several_templates_are_averaged_in_the_space_of_vectors(tiny, images):
    """Each class is the mean of its sentences' vectors, scaled to length one, as in the CLIP paper."""
    templates = ["a photo of a {name}", "on grass, a {name}"]
    embedder = registry.load("embedder", f"transformers:{tiny('clip')}").object
    said = [[template.replace("{name}", word) for word in CLASSES] for template in templates]
    texts = np.mean([embedder.embed_texts(sentences) for sentences in said], axis=0)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    logits = embedder.embed(images) @ texts.T * embedder.scale[0]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.allclose(load(tiny("clip"), template=templates).object.classify(images), expected, atol=1e-5)


def test_a_thousand_classes_are_embedded_in_pieces(images, tmp_path):
    """ImageNet's names as classes: a score for each, the same as for a class that is embedded in other company."""
    folder = tiny_clip.save(tmp_path)  # which reads letters, so that no two names are the same to it
    found = load(folder, classes="imagenet").object
    assert len(found.labels) == 1000
    assert found.accepted[620] == {681}
    assert found.classify(images[:1]).shape == (1, 1000)
    alone = registry.load("embedder", f"transformers:{folder}").object
    assert np.allclose(found._texts[504], alone.embed_texts(["a photo of a coffee mug."])[0], atol=1e-5)


def test_classes_of_one_name_are_told_apart_by_their_kind(tiny, images):
    """Of two "cup"s the kind is said too, so that their scores differ."""
    twice = ["cup (ball)", "cup (vase)", "red"]
    scores = load(tiny("clip"), classes=twice).object.classify(images)
    assert np.abs(scores[:, 0] - scores[:, 1]).min() > 1e-6


def test_the_identity_covers_classes_and_templates(tiny):
    """Other classes and another template are another identity each; the same are the same."""
    first = load(tiny("clip")).identity
    assert load(tiny("clip")).identity == first
    assert load(tiny("clip"), classes=["ball", "vase"]).identity != first
    assert load(tiny("clip"), template="a {name}").identity != first


def test_a_batch_that_does_not_fit_is_halved(tiny, images):
    """When memory ends within the model, the batch is halved and every image keeps its scores."""
    import torch

    whole = load(tiny("clip")).object
    expected = whole.classify(images)
    vision = whole._embedder._model.vision_model
    seen = []

    def narrow(module, given, named):
        batch = named.get("pixel_values", given[0] if given else None)
        seen.append(len(batch))
        if len(batch) > 1:
            message = "CUDA out of memory"
            raise torch.OutOfMemoryError(message)

    vision.register_forward_pre_hook(narrow, with_kwargs=True)
    assert np.allclose(whole.classify(images), expected, atol=1e-5)
    assert seen == [3, 1, 1, 1]


def test_what_is_missing_or_too_much_is_told(tiny):
    """No classes, no template's place, classes for a model with its own, both kinds of names: a sentence each."""
    assert "give the argument classes" in wrong(tiny("clip"), ArgumentError)
    assert "one {name} in it" in wrong(tiny("clip"), ArgumentError, classes=CLASSES, template="a photo")
    assert "needs a template" in wrong(tiny("clip"), ArgumentError, classes=CLASSES, template=[])
    assert "at least one class" in wrong(tiny("clip"), ArgumentError, classes=[])
    assert "either classes" in wrong(tiny("clip"), ArgumentError, classes=CLASSES, labels=CLASSES)
    assert "reads no text" in wrong(tiny("vit"), classes=CLASSES)
    assert "has 4 outputs, but the argument labels has 3" in wrong(tiny("vit"), ArgumentError, labels=CLASSES)
