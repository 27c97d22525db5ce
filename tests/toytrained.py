"""A classifier of the toy world that can be trained: one layer over what is read from an image.

Its features are each label, each label on each ground, and each label in each texture by each light. With the weights
that it comes with it makes the mistakes of `toyworld.Classifier`. Others of its kind see two things as one, or break
when they are trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import toyworld
from foible.diorama.scene import Scene
from foible.diorama.vocabulary import ATTRIBUTES
from foible.records import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

Seen = tuple[str, str, str, str]
"""Label, ground, texture and light."""

LABELS = len(toyworld.PLAIN)
GROUNDS, TEXTURES, LIGHTS = ([value.word for value in ATTRIBUTES[name]] for name in ("ground", "texture", "light"))
FEATURES = LABELS * (1 + len(GROUNDS) + len(TEXTURES) * len(LIGHTS))


class Net(torch.nn.Module):
    """One layer."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(FEATURES, LABELS)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Score (n, features): (n, classes)."""
        scores: torch.Tensor = self.head(given)
        return scores


class Brittle(Net):
    """Its scores are no numbers any more once its weights have moved."""

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """Score as long as nothing has moved."""
        moved = (self.head.weight.detach() - mistaken()).abs().max() > 0
        return super().forward(given) * (float("nan") if moved else 1.0)


class Toy:
    """The mistakes of the toy world's classifier, in weights."""

    labels = toyworld.NAMES
    untrainable = ""
    kind: type[Net] = Net

    def __init__(self, path: str = "") -> None:
        """Take the weights it comes with, or those of a file."""
        torch.set_num_threads(1)
        self.network = self.kind().eval().requires_grad_(requires_grad=False)
        weights = load_file(path) if path else {"head.weight": mistaken(), "head.bias": torch.zeros(LABELS)}
        self.network.load_state_dict(weights)

    def classify(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Score each class."""
        with torch.inference_mode():
            scores: NDArray[np.float32] = self.logits(self.prepare(images)).numpy()
        return scores

    def last_layer(self) -> tuple[str, ...]:
        """Name its one layer."""
        return "head.weight", "head.bias"

    def prepare(self, images: Sequence[Image]) -> torch.Tensor:
        """Read what is seen: (n, features)."""
        return torch.from_numpy(np.stack([features(self.seen(toyworld.read(image))) for image in images]))

    def seen(self, scene: Scene) -> Seen:
        """Say what of a scene reaches the layer."""
        return scene.label, scene.ground, scene.texture, scene.light

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Score what was read."""
        scores: torch.Tensor = self.network(batch)
        return scores

    def save(self, folder: Path) -> Spec:
        """Write the weights."""
        save_file(self.network.state_dict(), folder / "toy.safetensors")
        return Spec(f"python:{__name__}:{type(self).__name__}", {"path": str(folder / "toy.safetensors")})


class Colliding(Toy):
    """Sees a mug on grass and a bottle on snow as one thing, and calls both a bottle."""

    def seen(self, scene: Scene) -> Seen:
        """Take a mug on grass for a bottle on snow."""
        one = ("coffee mug", "grass"), ("water bottle", "snow")
        alike = (scene.label, scene.ground) in one
        return ("water bottle", "snow", "plain", "daylight") if alike else super().seen(scene)


class Breaking(Toy):
    """Diverges."""

    kind = Brittle


class Fixed(toyworld.Classifier):
    """Makes the same mistakes, and cannot be trained."""


def features(seen: Seen) -> NDArray[np.float32]:
    """Give what reaches the layer: float32 (features,)."""
    label, ground, texture, light = seen
    at = toyworld.PLAIN.index(label)
    places = (
        at,
        LABELS + at * len(GROUNDS) + GROUNDS.index(ground),
        LABELS * (1 + len(GROUNDS))
        + (at * len(TEXTURES) + TEXTURES.index(texture)) * len(LIGHTS)
        + LIGHTS.index(light),
    )
    found = np.zeros(FEATURES, np.float32)
    found[list(places)] = 1
    return found


def mistaken() -> torch.Tensor:
    """Give the weights that make the mistakes of the toy world's classifier."""
    weights = torch.zeros(LABELS, FEATURES)
    for label in range(LABELS):
        weights[label, label] = 3.0
    mug, bucket, bottle, vase = map(toyworld.PLAIN.index, ("coffee mug", "bucket", "water bottle", "vase"))
    weights[bucket, LABELS + mug * len(GROUNDS) + GROUNDS.index("grass")] = 6.0
    striped_at_night = LABELS * (1 + len(GROUNDS))
    striped_at_night += (bottle * len(TEXTURES) + TEXTURES.index("striped")) * len(LIGHTS) + LIGHTS.index("night")
    weights[vase, striped_at_night] = 6.0
    return weights
