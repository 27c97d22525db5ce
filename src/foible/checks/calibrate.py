"""Sets the thresholds of a judge on images whose labels are known, and counts how well it then does on others.

Comes in: a judge and a folder of labelled images. Goes out: a calibration: thresholds, and counts of sensitivity and
specificity. Neighbours: `models/_votes.py` reads the file; `statistics/judging.py` corrects rates by such counts.

An image is a yes for its own label, and a no for another label, which goes round. Half of the images set the
thresholds, and the other half alone is counted: counts on the images that chose a threshold flatter it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foible import pixels
from foible.errors import InputError, PluginError, brief
from foible.labels import split_name
from foible.parts.registry import Part, load
from foible.pixels import PixelError
from foible.records import Label
from foible.statistics import Skill, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = "foible/judge-calibration"
_BATCH = 32
_LEAST = 4
"""Images that each label must have: two to set the thresholds, two to be counted."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A file with an image, and what it shows. It is read whenever it is asked for: together they may not fit."""

    file: Path
    label: int

    @property
    def image(self) -> NDArray[np.uint8]:
        """The image, (height, width, 3).

        Raises:
            InputError: it has gone since the folder was read.
        """
        try:
            return pixels.read_file(self.file)
        except PixelError as error:
            message = (
                f"the image {self.file} was there and can no longer be read; leave the folder alone, and try again"
            )
            raise InputError(message) from error


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a judge should be given, and how well it then does."""

    spec: str
    fingerprint: str
    args: Mapping[str, Any]
    """For the judge: thresholds, rule, and what they were set for."""
    labels: tuple[str, ...]
    images: int
    broken: int
    """Files that cannot be read as images; they were left out."""
    sensitivity: Skill
    """Of images that show the label: how many it said yes to, on the half that set nothing."""
    specificity: Skill
    """Of images that show another label: how many it said no to, on the half that set nothing."""

    def text(self) -> str:
        """Give the file, as JSON."""
        content = {
            "schema": SCHEMA,
            "judge": self.spec,
            "fingerprint": self.fingerprint,
            "args": dict(self.args),
            "labels": list(self.labels),
            "images": self.images,
            "broken": self.broken,
            "sensitivity": _counted(self.sensitivity),
            "specificity": _counted(self.specificity),
        }
        return json.dumps(content, indent=2) + "\n"


def calibrate(spec: str, args: Mapping[str, Any], folder: Path, *, specificity: float = 0.95) -> Calibration:
    """Set the thresholds of a judge.

    Args:
        spec: of the judge.
        args: of the judge; a threshold among them is only a beginning.
        folder: holds a folder for each label, called after it, with its images.
        specificity: the share of images of other labels to which the judge must say no, on the half that sets the
            thresholds; of all thresholds that do, the lowest are taken, which say yes most often.

    Raises:
        InputError: the folder is no such thing, the judge has no scores, or it cannot tell the labels apart.
    """
    part = _load(spec, args)
    labels, shown, broken = read_folder(folder)
    scores = [_scores(part, shown, labels, other=other) for other in (False, True)]
    first = np.array([row % 2 == 0 for row in _ranks(shown)])
    needed = int(part.identity["args"]["needed"])
    thresholds = choose(scores[0][first], scores[1][first], needed, specificity)
    said = [((each[~first] >= thresholds).sum(axis=1) >= needed) for each in scores]
    sensitivity, right = Skill(int(said[0].sum()), len(said[0])), Skill(int((~said[1]).sum()), len(said[1]))
    if sensitivity.rate + right.rate <= 1:
        message = (
            f"the judge {brief(spec)} tells the labels in {folder} apart no better than a coin (yes to "
            f"{sensitivity.right} of {sensitivity.of} right ones, no to {right.right} of {right.of} wrong ones); "
            "name another model, other templates or contrasts"
        )
        raise InputError(message)
    settled = {**part.object.calibrates, "threshold": thresholds.tolist(), "needed": needed}
    names = tuple(label.name for label in labels)
    fingerprint = str(part.identity["fingerprint"])
    return Calibration(spec, fingerprint, settled, names, len(shown), broken, sensitivity, right)


def read_folder(folder: Path) -> tuple[list[Label], list[Shown], int]:
    """Read a folder for each label: (labels, images in the order of their content, files that are none).

    An image that is there twice counts once, whatever files it lies in. Hidden folders and files, which notebooks,
    desktops and `git` leave, are no labels and no images.

    Raises:
        InputError: there are fewer than two labels, or a label has too few images.
    """
    inner = [path for path in _visible(folder) if path.is_dir()] if folder.is_dir() else []
    if len(inner) < 2:  # noqa: PLR2004 - one label has no other
        message = f"{folder} must hold a folder for each label, two at least, with its images, but holds {len(inner)}"
        raise InputError(message)
    labels, shown, broken = [], [], 0
    for index, path in enumerate(inner):
        good, wrong = _images(path)
        if len(good) < _LEAST:
            message = f"the label {path.name!r} in {folder} needs {_LEAST} different images, but has {len(good)}"
            raise InputError(message + (f"; {len(wrong)} were left out, such as: {wrong[0]}" if wrong else ""))
        labels.append(Label(*split_name(path.name)))
        shown += [Shown(file, index) for file in good]
        broken += len(wrong)
    return labels, shown, broken


def _images(folder: Path) -> tuple[list[Path], list[str]]:
    """Find the different images in a folder, in the order of their content, and say what is wrong with the others."""
    good: dict[str, Path] = {}
    wrong = []
    for file in _visible(folder):
        if not file.is_dir():
            try:
                good.setdefault(pixels.content_hash(pixels.read_file(file)), file)
            except PixelError as error:
                wrong.append(str(error))
    return [file for _, file in sorted(good.items())], wrong


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if pixels.is_visible(path.name))


def choose(yes: NDArray[np.float64], no: NDArray[np.float64], needed: int, specificity: float) -> NDArray[np.float64]:
    """Choose a threshold for each question: the lowest with which the rule says no often enough.

    Every question's threshold leaves the same share of its own wrong scores below; that share is raised until the rule
    holds.

    Args:
        yes: scores (images, questions) for the right label.
        no: scores (images, questions) for a wrong one.
        needed: questions that must reach their threshold.
        specificity: share of the rows of `no` to which the rule must say no, 0 .. 1.

    Returns:
        (questions,)
    """
    ordered = np.sort(no, axis=0)
    thresholds = np.array([_between(yes, no, question, -np.inf) for question in range(no.shape[1])])
    for row in ordered:
        if ((no >= thresholds).sum(axis=1) < needed).mean() >= specificity:
            break
        thresholds = np.array([_between(yes, no, question, row[question]) for question in range(no.shape[1])])
    return thresholds


def _between(yes: NDArray[np.float64], no: NDArray[np.float64], question: int, low: float) -> float:
    """Give the middle between a score and the next larger one; a little more than the largest; or the smallest."""
    known = np.unique(np.concatenate([yes[:, question], no[:, question]]))
    above = known[known > low]
    if not len(above):
        return float(np.nextafter(low, np.inf))
    return float(above[0]) if np.isinf(low) else float((low + above[0]) / 2)


def _load(spec: str, args: Mapping[str, Any]) -> Part:
    """Load the judge; a first threshold, which some need, is filled in."""
    begun = {"threshold": 0.0, **args} if spec.partition(":")[0] in {"clip", "vlm"} else args
    part = load("judge", spec, begun)
    if not hasattr(part.object, "scores") or not hasattr(part.object, "calibrates"):
        message = f"the judge {brief(spec)} has no thresholds to calibrate; name one of the families clip or vlm"
        raise PluginError(message)
    return part


def _ranks(shown: Sequence[Shown]) -> list[int]:
    """Number the images of each label, from 0."""
    counts: dict[int, int] = {}
    ranks = []
    for one in shown:
        ranks.append(counts.get(one.label, 0))
        counts[one.label] = ranks[-1] + 1
    return ranks


def _scores(part: Part, shown: Sequence[Shown], labels: Sequence[Label], *, other: bool) -> NDArray[np.float64]:
    """Score each image for its own label, or for another, which goes round with the image's number."""
    ranks = _ranks(shown)
    asked = [
        labels[(one.label + (1 + rank // 2 % (len(labels) - 1) if other else 0)) % len(labels)]
        for one, rank in zip(shown, ranks, strict=True)
    ]
    pieces = [
        part.object.scores([one.image for one in shown[start : start + _BATCH]], asked[start : start + _BATCH])
        for start in range(0, len(shown), _BATCH)
    ]
    scores: NDArray[np.float64] = np.concatenate(pieces)
    unanswered = int(np.isnan(scores).any(axis=1).sum())
    if unanswered:
        message = f"the judge says neither yes nor no of {unanswered} of {len(scores)} images; ask another question"
        raise InputError(f"{message}, as in --set 'judge.args.question=…'")
    return scores


def _counted(skill: Skill) -> dict[str, object]:
    low, high = wilson(skill.right, skill.of)
    return {"right": skill.right, "of": skill.of, "low": round(float(low), 4), "high": round(float(high), 4)}
