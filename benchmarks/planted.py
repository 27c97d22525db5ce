"""`make bugs`: hunts over the diorama's classifiers, whose bugs are known: what is found, and what of it is true.

For each classifier: one hunt with the default settings. A planted bias is *found* when a confirmed finding of its
label says its attributes, and nothing that excludes them. A confirmed finding is *true* when, in 400 fresh pairs on
seeds that the hunt never used, the failure rate with the description exceeds the base rate by more than the margin.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

import foible
from foible.diorama.biases import BIASES, Bias
from foible.diorama.grammar import parse
from foible.findings import Finding

PAIRS = 400
TRUTH_SEED = 7_001
CLASSIFIERS = ("reference", *BIASES)
ROW = "{:<18}{:>7}{:>10}{:>9}{:>11}{:>7}{:>9}{:>14}{:>9}"


@dataclass(frozen=True)
class Score:
    """How one hunt did."""

    classifier: str
    draws: int
    """Without those that measure the rates of what is confirmed."""
    measuring: int
    tested: int
    confirmed: int
    true: int
    singles: str
    conjunctions: str
    seconds: int


def main() -> None:
    """Hunt, check, print, and write `planted.json` beside the runs."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    arguments.add_argument("--out", type=Path, default=Path("runs/planted"), help="where the runs and the table go")
    arguments.add_argument("--seed", type=int, default=0, help="of every hunt")
    arguments.add_argument("--pairs", type=int, default=PAIRS, help="fresh pairs for the truth of a confirmed finding")
    arguments.add_argument("classifiers", nargs="*", default=list(CLASSIFIERS), help="of diorama:…")
    given = arguments.parse_args()
    scores = [score(name, given.out, given.seed, given.pairs) for name in given.classifiers]
    (given.out / "planted.json").write_text(json.dumps([asdict(s) for s in scores], indent=1) + "\n", encoding="utf-8")
    print(f"\n{ROW}".format(*(field.name for field in fields(Score))))
    for each in scores:
        print(ROW.format(*astuple(each)))
    print(ROW.format("all", *_totals(scores)))


def _totals(scores: list[Score]) -> list[object]:
    """Add the columns up; of "found/planted" each side."""
    totals: list[object] = []
    for column in zip(*(astuple(each)[1:] for each in scores), strict=True):
        shares = [value.split("/") for value in column if isinstance(value, str) and "/" in value]
        if isinstance(column[0], str):
            totals.append("/".join(str(sum(int(part) for part in side)) for side in zip(*shares, strict=True)) or "-")
        else:
            totals.append(sum(column))
    return totals


def score(name: str, out: Path, seed: int, pairs: int = PAIRS) -> Score:
    """Hunt one classifier and hold what was confirmed against the truth."""
    run = foible.hunt(f"diorama:{name}", seed=seed, out=out / f"{name}-{seed}", progress=sys.stderr.isatty())
    true = [finding for finding in run.confirmed if _is_true(name, finding, out, pairs)]
    biases = BIASES.get(name, ())
    found = [bias for bias in biases if any(says(finding, bias) for finding in run.confirmed)]
    for bias in biases:
        print(f"{name}: planted {bias.label} {bias.description}: {'found' if bias in found else 'MISSED'}")
    return Score(
        name,
        sum(run.result.draws.values()) - run.result.draws.get("measure", 0),
        run.result.draws.get("measure", 0),
        len(run),
        len(run.confirmed),
        len(true),
        _share(found, biases, "single"),
        _share(found, biases, "conjunction"),
        round(run.seconds),
    )


def _is_true(name: str, finding: Finding, out: Path, pairs: int) -> bool:
    hypothesis = finding.trial.hypothesis
    probed = foible.probe(
        f"diorama:{name}",
        hypothesis.label,
        hypothesis.description,
        seed=TRUTH_SEED,
        out=out / "truth" / f"{name}-{hypothesis.label}-{'-'.join(hypothesis.treatment.words)}".replace(" ", "_"),
        config={
            "confirm": {"method": "fixed", "draws": pairs},
            "archive": str(out / "archive"),
            "explain": {"draws": 0},
            "measure": {"most": 0},
        },
        progress=False,
    )
    (again,) = probed
    difference = again.difference.value or 0.0
    true = difference > _margin(probed)
    rates = f"{again.treat.value:.1%} against {again.control.value:.1%} in {pairs} pairs"
    print(f"{name}: {hypothesis.label} {hypothesis.description}: {rates}: {'true' if true else 'NOT TRUE'}")
    return true


def _margin(probed: foible.Run) -> float:
    """Return the margin that a run was held to."""
    return float(str(probed.result.settings["confirm.margin"]))


def says(finding: Finding, bias: Bias) -> bool:
    """Tell whether a finding names a bias: its label and attributes, perhaps with more words."""
    hypothesis = finding.trial.hypothesis
    said = parse(hypothesis.description).attributes
    return hypothesis.label == bias.label and all(said.get(k) == v for k, v in bias.attributes)


def _share(found: list[Bias], biases: tuple[Bias, ...], kind: str) -> str:
    of = [bias for bias in biases if bias.kind == kind]
    return f"{sum(bias in found for bias in of)}/{len(of)}" if of else "-"


if __name__ == "__main__":
    try:
        main()
    except foible.InputError as problem:
        sys.exit(f"{Path(__file__).name}: {problem}")
