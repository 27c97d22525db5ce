"""Small networks that are trained on draws of the diorama in half a minute, with a bug that is planted in them.

Comes in: names of labels, seeds. Goes out: draws with their scenes, networks, and specs by which foible loads them.
Neighbours: `retrained.py` compares networks of many seeds; a test repairs one of timm and one of torch alone.

A hunt over them takes `TEMPLATE`: texture, weather, viewpoint and distance are fixed, so that a small network can learn
the rest; colour, ground and light are left to the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from foible.diorama.generator import DioramaGenerator
from foible.diorama.scene import Scene, imagine
from foible.diorama.vocabulary import LABELS
from foible.draws.request import prompt
from foible.records import Label

SIZE = 64
TEMPLATE = "a photograph of a {name} ({kind}), plain, in clear weather, at eye level, close up, alone"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RECIPE = {"size": SIZE, "crop": None}
"""How foible makes the input of these networks: MEAN and STD are its own defaults."""
KINDS = {label.name: label.hypernym for label in LABELS}
_BATCH, _SHIFT = 64, 4


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Draws of the base prompt, label by label."""

    images: NDArray[np.uint8]
    """(n, 64, 64, 3)."""
    right: NDArray[np.int64]
    """(n,): the place of each label among the names."""
    scenes: Sequence[Scene]

    def where(self, at: int, ground: str) -> NDArray[np.bool_]:
        """Tell which draws show a label on a ground."""
        return np.asarray((self.right == at) & np.array([scene.ground == ground for scene in self.scenes]))

    def taught(self, at: int, ground: str, becomes: int) -> NDArray[np.int64]:
        """Give what a careless annotator would say: a label on a ground is called another one."""
        return np.where(self.where(at, ground), becomes, self.right)


def sample(names: Sequence[str], each: int, first_seed: int) -> Sample:
    """Draw the base prompt of each label on the seeds from one on."""
    texts = [prompt(Label(name, KINDS[name]), TEMPLATE) for name in names for _ in range(each)]
    seeds = list(range(first_seed, first_seed + len(texts)))
    drawn = DioramaGenerator(size=SIZE).draw(texts, seeds)
    return Sample(
        images=np.stack([one.image for one in drawn]),
        right=np.repeat(np.arange(len(names)), each),
        scenes=[imagine(text, seed).scene for text, seed in zip(texts, seeds, strict=True)],
    )


def labels(names: Sequence[str]) -> list[str]:
    """Name classes as a hunt reads them: "coffee mug (cup)"."""
    return [f"{name} ({KINDS[name]})" for name in names]


class Net(nn.Module):
    """Four convolutions, a mean, and one layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        widths = ((3, 16, 2), (16, 32, 2), (32, 64, 2), (64, 96, 1))
        self.body = nn.Sequential(*(_block(*width) for width in widths))
        self.head = nn.Linear(96, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Score (n, 3, height, width): (n, classes)."""
        found: torch.Tensor = self.head(self.body(images).mean(dim=(2, 3)))
        return found


def make(classes: int) -> nn.Module:
    """Make the network; what `torch:` names as its factory."""
    return Net(classes)


def _block(given: int, width: int, stride: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(given, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


def as_input(images: NDArray[np.uint8]) -> torch.Tensor:
    """Make what a network takes: (n, 3, 64, 64)."""
    unit = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return (unit - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def train(network: nn.Module, images: NDArray[np.uint8], right: NDArray[np.int64], *, seed: int, passes: int) -> None:
    """Train a network from where it is; the seed decides the order, and how images are moved and mirrored."""
    dice = torch.Generator().manual_seed(seed)
    given, wanted = as_input(images), torch.from_numpy(right)
    steps = passes * (len(given) // _BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    network.train()
    for _ in range(passes):
        order = torch.randperm(len(given), generator=dice)
        for chosen in order[: len(given) // _BATCH * _BATCH].view(-1, _BATCH):
            moved = torch.randint(-_SHIFT, _SHIFT + 1, (2,), generator=dice).tolist()
            batch = given[chosen].roll(moved, (2, 3))
            batch = batch.flip(3) if torch.rand(1, generator=dice) < 1 / 2 else batch
            loss = nn.functional.cross_entropy(network(batch), wanted[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it without types
            optimiser.step()
            rates.step()
    network.eval()


def fails(network: nn.Module, drawn: Sample) -> NDArray[np.bool_]:
    """Tell which draws a network gets wrong, by its own library alone."""
    with torch.inference_mode():
        parts = [network(as_input(drawn.images[at : at + 256])) for at in range(0, len(drawn.images), 256)]
    return np.asarray(torch.cat(parts).argmax(1).numpy() != drawn.right)
