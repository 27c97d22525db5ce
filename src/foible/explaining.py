"""The records of a visual explanation: what of an image, drawn anew, turns a classifier's answer.

Comes in: images, answers. Goes out: plain data, which `report/` writes. Neighbours: `act/explain/` makes these;
`findings.Counterfactual` drops or swaps words of a bug, which is another question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from foible.findings import Finding, Rate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Where = Literal["attribution", "object", "background", "random"]
"""What may change: all of the image, where the answer hangs on it first; the object; all but the object; or
all, in an order of chance."""
Status = Literal["turned", "kept", "unscored"]
"""Of an attempt: the classifier gives the wanted answer; it does not, however large the mask grew; nobody knows."""


RATES: dict[Where, tuple[float, ...]] = {
    "attribution": (0.5, 1.0, 2.0),
    "object": (0.5, 1.0, 2.0),
    "random": (0.5, 1.0, 2.0),
    "background": (0.5, 1.0),
}
"""Of guidance. Twice as much turns answers without a shortcut by the background, too."""
STRENGTHS: dict[Where, tuple[float, ...]] = {
    "attribution": (0.6, 0.8, 1.0),
    "object": (0.6, 0.8, 1.0),
    "random": (0.6, 0.8, 1.0),
    "background": (1.0,),
}
"""Of the noise that is repainted. An object that changes a little stays near, and keeps its form; another background is
another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How what turns the answer is looked for."""

    seeds: int = 5
    """How many times it is tried."""
    attribution: Literal["gradients", "occlusion"] | None = None
    """How it is found what the answer hangs on; None: by gradients where the classifier has them."""
    guidance: Literal["steer", "select"] | None = None
    """steer: up the classifier's gradient. select: the best of as many draws. None: steer where there are gradients."""
    rates: tuple[float, ...] = ()
    """Of guidance, the mildest first: how far a step moves, as a share of the norm of what is moved; of "select" as
    many images are drawn. Empty: 0.5, 1 and 2; of a background 0.5 and 1."""
    strength: float | None = None
    """How much of what is drawn anew is noise at first, above 0 and at most 1; None: 0.6, then 0.8 and 1 where no mask
    turned the answer; 1 of a background."""
    prompt: str = ""
    """What the whole image should show; by default the wanted label, of a background the image's own."""
    resize: bool = False
    """Cut and scale an image of another size than the generator's."""
    words: bool = True
    """Test the words that changed on fresh draws, where judge and captioner are known."""
    control: bool = True
    """Try random masks of equal area."""
    lpips: Literal["squeeze", "alex", "vgg"] | None = None
    """Say how far the changed image looks, too, by LPIPS of this network."""
    thin: bool = True
    """Thin a mask that turned the answer to the cells that did most for it; else it is left as it grew, in one piece
    where the attribution is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What a mask of the same area at a random place does, with the same guidance and seed."""

    status: Status
    reason: str = ""
    """Why it is unscored; else empty."""
    margin: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One seed: the smallest mask that turned the answer, or the nearest that the search came."""

    seed: int
    status: Status
    reason: str = ""
    """Why it is unscored; else empty."""
    image: NDArray[np.uint8] | None = None
    """(height, width, 3): outside the mask the pixels of the image. None where unscored."""
    mask: NDArray[np.bool_] | None = None
    """(height, width): where it was drawn anew."""
    said: str = ""
    """The classifier's answer to it."""
    margin: float | None = None
    """By how much the classifier gives the wanted answer, in its own scores: above 0 if it does."""
    rate: float = 0.0
    """Of the guidance, 0 without."""
    strength: float = 0.0
    """Of the noise that it was drawn anew from."""
    sampled: int = 0
    """Images that the search drew."""
    unscored: int = 0
    """Of these, those of which nothing is known: they count neither for nor against."""
    l1: float | None = None
    """Mean difference of all pixels, as a share of the scale."""
    distance: float | None = None
    """Cosine distance of the embedder's vectors; None without an embedder."""
    lpips: float | None = None
    """How far it looks, by LPIPS; None where that was not asked."""
    cout: float | None = None
    """-1..1: how fast the answer turns while pixels are changed, those that change most first."""
    shows_label: bool | None = None
    """Whether the judge still sees the image's own label in it; None where nobody was asked, or could say."""
    caption: str = ""
    control: Control | None = None
    """None where the answer did not turn, or chance is what was asked for."""

    @property
    def share(self) -> float:
        """Share of the image that was drawn anew, 0..1."""
        return 0.0 if self.mask is None else float(self.mask.mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A phrase that captions say of the images before the change, or after it, and not of the others."""

    phrase: str
    side: Literal["new", "gone"]
    attempts: int
    """In how many of the attempts that turned the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What captions say that changed, and whether these words matter on fresh draws."""

    before: str = ""
    """The caption of the image."""
    changed: tuple[Word, ...] = ()
    """Those that more attempts have come first."""
    tested: tuple[Finding, ...] = ()
    """The hypotheses of a probe: the label with the words fails more often."""
    folder: str = ""
    """Name of the probe's run directory, in the folder of the explanation."""
    untested: str = ""
    """Why the words were not tested; empty where they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualExplanation:
    """An image, and what turned the classifier's answer to it."""

    foible_version: str
    about: str
    """What was explained: "draw KEY of RUN", the name of a file."""
    image: NDArray[np.uint8]
    said: str
    """The classifier's answer to it."""
    label: str
    """What it shows, as was given, known of the draw, or, where neither, as the classifier said."""
    label_known: bool
    """Whether anybody but the classifier said so."""
    label_seen: bool | None
    """Whether the judge sees that in the image; None where nobody was asked, or could say."""
    to: str
    """The wanted answer."""
    where: Where
    guidance: Literal["steer", "select"]
    attribution: Literal["gradients", "occlusion", ""]
    """How it was found what the answer hangs on; empty where that was not asked."""
    prompt: str
    """What the whole image should show then."""
    options: Mapping[str, object]
    parts: Mapping[str, Mapping[str, object]]
    """Identity of each part, by kind."""
    attempts: tuple[Attempt, ...]
    validity: Rate
    """Share of the scored attempts that turned the answer, with its exact interval."""
    control: Rate
    """The same of random masks of equal area, over the attempts that turned the answer."""
    words: Words
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> bool:
        """Whether it was wrong, and what is asked is what would have had to change."""
        return self.label_known and self.to == self.label

    def count(self, status: Status) -> int:
        """Count the attempts with a status."""
        return sum(one.status == status for one in self.attempts)
