"""What the plug-in tests share: tiny models of real `transformers` classes, saved as anybody would save theirs."""

from __future__ import annotations

import os
from functools import cache

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "photo", "of", "red", "blue", "cup", "ball", "vase", "on", "grass")
SPECIAL = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
EYE = {**SMALL, "image_size": 32, "patch_size": 16}
TONGUE = {**SMALL, **SPECIAL, "vocab_size": len(WORDS), "max_position_embeddings": 32}


@pytest.fixture
def images():
    """Three images of different sizes: noise, a flat colour, noise of another shape."""
    dice = np.random.default_rng(3)
    return [
        dice.integers(0, 256, (64, 64, 3), dtype=np.uint8),
        np.full((64, 64, 3), 200, np.uint8),
        dice.integers(0, 256, (48, 80, 3), dtype=np.uint8),
    ]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Give a function from the name of a tiny model to its folder, made when it is first asked for."""
    root = tmp_path_factory.mktemp("tiny")

    @cache
    def folder(name):
        import torch

        torch.set_num_threads(1)
        with torch.random.fork_rng():
            torch.manual_seed(len(name))
            pieces = MAKERS[name]()
        from foible.adapters.transformers.models import quiet

        with quiet():
            for piece in pieces:
                piece.save_pretrained(root / name)
        return str(root / name)

    return folder


def processor(kind="ViT"):
    """Resize to 32 pixels, whatever the shape."""
    import transformers

    return getattr(transformers, f"{kind}ImageProcessorPil")(size={"height": 32, "width": 32})


def clip_processor():
    """Resize and crop to 32 pixels."""
    import transformers

    return transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})


def tokenizer():
    """One token for each of the words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = {word: index for index, word in enumerate(WORDS)}
    inner = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))  # noqa: S106 - a token, not a secret
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    inner.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="[CLS]",  # noqa: S106 - a token, not a secret
        eos_token="[SEP]",  # noqa: S106 - a token, not a secret
        **special,
    )


def resnet():
    """A convolutional classifier with three named classes."""
    import transformers as t

    names = {0: "cup", 1: "ball", 2: "vase"}
    config = t.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", id2label=names, num_labels=3
    )
    return t.ResNetForImageClassification(config), processor()


def vit():
    """A transformer classifier with four classes."""
    import transformers as t

    return t.ViTForImageClassification(t.ViTConfig(**EYE, num_labels=4)), processor()


def clip():
    """A joint embedder of images and texts."""
    import transformers as t

    config = t.CLIPConfig(text_config={**TONGUE, "projection_dim": 8}, vision_config=EYE, projection_dim=8)
    return t.CLIPModel(config), clip_processor(), tokenizer()


def encoder_decoder():
    """A captioner of two halves."""
    import transformers as t

    decoder = t.BertConfig(**TONGUE, is_decoder=True, add_cross_attention=True)
    config = t.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        t.ViTConfig(**EYE), decoder, decoder_start_token_id=2, eos_token_id=3, pad_token_id=0
    )
    return t.VisionEncoderDecoderModel(config), processor(), tokenizer()


def git():
    """A captioner that reads the image as a prefix."""
    import transformers as t

    return t.GitForCausalLM(t.GitConfig(vision_config=EYE, **TONGUE)), clip_processor(), tokenizer()


def blip():
    """A captioner with its own way to generate."""
    import transformers as t

    text = {**TONGUE, "sep_token_id": 3, "encoder_hidden_size": 16}
    config = t.BlipConfig(text_config=text, vision_config=EYE, projection_dim=8)
    return t.BlipForConditionalGeneration(config), processor("Blip"), tokenizer()


def siglip():
    """A joint embedder with a pooling head of attention, and texts without a class token."""
    import transformers as t

    config = t.SiglipConfig(text_config={**TONGUE, "projection_size": 16}, vision_config=EYE)
    return t.SiglipModel(config), processor("Siglip"), tokenizer()


def dinov2():
    """An embedder of images alone."""
    import transformers as t

    config = t.Dinov2Config(**{k: v for k, v in EYE.items() if k != "intermediate_size"}, mlp_ratio=2)
    crop = {"height": 32, "width": 32}
    return t.Dinov2Model(config), t.BitImageProcessorPil(size={"shortest_edge": 32}, crop_size=crop)


VLM_WORDS = (*WORDS, "<image>", "Does", "this", "image", "show", "Answer", "yes", "no", "or", "Yes", "No", "user", "?")
CHAT = (
    "{% for m in messages %}{{ m.role }} {% for c in m.content %}"
    "{% if c.type == 'image' %}<image> {% else %}{{ c.text }}{% endif %}{% endfor %} {% endfor %}"
)


def vlm():
    """A chat model that sees images."""
    import transformers as t
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {word: index for index, word in enumerate(VLM_WORDS)}
    inner = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))  # noqa: S106 - a token, not a secret
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "bos_token": "[CLS]", "eos_token": "[SEP]"}
    tongue = t.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        additional_special_tokens=["<image>"],
        extra_special_tokens={"image_token": "<image>"},
        **special,
    )
    text = {**SMALL, **SPECIAL, "vocab_size": len(VLM_WORDS), "max_position_embeddings": 64, "num_key_value_heads": 2}
    place = VLM_WORDS.index("<image>")
    config = t.LlavaConfig(
        vision_config=t.CLIPVisionConfig(**EYE),
        text_config=t.LlamaConfig(**text),
        image_token_index=place,
        image_token_id=place,
        image_seq_length=4,
        vision_feature_layer=-1,
    )
    chat = t.LlavaProcessor(
        image_processor=clip_processor(),
        tokenizer=tongue,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT,
    )
    return t.LlavaForConditionalGeneration(config), chat


MAKERS = {"resnet": resnet, "vit": vit, "clip": clip, "encoder-decoder": encoder_decoder, "git": git, "blip": blip}
MAKERS |= {"siglip": siglip, "dinov2": dinov2, "vlm": vlm}
