"""`foible report RUN --attribution`: beside the examples of each bug, what of them the classifier's score reacts to.

Comes in: a finished run; its classifiers are loaded again, and nothing else. Goes out: the files of the run, the page
with attribution pictures. Neighbours: `counterfactual/attribution.py` asks captum; `hunting/attributed.py` has the keys
under which maps lie in the archive, so that each is made once; `report/attribution.py` shows them.

A bright region is no cause: nothing here enters a rate or a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from foible import pixels
from foible.attributions import SIDE, Attributions, How, Looked, Map
from foible.counterfactual.attribution import attribute as numbers_of
from foible.counterfactual.attribution import wants_captum
from foible.errors import PluginError, brief
from foible.guiding.aim import Aim
from foible.guiding.sight import Sight
from foible.hunting.attributed import key_of, known, write_map
from foible.hunting.opening import open_run, write_again
from foible.parts.again import load_all_again
from foible.parts.protocols import Differentiable, offers
from foible.progress import Bars, Progress, Silent
from foible.report.attribution import looked_at
from foible.run.archive import Archive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.hunting.finished import Run
    from foible.parts.registry import Part

_MOST = 99
"""Percentile of an image's numbers that a map shows as the most: single pixels stand far out."""
_BLUR = 1 / 64
"""Of the larger side: gradients of neighbouring pixels jump."""


def attribute(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    *,
    classifier: object = None,
    code: bool = False,
    archive: Path | str | None = None,
    settings: Mapping[str, object] = MappingProxyType({}),
    out: Path | str | None = None,
    progress: bool = True,
) -> Attributions:
    """Write the files of a finished run again, with attribution pictures beside the examples of its bugs.

    Of each confirmed finding the first failing draws and their partners without the description are shown with what the
    score of the classifier's answer reacts to: by gradients where it has them, else by occlusion, both by captum. Maps
    are kept in the archive, and made once.

    Args:
        run: its directory.
        classifier: an object or a spec that is the run's classifier, where the run cannot load it; of several, a list.
        code: load what the run names though it runs code of its own or asks a server.
        archive: where its images and answers lie; None for `archive` beside it.
        settings: as for `foible.open`.
        out: where the files go; None for the run directory.
        progress: show bars on stderr.

    Raises:
        InputError: captum is not installed, a classifier cannot be loaded, or there is no finished run.
    """
    given = list(classifier) if isinstance(classifier, list | tuple) else [] if classifier is None else [classifier]
    opened = open_run(run, archive=archive, settings=settings)
    shown = Bars() if progress else Silent()
    return attributed(opened, given, shown, code=code, out=None if out is None else Path(out))[0]


def attributed(
    run: Run, given: Sequence[object], progress: Progress, *, code: bool, out: Path | None
) -> tuple[Attributions, Path]:
    """Make what is missing, and write the files; as `attribute`.

    Raises:
        InputError: as `attribute`.
    """
    wants_captum()
    identities = [one.identity for one in run.result.classifiers]
    parts = load_all_again(identities, given, code=code)
    looked = looked_at(run.result)
    unscored: dict[Looked, str] = {}
    with Archive(run.archive) as archive:
        maps = known(looked, [part.identity for part in parts], archive)
        missing = [one for one in looked if one not in maps]
        sights = [_Looking(part) for part in parts]
        with progress.stage("attribution") as show:
            for at, one in enumerate(missing, 1):
                found = sights[one.classifier].map_of(one, archive)
                if isinstance(found, str):
                    unscored[one] = found
                else:
                    maps[one] = found
                    # One after the other: an interrupt costs the image that was looked at.
                    key = key_of(one, parts[one.classifier].identity, found.how)
                    archive.add([], {key: write_map(found.numbers)})
                show(at, len(missing), at)
    made = Attributions(maps=maps, made=len(missing) - len(unscored), unscored=unscored)
    return made, write_again(run, out, made)


class _Looking:
    """Asks one classifier, by gradients as long as it has them."""

    def __init__(self, part: Part) -> None:
        self._sight = Sight(part)
        self._how: How = "gradients" if offers(part.object, Differentiable) else "occlusion"

    def map_of(self, one: Looked, archive: Archive) -> Map | str:
        """Give the map of an answer, or why there is none."""
        data = archive.images.bytes(one.image)
        image = None if data is None else pixels.read_png(data)
        if image is None:
            return "the image has gone from the archive, or is torn"
        aim = Aim(right=(), into=(one.predicted,))
        try:
            try:
                numbers = numbers_of(self._sight, image, aim, self._how)
            except PluginError:
                if self._how == "occlusion":
                    raise
                # How it prepares images cannot be followed; that holds for every image.
                self._how = "occlusion"
                numbers = numbers_of(self._sight, image, aim, self._how)
        except Exception as problem:  # noqa: BLE001 - a stranger's code, a gradient that is not finite, a lack of memory
            return brief(" ".join(str(problem).split()) or type(problem).__name__, 200)
        return Map(how=self._how, numbers=small(numbers))


def small(numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Make the map that is kept: averaged over places, 255 where an image is reacted to most: (rows, columns).

    Args:
        numbers: (height, width), 0 or more.
    """
    from PIL import Image as Pictures

    smooth = ndimage.gaussian_filter(numbers, _BLUR * max(numbers.shape), mode="nearest")
    most = max(smooth.shape)
    rows, columns = (max(1, round(side * min(1.0, SIDE / most))) for side in smooth.shape)
    picture = Pictures.fromarray(smooth.astype(np.float32)).resize((columns, rows), Pictures.Resampling.BOX)
    found = np.asarray(picture, np.float64)
    full = float(np.percentile(found, _MOST)) or float(found.max()) or 1.0
    return np.asarray((255 * np.minimum(found / full, 1)).round(), np.uint8)
