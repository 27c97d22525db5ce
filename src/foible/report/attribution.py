"""Attribution pictures beside the examples of a finding: which images have one, and how it is shown.

Comes in: a result, the maps of its images. Goes out: pictures for the page, and the English about them. Neighbours:
`act/attribute.py` makes the maps; `pictures.py` has the images themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foible.attributions import Looked
from foible.report.pairs import pairs
from foible.report.pictures import Small, webp
from foible.report.words import count, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from foible.attributions import Attributions, Map
    from foible.findings import Finding, HuntResult
    from foible.report.pictures import Shown

PAIRS = 6
"""Failing examples of a finding that get an attribution, each with its partner: more tell no more."""
_DIM, _GLOW = 0.5, (255, 196, 64)
"""How light the grey picture is under a map, and the colour of what the score reacts to most."""
_SHARPER = 2
"""Power of a map's share that is shown: something of it is everywhere, and the eye should find where most is."""
_HOW = {
    "gradients": "by gradients of the input, averaged over disturbed copies (SmoothGrad)",
    "occlusion": "by covering one part after another with grey (occlusion)",
}


def looked_at(result: HuntResult) -> list[Looked]:
    """List the answers on the page that get an attribution: of confirmed findings, failing draws and their partners."""
    found: dict[Looked, None] = {}
    for finding in result.findings:
        if finding.verdict == "confirmed":
            for failing, control in examples(finding, result):
                for key in (failing, control):
                    if (one := look(finding, key, result)) is not None:
                        found[one] = None
    return list(found)


def examples(finding: Finding, result: HuntResult) -> list[tuple[str, str | None]]:
    """Give keys of failing draws, each with that of the same seed without the description where there is one."""
    return [(one.failing, one.control) for one in pairs(finding, result)[:PAIRS]]


def look(finding: Finding, key: str | None, result: HuntResult) -> Looked | None:
    """Say which answer of a draw is shown; None where there is no image, or no class alone has the highest score."""
    answered = None if key is None else result.observations.get(key)
    if answered is None or not answered.draw.image:
        return None
    place = finding.trial.hypothesis.classifier
    predicted = answered.seen_by(place).outcome.predicted
    return None if predicted is None else Looked(place, answered.draw.image, predicted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glow:
    """A picture that shows a map over its image."""

    picture: Small
    alt: str


class Views:
    """The pictures of a page, each made once."""

    def __init__(self, found: Attributions, result: HuntResult, image: Callable[[str], bytes | None]) -> None:
        """Take what was found, and a way to fetch the PNG file of an image."""
        self._found, self._result, self._image = found, result, image
        self._made: dict[Looked, Small | None] = {}

    def pairs(self, finding: Finding) -> list[tuple[str, str | None]]:
        """Give the examples of a finding that are shown; none where no map of them is known."""
        shown = examples(finding, self._result)
        known = any(self._map(finding, key) is not None for pair in shown for key in pair)
        return shown if known and finding.verdict == "confirmed" else []

    def glow(self, finding: Finding, shown: Shown) -> Glow | None:
        """Give the picture of a draw's map; None where it is not known."""
        one = look(finding, shown.key, self._result)
        if one is None or one not in self._found.maps:
            return None
        if one not in self._made:
            self._made[one] = self._small(one)
        small = self._made[one]
        alt = f"What the score of {shown.said} reacts to. {shown.alt}"
        return None if small is None else Glow(picture=small, alt=alt)

    def sentence(self, finding: Finding) -> str:
        """Say what the pictures of a finding are, and are not, and how many are not known."""
        keys = [key for pair in self.pairs(finding) for key in pair if key is not None]
        maps = [self._map(finding, key) for key in keys]
        ways = [_HOW[how] for how in dict.fromkeys(one.how for one in maps if one is not None)]
        lacking = sum(one is None for one in maps)
        told = (
            f"A bright region is what the score of the class under the picture reacts to, {' and '.join(ways)}. It is "
            "no proof of cause: for that, hold the rates with the description and without it against each other. Each "
            "picture is scaled by its own brightest place, so that two of them cannot be compared in strength."
        )
        return f"{told} {_unknown(lacking, len(maps))}".rstrip()

    def _map(self, finding: Finding, key: str | None) -> Map | None:
        one = look(finding, key, self._result)
        return None if one is None else self._found.maps.get(one)

    def _small(self, one: Looked) -> Small | None:
        from foible import pixels

        data = self._image(one.image)
        image = None if data is None else pixels.read_png(data)
        return None if image is None else webp(over(image, self._found.maps[one].numbers), exact=False)


def over(image: NDArray[np.uint8], numbers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay a map over its image: grey and dim where nothing is reacted to, glowing where most is.

    Args:
        image: (height, width, 3).
        numbers: (rows, columns), 255 the most; stretched to the image.
    """
    from PIL import Image as Pictures

    height, width, _ = image.shape
    grown = Pictures.fromarray(numbers).resize((width, height), Pictures.Resampling.BILINEAR)
    share = (np.asarray(grown, np.float64)[..., None] / 255) ** _SHARPER
    grey = _DIM * image.mean(axis=2, keepdims=True)
    return np.asarray(((1 - share) * grey + share * np.array(_GLOW)).round(), np.uint8)


def told(found: Attributions) -> list[str]:
    """Say for a terminal how many maps there are, and why others are not known."""
    every = len(found.maps) + len(found.unscored)
    if not every:
        return ["attribution: there is no confirmed finding with an image that could get one"]
    ways = " and ".join(dict.fromkeys(f"by {one.how}" for one in found.maps.values()))
    said = [f"attribution: {len(found.maps):,} of {count(every, 'image')} {ways}, {found.made:,} of them made now"]
    reasons = list(found.unscored.values())
    each = [(reason, reasons.count(reason)) for reason in list(dict.fromkeys(reasons))[:3]]
    return [*said, *(f"attribution: {count(some, 'image')} unscored: {shorten(reason, 200)}" for reason, some in each)]


def _unknown(lacking: int, of: int) -> str:
    return f"Of {lacking:,} of these {of:,} images it is not known." if lacking else ""
