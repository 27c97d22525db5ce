"""Made-up results to report on, like a real hunt's. Neighbour: `anything.py` draws any result at all."""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from dataclasses import dataclass, field
from math import sqrt

from foible.records import (
    Arm,
    Counterfactual,
    Draw,
    Finding,
    HuntResult,
    Hypothesis,
    Label,
    LabelSummary,
    Observation,
    Outcome,
    Prompt,
    Rate,
    Ratio,
    Tally,
    Trial,
    Verdict,
)

LABELS = (
    Label(504, "coffee mug", "cup", frozenset({504, 968})),
    Label(659, "mixing bowl", "bowl", frozenset({659})),
    Label(898, "water bottle", "bottle", frozenset({898})),
    Label(883, "vase", "jar", frozenset({883})),
    Label(947, "mushroom", "fungus", frozenset({947})),
    Label(846, "table lamp", "lamp", frozenset({846})),
    Label(463, "bucket", "vessel", frozenset({463})),
    Label(722, "ping-pong ball", "ball", frozenset({722})),
    Label(849, "teapot", "pot", frozenset({849})),
    Label(470, "candle", "wax light", frozenset({470})),
    Label(427, "barrel", "vessel", frozenset({427})),
    Label(543, "dumbbell", "weight", frozenset({543})),
)
NAMED = {label.name: label for label in LABELS}

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


def wilson(failures: int, n: int) -> Rate:
    """Give a 95 % interval; wide open without draws."""
    if not n:
        return Rate(None, 0.0, 1.0)
    z, p = 1.96, failures / n
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return Rate(p, max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def difference(treat: Rate, control: Rate) -> Rate:
    """Give the difference of two rates with a rough interval."""
    if treat.value is None or control.value is None:
        return Rate(None, -1.0, 1.0)
    return Rate(treat.value - control.value, max(-1.0, treat.low - control.high), min(1.0, treat.high - control.low))


def key_of(text: str, seed: int) -> str:
    """Give the same key to the same prompt and seed, as an archive does."""
    return hashlib.blake2b(f"{text}/{seed}".encode(), digest_size=16).hexdigest()


@dataclass
class Builder:
    """Collects observations and findings."""

    random: random.Random = field(default_factory=lambda: random.Random(7))
    observations: dict[str, Observation] = field(default_factory=dict)

    def see(self, label: str, phrases: tuple[str, ...], seed: int, arm: Arm, taken: str | None) -> str:
        """Add a draw that was taken for `taken` (None: unscored)."""
        base = f"a realistic photograph of a {label} ({NAMED[label].hypernym})"
        text = ", ".join([base, *phrases])
        status = "unscored" if taken is None else "passed" if taken == label else "failed"
        outcome = Outcome(
            status,  # type: ignore[arg-type]
            None if taken is None else NAMED[taken].index,
            "not faithful: the judge sees no such label" if taken is None else "",
        )
        key = key_of(text, seed)
        draw = Draw(key, Prompt(label, ", ".join(phrases), text), seed, arm)
        self.observations[key] = Observation(draw, outcome, hashlib.sha256(key.encode()).hexdigest())
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
                change,
                phrase,
                ", ".join(left),
                Tally(16, n, 0),
                wilson(n, 16),
                tuple(self.see(label, left, s, "counterfactual", label) for s in seeds[:5])
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
                Hypothesis(label, phrases, NAMED[taken[0]].index, 2.5),
                Tally(40, treat, 0),
                Tally(40, control, 0),
                (both, treat - both, control - both, 40 - treat - control + both),
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
            ratio=Ratio(treat / control if control else None, 2.5, 9.1 if control else None),
            confused_with=tuple((NAMED[t].index, n) for t, n in zip(taken, counts, strict=True)),
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
                Hypothesis(label, phrases, 463, 1.0),
                Tally(40, treat, unscored),
                Tally(40, control, 0),
                (0, treat, control, 40 - unscored - treat - control),
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


def sample(kind: str = "hunt") -> HuntResult:
    """Make a result: `hunt` (five confirmed), `none` (nothing confirmed), `probe` (one), `empty` (nothing at all)."""
    builder = Builder()
    confirmed = [builder.confirmed(one) for one in CONFIRMED]
    others = [builder.other(one) for one in OTHERS]
    explored = tuple(
        LabelSummary(
            label.name,
            Tally(48, i % 5, 3 if i == 3 else 0),
            wilson(i % 5, 48 - (3 if i == 3 else 0)),
            (("not faithful: the judge sees no such label", 3),) if i == 3 else (),
            wilson(i % 5, 45).high,
            (i - 2) / 40 if i % 4 else None,
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
            "explore.template": "a realistic photograph of a {name} ({hypernym})",
            "confirm.draws": 40,
            "confirm.margin": 0.1,
            "confirm.level": 0.05,
            "report.examples": 8,
        },
        parts={
            "classifier": {"spec": "diorama:biased-resnet", "args": {}, "fingerprint": "9f3c1b7a20d4", "version": "1"},
            "generator": {"spec": "diorama:scenes", "args": {"size": 64}, "version": "1"},
        },
        labels=LABELS,
        class_names={label.index: label.name for label in LABELS},
        failure="a draw fails when no accepted label is among the highest score (top-1)",
        findings=tuple(findings),
        untested=(Hypothesis("teapot", ("on sand",), 504, 0.4), Hypothesis("barrel", ("white", "in fog"), None, 0.1))
        if kind == "hunt"
        else (),
        explored=explored if explore else (),
        unscored=(("not faithful: the judge sees no such label", 17), ("the classifier gave NaN", 1))
        if findings
        else (),
        draws={"explore": 576, "treat": 400, "control": 400, "counterfactual": 224} if findings else {},
        observations={key: seen for key, seen in builder.observations.items() if key in shown},
        captions=captions if kind == "hunt" else {},
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
    digest = hashlib.sha256(key.encode()).digest()
    return digest[0], digest[1], digest[2]


def coloured(key: str) -> bytes:
    """Give every draw an image of its own colour."""
    return png(64, 64, colour_of(key))


def nothing(_key: str) -> None:
    """Have no image of any draw."""
