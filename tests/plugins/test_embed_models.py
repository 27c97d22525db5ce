"""Embedders over real classes of transformers and timm: they answer as the library does, and keep their promises."""

from __future__ import annotations

import numpy as np
import pytest

from foible import testing
from foible.errors import PluginError
from foible.parts import registry


def load(folder, family="transformers", **args):
    """Load a folder as embedder."""
    return registry.load("embedder", f"{family}:{folder}", args).object


def unit(vectors):
    """Scale rows to length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def timm_folder(tmp_path_factory):
    """A tiny model as timm saves it for the hub."""
    timm = pytest.importorskip("timm", exc_type=ImportError)
    import torch

    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = timm.create_model("test_vit", pretrained=False, num_classes=3).eval()
    folder = tmp_path_factory.mktemp("timm") / "model"
    timm.models.save_for_hf(model, folder, safe_serialization=True)
    return folder


def test_timm_conforms(timm_folder):
    """A real model, saved and loaded again without its head, keeps the promises of an embedder."""
    assert testing.check("embedder", f"timm:{timm_folder}") == []


def test_timm_gives_the_features_before_the_head(timm_folder, images):
    """The vectors are timm's own, of a model with no classes and its own transform, scaled to length 1."""
    import timm
    import torch
    from PIL import Image

    model = timm.create_model(f"local-dir:{timm_folder}", pretrained=True, num_classes=0).eval()
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model), is_training=False)
    with torch.no_grad():
        expected = model(torch.stack([transform(Image.fromarray(image)) for image in images])).numpy()
    vectors = load(timm_folder, "timm").embed(images)
    assert vectors.shape == (3, model.num_features)
    assert np.allclose(vectors, unit(expected), atol=1e-5)


def test_siglip_joins_images_and_texts_as_the_library_does(tiny, images):
    """Cosines between the two are those of the model's own forward pass, which scales and shifts them."""
    import torch
    from transformers import AutoModel, AutoProcessor

    from foible.adapters.transformers.models import quiet

    embedder = load(tiny("siglip"))
    texts = ["a photo of a red cup", "a ball on grass"]
    ours = embedder.embed(images) @ embedder.embed_texts(texts).T
    with quiet():
        model = AutoModel.from_pretrained(tiny("siglip")).eval()
        processor = AutoProcessor.from_pretrained(tiny("siglip"), backend="pil")
        given = processor.tokenizer(texts, padding="max_length", max_length=32, return_tensors="pt")
        pixels = processor.image_processor(images=images, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            names = ("input_ids", "attention_mask")
            answer = model(pixel_values=pixels, **{name: given[name] for name in names})
    theirs = (answer.logits_per_image - model.logit_bias) / model.logit_scale.exp()
    assert np.allclose(ours, theirs.detach().numpy(), atol=1e-5)


def test_dinov2_gives_its_class_token(tiny, images):
    """The pooled output of the library, scaled to length 1; it embeds no texts."""
    import torch
    from transformers import AutoImageProcessor, Dinov2Model

    from foible.adapters.transformers.models import quiet

    embedder = load(tiny("dinov2"))
    with quiet():
        model = Dinov2Model.from_pretrained(tiny("dinov2")).eval()
        processor = AutoImageProcessor.from_pretrained(tiny("dinov2"), backend="pil")
        with torch.no_grad():
            expected = model(**processor(images=images, return_tensors="pt")).last_hidden_state[:, 0].numpy()
    assert np.allclose(embedder.embed(images), unit(expected), atol=1e-5)
    assert not embedder.reads_text
    with pytest.raises(PluginError, match="embeds images alone"):
        embedder.embed_texts(["a cup"])
