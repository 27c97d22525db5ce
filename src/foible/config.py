"""HuntConfig: the only list of options. The command line, `--set`, the YAML file and Python all fill this one record.

Comes in: plain values. Goes out: one frozen `HuntConfig`. Neighbours: `layers.py` merges a file, flags and `--set` into
it; `hunting/prepare.py` turns it into parts and labels.

Every field is declared with `decides(…)` (another value can give other findings), `grows(…)` (may be raised on a
finished run: it adds work and keeps the old) or `runtime(…)` (where and how fast it runs, never what is found).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo

Role = Literal["decides", "grows", "runtime"]

TEMPLATE = "a realistic photograph of a {name} ({kind})"


def decides(default: Any, description: str, **limits: Any) -> Any:
    """Declare a field whose value decides what is found."""
    return Field(default, description=description, json_schema_extra={"role": "decides"}, **limits)


def grows(default: Any, description: str, **limits: Any) -> Any:
    """Declare a field that may be raised on a finished run; the finished work is kept."""
    return Field(default, description=description, json_schema_extra={"role": "grows"}, **limits)


def runtime(default: Any, description: str, **limits: Any) -> Any:
    """Declare a field that says where and how fast it runs, and never what is found."""
    return Field(default, description=description, json_schema_extra={"role": "runtime"}, **limits)


class Options(BaseModel):
    """Frozen, and closed: a field that is not declared is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class PartOptions(Options):
    """One plug-in: `spec: family:name` and its arguments. A bare string is the spec."""

    spec: str = decides("", "Which plug-in, as family:name.")
    args: dict[str, Any] = decides({}, "Arguments of the plug-in.")

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"spec": value} if isinstance(value, str) else value


class LabelledOptions(Options):
    """How often the judge was right on images that people looked at; all 0 where nobody did.

    Corrected rates follow from these counts, and no verdict; so they may be given, and grow, on a finished run.
    """

    shown_yes: int = grows(0, "Images that show their label and that the judge called faithful.", ge=0)
    shown_n: int = grows(0, "Images that show their label.", ge=0)
    absent_no: int = grows(0, "Images that do not show their label and that the judge called unfaithful.", ge=0)
    absent_n: int = grows(0, "Images that do not show their label.", ge=0)

    @model_validator(mode="after")
    def _parts_of_wholes(self) -> Self:
        if self.shown_yes > self.shown_n or self.absent_no > self.absent_n or (self.shown_n > 0) != (self.absent_n > 0):
            message = "must hold shown_yes of shown_n and absent_no of absent_n images, with some of both kinds or none"
            raise ValueError(message)
        return self


class JudgeOptions(PartOptions):
    """The judge, and what is known of its errors."""

    labelled: LabelledOptions = decides(LabelledOptions(), "How often the judge was right on images people looked at.")


class FailureOptions(Options):
    """What "failed" means."""

    top: int = decides(1, "A draw fails when no accepted label is among this many highest scores.", ge=1, le=100)
    target: str = decides("", "Targeted mode: a draw fails only when it is taken for this label.")
    tolerated: float = decides(
        0.5, "A label that surely fails more often than this without any description is reported.", ge=0, le=1
    )


class PilotOptions(Options):
    """What the first draws of each label must show."""

    misfit: Literal["stop", "say"] = decides(
        "stop",
        "stop: leave out a label that the judge sees in almost none of its first draws, and stop where none is left or "
        "the judge sees other labels as well. say: that is said, and the hunt goes on.",
    )


class ExploreOptions(Options):
    """Where hypotheses come from."""

    draws: int = decides(48, "Draws of the base prompt per label.", ge=1, le=1_000_000)
    template: str = decides(TEMPLATE, "Base prompt; {name} and {kind} are filled in.")

    @field_validator("template")
    @classmethod
    def _template_names_the_label(cls, value: str) -> str:
        held = {piece[1:] for piece in Formatter().parse(value) if piece[1] is not None}
        if not held <= {("name", "", None), ("kind", "", None)}:
            message = "may hold {name} and {kind} and no other field"
            raise ValueError(message)
        if ("name", "", None) not in held:
            message = "must hold {name}"
            raise ValueError(message)
        return value


class GuideOptions(Options):
    """Images that are led to failures, so that more is suspected: no rate and no test has one."""

    method: Literal["none", "select", "noise", "steer", "embedding", "evolve"] = decides(
        "none",
        "select: of several draws the one nearest to failing; for any generator. noise: the noise moves up a gradient; "
        "for diffusers pipelines of few steps. steer: each step does; of many steps. embedding: what each step reads "
        "of the prompt moves, and the noise; the dearest. evolve: the noise is bred without gradients. none: no guide.",
    )
    objective: Literal["fail", "disagree", "spurious", "neuron", "generator"] = decides(
        "fail",
        "fail: the first classifier fails. disagree: it fails where the second one does not. Of foible guide alone are "
        "spurious: it says failure.target where the judge does not see it; neuron: a unit of it is raised; and "
        "generator: the judge does not see the label, and no classifier says it.",
    )
    terms: tuple[str, ...] = decides(
        (),
        "What else moves an image, as NAME=WEIGHT in units of logits: l1, l2, lpips, embedder (how far it is from its "
        "start: below 0 it stays near), text or text:WORDS, class:NAME, unit:LAYER:INDEX. They decide nothing.",
    )
    unit: str = decides("", "neuron: the unit that is raised, as LAYER:INDEX, such as layer4:17.")
    draws: int = decides(8, "Guided draws per label, from the noise of explored draws that passed.", ge=1, le=10_000)
    steps: int = decides(
        16, "Images that one guided draw may take; it ends with the first that fails. The budget counts each.", ge=2
    )
    rate: float = decides(
        0.03,
        "noise, steer, embedding, evolve: how far a step moves, as a share of the norm of what is moved.",
        gt=0,
        le=1,
    )


class GroupOptions(Options):
    """Which failures belong together."""

    distance: float = decides(
        0.75, "Failures are one cluster while their mean cosine distance is below this share of the label's own.", gt=0
    )
    smallest: int = decides(3, "Clusters with fewer failures are left to the larger groups.", ge=1)


class DescribeOptions(Options):
    """How groups become hypotheses."""

    method: Literal["follow", "contrast", "captions"] = decides(
        "follow",
        "follow: phrases that bring a failure back when drawn again. contrast: phrases that set failures apart from "
        "passes. captions: phrases of failures alone.",
    )
    hypotheses: int = decides(4, "At most this many hypotheses per label.", ge=1, le=1000)
    phrases: int = decides(2, "At most this many phrases in a description.", ge=1, le=8)
    whole: bool = decides(
        default=False,
        description="follow: all of a short caption is one candidate, too; costs more draws.",
    )
    draws: int = decides(48, "follow: at most this many draws per label.", ge=1, le=1_000_000)
    follow: int = decides(12, "follow: at most this many failures per label are followed.", ge=1, le=1000)
    each: int = decides(20, "follow: at most this many draws for one failure.", ge=1)
    step: int = decides(2, "follow: draws of one description at a time.", ge=1, le=1000)
    sure: float = decides(0.9, "follow: a failure is settled when one explanation is this probable.", gt=0.5, lt=1)
    failures: int = decides(2, "contrast, captions: a phrase must be seen in this many failures.", ge=1)
    screen: float = decides(
        0.1, "contrast: phrases are tested when Fisher's p in exploration is at most this.", gt=0, le=1
    )
    passes: int = decides(48, "follow, contrast: at most this many passes of a label are captioned.", ge=1)


class ConfirmOptions(Options):
    """How hypotheses are tested."""

    method: Literal["sequential", "fixed"] = decides(
        "sequential", "sequential: pairs where evidence is open. fixed: the same number for every hypothesis."
    )
    draws: int = decides(
        40, "fixed: same-seed pairs per hypothesis, with and without the description.", ge=1, le=1_000_000
    )
    most: int = decides(200, "sequential: at most this many same-seed pairs per hypothesis.", ge=1, le=1_000_000)
    margin: float = decides(0.1, "The failure rate must exceed the base rate by more than this.", ge=0, lt=1)
    level: float = decides(0.05, "False-discovery rate over all hypotheses tried.", gt=0, lt=1)
    price: float = decides(300.0, "sequential: give up where one more bug is expected to cost more pairs.", ge=1)
    least: int = decides(4, "sequential: pairs that every hypothesis gets before it may be given up.", ge=1)
    step: int = decides(2, "sequential: pairs of a hypothesis in one round.", ge=1, le=1000)
    width: int = decides(32, "sequential: at most this many hypotheses are drawn in one round.", ge=1, le=100_000)
    photographs: int = decides(
        8, "A source of photographs: nothing is claimed from fewer of them, with an attribute or without it.", ge=3
    )
    unscored: float = decides(
        0.3, "With a larger share of unscored draws, in either arm, a hypothesis is undecided.", ge=0, le=1
    )


class MeasureOptions(Options):
    """How exactly the rates of confirmed findings are measured, on draws of their own."""

    width: float = decides(
        0.15, "Pairs are drawn until both rates are likely to be known to about plus or minus this.", gt=0, lt=0.5
    )
    most: int = decides(48, "At most this many same-seed pairs for a confirmed finding; 0 for none.", ge=0, le=10_000)


class ExplainOptions(Options):
    """Which words carry a failure."""

    draws: int = decides(16, "Draws per dropped or swapped phrase, on the seeds of the treat arm; 0 for none.", ge=0)
    findings: int = decides(12, "At most this many confirmed findings are explained, largest difference first.", ge=0)


class ReportOptions(Options):
    """What a finding shows."""

    examples: int = decides(8, "Failing, and passing, images per finding.", ge=0, le=64)


class WorkerOptions(Options):
    """Processes that share the work, by Ray (`pip install "foible[ray]"`)."""

    count: int = runtime(0, "Worker processes; 0: all work is done in this one.", ge=0, le=100_000)
    address: str = runtime("", "A Ray cluster: auto, or ray://HOST:10001. Empty: this machine.")
    cpus: float = runtime(1.0, "CPUs that each worker takes.", ge=0)
    gpus: float = runtime(0.0, "Accelerators that each worker takes; a share, such as 0.5, lets two have one.", ge=0)

    @model_validator(mode="after")
    def _some_on_a_cluster(self) -> Self:
        if self.address and not self.count:
            message = "must say how many workers the cluster is to have: give count, or --workers"
            raise ValueError(message)
        return self


BESIDE_PHOTOGRAPHS = {"generator": "", "captioner": "", "embedder": "", "judge": "annotation"}
"""By kind: the default of a part where photographs are the source; none, and the annotation counts as judge."""


class HuntConfig(Options):
    """Everything that can be set, with its default."""

    classifier: PartOptions = decides(PartOptions(spec="diorama:biased-resnet"), "The classifier under test.")
    other_classifiers: tuple[PartOptions, ...] = decides(
        (), "Further classifiers under test, over the same draws, captions and judgements."
    )
    source: PartOptions = decides(
        PartOptions(), "Labelled photographs, photos:DIR, in place of a generator; no other part is needed then."
    )
    generator: PartOptions = decides(PartOptions(spec="diorama:scenes"), "Draws images from text.")
    captioner: PartOptions = decides(PartOptions(spec="diorama:captioner"), "Describes images in words.")
    embedder: PartOptions = decides(PartOptions(spec="diorama:embedder"), "Places alike images near each other.")
    judge: JudgeOptions = decides(JudgeOptions(spec="diorama:judge"), "Says whether an image shows its label.")
    labels: tuple[str, ...] = decides(
        (), 'Labels to hunt over: "coffee mug", "coffee mug (cup)" or "504|968=coffee mug (cup)". Empty: every class.'
    )
    seed: int = decides(0, "Where all randomness comes from.", ge=0, lt=2**63)
    batch: int = decides(32, "Draws per unit of work; a model sees this many images at once.", ge=1, le=4096)
    budget: int | None = grows(None, "At most this many draws in all; hypotheses that it leaves out are shown.", ge=1)
    failure: FailureOptions = decides(FailureOptions(), "What failed means.")
    pilot: PilotOptions = decides(PilotOptions(), "What the first draws of each label must show.")
    explore: ExploreOptions = decides(ExploreOptions(), "Where hypotheses come from.")
    guide: GuideOptions = decides(GuideOptions(), "Images that are led to failures, so that more is suspected.")
    group: GroupOptions = decides(GroupOptions(), "Which failures belong together.")
    describe: DescribeOptions = decides(DescribeOptions(), "How groups become hypotheses.")
    confirm: ConfirmOptions = decides(ConfirmOptions(), "How hypotheses are tested.")
    measure: MeasureOptions = decides(MeasureOptions(), "How exactly the rates of confirmed findings are measured.")
    explain: ExplainOptions = decides(ExplainOptions(), "Which words carry a failure.")
    report: ReportOptions = decides(ReportOptions(), "What a finding shows.")
    out: Path | None = runtime(
        None, "The run directory. Default: `runs/`, and in it the classifier's name and a hash of what else is set."
    )
    max_minutes: float | None = runtime(
        None, "Stop between two units of work after this many minutes of new work; the same command goes on.", gt=0
    )
    max_requests: int | None = runtime(
        None, "Stop before more than this many requests went to servers; the same command goes on.", ge=1
    )
    archive: Path | None = runtime(
        None, "The image archive, shared by hunts. Default: `archive` beside the run directory."
    )
    overlap: int = runtime(
        1,
        "Units under way at once in this process: with 2, one is drawn while another is classified. Worth it where "
        "parts wait for servers, have an accelerator each, or there is a core to spare.",
        ge=1,
        le=64,
    )
    workers: WorkerOptions = runtime(WorkerOptions(), "Processes that share the work.")
    log: Path | None = runtime(None, "Append a line of JSON for each event of the hunt to this file.")

    @model_validator(mode="before")
    @classmethod
    def _parts_beside_photographs(cls, value: Any) -> Any:
        """Name no part of the diorama beside photographs, which it does not know, unless the user does."""
        if not isinstance(value, dict) or not PartOptions.model_validate(value.get("source", {})).spec:
            return value
        return {**{kind: {"spec": spec} for kind, spec in BESIDE_PHOTOGRAPHS.items()}, **value}

    def parts(self, kind: str) -> tuple[PartOptions, ...]:
        """Return the parts of a kind: one, or every classifier under test."""
        first: PartOptions = getattr(self, kind)
        return (first, *self.other_classifiers) if kind == "classifier" else (first,)


def fields(config: HuntConfig) -> Iterator[tuple[str, Any, Role]]:
    """Yield (dotted name, value, role) of every field, in declaration order."""
    yield from _fields(config, "", None)


def declared(name: str) -> FieldInfo:
    """Return what is declared of a field, by its dotted name: type, default, description."""
    *sections, last = name.split(".")
    model: Any = HuntConfig
    for section in sections:
        model = model.model_fields[section].annotation
    found: FieldInfo = model.model_fields[last]
    return found


def settings(config: HuntConfig) -> dict[str, object]:
    """Return every field that decides results or grows, by dotted name, as JSON-able values."""
    return {name: plain(value) for name, value, role in fields(config) if role != "runtime"}


def _fields(options: Options, prefix: str, role: Role | None) -> Iterator[tuple[str, Any, Role]]:
    for name, info in type(options).model_fields.items():
        value = getattr(options, name)
        extra = info.json_schema_extra
        own: Any = extra.get("role") if isinstance(extra, dict) else role
        if isinstance(value, Options):
            yield from _fields(value, f"{prefix}{name}.", own)
        else:
            yield f"{prefix}{name}", value, own


def plain(value: object) -> object:
    """Return the value of a field as a JSON-able one (but for paths)."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.model_dump() if isinstance(value, Options) else value
