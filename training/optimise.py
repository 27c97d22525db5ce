"""How weights are learnt: optimisers, their schedule, and checkpoints to go on from.

In: a module and, each step, a loss. Out: better weights. What the loss is, is the caller's matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn


class Muon(torch.optim.Optimizer):
    """Momentum whose update for each matrix is made orthogonal: fewer steps than Adam needs.

    Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024. Written
    here because torch's own rounds to bfloat16, which processors without such units do slowly.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, momentum: float, decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # noqa: ARG002  (torch's own signature)
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    shapes.setdefault(matrix.flatten(1).shape, []).append(matrix)
            for shape, matrices in shapes.items():  # one product for all matrices of one shape
                moves = torch.stack([self._moved(matrix, group["momentum"]) for matrix in matrices])
                scale = 0.2 * max(shape) ** 0.5  # gives Adam's size of step, so one rate fits both
                for matrix, move in zip(matrices, orthogonal(moves), strict=True):
                    matrix.mul_(1 - group["lr"] * group["decay"])
                    matrix.add_(move.view_as(matrix), alpha=-group["lr"] * scale)

    def _moved(self, matrix: Tensor, momentum: float) -> Tensor:
        """The matrix's gradient with (Nesterov's) momentum, flat beyond its first axis."""
        state = self.state[matrix]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(matrix)
        state["mean"].lerp_(matrix.grad, 1 - momentum)
        return torch.lerp(matrix.grad, state["mean"], momentum).flatten(1)


def orthogonal(matrices: Tensor) -> Tensor:
    """Roughly orthogonal matrices near these, by five Newton-Schulz steps; shape (n, a, b)."""
    tall = matrices.shape[1] > matrices.shape[2]
    wide = matrices.mT if tall else matrices
    wide = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = wide @ wide.mT
        wide = 3.4445 * wide + (-4.7750 * square + 2.0315 * square @ square) @ wide
    return wide.mT if tall else wide


class Training:
    """A module, its optimisers and schedule, and the step it has reached; it saves and resumes."""

    def __init__(
        self,
        module: nn.Module,
        steps: int,
        lr: float,
        checkpoint: Path,
        *,
        matrices: Sequence[Tensor] = (),
        matrices_lr: float = 0.0,
    ) -> None:
        taken = {id(matrix) for matrix in matrices}
        rest = [p for p in module.parameters() if p.requires_grad and id(p) not in taken]
        plain = [p for p in rest if p.ndim < 2]  # biases, gains and scales are not drawn to zero
        weights = [p for p in rest if p.ndim >= 2]
        groups = [{"params": weights, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98), foreach=True)
        ]
        if matrices:
            self.optimisers.append(Muon(matrices, lr=matrices_lr, momentum=0.95, decay=0.01))
        self.module, self.steps, self.checkpoint = module, steps, checkpoint
        self.step, self.spent = 0, 0.0
        self.lrs = [group["lr"] for opt in self.optimisers for group in opt.param_groups]
        self._start = time.monotonic()
        if checkpoint.exists():
            self._load()

    def take(self, loss: Tensor) -> None:
        """One step down this loss, at the rate that is due; a checkpoint every 200 steps."""
        rate = _rate(self.step / self.steps)
        groups = [group for opt in self.optimisers for group in opt.param_groups]
        for group, lr in zip(groups, self.lrs, strict=True):
            group["lr"] = lr * rate
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.step += 1
        if self.step % 200 == 0:
            self._save()

    @property
    def seconds(self) -> float:
        """Time spent on training so far, over all its runs."""
        return self.spent + time.monotonic() - self._start

    def _save(self) -> None:
        state = {
            "module": self.module.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)  # a checkpoint is whole or not there at all

    def _load(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.module.load_state_dict(state["module"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.step, self.spent = state["step"], state["seconds"]
        print(f"going on from step {self.step} of {self.steps}", flush=True)


def _rate(done: float) -> float:
    """Share of the full learning rate when this share of the steps is done: up, then down to 0."""
    warm = 0.08
    return done / warm if done < warm else (1 - done) / (1 - warm) + 1e-4
