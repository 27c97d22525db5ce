"""What classifiers say of their own classes, checked: names, which are as good as others, which look alike.

Comes in: a loaded classifier. Goes out: its `Classes`. Neighbour: `labels.py` finds the classes of a label among them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from foible.errors import PluginError, brief
from foible.labels import Classes
from foible.parts.protocols import AcceptsClasses, LikensClasses, NamesClasses, offers
from foible.parts.registry import Part


def unique_names(specs: Sequence[str]) -> list[str]:
    """Give each classifier a name of its own: its spec, numbered where it comes again."""
    return [f"{s} ({specs[: at + 1].count(s)})" if specs[:at].count(s) else s for at, s in enumerate(specs)]


def classes_of(part: Part, called: str) -> Classes:
    """Return what a classifier says of its own classes."""
    names = _class_names(part)
    return Classes(classifier=called, names=names, accepted=_accepted(part, names), alike=_alike(part, names))


def _class_names(part: Part) -> tuple[str, ...] | None:
    """Return the classifier's classes in order; None where it names none."""
    names = part.object.labels if offers(part.object, NamesClasses) else None
    if names is None:
        return None
    listed = [] if isinstance(names, str | bytes | Mapping) or not isinstance(names, Iterable) else list(names)
    if not listed or not all(isinstance(name, str) for name in listed):
        message = (
            f"the `labels` of the classifier {brief(part.identity['spec'])} must be the names of its classes "
            f"in order, but got {brief(repr(names), 80)}"
        )
        raise PluginError(message)
    return tuple(listed)


def _accepted(part: Part, names: Sequence[str] | None) -> Mapping[int, Collection[int]]:
    """Return which further classes the classifier says are as good as another: index -> indices."""
    found = part.object.accepted if offers(part.object, AcceptsClasses) else None
    if not found or names is None:
        return {}
    rows = found.items() if isinstance(found, Mapping) else [(-1, ())]
    every = [index for one, others in rows for index in (one, *(others if isinstance(others, Collection) else (-1,)))]
    if not all(isinstance(index, int) and 0 <= index < len(names) for index in every):
        message = (
            f"`accepted` of the classifier {brief(part.identity['spec'])} must map class indices to collections "
            f"of class indices below {len(names)}, but got {brief(repr(found), 80)}"
        )
        raise PluginError(message)
    return found


def _alike(part: Part, names: Sequence[str] | None) -> Mapping[int, Mapping[int, float]]:
    """Return which further classes annotators saw in the pictures of a class: index -> index -> share."""
    found = part.object.alike if offers(part.object, LikensClasses) else None
    if not found or names is None:
        return {}
    rows = found.items() if isinstance(found, Mapping) else [(-1, {})]
    whole = all(
        isinstance(index, int) and 0 <= index < len(names) and isinstance(share, int | float) and 0 <= share <= 1
        for one, others in rows
        for index, share in [(one, 0.0), *(others.items() if isinstance(others, Mapping) else [(-1, 0.0)])]
    )
    if not whole:
        message = (
            f"`alike` of the classifier {brief(part.identity['spec'])} must map class indices below {len(names)} to "
            f"mappings from class indices to shares of 0 to 1, but got {brief(repr(found), 80)}"
        )
        raise PluginError(message)
    return found
