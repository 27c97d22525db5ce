"""From what the user gave to everything that a hunt needs: config, parts, labels, the run directory.

Comes in: specs or objects, labels, options. Goes out: a `HuntConfig`, and a `Context` over an open store. Whatever
cannot be used is refused here, before anything is drawn. Neighbour: `hunting.py` runs the stages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible.archive import Archive
from foible.ceiling import Ceiling
from foible.config import HuntConfig, Layer, PartOptions, fields, resolve, settings
from foible.errors import ConfigError, LabelError, PluginError, brief
from foible.identity import digest
from foible.labels import find_class
from foible.labels import resolve as resolve_labels
from foible.progress import Progress
from foible.records import Hypothesis, Label, Spec
from foible.registry import KINDS, Part, load, method
from foible.stages.context import Context, Failure
from foible.store import Store, check_settings

EXPLORE_SHARE = 0.4
"""At most this share of a budget explores: a suspicion that cannot be tested is worth nothing."""

PROBE_KINDS = ("generator", "classifier", "judge")
"""What a probe needs: nothing is described."""


def make_config(
    config: HuntConfig | Mapping[str, Any] | None,
    parts: Mapping[str, object],
    named: Mapping[str, object],
    labels: Sequence[str | Label] | None,
) -> HuntConfig:
    """Merge what Python was given into one config."""
    base: Mapping[str, Any] = config.model_dump() if isinstance(config, HuntConfig) else (config or {})
    direct: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    direct |= {kind: _named_spec(what) for kind, what in parts.items() if _named_spec(what) is not None}
    if labels is not None:
        direct["labels"] = [_label_text(label) for label in labels]
    layers: list[Layer] = [("config", base), ("argument", direct)]
    return resolve(layers)[0]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A hunt or a probe that can start: everything that was given has been found usable."""

    folder: Path
    config: HuntConfig
    parts: Mapping[str, Part]
    labels: tuple[Label, ...]
    class_names: Sequence[str] | None
    hypotheses: tuple[Hypothesis, ...]
    """A person's own; empty for a hunt."""
    failure: Failure
    explore: int
    """Draws per label in exploration; 0 for a probe."""

    def context(self, store: Store, progress: Progress) -> Context:
        """Check that the store was made under the same settings, and put together what the stages need.

        Raises:
            StoreError: the run directory was made with other settings.
        """
        _check_settings(store, self)
        archive = self.config.archive if self.config.archive is not None else self.folder.parent / "archive"
        return Context(
            self.parts["generator"],
            self.parts["classifier"],
            self.parts["judge"],
            self.parts.get("captioner"),
            self.parts.get("embedder"),
            self.config,
            {label.name: label for label in self.labels},
            self.class_names,
            self.failure,
            store,
            Archive(archive),
            progress,
        )


def prepare(
    config: HuntConfig, objects: Mapping[str, object] | None = None, descriptions: Sequence[str] | None = None
) -> Prepared:
    """Load the parts, which share one ceiling of requests, and check what was given.

    Args:
        config: every option.
        objects: kind -> object to use in place of the config's spec.
        descriptions: a person's hypotheses about the one label of the config; None for a hunt.

    Raises:
        InputError: something given cannot be used.
        OutOfRequests: `max_requests` does not hold what the parts ask their servers about themselves.
    """
    ceiling = Ceiling(config.max_requests)
    kinds = KINDS if descriptions is None else PROBE_KINDS
    parts = {kind: _load(kind, config, (objects or {}).get(kind), ceiling) for kind in kinds}
    _refuse_self_judging(parts)
    class_names = _class_names(parts["classifier"])
    labels = resolve_labels(config.labels, class_names, _accepted(parts["classifier"], class_names))
    failure = Failure(config.failure.top, _target(config, labels, class_names))
    if class_names is not None:
        failure.check(labels, len(class_names))
    hypotheses = () if descriptions is None else _own_hypotheses(config, labels, descriptions)
    explore = explore_draws(config, len(labels)) if descriptions is None else 0
    folder = _folder(config, str(parts["classifier"].identity["spec"]), hypotheses)
    return Prepared(folder, config, parts, labels, class_names, hypotheses, failure, explore)


def _named_spec(what: object) -> str | Mapping[str, object] | None:
    """Return how a config names a part: a bare spec leaves no arguments of an earlier layer; None for an object."""
    if isinstance(what, str):
        return what
    return {"spec": what.name, "args": dict(what.args)} if isinstance(what, Spec) else None


def _label_text(label: str | Label) -> str:
    if isinstance(label, str):
        return label
    indices = "|".join(str(index) for index in (label.index, *sorted(label.accepted - {label.index})))
    return f"{indices}={label.name}" + (f" ({label.hypernym})" if label.hypernym else "")


def _load(kind: str, config: HuntConfig, given: object, ceiling: Ceiling) -> Part:
    if given is not None and _named_spec(given) is None:
        return load(kind, given, ceiling=ceiling)
    options: PartOptions = getattr(config, kind)
    return load(kind, options.spec, options.args, ceiling=ceiling)


def _refuse_self_judging(parts: Mapping[str, Part]) -> None:
    """Refuse a judge, or a member of one, that is the classifier, or is made of the same weights."""
    classifier = parts["classifier"]
    for judge in (parts["judge"], *getattr(parts["judge"].object, "members", ())):
        # Under another family or with other arguments the same weights make the same mistakes.
        same = judge.identity["fingerprint"] == classifier.identity["fingerprint"]
        if same or judge.object is classifier.object or _owner(judge) is _owner(classifier):
            message = f"the judge {brief(judge.identity['spec'])} is the classifier under test; name another judge"
            raise ConfigError(message)


def _owner(part: Part) -> object:
    """Return who answers: a function, or the object that the method is bound to."""
    answers = getattr(part.object, method(part.kind))
    return getattr(answers, "__self__", answers)


def _class_names(classifier: Part) -> list[str] | None:
    """Return the classifier's classes in order; None where it names none."""
    names = getattr(classifier.object, "labels", None)
    if names is None:
        return None
    listed = [] if isinstance(names, str | bytes | Mapping) or not isinstance(names, Iterable) else list(names)
    if not listed or not all(isinstance(name, str) for name in listed):
        message = (
            f"the `labels` of the classifier {brief(classifier.identity['spec'])} must be the names of its classes "
            f"in order, but got {brief(repr(names), 80)}"
        )
        raise PluginError(message)
    return listed


def _accepted(classifier: Part, names: Sequence[str] | None) -> Mapping[int, Collection[int]]:
    """Return which further classes the classifier says are as good as another: index -> indices."""
    found: Mapping[int, Collection[int]] | None = getattr(classifier.object, "accepted", None)
    if not found or names is None:
        return {}
    rows = found.items() if isinstance(found, Mapping) else [(-1, ())]
    every = [index for one, others in rows for index in (one, *(others if isinstance(others, Collection) else (-1,)))]
    if not all(isinstance(index, int) and 0 <= index < len(names) for index in every):
        message = (
            f"`accepted` of the classifier {brief(classifier.identity['spec'])} must map class indices to collections "
            f"of class indices below {len(names)}, but got {brief(repr(found), 80)}"
        )
        raise PluginError(message)
    return found


def _own_hypotheses(config: HuntConfig, labels: Sequence[Label], descriptions: Sequence[str]) -> tuple[Hypothesis, ...]:
    """Turn a person's descriptions into hypotheses, each once."""
    if len(labels) != 1:
        message = f"a probe is about one label, but got {len(labels)}"
        raise LabelError(message)
    hypotheses = tuple(dict.fromkeys(_own_hypothesis(labels[0], text) for text in descriptions))
    if not hypotheses:
        message = "a probe needs a description, such as --description 'on grass, at night'"
        raise ConfigError(message)
    options = config.confirm
    need = 2 * (options.draws if options.method == "fixed" else min(options.least, options.most))
    if config.budget is not None and config.budget < need:
        message = f"a budget of {config.budget} draws cannot test a description; give at least {need}"
        raise ConfigError(message)
    return hypotheses


def _own_hypothesis(label: Label, description: str) -> Hypothesis:
    phrases = tuple(dict.fromkeys(" ".join(part.split()) for part in description.split(",") if part.strip()))
    if not phrases or not description.isprintable():
        message = f"a description is words such as 'on grass, at night', but got {brief(description)!r}"
        raise ConfigError(message)
    return Hypothesis(label.name, phrases)


def explore_draws(config: HuntConfig, labels: int) -> int:
    """Return how many draws a label gets in exploration, within the budget.

    Raises:
        ConfigError: the budget cannot explore so many labels.
    """
    if config.budget is None:
        return config.explore.draws
    affordable = int(config.budget * EXPLORE_SHARE) // labels
    if affordable < 1:
        need = math.ceil(labels / EXPLORE_SHARE)
        message = (
            f"a budget of {config.budget} draws cannot explore {labels} labels; give at least {need}, "
            "or name fewer labels"
        )
        raise ConfigError(message)
    return min(config.explore.draws, affordable)


def _folder(config: HuntConfig, classifier: str, hypotheses: Sequence[Hypothesis]) -> Path:
    """Return the run directory: `out`, or one under `runs/` named after the classifier and what a probe tests."""
    if config.out is not None:
        return config.out
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", classifier.removeprefix("object:")).strip("-.")[:80] or "hunt"
    tested = f"-probe-{digest([[h.label, *h.phrases] for h in hypotheses])[:8]}" if hypotheses else ""
    return Path("runs") / f"{name}{tested}"


def _check_settings(store: Store, prepared: Prepared) -> None:
    """Refuse a run directory that was made under other settings."""
    wanted: dict[str, object] = dict(settings(prepared.config))
    for kind in KINDS:
        for field in ("spec", "args"):
            wanted.pop(f"{kind}.{field}")
    for kind, part in prepared.parts.items():
        wanted |= {f"{kind}.{field}": value for field, value in part.identity.items()}
    wanted["labels"] = [[label.index, label.name, label.hypernym, sorted(label.accepted)] for label in prepared.labels]
    wanted["failure.index"] = prepared.failure.target
    wanted["probe"] = [[h.label, *h.phrases] for h in prepared.hypotheses]
    growing = [name for name, _, role in fields(prepared.config) if role == "grows"]
    check_settings(store, wanted, growing)


def _target(config: HuntConfig, labels: Sequence[Label], names: Sequence[str] | None) -> int | None:
    if not config.failure.target:
        return None
    target = find_class(config.failure.target, names)
    for label in labels:
        if target in label.accepted:
            message = (
                f"the target {brief(config.failure.target)!r} is an accepted answer for the label {label.name!r}; "
                "hunt over other labels, or name another target"
            )
            raise LabelError(message)
    return target
