"""What `transformers` saves beside a model, for an ONNX file that was made of the same model.

Comes in: the file. Goes out: the recipe in `preprocessor_config.json`, carried out by the library that wrote it, and
the names in `config.json`; or what timm writes there. Neighbours: `_transformers.py` loads image processors;
`_images.py` has recipes of our own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.errors import FoibleError, PluginError, brief
from foible.parts.fingerprint import without_addresses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

_RECIPE, _CONFIG = "preprocessor_config.json", "config.json"
_LARGEST = 10_000_000
_PLAIN = (bool, int, float, str, list, dict, type(None))
_RANK = 4


@dataclass(frozen=True)
class Processor:
    """A recipe that `transformers` carries out; it is used as `_images.Recipe` is."""

    processor: Any
    layout: str
    size: tuple[int, int]
    """(height, width) of what it makes."""
    version: str

    def batch(self, images: Sequence[Image]) -> NDArray[Any]:
        """Make the input of a network, in its layout: float32."""
        made = _pixels(self.processor, images)
        return np.ascontiguousarray(made if self.layout == "nchw" else made.transpose(0, 2, 3, 1))

    def shown(self) -> dict[str, Any]:
        """Give what is known of it in the words of a `Recipe`."""
        from foible.adapters.transformers import models as shared  # here, as the library loads when it is first needed

        return {**shared.recipe(self.processor), "size": list(self.size)}

    def plain(self) -> dict[str, Any]:
        """Give the recipe as plain data, for the identity of a part."""
        said = {key: value for key, value in self.processor.to_dict().items() if isinstance(value, _PLAIN)}
        return {"size": list(self.size), "layout": self.layout, "recipe": json.loads(json.dumps(said, default=str))}


def file(path: Path, name: str) -> Path | None:
    """Find a file beside another, or above a folder `onnx` that holds it; None where there is none."""
    folders = [path.parent, *([path.parent.parent] if path.parent.name == "onnx" else [])]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def recipe_file(path: Path) -> Path | None:
    """Find the `preprocessor_config.json` that belongs to a model file."""
    return file(path, _RECIPE)


def processor(model: str, found: Path, layout: str) -> Processor:
    """Load an image processor, and see what size of input it makes.

    Args:
        model: as the user called it, for errors.
        found: its `preprocessor_config.json`.
        layout: of the network's input.

    Raises:
        PluginError: the file is broken, or says what the library does not know.
    """
    import PIL
    import transformers

    from foible.adapters.transformers.models import quiet

    try:
        with quiet():
            made = transformers.AutoImageProcessor.from_pretrained(found.parent, backend="pil", local_files_only=True)
            shape = _pixels(made, [np.zeros((64, 64, 3), np.uint8)]).shape
    except FoibleError:
        raise
    except Exception as error:
        told = brief(without_addresses(" ".join(str(error).split())), 160)
        message = (
            f"{model!r} has a {_RECIPE} beside it that cannot be used ({type(error).__name__}: {told}): mend it, or "
            "move it away and give the recipe as arguments"
        )
        raise PluginError(message) from error
    version = f"transformers {transformers.__version__}; pillow {PIL.__version__}"
    return Processor(made, layout, (int(shape[2]), int(shape[3])), version)


def config(path: Path) -> dict[str, Any]:
    """Read the `config.json` of a model file; empty where there is none that can be read."""
    found = file(path, _CONFIG)
    if found is None or found.stat().st_size > _LARGEST:
        return {}
    try:
        read = json.loads(found.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def names(path: Path) -> Any | None:
    """Give the names in the `config.json` of a model file: a mapping by index, or timm's list; None without any."""
    said = config(path)
    listed = said.get("id2label")
    if isinstance(listed, dict) and listed:
        return listed
    own = timms(path).get("label_names", said.get("label_names"))
    return own if isinstance(own, list) and own else None


def is_multi_label(path: Path) -> bool:
    """Tell whether the `config.json` of a model file says that an image may show several classes."""
    return config(path).get("problem_type") == "multi_label_classification"


def timms(path: Path) -> dict[str, Any]:
    """Give the recipe that timm writes into the `config.json` of a model file; empty where it wrote none."""
    said = config(path)
    own = said.get("pretrained_cfg", said)
    return own if isinstance(own, dict) and {"mean", "std", "input_size"} <= own.keys() else {}


def _pixels(made: Any, images: Sequence[Image]) -> NDArray[Any]:
    answer = made(images=list(images), return_tensors="np", input_data_format="channels_last")["pixel_values"]
    pixels: NDArray[Any] = np.asarray(answer, np.float32)
    if pixels.ndim != _RANK:
        message = f"it makes no batch of images, but an array of shape {pixels.shape}"
        raise ValueError(message)
    return pixels
