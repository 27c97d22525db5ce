"""`foible seek`: are the bugs of drawn images bugs of photographs, too, and the reverse?

Comes in: a finished run, and images of the other kind: labelled photographs, or a generator. Goes out: for each bug
the failure rates in both kinds of images, side by side, and an answer. Neighbours: `drawing.py` and `looking.py` are
the two directions; `compare.py` shows the same images to another classifier; `report/seeking.py` writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foible._version import __version__
from foible.act.chosen import chosen
from foible.act.drawing import draw
from foible.act.fitting import check_odds
from foible.act.gates import gated_sought, read_gates
from foible.act.lookers import Named, lookers
from foible.act.looking import Looking, look
from foible.config import HuntConfig
from foible.draws.questions import EMBEDDER, GENERATOR, JUDGE
from foible.errors import ConfigError
from foible.hunting.prepare import layers_of
from foible.hunting.replay import Reread, reread_whole
from foible.hunting.sources import refuse_among
from foible.layers import Layer, resolve
from foible.parts.again import load_all_again
from foible.parts.ceiling import Ceiling
from foible.progress import Bars, Progress, Silent
from foible.records import Spec
from foible.run.archive import Archive
from foible.run.journal import Journal
from foible.seeking import Seeking, Sought

ODDS = 5.0
GATES = ("there", "open")
"""What may stand in a gate beside a rate."""
_OWN = (
    *("source.", "generator.", "captioner.", "embedder.", "judge.", "classifier."),
    *("other_classifiers", "labels", "budget"),
)
"""Settings of a run that say nothing of images of the other kind."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be sought, and how."""

    run: Path
    layers: Sequence[Layer] = ()
    """Fields over those of the run; later ones win."""
    objects: Mapping[str, object] = field(default_factory=dict)
    """Kind -> an object in the place of a spec; of "classifier" a list."""
    findings: Sequence[int] = ()
    phrases: Sequence[str] = ()
    odds: float = ODDS
    fail_on: str = "never"
    named: bool = False
    """Whether the layers name the run's classifiers, in their order."""


def seek(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    source: str | Spec | None = None,
    *,
    generator: object = None,
    embedder: object = None,
    judge: object = None,
    classifiers: Sequence[object] = (),
    findings: Sequence[int] = (),
    phrases: Sequence[str] = (),
    odds: float = ODDS,
    fail_on: str = "never",
    seed: int | None = None,
    out: Path | str | None = None,
    archive: Path | str | None = None,
    config: HuntConfig | Mapping[str, Any] | Path | str | None = None,
    progress: bool = True,
) -> Seeking:
    """Seek the bugs of a run in the other kind of images: those of drawn images in photographs, and the reverse.

    Args:
        run: the directory of a finished hunt or probe.
        source: labelled photographs, "photos:DIR", for a run over drawn images; None for a run over photographs, whose
            bugs are drawn.
        generator: a spec or an object that draws; for a run over photographs alone.
        embedder: a spec or an object that places images and texts together, to find photographs of a description; by
            default that of the run. Where columns or captions of the photographs say it, none is asked.
        judge: a spec or an object; by default that of a run over drawn images. "annotation" believes the annotations.
        classifiers: the run's own, as specs or objects, in their order; needed where these were objects, run code of
            their own or ask a server, since a run directory is not trusted.
        findings: numbers of confirmed findings, from 1, in the order of the run's own table. Empty for all.
        phrases: "ground=grass=on grass": how an attribute of photographs is said to a generator.
        odds: at least 1. A photograph is left out of both sides where the embedder holds the label with the description
            for less likely than without it, but not for so many times less. With a judge, these are shown to it.
        fail_on: the gate: "never"; "there": a bug is there, too; "open": that, or it is not shown not to be;
            "rate>20%": with the description it surely fails more often. Commas join several.
        seed: where the randomness of a probe comes from; by default that of the run.
        out: the run directory of a probe, RUN-drawn by default.
        archive: where images and answers lie; None for `archive` beside the run.
        config: any other field, as for `hunt`, over the settings of the run.
        progress: show bars on stderr.

    Returns:
        For each bug both failure rates with their intervals, and whether it is there, too.

    Raises:
        InputError: something given cannot be used; one sentence says what to do.
        OutOfTime: `max_minutes` or `max_requests` is used up; the same call goes on.
    """
    parts = {"generator": [generator], "embedder": [embedder], "judge": [judge]}
    named = {"source": source, "seed": seed, "out": out, "archive": archive}
    objects = {kind: what for kind, (what,) in parts.items() if not isinstance(what, str | Spec | None)}
    objects |= {"classifier": list(classifiers)} if classifiers else {}
    layers = layers_of(config, parts, named, None)
    wanted = Wanted(
        run=Path(run), layers=layers, objects=objects, findings=findings, phrases=phrases, odds=odds, fail_on=fail_on
    )
    return seek_wanted(wanted, Bars() if progress else Silent())


def seek_wanted(wanted: Wanted, progress: Progress) -> Seeking:
    """Seek what is wanted; as `seek`.

    Raises:
        InputError: as `seek`.
        OutOfTime: as `seek`.
    """
    read_gates(wanted.fail_on, GATES)
    given, origins = resolve(wanted.layers)
    where = given.archive if given.archive is not None else wanted.run.parent / "archive"
    with Journal(wanted.run, write=False) as journal, Archive(where, write=False) as kept:
        read = reread_whole(journal, kept)
    bugs = list(chosen(read.result, wanted.findings).values())
    over = read.study.photographs is not None
    if over == bool(given.source.spec):
        raise ConfigError(_one_direction(over=over))
    config = resolve([("the run", _settings_of(read)), *wanted.layers])[0]
    config = config.model_copy(update={"other_classifiers": ()})
    out = config.out if config.out is not None else place_of(wanted.run, drawn=over)
    config = config.model_copy(update={"archive": where, "out": out})
    ceiling = Ceiling(config.max_requests)
    specs = [Spec(one.spec, one.args) for one in given.parts("classifier")] if wanted.named else []
    own = wanted.objects.get("classifier") or specs
    again = own if isinstance(own, list | tuple) else ()
    classifiers = load_all_again(read.study.began.classifiers, again, ceiling=ceiling)
    if over:
        found = draw(
            read,
            bugs,
            config=config,
            classifiers=classifiers,
            objects=wanted.objects,
            phrases=wanted.phrases,
            progress=progress,
        )
        return _seeking(read, (config, wanted.fail_on), found.rows, found.parts)
    check_odds(wanted.odds)
    refuse_among(config, {"out": out, "archive": where})
    kinds = [kind for kind in (EMBEDDER, JUDGE) if origins[f"{kind}.spec"] != "default" or kind in wanted.objects]
    named = Named(config=config, kinds=kinds, objects=wanted.objects, phrases=wanted.phrases)
    who = lookers(read, bugs, named, classifiers, ceiling)
    with Archive(where) as kept:
        rows = look(Looking(read=read, bugs=bugs, who=who, config=config, odds=wanted.odds, archive=kept), progress)
    parts = {kind: who.parts[kind].identity for kind in (GENERATOR, EMBEDDER, JUDGE) if kind in who.parts}
    return _seeking(read, (config, wanted.fail_on), rows, parts, who.photographs.notes)


def place_of(run: Path, *, drawn: bool) -> Path:
    """Say where what was sought is written by default: in the run directory, or in that of the probe beside it."""
    return run.with_name(f"{run.name}-drawn") if drawn else run


def _one_direction(*, over: bool) -> str:
    if over:
        return "the run is over photographs, and its bugs are sought in drawn images: name a --generator, no --source"
    return "the run is over drawn images, and its bugs are sought in photographs: name them, as --source photos:DIR"


def _settings_of(read: Reread) -> Mapping[str, object]:
    return {name: value for name, value in read.study.settings.items() if not name.startswith(_OWN)}


def _seeking(
    read: Reread,
    by: tuple[HuntConfig, str],
    rows: Sequence[Sought],
    parts: Mapping[str, Mapping[str, Any]],
    notes: Sequence[str] = (),
) -> Seeking:
    (config, fail_on), drawn = by, read.study.photographs is not None
    return Seeking(
        foible_version=__version__,
        settings=read.result.settings,
        found_in="drawn" if read.study.photographs is None else "photographs",
        classifiers=read.result.classifiers,
        parts=parts,
        margin=config.confirm.margin,
        level=config.confirm.level,
        fail_on=fail_on,
        rows=tuple(gated_sought(rows, read_gates(fail_on, GATES), drawn=drawn)),
        notes=tuple(notes),
    )
