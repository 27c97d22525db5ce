"""The frozen records of what was found, in order of birth: from a rate with its interval to the result of a hunt.

Comes in: the records of draws and trials. Goes out: plain data, which `report/` writes and reads. Neighbour:
`records.py` has what passes before there is a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from foible.pilots import Pilot
from foible.records import Answered, Hypothesis, Label, Tally, Treatment, Trial, kept

Verdict = Literal["confirmed", "refuted", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with its interval."""

    value: float | None
    """0..1; None where nothing was scored."""
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as often one rate is as another, with its interval."""

    value: float | None
    """At least 0; None where one of the rates is not known, or the lower is 0."""
    low: float
    high: float | None
    """None where it has no bound: the lower rate may be 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """A confirmed treatment with one phrase dropped or swapped, on the seeds of its treat arm."""

    change: Literal["drop", "swap"]
    phrase: str
    """The phrase that was dropped or replaced."""
    treatment: Treatment
    """What is left."""
    tally: Tally
    rate: Rate
    examples: tuple[str, ...] = ()
    """Draw keys, paired by seed with the finding's `failing` examples where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """The rates of the draws that decided. They stopped when they looked good, and overstate on average."""

    treat: Rate
    control: Rate
    difference: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """What of a confirmed description of several phrases carries its failure, by the draws with a phrase dropped."""

    kind: Literal["together", "alone", "open"]
    """together: it surely fails more often than with any phrase dropped. alone: not that, and what is left with one
    phrase dropped surely fails more often than the base prompt. open: the draws show neither."""
    treatment: Treatment
    """The phrases: for `alone` those that are left, else all."""
    together: float
    """p-value of "with some phrase dropped it fails as often", adjusted (Holm) over all such descriptions; 0..1."""
    alone: float
    """p-value of "no rest with a phrase dropped fails more often than the base prompt", adjusted likewise; 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSet:
    """The rates in a finite set of photographs itself; their intervals become points as the set runs out."""

    treat_size: int
    """Photographs of the label with the attribute in the half that tests, without unscored ones."""
    control_size: int
    """Its other photographs there, likewise."""
    treat: Rate
    control: Rate
    difference: Rate
    exhausted: bool
    """Whether all of them were looked at, so that the rates are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """How right an embedder is about who has the attributes of a finding, and the rates without its errors.

    Nothing is assumed of its errors: they may go with failing.
    """

    checked_with: int
    """Scored photographs that it says have the attributes, and of which it is known who truly has them."""
    right_with: int
    """Of these, those that have them."""
    checked_without: int
    """Scored photographs that it says have them not, and of which it is known."""
    right_without: int
    """Of these, those that have them not."""
    treat: Rate
    """The failure rate, in this set, of the photographs that truly have the attributes."""
    control: Rate
    """Of those that truly have them not."""
    difference: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A hypothesis with its verdict and what supports it."""

    trial: Trial
    """What decided."""
    verdict: Verdict
    reason: str
    """One sentence: why this verdict."""
    p_value: float
    """Of the test that treat minus control is at most the margin."""
    adjusted: float
    """The same after multiplicity over every hypothesis tried, for every classifier."""
    treat: Rate
    """With the treatment: of the draws made to measure it, where there are any, else of those that decided."""
    control: Rate
    """Without it, of the same draws."""
    difference: Rate
    """Treat minus control over the pairs of these draws. Its interval is the one that goes with the verdict: of a
    confirmed finding the lower end is the one-sided bound that the deciding pairs put above the margin, with `risk`."""
    risk: float = 0.025
    """The chance of error that the lower end of `difference` allows: of a confirmed finding `confirm.level` times the
    share of those that were confirmed among all that were tried (Benjamini and Yekutieli), else that of one side."""
    ratio: Ratio | None = None
    """`treat` over `control`; its interval is 1 + `difference` / `control`. None in results written before there was
    one."""
    treat_corrected: Rate | None = None
    """`treat` without what the judge let through wrongly; None where the judge's errors were not measured."""
    control_corrected: Rate | None = None
    """`control` likewise."""
    confused_with: tuple[tuple[int, int], ...] = ()
    """(predicted index, how often) over the failures of the treat arm, most frequent first. Those in which several
    classes share the highest score are left out."""
    failing: tuple[str, ...] = ()
    """Keys of treat draws that failed."""
    passing: tuple[str, ...] = ()
    """Keys of treat draws that passed."""
    paired: tuple[str, ...] = ()
    """Keys of the control draws with the same seeds as `failing`."""
    counterfactuals: tuple[Counterfactual, ...] = ()
    measured: Trial | None = None
    """Counts of the draws that were made to measure the rates, after the verdict; None where none were."""
    deciding: Deciding | None = None
    """The rates of the draws that decided, where others are shown."""
    carrier: Carrier | None = None
    """Which of its phrases carry the failure; None where it is not confirmed, or has one phrase."""
    of_set: OfSet | None = None
    """The rates in the set itself, where photographs are the source; None for drawn images."""
    assigned: Assigned | None = None
    """Where an embedder says which photographs have the attribute: how right it is. None elsewhere."""

    @property
    def rated(self) -> Trial:
        """The counts that the rates come from."""
        return self.measured or self.trial


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSummary:
    """How a label did under its base prompt in exploration, and what remains possible where no bug was found."""

    label: str
    classifier: int = 0
    """Place of the classifier among those of the run."""
    tally: Tally
    rate: Rate
    unscored_reasons: tuple[tuple[str, int], ...] = ()
    at_most: float = 1.0
    """The base prompt fails at most this often: an exact 95 % upper bound."""
    raises: float | None = None
    """No treatment tried raises the failure rate by more than this: a 95 % bound for all of them together. None where
    none was tried, or one is confirmed."""
    base_failure: bool = False
    """Under its base prompt alone it surely fails more often than is tolerated (`failure.tolerated`)."""
    confused_with: tuple[tuple[int, int], ...] = ()
    """(predicted index, how often) over its explored failures, most frequent first. Those in which several classes
    share the highest score are left out."""
    failing: tuple[str, ...] = ()
    """Keys of explored draws that failed; of a base failure alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidedSummary:
    """What became of draws of a label that were led to fail: they suggest, and are in no rate of its failing."""

    label: str
    classifier: int
    """Place of the classifier among those of the run."""
    tally: Tally
    shows: Rate
    """Of those that failed or lost their label, the share in which the judge still sees it: only these are finds."""
    samplings: int = 0
    """Images that were sampled for all of them, those that were not kept among them."""
    unscored_reasons: tuple[tuple[str, int], ...] = ()
    failing: tuple[str, ...] = ()
    """Keys of guided draws that failed, to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlike:
    """A photograph whose nearest neighbours are annotated otherwise: its own annotation may be wrong."""

    key: str
    """Of its draw."""
    neighbours: str
    """The label that they have."""
    share: float
    """Of their votes, 0..1, that this label has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFacts:
    """What a set of photographs is like, before any hypothesis."""

    photographs: int
    """Different photographs of the labels that were hunted over."""
    explored: int
    """Of these, looked at to suggest hypotheses: one half of the set, at most."""
    tested: int
    """Of these, looked at to test them: the other half, at most."""
    left_out: tuple[tuple[str, int], ...]
    """(why, how many) of the photographs that are in neither."""
    accuracy: tuple[Rate, ...]
    """Of each classifier: passed among scored photographs, with an exact 95 % interval for photographs like these."""
    doubtful: tuple[str, ...] = ()
    """Keys of photographs in which the judge does not see the annotated label: never a bug."""
    doubts: int = 0
    """How many there are in all."""
    lookalikes: int = 0
    """So many look so much alike in small that near-duplicates could not be told, and none were left out; else 0."""
    unlike: tuple[Unlike, ...] = ()
    """Photographs whose nearest neighbours, by the embedder, are annotated otherwise, the surest first. They count like
    any other, and are never a bug."""
    unlikes: int = 0
    """How many there are in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A classifier under test, as a result speaks of it."""

    name: str
    """What the run calls it: its spec, made unique."""
    identity: Mapping[str, object]
    """Its spec, args, fingerprint and version."""
    right: Mapping[str, tuple[int, ...]]
    """By the name of a label: the classes that are right for it, its own first."""
    class_names: Mapping[int, str]
    """Names of every class that occurs in the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseTest:
    """What became of a cause for one label."""

    label: str
    verdict: Verdict
    finding: int
    """Place among the findings, counted from 0, of the one with this verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Phrases that one classifier fails with, over all labels: the confirmed findings that share them are one cause."""

    classifier: int
    """Its place among those of the run."""
    treatment: Treatment
    """The phrases, as the largest of these findings has them; articles set no cause apart."""
    findings: tuple[int, ...]
    """Places of its confirmed findings, counted from 0; each confirmed finding belongs to one cause."""
    tested: tuple[CauseTest, ...]
    """By label, in label order: each label for which it was tested. For every other label it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What is left of a confirmed finding with one class more accepted, by the same draws."""

    finding: int
    """Its place among the findings, counted from 0."""
    treat: Rate
    control: Rate
    difference: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A class that may be the same thing as a label: whether it is right for it, somebody has to say."""

    label: str
    classifier: int
    """Its place among those of the run."""
    index: int
    """Of the class."""
    named: bool
    """Whether names or annotations say so before anything is drawn."""
    share: float | None
    """In this share of the label's pictures annotators saw the class too, 0..1; None where nobody said."""
    taken: int
    """How many draws of the base prompt were taken for the class, of those that show no confirmed description by their
    caption."""
    scored: int
    """Of how many."""
    rate: Rate
    """The share of these."""
    accept: str
    """The label, as it is given, with the class accepted; empty where it has no such form."""
    remaining: tuple[Remaining, ...]
    """Of each confirmed finding of the label that the class changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HuntResult:
    """Everything that a hunt found: what `findings.json`, `findings.md` and `report.html` are made from.

    A pure function of journal and archive: no clock, no path, no machine in it, so that an interrupted and resumed hunt
    ends with the same bytes as one that was never stopped.
    """

    foible_version: str
    settings: Mapping[str, object]
    """Every config field that decides results, by dotted name ("confirm.margin"), in declaration order."""
    classifiers: tuple[Subject, ...]
    """Those under test; at least one."""
    parts: Mapping[str, Mapping[str, object]]
    """Per kind of the other parts ("generator", …) its identity: spec, args, fingerprint, version."""
    labels: tuple[Label, ...]
    failure: str
    """What "failed" means here, as one sentence."""
    findings: tuple[Finding, ...]
    """Confirmed first, then undecided, then refuted; within a verdict the largest difference first."""
    untested: tuple[Hypothesis, ...]
    """Hypotheses that the budget left out, the most telling first: nothing is claimed of them."""
    explored: tuple[LabelSummary, ...]
    """By classifier, in label order. Empty for a probe."""
    unscored: tuple[tuple[str, int], ...]
    """(reason, count) over all draws and classifiers, most frequent first; also of explored failures that could not be
    captioned or embedded, which therefore may be in no hypothesis."""
    draws: Mapping[str, int]
    """Number of different draws per arm; a draw that serves two arms counts in the first."""
    observations: Mapping[str, Answered]
    """By draw key: each draw that is shown, as an example of a finding or for its caption."""
    captions: Mapping[str, str]
    """By draw key, for those explored failures that led to a hypothesis and are shown."""
    afterwards: Mapping[str, object] = field(default_factory=dict)
    """Settings that were chosen after the draws were seen, by dotted name: what they were before. Empty for a run as it
    was made."""
    causes: tuple[Cause, ...]
    """What the confirmed findings have in common, by classifier, that of the most labels first."""
    alike: tuple[Alike, ...]
    """Classes that may be the same thing as a label; none is right for it unless somebody says so."""
    photographs: SetFacts | None
    """What the set is like, where photographs are the source; None where a generator drew."""
    pilot: Pilot | None
    """What the first draws showed; None for a probe, and in results written before there was one."""
    guided: tuple[GuidedSummary, ...]
    """By classifier, in label order; empty where nothing was guided."""

    @property
    def base_failures(self) -> tuple[LabelSummary, ...]:
        """The labels that surely fail more often than is tolerated without any description, the worst first."""
        named = [one for one in self.explored if one.base_failure]
        return tuple(sorted(named, key=lambda one: (-(one.rate.value or 0.0), -one.rate.low)))

    def class_name(self, index: int | None, classifier: int = 0) -> str | None:
        """Give what a class of a classifier is called; None where no name is known."""
        return None if index is None else self.classifiers[classifier].class_names.get(index)


kept(Rate, Ratio, Counterfactual, Deciding, Carrier, OfSet, Assigned, Finding, LabelSummary, GuidedSummary, Unlike)
kept(SetFacts, Subject, CauseTest, Cause, Remaining, Alike, HuntResult)
