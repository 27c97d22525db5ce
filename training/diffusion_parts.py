"""The parts of the diffusion pipeline, untrained: stock classes of `diffusers` and `transformers` alone.

`StableDiffusionXLPipeline` is the frame, because it gives the pooled text to the denoiser's adaptive norms and the
tokens to its cross-attention, does without a first text encoder, and is rebuilt from `model_index.json` by anybody.

- Text: the tower and tokenizer of the shipped embedder, frozen.
- Latents, 12 x 16 x 16: the principal components of 4 x 4 patches. The encoder is linear and fixed, not learnt: two
  convolutions of stride 2 take each patch apart, and the last projects it. The decoder is learnt (`diffusion_decoder`).
- Denoiser: a UNet that predicts the velocity of rectified flow (arXiv 2209.03003); learnt (`diffusion`).
- Scheduler: DPM-Solver++ (arXiv 2211.01095) with the flow's sigmas.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

import foible.adapters  # noqa: F401 - beside a torchvision that does not match, diffusers imports only after it

# isort: split
from diffusers import (
    AutoencoderTiny,
    DPMSolverMultistepScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from narrow import SIZE, scene
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoTokenizer, CLIPConfig, CLIPModel, CLIPTextModelWithProjection

from foible.diorama.models import weights
from foible.diorama.narrow import FIXED, OPEN, narrow_caption
from foible.diorama.scene import Scene
from foible.diorama.vocabulary import LABELS

PATCH, LATENTS = 4, 12
"""Side of a patch in pixels, and how many of its 48 principal components are kept."""
GRID = SIZE // PATCH
SCALE = 4.0
"""The decoder sees latents divided by this, to stay where its clamp (3 tanh(x/3)) is nearly straight."""


def text_parts() -> tuple[Any, CLIPTextModelWithProjection]:
    """Give the tokenizer and the frozen text encoder, of the shipped embedder."""
    folder = weights("embedder")
    whole = CLIPModel.from_pretrained(folder)
    config = CLIPConfig.from_pretrained(folder).text_config
    tower = CLIPTextModelWithProjection(config)
    kept = {
        key: value for key, value in whole.state_dict().items() if key.startswith(("text_model", "text_projection"))
    }
    tower.load_state_dict(kept)
    return AutoTokenizer.from_pretrained(folder), tower.eval().requires_grad_(requires_grad=False)


FORMS = "{caption}", "a realistic photograph of {caption}"
"""How a request may be put: the denoiser hears both, so that it hangs on neither."""


class Texts:
    """Every prompt of the narrow world, embedded once as the pipeline does it."""

    def __init__(self) -> None:
        tokenizer, tower = text_parts()
        self.row: dict[str, int] = {}
        for label, told in product(LABELS, product(*((*words, None) for words in OPEN.values()))):
            said = {name: word for name, word in zip(OPEN, told, strict=True) if word}
            shown = Scene(label.name, **{name: said.get(name, OPEN[name][0]) for name in OPEN}, **FIXED)
            for form in FORMS:
                self.row.setdefault(form.format(caption=narrow_caption(shown, said)), len(self.row))
        read = tokenizer(
            list(self.row), padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt"
        )
        with torch.no_grad():
            answer = tower(read.input_ids, output_hidden_states=True)
        self.tokens, self.pooled = answer.hidden_states[-2], answer.text_embeds

    def of(self, seeds: NDArray[Any], dice: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Give tokens (n, 48, 96) and pooled texts (n, 128) of prompts that tell a part of each scene.

        Each attribute is told with a chance of 0.7; one prompt in ten is left out whole, as zeros, which is what the
        pipeline puts there to guide without a classifier (arXiv 2207.12598).
        """
        rows = []
        for seed in seeds:
            said = [name for name in OPEN if dice.random() < 0.7]
            form = FORMS[int(dice.integers(len(FORMS)))]
            rows.append(self.row[form.format(caption=narrow_caption(scene(int(seed)), said))])
        kept = torch.from_numpy((dice.random(len(rows)) >= 0.1).astype(np.float32))
        return self.tokens[rows] * kept[:, None, None], self.pooled[rows] * kept[:, None]


def _patches(images: NDArray[np.uint8]) -> Tensor:
    """Take pictures apart as the encoder's convolutions do: (n, 16, 16, 48), in 0 to 1."""
    parts = torch.from_numpy(np.array(images)).reshape(-1, GRID, 2, 2, GRID, 2, 2, 3)
    return parts.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(-1, GRID, GRID, PATCH * PATCH * 3).float() / 255.0


class Components:
    """The linear map from patches to latents."""

    def __init__(self, mean: Tensor, basis: Tensor) -> None:
        self.mean, self.basis = mean, basis

    @classmethod
    def kept(cls, folder: Path, images: NDArray[np.uint8]) -> Self:
        """Give the map that `folder` keeps, or find it in these pictures and keep it there: signs are a matter of luck.

        They are the principal components, scaled half-way to white: faint ones are neither lost in the noise nor as
        loud as the main ones. Their variance is 1 on average.
        """
        file = folder / "components.pt"
        if not file.exists():
            patches = _patches(images).reshape(-1, PATCH * PATCH * 3).double()
            centred = patches - patches.mean(0)
            variances, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
            variances, directions = variances.flip(0)[:LATENTS], directions.flip(1)[:, :LATENTS]
            gain = variances**-0.25
            basis = directions * gain / (gain.square() * variances).mean().sqrt()
            torch.save({"mean": patches.mean(0), "basis": basis}, file)
        return cls(**torch.load(file, weights_only=True))

    def encode(self, images: NDArray[np.uint8]) -> Tensor:
        """Give the latents of pictures as the denoiser sees them: (n, 12, 16, 16)."""
        patches = _patches(images) - self.mean.float()
        return (patches @ self.basis.float()).permute(0, 3, 1, 2).contiguous()

    def autoencoder(self) -> AutoencoderTiny:
        """Make the autoencoder: the encoder is this map, in three convolutions; the decoder is untrained."""
        model = AutoencoderTiny(
            encoder_block_out_channels=(PATCH * PATCH * 3,) * 3,
            num_encoder_blocks=(0, 0, 0),
            decoder_block_out_channels=(24,) * 3,
            num_decoder_blocks=(2, 1, 1),
            latent_channels=LATENTS,
            scaling_factor=SCALE,
        )
        first, half, whole, last = model.encoder.requires_grad_(requires_grad=False).layers
        for weight in model.encoder.parameters():
            torch.nn.init.zeros_(weight)
        first.weight[range(3), range(3), 1, 1] = 1.0
        for channels, layer in ((3, half), (12, whole)):
            for part, (down, across) in enumerate(product((0, 1), (0, 1))):
                for channel in range(channels):
                    layer.weight[part * channels + channel, channel, 1 + down, 1 + across] = 1.0
        basis = self.basis / SCALE
        last.weight[:, :, 1, 1] = basis.T.float()
        last.bias.copy_(-(self.mean @ basis).float())
        return model


def denoiser(tower: CLIPTextModelWithProjection) -> UNet2DConditionModel:
    """Make the untrained UNet: convolutions at three scales, cross-attention at the coarsest."""
    return UNet2DConditionModel(
        sample_size=GRID,
        in_channels=LATENTS,
        out_channels=LATENTS,
        block_out_channels=(32, 64, 128),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        cross_attention_dim=tower.config.hidden_size,
        attention_head_dim=(1, 2, 4),  # the number of heads, by a name that the library keeps for old files
        norm_num_groups=16,
        use_linear_projection=True,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=tower.config.projection_dim + 6 * 8,
    )


def scheduler() -> DPMSolverMultistepScheduler:
    """Make the sampler of rectified flow, of second order."""
    return DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True)


def pipeline(model: AutoencoderTiny, net: UNet2DConditionModel) -> StableDiffusionXLPipeline:
    """Put the parts together."""
    tokenizer, tower = text_parts()
    made = StableDiffusionXLPipeline(
        vae=model.eval(),
        unet=net.eval(),
        text_encoder=None,
        tokenizer=None,
        text_encoder_2=tower,
        tokenizer_2=tokenizer,
        scheduler=scheduler(),
        add_watermarker=False,
    )
    made.set_progress_bar_config(disable=True)
    return made
