"""`foible verify`: are the findings of a run what its journal and the archive say, and are the images those judged?

Comes in: a run directory and its archive, neither trusted. Goes out: every difference, one line each. No part is loaded
and nothing is written: the path of the hunt is walked again, with a reader in the place of the parts, and what comes
out is held against `findings.json`. Neighbours: `hunting/path.py` is that path; `hunting/api.py` walks it with parts
that answer.

What it cannot tell: whether a part would answer the same today. Whoever can write run and archive can make ones that
agree with each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from foible import report
from foible.budget import Budget
from foible.draws.execute import Carried, Unit
from foible.draws.observe import Observer
from foible.errors import FoibleError, StoreError, brief
from foible.hunting.clock import Clock
from foible.hunting.loop import Loop
from foible.hunting.path import walk
from foible.hunting.study import Study, study_of
from foible.progress import Silent
from foible.records import Answered, Fault, Hypothesis
from foible.run.archive import Archive
from foible.run.events import Asked, Event, Learned, Tried
from foible.run.journal import Journal

MOST = 200
"""Differences of one kind that are listed; the rest are counted."""
UNFINISHED = "the run is not finished: the same command goes on with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of it."""

    differences: tuple[str, ...]
    """One line each; empty where everything agrees."""
    draws: int = 0
    """Draws that the run made."""
    findings: int = 0
    """Findings that were worked out again."""


class Unfinished(FoibleError):  # noqa: N818 - says what the run is
    """The run has not come to its end: there is more to ask than its journal holds."""


class Missing:
    """In the place of the parts: nothing is drawn, nobody is asked, and what lacks is a difference."""

    def __init__(self) -> None:
        """Begin without a difference."""
        self.differences: dict[str, None] = {}

    def carry_out(self, unit: Unit) -> Carried:
        """Give a fault for whatever is wanted."""
        asked = {key: f"draw {key}: the archive has no row of it, or its image has gone" for key in unit.draw}
        found = {
            (question.part, key): f"draw {key}: the archive has no answer of the {question.part} for it"
            for question in unit.questions
            for key in question.keys
            if key not in unit.draw
        }
        self.differences |= dict.fromkeys([*asked.values(), *found.values()])
        gone = Fault("the archive does not have it")
        return Carried(draws=dict.fromkeys(asked, gone), answers=dict.fromkeys(found, gone))


class Reader:
    """A journal that is read and never written: what a walk would add to it is left out, or is a difference."""

    def __init__(self, journal: Journal) -> None:
        """Read a journal."""
        self._journal = journal

    @property
    def faults(self) -> Mapping[str, Fault]:
        """As the journal has them."""
        return self._journal.faults

    @property
    def learned(self) -> Learned | None:
        """As the journal has it."""
        return self._journal.learned

    @property
    def tried(self) -> tuple[Hypothesis, ...]:
        """As the journal has it."""
        return self._journal.tried

    def asked(self, stage: str | None = None, classifier: int | None = None) -> Iterator[Asked]:
        """As the journal has it."""
        return self._journal.asked(stage, classifier)

    def note(self, event: Event) -> None:
        """Note nothing.

        Raises:
            Unfinished: the walk asks for more than was drawn.
        """
        if isinstance(event, Asked | Tried):
            raise Unfinished(UNFINISHED)


def verify(folder: Path, archive: Path | None = None) -> Verified:
    """Work out every number of every finding again, and hash every image again.

    Args:
        folder: the run directory.
        archive: where its images and answers lie; None for `archive` beside it.

    Raises:
        StoreError: there is no run in the folder, or its journal or archive cannot be opened.
    """
    where = folder.parent / "archive" if archive is None else archive
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        if journal.began is None:
            message = f"{folder} notes no run; name the directory of a hunt"
            raise StoreError(message)
        if not journal.ended:
            return Verified(differences=(UNFINISHED,))
        missing = Missing()
        differences: list[str] = []
        try:
            study = study_of(journal.began, journal.settings)
            loop = _loop(study, journal, kept, missing)
            found = walk(study, loop)
            differences += [*missing.differences, *_images(loop.answered.values(), kept)]
            differences += _compare(folder / "findings.json", report.to_json(found))
        except (FoibleError, RecursionError) as problem:
            told = brief(problem, 300)
            said = told if isinstance(problem, Unfinished) else f"the run cannot be worked out again: {told}"
            return Verified(differences=(*missing.differences, said))
        return Verified(differences=tuple(differences), draws=len(loop.answered), findings=len(found.findings))


def _loop(study: Study, journal: Journal, archive: Archive, missing: Missing) -> Loop:
    """Put together a loop that reads."""
    reader, clock = Reader(journal), Clock(None)
    observer = Observer(
        executor=missing,
        archive=archive,
        notes=reader,
        identities=study.identities,
        maps=study.maps,
        labels=study.labels,
        batch=study.config.batch,
        watch=clock,
        reading=True,
    )
    return Loop(
        observer=observer,
        record=reader,
        requests=study.requests,
        budget=Budget(study.config.budget),
        clock=clock,
        progress=Silent(),
    )


def _images(answered: Iterable[Answered], archive: Archive) -> Iterator[str]:
    """Hash every image again."""
    lost = [one.draw for one in answered if one.draw.image and archive.images.get(one.draw.image) is None]
    for draw in lost[:MOST]:
        yield f"draw {draw.request.key}: its image {draw.image[:16]}… has gone from the archive, or is another one"
    if len(lost) > MOST:
        yield f"and {len(lost) - MOST} more images"


def _compare(path: Path, again: str) -> list[str]:
    """List where `findings.json` differs from what the run gives."""
    try:
        if not path.is_file():  # a pipe would never end
            return ["findings.json is missing; the same command writes it again"]
        if path.stat().st_size > 4 * len(again.encode()) + 10_000:
            return [f"findings.json holds {path.stat().st_size:,} bytes, far more than the run gives"]
        text = path.read_text("utf-8")
        said = json.loads(text)
    except OSError as problem:
        return [f"findings.json cannot be read ({problem.strerror}); the same command writes it again"]
    except (ValueError, RecursionError) as problem:
        return [f"findings.json is no JSON ({brief(problem)}); the same command writes it again"]
    found = list(_walk(said, json.loads(again), ""))
    if not found and text != again:
        found = ["findings.json is written in another way than foible does, with the same content"]
    more = [f"and {len(found) - MOST} more differences of findings.json"] if len(found) > MOST else []
    return [*found[:MOST], *more]


def _walk(said: object, again: object, where: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(again, dict):
        for name in dict.fromkeys([*said, *again]):
            yield from _walk(said.get(name), again.get(name), f"{where}.{name}" if where else name)
    elif isinstance(said, list) and isinstance(again, list) and len(said) == len(again):
        for place, (one, other) in enumerate(zip(said, again, strict=True)):
            yield from _walk(one, other, f"{where}[{place}]")
    elif isinstance(said, list) and isinstance(again, list):
        yield f"{brief(where)}: findings.json has {len(said)} entries, the run gives {len(again)}"
    elif said != again:
        yield f"{brief(where)}: findings.json says {_short(said)}, the run {_short(again)}"


def _short(value: object) -> str:
    return brief(json.dumps(value, ensure_ascii=False), 80)
