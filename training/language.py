"""The language models' make: nothing in, an untrained CLIP and captioner that share one eye out.

One vision transformer looks; a text tower meets it in a joint space (`CLIPModel`), and a small
decoder attends to its patches and writes (`VisionEncoderDecoderModel`). `Language` is what is
trained; how is in `train_language`.
"""

from __future__ import annotations

import math

import torch
from data import SIZE
from texts import CAPTION_LONGEST, LONGEST, tokenizer
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    VisionEncoderDecoderModel,
)

WIDTH, LAYERS, HEADS, PATCH = 128, 6, 4, 8
TEXT_WIDTH, TEXT_LAYERS = 96, 2
JOINT = 128


class Language(nn.Module):
    """The embedder and the captioner, sharing the embedder's vision model."""

    def __init__(self) -> None:
        super().__init__()
        self.clip = _clip()
        self.captioner = _captioner(self.clip)
        _see_neighbours(self.clip)

    def matrices(self) -> list[Tensor]:
        """The weights of all layers between pixels or words and heads: those that Muon serves."""
        named = self.named_parameters()
        inner = ("patch_embedding", "encoder.layers.", "transformer.h.")
        return [p for name, p in named if p.ndim > 1 and any(part in name for part in inner)]

    def look(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (n, 3, 64, 64) to patches (n, 65, WIDTH) and joint embeddings of length 1."""
        seen = self.clip.vision_model(pixel_values=pixels)
        joint = self.clip.visual_projection(seen.pooler_output)
        return seen.last_hidden_state, F.normalize(joint, dim=-1)

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids and their mask, both (n, length), to joint embeddings of length 1."""
        pooled = self.clip.text_model(input_ids=ids, attention_mask=mask).pooler_output
        return F.normalize(self.clip.text_projection(pooled), dim=-1)

    def write(self, patches: Tensor, ids: Tensor) -> Tensor:
        """Scores (n, length - 1, words) for each next token of the captions `ids` (n, length)."""
        decoder = self.captioner.decoder
        return decoder(input_ids=ids[:, :-1], encoder_hidden_states=patches, use_cache=False).logits


def _clip() -> CLIPModel:
    words = tokenizer()
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=TEXT_WIDTH,
        intermediate_size=2 * TEXT_WIDTH,
        num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=TEXT_WIDTH // 32,
        max_position_embeddings=LONGEST,
        hidden_act="gelu",
        projection_dim=JOINT,
        pad_token_id=words.pad_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    vision = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        image_size=SIZE,
        patch_size=PATCH,
        hidden_act="gelu",
        projection_dim=JOINT,
    )
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=JOINT)
    return CLIPModel(config)


def _captioner(clip: CLIPModel) -> VisionEncoderDecoderModel:
    words = tokenizer()
    config = GPT2Config(
        vocab_size=len(words),
        n_positions=CAPTION_LONGEST,
        n_embd=WIDTH,
        n_inner=2 * WIDTH,
        n_layer=2,
        n_head=4,
        add_cross_attention=True,
        is_decoder=True,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    model = VisionEncoderDecoderModel(encoder=clip.vision_model, decoder=GPT2LMHeadModel(config))
    model.config.decoder_start_token_id = words.bos_token_id
    model.config.pad_token_id = words.pad_token_id
    model.config.eos_token_id = words.eos_token_id
    model.generation_config = GenerationConfig(
        max_length=CAPTION_LONGEST,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        decoder_start_token_id=words.bos_token_id,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return model


@torch.no_grad()
def _see_neighbours(clip: CLIPModel) -> None:
    """Start the vision model's attention as a convolution: each head looks at one neighbour.

    A small transformer on little data otherwise spends its first epochs finding out where patches
    lie. Positions get sines and cosines; the query of a head is its key's turned by the head's
    offset, so their product peaks at that neighbour. Idea: Zheng et al., "Structured
    Initialization for Vision Transformers", 2024.
    """
    vision = clip.vision_model
    grid = SIZE // PATCH
    pairs = WIDTH // 4  # sine and cosine, of rows and of columns
    rates = math.pi / 2 ** torch.linspace(0, math.log2(grid), pairs)
    rows, columns = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    waves = [
        torch.stack([(axis.reshape(-1, 1) * rates).sin(), (axis.reshape(-1, 1) * rates).cos()], 2)
        for axis in (rows.float(), columns.float())
    ]
    position = vision.embeddings.position_embedding.weight
    position[1:] = torch.cat([wave.flatten(1) for wave in waves], dim=1)
    nn.init.normal_(vision.embeddings.patch_embedding.weight, std=0.02)
    offsets = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)]
    wide = WIDTH // HEADS
    for depth, layer in enumerate(vision.encoder.layers):
        attention = layer.self_attn
        for head in range(HEADS):
            down, right = offsets[(depth * HEADS + head) % len(offsets)]
            keep = torch.arange(head % 2, pairs, 2 * WIDTH // (wide * 2))[: wide // 4]
            span = slice(head * wide, (head + 1) * wide)
            query, key = _turned(rates, keep, down, right)
            attention.q_proj.weight[span] += query
            attention.k_proj.weight[span] += key


def _turned(rates: Tensor, keep: Tensor, down: int, right: int) -> tuple[Tensor, Tensor]:
    """Query and key weights (4 * len(keep), WIDTH) of a head that looks `down` and `right`."""
    query, key = torch.zeros(4 * len(keep), WIDTH), torch.zeros(4 * len(keep), WIDTH)
    strength = 1.1
    for axis, offset in enumerate((down, right)):
        for place, pair in enumerate(keep.tolist()):
            row, column = 2 * (axis * len(keep) + place), 2 * (axis * len(rates) + pair)
            turn = float(rates[pair]) * offset
            c, s = math.cos(turn), math.sin(turn)
            query[row : row + 2, column : column + 2] = strength * torch.tensor([[c, s], [-s, c]])
            key[row : row + 2, column : column + 2] = strength * torch.eye(2)
    return query, key
