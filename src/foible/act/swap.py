"""`foible swap`: do the bugs of a run stay under another generator, judge, size, captioner or setting?

Comes in: a finished run, and changes. Goes out: for each bug and change the rates on fresh draws, and an answer.
Neighbours: `seek.py` asks the same of photographs; `hunting/` carries out a probe, or a hunt, for each change, in a run
directory of its own, which goes on where it stopped and which `foible verify` checks.

A change of what draws, judges or decides leaves a bug a hypothesis: it is probed, on seeds that the run has not had. A
change of what suggests hypotheses (captioner, embedder, how failures are looked for) has no say in a test, so that it
is hunted anew, and a bug is found again where a confirmed one of its label shares words with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from foible._version import __version__
from foible.act.chosen import chosen
from foible.act.drawing import label_text
from foible.config import HuntConfig
from foible.errors import ConfigError, brief
from foible.findings import Finding
from foible.hunting.api import carry_out
from foible.hunting.finished import Run
from foible.hunting.prepare import prepare
from foible.hunting.replay import Reread, reread_whole
from foible.identity import digest
from foible.layers import read_assignment, resolve
from foible.parts.again import arguments, load_again, load_all_again
from foible.parts.ceiling import Ceiling
from foible.progress import Bars, Progress, Silent
from foible.run.archive import Archive
from foible.run.journal import Journal
from foible.seeking import Seen, seen_in
from foible.swapping import Change, Kept, Swapped, Swapping, SwapRow

SUGGESTS = frozenset({"captioner", "embedder", "explore", "group", "guide", "describe", "pilot"})
"""Sections of the settings that decide what is suggested, and nothing of a test."""
TESTS = frozenset({"generator", "judge", "failure", "confirm", "measure", "batch"})
"""Sections that decide what is drawn, what failed, and what is claimed."""
OF_THE_CALL = frozenset({"budget", "out", "archive", "max_minutes", "max_requests", "seed", "labels"})
"""Settings of a run that do not hold for what is made here."""
_OTHERS = {
    "classifier": "foible compare asks another classifier",
    "other_classifiers": "foible transfer asks other classifiers",
}
_KEPT: Mapping[str, Kept] = {"confirmed": "stays", "refuted": "within", "undecided": "open"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be changed, and how it is carried out."""

    run: Path
    changes: Sequence[str]
    """Each an assignment: "judge=clip:openai/clip-vit-large-patch14"."""
    findings: Sequence[int] = ()
    classifiers: Sequence[object] = ()
    """Objects in the place of those of the run, in their order."""
    objects: Mapping[str, object] = field(default_factory=dict)
    """Kind -> an object in the place of a part of the run that is not changed."""
    seed: int | None = None
    out: Path | None = None
    archive: Path | None = None
    max_minutes: float | None = None
    max_requests: int | None = None
    code: bool = False


def swap(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    changes: Sequence[str],
    *,
    findings: Sequence[int] = (),
    classifiers: Sequence[object] = (),
    generator: object = None,
    judge: object = None,
    captioner: object = None,
    embedder: object = None,
    seed: int | None = None,
    out: Path | str | None = None,
    archive: Path | str | None = None,
    max_minutes: float | None = None,
    max_requests: int | None = None,
    code: bool = False,
    progress: bool = True,
) -> Swapping:
    """Test the bugs of a run again under changes: another generator, judge, size, captioner, or any setting.

    Args:
        run: the directory of a finished hunt or probe over drawn images.
        changes: assignments of settings, each tried by itself: "generator.args.size=128", "judge=clip:…",
            "captioner=…", "failure.top=5".
        findings: numbers of confirmed findings, from 1, in the order of the run's own table. Empty for all.
        classifiers: objects in the place of the run's classifiers, in their order; needed where these were objects.
        generator: an object in the place of the run's generator; needed where that was an object.
        judge: likewise.
        captioner: likewise.
        embedder: likewise.
        seed: of the draws under the changes; by default that of the run and one more.
        out: where the run directories go, one for each change; RUN-swapped by default.
        archive: where images and answers lie; None for `archive` beside the run.
        max_minutes: stop between two units of work after so many minutes of new work; the same call goes on.
        max_requests: at most this many requests to servers.
        code: load what the run names though it runs code of its own, asks a server or reads a folder of images.
        progress: show bars on stderr.

    Returns:
        For each bug, and each change, both rates with intervals, and whether it stays.

    Raises:
        InputError: something given cannot be used; one sentence says what to do.
        OutOfTime: `max_minutes` or `max_requests` is used up; the same call goes on.
    """
    parts = {"generator": generator, "judge": judge, "captioner": captioner, "embedder": embedder}
    wanted = Wanted(
        run=Path(run),
        changes=changes,
        findings=findings,
        classifiers=classifiers,
        objects={kind: what for kind, what in parts.items() if what is not None},
        seed=seed,
        out=None if out is None else Path(out),
        archive=None if archive is None else Path(archive),
        max_minutes=max_minutes,
        max_requests=max_requests,
        code=code,
    )
    return swap_wanted(wanted, Bars() if progress else Silent())


def swap_wanted(wanted: Wanted, progress: Progress) -> Swapping:
    """Try what is wanted; as `swap`.

    Raises:
        InputError: as `swap`.
        OutOfTime: as `swap`.
    """
    read = _read(wanted)
    bugs = list(chosen(read.result, wanted.findings).values())
    seed = read.study.config.seed + 1 if wanted.seed is None else wanted.seed
    if seed == read.study.config.seed:
        message = f"the seed {seed} is that of the run, whose draws found these bugs; name another with --seed"
        raise ConfigError(message)
    level = read.study.config.confirm.level / max(1, len(wanted.changes))
    whole = [_config(read, wanted, text, seed, level) for text in wanted.changes]  # before anything is drawn
    case = _Case(read=read, bugs=bugs, wanted=wanted)
    columns = [_under(case, text, config, progress) for text, config in zip(wanted.changes, whole, strict=True)]
    return Swapping(
        foible_version=__version__,
        settings=read.result.settings,
        classifiers=read.result.classifiers,
        margin=read.study.config.confirm.margin,
        level=level,
        seed=seed,
        changes=tuple(change for change, _ in columns),
        rows=tuple(SwapRow(found=bug, cells=tuple(cells[at] for _, cells in columns)) for at, bug in enumerate(bugs)),
    )


def place_of(run: Path) -> Path:
    """Say where the runs under changes go by default."""
    return run.with_name(f"{run.name}-swapped")


def _read(wanted: Wanted) -> Reread:
    if not wanted.changes:
        message = "no change is named; name one or more, such as --with generator.args.size=128 or --with judge=clip:…"
        raise ConfigError(message)
    with Journal(wanted.run, write=False) as journal, Archive(_archive(wanted), write=False) as kept:
        read = reread_whole(journal, kept)
    if read.study.photographs is not None:
        message = "the run is over photographs, which nothing draws anew; foible seek asks a generator about its bugs"
        raise ConfigError(message)
    return read


def _archive(wanted: Wanted) -> Path:
    return wanted.run.parent / "archive" if wanted.archive is None else wanted.archive


# --- the settings under a change --------------------------------------------------------------------------------------


def _config(read: Reread, wanted: Wanted, text: str, seed: int, level: float) -> HuntConfig:
    """Give the settings of the run with a change, and refuse a change that is none.

    Raises:
        ConfigError: no setting has that name or value, or it has no say here.
    """
    section = _section(text)
    if section not in SUGGESTS | TESTS:
        message = f"{brief(text, 80)} changes neither what is drawn and judged nor what is suggested"
        known = f"these do: {', '.join(sorted(SUGGESTS | TESTS))}"
        raise ConfigError(f"{message}; {_OTHERS.get(section, known)}")
    if ".args" in text.partition("=")[0] and str(read.study.settings.get(f"{section}.spec", "")).startswith("object:"):
        message = f"the {section} of the run was an object of a program, whose arguments nobody knows; change it whole"
        raise ConfigError(message)
    before = resolve([("the run", _settings_of(read))])[0]
    given = {"seed": seed, "max_minutes": wanted.max_minutes, "max_requests": wanted.max_requests}
    out = (wanted.out or place_of(wanted.run)) / _folder(text)
    own = {**given, "out": out, "archive": _archive(wanted)}
    named = {name: value for name, value in own.items() if value is not None}
    after = resolve([("the run", _settings_of(read)), (f"--with {text}", read_assignment(text)), ("the call", named)])[
        0
    ]
    same = {"out", "archive", "seed", "max_minutes", "max_requests"}
    if before.model_dump(exclude=same) == after.model_dump(exclude=same):
        message = f"{brief(text, 80)} is what the run was made with, and no change"
        raise ConfigError(message)
    return after.model_copy(update={"confirm": after.confirm.model_copy(update={"level": level})})


def _section(text: str) -> str:
    return text.partition("=")[0].partition(".")[0].strip()


def _folder(text: str) -> str:
    """Name the run directory of a change."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in text)[:40].strip("-")
    return f"{plain or 'change'}-{digest(text)[:8]}"


def _settings_of(read: Reread) -> dict[str, Any]:
    """Give the settings of the run as they can be asked for again: of its parts those arguments that they take."""
    nested: dict[str, Any] = {}
    for name, value in read.study.settings.items():
        section, _, rest = name.partition(".")
        if section in OF_THE_CALL or section in {"source", "classifier", "other_classifiers"}:
            continue
        if rest == "args" and (spec := str(read.study.settings.get(f"{section}.spec", ""))):
            value = {} if spec.startswith("object:") else arguments(section, spec, cast("Mapping[str, Any]", value))  # noqa: PLW2901
        inner, path = nested, name.split(".")
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
        inner[path[-1]] = value
    return nested


# --- a probe, or a hunt, under a change -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A run, its bugs, and what is wanted of them."""

    read: Reread
    bugs: Sequence[Finding]
    wanted: Wanted


def _under(case: _Case, text: str, config: HuntConfig, progress: Progress) -> tuple[Change, list[Swapped]]:
    """Carry out the run of one change, and say what becomes of each bug."""
    read, bugs, wanted = case.read, case.bugs, case.wanted
    section = _section(text)
    hunted = section in SUGGESTS
    kinds = ("generator", "judge", "captioner", "embedder") if hunted else ("generator", "judge")
    ceiling = Ceiling(config.max_requests)
    parts: dict[str, Sequence[object]] = {
        kind: [
            load_again(kind, read.study.identities[kind], wanted.objects.get(kind), ceiling=ceiling, code=wanted.code)
        ]
        for kind in kinds
        if kind != section and kind in read.study.identities
    }
    noted = read.study.began.classifiers
    parts["classifier"] = load_all_again(noted, wanted.classifiers, ceiling=ceiling, code=wanted.code)
    labels = list(read.study.labels) if hunted else list(dict.fromkeys(bug.trial.hypothesis.label for bug in bugs))
    config = config.model_copy(
        update={
            "labels": tuple(label_text(read.study.labels[name], read) for name in labels),
            "budget": read.study.config.budget if hunted else None,
        }
    )
    descriptions: dict[str, list[str]] = {name: [] for name in labels}
    for bug in bugs:
        descriptions[bug.trial.hypothesis.label].append(bug.trial.hypothesis.description)
    run = carry_out(prepare(config, parts, None if hunted else descriptions), progress)
    assert config.out is not None  # noqa: S101 - `_config` names it
    change = Change(said=text, folder=config.out.name, hunted=hunted, draws=sum(run.result.draws.values()))
    return change, [_again(bug, run) if hunted else _tested(bug, run) for bug in bugs]


def _tested(bug: Finding, run: Run) -> Swapped:
    """Say what a probe makes of a bug."""
    wanted = bug.trial.hypothesis
    for found in run.result.findings:
        own = found.trial.hypothesis
        if (own.label, own.description, own.classifier) == (wanted.label, wanted.description, wanted.classifier):
            return Swapped(kept=_KEPT[found.verdict], reason=found.reason, seen=seen_in(found), adjusted=found.adjusted)
    return Swapped(kept="unknown", reason="it was not tested: the probe left it out", seen=Seen())


def _again(bug: Finding, run: Run) -> Swapped:
    """Say whether a hunt found a bug again: a confirmed one of its label and classifier with a phrase of it."""
    wanted = bug.trial.hypothesis
    for found in run.result.findings:
        own = found.trial.hypothesis
        same = (own.label, own.classifier) == (wanted.label, wanted.classifier)
        if found.verdict == "confirmed" and same and set(own.treatment.words) & set(wanted.treatment.words):
            said = f"confirmed as “{brief(own.description, 120)}”"
            return Swapped(kept="again", reason=said, seen=seen_in(found), adjusted=found.adjusted)
    confirmed = [
        f for f in run.result.findings if f.verdict == "confirmed" and f.trial.hypothesis.label == wanted.label
    ]
    others = ", ".join(f"“{brief(f.trial.hypothesis.description, 60)}”" for f in confirmed)
    reason = f"of its label were confirmed: {others}" if others else "no bug of its label was confirmed"
    return Swapped(kept="missed", reason=reason)
