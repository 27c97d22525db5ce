"""From images to the numbers that a network takes, for the formats that do not say how themselves.

Comes in: images of any size. Goes out: an array (n, side, side, 3) or (n, 3, side, side), as whole pixels or as scaled
numbers. Neighbours: `timm` and `transformers` bring preprocessing of their own, which their adapters use.

The defaults are the recipe of torchvision's classifiers: shorter side to size / crop, centre crop, mean and standard
deviation of ImageNet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Picture

from foible.errors import ArgumentError, brief, near

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's training images, each channel 0..1."""
CROP = 0.875
BY_FILE = "by file"
"""Stands for a crop that nobody gave: null means to squeeze."""
SIZE = 224
_OF_IMAGENET = (1000, 1001)
LAYOUTS = ("nchw", "nhwc")
CHANNELS = {"rgb": 3, "bgr": 3, "grey": 1}
"""What the channels of an input are, and how many."""
_FILTERS = {"bilinear": Picture.Resampling.BILINEAR, "bicubic": Picture.Resampling.BICUBIC}
_LARGEST = 4096
_LEVELS = 255


@dataclass(frozen=True)
class Recipe:
    """How an image becomes the input of a network."""

    size: tuple[int, int]
    """(height, width) of the input."""
    crop: float | None
    """Share of the shorter side that the input shows, from the centre; None squeezes the whole image into it."""
    mean: tuple[float, ...] | None
    """Taken from the channels, in their order, which are 0..1 then; None leaves whole pixels 0..255."""
    std: tuple[float, ...] | None
    """What the channels are divided by then."""
    layout: str
    """`nchw` or `nhwc`."""
    interpolation: str
    """`bilinear` or `bicubic`."""
    channels: str = "rgb"
    """`rgb`, `bgr` or `grey`."""

    version = ""
    """Of the libraries that carry it out, where they are others than foible's own."""

    def plain(self) -> dict[str, Any]:
        """Give the recipe as plain data, for the identity of a part."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def shown(self) -> dict[str, Any]:
        """Give it as it is shown to a person."""
        return self.plain()

    def pixels(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """Resize and crop: uint8 (n, height, width, channels)."""
        cut = np.stack([self._fit(image) for image in images])
        if self.channels == "grey":
            return cut[..., np.newaxis]
        return cut[..., ::-1] if self.channels == "bgr" else cut

    def batch(self, images: Sequence[Image]) -> NDArray[Any]:
        """Make the input of a network, in its layout: uint8 where there is no mean, else float32."""
        cut: NDArray[Any] = self.pixels(images)
        if self.mean is not None and self.std is not None:
            unit = cut.astype(np.float32) / np.float32(_LEVELS)
            cut = (unit - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(cut.transpose(0, 3, 1, 2) if self.layout == "nchw" else cut)

    def _fit(self, image: Image) -> Image:
        high, wide = self.size
        how = _FILTERS[self.interpolation]
        picture = Picture.fromarray(image)
        if self.channels == "grey":
            picture = picture.convert("L")
        if self.crop is None:
            return np.asarray(picture.resize((wide, high), how))
        # The side that is shorter for this shape of input becomes size / crop, and the other follows, in whole numbers.
        wanted, given = int(high / self.crop), picture.height
        if int(wide / self.crop) * picture.height > wanted * picture.width:
            wanted, given = int(wide / self.crop), picture.width
        fitted = picture.resize((picture.width * wanted // given, picture.height * wanted // given), how)
        left, top = round((fitted.width - wide) / 2), round((fitted.height - high) / 2)
        return np.asarray(fitted.crop((left, top, left + wide, top + high)))


@dataclass(frozen=True)
class Given:
    """What the user said of a recipe, where the file may say the rest."""

    size: int | Sequence[int] | None
    crop: float | str | None
    mean: Sequence[float] | float | None
    std: Sequence[float] | float | None
    pixel_range: Sequence[float] | None
    interpolation: str | None
    channels: str | None

    @property
    def says_range(self) -> bool:
        """Whether it says how pixels become numbers."""
        return any(one is not None for one in (self.mean, self.std, self.pixel_range))

    def is_whole(self, model: str, file: str) -> bool:
        """Say whether this takes the place of the recipe in a file: all of it does, nothing does not.

        Raises:
            ArgumentError: only part of a recipe is given, so the rest would have to be guessed.
        """
        rest = (self.interpolation, self.channels, self.size)
        if self.says_range and self.crop != BY_FILE:
            return True
        if not self.says_range and self.crop == BY_FILE and all(one is None for one in rest):
            return False
        message = (
            f"{model!r} has a recipe of its own ({file} beside it): leave out all of size, crop, mean, std, "
            "pixel_range, interpolation and channels, or give another recipe with at least crop, and pixel_range or "
            "mean and std"
        )
        raise ArgumentError(message)

    def guessed(self, *, whole_pixels: bool, channels: str) -> list[str]:
        """List the parts that nobody told, where the file says none of them.

        Args:
            whole_pixels: whether the input takes 0..255, so that there is nothing to scale.
            channels: what they are; one channel is grey in any case.
        """
        told = {
            "crop": self.crop != BY_FILE,
            "mean": whole_pixels or self.says_range,
            "std": whole_pixels or self.says_range,
            "channels": self.channels is not None or channels == "grey",
            "interpolation": self.interpolation is not None,
        }
        return [part for part, known in told.items() if not known]


def channels(model: str, count: int | None, given: str | None) -> str:
    """Say what the channels of an input are: what was given, if it has so many, or grey for one and RGB for three.

    Raises:
        ArgumentError: the input has another number of channels.
    """
    found = given or ("grey" if count == 1 else "rgb")
    if found in CHANNELS and count not in (None, CHANNELS[found]):
        message = f"{model!r} takes images of {count} channel{'s' * (count != 1)}, which are not {found!r}; "
        raise ArgumentError(message + near("", [name for name, many in CHANNELS.items() if many == count]))
    return found


def sides(model: str, known: Sequence[int | None], given: int | Sequence[int] | None) -> tuple[list[int], bool]:
    """Give the sides of an input, and whether they are assumed: those of the file, else those given, else 224.

    Raises:
        ArgumentError: the file says another size than was given.
    """
    wanted = [given] * len(known) if isinstance(given, int) or given is None else list(given)
    both = len(wanted) == len(known)
    if given is not None and (not both or any(a not in (None, b) for a, b in zip(known, wanted, strict=True))):
        told = " x ".join("any" if side is None else str(side) for side in known)
        message = f"{model!r} takes images of {told} pixels (height x width), but the argument size is "
        raise ArgumentError(message + f"{brief(repr(given), 40)}: leave it out, or give one that fits")
    made = [(one if one is not None else other) or SIZE for one, other in zip(known, wanted, strict=True)]
    return made, given is None and None in known


def must_know_size(model: str, classes: int, *, assumed: bool) -> None:
    """Refuse an assumed size where it is no custom.

    Raises:
        ArgumentError: as the summary says.
    """
    if assumed and classes not in _OF_IMAGENET:
        message = (
            f"{model!r} takes images of any size, and does not say on which it was trained: give size, a side in "
            "pixels or [height, width]"
        )
        raise ArgumentError(message)


def of_which_range(model: str) -> str:
    """Give the sentence about an input whose range is not known."""
    return (
        f"{model!r} takes floats but does not say of which range: give pixel_range, such as [-1, 1], [0, 1] or "
        "[0, 255], or mean and std"
    )


def recipe(  # noqa: PLR0913 - each is an argument that the user may name
    model: str,
    *,
    size: int | Sequence[int],
    crop: float | str | None = CROP,
    mean: Sequence[float] | float | None = MEAN,
    std: Sequence[float] | float | None = STD,
    pixel_range: Sequence[float] | None = None,
    layout: str = "nchw",
    interpolation: str = "bilinear",
    channels: str = "rgb",
) -> Recipe:
    """Check the arguments of a recipe.

    Args:
        model: as the user called it, for errors.
        size: side of the input, or (height, width).
        crop: as `Recipe.crop`; `BY_FILE` where nobody said it.
        mean: as `Recipe.mean`; with `std`, both or neither.
        std: as `Recipe.std`.
        pixel_range: (low, high): what black and white become; says the same as mean and std, and goes before them.
        layout: `nchw` or `nhwc`.
        interpolation: `bilinear` or `bicubic`.
        channels: `rgb`, `bgr` or `grey`; mean and std are in the order of these, one number for grey.

    Raises:
        ArgumentError: a value that cannot be.
    """
    sides = (size, size) if isinstance(size, int) else tuple(size)
    if len(sides) != 2 or not all(isinstance(side, int) and 1 <= side <= _LARGEST for side in sides):  # noqa: PLR2004 - height and width
        raise ArgumentError(_wrong(model, "size", "a side in pixels, or [height, width]", size))
    crop = CROP if crop == BY_FILE else crop
    if isinstance(crop, str) or not (crop is None or 0 < crop <= 1):
        raise ArgumentError(_wrong(model, "crop", "a share above 0 and up to 1, or null to squeeze", crop))
    choices = (
        ("layout", layout, LAYOUTS),
        ("interpolation", interpolation, _FILTERS),
        ("channels", channels, CHANNELS),
    )
    for name, value, known in choices:
        if value not in known:
            message = f"{model!r} takes no {name} {brief(value)!r}; {near(str(value), known)}"
            raise ArgumentError(message)
    if pixel_range is not None:
        mean, std = _of_range(model, pixel_range, CHANNELS[channels])
    elif (mean is None) != (std is None):
        message = f"{model!r} needs mean and std together, or neither for whole pixels 0..255"
        raise ArgumentError(message)
    means, stds = (_each(model, name, value, CHANNELS[channels]) for name, value in (("mean", mean), ("std", std)))
    if stds is not None and min(stds) <= 0:
        raise ArgumentError(_wrong(model, "std", "numbers above 0, one a channel", std))
    height, width = sides
    return Recipe((height, width), None if crop is None else float(crop), means, stds, layout, interpolation, channels)


def _of_range(model: str, pixel_range: Sequence[float], channels: int) -> tuple[list[float], list[float]]:
    """Say a range of values as mean and standard deviation."""
    if len(pixel_range) != 2 or not all(map(_finite, pixel_range)) or pixel_range[0] >= pixel_range[1]:  # noqa: PLR2004 - low and high
        raise ArgumentError(_wrong(model, "pixel_range", "[low, high], such as [0, 255] or [-1, 1]", pixel_range))
    low, high = pixel_range
    return [-low / (high - low)] * channels, [1 / (high - low)] * channels


def _each(model: str, name: str, value: Sequence[float] | float | None, channels: int) -> tuple[float, ...] | None:
    if value is None:
        return None
    numbers = [value] if isinstance(value, int | float) else value
    if isinstance(numbers, str) or len(numbers) != channels or not all(map(_finite, numbers)):
        wanted = "three numbers, one a channel" if channels > 1 else "one number, for the one channel"
        raise ArgumentError(_wrong(model, name, f"{wanted}, on the scale 0..1", value))
    return tuple(map(float, numbers))


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _wrong(model: str, name: str, wanted: str, got: object) -> str:
    return f"the argument {name} of {model!r} is {wanted}, but got {brief(repr(got), 60)}"
