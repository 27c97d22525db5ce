"""Failures become hypotheses: which phrases of its caption bring a failure back.

Comes in: what exploration saw, in phrases, and its groups. Goes out: hypotheses, and the requests that find them. Each
failure is followed on its own: the phrases of its caption that are most telling to draw again are drawn, a few images
at a time, until one set of phrases is nearly sure to be behind it, or chance is. So one failure is enough to find a
conjunction that a label's draws show once. What it finds is a suspicion, no evidence: `trial/` tests it on fresh
images. Neighbours: `contrast.py` does the same without a further draw, from failures that repeat;
`statistics/suspicion.py` has the mathematics.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

import numpy as np

from foible.arms import Arm
from foible.asker import Ask
from foible.budget import Allowance
from foible.config import DescribeOptions
from foible.draws.request import Requests
from foible.identity import digest
from foible.records import Answered, Group, Hypothesis, Observation, Origin, Request, Treatment
from foible.search.phrases import in_order
from foible.statistics import Suspicion, clopper_pearson, most_telling, phrase_sets, suspect, with_whole
from foible.trial.pairs import tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

Phrases = frozenset[str]
WHOLE = 6
"""Phrases of a caption, at most, that are weighed all together: more describe one image, and not a kind of image."""
WIDEST = 200
"""Sets of phrases that are weighed for one failure, at most: of a long caption the phrases that fail most are kept."""
MUTE = 3
"""Times that a failure is drawn for without a scored draw before it is given up."""
LEAST = 0.3
"""Where the draws end before a failure is settled, its most probable set is a hypothesis from this probability on."""


@dataclass(frozen=True, kw_only=True)
class Explored:
    """What exploration saw, for one classifier."""

    classifier: int
    observations: Sequence[Observation]
    phrases: Mapping[str, Phrases]
    """By draw key: the phrases of its caption; a draw without is not followed."""
    groups: Sequence[Group]
    """Of the failures; where a label has more of them than are followed, each group has its turn."""
    cut: Callable[[str, str], Phrases]
    """Cuts the caption of a draw of a label into phrases: (caption, label)."""
    led: Collection[str] = ()
    """Draw keys of the failures that a guide led to."""


class Follow:
    """Follows the failures of every label, all labels side by side, for one classifier."""

    stage = "follow"
    arm: Arm = "follow"

    def __init__(self, explored: Explored, requests: Requests, options: DescribeOptions, margin: float) -> None:
        """Begin with what exploration saw.

        Args:
            explored: for one classifier.
            requests: makes requests.
            options: how far failures are followed.
            margin: what fails so often that it cannot fail more often by this is not followed.
        """
        self._explored = explored
        seen: dict[str, list[Observation]] = {label: [] for label in requests.labels}
        for o in explored.observations:
            seen[o.request.label].append(o)
        self._cases = {
            label: Case(label, seen[label], explored, requests, options)
            for label in requests.labels
            if _has_room(seen[label], margin)
        }

    def ask(self, allowance: Allowance) -> Ask | None:
        """Ask for the draws that tell most about the most promising open failure of each label."""
        wanted = {label: case.wanted() for label, case in self._cases.items()}
        chosen = {label: own for label, own in wanted.items() if own and allowance.takes(own)}
        if not chosen:
            return None
        about = {label: self._cases[label].about for label in chosen}
        return Ask(requests=[request for own in chosen.values() for request in own], about=about)

    def tell(self, answered: Sequence[Answered], about: Mapping[str, str]) -> None:
        """Take in what became of draws, and settle what can be settled."""
        place, cut = self._explored.classifier, self._explored.cut
        for label, case in self._cases.items():
            own = [one for one in answered if one.request.label == label]
            if own:
                said = [frozenset(one.request.treatment.words) | cut(one.caption, label) for one in own]
                seen = [one.seen_by(place) for one in own]
                case.tell(list(zip(said, seen, strict=True)), about.get(label, ""))

    def progress(self) -> tuple[int, int]:
        """Count failures."""
        total = sum(case.followed for case in self._cases.values())
        return total - sum(len(case.open) for case in self._cases.values()), total

    def found(self) -> list[Hypothesis]:
        """Settle what is still open by what is believed now, and return the hypotheses, the most telling first."""
        for case in self._cases.values():
            case.settle_all()
        found = [hypothesis for case in self._cases.values() for hypothesis in case.found]
        return sorted(found, key=lambda h: (-h.score, h.label, h.treatment.words))


def _has_room(explored: Sequence[Observation], margin: float) -> bool:
    """Tell whether a label leaves room for a bug: what fails nearly always cannot fail more often by the margin."""
    counts = tally(explored)
    low, _ = clopper_pearson(counts.failures, counts.scored)
    return low + margin < 1.0


@dataclass(slots=True)
class Followed:
    """A failure that is followed."""

    said: Phrases
    """The phrases of its caption."""
    phrases: tuple[str, ...]
    """Those that are weighed."""
    sets: NDArray[np.intp]
    """The sets of its phrases that may be behind it (see `statistics/suspicion.py`)."""
    masks: list[int] = field(default_factory=list)
    """For each scored draw of its label, the phrases of this failure that it has."""
    draws: int = 0
    """That were made for it."""
    scored: int = 0
    """Of these, those that say something."""

    @property
    def name(self) -> str:
        """What the journal calls it: the same for every failure whose caption says the same."""
        return digest(sorted(self.said))

    def mask(self, phrases: Phrases) -> int:
        """Write the phrases that a draw has of this failure as a whole number, a bit each."""
        return sum(1 << place for place, phrase in enumerate(self.phrases) if phrase in phrases)

    def unmask(self, mask: int) -> Phrases:
        """Read such a number."""
        return frozenset(phrase for place, phrase in enumerate(self.phrases) if mask >> place & 1)


@dataclass(slots=True)
class Drawable:
    """Which phrases of a label the generator draws: it may refuse a prompt for a word that a captioner made up."""

    drawn: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    """One of these, or several, had a prompt refused."""
    refused: set[str] = field(default_factory=set)

    def of(self, words: Phrases) -> Phrases:
        """Leave out what is refused, and of what is doubtful all but one phrase, so that its draw tells."""
        return words - self.refused - set(sorted(words & self.doubtful)[1:])

    def learn(self, words: Phrases, *, drawn: bool) -> None:
        """Take in whether some words together were drawn; once may be a fault of the moment, twice is refused."""
        unknown = words - self.drawn
        if drawn:
            self.drawn |= words
        elif len(unknown) == 1 and unknown <= self.doubtful:
            self.refused |= unknown
        else:
            self.doubtful |= unknown
        self.doubtful -= self.drawn | self.refused


class Case:
    """One label: its failures that are still open, all that was seen of it, and what was found."""

    def __init__(
        self,
        label: str,
        seen: Sequence[Observation],
        explored: Explored,
        requests: Requests,
        options: DescribeOptions,
    ) -> None:
        """Begin with what exploration saw of the label."""
        phrases = explored.phrases
        self.open: list[Followed] = []
        self.found: list[Hypothesis] = []
        self._label, self._classifier = label, explored.classifier
        self._requests, self._options = requests, options
        self._seen = [(phrases[o.key], o) for o in seen if o.key in phrases and o.outcome.status != "unscored"]
        self._natural = len(self._seen)
        self._draws = 0
        self._taken: set[int] = set()
        self._known: set[str] = set()
        self._next: tuple[Followed, Phrases] | None = None
        self._drawable = Drawable()
        often = _often(self._seen)
        # A failure that was led to is none of the draws that are counted: without one of these, nothing is known.
        groups = [g.members for g in explored.groups if g.label == label] if self._seen else []
        captioned = [key for members in groups for key in members if phrases.get(key)]
        self._failures = [(phrases[key], key in explored.led) for key in captioned]
        keys = _spread(groups, options.follow)
        for said in dict.fromkeys(phrases[key] for key in keys if phrases.get(key)):
            one = _followed(said, often, options)
            one.masks += [one.mask(seen) for seen, _ in self._seen]
            self.open.append(one)
        self.followed = len(self.open)
        self._settle_sure()

    @property
    def about(self) -> str:
        """What the next draws are for: the name of the failure that is followed."""
        return self._next[0].name if self._next else ""

    def wanted(self) -> list[Request]:
        """Return the draws that tell most about the most promising failure that is open; none where all is settled."""
        if self._next is None:
            return []
        (one, chosen), options = self._next, self._options
        words = in_order(chosen)
        count = min(options.step, options.each - one.draws, options.draws - self._draws)
        fresh = (seed for seed in self._requests.seeds(self._label, "follow") if seed not in self._taken)
        return self._requests.on(self._label, Treatment(words=words), "follow", list(islice(fresh, count)))

    def tell(self, seen: Sequence[tuple[Phrases, Observation]], about: str) -> None:
        """Take in what became of draws, and settle what can be settled.

        Args:
            seen: each draw with its phrases.
            about: the name of the failure that they were made for; empty where it is none of this classifier's.
        """
        seen = [(said, o) for said, o in seen if o.key not in self._known]  # another classifier may have asked before
        self._known |= {o.key for _, o in seen}
        self._draws += len(seen) if about else 0
        self._taken |= {o.request.seed for _, o in seen}
        scored = [(said, o) for said, o in seen if o.outcome.status != "unscored"]
        self._seen += scored
        for words in dict.fromkeys(frozenset(o.request.treatment.words) for _, o in seen):
            own = [o for _, o in seen if words == frozenset(o.request.treatment.words)]
            self._drawable.learn(words, drawn=any(o.draw.image for o in own))
        for one in self.open:
            one.masks += [one.mask(said) for said, _ in scored]
            if one.name == about:
                one.draws, one.scored = one.draws + len(seen), one.scored + len(scored)
        self._settle_sure()

    def settle_all(self) -> None:
        """Settle what is still open by what is believed now."""
        self._next = None
        while self.open and len(self.found) < self._options.hypotheses:
            self._settle(*self._most_promising())

    def _settle_sure(self) -> None:
        """Settle one failure after the other, until one needs further draws."""
        options = self._options
        self._next = None
        while self.open and self._draws < options.draws and len(self.found) < options.hypotheses:
            one, belief = self._most_promising()
            sure = max(belief.chance, float(belief.each.max())) >= options.sure
            words = self._wanted_of(one, belief)
            # Draws that nobody can score say nothing, however many there are.
            mute = one.draws >= MUTE * options.step and not one.scored
            if words and not (sure or mute) and one.draws < options.each:
                self._next = one, words
                return
            self._settle(one, belief)

    def _wanted_of(self, one: Followed, belief: Suspicion) -> Phrases:
        """Give the phrases whose draw tells most of a failure, as far as the generator draws them."""
        natural = np.array(one.masks[: self._natural], dtype=np.intp)
        return self._drawable.of(one.unmask(most_telling(belief, natural)))

    def _most_promising(self) -> tuple[Followed, Suspicion]:
        """Return the open failure that is least likely to be chance, and what is believed of it."""
        # What a set that was found explains says nothing of the failures that it does not explain.
        live = np.array([not any(said.issuperset(h.treatment.words) for h in self.found) for said, _ in self._seen])
        failed = np.array([_failed(o) for _, o in self._seen])[live]
        most = self._options.phrases
        beliefs = [
            (one, suspect(one.sets, np.array(one.masks, dtype=np.intp)[live], failed, most)) for one in self.open
        ]
        return min(beliefs, key=lambda pair: pair[1].chance)

    def _settle(self, one: Followed, belief: Suspicion) -> None:
        """Close a failure: with a hypothesis, which closes every failure that it explains, or as chance."""
        self.open.remove(one)
        best = int(belief.each.argmax())
        if belief.each[best] < LEAST:
            return
        chosen = one.unmask(int(belief.sets[best]))
        predicted = Counter(o.outcome.predicted for said, o in self._seen if chosen <= said and _failed(o))
        self.found.append(
            Hypothesis(
                label=self._label,
                treatment=Treatment(words=in_order(chosen)),
                classifier=self._classifier,
                predicted=_foremost(predicted),
                score=float(belief.factor[best]),
                origin=self._origin(chosen),
            )
        )
        self.open = [other for other in self.open if not chosen <= other.said]

    def _origin(self, chosen: Phrases) -> Origin:
        """Say which failures have some phrases in their captions; there is one, which was followed."""
        led = {led for said, led in self._failures if chosen <= said}
        return "both" if len(led) > 1 else "guided" if True in led else "explored"


def _spread(groups: Sequence[Sequence[str]], most: int) -> list[str]:
    """Take so many failures, one of each group in turn, so that one frequent kind does not crowd out the others."""
    turns = chain.from_iterable(zip_longest(*groups))
    return list(islice(dict.fromkeys(key for key in turns if key is not None), most))


def _often(seen: Sequence[tuple[Phrases, Observation]]) -> dict[str, float]:
    """Return how often draws with each phrase fail, drawn towards a sixth where few have it."""
    draws = Counter(phrase for said, _ in seen for phrase in said)
    fails = Counter(phrase for said, o in seen if _failed(o) for phrase in said)
    return {phrase: (fails[phrase] + 0.5) / (count + 3) for phrase, count in draws.items()}


def _followed(said: Phrases, often: Mapping[str, float], options: DescribeOptions) -> Followed:
    """Follow a failure by the phrases of its caption that fail most, as many as can be weighed."""
    kept = sorted(said, key=lambda phrase: (-often.get(phrase, 0.0), phrase))
    # Counted before they are listed: of a caption without end there are more sets than memory holds.
    while sum(math.comb(len(kept), size) for size in range(1, options.phrases + 1)) > WIDEST:
        kept.pop()
    sets = phrase_sets(len(kept), options.phrases)
    # Where three phrases are needed, no two of them bring the failure back.
    whole = options.whole and len(kept) == len(said) <= WHOLE
    return Followed(said, tuple(kept), with_whole(sets) if whole else sets)


def _foremost(predicted: Counter[int | None]) -> int | None:
    """Return the class that most failures are taken for; None where there is none, or another is as frequent."""
    (first, often), (_, other), *_ = [*predicted.most_common(2), (None, 0), (None, 0)]
    return first if often > other else None


def _failed(observation: Observation) -> bool:
    return observation.outcome.status == "failed"
