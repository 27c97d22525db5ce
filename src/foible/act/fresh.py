"""Fresh draws that go on from a run: by its own generator, seen by its judge and its classifier, kept in its archive.

Comes in: a run, its parts as they were loaded again, and requests. Goes out: what became of each, in order. Neighbours:
`repair/` and `sets/collect.py` say which requests; `draws/observe.py` carries out; `further.py` draws for a comparison.
The run itself is finished, and nothing is noted in it: a call that was stopped finds its draws in the archive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from foible.act.others import Remembered
from foible.draws.execute import Here
from foible.draws.observe import Observer
from foible.draws.once import REPEATED
from foible.draws.questions import GENERATOR
from foible.draws.request import Requests
from foible.hunting.clock import Clock
from foible.hunting.replay import Reread
from foible.parts.registry import Part
from foible.progress import Progress
from foible.records import Answered, Draw, Outcome, Request
from foible.run.archive import Archive

SPENT = "seen before: the same image suggested or decided the bug, or was drawn before for the same purpose"
"""Why a draw is unscored whose pixels the run has, or served already: a repair learns from an image once."""


@dataclass(kw_only=True)
class Drawing:
    """Draws for one purpose: a repair, a data set."""

    read: Reread
    place: int
    """Of the classifier among those of the run."""
    parts: Mapping[str, Part]
    """By what the run calls them: "generator", "judge", "classifier 0", which is the one at the place."""
    archive: Archive
    size: tuple[int, int] | None
    """(height, width) of the run's images."""
    progress: Progress
    seed: int
    spent: set[str] = field(default_factory=set)
    """Hashes of images that are no evidence any more."""

    def __post_init__(self) -> None:
        """Make what observes."""
        study = self.read.study
        self._observer = Observer(
            executor=Here(self.parts, self.archive.shards),
            archive=self.archive,
            notes=Remembered({}, self.size),
            identities={name: part.identity for name, part in self.parts.items()},
            maps=[study.maps[self.place]],
            labels=study.labels,
            batch=study.config.batch,
            watch=Clock(None),
        )

    @cached_property
    def requests(self) -> Requests:
        """What makes requests: by the generator as it is now, and never on a seed that the run spent."""
        study = self.read.study
        return Requests(
            generator=self.parts[GENERATOR].identity,
            labels=study.labels,
            template=study.config.explore.template,
            seed=self.seed,
            spent=frozenset(one.request.seed for one in self.read.answered.values()),
        )

    def make(self, stage: str, requests: Sequence[Request]) -> list[Answered]:
        """Have requests drawn, judged and classified.

        Args:
            stage: for the progress bar.
            requests: of one arm.

        Returns:
            In the order of the requests; unscored where the pixels were spent, or count already for the same label and
            treatment.

        Raises:
            OutOfTime: the requests to servers are used up; the same call goes on.
            InputError: a part or the archive cannot be used.
        """
        total = len({one.key for one in requests})
        done = 0
        with self.progress.stage(stage) as show:

            def advance(count: int) -> None:
                nonlocal done
                done += count
                show(done, total, done)

            return self.observe(requests, advance)

    def observe(self, requests: Sequence[Request], advance: Callable[[int], None]) -> list[Answered]:
        """Have requests drawn as `make` does, without a bar of their own; `advance` is told after each unit of work."""
        unique = list({one.key: one for one in requests}.values())
        self._observer.advance = advance
        seen = {one.request.key: one for one in self._observer.observe(unique)}
        return self._fresh([replace(seen[one.key], draw=replace(seen[one.key].draw, request=one)) for one in requests])

    def caption(self, draws: Sequence[Draw]) -> dict[str, str]:
        """Give the captions of draws by key, where the captioner is among the parts; others could not be captioned."""
        self._observer.advance = lambda _: None
        said = self._observer.captions(draws)
        return {key: one for key, one in said.items() if isinstance(one, str)}

    def spend(self, answered: Iterable[Answered]) -> None:
        """Let the images of some draws count as evidence for nothing any more."""
        self.spent |= {one.draw.image for one in answered if one.draw.image}

    def _fresh(self, answered: Sequence[Answered]) -> list[Answered]:
        counted: dict[tuple[object, ...], str] = {}

        def one(seen: Answered) -> Answered:
            request, image = seen.request, seen.draw.image
            if image and image in self.spent:
                return _unscored(seen, SPENT)
            twice = counted.setdefault((request.label, request.treatment, image), request.key) != request.key
            return _unscored(seen, REPEATED) if image and twice else seen

        return [one(seen) for seen in answered]


def _unscored(one: Answered, reason: str) -> Answered:
    outcomes = [o if o.status == "unscored" else Outcome(status="unscored", reason=reason) for o in one.outcomes]
    return replace(one, outcomes=tuple(outcomes))
