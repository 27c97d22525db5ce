"""Hunts over planted causes, common and rare, with a guide and without, at equal cost.

    python benchmarks/led_hunts.py [--kinds common,learned,planted,gradual] [--method noise] [--terms text=3]

Comes in: nothing but what ships. Goes out: a row for each cause: whether it is among the first three findings that are
confirmed. Common: biases of the biased classifiers that the narrow world can show. Learned: networks that learned a
rare fault of each label (`learned.py`). Planted: a gate that opens where three rare combinations are shown, and
nowhere shows itself before (`rare.py`); gradual: the same, opening eight times as gradually.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

import foible
import learned
from foible.diorama.biases import BIASES, Bias
from planted import says
from rare import RARE, sliced

LED = ("guided", "both")
"""Origins of findings that began with failures that a guide led to, alone or beside explored ones."""
COMMON = (
    ("biased-resnet", "coffee mug"),
    ("biased-resnet", "teapot"),
    ("biased-convnext", "vase"),
    ("biased-convnext", "table lamp"),
)
SOFTER = 8.0
"""Times as gradual as it was fitted: so that scores show a slice from afar."""
SLOWER = {"steer": 2.5, "noise": 3.0}
"""Times as much processor time as a plain image that one of a method takes (see `docs/guided.md`)."""
JUDGE = "python:misdrawn:by_captioner"
"""Made of other weights than the embedder, which a term may ask."""
FOLLOWED = {"phrases": 3, "draws": 96, "follow": 24}
"""How failures are followed, with a guide and without."""
BASE, INSIDE = 768, 64
"""Draws that say how often a learned fault shows: of the base prompt, and of its combination."""


def worlds(kinds: Sequence[str], slices: Sequence[Bias]) -> Iterator[tuple[Any, str, Bias, str]]:
    """Give classifiers, with what they are called, what is planted, and what is known of it."""
    for bias in slices if "learned" in kinds else ():
        own = learned.learned(bias)
        base, inside = (learned.seen(bias, own, scene, n) for scene, n in (({}, BASE), (dict(bias.attributes), INSIDE)))
        yield own, "learned slice", bias, f"{base[0]} of {base[1]}; within it {inside[0]} of {inside[1]}"
    for bias in RARE if {"planted", "gradual"} & set(kinds) else ():
        gate = sliced(bias)
        if "planted" in kinds:
            yield gate, "planted slice", bias, ""
        if "gradual" in kinds:
            yield gate.softer(SOFTER), "gradual slice", bias, ""
    for name, label in COMMON if "common" in kinds else ():
        yield f"diorama:{name}", name, next(one for one in BIASES[name] if one.label == label), ""


def main() -> None:
    """Print a row for each planted cause."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="common,learned,planted,gradual")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--method", choices=sorted(SLOWER), default="noise")
    parser.add_argument("--terms", nargs="*", default=["text=3"])
    parser.add_argument("--draws", type=int, default=24, help="that are led")
    parser.add_argument("--slices", type=int, default=learned.SEED, help="what the learned faults are chosen by")
    parser.add_argument("--rows", type=int, nargs=2, default=(0, 99), help="of the learned faults: from, and up to")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| classifier | planted | true failures | explored | guided | begun by guided failures | unguided | images |")
    print("|---|---|---|---|---|---|---|---|")
    guide = {"method": given.method, "terms": given.terms, "draws": given.draws, "steps": 16}
    with tempfile.TemporaryDirectory() as place:
        slices = learned.biases(given.slices)[slice(*given.rows)]
        for number, (classifier, name, bias, known) in enumerate(worlds(given.kinds.split(","), slices)):
            cells = row(classifier, bias, Path(place) / str(number), {"seed": given.seed, "guide": guide})
            print(f"| {name} | {bias.label} {bias.description} | {known} | {cells} |", flush=True)


def row(classifier: Any, bias: Bias, out: Path, settings: dict[str, Any]) -> str:
    """Hunt with a guide, and without one for as much; give the last cells of a row."""
    plain = {"generator": "diffusers:diorama", "judge": JUDGE, "explain": {"draws": 0}, "describe": FOLLOWED}
    plain["seed"], guide = settings["seed"], settings["guide"]
    led = _hunt(classifier, bias.label, out / "led", {**plain, "explore": {"draws": 24}, "guide": guide})
    draws = dict(led.result.draws)
    draws.pop("guide", None)
    sampled = sum(one.samplings for one in led.result.guided)
    cost = round(sum(draws.values()) + SLOWER[guide["method"]] * sampled)
    alone = _hunt(classifier, bias.label, out / "alone", {**plain, "explore": {"draws": 100_000}, "budget": cost})
    (explored,) = alone.result.explored
    failed = f"{explored.tally.failures} of {explored.tally.scored}"
    return f"{failed} | {_place(led, bias)} | {_place(led, bias, LED)} | {_place(alone, bias)} | {cost:,}"


def _hunt(classifier: Any, label: str, out: Path, config: dict[str, Any]) -> foible.Run:
    return foible.hunt(classifier, [label], out=out, config=config, progress=False)


def _place(run: foible.Run, bias: Bias, origins: Sequence[str | None] = ()) -> str:
    """Say which of the confirmed findings says all of a bias first, of some origins or of all."""
    own = [one for one in run.confirmed if not origins or one.trial.hypothesis.origin in origins]
    at = next((at for at, one in enumerate(own, 1) if says(one, bias)), None)
    others = "; ".join(f"{(h := one.trial.hypothesis).description} ({h.origin})" for one in own[:3])
    return f"{at or 'not found'} of {len(own)} ({others or 'none'})"


if __name__ == "__main__":
    main()
