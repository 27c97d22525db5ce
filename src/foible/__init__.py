"""foible finds, names, proves and helps to fix the systematic failures of image classifiers.

    run = foible.hunt(classifier="transformers:…", labels=["coffee mug"])
    for finding in run:
        print(finding.verdict, finding.trial.hypothesis.description)

Importing this package imports no model library; each name below is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from foible._version import __version__

if TYPE_CHECKING:
    from foible.act.attribute import attribute
    from foible.act.certify import certify
    from foible.act.compare import compare
    from foible.act.explain.explain import explain
    from foible.act.guide import guide
    from foible.act.repair.repair import repair
    from foible.act.seek import seek
    from foible.act.sets.adversarial import export_adversarial
    from foible.act.sets.export import export
    from foible.act.suites.diff import diff_suites
    from foible.act.suites.read import read_suite
    from foible.act.suites.run import run_suite
    from foible.act.suites.save import save_suite
    from foible.act.swap import swap
    from foible.act.trackers.track import track
    from foible.act.transfer import transfer
    from foible.config import HuntConfig
    from foible.errors import FoibleError, InputError
    from foible.findings import Finding
    from foible.hunting.api import hunt, probe
    from foible.hunting.finished import Run
    from foible.hunting.opening import open  # noqa: A004 - `foible.open`
    from foible.records import Drawn, Hypothesis, Judgement, Label, Spec

_HOMES = {
    "Drawn": "foible.records",
    "Finding": "foible.findings",
    "FoibleError": "foible.errors",
    "HuntConfig": "foible.config",
    "Hypothesis": "foible.records",
    "InputError": "foible.errors",
    "Judgement": "foible.records",
    "Label": "foible.records",
    "Run": "foible.hunting.finished",
    "Spec": "foible.records",
    "attribute": "foible.act.attribute",
    "certify": "foible.act.certify",
    "compare": "foible.act.compare",
    "diff_suites": "foible.act.suites.diff",
    "explain": "foible.act.explain.explain",
    "export": "foible.act.sets.export",
    "export_adversarial": "foible.act.sets.adversarial",
    "guide": "foible.act.guide",
    "hunt": "foible.hunting.api",
    "open": "foible.hunting.opening",
    "probe": "foible.hunting.api",
    "read_suite": "foible.act.suites.read",
    "repair": "foible.act.repair.repair",
    "run_suite": "foible.act.suites.run",
    "save_suite": "foible.act.suites.save",
    "seek": "foible.act.seek",
    "swap": "foible.act.swap",
    "track": "foible.act.trackers.track",
    "transfer": "foible.act.transfer",
}

__all__ = [
    "Drawn",
    "Finding",
    "FoibleError",
    "HuntConfig",
    "Hypothesis",
    "InputError",
    "Judgement",
    "Label",
    "Run",
    "Spec",
    "__version__",
    "attribute",
    "certify",
    "compare",
    "diff_suites",
    "explain",
    "export",
    "export_adversarial",
    "guide",
    "hunt",
    "open",
    "probe",
    "read_suite",
    "repair",
    "run_suite",
    "save_suite",
    "seek",
    "swap",
    "track",
    "transfer",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        message = f"module 'foible' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return list(__all__)
