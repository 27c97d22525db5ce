"""The frozen records that pass between the stages, in order of birth.

Comes in: nothing. Goes out: plain data; no record knows how it is made, stored or shown. Images are uint8 arrays of
shape (height, width, 3), RGB, 0..255, throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Arm = Literal["explore", "narrow", "treat", "control", "counterfactual"]
Status = Literal["failed", "passed", "unscored"]
Verdict = Literal["confirmed", "refuted", "undecided"]

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
    """A class of the classifier."""

    index: int
    """Position in the classifier's output."""
    name: str
    """What it is called in prompts: "coffee mug"."""
    hypernym: str = ""
    """What kind of thing it is: "cup". May be empty."""
    accepted: frozenset[int] = frozenset()
    """Indices that count as correct; never empty once resolved, and always holds `index`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Text for the generator, about one label."""

    label: str
    """The label's name."""
    description: str
    """What a hypothesis adds to the base prompt; empty for the base prompt."""
    text: str
    """What the generator is given."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a generator gives back for one prompt and one seed."""

    image: NDArray[np.uint8]
    """(height, width, 3), RGB."""
    ignored: tuple[str, ...] = ()
    """Words of the prompt that the generator knows it did not use."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One image to make: a prompt, a seed, an arm. Its pixels lie in the archive under `key`."""

    key: str
    """Identity of the pixels (see `identity.py`)."""
    prompt: Prompt
    seed: int
    """0 .. 2**32 - 1."""
    arm: Arm


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the classifier said of one image."""

    top: tuple[tuple[int, float], ...]
    """(index, score) of the highest-scoring classes, best first; at least one."""

    @property
    def index(self) -> int:
        """The predicted class."""
        return self.top[0][0]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an image really shows its label."""

    faithful: bool
    score: float
    """How sure the judge is that the label is shown; larger is surer; the scale is the judge's own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one draw."""

    status: Status
    predicted: int | None = None
    """The predicted class, where there is a prediction."""
    reason: str = ""
    """Why it is unscored; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A draw with everything that the parts said of it."""

    draw: Draw
    outcome: Outcome
    image_sha256: str = ""
    """Of the PNG file in the archive; empty where nothing was drawn."""
    ignored: tuple[str, ...] = ()
    """Words of the prompt that the generator reported as unused."""


@dataclass(frozen=True, slots=True)
class Group:
    """Failures that belong together: one label, one predicted label, near each other in the embedding."""

    label: str
    predicted: int | None
    """The wrong class; None for the group of all failures of the label."""
    members: tuple[str, ...]
    """Keys of the draws, in draw order."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The claim "with this description, this label fails more often than expected"."""

    label: str
    phrases: tuple[str, ...]
    """The parts of the description, in prompt order: ("striped", "at night")."""
    predicted: int | None = None
    """The predicted label of the group it came from; None for a person's own."""
    score: float = 0.0
    """What exploration saw: how strongly the description sets failures apart. Orders hypotheses; is no evidence."""

    @property
    def description(self) -> str:
        """The phrases as they stand in a prompt."""
        return ", ".join(self.phrases)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one arm."""

    draws: int
    failures: int
    unscored: int
    unfaithful: int = 0
    """Of the unscored, those in which the judge does not see the label."""

    @property
    def scored(self) -> int:
        """Draws that count in a rate."""
        return self.draws - self.unscored


@dataclass(frozen=True, slots=True)
class Trial:
    """The running tally of a hypothesis: fresh draws with the description (treat) and without (control)."""

    hypothesis: Hypothesis
    treat: Tally
    control: Tally
    pairs: tuple[int, int, int, int]
    """Same-seed pairs that are scored on both sides: (both failed, only treat failed, only control failed, both
    passed)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its interval."""

    value: float | None
    """0..1; None where nothing was scored."""
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as often one rate is as another, with its interval."""

    value: float | None
    """At least 0; None where one of the rates is not known, or the lower is 0."""
    low: float
    high: float | None
    """None where it has no bound: the lower rate may be 0."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A confirmed description with one phrase dropped or swapped, on the seeds of its treat arm."""

    change: str
    """`drop` or `swap`."""
    phrase: str
    """The phrase that was dropped or replaced."""
    description: str
    """What is left."""
    tally: Tally
    rate: Rate
    examples: tuple[str, ...] = ()
    """Draw keys, paired by seed with the finding's `failing` examples where there is one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A hypothesis with its verdict and what supports it."""

    trial: Trial
    verdict: Verdict
    reason: str
    """One sentence: why this verdict."""
    p_value: float
    """Of the test that treat minus control is at most the margin."""
    adjusted: float
    """The same after multiplicity over every hypothesis tried."""
    treat: Rate
    control: Rate
    difference: Rate
    confused_with: tuple[tuple[int, int], ...] = ()
    """(predicted index, how often) over the failures of the treat arm, most frequent first."""
    failing: tuple[str, ...] = ()
    """Keys of treat draws that failed."""
    passing: tuple[str, ...] = ()
    """Keys of treat draws that passed."""
    paired: tuple[str, ...] = ()
    """Keys of the control draws with the same seeds as `failing`."""
    counterfactuals: tuple[Counterfactual, ...] = ()
    treat_corrected: Rate | None = None
    """`treat` without what the judge let through wrongly; None where the judge's errors were not measured."""
    control_corrected: Rate | None = None
    """`control` likewise."""
    ratio: Ratio | None = None
    """`treat` over `control`; None in results written before there was one."""


@dataclass(frozen=True, slots=True)
class LabelSummary:
    """How a label did under its base prompt in exploration, and what remains possible where no bug was found."""

    label: str
    tally: Tally
    rate: Rate
    unscored_reasons: tuple[tuple[str, int], ...] = ()
    at_most: float = 1.0
    """The base prompt fails at most this often: an exact 95 % upper bound."""
    raises: float | None = None
    """No description tried raises the failure rate by more than this: a 95 % bound for all of them together. None where
    none was tried, or one is confirmed."""


@dataclass(frozen=True, slots=True)
class HuntResult:
    """Everything that a hunt found: what `findings.json`, `findings.md` and `report.html` are made from.

    A pure function of the store: no clock, no path, no machine in it, so that an interrupted and resumed hunt ends with
    the same bytes as one that was never stopped.
    """

    foible_version: str
    settings: Mapping[str, object]
    """Every config field that decides results, by dotted name ("confirm.margin"), in declaration order."""
    parts: Mapping[str, Mapping[str, object]]
    """Per kind ("classifier", …) its identity: spec, args, fingerprint, version."""
    labels: tuple[Label, ...]
    class_names: Mapping[int, str]
    """Names of every class index that occurs in this result."""
    failure: str
    """What "failed" means here, as one sentence."""
    findings: tuple[Finding, ...]
    """Confirmed first, then undecided, then refuted; within a verdict the largest difference first."""
    untested: tuple[Hypothesis, ...]
    """Hypotheses that the budget left out, the most telling first: nothing is claimed of them."""
    explored: tuple[LabelSummary, ...]
    """In label order. Empty for a probe."""
    unscored: tuple[tuple[str, int], ...]
    """(reason, count) over all draws, most frequent first; also of explored failures that could not be captioned or
    embedded, which therefore may be in no hypothesis."""
    draws: Mapping[str, int]
    """Number of draws per arm."""
    observations: Mapping[str, Observation]
    """By draw key: each draw that is shown, as an example of a finding or for its caption."""
    captions: Mapping[str, str]
    """By draw key, for those explored failures that led to a hypothesis and are shown."""
