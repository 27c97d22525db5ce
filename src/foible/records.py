"""The frozen records that pass between the rooms, in order of birth.

Comes in: nothing. Goes out: plain data; no record knows how it is made, stored or shown. Images are uint8 arrays of
shape (height, width, 3), RGB, 0..255, throughout. The values that people and plug-ins make themselves (`Spec`, `Label`,
`Drawn`, `Judgement`), and `Fault`, may be made by position; all others by keyword alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from foible.arms import Arm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Status = Literal["failed", "passed", "unscored"]
Origin = Literal["explored", "guided", "both"]

TIED = "tied: equal scores leave open whether it failed"
"""Why a draw is unscored for which the order of classes with one score would decide."""
UNFAITHFUL = "unfaithful: the judge does not see the label in the image"
"""Why a draw is unscored whose image does not show its label."""


@dataclass(frozen=True, slots=True)
class Spec:
    """Names a plug-in so that it can be built again elsewhere."""

    name: str
    """`family:name`, such as `transformers:google/vit-base-patch16-224`."""
    args: Mapping[str, object] = field(default_factory=dict)
    """Arguments of the plug-in, never folded into the name."""


@dataclass(frozen=True, slots=True)
class Label:
    """What an image should show. It knows no classifier and no class index (see `ClassMap`)."""

    name: str
    """What it is called in prompts: "coffee mug"."""
    kind: str = ""
    """What kind of thing it is: "cup". May be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What is done to a base request. Words that are added are the only kind today."""

    words: tuple[str, ...] = ()
    """Phrases that are added to the base prompt, in prompt order: ("striped", "at night"). Empty for no treatment."""

    @property
    def description(self) -> str:
        """The words as they stand in a prompt."""
        return ", ".join(self.words)

    def __bool__(self) -> bool:
        """Tell whether anything is done at all."""
        return bool(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One image that is asked for: a label under a treatment, on a seed."""

    key: str
    """Identity of the pixels (see `identity.py`)."""
    label: str
    """The label's name."""
    treatment: Treatment
    seed: int
    """0 .. 2**32 - 1."""
    arm: Arm
    """What it is made for; the same pixels may serve two arms of one stream."""
    text: str
    """What the generator is given."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a generator gives back for one prompt and one seed."""

    image: NDArray[np.uint8]
    """(height, width, 3), RGB."""
    ignored: tuple[str, ...] = ()
    """Words of the prompt that the generator knows it did not use."""
    samplings: int = 1
    """Images that were sampled for it, of which this one was kept; at least 1."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Stands where an image or an answer should be."""

    reason: str
    """What was wanted and what came, in a few words."""
    passing: bool = False
    """A fault of the moment, which says nothing of the element: the next call asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A request that was carried out: pixels in the archive, or a fault."""

    request: Request
    image: str = ""
    """Hash of the pixels; empty where nothing was drawn."""
    ignored: tuple[str, ...] = ()
    """Words of the prompt that the generator reported as unused."""
    samplings: int = 1
    """Images that were sampled for it: more than one where it was led or chosen. Not known where it has a fault."""
    fault: str = ""
    """Why there is no image; empty where there is one."""


class Level(NamedTuple):
    """A score, and every class that has it."""

    score: float
    runs: tuple[range, ...]
    """The classes as runs of neighbouring indices, in order: of a thousand classes nine hundred may have score 0."""

    @property
    def size(self) -> int:
        """How many classes have the score."""
        return sum(map(len, self.runs))

    def of(self, classes: Collection[int]) -> int:
        """How many of some classes have the score."""
        return sum(any(index in run for run in self.runs) for index in classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the classifier said of one image."""

    levels: tuple[Level, ...]
    """The highest scores, best first, each with all of its classes; at least one."""

    @property
    def index(self) -> int | None:
        """The predicted class; None where several share the highest score."""
        highest = self.levels[0]
        return highest.runs[0][0] if highest.size == 1 else None

    def has(self, classes: Collection[int], among: int) -> bool | None:
        """Tell whether one of some classes is among the highest scores, however equal scores are ordered.

        Args:
            classes: indices, each once.
            among: how many of the highest scores count, at least 1.

        Returns:
            None where that hangs on the order of classes that have the same score, or on scores that were not kept.
        """
        left = among
        for level in self.levels:
            found = level.of(classes)
            if found:
                # The others of this score may take every place that is left, unless there are too few of them.
                return True if level.size - found < left else None
            left -= level.size
            if left <= 0:
                return False
        return None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an image really shows its label."""

    faithful: bool
    score: float
    """How sure the judge is that the label is shown; larger is surer; the scale is the judge's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one draw, for one classifier."""

    status: Status
    predicted: int | None = None
    """The predicted class; None where there is no prediction, or several classes share the highest score."""
    reason: str = ""
    """Why it is unscored; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A draw, and what one classifier made of it."""

    draw: Draw
    outcome: Outcome

    @property
    def key(self) -> str:
        """The key of its request."""
        return self.draw.request.key

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.draw.request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A draw, and what every classifier of the run made of it."""

    draw: Draw
    outcomes: tuple[Outcome, ...]
    """One for each classifier, in the order of the run."""
    caption: str = ""
    """What the captioner says of it; empty where it was not asked, or said nothing usable."""

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.draw.request

    def seen_by(self, classifier: int) -> Observation:
        """Give what the classifier at a place made of it."""
        return Observation(draw=self.draw, outcome=self.outcomes[classifier])


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """A class that may show the same thing as a label, as names or annotations say before anything is drawn."""

    index: int
    """Of the class; it is not right for the label."""
    share: float | None = None
    """In this share of the label's pictures annotators saw the class too, 0..1; None where names alone say it: one is
    what kind of thing the other is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMap:
    """What the classes of one classifier mean for the labels of a run, and what failing means for it."""

    classifier: str
    """What the run calls the classifier: its spec, made unique."""
    names: tuple[str, ...] | None
    """Its classes in order, each as "name" or "name (kind)"; None where it names none."""
    right: Mapping[str, tuple[int, ...]]
    """By the name of a label: the classes that are right for it, its own first; never empty."""
    top: int = 1
    """A draw fails when no right class is among this many highest scores."""
    target: tuple[int, ...] = ()
    """Targeted mode: a draw fails when it is taken for one of these classes, and only then. Empty otherwise."""
    alike: Mapping[str, tuple[Likeness, ...]] = field(default_factory=dict)
    """By the name of a label: further classes that may show the same thing, the surest first."""

    def fails(self, prediction: Prediction, label: str) -> bool | None:
        """Tell whether a prediction fails a label; None where equal scores leave that open."""
        if self.target:
            return prediction.has(self.target, 1)
        passes = prediction.has(self.right[label], self.top)
        return None if passes is None else not passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failures that belong together: one label, one predicted label, near each other in the embedding."""

    label: str
    predicted: int | None
    """The wrong class; None for the group of all failures of the label."""
    members: tuple[str, ...]
    """Keys of the draws, in draw order."""


ANY = "any label"
"""Stands in the place of a label's name where a hypothesis is about photographs of all labels together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """The claim "with this treatment, this label fails more often than expected, for this classifier"."""

    label: str
    treatment: Treatment
    classifier: int = 0
    """Its place among the classifiers of the run."""
    predicted: int | None = None
    """The predicted class of the group it came from; None for a person's own."""
    score: float = 0.0
    """What exploration saw: how strongly the treatment sets failures apart. Orders hypotheses; is no evidence."""
    into: tuple[int, ...] = ()
    """Only failures that are taken for one of these classes count; empty where every failure does."""
    borrowed: bool = False
    """Suspected for another classifier alone: tested for this one on the same draws, and no draw is made for it."""
    origin: Origin | None = None
    """Which failures had all of its words in their captions when it was suspected: explored ones, ones that a guide led
    to, or both; null for a person's own, and for one that is borrowed. It decides nothing."""

    @property
    def about(self) -> tuple[str, Treatment]:
        """What has to be drawn to test it: the same for every classifier."""
        return self.label, self.treatment

    @property
    def description(self) -> str:
        """The words of its treatment."""
        return self.treatment.description


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of one arm."""

    draws: int
    failures: int
    unscored: int
    unfaithful: int = 0
    """Of the unscored, those in which the judge does not see the label."""
    tied: int = 0
    """Of the unscored, those in which equal scores leave open whether it failed."""

    @property
    def scored(self) -> int:
        """Draws that count in a rate."""
        return self.draws - self.unscored


class Pairs(NamedTuple):
    """Same-seed pairs that are scored on both sides."""

    both_failed: int
    only_treat: int
    """Only the draw with the treatment failed."""
    only_control: int
    """Only the draw without it failed."""
    both_passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The running tally of a hypothesis: fresh draws with the treatment (treat) and without (control)."""

    hypothesis: Hypothesis
    treat: Tally
    control: Tally
    pairs: Pairs


def kept(*records: type, finite: bool = True) -> None:
    """Say how pydantic writes records: what stands under a field becomes its description, and every field is written.

    Args:
        records: dataclasses that stand in files.
        finite: whether each number of theirs must be.
    """
    for record in records:
        how = {
            "use_attribute_docstrings": True,
            "json_schema_serialization_defaults_required": True,
            "allow_inf_nan": not finite,
            "ser_json_inf_nan": "constants",
        }
        setattr(record, "__pydantic_config__", how)  # noqa: B010 - mypy knows of no such attribute


kept(Label, Treatment, Request, Draw, Outcome, Answered, Tally, Trial)
kept(Hypothesis, finite=False)  # its score need not be
