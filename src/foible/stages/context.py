"""What every stage of one hunt works with.

Comes in: nothing but what `prepare.py` puts together. Goes out: one frozen record that is handed from stage to stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from foible.archive import Archive
from foible.config import HuntConfig
from foible.errors import ConfigError, LabelError, brief
from foible.labels import class_name
from foible.progress import Progress
from foible.records import Label, Prediction
from foible.registry import Part
from foible.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """What "failed" means: no accepted label among the `top` highest scores, or taken for `target`."""

    top: int = 1
    target: int | None = None

    def holds(self, prediction: Prediction, label: Label) -> bool:
        """Tell whether a prediction fails its label."""
        if self.target is not None:
            return prediction.index == self.target
        return all(index not in label.accepted for index, _ in prediction.top[: self.top])

    def check(self, labels: Iterable[Label], classes: int) -> None:
        """Refuse what no classifier of so many classes can pass, or fail.

        Raises:
            LabelError: a label or the target lies beyond the classes.
            ConfigError: so many scores count that a label could never fail.
        """
        for label in labels:
            beyond = max(*label.accepted, label.index, self.target or 0)
            name = brief(label.name)
            if beyond >= classes:
                message = f"the label {name!r} needs class {beyond}, but the classifier has {classes} (from 0)"
                raise LabelError(f"{message}; name another")
            if self.target is None and self.top + len(label.accepted) > classes:
                message = f"with failure.top {self.top} and {classes} classes the label {name!r} can never fail"
                raise ConfigError(f"{message}; lower failure.top, or accept fewer classes")


@dataclass(frozen=True, slots=True)
class Context:
    """What every stage works with: the parts, the labels, where things lie, and who is told."""

    generator: Part
    classifier: Part
    judge: Part
    captioner: Part | None
    embedder: Part | None
    config: HuntConfig
    labels: Mapping[str, Label]
    """By name, in the order given."""
    class_names: Sequence[str] | None
    """The classifier's classes in order; None where it names none."""
    failure: Failure
    store: Store
    archive: Archive
    progress: Progress

    def class_name(self, index: int) -> str:
        """Return what a class is called: the label's own name where it is hunted over."""
        own = next((label.name for label in self.labels.values() if label.index == index), None)
        return own if own is not None else class_name(index, self.class_names)


def units(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a list into its fixed units of work."""
    return (items[start : start + size] for start in range(0, len(items), size))
