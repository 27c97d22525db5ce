"""Asks other classifiers about images of a finished run: nothing is drawn, captioned or judged again.

Comes in: a run that was read, the requests whose images are shown, and classifiers. Goes out: what became of each
request for each of them. Answers are kept in the archive, so that the same question is asked once. Neighbours:
`draws/observe.py` looks up and keeps; `sought.py` finds the labels; `transfer.py` says which requests, and what
follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from foible.act.sought import Other
from foible.draws.execute import Carried, Here, Unit
from foible.draws.known import Watch
from foible.draws.observe import Observer
from foible.draws.once import REPEATED, SUGGESTED
from foible.draws.outcome import UNCLASSIFIED
from foible.draws.questions import classifier
from foible.errors import PluginError
from foible.hunting.replay import Reread
from foible.records import Answered, Fault, Outcome, Request
from foible.run.archive import Archive
from foible.run.events import Event, Learned, Lost

GONE = "the image has gone from the archive, or is torn: the command that hunted brings it back"
"""Why a draw is unscored whose image nobody can be shown."""


def ask(other: Other, requests: Sequence[Request], read: Reread, archive: Archive, watch: Watch) -> dict[str, Outcome]:
    """Ask one classifier about the images of some requests.

    Args:
        other: the classifier.
        requests: of the run.
        read: the run.
        archive: where its images and answers lie; what is said is kept there.
        watch: asked before every unit of work.

    Returns:
        By key of the request. Where the classifier does not have the label, there is none.

    Raises:
        PluginError: it gives no usable answer at all.
        OutOfTime: the requests to servers are used up; what was answered is kept.
    """
    known = [r for r in requests if r.label in other.classes.right]
    images = {r.key: read.answered[r.key].draw.image for r in known}
    shown = [r for r in known if images[r.key] and archive.images.get(images[r.key]) is not None]
    observer = Observer(
        executor=_Classifying(Here({classifier(0): other.part}, archive.shards)),
        archive=archive,
        notes=Remembered(read.faults),
        identities={**read.study.identities, classifier(0): other.part.identity},
        maps=[other.classes],
        labels=read.study.labels,
        batch=read.study.config.batch,
        watch=watch,
        reading=True,  # nothing but the classifier is asked
    )
    said = {one.request.key: one.outcomes[0] for one in observer.observe(shown)}
    found = {r.key: _outcome(read.answered[r.key], said.get(r.key)) for r in known}
    lost = [o.reason for o in found.values() if o.reason.startswith(UNCLASSIFIED)]
    refuse_silence(other, lost, len(shown))
    return found


def refuse_silence(other: Other, lost: Sequence[str], shown: int) -> None:
    """Refuse a classifier that says nothing usable of any image.

    Args:
        other: the classifier.
        lost: why it said nothing of an image, for each such image.
        shown: how many images it was shown.

    Raises:
        PluginError: these are all.
    """
    if lost and len(lost) == shown:
        message = f"the classifier {other.classes.classifier} gave no usable answer for any of {len(lost)} images"
        raise PluginError(f"{message}: {lost[0].removeprefix(UNCLASSIFIED)}")


def _outcome(before: Answered, now: Outcome | None) -> Outcome:
    """Say what became of a draw; what was seen before counts for no classifier."""
    if now is None:
        return Outcome(status="unscored", reason=GONE if before.draw.image else f"not drawn: {before.draw.fault}")
    seen_before = next((o.reason for o in before.outcomes if o.reason in {SUGGESTED, REPEATED}), "")
    return replace(now, status="unscored", reason=seen_before) if seen_before and not now.reason else now


@dataclass(frozen=True)
class _Classifying:
    """Lets a classifier answer, and nobody else."""

    here: Here

    def carry_out(self, unit: Unit) -> Carried:
        """Ask the classifier; what the archive lacks besides is a fault."""
        own = tuple(question for question in unit.questions if question.part == classifier(0))
        carried = self.here.carry_out(replace(unit, draw=frozenset(), questions=own))
        gone = Fault("the archive does not have it")
        carried.draws |= dict.fromkeys(unit.draw, gone)
        others = [question for question in unit.questions if question not in own]
        carried.answers |= {(question.part, key): gone for question in others for key in question.keys}
        return carried


class Remembered:
    """What is known of faults, for the life of a call; nothing is noted in the run, which is finished."""

    def __init__(self, faults: Mapping[str, Fault], size: tuple[int, int] | None = None) -> None:
        """Know some faults already, and what every image must measure: (height, width); None where the first tells."""
        self._faults = {**faults}
        self._learned = None if size is None else Learned(size=size, classes=[None])

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Of the run, and of the call."""
        return self._faults

    @property
    def learned(self) -> Learned | None:
        """What the first unit told."""
        return self._learned

    def note(self, event: Event) -> None:
        """Remember what was lost, and how many classes there are."""
        if isinstance(event, Learned):
            self._learned = event
        if isinstance(event, Lost):
            self._faults |= {key: Fault(reason, passing) for key, (reason, passing) in event.faults.items()}
