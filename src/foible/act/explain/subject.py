"""The image that is explained, who answers and who repaints: from a run's draw, or from an image file.

Comes in: what a user wants. Goes out: an image, its label, loaded parts, and what the answers mean; whatever cannot be
used has been refused in a sentence. Neighbours: `wanted.py` is what the user says; `explain.py` goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foible import pixels
from foible.act.chosen import chosen
from foible.act.explain.wanted import GENERATOR, Wanted
from foible.config import HuntConfig
from foible.errors import ConfigError, PluginError, brief
from foible.guiding.sight import Sight
from foible.hunting.classes import classes_of
from foible.hunting.prepare import refuse_self_judging
from foible.hunting.replay import Reread, reread_whole
from foible.labels import Classes
from foible.labels import resolve as resolve_labels
from foible.layers import resolve
from foible.parts.again import load_again
from foible.parts.ceiling import Ceiling
from foible.parts.protocols import Differentiable, offers
from foible.parts.registry import Part, load
from foible.parts.repainting import Repaints
from foible.records import Label
from foible.run.archive import Archive
from foible.run.journal import Journal

if TYPE_CHECKING:
    from foible.parts.protocols import Image

BESIDE = ("captioner", "embedder", "judge")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is explained, and by whom."""

    image: Image
    about: str
    label: Label
    label_known: bool
    right: tuple[int, ...]
    """Classes that are right for the label."""
    to: Label
    wanted: tuple[int, ...]
    """Classes of the wanted answer."""
    said: int
    """The class that the classifier gives the image."""
    names: tuple[str, ...] | None
    parts: Mapping[str, Part]
    """By kind: classifier and generator, and those of `BESIDE` that are known."""
    config: HuntConfig
    read: Reread | None
    """The run; None for an image file."""
    notes: tuple[str, ...]
    """Which parts are missing, and why."""

    @cached_property
    def sight(self) -> Sight:
        """The classifier."""
        return Sight(self.parts["classifier"])

    @property
    def generator(self) -> Repaints:
        """What repaints."""
        found: Repaints = self.parts["generator"].object
        return found

    @property
    def differentiable(self) -> bool:
        """Whether the classifier has gradients."""
        return offers(self.parts["classifier"].object, Differentiable)


def subject_of(wanted: Wanted) -> Subject:
    """Read the image, load the parts, and find the labels.

    Raises:
        InputError: something named cannot be used.
    """
    _, origins = resolve(wanted.layers)
    named = {kind for kind in ("classifier", "generator", *BESIDE) if origins[f"{kind}.spec"] != "default"}
    named |= wanted.objects.keys()
    read, place, image, label, about = _image(wanted)
    config, parts, notes = _parts(wanted, (read, place), named)
    image = _fitted(image, parts["generator"], resized=wanted.search.resize)
    of = classes_of(parts["classifier"], str(parts["classifier"].identity["spec"]))
    answer = Sight(parts["classifier"]).exact([image])[0]
    if not bool(answer.isfinite().all()):
        message = f"the classifier {brief(of.classifier)} gives no answer to the image, so that none can be turned"
        raise PluginError(message)
    said = int(answer.argmax())
    own, right, known = _own(wanted, (read, place), label, (of, said))
    to, classes = _target(wanted, (own, right, known), (of, said))
    return Subject(
        image=image,
        about=about,
        label=own,
        label_known=known,
        right=right,
        to=to,
        wanted=classes,
        said=said,
        names=of.names,
        parts=parts,
        config=config,
        read=read,
        notes=tuple(notes),
    )


def class_said(index: int, names: tuple[str, ...] | None) -> str:
    """Name a class."""
    return names[index] if names is not None and index < len(names) else f"class {index}"


# --- the image --------------------------------------------------------------------------------------------------------


def _image(wanted: Wanted) -> tuple[Reread | None, int, Image, str, str]:
    """Read the image: with the run it is of, the place of a classifier, the label there, and what it is called."""
    if isinstance(wanted.what, np.ndarray):
        if wanted.what.dtype != np.uint8 or wanted.what.ndim != 3 or wanted.what.shape[2] != 3:  # noqa: PLR2004
            message = f"an image is a uint8 array (height, width, 3), but got {wanted.what.dtype} {wanted.what.shape}"
            raise ConfigError(message)
        return None, 0, np.ascontiguousarray(wanted.what), "", "an image"
    if not wanted.what.is_dir():
        if wanted.finding is not None or wanted.draw:
            message = "a finding or a draw is one of a run; name the run's directory in the place of an image file"
            raise ConfigError(message)
        try:
            return None, 0, pixels.read_file(wanted.what), "", wanted.what.name
        except pixels.PixelError as error:
            raise ConfigError(str(error)) from error
    return _drawn(wanted, wanted.what)


def _archive(wanted: Wanted, run: Path) -> Path:
    config = resolve(wanted.layers)[0]
    return config.archive if config.archive is not None else run.parent / "archive"


def _drawn(wanted: Wanted, run: Path) -> tuple[Reread, int, Image, str, str]:
    """Take a draw of a run: one that is named, or the first failing example of a finding."""
    with Journal(run, write=False) as journal, Archive(_archive(wanted, run), write=False) as kept:
        read = reread_whole(journal, kept)
        if read.study.photographs is not None:
            message = "the run is over photographs; name the file of a photograph in the place of the run"
            raise ConfigError(message)
        key, place = wanted.draw, 0
        if not key:
            number = 1 if wanted.finding is None else wanted.finding
            found = chosen(read.result, [number])[number]
            if not found.failing:
                message = f"finding {number} has no failing draw to explain; name one with --draw"
                raise ConfigError(message)
            key, place = found.failing[0], found.trial.hypothesis.classifier
        matching = [one for one in read.answered if one.startswith(key)]
        if len(matching) != 1:
            several = "no draw of that key" if not matching else f"{len(matching)} draws whose keys begin so"
            message = f"the run has {several}: {brief(key, 60)}; keys are the 32 digits that findings.json gives draws"
            raise ConfigError(message)
        drawn = read.answered[matching[0]]
        data = kept.images.bytes(drawn.draw.image) if drawn.draw.image else None
        image = None if data is None else pixels.read_png(data)
    if image is None:
        message = f"the draw {matching[0]} has no image: {brief(drawn.draw.fault or 'the archive has lost it', 120)}"
        raise ConfigError(message)
    return read, place, image, drawn.request.label, f"draw {matching[0][:8]} of {run.name}"


def _fitted(image: Image, generator: Part, *, resized: bool) -> Image:
    """Hold the image to the size that the generator draws."""
    height, width = generator.object.side
    if image.shape[:2] == (height, width):
        return image
    if not resized:
        message = f"the image has {image.shape[1]} by {image.shape[0]} pixels, and {_spec(generator)} draws {width} by "
        message += f"{height}; let it be cut and scaled with --resize, or name a generator of that size"
        raise ConfigError(message)
    from PIL import Image as Pictures
    from PIL import ImageOps

    made = ImageOps.fit(Pictures.fromarray(image), (width, height), Pictures.Resampling.LANCZOS)
    return np.ascontiguousarray(np.asarray(made))


# --- the parts --------------------------------------------------------------------------------------------------------


def _parts(
    wanted: Wanted, run: tuple[Reread | None, int], named: set[str]
) -> tuple[HuntConfig, dict[str, Part], list[str]]:
    """Load whoever is needed: those that are named, those of the run, the defaults; and say who is missing."""
    (read, place), config = run, resolve(wanted.layers)[0]
    ceiling = Ceiling(config.max_requests)

    def loaded(kind: str) -> Part:
        if kind in wanted.objects:
            return load(kind, wanted.objects[kind], ceiling=ceiling)
        options = config.parts(kind)[0]
        return load(kind, options.spec, options.args, ceiling=ceiling)

    # A part of the diorama knows nothing of another world, so that none stands beside another classifier unasked.
    own_world = "classifier" not in wanted.objects and config.classifier.spec.startswith("diorama:")
    parts: dict[str, Part] = {}
    notes: list[str] = []
    for kind in ("classifier", *BESIDE):
        noted = None if read is None else _noted(read, kind, place)
        if kind in named or (read is None and (kind == "classifier" or own_world)):
            parts[kind] = loaded(kind)
        elif noted is not None:
            try:
                parts[kind] = load_again(kind, noted, ceiling=ceiling, code=wanted.code)
            except PluginError as problem:
                if kind == "classifier":
                    raise
                notes.append(str(problem))
    if "judge" in parts:
        refuse_self_judging([parts["classifier"]], parts["judge"])
    parts["generator"] = _generator(wanted, read, named, loaded)
    if read is not None and (drew := read.study.identities["generator"]["spec"]) != parts["generator"].identity["spec"]:
        told = f"the image was drawn by {brief(drew, 80)} and is drawn anew by {_spec(parts['generator'])}"
        notes.append(f"{told}: what that cannot draw as well may turn answers, too")
    return config, parts, notes


def _noted(read: Reread, kind: str, place: int) -> Mapping[str, Any] | None:
    return read.study.began.classifiers[place] if kind == "classifier" else read.study.identities.get(kind)


def _generator(wanted: Wanted, read: Reread | None, named: set[str], loaded: Any) -> Part:
    if "generator" in named:
        part: Part = loaded("generator")
    elif read is not None and str(read.study.identities["generator"]["spec"]).startswith("diffusers:"):
        part = load_again("generator", read.study.identities["generator"], code=wanted.code)
    elif read is None or str(read.study.identities["generator"]["spec"]).startswith("diorama:"):
        part = load("generator", GENERATOR)
    else:
        spec = brief(str(read.study.identities["generator"]["spec"]))
        message = f"the run's generator {spec} repaints no image; name a diffusers pipeline with --generator"
        raise PluginError(message)
    if not offers(part.object, Repaints):
        message = f"the generator {_spec(part)} repaints no image; name a diffusers pipeline with --generator"
        raise PluginError(message)
    if part.object.unsteerable:
        message = f"the generator {_spec(part)} cannot be held to an image: {part.object.unsteerable}"
        raise PluginError(message)
    return part


def _spec(part: Part) -> str:
    return brief(str(part.identity["spec"]))


# --- labels -----------------------------------------------------------------------------------------------------------


def _found(text: str, of: Classes) -> tuple[Label, tuple[int, ...]]:
    labels, maps = resolve_labels([text], [of])
    return labels[0], maps[0].right[labels[0].name]


def _own(
    wanted: Wanted, run: tuple[Reread | None, int], label: str, answered: tuple[Classes, int]
) -> tuple[Label, tuple[int, ...], bool]:
    """Say what the image shows, which classes are right for that, and whether anybody but the classifier said so."""
    (of, said), (read, place) = answered, run
    if wanted.label:
        return (*_found(wanted.label, of), True)
    if read is not None and label:
        mapped = read.study.maps[place]
        if mapped.names == of.names and label in mapped.right:
            return read.study.labels[label], tuple(mapped.right[label]), True
        return (*_found(label, of), True)
    name = class_said(said, of.names)
    return (*_found(f"{said}={name}", of), False)


def _target(
    wanted: Wanted, own: tuple[Label, tuple[int, ...], bool], answered: tuple[Classes, int]
) -> tuple[Label, tuple[int, ...]]:
    """Find the wanted answer: that of the user, or the true label of an image on which the classifier fails."""
    label, right, known = own
    of, said = answered
    name = brief(class_said(said, of.names), 80)
    if wanted.to:
        to, classes = _found(wanted.to, of)
    elif known and said not in right:
        to, classes = label, right
    else:
        why = "is right" if known else "calls it that, and nobody said what it shows (--label)"
        message = f"name the answer to turn to with --to: the classifier says {name}, and {why}"
        raise ConfigError(message)
    if said in classes:
        message = f"the classifier says {name} of the image already; name another answer with --to"
        raise ConfigError(message)
    return to, classes
