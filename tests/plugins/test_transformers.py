"""The adapters over real `transformers` classes: what they answer, and what they say of folders that are no good."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from foible.checks import plugins
from foible.errors import ArgumentError, PluginError
from foible.parts import asking as wrappers
from foible.parts import registry
from foible.records import Label


def load(kind, folder, **args):
    """Load a folder through the adapter of a kind."""
    return registry.load(kind, f"transformers:{folder}", args)


def wrong(kind, folder, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        load(kind, folder, **args)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 500
    return sentence


@pytest.fixture
def spoiled(tiny, tmp_path):
    """Give a function that copies a tiny model to a folder which may be spoiled."""

    def copy(name):
        return Path(shutil.copytree(tiny(name), tmp_path / f"spoiled-{name}"))

    return copy


# --- answers -------------------------------------------------------------------------------------------------------


def test_a_classifier_gives_probabilities_and_names(tiny, images):
    """Float32 rows that sum to 1, one column for each label, in the order of the indices."""
    part = load("classifier", tiny("resnet"))
    scores = part.object.classify(images)
    assert part.object.labels == ("cup", "ball", "vase")
    assert scores.dtype == np.float32
    assert scores.shape == (3, 3)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_a_classifier_answers_as_the_library_would(tiny, images):
    """The adapter adds nothing: processor, model and softmax, by hand, give the same numbers."""
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    from foible.adapters.transformers.models import quiet

    with quiet():
        model = AutoModelForImageClassification.from_pretrained(tiny("vit")).eval()
        processor = AutoImageProcessor.from_pretrained(tiny("vit"), backend="pil")
    with torch.no_grad():
        expected = model(**processor(images=images, return_tensors="pt")).logits.softmax(dim=1).numpy()
    assert np.allclose(load("classifier", tiny("vit")).object.classify(images), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["encoder-decoder", "git", "blip"])
def test_captions_are_greedy_and_cut_where_asked(name, tiny, images, capfd):
    """Three families caption without being asked anything; nothing is printed; fewer tokens are a shorter text."""
    short = load("captioner", tiny(name), max_new_tokens=2).object.caption(images)
    longer = load("captioner", tiny(name), max_new_tokens=6).object.caption(images)
    assert len(short) == len(longer) == 3
    for few, many in zip(short, longer, strict=True):
        assert len(few.split()) <= 2
        assert many.startswith(few)
        assert "[PAD]" not in many
        assert "[CLS]" not in many
    assert capfd.readouterr() == ("", "")


def test_a_chat_model_captions_what_it_is_asked_about(tiny, images):
    """The answer is the library's own to one unpadded chat, for images of any shape; the prompt is in the identity."""
    import torch
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from foible.adapters.transformers.models import quiet

    part = load("captioner", tiny("vlm"), prompt="Does this image show a cup?", max_new_tokens=6)
    with quiet():
        model = AutoModelForImageTextToText.from_pretrained(tiny("vlm")).eval()
        chat = AutoProcessor.from_pretrained(tiny("vlm"), backend="pil")
        text = "user <image> Does this image show a cup? "
        for image, caption in zip(images, part.object.caption(images), strict=True):
            given = chat(images=Image.fromarray(image), text=text, return_tensors="pt")
            with torch.no_grad():
                tokens = model.generate(**given, max_new_tokens=6, do_sample=False)
            said = chat.tokenizer.decode(tokens[0, given["input_ids"].shape[1] :], skip_special_tokens=True)
            assert caption == said.strip()
    assert part.identity["args"]["prompt"] == "Does this image show a cup?"
    assert load("captioner", tiny("vlm")).identity["args"]["prompt"].startswith("Describe this photograph")


def test_a_chat_model_whose_thought_has_no_end_gives_no_caption(spoiled, images):
    """A17: where the template opens a thought and the model is cut off in it, no word of the thought is a caption."""
    folder = spoiled("vlm")
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text() + "{% if add_generation_prompt %}<think>\n{% endif %}")
    faults = wrappers.ask_captioner(load("captioner", folder, max_new_tokens=4), images)
    assert [one.reason.partition(":")[2].partition(":")[0].strip() for one in faults] == [
        "the model was cut off while it thought aloud"
    ] * 3


def test_a_thought_between_special_tokens_is_no_caption(tiny):
    """A17: what marks a thought may be a special token, which plain decoding would leave out and the thought not."""
    part = load("captioner", tiny("vlm"), prompt="Does this image show a cup?").object
    part._tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "</think>"]})
    tokens = part._tokenizer("<think> a blue ball </think> a red cup [SEP]", return_tensors="pt")["input_ids"][0]
    assert part._tokenizer.decode(tokens, skip_special_tokens=True).split() == ["a", "blue", "ball", "a", "red", "cup"]
    assert part._answer(tokens).split() == ["a", "red", "cup"]


def test_a_captioner_that_is_asked_nothing_takes_no_prompt(tiny):
    """Rather than leave it out in silence; an empty one is refused too."""
    assert "is asked nothing" in wrong("captioner", tiny("git"), ArgumentError, prompt="what is it?")
    assert "a question about the image" in wrong("captioner", tiny("vlm"), ArgumentError, prompt=" ")


@pytest.mark.parametrize("name", ["encoder-decoder", "git", "blip"])
def test_a_caption_is_no_longer_than_its_model_can_count(name, tiny, images):
    """Asked for more tokens than the model has places for, it still answers."""
    assert len(load("captioner", tiny(name), max_new_tokens=500).object.caption(images)) == 3


def test_captions_do_not_sample_whatever_the_model_would_like(spoiled, images):
    """A generation config that asks for sampling and beams is not followed."""
    folder = spoiled("encoder-decoder")
    plain = load("captioner", folder, max_new_tokens=5).object.caption(images)
    file = folder / "generation_config.json"
    config = {**json.loads(file.read_text()), "do_sample": True, "num_beams": 3, "temperature": 9.0, "max_length": 3}
    file.write_text(json.dumps(config))
    assert load("captioner", folder, max_new_tokens=5).object.caption(images) == plain


@pytest.mark.parametrize(("name", "width"), [("clip", 8), ("resnet", 16), ("vit", 16)])
def test_embeddings_have_length_one(name, width, tiny, images):
    """CLIP by its projection, other vision models by their pooled output; a pooler without weights is not used."""
    vectors = load("embedder", tiny(name)).object.embed(images)
    assert vectors.shape == (3, width)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_is_embedded_the_same_whatever_its_neighbours(tiny):
    """Texts go into the space of the images; a longer neighbour changes no bit."""
    embedder = load("embedder", tiny("clip")).object
    together = embedder.embed_texts(["a red cup", "a photo of a ball on grass", "a cup " * 100])
    assert together.shape == (3, 8)
    assert np.allclose(together[0], embedder.embed_texts(["a red cup"])[0], atol=1e-6)


def test_a_model_of_images_alone_embeds_no_texts(tiny):
    """The sentence says what is needed instead."""
    embedder = load("embedder", tiny("vit")).object
    assert not embedder.reads_text
    with pytest.raises(PluginError, match="embeds images alone"):
        embedder.embed_texts(["a cup"])


# --- identity ------------------------------------------------------------------------------------------------------


def test_the_identity_covers_weights_configuration_and_arguments(spoiled):
    """A changed weight, a changed preprocessing and a changed argument each make another identity; a README none."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = spoiled("resnet")
    first = load("classifier", folder).identity
    assert first["args"] == {"device": first["args"]["device"], "dtype": "float32"}
    assert "transformers" in first["version"]
    (folder / "README.md").write_text("words")
    assert load("classifier", folder).identity == first
    assert load("classifier", folder, dtype="bfloat16").identity != first
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps({**settings, "resample": 0}))
    second = load("classifier", folder).identity
    weights = load_file(folder / "model.safetensors")
    weights["classifier.1.bias"] += torch.tensor([0.0, 0.0, 1e-3])
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    third = load("classifier", folder).identity
    assert len({one["fingerprint"] for one in (first, second, third)}) == 3


def test_loading_prints_nothing_and_changes_no_setting(tiny, capfd):
    """Progress bars and reports of the library stay off the terminal; its verbosity is as it was."""
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load("embedder", tiny("vit"))
    load("classifier", tiny("resnet"))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")


# --- bad folders ---------------------------------------------------------------------------------------------------


def test_no_such_folder(tmp_path, monkeypatch):
    """A path that is not there, and a hub name that the offline cache lacks."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert wrong("classifier", tmp_path / "nowhere").endswith("there is no such folder")
    assert "it is no folder, and the hub gave nothing of that name" in wrong("classifier", "nobody/nothing")
    assert "is no transformers model" in wrong("classifier", tmp_path)


@pytest.mark.parametrize("keep", [0, 5, 4000, -1])
def test_torn_weights(spoiled, keep):
    """A file cut anywhere is one sentence, not random weights."""
    folder = spoiled("resnet")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    assert f"'{folder}' could not be loaded (are its files whole?)" in wrong("classifier", folder)


def test_missing_weights(spoiled):
    """A weight that is not in the file would be filled in at random, so it is named."""
    from safetensors.torch import load_file, save_file

    folder = spoiled("resnet")
    weights = load_file(folder / "model.safetensors")
    del weights["classifier.1.bias"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert "are not whole: ResNetForImageClassification also needs classifier.1.bias" in wrong("classifier", folder)


def test_weights_of_another_shape(spoiled):
    """A head for another number of classes is refused."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = spoiled("resnet")
    weights = load_file(folder / "model.safetensors")
    weights["classifier.1.bias"] = torch.zeros(7)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert "could not be loaded" in wrong("classifier", folder)


def test_no_weights_and_pickled_weights(spoiled):
    """A pickle is never opened: the sentence says how to convert it."""
    folder = spoiled("resnet")
    (folder / "model.safetensors").unlink()
    assert "has no weights: there is no *.safetensors file in it" in wrong("classifier", folder)
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    sentence = wrong("classifier", folder)
    assert "as a pickle (pytorch_model.bin), which can run code" in sentence
    assert f"save_pretrained('{folder}')" in sentence


def test_configuration_that_is_torn_or_missing(spoiled):
    """Neither the configuration, nor the processor, nor the tokenizer can be done without."""
    folder = spoiled("clip")
    (folder / "tokenizer.json").write_text("{")
    assert "could not be loaded" in wrong("embedder", folder)
    folder = spoiled("resnet")
    (folder / "preprocessor_config.json").unlink()
    assert "could not be loaded" in wrong("classifier", folder)
    (folder / "config.json").write_text("{")
    assert "could not be loaded" in wrong("classifier", folder)


def test_a_model_for_another_job(tiny):
    """A captioner is no classifier, and a vision model no captioner."""
    assert "is a vit model, which AutoModelForImageTextToText cannot load" in wrong("captioner", tiny("vit"))
    assert "is a git model, which AutoModelForImageClassification cannot load" in wrong("classifier", tiny("git"))


def test_code_that_comes_with_a_model_runs_only_when_asked_by_name(spoiled, images, monkeypatch, tmp_path):
    """Without `trust_remote_code` it is not even read; with it, it runs, and is part of the fingerprint."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "cache"))
    folder, ran = spoiled("resnet"), tmp_path / "ran"
    settings = json.loads((folder / "config.json").read_text())
    code = {"AutoConfig": "mine.Config", "AutoModelForImageClassification": "mine.Model"}
    (folder / "config.json").write_text(json.dumps(settings | {"model_type": "mine", "auto_map": code}))
    (folder / "mine.py").write_text(
        "from transformers import ResNetConfig, ResNetForImageClassification\n"
        f"open({str(ran)!r}, 'w').close()\n"
        "class Config(ResNetConfig):\n    model_type = 'mine'\n"
        "class Model(ResNetForImageClassification):\n    config_class = Config\n"
    )
    sentence = wrong("classifier", folder)
    assert sentence.endswith("comes with code of its own: give the argument trust_remote_code: true if you trust it")
    assert not ran.exists()
    part = load("classifier", folder, trust_remote_code=True)
    assert ran.exists()
    assert part.object.classify(images).shape == (3, 3)
    with (folder / "mine.py").open("a") as file:
        file.write("# changed\n")
    assert load("classifier", folder, trust_remote_code=True).identity["fingerprint"] != part.identity["fingerprint"]


@pytest.mark.parametrize(
    ("kind", "args", "told"),
    [
        ("classifier", {"device": "toaster"}, "cannot run on the device 'toaster'"),
        ("classifier", {"dtype": "float23"}, "did you mean 'float32'"),
        ("captioner", {"max_new_tokens": 0}, "max_new_tokens must be a whole number from 1 up, but is 0"),
    ],
)
def test_arguments_that_make_no_sense(kind, args, told, tiny):
    """Each is one sentence that says what would."""
    folder = tiny({"classifier": "resnet", "captioner": "git"}[kind])
    assert told in wrong(kind, folder, ArgumentError, **args)


# --- the diorama's names -------------------------------------------------------------------------------------------


def test_the_dioramas_models_are_folders_like_any_other(spoiled, monkeypatch, images):
    """Its judge is the embedder with the margin and the template beside it, against every label of the diorama."""
    folder = spoiled("clip")
    (folder / "judge.json").write_text(json.dumps({"template": "a {name}", "margin": -0.25}))
    monkeypatch.setattr("foible.adapters.diorama.weights", lambda _: folder)
    judge = registry.load("judge", "diorama:judge")
    args = judge.identity["args"]
    assert (args["threshold"], args["template"], len(args["contrasts"])) == ([-0.25], ["a {name}"], 12)
    assert "diorama" not in json.dumps(args)
    assert len(judge.object.judge(images[:1], [Label("vase")])) == 1
    assert registry.load("judge", "diorama:judge", {"threshold": 0.5}).identity["args"]["threshold"] == [0.5]
    assert registry.load("embedder", "diorama:embedder").object.embed(images).shape == (3, 8)
    folder = spoiled("git")
    assert registry.load("captioner", "diorama:captioner", {"max_new_tokens": 3}).object.caption(images[:1])
    folder = spoiled("resnet")
    assert registry.load("classifier", "diorama:biased-resnet").object.labels == ("cup", "ball", "vase")


def test_a_diorama_model_without_weights_says_so(monkeypatch, tmp_path):
    """Missing weights are a missing part, in the listing and when named."""
    monkeypatch.setattr("foible.adapters.diorama.weights", lambda name: tmp_path / name)
    with pytest.raises(PluginError, match="'diorama:reference' has no weights"):
        registry.load("classifier", "diorama:reference")
    states = {row.spec: row.missing for row in plugins.listing()}
    assert "train it anew" in states["diorama:judge"]
    assert states["diorama:scenes"] == ""
