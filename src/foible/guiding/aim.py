"""What a guided image is to reach: a number for each image that is above 0 where the classifier fails.

Comes in: scores. Goes out: margins. Neighbours: `sight.py` has the scores; the methods move images up their margins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from foible.records import ClassMap

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What failing means for one label."""

    right: tuple[int, ...]
    """The classes that are right for it."""
    top: int = 1
    """It fails when no right class is among this many highest scores."""
    into: tuple[int, ...] = ()
    """It fails when it is taken for one of these, and only then; empty where any wrong class will do."""


def aim_of(classes: ClassMap, label: str) -> Aim:
    """Say what failing means for a label and a classifier."""
    return Aim(right=tuple(classes.right[label]), top=classes.top, into=tuple(classes.target))


def margins(scores: Tensor, aims: Sequence[Aim]) -> Tensor:
    """Say how far each image is from passing: (n,), with the gradients of the scores.

    Above 0 it fails, below it passes; at 0 scores are equal. Without a fault a row is finite, and so is its margin;
    where there is no answer a row is NaN, and so is its margin.

    Args:
        scores: (n, classes).
        aims: n of them.
    """
    return torch.stack([_margin(row, aim) for row, aim in zip(scores, aims, strict=True)])


def _margin(row: Tensor, aim: Aim) -> Tensor:
    if bool(row.isnan().all()):
        return row.sum()  # no answer, and of a batch without any not even as many numbers as classes
    own = torch.zeros(len(row), dtype=torch.bool, device=row.device)
    own[list(aim.into or aim.right)] = True
    if aim.into:
        return row[own].max() - row[~own].max()
    others = row[~own].topk(min(aim.top, int((~own).sum()))).values
    return others[-1] - row[own].max()
