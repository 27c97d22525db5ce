"""The one loop: what a stage asks for is noted, drawn and paid for, and the stage is told what became of it.

Comes in: an asker, pure but for its own state. Goes out: nothing; the asker has been told. Resume is a replay: what the
journal says was asked is told first, and then the asker asks on. So a run that was stopped anywhere ends as one that
was not, and a larger budget adds to what is there. `foible verify` runs this same loop over a reader that notes and
draws nothing. Neighbours: `path.py` says which askers there are; `draws/observe.py` carries out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from foible.asker import Ask, Asker
from foible.budget import Allowance, Budget
from foible.draws.execute import Executor
from foible.draws.known import Notes
from foible.draws.observe import Observer
from foible.draws.once import Once
from foible.draws.questions import JUDGE
from foible.draws.questions import classifier as classifier_named
from foible.draws.request import blocks
from foible.draws.values import read_judgement, read_prediction
from foible.errors import StoreError, brief
from foible.hunting.clock import Clock
from foible.hunting.study import Study
from foible.hunting.trying import Tries
from foible.progress import Progress, Show
from foible.records import (
    ANY,
    TIED,
    Answered,
    ClassMap,
    Draw,
    Fault,
    Hypothesis,
    Judgement,
    Label,
    Observation,
    Prediction,
    Request,
)
from foible.run.archive import Archive
from foible.run.events import Asked, Attempted, Block, Checked, Tried

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")


class Record(Notes, Protocol):
    """What the loop needs of the journal, beside what the observer needs."""

    @property
    def tried(self) -> tuple[Hypothesis, ...]:
        """Every hypothesis that counts in the multiplicity, in order."""
        ...

    @property
    def checked(self) -> bool:
        """Whether the parts were asked about the same again."""
        ...

    @property
    def attempted(self) -> Mapping[int, Attempted]:
        """By classifier: what came of asking it in other ways."""
        ...

    def asked(self, stage: str | None = None, classifier: int | None = None) -> Iterator[Asked]:
        """Yield, in order, what an asker asked for; of all where no stage is named."""
        ...


class Source(Protocol):
    """What makes the requests of a run: of drawn images, or of photographs."""

    @property
    def labels(self) -> Mapping[str, Label]:
        """By name."""
        ...

    def of(self, block: Block) -> list[Request]:
        """Make the requests of a block again."""
        ...


class Loop:
    """Carries askers to their end, over one run."""

    def __init__(  # noqa: PLR0913 - everything that draws meets here, by name, and nowhere else
        self,
        *,
        observer: Observer,
        record: Record,
        requests: Source,
        budget: Budget,
        clock: Clock,
        progress: Progress,
        closed: bool = False,
        tries: Tries | None = None,
    ) -> None:
        """Pay for everything that was asked before.

        Where it is closed, nothing more is asked for than was, and no further hypothesis is tried.
        """
        self._closed = closed
        self._source = requests
        self.budget = budget
        self._observer = observer
        self._record = record
        self._clock = clock
        self._progress = progress
        self._tries = tries
        self._looked = 0
        self._once = Once()
        self.answered: dict[str, Answered] = {}
        """Every draw that was looked at, by key; one that serves two arms as the first asked for it."""
        self.askers: list[Asker] = []
        """Those that were run, or are, in their order."""
        for event in record.asked():
            budget.pay(self._requests(event))

    def run(self, asker: Asker, classifier: int | None = None) -> None:
        """Tell an asker what was asked before, then let it ask until it wants nothing more.

        Args:
            asker: any stage that draws.
            classifier: its classifier, where each has an asker of its own: it is told what those before it asked, too.

        Raises:
            OutOfTime: the minutes or the requests of the hunt are used up; what was finished is kept.
        """
        self.askers.append(asker)
        with self._shown(asker.stage) as show:
            for event in self._record.asked(asker.stage, classifier):
                # What another classifier's failures were followed by is known, and counts for nobody else's limit.
                about = event.about if event.classifier == (classifier or 0) else {}
                self._carry(asker, self._requests(event), about, show)
            while not self._closed and (ask := asker.ask(Allowance(self.budget, asker.arm))) is not None:
                self._note(ask, asker.stage, classifier or 0)
                self._carry(asker, ask.requests, ask.about, show)
            done, total = asker.progress()
            show(done, total, self._looked)

    def try_all(self, hypotheses: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
        """Let hypotheses count in the multiplicity, behind those that were tried before: none ever leaves it.

        Raises:
            StoreError: the journal notes one that this run cannot have had.
        """
        own = {(h.about, h.classifier): h for h in hypotheses if not h.borrowed}
        for h in self._record.tried:
            self._refuse_stranger(h)
        # What was borrowed once may be suspected for its own classifier by now.
        before = [own.get((h.about, h.classifier), h) if h.borrowed else h for h in self._record.tried]
        if self._closed:
            return tuple(before)
        known = {(h.about, h.classifier) for h in before}
        tried = (*before, *(h for h in hypotheses if (h.about, h.classifier) not in known))
        if tried != self._record.tried:
            self._record.note(Tried(hypotheses=list(tried)))
        return tried

    def caption(self, draws: Sequence[Draw]) -> tuple[dict[str, str], list[str]]:
        """Caption draws that were made before: captions by key, and why others have none."""
        with self._shown("caption") as show:
            found = self._observer.captions(draws)
            show(len(draws), len(draws), len(draws))
        return _part(found, "not captioned")

    def embed(self, draws: Sequence[Draw]) -> tuple[dict[str, NDArray[np.float32]], list[str]]:
        """Embed draws that were made before: vectors (dimensions,) by key, and why others have none."""
        with self._shown("embed") as show:
            found = self._observer.vectors(draws)
            show(len(draws), len(draws), len(draws))
        return _part(found, "not embedded")

    def texts(self, texts: Sequence[str]) -> tuple[float, NDArray[np.float64]]:
        """Give what the embedder says of texts: the factor of its logits, and vectors (texts, dimensions) of length 1.

        Raises:
            StoreError: the archive lacks some.
        """
        return self._observer.texts(texts)

    def under(self, seen: Sequence[Observation], classes: ClassMap, place: int) -> list[Observation]:
        """Look again at draws that were made before, as if the classes of their classifier meant something else.

        A draw that is unscored for another reason than equal scores stays so.

        Args:
            seen: observations of one classifier.
            classes: what its classes mean then.
            place: of the classifier.
        """
        open_ = [o for o in seen if o.outcome.status != "unscored" or o.outcome.reason == TIED]
        again = dict(
            zip((o.key for o in open_), self._observer.under([o.draw for o in open_], place, classes), strict=True)
        )
        return [replace(o, outcome=again.get(o.key, o.outcome)) for o in seen]

    def predictions(self, draws: Sequence[Draw], place: int) -> dict[str, Prediction | Fault]:
        """Return what the classifier at a place said of draws that were made before, by key."""
        return self._observer.each(draws, classifier_named(place), read_prediction)

    def judge_as(self, draws: Sequence[tuple[Draw, str]]) -> dict[str, Judgement | Fault]:
        """Let the judge look at images again, each for another label than it was drawn for; by key of the draw."""
        with self._shown("judge") as show:
            asked = [replace(draw, request=replace(draw.request, label=label)) for draw, label in draws]
            found = self._observer.each(asked, JUDGE, read_judgement)
            show(len(draws), len(draws), len(draws))
        return found

    def ask_twice(self, answered: Sequence[Answered], requests: Sequence[Request] = ()) -> None:
        """Ask every part about the same again, once in the life of an archive.

        Args:
            answered: draws that were made.
            requests: what to draw for that, where none were.

        Raises:
            PluginError: a part whose answers must stay the same gives others.
        """
        if self._tries is None or self._record.checked:
            return
        self._clock.stage = "ask twice"
        if self._tries.ask_twice(answered, requests):
            self._record.note(Checked())

    def try_recipes(self, place: int, seen: Sequence[Answered]) -> Attempted | None:
        """Ask a classifier in other ways, once in the life of a run; None where a run is read and did not."""
        if place not in self._record.attempted and self._tries is not None:
            self._clock.stage = "recipes"
            self._record.note(self._tries.recipes(place, seen))
        return self._record.attempted.get(place)

    def restore(self, draws: Sequence[Draw]) -> None:
        """See that the images of some draws are there, for whoever looks at them."""
        self._clock.stage = "restore"
        self._observer.restore(draws)

    @contextmanager
    def _shown(self, stage: str) -> Iterator[Show]:
        """Show a stage, and let the clock know of it."""
        self._clock.stage = stage
        self._looked = 0
        with self._progress.stage(stage) as show:
            yield show

    def _carry(self, asker: Asker, requests: Sequence[Request], about: Mapping[str, str], show: Show) -> None:
        done, total = asker.progress()

        def advance(count: int) -> None:
            self._looked += count
            show(done, total, self._looked)

        self._observer.advance = advance
        answered = self._once.mark(self._observer.observe(requests))
        for one in answered:
            self.answered.setdefault(one.request.key, one)
        asker.tell(answered, about)

    def _refuse_stranger(self, hypothesis: Hypothesis) -> None:
        known = (
            hypothesis.label in {ANY, *self._source.labels} and 0 <= hypothesis.classifier < self._observer.classifiers
        )
        if not (known and hypothesis.treatment):
            message = f"the journal notes a hypothesis about {brief(hypothesis.label)!r} that the run cannot have"
            raise StoreError(f"{message}; it is damaged: name another --out, with the same archive")

    def _requests(self, event: Asked) -> list[Request]:
        return [request for block in event.blocks for request in self._source.of(block)]

    def _note(self, ask: Ask, stage: str, classifier: int) -> None:
        """Note what is asked before it is drawn, and pay for it."""
        self._record.note(Asked(stage=stage, classifier=classifier, about=dict(ask.about), blocks=blocks(ask.requests)))
        self.budget.pay(ask.requests)


def loop_over(  # noqa: PLR0913 - as `Loop`
    study: Study,
    *,
    executor: Executor,
    archive: Archive,
    record: Record,
    clock: Clock,
    progress: Progress,
    tries: Tries | None = None,
    abreast: int = 1,
    reading: bool = False,
    closed: bool = False,
) -> Loop:
    """Put together the loop of a run.

    Args:
        study: what the run is about.
        executor: where its units are carried out.
        archive: where pixels and answers lie.
        record: its journal, or a reader of one.
        clock: asked before every unit of new work.
        progress: who is told.
        tries: who asks parts again before a hunt; None where a run is read.
        abreast: how many units the executor is given at once.
        reading: whether nothing is drawn, asked or written.
        closed: whether nothing more is asked for than was.
    """
    observer = Observer(
        executor=executor,
        archive=archive,
        notes=record,
        identities=study.identities,
        maps=study.maps,
        labels=study.labels,
        batch=study.config.batch,
        watch=clock,
        abreast=abreast,
        reading=reading,
    )
    return Loop(
        observer=observer,
        record=record,
        requests=study.source,
        budget=Budget(study.config.budget, {"guide": study.config.guide.steps}),
        clock=clock,
        progress=progress,
        closed=closed,
        tries=tries,
    )


def _part(answers: Mapping[str, T | Fault], what: str) -> tuple[dict[str, T], list[str]]:
    """Part answers from the reasons why others are missing."""
    good = {key: answer for key, answer in answers.items() if not isinstance(answer, Fault)}
    return good, [f"{what}: {answer.reason}" for answer in answers.values() if isinstance(answer, Fault)]
