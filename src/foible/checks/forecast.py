"""What a hunt may cost and what it can see, before any draw is made.

Comes in: a config. Goes out: a `Plan`: draws, requests, disk and time, each at most, and the smallest failure rates
that so many draws show. Neighbours: `hunting/` does what is planned here; `statistics/planning.py` knows what draws
can show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from foible.budget import foretold, within
from foible.checks.fits import fits
from foible.checks.likely import SHARE, likely_draws
from foible.checks.timing import timed
from foible.config import HuntConfig, PartOptions
from foible.draws.questions import GENERATOR
from foible.draws.request import prompt
from foible.errors import ConfigError, LabelError, PluginError
from foible.hunting.prepare import Prepared, explore_draws, prepare
from foible.labels import accepting, class_name, labels_of
from foible.parts.families import REMOTE
from foible.parts.fitting import refuse_other_worlds_by_spec
from foible.parts.ranked import looked
from foible.parts.registry import KINDS, verify
from foible.parts.steady import ASKED
from foible.records import Hypothesis, Treatment
from foible.search.follow import WHOLE
from foible.search.orders import LEVEL
from foible.search.pilot import crossed_at_most, draws_each

BASE_RATES = (0.0, 0.05, 0.2)
"""Failure rates of a base prompt for which the smallest effect is told; the real one is not known before a hunt."""

CHANCE = 0.9
"""With which a plan's effects are seen."""

_STEPS = 200
"""Rates between 0 and 1 among which the smallest effect is looked for."""
_BATCH = 8
"""Images that are drawn to take the time, at most."""


@dataclass(frozen=True, slots=True)
class MayBeSame:
    """A class that may be the same thing as a label."""

    classifier: str
    label: str
    name: str
    """Of the class."""
    share: float | None
    """In this share of the label's pictures annotators saw the class too; None where names alone say so."""
    accept: str
    """The label, as it is given, with the class accepted; empty where it has no such form."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a hunt may cost, and what it can see."""

    labels: int
    pairs: int
    """Same-seed pairs for each hypothesis; at most, where confirmation is sequential."""
    fixed: bool
    """Whether every hypothesis gets all of them; else a few are enough for most."""
    hypotheses: int
    """That can be tested, at most; the same words count once for each classifier."""
    draws: Mapping[str, int]
    """At most, by stage: explore, follow, confirm, measure, explain."""
    total: int
    """At most, in all: a budget does not let every stage have its most."""
    likely: Mapping[str, int]
    """By stage, where bugs are as `likely.py` supposes."""
    bare: int
    """Draws in all where there is no bug at all."""
    answers: Mapping[str, int]
    """At most, by kind of part: elements that it is asked about. Not counted is what a classifier that names almost
    nothing says of the pilot with other recipes: no server is asked that."""
    requests: Mapping[str, int]
    """At most, by kind of part: those that go to a server."""
    disk: int | None
    """Bytes of images; None where the size of the images is not known before one is drawn."""
    measured: bool
    """Whether images were drawn and parts timed; else `disk` is that of pixels that do not compress."""
    seconds: Mapping[str, float]
    """By kind of part, for the draws that are likely; empty where nothing was timed."""
    longest: float
    """Seconds in all, for the most draws; 0 where nothing was timed."""
    max_minutes: float | None
    """The cap that was set."""
    failures: int
    """Of a label in exploration, that a hypothesis takes."""
    seen: float
    """The smallest failure rate of a label of which exploration shows so many failures, with `CHANCE`."""
    effects: Mapping[float, float | None]
    """By base rate: the smallest failure rate with a description that is confirmed with `CHANCE`; None: not even 1.
    Where confirmation is sequential: that is expected to be confirmed by its last pair."""
    excluded: float
    """Where no explored draw of a label fails, larger failure rates of that label are excluded, at 95 %."""
    alike: tuple[MayBeSame, ...] = ()
    """Classes that names or annotations put beside a label, and that are not right for it; none where no part was
    loaded."""
    notes: tuple[str, ...] = ()
    """What is no error, but ought to be known: a part that answers otherwise when it is asked again."""


def plan(config: HuntConfig, *, offline: bool = False) -> Plan:
    """Foretell a hunt.

    Args:
        config: every option, as a hunt takes it.
        offline: load nothing and ask nobody: specs and arguments are checked against the registry; no time is told.

    Raises:
        InputError: something given cannot be used.
    """
    if config.source.spec:
        return _over_photographs(config, offline=offline)
    if offline:
        given = {kind: [_verified(kind, part) for part in config.parts(kind)] for kind in KINDS}
        refuse_other_worlds_by_spec({kind: config.parts(kind)[0].spec for kind in KINDS})
        counts = at_most(config, _labels(config), explore_draws(config, _labels(config)))
        side = _size(given["generator"][0])
        disk = None if side is None else counts["total"] * side[0] * side[1] * 3
        return _plan(config, counts, disk, {})
    prepared = prepare(config)
    counts = at_most(config, len(prepared.labels), explore_draws(config, len(prepared.labels)))
    image, each, notes = _timings(prepared)
    found = _plan(config, counts, counts["total"] * image, each)
    fit = fits(prepared.parts[GENERATOR], {one.name: prompt(one, config.explore.template) for one in prepared.labels})
    return replace(found, alike=_may_be_same(prepared), notes=(*filter(None, (fit,)), *notes))


def _over_photographs(config: HuntConfig, *, offline: bool) -> Plan:
    """Foretell a hunt over photographs: each is looked at once, as far as the budget goes.

    Raises:
        InputError: something given cannot be used, or the photographs must not be counted.
    """
    if offline:
        message = "how many photographs there are is not known before they are read; leave out --offline"
        raise ConfigError(message)
    prepared = prepare(config)
    assert prepared.photographs is not None  # noqa: S101 - there is a source
    known = prepared.photographs.labels()
    annotated = labels_of(known, {label.name: label for label in prepared.labels}, prepared.maps[0])
    halves = [(-(-count // 2), count // 2) for name, count in known.items() if name in annotated]
    explored = foretold("explore", sum(first for first, _ in halves), 0, config.budget)
    tested = foretold("test", sum(second for _, second in halves), explored, config.budget)
    classifiers, total = len(prepared.maps), explored + tested
    named = [kind for kind in KINDS if kind in prepared.parts]
    answers = dict.fromkeys(named, total + ASKED)
    answers["classifier"] = classifiers * (total + ASKED)
    hypotheses = len(prepared.labels) * config.describe.hypotheses * classifiers * classifiers
    counts = {
        "labels": len(prepared.labels),
        "explore": min(explored // len(prepared.labels), *(first for first, _ in halves)),
        "pairs": min(second for _, second in halves),
        "hypotheses": hypotheses,
        "draws": {"explore": explored, "test": tested},
        "total": total,
        "answers": answers,
    }
    image, each, notes = _timings(prepared)
    return replace(_plan(config, counts, total * image, each), notes=(*prepared.photographs.notes, *notes))


def _verified(kind: str, part: PartOptions) -> dict[str, Any]:
    """Check a part without loading it, and the members of an ensemble; give its arguments, defaults filled in."""
    found = verify(kind, part.spec, part.args)
    members = part.args.get("judges") if part.spec == "ensemble" else ()
    for member in members if isinstance(members, list | tuple) else ():
        if isinstance(member, Mapping):
            verify(kind, str(member.get("spec")), member.get("args", {}))
        else:
            verify(kind, str(member))
    return found


def _labels(config: HuntConfig) -> int:
    if not config.labels:
        message = (
            "without loading the classifier its classes are not known; name the labels, as in --label 'coffee mug'"
        )
        raise LabelError(message)
    return len(set(config.labels))


def at_most(config: HuntConfig, labels: int, explore: int) -> dict[str, Any]:
    """Count what a hunt can need at most."""
    classifiers = len(config.parts("classifier"))
    explored = labels * explore
    followed = classifiers * labels * config.describe.draws if config.describe.method == "follow" else 0
    led = labels * min(config.guide.draws, explore) * config.guide.steps if config.guide.method != "none" else 0
    led = foretold("guide", led, explored, config.budget)
    followed = foretold("follow", followed, explored + led, config.budget)
    left = None if config.budget is None else config.budget - explored
    suspected = [
        Hypothesis(label=str(row % labels), treatment=Treatment(words=(str(row),)))
        for row in range(labels * config.describe.hypotheses * classifiers)
    ]
    if config.confirm.method == "fixed":
        pairs = config.confirm.draws
        tested = within(suspected, left, pairs)
        confirm = pairs * (len(tested) + len({h.label for h in tested}))
    else:  # control draws are shared within a round alone, so at worst each hypothesis has its own
        pairs, tested = config.confirm.most, suspected
        confirm = 2 * pairs * len(tested) if left is None else max(min(2 * pairs * len(tested), left), 0)
    phrases = max(config.describe.phrases, WHOLE if config.describe.whole and config.describe.method == "follow" else 1)
    edits = 2 * phrases if phrases > 1 else 1
    findings = len(tested) * classifiers  # what is suspected for one classifier is tested for all, on the same draws
    explain = min(findings, config.explain.findings) * edits * min(config.explain.draws, pairs)
    measure = config.measure.most * (len(tested) + len({h.label for h in tested}))  # a label shares its control draws
    # Each is the most that its stage can take: one that takes less leaves more to those behind it.
    after = {"measure": measure, "explain": explain}
    after = after if left is None else {stage: min(count, left) for stage, count in after.items()}
    draws = {"explore": explored, **({"guide": led} if led else {}), "follow": followed, "confirm": confirm, **after}
    total = min(sum(draws.values()), sum(draws.values()) if config.budget is None else config.budget)
    sizes = {"labels": labels, "explore": explore, "hypotheses": findings, "pairs": pairs}
    return {"draws": draws, "total": total, "answers": _answers(draws, total, config, labels), **sizes}


def _answers(draws: Mapping[str, int], total: int, config: HuntConfig, labels: int) -> dict[str, int]:
    """Count what each kind of part is asked about: draws, and what precedes a hunt."""
    classifiers = len(config.parts("classifier"))
    first = min(draws_each(labels, LEVEL), draws["explore"] // labels)
    answers = {"generator": total, "classifier": classifiers * total, "judge": total + crossed_at_most(labels, first)}
    answers |= {"embedder": draws["explore"], "captioner": draws["explore"] + draws["follow"]}
    return {kind: count + ASKED * (classifiers if kind == "classifier" else 1) for kind, count in answers.items()}


def _size(args: Mapping[str, Any]) -> tuple[int, int] | None:
    """Read the height and width of the images from a generator's arguments, where they say it."""
    size = args.get("size")
    if isinstance(size, str) and re.fullmatch(r"\d{1,5}x\d{1,5}", size):
        size = [int(side) for side in size.split("x")]
    sides = (
        size if isinstance(size, list | tuple) else [size, size] if size else [args.get("height"), args.get("width")]
    )
    known = [side for side in sides if isinstance(side, int) and side > 0]
    return (known[0], known[1]) if len(known) == len(sides) == 2 else None  # noqa: PLR2004 - two sides


def _timings(prepared: Prepared) -> tuple[int, dict[str, float], tuple[str, ...]]:
    """Draw a few base prompts and ask every part about them: (bytes of an image, seconds an element by kind, notes).

    Raises:
        PluginError: a part gives no usable answer, or another one when it is asked again.
    """
    from foible.pixels import write_png

    count = min(_BATCH, prepared.config.batch)
    labels = [prepared.labels[row % len(prepared.labels)] for row in range(count)]
    prompts = [prompt(label, prepared.config.explore.template) for label in labels]
    if prepared.photographs is not None:
        prompts = [one.place for one in prepared.photographs.photographs[:count]]
        count = len(prompts)
    drawn = timed(prepared.parts["generator"], [prompts, range(count)])
    unsteady, notes = [drawn.unsteady], list[str]()
    images = [one.image for one in drawn.answers]
    labels = labels[: len(images)]
    each = {"generator": drawn.seconds}
    for kind in KINDS[1:]:
        columns: list[Sequence[Any]] = [images, labels] if kind == "judge" else [images]
        asked = [part for part in prepared.parts.values() if part.kind == kind]
        own = [timed(part, columns) for part in asked]
        unsteady += [one.unsteady for one in own]
        if kind == "classifier":
            given = zip(asked, own, strict=True)
            notes += filter(None, (looked(str(part.identity["spec"]), one.answers) for part, one in given))
        if own:  # of several classifiers each is asked about the same number of images
            each[kind] = sum(one.seconds for one in own) / len(own)
    wrong = [one for one in unsteady if one is not None]
    if grave := next((one for one in wrong if one.grave), None):
        raise PluginError(grave.sentence)
    disk = sum(len(write_png(image)) for image in images) // len(images)
    return disk, each, (*(one.sentence for one in wrong), *notes)


def _plan(config: HuntConfig, counts: dict[str, Any], disk: int | None, each: Mapping[str, float]) -> Plan:
    """Put a plan together; `each` has the seconds an element, by kind of part, where they were taken."""
    from scipy import special

    from foible.statistics import bound_without_failure

    sizes = counts["labels"], counts["explore"], counts["draws"]
    if config.source.spec:  # every photograph is looked at, whatever is found
        likely, bare, asked = counts["draws"], counts["draws"], counts["answers"]
    else:
        likely, bare = (likely_draws(config, *sizes, share) for share in (SHARE, 0.0))
        asked = _answers(likely, sum(likely.values()), config, counts["labels"])
    seconds, longest = ({kind: each[kind] * of[kind] for kind in each} for of in (asked, counts["answers"]))
    explore = counts["explore"]
    followed = config.describe.method == "follow" and not config.source.spec
    failures = 1 if followed else config.describe.failures
    # The chance of k failures or more in n draws is the regularised beta function at the rate, with k and n - k + 1.
    seen = float(special.betaincinv(failures, explore - failures + 1, CHANCE)) if explore >= failures else 1.0
    return Plan(
        labels=counts["labels"],
        pairs=counts["pairs"],
        fixed=config.confirm.method == "fixed",
        hypotheses=counts["hypotheses"],
        draws=counts["draws"],
        total=counts["total"],
        likely=likely,
        bare=sum(bare.values()),
        answers=counts["answers"],
        requests=_requests(config, counts["answers"]),
        disk=disk,
        measured=bool(each),
        seconds=seconds,
        longest=sum(longest.values()),
        max_minutes=config.max_minutes,
        failures=failures,
        seen=seen,
        effects={} if config.source.spec else {base: _effect(base, config, counts) for base in BASE_RATES},
        excluded=bound_without_failure(explore),
    )


def _may_be_same(prepared: Prepared) -> tuple[MayBeSame, ...]:
    """List the classes that names or annotations put beside a label."""
    return tuple(
        MayBeSame(
            classifier=classes.classifier,
            label=label.name,
            name=class_name(one.index, classes.names),
            share=one.share,
            accept=accepting(label, (*classes.right[label.name], one.index)),
        )
        for classes in prepared.maps
        for label in prepared.labels
        for one in classes.alike.get(label.name, ())
    )


def _effect(base: float, config: HuntConfig, counts: Mapping[str, Any]) -> float | None:
    """Give the smallest failure rate that the pairs of a hypothesis confirm, were it the only bug."""
    from foible.statistics import expected_pairs, smallest_effect

    options, pairs = config.confirm, counts["pairs"]
    level = options.level / max(1, counts["hypotheses"])  # what Benjamini-Hochberg, and e-BH, ask of the first
    if options.method == "fixed":
        return smallest_effect(pairs, base, options.margin, level, CHANCE)
    rates = (rate / _STEPS for rate in range(int(base * _STEPS), _STEPS + 1))
    return next((rate for rate in rates if expected_pairs(rate, base, options.margin, 1 / level) <= pairs), None)


def _requests(config: HuntConfig, answers: Mapping[str, int]) -> dict[str, int]:
    """Count what goes to servers: one request for each element at most, from each member of an ensemble."""
    found = {}
    for kind in answers:
        parts = config.parts(kind)
        remote = sum(spec.partition(":")[0] in REMOTE for part in parts for spec in _members(part))
        if remote:
            found[kind] = remote * answers[kind] // len(parts)
    return found


def _members(part: PartOptions) -> list[str]:
    """List the specs of the members of an ensemble; of any other part its own."""
    members = part.args.get("judges", ()) if part.spec == "ensemble" else (part.spec,)
    return [str(one.get("spec")) if isinstance(one, Mapping) else str(one) for one in members]
