"""What a generator must be able to do that draws part of an image anew: one capability.

Comes in: prompts, images and masks. Goes out: images. Neighbours: `protocols.py` has the other capabilities;
`foible.counterfactual` asks for this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from foible.parts.protocols import Image


class Repaints(Protocol):
    """A generator that draws part of an image anew and leaves the rest as it is."""

    @property
    def unsteerable(self) -> str:
        """Why it can repaint nothing after all, as a clause; empty where it can."""
        ...

    @property
    def side(self) -> tuple[int, int]:
        """(height, width) of the images that it draws and repaints, in pixels."""
        ...

    @property
    def cell(self) -> int:
        """Pixels a side of the least square that it can repaint by itself; both sides are multiples of it."""
        ...

    def repaint(  # noqa: PLR0913, PLR0917 - what is repainted, where, and how
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        images: Sequence[Image],
        masks: Sequence[NDArray[np.bool_]],
        strength: float,
        steer: Callable[[torch.Tensor], torch.Tensor] | None = None,
        rates: Sequence[float] = (),
    ) -> torch.Tensor:
        """Draw anew what lies under the masks.

        Args:
            prompts: n texts: what the whole image should show then.
            seeds: n whole numbers.
            images: n, of `side`.
            masks: n arrays (height, width): True where an image may change.
            strength: how much noise it is drawn anew from; above 0, and at most 1, where nothing of what was there is
                left.
            steer: scores images (n, 3, height, width) of 0..1, which are the given ones outside the masks: (n,). Each
                step's foretold image is moved up its gradient, as long as it decides what is drawn.
            rates: n numbers: how far, as a share of the norm of what is moved.

        Returns:
            (n, 3, height, width), 0..1; outside the masks the given images.

        Raises:
            FloatingPointError: a gradient is not finite.
            PartError: a prompt is one that it cannot draw.
        """
        ...

    def contrast(self, prompt: str, other: str, seeds: Sequence[int], image: Image) -> NDArray[np.float32]:
        """Say where an image would change most were it drawn for another prompt: (height, width), 0 or more.

        The mean over the seeds of how far apart the foretold images of two prompts are (DiffEdit, arXiv 2210.11427).
        """
        ...
