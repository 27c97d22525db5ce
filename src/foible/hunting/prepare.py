"""From what the user gave to everything that a hunt needs: config, parts, labels, the run directory.

Comes in: specs or objects, labels, options. Goes out: a `Prepared` hunt: whatever cannot be used has been refused,
before anything is drawn or written. Neighbour: `api.py` opens the run and walks the path.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible._version import __version__
from foible.budget import explored_each, least_total
from foible.config import HuntConfig, PartOptions, fields, plain, settings
from foible.draws.questions import GENERATOR, GUIDE, JUDGE, classifier
from foible.errors import ConfigError, LabelError, brief, near
from foible.hunting.classes import classes_of, unique_names
from foible.hunting.sources import guide_of, load_source, refuse_unfollowed, refuse_unread
from foible.identity import digest
from foible.labels import Classes, labels_of, texts_of
from foible.labels import resolve as resolve_labels
from foible.layers import Layer, read_file, resolve
from foible.parts.ceiling import Ceiling
from foible.parts.fitting import refuse_other_worlds, refuse_other_worlds_by_spec, refuse_undrawable
from foible.parts.members import members_of
from foible.parts.registry import KINDS, Part, load, method
from foible.photographs import PhotographSet
from foible.records import ClassMap, Label, Spec
from foible.run.events import Began

PROBE_KINDS = ("generator", "classifier", "judge")
"""What a probe needs: nothing is described."""
Descriptions = Sequence[str] | Mapping[str, Sequence[str]]
"""Of the one label of a config, or by the name of each of its labels."""


def make_config(
    config: HuntConfig | Mapping[str, Any] | Path | str | None,
    parts: Mapping[str, Sequence[object]],
    named: Mapping[str, object],
    labels: Sequence[str | Label] | str | Label | None,
) -> HuntConfig:
    """Merge what Python was given into one config; a path is that of a YAML file, and one label may stand alone.

    Raises:
        ConfigError: the config is none of these, cannot be read, or holds what no field takes.
    """
    return resolve(layers_of(config, parts, named, labels))[0]


def layers_of(
    config: HuntConfig | Mapping[str, Any] | Path | str | None,
    parts: Mapping[str, Sequence[object]],
    named: Mapping[str, object],
    labels: Sequence[str | Label] | str | Label | None,
) -> list[Layer]:
    """Put what Python was given into layers, as `make_config` does.

    Raises:
        ConfigError: the config is none of these, or cannot be read.
    """
    base = _fields_of(config)
    labels = [labels] if isinstance(labels, str | Label) else labels
    direct: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if isinstance(direct.get("source"), Spec):
        direct["source"] = _named_spec(direct["source"])
    for kind, given in parts.items():
        if given and _named_spec(given[0]) is not None:
            direct[kind] = _named_spec(given[0])
        if kind == "classifier" and len(given) > 1:
            direct["other_classifiers"] = [_named_spec(what) or "object" for what in given[1:]]
    if labels is not None:
        direct["labels"] = [_label_text(label) for label in labels]
    return [("config", base), ("argument", direct)]


def _fields_of(config: HuntConfig | Mapping[str, Any] | Path | str | None) -> Mapping[str, Any]:
    if isinstance(config, HuntConfig):
        return config.model_dump()
    if isinstance(config, str | Path):
        return read_file(Path(config))
    if config is None or isinstance(config, Mapping):
        return config or {}
    message = f"config wants fields, a HuntConfig or the path of a YAML file, but got a {type(config).__name__}"
    raise ConfigError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A hunt or a probe that can start: everything that was given has been found usable."""

    folder: Path
    """The run directory."""
    config: HuntConfig
    parts: Mapping[str, Part]
    """By what the run calls them: "generator", "classifier 0"."""
    labels: tuple[Label, ...]
    maps: tuple[ClassMap, ...]
    """Of each classifier."""
    probe: tuple[tuple[str, tuple[str, ...]], ...] | None
    """Label and words of each hypothesis that a probe is given; None for a hunt."""
    photographs: PhotographSet | None = None
    """What the hunt is over; None where a generator draws."""
    ceiling: Ceiling
    """From which all parts take their requests."""

    @property
    def archive(self) -> Path:
        """Where images and answers lie."""
        return self.config.archive if self.config.archive is not None else self.folder.parent / "archive"

    @property
    def began(self) -> Began:
        """What the journal notes of it when it begins."""
        own = [self.parts[classifier(place)] for place in range(len(self.maps))]
        return Began(
            foible_version=__version__,
            settings=_settings(self.config, self.parts),
            parts={name: dict(part.identity) for name, part in self.parts.items() if part not in own},
            classifiers=[dict(part.identity) for part in own],
            maps=list(self.maps),
            labels=list(self.labels),
            probe=None if self.probe is None else list(self.probe),
        )


def prepare(
    config: HuntConfig,
    objects: Mapping[str, Sequence[object]] | None = None,
    descriptions: Descriptions | None = None,
    kinds: Sequence[str] = (),
) -> Prepared:
    """Load the parts, which share one ceiling of requests, and check what was given.

    Args:
        config: every option.
        objects: kind -> objects to use in place of the config's specs; several for the classifier alone.
        descriptions: what a probe is to test; None for a hunt.
        kinds: of the parts to load, for what is neither hunt nor probe; empty for those that these need.

    Raises:
        InputError: something given cannot be used.
        OutOfRequests: `max_requests` does not hold what the parts ask their servers about themselves.
    """
    refuse_unfollowed(config, alone=bool(kinds))
    if config.source.spec:
        return _prepare_photographs(config, objects or {}, descriptions)
    kinds = kinds or (KINDS if descriptions is None else PROBE_KINDS)
    given = objects or {}
    named = [kind for kind in kinds if all(one is None or _named_spec(one) for one in given.get(kind, ()))]
    # Before anything is loaded, which may take long.
    refuse_other_worlds_by_spec({kind: config.parts(kind)[0].spec for kind in named})
    ceiling = Ceiling(config.max_requests)
    parts = dict(_load_all(kinds, config, given, ceiling))
    refuse_other_worlds(list(parts.values()))
    classes = _tested(parts)
    labels, maps = resolve_labels(config.labels, classes, top=config.failure.top, target=config.failure.target)
    refuse_undrawable(parts[GENERATOR], labels)
    probe = None if descriptions is None else _own_words(config, labels, descriptions)
    if probe is None:
        explore_draws(config, len(labels))
    if probe is None and config.guide.method != "none":
        parts[GUIDE] = guide_of(config, parts, labels, maps)
    folder = _folder(config, [one.classifier for one in classes], probe)
    return Prepared(folder=folder, config=config, parts=parts, labels=labels, maps=maps, probe=probe, ceiling=ceiling)


def _prepare_photographs(
    config: HuntConfig, objects: Mapping[str, Sequence[object]], descriptions: Descriptions | None
) -> Prepared:
    """Load the photographs in the place of a generator, and of the parts that look on those that were named."""
    if descriptions is not None or objects.get(GENERATOR, (None,))[0] is not None or config.failure.target:
        message = "with a source of photographs there is no generator, no probe and no targeted mode; leave them out"
        raise ConfigError(message)
    given = {kind: what for kind, what in objects.items() if any(one is not None for one in what)}
    kinds = [kind for kind in KINDS[1:] if getattr(config, kind).spec or kind in given]
    ceiling = Ceiling(config.max_requests)
    source, photographs = load_source(config, ceiling)
    parts = {GENERATOR: source, **dict(_load_all(kinds, config, objects, ceiling))}
    refuse_unread(photographs, parts)
    classes = _tested(parts)
    texts, unknown = (config.labels, []) if config.labels else texts_of(list(photographs.labels()), classes[0])
    if not texts:
        message = f"no annotation of {brief(config.source.spec)!r} is a class of the classifier, such as "
        raise LabelError(f"{message}{brief(unknown[0], 60)!r}; say which is which, as --label INDEX=annotation")
    labels, maps = resolve_labels(texts, classes, top=config.failure.top)
    annotated = labels_of(photographs.labels(), {label.name: label for label in labels}, maps[0])
    lacking = next((label.name for label in labels if label.name not in annotated.values()), None)
    if lacking is not None:
        message = f"no photograph is annotated {brief(lacking)!r}: {near(lacking, map(brief, photographs.labels()))}"
        raise LabelError(message)
    folder = _folder(config, [one.classifier for one in classes], None)
    return Prepared(
        folder=folder,
        config=config,
        parts=parts,
        labels=labels,
        maps=maps,
        probe=None,
        photographs=photographs,
        ceiling=ceiling,
    )


def _tested(parts: Mapping[str, Part]) -> list[Classes]:
    """Return what the classifiers under test say of their classes; none of them may be the judge."""
    own = [part for part in parts.values() if part.kind == "classifier"]
    refuse_self_judging(own, parts[JUDGE])
    names = unique_names([str(part.identity["spec"]) for part in own])
    return [classes_of(part, name) for part, name in zip(own, names, strict=True)]


def _load_all(
    kinds: Sequence[str], config: HuntConfig, objects: Mapping[str, Sequence[object]], ceiling: Ceiling
) -> Iterable[tuple[str, Part]]:
    """Load every part, named as the run calls it."""
    for kind in kinds:
        first: PartOptions = getattr(config, kind)
        specs = [first, *config.other_classifiers] if kind == "classifier" else [first]
        for place, (options, what) in enumerate(itertools.zip_longest(specs, objects.get(kind, ()))):
            if what is None or _named_spec(what) is not None:  # a spec that was given stands in the config already
                part = load(kind, options.spec, options.args, ceiling=ceiling)
            else:
                part = load(kind, what, ceiling=ceiling)
            yield (classifier(place) if kind == "classifier" else kind), part


def _settings(config: HuntConfig, parts: Mapping[str, Part]) -> dict[str, Any]:
    """Return the settings of a run: those of parts as they are used, be it an object in place of a spec."""
    found = dict(settings(config))
    for kind in KINDS:
        part = parts.get(classifier(0) if kind == "classifier" else kind)
        for name in ("spec", "args"):
            if part is not None:
                found[f"{kind}.{name}"] = part.identity[name]
            else:
                del found[f"{kind}.{name}"]
    others = [part for part in parts.values() if part.kind == "classifier"][1:]
    found["other_classifiers"] = [{name: part.identity[name] for name in ("spec", "args")} for part in others]
    return found


def _named_spec(what: object) -> str | Mapping[str, object] | None:
    """Return how a config names a part: a bare spec leaves no arguments of an earlier layer; None for an object."""
    if isinstance(what, str):
        return what
    return {"spec": what.name, "args": dict(what.args)} if isinstance(what, Spec) else None


def _label_text(label: str | Label) -> str:
    return label if isinstance(label, str) else label.name + (f" ({label.kind})" if label.kind else "")


def refuse_self_judging(classifiers: Iterable[Part], judge: Part) -> None:
    """Refuse a judge, or a member of one, that is a classifier under test, or is made of the same weights."""
    members = (judge, *members_of(judge.object))
    for own, member in itertools.product(classifiers, members):
        # Under another family or with other arguments the same weights make the same mistakes.
        same = member.identity["fingerprint"] == own.identity["fingerprint"]
        if same or member.object is own.object or _owner(member) is _owner(own):
            message = f"the judge {brief(member.identity['spec'])} is the classifier under test; name another judge"
            raise ConfigError(message)


def _owner(part: Part) -> object:
    """Return who answers: a function, or the object that the method is bound to."""
    answers = getattr(part.object, method(part.kind))
    return getattr(answers, "__self__", answers)


def _own_words(
    config: HuntConfig, labels: Sequence[Label], descriptions: Descriptions
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Turn descriptions into words, each once for a label."""
    if not isinstance(descriptions, Mapping) and len(labels) != 1:
        message = f"a probe is about one label, but got {len(labels)}"
        raise LabelError(message)
    of = descriptions if isinstance(descriptions, Mapping) else {labels[0].name: descriptions}
    own = tuple(dict.fromkeys((label.name, _words(text)) for label in labels for text in of.get(label.name, ())))
    if not own:
        message = "a probe needs a description, such as --description 'on grass, at night'"
        raise ConfigError(message)
    options = config.confirm
    need = 2 * (options.draws if options.method == "fixed" else min(options.least, options.most))
    if config.budget is not None and config.budget < need:
        message = f"a budget of {config.budget} draws cannot test a description; give at least {need}"
        raise ConfigError(message)
    return own


def _words(description: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(" ".join(part.split()) for part in description.split(",") if part.strip()))
    if not words or not description.isprintable():
        message = f"a description is words such as 'on grass, at night', but got {brief(description)!r}"
        raise ConfigError(message)
    return words


def explore_draws(config: HuntConfig, labels: int) -> int:
    """Return how many draws a label gets in exploration, within the budget.

    Raises:
        ConfigError: the budget cannot explore so many labels.
    """
    each = explored_each(config.explore.draws, labels, config.budget)
    if each < 1:
        message = (
            f"a budget of {config.budget} draws cannot explore {labels} labels; give at least {least_total(labels)}, "
            "or name fewer labels"
        )
        raise ConfigError(message)
    return each


def _folder(config: HuntConfig, names: Sequence[str], probe: Sequence[tuple[str, tuple[str, ...]]] | None) -> Path:
    """Return the run directory: `out`, or one under `runs/` named after the classifiers and whatever else was set.

    What decides what is found makes another directory, so that two hunts do not meet in one; what may grow does not, so
    that the same command with a larger budget goes on.
    """
    if config.out is not None:
        return config.out
    called = "-and-".join(name.removeprefix("object:") for name in names)
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", called).strip("-.")[:80] or "hunt"
    usual = {field: value for field, value, _ in fields(HuntConfig())}
    named = {"classifier.spec", "classifier.args"} if config.classifier.args == {} else {"classifier.spec"}
    asked: dict[str, object] = {
        field: plain(value)
        for field, value, role in fields(config)
        if role == "decides" and value != usual[field] and field not in named
    }
    asked |= {} if probe is None else {"probe": [[label, *words] for label, words in probe]}
    kind = "-probe" if probe is not None else ""
    return Path("runs") / (f"{name}{kind}-{digest(asked)[:8]}" if asked else name)
