"""Which pixels a classifier's answer hangs on, by the library captum.

Comes in: a classifier, an image, what its answer should become. Goes out: a number for each pixel. Neighbour:
`regions.py` makes masks of them. What an answer hangs on says where to look first, and no more: what turns it is found
by changing it (`search.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from foible.attributions import How
from foible.errors import PluginError
from foible.guiding.aim import Aim, margins
from foible.guiding.followed import eight_bits
from foible.guiding.sight import Sight

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from foible.parts.protocols import Image

Attribution = How

_COPIES, _NOISE = 16, 0.1
"""Disturbed copies over which gradients are averaged, and the standard deviation of their noise on the scale 0..1."""
_WINDOW = 8
"""An eighth of each side is covered at once, and the cover moves by half of itself."""
_BATCH = 32


def attribute(sight: Sight, image: Image, aim: Aim, how: Attribution) -> NDArray[np.float64]:
    """Say how much the margin to an answer hangs on each pixel: (height, width), 0 or more.

    Args:
        sight: the classifier.
        image: (height, width, 3).
        aim: the answer.
        how: "gradients": of the input, averaged over disturbed copies (SmoothGrad, arXiv 1706.03825). "occlusion": how
            the margin changes where grey covers the image (Zeiler and Fergus, arXiv 1311.2901), for any classifier.

    Raises:
        FloatingPointError: a gradient is not finite, or there is no answer.
        PluginError: captum is not installed; or the classifier has no gradients, and these are wanted.
    """
    wants_captum()
    from captum.attr import NoiseTunnel, Occlusion, Saliency

    given = torch.from_numpy(image.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    if how == "gradients":
        made = NoiseTunnel(Saliency(lambda batch: margins(sight.scores(batch), [aim] * len(batch))))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # captum takes no generator
            found = made.attribute(
                given.requires_grad_(), nt_samples=_COPIES, nt_samples_batch_size=_COPIES, stdevs=_NOISE
            )
    else:
        window = tuple(max(1, side // _WINDOW) for side in image.shape[:2])
        steps = tuple(max(1, side // 2) for side in window)
        found = Occlusion(lambda batch: _exact(sight, batch, aim)).attribute(
            given, (3, *window), strides=(3, *steps), baselines=0.5, perturbations_per_eval=_BATCH
        )
    numbers = found.detach().abs().sum(dim=1)[0].double().cpu().numpy()
    if not np.isfinite(numbers).all():
        message = "the gradient of the classifier is not finite (NaN); look by occlusion, which needs none"
        raise FloatingPointError(message)
    return np.asarray(numbers, np.float64)


def wants_captum() -> None:
    """Refuse to go on without the library.

    Raises:
        PluginError: it is not installed; the sentence says how to get it.
    """
    try:
        import captum.attr  # noqa: F401 - whether it is there
    except ModuleNotFoundError as error:
        message = f"explaining an image wants the package {error.name}: pip install 'foible[explain]'"
        raise PluginError(message) from error


def _exact(sight: Sight, batch: Tensor, aim: Aim) -> Tensor:
    """Say the margins of images as they are kept; where there is no answer, that of the least.

    Raises:
        FloatingPointError: there is none at all.
    """
    found = margins(sight.exact(eight_bits(batch)), [aim] * len(batch))
    finite = found[found.isfinite()]
    if not len(finite):
        message = "the classifier gives no answer to the image"
        raise FloatingPointError(message)
    return found.nan_to_num(nan=float(finite.min()))
