"""What a training that was stopped goes on from: one file, replaced whole after each pass.

Comes in: weights after a pass. Goes out: the same. Neighbour: `train.py`, whose training it is. The file is read
without running anything that is in it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from foible.errors import StoreError

NAME = "checkpoint.pt"
"""What the file is called in the folder of a repair that is not finished."""
_VERSION = 1
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A training after a number of passes."""

    epoch: int
    losses: tuple[float, ...]
    """On the held-out images: before the first pass, then after each."""
    failing: tuple[float, ...]
    """Likewise, the share of those that must not be lost which fail."""
    best: Tensors
    """The weights of the best pass."""
    now: Tensors
    """The weights as they are."""
    optimiser: dict[str, Any] | None = None

    @property
    def best_epoch(self) -> int:
        """After how many passes the loss was least."""
        return min(range(len(self.losses)), key=self.losses.__getitem__)

    def then(self, loss: float, failing: float, now: Tensors, optimiser: dict[str, Any]) -> Passed:
        """Go on by a pass."""
        return Passed(
            epoch=self.epoch + 1,
            losses=(*self.losses, loss),
            failing=(*self.failing, failing),
            best=now if loss < min(self.losses) else self.best,
            now=now,
            optimiser=optimiser,
        )


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The file of one training."""

    folder: Path
    key: str
    """Hash of everything that decides the training."""

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / NAME

    def read(self, names: Sequence[str]) -> Passed | None:
        """Read what is there; None where nothing is, or what was being written when the process was killed.

        Args:
            names: of the parameters that are trained.

        Raises:
            StoreError: it is of another training, or cannot be read.
        """
        try:
            kept = torch.load(self.path, map_location="cpu", weights_only=True)
            version, key, about = kept["version"], kept["key"], kept["passed"]
        except FileNotFoundError:
            return None
        except Exception as problem:
            message = f"{self.path} is no checkpoint of a repair, or is torn; remove it, or name another --out"
            raise StoreError(message) from problem
        if version != _VERSION or key != self.key or about["now"].keys() != set(names):
            message = f"{self.folder} holds the beginning of a repair by other settings or of another run"
            raise StoreError(f"{message}; name another --out, or remove it")
        return Passed(**{**about, "losses": tuple(about["losses"]), "failing": tuple(about["failing"])})

    def write(self, passed: Passed) -> None:
        """Keep a pass.

        Raises:
            StoreError: the disk is full, or the folder cannot be written.
        """
        held = io.BytesIO()  # torch says of a full disk that a writer failed
        about = {**vars(passed), "losses": list(passed.losses), "failing": list(passed.failing)}
        torch.save({"version": _VERSION, "key": self.key, "passed": about}, held)
        part = self.path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                file.write(held.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError as problem:
            part.unlink(missing_ok=True)
            message = f"{self.folder} cannot be written ({problem.strerror}); free the place, and repeat the command, "
            raise StoreError(f"{message}which goes on from the last pass") from problem
