"""The diorama as a generator: prompts and seeds in, images out.

It joins `scene` (what to draw) and `render` (drawing it), and satisfies `foible.parts.protocols.Generator`.
"""

from __future__ import annotations

from collections.abc import Sequence

from foible.errors import ArgumentError
from foible.records import Drawn

from .render import SIZES, render
from .scene import imagine

WORLD_VERSION = 1
"""Raised whenever any (prompt, seed, size) draws other pixels than before; part of a draw's key."""


class DioramaGenerator:
    """Draws any text, at one size; each image depends on its own prompt and seed alone."""

    def __init__(self, size: int = 64) -> None:
        """Make a generator of `size` x `size` images.

        Raises:
            ArgumentError: `size` is not an integer from 64 to 256.
        """
        if isinstance(size, bool) or not isinstance(size, int) or size not in SIZES:
            raise ArgumentError(f"expected a size of 64 to 256 pixels, got {size!r}")
        self.size = size

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Drawn]:
        """Draw one image per prompt and seed.

        Args:
            prompts: any texts; words that mean nothing here are reported with the image.
            seeds: as many integers.

        Returns:
            One `Drawn` per prompt, in order: (size, size, 3) uint8, and the ignored words.

        Raises:
            ArgumentError: the two sequences differ in length.
        """
        if len(prompts) != len(seeds):
            raise ArgumentError(f"expected one seed per prompt, got {len(seeds)} for {len(prompts)} prompts")
        imagined = [imagine(prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        images = render([one.scene for one in imagined], seeds, self.size)
        return [Drawn(image, one.ignored) for image, one in zip(images, imagined, strict=True)]
