"""Asks parts again, and classifiers in other ways, about the pilot's images: before a hunt, and never in a replay.

Comes in: the loaded parts, and draws with their images. Goes out: nothing, or what is wrong with a part's answers; and,
of a classifier that names few labels, how many it would name with another recipe. Neighbours: `parts/steady.py`
compares; `pilot.py` makes a hint of what was tried; the journal keeps what came of it.

A server is asked about one image again and no more, since each question may cost money; its recipe is its own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from foible.config import HuntConfig
from foible.draws.known import Watch
from foible.draws.questions import GENERATOR, GUIDE, JUDGE, classifier
from foible.errors import FoibleError, OutOfTime, PluginError
from foible.identity import question_key
from foible.parts import asking
from foible.parts.protocols import ShowsRecipe, offers
from foible.parts.ranked import several
from foible.parts.registry import Part, load, verify
from foible.parts.steady import FEW, Unsteady, asks_a_server, compared
from foible.records import Answered, ClassMap, Drawn, Fault, Label, Request
from foible.run.archive import Archive
from foible.run.events import Attempt, Attempted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TWICE = "the same answer when it is asked twice, alone and in a batch"
"""In the archive: what a part was asked; its answer is what is wrong with it, or nothing."""
SHOWN = 36
"""Images that a classifier is asked about again, over all labels."""
ENOUGH = 0.7
"""Share of images that must be named for no further recipe to be tried."""
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
_RANGES = ([0, 255], [0, 1], [-1, 1])
_CROPS = (0.875, 1.0, None)
_SIZES = (224, 32, 64, 96, 128, 160, 192, 256, 299, 384)
_log = logging.getLogger(__name__)


class Tries(Protocol):
    """What the loop needs of this file."""

    def ask_twice(self, answered: Sequence[Answered], requests: Sequence[Request]) -> bool:
        """Ask every part again, and compare."""
        ...

    def recipes(self, place: int, seen: Sequence[Answered]) -> Attempted:
        """Ask a classifier in other ways."""
        ...


@dataclass(frozen=True, kw_only=True)
class Trying:
    """Asks the parts of one run."""

    parts: Mapping[str, Part]
    """By what the run calls them."""
    config: HuntConfig
    labels: Mapping[str, Label]
    maps: Sequence[ClassMap]
    archive: Archive
    """Where images lie, and which parts were asked twice before, by whatever hunt: they are not asked again."""
    watch: Watch
    """Asked before each part."""

    def ask_twice(self, answered: Sequence[Answered], requests: Sequence[Request]) -> bool:
        """Ask every part about the same again, alone and in a batch; tell whether there was anything to ask about.

        Args:
            answered: draws, some with images; where there are none, a few are drawn and not kept.
            requests: a few, for that.

        Raises:
            PluginError: a part whose answers must stay the same gives others.
            OutOfTime: the minutes or the requests are used up; the next call goes on with the next part.
        """
        # A guided draw is many of the generator's, and of the classifier's, which are asked here themselves.
        own = {name: part for name, part in self.parts.items() if name != GUIDE}
        asked = {name: question_key(part.identity, TWICE) for name, part in own.items()}
        known = self.archive.answers(asked.values())
        for sentence in filter(None, (known.get(key) for key in asked.values())):
            _log.warning("%s", sentence)
        if known.keys() >= set(asked.values()):
            return True
        drawn = [one for one in answered if one.draw.image]
        # Of different labels where there are some: a batch of one scene would hide what its statistics do.
        each = list({one.request.label: one for one in reversed(drawn)}.values())[::-1]
        spread = each if len(each) > 1 else drawn
        few = [(one.request, self.archive.images.get(one.draw.image)) for one in spread[:FEW]]
        shown = [(request, image) for request, image in few if image is not None] or self._drawn(requests)
        if not shown:
            return False
        for name, part in own.items():
            if asked[name] in known:
                continue
            self.watch.before()
            unsteady = self._unsteady(name, part, [request for request, _ in shown], [image for _, image in shown])
            if unsteady is not None and unsteady.grave:
                raise PluginError(unsteady.sentence)
            if unsteady is not None:
                _log.warning("%s", unsteady.sentence)
            self.archive.add([], {asked[name]: "" if unsteady is None else unsteady.sentence})
        return True

    def recipes(self, place: int, seen: Sequence[Answered]) -> Attempted:
        """Ask a classifier about images that show their label, as it is and with other recipes, one change at a time.

        What was said in its arguments is tried otherwise too. It stops where a recipe names enough.
        """
        part = self.parts[classifier(place)]
        shown = [] if asks_a_server(part) else self._spread(seen)
        if not shown:
            return Attempted(classifier=place, images=0, named=0, attempts=[])
        labels, images = [label for label, _ in shown], [image for _, image in shown]
        attempts: list[Attempt] = []
        for argument, other, given in self._others(place, part, images):
            count = self._named(place, other, labels, given)
            if count is not None:
                attempts.append(Attempt(argument=argument, named=count))
                if count >= ENOUGH * len(images):
                    break
        now = self._named(place, part, labels, images) or 0
        return Attempted(classifier=place, images=len(images), named=now, attempts=attempts)

    # --- asking twice ------------------------------------------------------------------------------------------------

    def _drawn(self, requests: Sequence[Request]) -> list[tuple[Request, NDArray[np.uint8]]]:
        few = requests[:1] if asks_a_server(self.parts[GENERATOR]) else requests[:FEW]
        found = asking.ask_generator(self.parts[GENERATOR], [r.text for r in few], [r.seed for r in few])
        return [(request, one.image) for request, one in zip(few, found, strict=True) if isinstance(one, Drawn)]

    def _unsteady(self, name: str, part: Part, requests: Sequence[Request], images: Sequence[Any]) -> Unsteady | None:
        """Compare what one part says, and look at the scores of a classifier."""
        if name == GENERATOR:
            again = asking.ask_generator(part, [requests[0].text], [requests[0].seed])
            return compared(part, [Drawn(images[0]), again[0]])
        columns: list[Sequence[Any]] = [images]
        if name == JUDGE:
            columns.append([self.labels[request.label] for request in requests])
        ask = _ASK[part.kind]
        alone = [ask(part, *(column[:1] for column in columns))[0] for _ in range(2)]
        server = asks_a_server(part) or len(images) == 1
        beside = () if server else ask(part, *columns)
        wrong = compared(part, alone, beside)
        if wrong is None and part.kind == "classifier":
            scores = [one for one in (*alone, *beside) if not isinstance(one, Fault)]
            told = several(part.identity["spec"], scores)
            return Unsteady(told, grave=False) if told else None
        return wrong

    # --- other recipes -----------------------------------------------------------------------------------------------

    def _spread(self, seen: Sequence[Answered]) -> list[tuple[str, NDArray[np.uint8]]]:
        """Choose images of every label: (label, image)."""
        labels = list(dict.fromkeys(one.request.label for one in seen))
        found = []
        for label in labels:
            own = {one.draw.image: one for one in seen if one.request.label == label}
            for digest in list(own)[: -(-SHOWN // len(labels))]:
                image = self.archive.images.get(digest)
                if image is not None:
                    found.append((label, image))
        return found

    def _named(self, place: int, part: Part, labels: Sequence[str], images: Sequence[Any]) -> int | None:
        """Count the images of which a right class has the highest score; None where it cannot be asked."""
        right = self.maps[place].right
        scores = asking.ask_classifier(part, images)
        if all(isinstance(one, Fault) for one in scores):
            return None
        pairs = zip(scores, labels, strict=True)
        return sum(not isinstance(one, Fault) and int(one.argmax()) in right[label] for one, label in pairs)

    def _others(self, place: int, part: Part, images: Sequence[Any]) -> Iterator[tuple[str, Part, Sequence[Any]]]:
        """Yield (argument, classifier, images) of each change: an argument, or other channels where it takes none."""
        options = self.config.parts("classifier")[place]
        spec = part.identity["spec"]
        accepted = verify("classifier", spec, options.args).keys() if spec == options.spec else ()
        if "channels" not in accepted:
            yield "", part, [image[..., ::-1].copy() for image in images]
        shown = part.object.recipe if offers(part.object, ShowsRecipe) else {}
        for change in changes(accepted, shown):
            scaled = {"mean", "std", "pixel_range"}
            kept = {k: v for k, v in options.args.items() if not (k in scaled and scaled & change.keys())}
            try:
                other = load("classifier", spec, {**kept, **change})
            except OutOfTime:
                raise
            except FoibleError:  # a size that the network does not take, a part of a recipe that must be whole
                continue
            yield " ".join(f"{name}={json.dumps(value)}" for name, value in change.items()), other, images


def changes(accepted: Any, shown: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    """Yield arguments that a classifier accepts and that change its recipe, the most frequent mistakes first.

    Args:
        accepted: names of arguments.
        shown: its recipe now, as `ShowsRecipe` has it.
    """
    if "channels" in accepted and shown.get("channels", "rgb") in {"rgb", "bgr"}:
        yield {"channels": "rgb" if shown.get("channels") == "bgr" else "bgr"}
    whole = shown.get("mean", ()) is None
    if "pixel_range" in accepted and not whole:
        yield from ({"pixel_range": list(one)} for one in _RANGES if not _is_range(shown, *one))
    elif "mean" in accepted and not whole:
        given = [(low, high) for low, high in _RANGES if not _is_range(shown, low, high)]
        yield from ({"mean": [-low / (high - low)] * 3, "std": [1 / (high - low)] * 3} for low, high in given)
    if "mean" in accepted and not whole and shown.get("mean") not in (_IMAGENET["mean"], tuple(_IMAGENET["mean"])):
        yield dict(_IMAGENET)
    if "crop" in accepted:
        yield from ({"crop": crop} for crop in _CROPS if shown.get("crop", "") != crop)
    if "size" in accepted:
        now = shown.get("size")
        yield from ({"size": side} for side in _SIZES if not isinstance(now, list | tuple) or list(now) != [side] * 2)


def _is_range(shown: Mapping[str, object], low: float, high: float) -> bool:
    """Tell whether a recipe makes values from low to high."""
    mean, std = shown.get("mean"), shown.get("std")
    if not isinstance(mean, Sequence) or not isinstance(std, Sequence):
        return False
    black = [-m / s for m, s in zip(mean, std, strict=True)]
    white = [(1 - m) / s for m, s in zip(mean, std, strict=True)]
    return all(abs(b - low) < 1e-3 * (high - low) for b in black) and all(
        abs(w - high) < 1e-3 * (high - low) for w in white
    )


_ASK: Mapping[str, Any] = {
    "classifier": asking.ask_classifier,
    "captioner": asking.ask_captioner,
    "embedder": asking.ask_embedder,
    "judge": asking.ask_judge,
}
