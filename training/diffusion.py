"""Train the denoiser of the diffusion pipeline, by rectified flow on latents of the narrow world.

In: the pictures of `narrow`. Out: a checkpoint in a folder, saved every 200 steps, from which the next run goes on.
No network that judges pictures has a part in the loss.

    python training/diffusion.py --folder build/diffusion --steps 1600
"""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch

import foible.adapters  # noqa: F401 - beside a torchvision that does not match, diffusers imports only after it

# isort: split
from diffusers import UNet2DConditionModel
from diffusion_parts import GRID, PATCH, Components, Texts, denoiser, text_parts
from narrow import FIRST_SEED, pictures
from optimise import Training
from torch import Tensor, nn

BATCH, SEED = 16, 11
RATE, MATRICES_RATE = 2e-3, 6e-3
AVERAGE = 0.995
"""How slowly the weights that draw follow those that learn."""
SIDES = torch.tensor([[float(GRID * PATCH)] * 2 + [0.0] * 2 + [float(GRID * PATCH)] * 2])
"""Sizes and crop, as the pipeline tells them to the denoiser: the same for every picture."""


class Learner(nn.Module):
    """A denoiser and its running average."""

    def __init__(self, net: UNet2DConditionModel) -> None:
        super().__init__()
        self.net = net
        self.average = copy.deepcopy(net).requires_grad_(requires_grad=False)

    def matrices(self) -> list[Tensor]:
        """The weights inside the blocks, which Muon moves."""
        return [
            weight
            for name, weight in self.net.named_parameters()
            if weight.ndim >= 2 and "block" in name and "time_emb" not in name
        ]

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Move the average towards the weights; faster in the beginning."""
        share = min(AVERAGE, (1 + step) / (10 + step))
        for kept, now in zip(self.average.parameters(), self.net.parameters(), strict=True):
            kept.lerp_(now, 1 - share)


def velocity(net: UNet2DConditionModel, noisy: Tensor, sigma: Tensor, text: tuple[Tensor, Tensor]) -> Tensor:
    """Ask the denoiser as the pipeline does: noise minus picture, at noise levels 0 to 1."""
    added = {"text_embeds": text[1], "time_ids": SIDES.expand(len(noisy), -1)}
    answer: Tensor = net(noisy, sigma * 1000.0, text[0], added_cond_kwargs=added).sample
    return answer


def loss_of(net: UNet2DConditionModel, clean: Tensor, text: tuple[Tensor, Tensor], dice: torch.Generator) -> Tensor:
    """Give the flow's loss; noise levels are logistic-normal, so that most lie in the middle (arXiv 2403.03206)."""
    noise = torch.randn(clean.shape, generator=dice)
    sigma = torch.sigmoid(torch.randn(len(clean), generator=dice) * 1.2 + 0.3)
    level = sigma[:, None, None, None]
    noisy = (1 - level) * clean + level * noise
    return (velocity(net, noisy, sigma, text) - (noise - clean)).square().mean()


def train(folder: Path, count: int, steps: int) -> Learner:
    """Train for `steps` steps in all, or go on from the folder's checkpoint."""
    images = pictures(folder, count)
    torch.manual_seed(SEED)
    latents = Components.kept(folder, images[:4000]).encode(images)
    texts = Texts()
    learner = Learner(denoiser(text_parts()[1])).to(memory_format=torch.channels_last)
    checkpoint = folder / "denoiser.pt"
    matrices = learner.matrices()
    training = Training(learner, steps, RATE, checkpoint, matrices=matrices, matrices_lr=MATRICES_RATE)
    seen: list[float] = []
    start, first = time.monotonic(), training.step
    while training.step < steps:
        step = training.step
        dice = np.random.default_rng((SEED, step))
        rows = dice.integers(count, size=BATCH)
        text = texts.of(rows + FIRST_SEED, dice)
        loss = loss_of(learner.net, latents[rows], text, torch.Generator().manual_seed(SEED * 1_000_003 + step))
        learner.follow(step)
        training.take(loss)
        seen.append(loss.item())
        if training.step % 50 == 0:
            pace = (time.monotonic() - start) / (training.step - first)
            print(f"step {training.step}: loss {np.mean(seen[-200:]):.4f}, {pace:.2f} s a step", flush=True)
    return learner


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the denoiser of the diffusion pipeline.")
    parser.add_argument("--folder", type=Path, default=Path("build/diffusion"))
    parser.add_argument("--count", type=int, default=24_000)
    parser.add_argument("--steps", type=int, default=1_600)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train(arguments.folder, arguments.count, arguments.steps)
