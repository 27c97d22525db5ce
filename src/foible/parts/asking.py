"""Asks a part and checks its answers: one entry per element, the value or the fault.

Comes in: a part (or its bare object) and a batch. Goes out: a list as long as the batch. What a part gets wrong costs
the elements concerned and no others: a batch that raises, or that comes back with the wrong count or shape, is asked
again one by one. Nothing is mended in silence. Neighbours: `registry.py` loads parts; the stages turn a `Fault` into
an *unscored* outcome, which is counted by its reason, so reasons are short and the same from run to run.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from foible.errors import AccessError, OutOfTime, PartError, PassingError, brief
from foible.parts.answers import WORDLESS
from foible.parts.answers import answer as answer_alone
from foible.parts.fingerprint import without_addresses
from foible.parts.protocols import AnySize, offers
from foible.parts.registry import METHODS, Part
from foible.records import Drawn, Fault, Judgement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foible.parts.protocols import Image
    from foible.records import Label

T = TypeVar("T")

_OTHER = {"U": "text", "S": "bytes", "O": "objects", "b": "booleans", "c": "complex numbers"}

LONGEST_CAPTION = 300
"""Characters after which a caption is cut."""
LARGEST_COUNT = 2**53
"""Of images that were sampled for one: far beyond any search."""
FAINTEST = 8
"""Levels of 255 by which some channel of an image must vary for it to show anything: black that was encoded with loss
varies by a few; the darkest of 120 night scenes of the diorama by 82."""


class Broken(Exception):  # noqa: N818 - says what happened to a batch; it never leaves this file's callers
    """A whole batch came back unusable."""

    passing = False
    """As in `Fault`."""


def ask_generator(
    part: Any, prompts: Sequence[str], seeds: Sequence[int], size: int | tuple[int, int] | None = None
) -> list[Drawn | Fault]:
    """Draw n images.

    Args:
        part: a generator.
        prompts: n texts.
        seeds: n whole numbers.
        size: what every image must measure: a side, or (height, width). Where it is None, the first good image tells.
    """
    wanted = (size, size) if isinstance(size, int) else size
    drawn = _ask("generator", part, [prompts, seeds], drawings)
    source = part.object if isinstance(part, Part) else part
    if offers(source, AnySize) and source.any_size:
        return drawn
    if wanted is None:
        wanted = next((one.image.shape[:2] for one in drawn if isinstance(one, Drawn)), (0, 0))
    return [_of_size(one, wanted) for one in drawn]


def ask_classifier(part: Any, images: Sequence[Image], classes: int | None = None) -> list[NDArray[np.float64] | Fault]:
    """Score n images: float64 vectors, all of one length (of `classes`, where that is known), all finite."""
    return _vectors("classifier", part, images, classes)


def ask_captioner(part: Any, images: Sequence[Image]) -> list[str | Fault]:
    """Caption n images: one line each, without control characters, of 1 to 300 characters."""
    return _ask("captioner", part, [images], captions)


def ask_embedder(part: Any, images: Sequence[Image]) -> list[NDArray[np.float64] | Fault]:
    """Embed n images: float64 vectors, all of one length, all finite."""
    return _vectors("embedder", part, images, None)


def ask_judge(part: Any, images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement | Fault]:
    """Judge n images, each against its own label. A bare boolean becomes a judgement of score 0 or 1."""
    return _ask("judge", part, [images, labels], judgements)


# --- asking ------------------------------------------------------------------------------------------------------


def call(kind: str, part: Any, columns: Sequence[Sequence[Any]]) -> Any:
    """Call the one method of a part on copies of its inputs, so that it cannot spoil them.

    Raises:
        Broken: the part raised an exception, which is told in the message.
    """
    name = METHODS[kind][0]
    target = part.object if isinstance(part, Part) else part
    ask = getattr(target, name, target)
    given = [[item.copy() if hasattr(item, "dtype") else item for item in column] for column in columns]
    try:
        answer = ask(*given)
        return _listed(answer, len(given[0]))
    except (AccessError, OutOfTime):  # no image is at fault: the hunt stops here, and goes on later
        raise
    except Exception as error:
        broken = Broken(_raised(kind, error))
        broken.passing = isinstance(error, PassingError)
        raise broken from error


def _listed(answer: Any, count: int) -> Any:
    """Run an iterator to its end here, where what it raises is still the part's own doing."""
    lazy = isinstance(answer, Iterable) and not hasattr(answer, "__len__")
    return list(islice(answer, count + 1)) if lazy else answer


def _ask(
    kind: str,
    part: Any,
    columns: Sequence[Sequence[Any]],
    read: Callable[[str, Any, int], list[T | Fault]],
) -> list[T | Fault]:
    """Ask for the batch; where that is no use, ask for each element alone."""
    count = len(columns[0])
    if any(len(column) != count for column in columns):
        message = f"the columns of a batch differ in length: {[len(column) for column in columns]}"
        raise ValueError(message)
    if count == 0:
        return []
    try:
        return read(kind, call(kind, part, columns), count)
    except Broken as broken:
        if count == 1:
            return [Fault(str(broken), broken.passing)]
    singles: list[T | Fault] = []
    for row in range(count):
        singles += _ask(kind, part, [[column[row]] for column in columns], read)
    return singles


def _vectors(kind: str, part: Any, images: Sequence[Image], length: int | None) -> list[NDArray[np.float64] | Fault]:
    """Ask for vectors; those asked for singly must agree with each other too."""
    found = _ask(kind, part, [images], lambda kind, answer, count: vectors(kind, answer, count, length))
    agreed = next((len(one) for one in found if not isinstance(one, Fault)), 0)
    return [
        one if isinstance(one, Fault) or len(one) == agreed else Fault(_shape(kind, (1, agreed), (1, len(one))))
        for one in found
    ]


# --- reading: what came back, of n elements ----------------------------------------------------------------------


def rows(kind: str, answer: Any, count: int) -> list[Any]:
    """Take an answer apart into its elements.

    Raises:
        Broken: there are not as many as were asked for.
    """
    noun = {"generator": "image", "captioner": "caption", "judge": "judgement"}[kind]
    wanted = f"{kind}: wanted {count} {noun}{'s' if count > 1 else ''}"
    if answer is None:
        message = f"{wanted}, got nothing"
        raise Broken(message)
    if isinstance(answer, str | bytes | dict) or not hasattr(answer, "__len__") or not hasattr(answer, "__getitem__"):
        message = f"{wanted} in a list, got {_kind(answer)}"
        raise Broken(message)
    if getattr(answer, "shape", None) == () or len(answer) != count:
        message = f"{wanted}, got {'one number' if getattr(answer, 'shape', None) == () else len(answer)}"
        raise Broken(message)
    return list(answer)


def drawings(kind: str, answer: Any, count: int) -> list[Drawn | Fault]:
    """Read the answer of a generator."""
    if hasattr(answer, "mode") and hasattr(answer, "convert"):
        message = f"{kind}: wanted a list of {count}, got one image"
        raise Broken(message)
    return [_told(kind, one) or _drawing(one) for one in rows(kind, answer, count)]


def vectors(kind: str, answer: Any, count: int, length: int | None) -> list[NDArray[np.float64] | Fault]:
    """Read the answer of a classifier or an embedder: a matrix.

    Raises:
        Broken: it is no matrix of numbers with a row for each element and, where it is known, a column for each class.
    """
    import numpy as np

    wanted = f"({count}, {'n' if length is None else length})"
    if answer is None:
        message = f"{kind}: wanted numbers of shape {wanted}, got nothing"
        raise Broken(message)
    if isinstance(answer, list) and len(answer) == count and any(isinstance(one, PartError) for one in answer):
        return _beside_faults(kind, answer, length)
    try:
        matrix = _numbers(answer)
    except Exception as error:
        message = f"{kind}: wanted numbers of shape {wanted}, got {_kind(answer)}"
        raise Broken(message) from error
    if matrix.dtype.kind not in "fiu":
        message = f"{kind}: wanted numbers of shape {wanted}, got {_OTHER.get(matrix.dtype.kind, matrix.dtype.name)}"
        raise Broken(message)
    if matrix.shape != (count, length or max((1, *matrix.shape[-1:]))):
        raise Broken(_shape(kind, (count, length), matrix.shape))
    return [_finite(kind, row) for row in matrix.astype(np.float64)]


def _beside_faults(kind: str, answer: list[Any], length: int | None) -> list[NDArray[np.float64] | Fault]:
    """Read rows of numbers among which some are faults."""
    whole = [one for one in answer if not isinstance(one, PartError)]
    read = iter(vectors(kind, whole, len(whole), length) if whole else [])
    return [_told(kind, one) or next(read) for one in answer]


def captions(kind: str, answer: Any, count: int) -> list[str | Fault]:
    """Read the answer of a captioner."""
    return [_told(kind, one) or _caption(kind, one) for one in rows(kind, answer, count)]


def judgements(kind: str, answer: Any, count: int) -> list[Judgement | Fault]:
    """Read the answer of a judge."""
    return [_told(kind, one) or _judgement(kind, one) for one in rows(kind, answer, count)]


# --- reading one element -----------------------------------------------------------------------------------------


def _told(kind: str, one: Any) -> Fault | None:
    """Read a `PartError` that stands in the place of one answer: the part knows what went wrong with this element."""
    if not isinstance(one, PartError):
        return None
    return Fault(brief(f"{kind}: {' '.join(str(one).split())}", 200), isinstance(one, PassingError))


def _drawing(one: Any) -> Drawn | Fault:
    ignored: tuple[str, ...] = ()
    samplings = 1
    if isinstance(one, Drawn):
        if isinstance(one.ignored, str) or not all(isinstance(word, str) for word in one.ignored):
            return Fault("generator: wanted the ignored words as texts")
        samplings = one.samplings
        if type(samplings) is not int or not 1 <= samplings < LARGEST_COUNT:
            return Fault("generator: wanted how many images were sampled as a whole number from 1 up")
        one, ignored = one.image, tuple(brief(word, 60) for word in one.ignored)
    import numpy as np

    if hasattr(one, "mode") and hasattr(one, "convert"):
        if one.mode != "RGB":
            return Fault(f"generator: wanted an RGB image, got mode {brief(one.mode, 20)}")
        one = np.asarray(one)
    if not isinstance(one, np.ndarray):
        return Fault(f"generator: wanted a uint8 image (height, width, 3), got {_kind(one)}")
    wrong = _no_picture(one)
    return Fault(f"generator: wanted {wrong}") if wrong else Drawn(np.ascontiguousarray(one), ignored, samplings)


def _no_picture(image: NDArray[Any]) -> str:
    """Say what was wanted and what came, where an array is no image that a hunt can use; else nothing."""
    import numpy as np

    from foible.pixels import LARGEST_SIDE

    if image.dtype != np.uint8 or image.shape[2:] != (3,) or 0 in image.shape:
        return f"a uint8 image (height, width, 3), got {image.dtype.name} {_tuple(image.shape)}"
    if max(image.shape) > LARGEST_SIDE:
        return f"sides of at most {LARGEST_SIDE} pixels, got {_tuple(image.shape)}"
    if np.ptp(image, axis=(0, 1)).max() < FAINTEST:  # what an overflow leaves, or a filter that blacks an image out
        return "a picture, got an image of one colour"
    return ""


def _of_size(one: Drawn | Fault, wanted: tuple[int, ...]) -> Drawn | Fault:
    if isinstance(one, Fault) or one.image.shape[:2] == tuple(wanted):
        return one
    return Fault(f"generator: wanted a uint8 image {_tuple((*wanted, 3))}, got {_tuple(one.image.shape)}")


def _finite(kind: str, row: NDArray[np.float64]) -> NDArray[np.float64] | Fault:
    import numpy as np

    if np.isnan(row).any():
        return Fault(f"{kind}: wanted finite numbers, got NaN")
    if np.isinf(row).any():
        return Fault(f"{kind}: wanted finite numbers, got infinity")
    return row


def _caption(kind: str, one: Any) -> str | Fault:
    if not isinstance(one, str):
        return Fault(f"{kind}: wanted text, got {_kind(one)}")
    try:
        said = answer_alone(one)
    except PartError as error:
        return Fault(f"{kind}: {error}")
    line = " ".join("".join(" " if unicodedata.category(c).startswith("C") else c for c in said).split())
    return line[:LONGEST_CAPTION].rstrip() or Fault(f"{kind}: {WORDLESS}")


def _judgement(kind: str, one: Any) -> Judgement | Fault:
    import numpy as np

    if isinstance(one, bool | np.bool_):
        return Judgement(bool(one), float(one))
    if not isinstance(one, Judgement) or not isinstance(one.faithful, bool | np.bool_):
        return Fault(f"{kind}: wanted a judgement or true or false, got {_kind(one)}")
    if isinstance(one.score, bool | str) or not hasattr(one.score, "__float__"):
        return Fault(f"{kind}: wanted a number as score, got {_kind(one.score)}")
    score = float(one.score)
    if not math.isfinite(score):
        return Fault(f"{kind}: wanted a finite score, got {'NaN' if math.isnan(score) else 'infinity'}")
    return Judgement(bool(one.faithful), score)


def _numbers(answer: Any) -> NDArray[Any]:
    """Give an answer as an array, also where it is a tensor on another device, with a gradient or in bfloat16."""
    import numpy as np

    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
        answer = (answer.double() if answer.is_floating_point() else answer).numpy()
    elif isinstance(answer, list | tuple) and any(hasattr(row, "detach") for row in answer):
        answer = [_numbers(row) for row in answer]
    return np.asarray(answer)


# --- words -------------------------------------------------------------------------------------------------------


def _raised(kind: str, error: Exception) -> str:
    text = without_addresses(" ".join(str(error).split()))
    return brief(f"{kind} raised {type(error).__name__}{': ' if text else ''}{text}", 160)


def _shape(kind: str, wanted: tuple[int | None, ...], got: tuple[int, ...]) -> str:
    return f"{kind}: wanted numbers of shape {_tuple(wanted)}, got {_tuple(got)}"


def _tuple(shape: tuple[int | None, ...]) -> str:
    inside = ", ".join("n" if side is None else str(side) for side in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def _kind(value: object) -> str:
    """Name what came, without its content."""
    if value is None:
        return "nothing"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and dtype is not None:
        return f"{type(value).__name__} {dtype} {_tuple(tuple(shape))}"
    return type(value).__name__
