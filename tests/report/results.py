"""Made-up results to report on, like a real hunt's. Neighbour: `anything.py` draws any result at all."""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from dataclasses import dataclass, field, replace
from math import sqrt

from foible.arms import Arm
from foible.explanation.causes import causes_of
from foible.findings import (
    Alike,
    Counterfactual,
    Finding,
    GuidedSummary,
    HuntResult,
    LabelSummary,
    Rate,
    Ratio,
    Remaining,
    Subject,
    Verdict,
)
from foible.pilots import Pilot, PilotLabel
from foible.records import Answered, Draw, Hypothesis, Label, Outcome, Pairs, Request, Tally, Treatment, Trial

LABELS = (
    Label("coffee mug", "cup"),
    Label("mixing bowl", "bowl"),
    Label("water bottle", "bottle"),
    Label("vase", "jar"),
    Label("mushroom", "fungus"),
    Label("table lamp", "lamp"),
    Label("bucket", "vessel"),
    Label("ping-pong ball", "ball"),
    Label("teapot", "pot"),
    Label("candle", "wax light"),
    Label("barrel", "vessel"),
    Label("dumbbell", "weight"),
)
PILOT = Pilot(
    labels=tuple(PilotLabel(label=label.name, draws=12, judged=12, seen=11) for label in LABELS),
    crossed=36,
    crossed_seen=1,
)
KINDS = {label.name: label.kind for label in LABELS}
INDICES = {
    "coffee mug": 504,
    "mixing bowl": 659,
    "water bottle": 898,
    "vase": 883,
    "mushroom": 947,
    "table lamp": 846,
    "bucket": 463,
    "ping-pong ball": 722,
    "teapot": 849,
    "candle": 470,
    "barrel": 427,
    "dumbbell": 543,
}
"""By label: its class."""
RIGHT = {label: (504, 968) if label == "coffee mug" else (index,) for label, index in INDICES.items()}

Case = tuple[str, tuple[str, ...], tuple[str, ...], int, int, tuple[str, ...]]
"""Label, phrases, what it is taken for, failures of 40 with and without, swaps of the first phrase."""
OtherCase = tuple[str, tuple[str, ...], int, int, int, Verdict]
"""Label, phrases, failures of 40 with and without, unscored with, verdict."""

CONFIRMED: tuple[Case, ...] = (
    ("coffee mug", ("on grass",), ("bucket",), 37, 2, ("on sand", "on snow")),
    ("candle", ("in fog",), ("water bottle", "vase"), 34, 1, ("in rain",)),
    ("barrel", ("striped", "at night"), ("bucket",), 31, 2, ("spotted", "plain")),
    ("water bottle", ("far away",), ("vase", "candle", "dumbbell", "teapot"), 29, 3, ("close by",)),
    ("mushroom", ("from above",), ("ping-pong ball",), 22, 3, ("at eye level",)),
)
OTHERS: tuple[OtherCase, ...] = (
    ("teapot", ("at night",), 11, 4, 0, "undecided"),
    ("vase", ("red", "on tiles"), 9, 3, 14, "undecided"),
    ("table lamp", ("on snow",), 3, 2, 0, "refuted"),
    ("bucket", ("spotted",), 2, 2, 0, "refuted"),
    ("dumbbell", ("in rain", "next to a cone"), 0, 1, 1, "refuted"),
)


def tally(draws: int, failures: int, unscored: int) -> Tally:
    """Count draws."""
    return Tally(draws=draws, failures=failures, unscored=unscored)


def share(value: float | None, low: float, high: float) -> Rate:
    """Give a share with its interval."""
    return Rate(value=value, low=low, high=high)


def suspicion(
    label: str, words: tuple[str, ...] = (), predicted: int | None = None, score: float = 0.0, classifier: int = 0
) -> Hypothesis:
    """Make a hypothesis about added words."""
    return Hypothesis(
        label=label, treatment=Treatment(words=words), predicted=predicted, score=score, classifier=classifier
    )


def wilson(failures: int, n: int) -> Rate:
    """Give a 95 % interval; wide open without draws."""
    if not n:
        return share(None, 0.0, 1.0)
    z, p = 1.96, failures / n
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return share(p, max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def difference(treat: Rate, control: Rate) -> Rate:
    """Give the difference of two rates with a rough interval."""
    if treat.value is None or control.value is None:
        return share(None, -1.0, 1.0)
    return share(treat.value - control.value, max(-1.0, treat.low - control.high), min(1.0, treat.high - control.low))


def key_of(text: str, seed: int) -> str:
    """Give the same key to the same prompt and seed, as an archive does."""
    return hashlib.blake2b(f"{text}/{seed}".encode(), digest_size=16).hexdigest()


@dataclass
class Builder:
    """Collects observations and findings."""

    random: random.Random = field(default_factory=lambda: random.Random(7))
    observations: dict[str, Answered] = field(default_factory=dict)

    def see(self, label: str, phrases: tuple[str, ...], seed: int, arm: Arm, taken: str | None) -> str:
        """Add a draw that was taken for `taken` (None: unscored)."""
        base = f"a realistic photograph of a {label} ({KINDS[label]})"
        text = ", ".join([base, *phrases])
        status = "unscored" if taken is None else "passed" if taken == label else "failed"
        outcome = Outcome(
            status=status,  # type: ignore[arg-type]
            predicted=None if taken is None else INDICES[taken],
            reason="not faithful: the judge sees no such label" if taken is None else "",
        )
        key = key_of(text, seed)
        request = Request(key=key, label=label, treatment=Treatment(words=phrases), seed=seed, arm=arm, text=text)
        draw = Draw(request=request, image=hashlib.sha256(key.encode()).hexdigest())
        self.observations[key] = Answered(draw=draw, outcomes=(outcome,))
        return key

    def confirmed(self, case: Case) -> Finding:
        """Make a confirmed finding with 40 pairs, images and counterfactuals."""
        label, phrases, taken, treat, control, swaps = case
        seeds = [self.random.randrange(2**31) * 2 + 1 for _ in range(12)]
        weights = [6, 3, 2, 1][: len(taken)]
        says = self.random.choices(taken, weights, k=8)
        failing = [self.see(label, phrases, s, "treat", t) for s, t in zip(seeds[:8], says, strict=True)]
        paired = [self.see(label, (), s, "control", taken[0] if i == 5 else label) for i, s in enumerate(seeds[:8])]
        passing = [self.see(label, phrases, s, "treat", label) for s in seeds[8 : 8 + min(4, 40 - treat)]]
        changes = [("drop", p, tuple(q for q in phrases if q != p)) for p in phrases]
        changes += [("swap", phrases[0], (new, *phrases[1:])) for new in swaps]
        hits = [15 if phrases == ("striped", "at night") and i == 9 else max(0, 2 - i) for i in range(len(changes))]
        counterfactuals = tuple(
            Counterfactual(
                change=change,  # type: ignore[arg-type]
                phrase=phrase,
                treatment=Treatment(words=left),
                tally=tally(16, n, 0),
                rate=wilson(n, 16),
                examples=tuple(self.see(label, left, s, "explain", label) for s in seeds[:5])
                if left
                else tuple(paired[:5]),
            )
            for (change, phrase, left), n in zip(changes, hits, strict=True)
        )
        rates = wilson(treat, 40), wilson(control, 40)
        total = sum(weights)
        counts = [treat * w // total for w in weights]
        counts[0] += treat - sum(counts)
        both = min(treat, control, 1)
        return Finding(
            trial=Trial(
                hypothesis=suspicion(label, phrases, INDICES[taken[0]], 2.5),
                treat=tally(40, treat, 0),
                control=tally(40, control, 0),
                pairs=Pairs(both, treat - both, control - both, 40 - treat - control + both),
            ),
            verdict="confirmed",
            reason="the failure rate exceeds the base rate by more than 10% (adjusted p = 0.00021, at most 0.05)",
            p_value=1e-4 + 10.0 ** -(treat / 4),
            adjusted=2.1e-4 + 10.0 ** -(treat / 4) * 3,
            treat=rates[0],
            control=rates[1],
            treat_corrected=wilson(max(treat - 1, 0), 40),
            control_corrected=wilson(max(control - 1, 0), 40),
            difference=difference(*rates),
            ratio=Ratio(value=treat / control if control else None, low=2.5, high=9.1 if control else None),
            confused_with=tuple((INDICES[t], n) for t, n in zip(taken, counts, strict=True)),
            failing=tuple(failing),
            passing=tuple(passing),
            paired=tuple(paired),
            counterfactuals=counterfactuals,
        )

    def other(self, case: OtherCase) -> Finding:
        """Make a finding that was not confirmed."""
        label, phrases, treat, control, unscored, verdict = case
        rates = wilson(treat, 40 - unscored), wilson(control, 40)
        return Finding(
            trial=Trial(
                hypothesis=suspicion(label, phrases, 463, 1.0),
                treat=tally(40, treat, unscored),
                control=tally(40, control, 0),
                pairs=Pairs(0, treat, control, 40 - unscored - treat - control),
            ),
            verdict=verdict,
            reason=f"{unscored} of 40 pairs are unscored, more than the 30% allowed"
            if unscored > 10
            else {
                "refuted": "the difference is at most 9%, within the margin of 10%",
                "undecided": "40 pairs cannot tell the difference from the margin of 10%",
            }[verdict],
            p_value=0.3,
            adjusted=0.61,
            treat=rates[0],
            control=rates[1],
            difference=difference(*rates),
        )


SUBJECT = Subject(
    name="diorama:biased-resnet",
    identity={"spec": "diorama:biased-resnet", "args": {}, "fingerprint": "9f3c1b7a20d4", "version": "1"},
    right=RIGHT,
    class_names={index: label for label, index in INDICES.items()},
)
OTHER = Subject(
    name="diorama:fair-resnet",
    identity={"spec": "diorama:fair-resnet", "args": {}, "fingerprint": "51ce0d3f88aa", "version": "2"},
    right={label: tuple(1000 + index for index in right) for label, right in RIGHT.items()},
    class_names={1000 + index: f"grey {label}" for label, index in INDICES.items()},
)
"""Its classes are others, and are called otherwise."""


def two() -> HuntResult:
    """Make a result of two classifiers: the first fails in five ways, the second in one of them, also tested."""
    one = sample()
    first = one.findings[0]
    theirs = replace(
        first,
        trial=replace(first.trial, hypothesis=replace(first.trial.hypothesis, classifier=1, predicted=1463)),
        confused_with=((1463, 37),),
    )
    explored = tuple(replace(summary, classifier=1, at_most=0.5) for summary in one.explored)
    return replace(
        one,
        classifiers=(SUBJECT, OTHER),
        findings=(first, theirs, *one.findings[1:]),
        causes=causes_of((first, theirs, *one.findings[1:]), KINDS),
        untested=(*one.untested, replace(one.untested[0], classifier=1)),
        explored=(*one.explored, *explored),
        observations={
            key: replace(
                seen,
                outcomes=(
                    *seen.outcomes,
                    *(replace(o, predicted=o.predicted and 1000 + o.predicted) for o in seen.outcomes),
                ),
            )
            for key, seen in one.observations.items()
        },
    )


def sample(kind: str = "hunt") -> HuntResult:
    """Make a result: `hunt` (five confirmed), `none` (nothing confirmed), `probe` (one), `empty` (nothing at all)."""
    builder = Builder()
    confirmed = [builder.confirmed(one) for one in CONFIRMED]
    others = [builder.other(one) for one in OTHERS]
    explored = tuple(
        LabelSummary(
            label=label.name,
            tally=tally(48, i % 5, 3 if i == 3 else 0),
            rate=wilson(i % 5, 48 - (3 if i == 3 else 0)),
            unscored_reasons=(("not faithful: the judge sees no such label", 3),) if i == 3 else (),
            at_most=wilson(i % 5, 45).high,
            raises=(i - 2) / 40 if i % 4 else None,
        )
        for i, label in enumerate(LABELS)
    )
    captions = {
        builder.see("coffee mug", (), 2 * i, "explore", "bucket"): f"a green coffee mug on grass, {light}, from above"
        for i, light in enumerate(("at noon", "at night", "at sunset"))
    }
    findings = {"hunt": confirmed + others, "none": others, "probe": confirmed[:1], "empty": []}[kind]
    shown = {key for f in findings for key in (*f.failing, *f.passing, *f.paired)}
    shown |= {key for f in findings for one in f.counterfactuals for key in one.examples}
    shown |= set(captions) if kind == "hunt" else set()
    explore = kind not in ("probe", "empty")
    return HuntResult(
        photographs=None,
        foible_version="0.1.0",
        settings={
            "classifier.spec": "diorama:biased-resnet",
            "classifier.args": {},
            "labels": [],
            "seed": 0,
            "budget": None,
            "failure.top": 1,
            "failure.target": "",
            "explore.draws": 48,
            "explore.template": "a realistic photograph of a {name} ({kind})",
            "confirm.draws": 40,
            "confirm.margin": 0.1,
            "confirm.level": 0.05,
            "report.examples": 8,
        },
        classifiers=(SUBJECT,),
        parts={"generator": {"spec": "diorama:scenes", "args": {"size": 64}, "version": "1"}},
        labels=LABELS,
        failure="a draw fails when no accepted label is among the highest score (top-1)",
        findings=tuple(findings),
        untested=(suspicion("teapot", ("on sand",), 504, 0.4), suspicion("barrel", ("white", "in fog"), None, 0.1))
        if kind == "hunt"
        else (),
        explored=explored if explore else (),
        unscored=(("not faithful: the judge sees no such label", 17), ("the classifier gave NaN", 1))
        if findings
        else (),
        draws={"explore": 576, "treat": 400, "control": 400, "explain": 224} if findings else {},
        observations={key: seen for key, seen in builder.observations.items() if key in shown},
        captions=captions if kind == "hunt" else {},
        causes=causes_of(findings, KINDS),
        alike=alike_of() if kind == "hunt" else (),
        pilot=PILOT if explore else None,
        guided=GUIDED if kind == "hunt" else (),
    )


GUIDED = (
    GuidedSummary(
        label="coffee mug",
        classifier=0,
        tally=Tally(draws=8, failures=5, unscored=2, unfaithful=2),
        shows=share(5 / 7, 0.29, 0.96),
        unscored_reasons=(("unfaithful: the judge does not see the label in the image", 2),),
    ),
)


def alike_of() -> tuple[Alike, ...]:
    """Say that a coffee mug may be a vase, half of whose finding is left then, and that a candle may be a barrel."""
    half, left = wilson(19, 40), share(0.4, 0.2, 0.6)
    remaining = (Remaining(finding=0, treat=half, control=wilson(1, 40), difference=left),)
    mug = ("coffee mug", INDICES["vase"], True, 0.61, 1, "504|968|883=coffee mug (cup)", remaining)
    candle = ("candle", INDICES["barrel"], False, None, 9, "", ())
    return tuple(
        Alike(
            label=label,
            classifier=0,
            index=index,
            named=named,
            share=seen,
            taken=taken,
            scored=48,
            rate=wilson(taken, 48),
            accept=accept,
            remaining=rest,
        )
        for label, index, named, seen, taken, accept, rest in (mug, candle)
    )


def png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Make the smallest PNG file of one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(colour) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def colour_of(key: str) -> tuple[int, int, int]:
    """Give every draw its own colour."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return digest[0], digest[1], digest[2]


def coloured(key: str) -> bytes:
    """Give every draw an image of its own colour."""
    return png(64, 64, colour_of(key))


def nothing(_key: str) -> None:
    """Have no image of any draw."""
