"""What a part must be able to do: one batch method each.

Comes in: batches of prompts or images. Goes out: one answer per element, in order. A plain function of a batch is
accepted wherever an object of one of these protocols is (see `registry.py`). What a part can do beyond its method is a
capability, a protocol of its own at the end. Neighbours: `records.py` holds the values that travel, `models/` the parts
themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from foible.errors import PartError
    from foible.parts.ceiling import Ceiling
    from foible.photographs import PhotographSet
    from foible.records import Drawn, Judgement, Label, Spec

    Image = NDArray[np.uint8]

_Kind = TypeVar("_Kind")
_HERE = f"{__package__}."
"""Where capabilities are declared: here, and in `repainting.py`."""


@runtime_checkable
class Generator(Protocol):
    """Text to image."""

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> Sequence[Drawn | Any]:
        """Draw one image for each prompt and seed.

        Args:
            prompts: n texts.
            seeds: n whole numbers, 0 .. 2**32 - 1. The same prompt and seed give the same image.

        Returns:
            n images: `Drawn`, uint8 arrays (height, width, 3), or PIL images. A `PartError` in the place of one says
            why there is none; so too for captions and judgements.
        """
        ...


@runtime_checkable
class Classifier(Protocol):
    """Image to scores. May have `labels`, the names of its classes in order."""

    def classify(
        self, images: Sequence[Image]
    ) -> NDArray[np.floating[Any]] | Sequence[NDArray[np.floating[Any]] | Sequence[float] | PartError]:
        """Score each image for each class.

        Args:
            images: n uint8 arrays (height, width, 3).

        Returns:
            Finite array (n, classes), or a list of its rows; a larger score is more likely; any monotone scale. In a
            list, a `PartError` in the place of a row says why there is none.
        """
        ...


@runtime_checkable
class Captioner(Protocol):
    """Image to text."""

    def caption(self, images: Sequence[Image]) -> Sequence[str | PartError]:
        """Describe each of n images in one sentence or phrase; a `PartError` says why there are no words."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Image to a vector in which alike images lie near each other."""

    def embed(self, images: Sequence[Image]) -> NDArray[np.floating[Any]]:
        """Embed n images: finite array (n, dimensions)."""
        ...


@runtime_checkable
class Judge(Protocol):
    """Says whether an image shows its label. Never the classifier under test."""

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> Sequence[Judgement | Any]:
        """Judge each of n images against its own label: n `Judgement`s, or n booleans."""
        ...


# --- capabilities: what a part may say or do beside its one method ----------------------------------------------------


def offers(part: object, capability: Callable[..., _Kind]) -> TypeGuard[_Kind]:
    """Tell whether a part has a capability: every name of its protocol, be it handed on by `__getattr__`.

    `isinstance` would miss what a wrapper hands on, from Python 3.12 on.
    """
    bases = [base for base in getattr(capability, "__mro__", ()) if base.__module__.startswith(_HERE)]
    return all(hasattr(part, name) for base in bases for name in vars(base) if not name.startswith("_"))


class NamesClasses(Protocol):
    """A classifier that may name its classes."""

    @property
    def labels(self) -> Sequence[str] | None:
        """The classes in order, each as "name" or "name (kind)"; None where it turns out to know no names."""
        ...


class ShowsRecipe(Protocol):
    """A classifier that says how an image becomes its input: what is wrong most often where all labels fail."""

    @property
    def recipe(self) -> Mapping[str, object]:
        """As plain data; what is not known is left out.

        `size` [height, width]; `crop`, a share of the shorter side, None for an image squeezed whole; `mean` and `std`
        of channels on the scale 0..1, None for whole pixels 0..255; `interpolation`; `channels`; `guessed`, a list of
        those that nobody told, with `labels` in it where the names of the classes were guessed.
        """
        ...


class AcceptsClasses(Protocol):
    """A classifier that says which classes are as good as others."""

    @property
    def accepted(self) -> Mapping[int, Collection[int]]:
        """Index of a class -> further indices that are right where it is."""
        ...


class LikensClasses(Protocol):
    """A classifier that knows which further classes people saw in the pictures of a class."""

    @property
    def alike(self) -> Mapping[int, Mapping[int, float]]:
        """Index of a class -> further indices -> the share of its pictures, 0..1, in which annotators saw them too."""
        ...


class Fingerprinted(Protocol):
    """A part that says itself what decides its answers, beside its arguments: a hash of its weights."""

    @property
    def fingerprint(self) -> str:
        """Not empty; another one where the answers may be others."""
        ...


class Versioned(Protocol):
    """A part that says its own version, where that is not its package's."""

    @property
    def version(self) -> str:
        """Part of its identity."""
        ...


class Resolved(Protocol):
    """A part that says with which values it works, where the user left some open."""

    @property
    def resolved(self) -> Mapping[str, object]:
        """Argument -> value, over those that were given; None takes an argument out of the identity."""
        ...


class DrawsSome(Protocol):
    """A generator that can draw some labels alone, and knows which."""

    @property
    def drawable(self) -> Sequence[str]:
        """Names of labels that it can draw; not empty."""
        ...

    def can_draw(self, label: Label) -> bool:
        """Tell whether it can draw a label: an image of anything else would be scored as the label's failure."""
        ...


class OfOneWorld(Protocol):
    """A part that knows the images of one world alone: a generator that draws it, a model that was trained on it."""

    @property
    def world(self) -> str:
        """What that world is called; the same text for all parts that belong together."""
        ...


class HasMembers(Protocol):
    """A judge that is made of several."""

    @property
    def members(self) -> Sequence[Any]:
        """The parts that it asks, as `registry.load` gives them."""
        ...


class AnySize(Protocol):
    """A source of images that need not have one size: photographs as they are."""

    @property
    def any_size(self) -> bool:
        """Whether they may differ."""
        ...


class EmbedsTexts(Protocol):
    """An embedder that may place texts among its images: near those that show what they say."""

    @property
    def reads_text(self) -> bool:
        """Whether it does."""
        ...

    @property
    def scale(self) -> tuple[float, float | None]:
        """(factor, offset) that turn a cosine of image and text into the logit that the model was trained with.

        The offset is None where texts compete; a sigmoid of a logit with an offset stands alone.
        """
        ...

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.floating[Any]]:
        """Embed n texts: finite array (n, dimensions), each row of length 1, in the space of the images."""
        ...


class CountsFitting(Protocol):
    """A generator that chooses among images that are there, and knows how many of them fit a prompt."""

    def fitting(self, prompts: Sequence[str]) -> Sequence[int]:
        """Count for each prompt the images that fit it, of those it would choose from: its draws show no others."""
        ...


class HoldsPhotographs(Protocol):
    """A source of labelled photographs."""

    @property
    def photographs(self) -> PhotographSet:
        """All of them, with what is known of each."""
        ...


class CountsRequests(Protocol):
    """Asks a server, which may cost money: its requests can be counted and limited."""

    def count_on(self, ceiling: Ceiling) -> None:
        """Take every request, new tries too, from this ceiling before it is made.

        Called before anything is asked of the part, its attributes among it: what a part must ask its server about
        itself, it asks when that is first wanted, and not while it is made.
        """
        ...


class Differentiable(Protocol):
    """A classifier whose scores have gradients."""

    @property
    def network(self) -> torch.nn.Module:
        """In evaluation mode, on its device; its weights want no gradients until they are trained."""
        ...

    def prepare(self, images: Sequence[Image]) -> torch.Tensor:
        """Make the input of the network of n images, as `classify` does; no gradient flows through this."""
        ...

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Score an input that was prepared: (n, classes), float32, with gradients of what wants them.

        The softmax of a row is a probability for each class, and ranks the classes as `classify` does.
        """
        ...


class DifferentiableEmbedder(Protocol):
    """An embedder whose vectors have gradients."""

    @property
    def network(self) -> torch.nn.Module:
        """In evaluation mode, on its device."""
        ...

    def prepare(self, images: Sequence[Image]) -> torch.Tensor:
        """Make the input of the network of n images, as `embed` does; no gradient flows through this."""
        ...

    def vectors(self, batch: torch.Tensor) -> torch.Tensor:
        """Embed an input that was prepared: (n, dimensions), float32, each row of length 1, with gradients."""
        ...


class Trainable(Differentiable, Protocol):
    """A classifier whose weights can be trained further, in float32, and written in the format that they came in."""

    @property
    def untrainable(self) -> str:
        """Why these weights cannot be trained after all, as a clause; empty where they can."""
        ...

    def last_layer(self) -> Sequence[str]:
        """Name the parameters of `network`, as it names them, of the layer that tells the classes apart."""
        ...

    def save(self, folder: Path) -> Spec:
        """Write the weights as they are now, in the format that they came in, into an empty folder.

        Returns:
            How they are loaded: a name, and the arguments that are others than those that this one was loaded with;
            None for one that is left out.

        Raises:
            OSError: the folder cannot be written.
        """
        ...


class StartsFromNoise(Protocol):
    """A generator whose images hang on a noise that can be moved, with gradients."""

    @property
    def unsteerable(self) -> str:
        """Why its sampling cannot be steered step by step, as a clause; empty where it can."""
        ...

    def noise(self, prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        """Give the noise that `draw` starts from for each prompt and seed: (n, ...), on the generator's device."""
        ...

    def sample(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        noise: torch.Tensor,
        steer: Callable[[torch.Tensor], torch.Tensor] | None = None,
        rate: float = 0.0,
    ) -> torch.Tensor:
        """Sample from a noise; from that of the seeds, the images are those of `draw`.

        Args:
            prompts: n texts.
            seeds: n whole numbers: whatever else is random on the way.
            noise: (n, ...), as `noise` gives it, with or without gradients.
            steer: scores images (n, 3, height, width) of 0..1: (n,). Each step's foretold image is moved up its
                gradient.
            rate: how far, as a share of the norm of what is moved.

        Returns:
            (n, 3, height, width), 0..1, with gradients of the noise where it wants them.

        Raises:
            FloatingPointError: a gradient is not finite.
        """
        ...


class ReadsText(StartsFromNoise, Protocol):
    """One of which what the denoiser reads of a prompt can be moved, too, apart for each time that it is asked."""

    @property
    def unreadable(self) -> str:
        """Why what it reads cannot be moved, as a clause; empty where it can."""
        ...

    def embeddings(self, prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
        """Give what the denoiser of `draw` reads of each prompt, each time: (n, times, ...), on its device."""
        ...

    def sample_read(
        self, prompts: Sequence[str], seeds: Sequence[int], noise: torch.Tensor, embeddings: torch.Tensor
    ) -> torch.Tensor:
        """Sample from a noise, with other embeddings; from those of the prompts, the images are those of `sample`.

        Args:
            prompts: n texts: whatever else is read of them.
            seeds: n whole numbers: whatever else is random on the way.
            noise: (n, ...), as `noise` gives it.
            embeddings: (n, times, ...), as `embeddings` gives them.

        Returns:
            (n, 3, height, width), 0..1, with gradients of noise and embeddings where they want them.
        """
        ...
