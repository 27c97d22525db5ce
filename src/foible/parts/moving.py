"""How a batch of tensors is moved along gradients: each element by a share of its own norm.

Comes in: tensors. Goes out: tensors. Neighbours: `foible.guiding` moves noise, an adapter what a denoiser foretells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def norms(batch: torch.Tensor) -> torch.Tensor:
    """Give the norm of each element of a batch (n, ...), in a form that multiplies and divides it: (n, 1, ...)."""
    flat: torch.Tensor = batch.flatten(1).norm(dim=1)
    return flat.reshape(-1, *[1] * (batch.ndim - 1))


def direction(gradient: torch.Tensor) -> torch.Tensor:
    """Give each element of a gradient the norm 1; one of zeros stays so.

    Raises:
        FloatingPointError: a gradient is not finite.
    """
    lengths = norms(gradient)
    if not bool(lengths.isfinite().all()):
        message = "the gradient is not finite (NaN); try dtype float32 for generator and classifier"
        raise FloatingPointError(message)
    return gradient / lengths.clamp_min(1e-30)
