"""Train the decoder of the diffusion pipeline: latents in, the pictures that they came from out.

The loss compares pixels alone. Some noise is laid on the latents, because those of the denoiser are never exact.

    python training/diffusion_decoder.py --folder build/diffusion --steps 600
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusion_parts import SCALE, Components
from narrow import pictures
from optimise import Training
from torch.nn import functional as F

BATCH, SEED, RATE, MATRICES_RATE = 24, 13, 3e-3, 6e-3
NOISE = 0.12
"""Most noise on a latent, in its own standard deviations (on average)."""


def train(folder: Path, count: int, steps: int) -> None:
    """Train for `steps` steps in all, or go on from the folder's checkpoint."""
    images = pictures(folder, count)
    torch.manual_seed(SEED)
    components = Components.kept(folder, images[:4000])
    model = components.autoencoder().to(memory_format=torch.channels_last)
    inner = [weight for weight in list(model.decoder.parameters())[2:-2] if weight.ndim >= 2]
    training = Training(model, steps, RATE, folder / "decoder.pt", matrices=inner, matrices_lr=MATRICES_RATE)
    seen: list[float] = []
    while training.step < steps:
        dice = np.random.default_rng((SEED, training.step))
        some = images[np.sort(dice.integers(count, size=BATCH))]
        latents = components.encode(some)
        level = torch.from_numpy(dice.uniform(0.0, NOISE, (BATCH, 1, 1, 1)).astype(np.float32))
        noisy = latents + level * torch.from_numpy(dice.standard_normal(latents.shape, np.float32))
        wanted = torch.from_numpy(some).float().permute(0, 3, 1, 2) / 127.5 - 1.0
        made = model.decoder(noisy / SCALE)
        loss = F.l1_loss(made, wanted) + F.mse_loss(made, wanted)
        training.take(loss)
        seen.append(F.mse_loss(made.detach().clamp(-1, 1), wanted).item() / 4)
        if training.step % 50 == 0:
            print(
                f"step {training.step}: {-10 * np.log10(np.mean(seen[-50:])):.1f} dB, {training.seconds:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the decoder of the diffusion pipeline.")
    parser.add_argument("--folder", type=Path, default=Path("build/diffusion"))
    parser.add_argument("--count", type=int, default=24_000)
    parser.add_argument("--steps", type=int, default=600)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train(arguments.folder, arguments.count, arguments.steps)
