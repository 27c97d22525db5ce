"""What is said of a data set beside its card: sentences for people, JSON for machines.

Comes in: what was written. Goes out: text. Neighbours: `card.py` and `adversarial_card.py` write the cards;
`cli/export.py` prints.
"""

from __future__ import annotations

import json
from typing import Any

from foible._version import __version__
from foible.act.sets.rows import AdversarialExport, Collected, Exported, FailsOn
from foible.errors import brief
from foible.report.words import count

VERSION = 1
"""Of the JSON."""


def shortfalls(found: AdversarialExport) -> list[str]:
    """Say how many images lack, of which bug, and why: a clause each, the whole set first; nothing where none do."""
    each = [one for one in found.bugs if one.lacking]
    if not each:
        return []
    made = f"{count(found.draws, 'draw')} of at most {found.most:,} were made"
    whole = (
        f"{count(found.lacking, 'image')} of {found.size:,} {'lacks' if found.lacking == 1 else 'lack'}: {made}"
        if found.lacking
        else f"the set has all {count(found.size, 'image')}, and is less even than was wanted"
    )
    return [whole, *(_lacks(one) for one in each)]


def _lacks(one: Collected) -> str:
    about = one.finding.trial.hypothesis
    return (
        f"of bug {one.number}, {brief(about.label, 60)} “{brief(about.description, 120)}”, there are {one.images:,} of "
        f"{one.share:,}: {one.ended} after {count(one.draws, 'draw')}"
    )


def export_json(done: Exported) -> str:
    """Write what was exported as JSON."""
    return _text({"foible_export": VERSION, "foible_version": __version__, **_exported(done)})


def adversarial_json(found: AdversarialExport) -> str:
    """Write what was made as JSON: each classifier with both rates, each bug with what lacks."""
    own, *others = found.before
    both = [{"classifier": own.classifier, "made_for": True, "before": _rate(own), "on_set": None}]
    both += [
        {"classifier": one.classifier, "made_for": False, "before": _rate(one), "on_set": _rate(on)}
        for one, on in zip(others, found.exported.fails, strict=True)
    ]
    return _text(
        {
            "foible_adversarial": VERSION,
            "foible_version": __version__,
            "classifier": found.classifier,
            "folder": str(found.exported.folder),
            "size": found.size,
            "images": found.exported.images,
            "lacking": found.lacking,
            "alike": found.exported.alike,
            "draws": {"most": found.most, "made": found.draws},
            "seed": found.seed,
            "classifiers": both,
            "bugs": [_bug(one) for one in found.bugs],
            "short": shortfalls(found),
        }
    )


def _bug(one: Collected) -> dict[str, Any]:
    about = one.finding.trial.hypothesis
    return {
        "finding": one.number,
        "label": about.label,
        "description": about.description,
        "share": one.share,
        "images": one.images,
        "draws": one.draws,
        "drawn_before": one.drawn_before,
        "before": _rate(one.before),
        "ended": one.ended,
    }


def _exported(done: Exported) -> dict[str, Any]:
    return {
        "folder": str(done.folder),
        "images": done.images,
        "gone": done.gone,
        "alike": done.alike,
        "bugs": [
            {
                "label": found.trial.hypothesis.label,
                "description": found.trial.hypothesis.description,
                "images": number,
            }
            for found, number in done.counts
        ],
        "classifiers": [{"classifier": one.classifier, **_rate(one)} for one in done.fails],
    }


def _rate(one: FailsOn) -> dict[str, Any]:
    return {"value": one.rate.value, "low": one.rate.low, "high": one.rate.high, "images": one.images}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
