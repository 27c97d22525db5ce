"""`foible certify`: how much can be wrong with a classifier where a hunt found nothing?

Comes in: a finished run. Goes out: a bound of the weight that a prior over labels with phrases gives to those that fail
often. Neighbours: `prior.py` says what may fail, before anything is tested; `fresh.py` draws;
`statistics/certificate.py` has the bound, and `design/0026-certificate.md` says why it holds.

Modes are drawn by chance, and each is looked at until it is cleared or given up, on seeds that nothing else has. When
to go on and when to end may hang on all that was seen. A mode that was drawn is never left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from foible._version import __version__
from foible.act.fresh import Drawing
from foible.act.opened import Opened, opened, own_parts
from foible.act.prior import NO_CAPTIONS, from_captions, from_words
from foible.certificates import Certificate, Ended, Looked, Mode
from foible.draws.questions import CAPTIONER, GENERATOR, JUDGE
from foible.errors import ConfigError, brief, near
from foible.hunting.finished import Run
from foible.identity import digest
from foible.parts.ceiling import Ceiling
from foible.progress import Bars, Progress, Silent
from foible.records import Answered, Request, Treatment
from foible.run.archive import Archive
from foible.statistics import UNCLEARED, clearance, log_evidence_below, weight_at_most

BLOCK = 16
"""Modes that are looked at side by side."""
TWO = 2
"""Images of a mode that are drawn before it is looked at again."""
MOST = 60
"""Images of one mode: what is neither cleared nor given up by then stays as it is."""
GIVEN_UP = UNCLEARED / 50
"""A mode of this clearance gets no more images."""
HOPELESS = -6.0
"""Log-evidence for the weight that is wanted at which nothing more is tried."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What was asked for."""

    above: float
    below: float
    level: float
    most: int
    seed: int
    fail_on: Literal["never", "open"]


def certify(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str | Run,
    *,
    above: float = 0.2,
    below: float = 0.1,
    words: Sequence[str] = (),
    level: float = 0.05,
    max_draws: int = 4000,
    fail_on: str = "never",
    against: str = "",
    parts: Mapping[str, object] = MappingProxyType({}),
    code: bool = False,
    seed: int | None = None,
    archive: Path | str | None = None,
    max_requests: int | None = None,
    progress: bool = True,
) -> Certificate:
    """Bound how much of a prior over labels with phrases lies on those that fail often, by drawing some at random.

    Args:
        run: the directory of a finished hunt or probe over drawn images, or what `foible.hunt` returned.
        above: between 0 and 1: a label with a phrase fails often where it fails in such a share of its draws, or more.
        below: between 0 and 1: the weight of these that is to be excluded; drawing ends when it is.
        words: phrases that may matter, each with each label alike; empty for those that captions of the run's explored
            images say, as often as they say them.
        level: between 0 and 1: the chance, at most, that the bound is wrong.
        max_draws: at most this many draws.
        fail_on: "never" or "open", a gate: to be without a certificate fails.
        against: the name of the run's classifier; empty for the first.
        parts: where parts of the run were Python objects, the same ones by kind: "classifier", "generator", "judge",
            "captioner".
        code: load what the run names though it runs code of its own, asks a server or reads a folder of images.
        seed: where modes and seeds come from; None: that of the run. A second one after a first that gave no
            certificate is no independent try: decide on one beforehand.
        archive: where the run's images lie, and those of the certificate go; None for `archive` beside it.
        max_requests: at most this many requests to servers.
        progress: show bars on stderr.

    Raises:
        InputError: the run or a part cannot be used, or there is nothing that may fail.
        OutOfTime: the requests to servers are used up; the same call goes on.
    """
    if fail_on not in {"never", "open"}:
        message = f"--fail-on wants never or open, but got {brief(fail_on)!r}: {near(fail_on, ['never', 'open'])}"
        raise ConfigError(message)
    own = opened(run.folder if isinstance(run, Run) else run, _archive(run, archive), against)
    root = own.read.study.config.seed if seed is None else seed
    gate: Literal["never", "open"] = "open" if fail_on == "open" else "never"
    asked = _Asked(above=above, below=below, level=level, most=max_draws, seed=root, fail_on=gate)
    _refuse(asked)
    kinds = () if words or CAPTIONER not in own.read.study.identities else (CAPTIONER,)
    given = {kind: what for kind, what in parts.items() if kind != CAPTIONER or kinds}  # nobody captions given words
    loaded = own_parts(own.read.study, own.place, given, Ceiling(max_requests), kinds, code=code)
    shown: Progress = Bars() if progress else Silent()
    with Archive(own.archive) as kept:
        drawing = Drawing(
            read=own.read, place=own.place, parts=loaded, archive=kept, size=own.size, progress=shown, seed=root
        )
        return _certified(own, asked, drawing, words)


def _archive(run: Path | str | Run, archive: Path | str | None) -> Path | str | None:
    return run.archive if archive is None and isinstance(run, Run) else archive


def _refuse(asked: _Asked) -> None:
    """Refuse what can be told from the arguments alone."""
    for name in ("above", "below", "level"):
        if not 0.0 < getattr(asked, name) < 1.0:
            message = f"{name} is a share between 0 and 1, but got {getattr(asked, name)!r}"
            raise ConfigError(message)
    if asked.most < 1:
        message = f"max_draws is a number of draws, at least 1, but got {asked.most!r}"
        raise ConfigError(message)


def _certified(own: Opened, asked: _Asked, drawing: Drawing, words: Sequence[str]) -> Certificate:
    """Weigh what may fail, look, and put together what is known."""
    study = own.read.study
    modes = from_words(list(study.labels), words) if words else _spoken(own, drawing)
    prior = digest([[one.label, one.phrase, one.weight] for one in modes])
    drawing.spend(own.read.answered.values())
    look = _Look(asked, modes, drawing, chance=np.random.default_rng([asked.seed, int(prior[:16], 16)]))
    ended = look.until_the_end()
    parts = {kind: drawing.parts[kind].identity for kind in (GENERATOR, JUDGE, CAPTIONER) if kind in drawing.parts}
    return Certificate(
        foible_version=__version__,
        settings=own.read.result.settings,
        failure=own.read.result.failure,
        labels=own.read.result.labels,
        classifier=own.subject,
        parts=parts,
        above=asked.above,
        below=asked.below,
        level=asked.level,
        seed=asked.seed,
        most=asked.most,
        draws=look.draws,
        phrases_from="words" if words else "captions",
        modes=modes,
        prior=prior,
        looked=tuple(one.looked(asked.above) for one in look.begun),
        bound=look.bound,
        ended=ended,
        fail_on=asked.fail_on,
    )


def _spoken(own: Opened, drawing: Drawing) -> tuple[Mode, ...]:
    """Caption what the run explored, where it is not captioned yet, and weigh what is said."""
    if CAPTIONER not in drawing.parts:
        raise ConfigError(NO_CAPTIONS)
    explored = [one for one in own.read.answered.values() if one.request.arm == "explore" and one.draw.image]
    said = drawing.caption([one.draw for one in explored])
    captions: dict[str, list[str]] = {label: [] for label in own.read.study.labels}
    for one in explored:
        if one.request.key in said:
            captions[one.request.label].append(said[one.request.key])
    return from_captions(captions)


# --- looking ----------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class _Begun:
    """A mode that was drawn."""

    place: int
    passes: int = 0
    failures: int = 0
    unscored: int = 0

    def clear(self, above: float) -> float:
        return clearance(self.passes, self.failures, above)

    def open(self, above: float) -> bool:
        """Say whether more images of it may change anything."""
        return self.passes + self.failures + self.unscored < MOST and GIVEN_UP < self.clear(above) < 1.0

    def looked(self, above: float) -> Looked:
        return Looked(
            mode=self.place,
            passes=self.passes,
            failures=self.failures,
            unscored=self.unscored,
            clearance=self.clear(above),
        )


class _Look:
    """Draws modes by the prior, block by block, until enough is known."""

    def __init__(self, asked: _Asked, modes: Sequence[Mode], drawing: Drawing, chance: np.random.Generator) -> None:
        self._asked, self._modes, self._drawing, self._chance = asked, modes, drawing, chance
        self._weights = np.asarray([one.weight for one in modes])
        self._weights /= self._weights.sum()
        self._seeds: dict[str, Iterator[int]] = {
            label: drawing.requests.seeds(label, "certify") for label in dict.fromkeys(one.label for one in modes)
        }
        self.begun: list[_Begun] = []
        self.draws = 0

    @property
    def _cleared(self) -> list[float]:
        return [one.clear(self._asked.above) for one in self.begun]

    @property
    def bound(self) -> float:
        return weight_at_most(self._cleared, self._asked.level)

    def until_the_end(self) -> Ended:
        asked = self._asked
        with self._drawing.progress.stage("certify") as show:
            while True:
                if self.bound <= asked.below:
                    return "certified"
                if self.draws >= asked.most:
                    return "draws"
                if self.begun and log_evidence_below(self._cleared, asked.below) < HOPELESS:
                    return "hopeless"
                places = self._chance.choice(len(self._modes), size=BLOCK, p=self._weights)
                block = [_Begun(place=int(place)) for place in places]
                self.begun += block
                while self.draws < asked.most and (some := [one for one in block if one.open(asked.above)]):
                    self._look(some)
                    show(self.draws, asked.most, self.draws)

    def _look(self, some: Sequence[_Begun]) -> None:
        """Draw two images of each mode; the limit may cut the last ones."""
        left = self._asked.most - self.draws
        owners = [one for one in some for _ in range(TWO)][:left]
        requests = [self._request(one) for one in owners]
        seen = self._drawing.observe(requests, lambda _: None)
        self._drawing.spend(seen)
        self.draws += len(requests)
        for owner, one in zip(owners, seen, strict=True):
            _count(owner, one)

    def _request(self, one: _Begun) -> Request:
        mode = self._modes[one.place]
        (seed,) = islice(self._seeds[mode.label], 1)
        return self._drawing.requests.on(mode.label, Treatment(words=(mode.phrase,)), "certify", [seed])[0]


def _count(owner: _Begun, one: Answered) -> None:
    status = one.outcomes[0].status
    owner.passes += status == "passed"
    owner.failures += status == "failed"
    owner.unscored += status == "unscored"
