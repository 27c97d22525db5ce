"""A tiny CLIP that reads letters, so that no two texts are the same to it until they are longer than it reads.

Comes in: a folder. Goes out: the model, saved there as anybody would save theirs. Neighbour: `plugins/conftest.py` has
one that knows a few words alone.
"""

from __future__ import annotations

import string

SPECIAL = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
LETTERS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *string.printable[:95])


def save(folder, places=80):
    """Write the model; its texts have room for `places` letters, two of them for the marks at the ends."""
    import tokenizers
    import torch
    import transformers

    from foible.adapters.transformers.models import quiet

    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    text = {**small, **SPECIAL, "vocab_size": len(LETTERS), "max_position_embeddings": places, "projection_dim": 8}
    eye = {**small, "image_size": 32, "patch_size": 16}
    config = transformers.CLIPConfig(text_config=text, vision_config=eye, projection_dim=8)
    inner = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({letter: place for place, letter in enumerate(LETTERS)}, unk_token=LETTERS[1])
    )
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex("."), "isolated")
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tongue = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, **dict(zip(("pad_token", "unk_token", "bos_token", "eos_token"), LETTERS, strict=False))
    )
    size = {"shortest_edge": 32}
    eyes = transformers.CLIPImageProcessorPil(size=size, crop_size={"height": 32, "width": 32})
    torch.set_num_threads(1)
    with torch.random.fork_rng(), quiet():
        torch.manual_seed(4)
        for piece in (transformers.CLIPModel(config), eyes, tongue):
            piece.save_pretrained(folder)
    return str(folder)
