"""Lets a gradient through what makes the input of a network of an image, whatever library does that.

Comes in: the function that prepares images, images with gradients. Goes out: the input. Neighbours: `sight.py` and
`terms.py` ask networks with it.

How a network's images are prepared is its adapter's own, in a library that knows no gradients. So the numbers that the
network is given are exactly those, and the gradient goes through a map that was read off seven test pictures: where
each number of the input comes from, and how it hangs on the three channels. No recipe needs to be known for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from foible.errors import PluginError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from foible.parts.protocols import Image

Prepare = Callable[[Sequence["Image"]], "Tensor"]
WITHOUT = "the methods select and evolve need none"
_LEVELS = 255
_UNLIKE = 0.25
"""Share of the spread of a picture's numbers by which the map may miss them."""
_CHANNELS = (1, 3)


class Followed:
    """Prepares images as a network's own library does, with gradients."""

    def __init__(self, prepare: Prepare, whose: str) -> None:
        """Take what prepares images, and whose it is, for sentences: "the classifier x"."""
        self._prepare, self._whose = prepare, whose
        self._maps: dict[tuple[int, int], _Map] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Make the input of the network of images (n, 3, height, width) of 0..1.

        Raises:
            PluginError: they are prepared in a way that cannot be followed.
        """
        size = (int(images.shape[-2]), int(images.shape[-1]))
        if size not in self._maps:
            self._maps[size] = _map_of(self._prepare, size, self._whose)
        given = self._prepare(eight_bits(images))
        near = self._maps[size](images.to(given.device, torch.float32))
        # The value of what is given, the gradient of what is near it.
        return given.float() + near - near.detach()


def eight_bits(images: Tensor) -> list[NDArray[np.uint8]]:
    """Make the images that are kept and shown of numbers 0..1 (n, 3, height, width)."""
    whole = (images.detach().float().cpu().numpy() * _LEVELS).round().clip(0, _LEVELS).astype(np.uint8)
    return [np.ascontiguousarray(one.transpose(1, 2, 0)) for one in whole]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    """How the input of a network comes from an image of one size."""

    shrunk: tuple[int, int]
    """What the image is shrunk to before it is sampled, so that no pixel is passed over."""
    grid: Tensor
    """(1, height, width, 2): where in the image each number comes from, -1..1."""
    mix: Tensor
    """(channels, 3)."""
    bias: Tensor
    """(1, channels, height, width): what a black image becomes."""
    last: bool
    """Whether the channels stand last."""

    def __call__(self, images: Tensor) -> Tensor:
        """Prepare images (n, 3, height, width) of 0..1, nearly as the network's own library does, with gradients."""
        if self.shrunk != tuple(images.shape[-2:]):
            images = functional.interpolate(images, self.shrunk, mode="bilinear", antialias=True, align_corners=False)
        grid = self.grid.expand(len(images), -1, -1, -1)
        seen = functional.grid_sample(images, grid, align_corners=True, padding_mode="border")
        mixed = torch.einsum("cd,ndhw->nchw", self.mix, seen) + self.bias
        return mixed.permute(0, 2, 3, 1) if self.last else mixed


def _map_of(prepare: Prepare, size: tuple[int, int], whose: str) -> _Map:
    """Read off test pictures how images are prepared.

    Raises:
        PluginError: it does so in no such way.
    """
    high, wide = size
    across = np.broadcast_to(np.linspace(0, _LEVELS, wide), size)
    down = np.broadcast_to(np.linspace(0, _LEVELS, high)[:, None], size)
    plain = [np.zeros((high, wide, 3)) for _ in range(4)]
    for channel in range(3):
        plain[channel + 1][..., channel] = _LEVELS
    test = np.random.default_rng(0).integers(0, _LEVELS, (max(high // 8, 1), max(wide // 8, 1), 3))
    rows, columns = (np.arange(side) * of // side for side, of in zip(size, test.shape[:2], strict=True))
    pictures = [*plain, np.stack([across] * 3, -1), np.stack([down] * 3, -1), test[rows][:, columns]]
    given = prepare([one.round().astype(np.uint8) for one in pictures])
    last = given.ndim == 4 and given.shape[1] not in _CHANNELS  # noqa: PLR2004 - images, channels, rows, columns
    if given.ndim != 4 or (last and given.shape[-1] not in _CHANNELS):  # noqa: PLR2004 - as above
        raise PluginError(_unfollowed(whose))
    numbers = (given.permute(0, 3, 1, 2) if last else given).float()
    black, *colours, right, below, picture = numbers
    mix = torch.stack([(one - black).mean(dim=(1, 2)) for one in colours], dim=1)
    grey = mix.sum(1).reshape(-1, 1, 1)
    best = int(grey.abs().argmax())
    ways = [((one - black)[best] / grey[best]).clamp(0, 1) for one in (right, below)]
    x, y = ways[0].mean(0), ways[1].mean(1)
    grid = torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))], dim=-1)[None] * 2 - 1
    found = _Map(
        shrunk=(_shrunk(high, y), _shrunk(wide, x)), grid=grid, mix=mix, bias=black[None], last=last
    )  # fmt: skip
    image = torch.from_numpy(pictures[-1].astype(np.float32).transpose(2, 0, 1)[None] / _LEVELS).to(given.device)
    made = found(image)
    made = made.permute(0, 3, 1, 2) if last else made
    if not bool((made[0] - picture).abs().mean() <= _UNLIKE * picture.std()):
        raise PluginError(_unfollowed(whose))
    return found


def _shrunk(side: int, places: Tensor) -> int:
    """Say to how many pixels a side is shrunk for its pixels to stand as close as the places that are read."""
    read = float(places.max() - places.min()) * side
    step = read / max(len(places), 1)
    return max(round(side / step), 1) if step > 1 else side


def _unfollowed(whose: str) -> str:
    return f"how {whose} prepares an image cannot be followed with gradients; {WITHOUT}"
