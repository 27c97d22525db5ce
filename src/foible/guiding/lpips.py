"""How far apart two images look, by LPIPS.

Comes in: pairs of images. Goes out: a number for each, 0 where they are the same. Zhang and others, "The unreasonable
effectiveness of deep features as a perceptual metric" (arXiv 1801.03924), by the library `torchmetrics`. The networks
are torchvision's, which fetches their weights once and keeps them. Neighbours: `terms.py` keeps draws near by it;
`foible explain` says it of what it changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

from foible.errors import PluginError, brief

if TYPE_CHECKING:
    from torch import Tensor

Network = Literal["squeeze", "alex", "vgg"]
NETWORKS: tuple[str, ...] = get_args(Network)
Distance = Callable[["Tensor", "Tensor"], "Tensor"]
"""Of images (n, 3, height, width), 0..1, and as many others: (n,), with gradients."""


@lru_cache(maxsize=len(NETWORKS))
def lpips(network: str) -> Distance:
    """Load one of `NETWORKS`.

    Raises:
        PluginError: the library is not installed, or the weights are not here and cannot be fetched.
    """
    try:
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        metric = LearnedPerceptualImagePatchSimilarity(net_type=network, normalize=True)  # type: ignore[arg-type] # checked
    except ModuleNotFoundError as error:
        message = f'LPIPS wants the package {error.name}: pip install "foible[lpips]"'
        raise PluginError(message) from error
    except (OSError, RuntimeError, ValueError) as error:
        message = (
            f"the weights of LPIPS's network {network!r} are not on this machine and could not be fetched "
            f"({brief(str(error), 120)}); run it once with access to the internet, or leave LPIPS out"
        )
        raise PluginError(message) from error
    own = metric.net.eval().requires_grad_(requires_grad=False)

    def distance(images: Tensor, others: Tensor) -> Tensor:
        own.to(images.device)
        try:
            found: Tensor = own(images.float(), others.to(images).float(), normalize=True).flatten()
        except RuntimeError as error:
            high, wide = images.shape[-2:]
            message = (
                f"LPIPS's network {network!r} takes no images of {wide} by {high} pixels ({brief(str(error), 80)})"
            )
            raise PluginError(f"{message}; name another network, or leave LPIPS out") from error
        return found

    return distance
