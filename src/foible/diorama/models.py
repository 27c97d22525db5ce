"""Where the diorama's trained models lie: a name in, the folder of its weights out.

Nothing is loaded here: each folder is read by the same adapters as any `transformers` model. The
scripts that made the weights are in `training/`, and each folder's README says what was measured.
"""

from __future__ import annotations

from pathlib import Path

NAMES: tuple[str, ...] = (
    "captioner",
    "embedder",
    "reference",
    "biased-resnet",
    "biased-convnext",
    "biased-mobilenet",
)
"""Every model that ships with the diorama, besides the diffusion pipeline."""
PIPELINE = "diffusion"
"""The folder of the diffusion pipeline, which `diffusers` reads."""

_FOLDER = Path(__file__).parent / "weights"


def weights(name: str) -> Path:
    """The folder of one model's weights; it has what `from_pretrained` needs and a README.

    Raises KeyError, with the names there are, for a name that is neither `PIPELINE` nor one of `NAMES`.
    """
    if name not in NAMES and name != PIPELINE:
        raise KeyError(f"the diorama has no model {name!r}; it has {', '.join(NAMES)}")
    return _FOLDER / name
