"""A run of a suite as SARIF 2.1.0, which code scanning shows beside the change that caused it.

Comes in: a `SuiteRun`. Goes out: JSON; the same run gives the same bytes. Neighbours: `junit.py` writes the same as
tests, `suites.py` for people and programs.

What fails the gate is a result of level error; what nothing can be said of, one of level warning. What passes is none.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from foible.report.comparison import about, plain, reason, verdict
from foible.report.suites import headline
from foible.report.words import stopped

if TYPE_CHECKING:
    from foible.suites import Rechecked, SuiteRun

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HOME = "https://github.com/foible/foible"
_HELP = "https://foible.readthedocs.io/en/latest/suites.html"
_RULES = {
    "worse": "A bug or label surely fails more often than when the suite was saved.",
    "open": "A bug or label is not shown to fail no more often than when the suite was saved.",
    "rate": "A bug surely fails more often than the gate allows.",
    "unknown": "Nothing can be said of a bug or label, so that it has not passed.",
}
"""By id: what is wrong."""


def to_sarif(found: SuiteRun, suite: str) -> str:
    """Write a run of a suite as SARIF.

    Args:
        found: the run.
        suite: where the suite lies, as the repository calls it: a relative path with slashes.
    """
    driver = {
        "name": "foible",
        "version": found.foible_version,
        "informationUri": _HOME,
        "rules": [{"id": rule, "shortDescription": {"text": text}, "helpUri": _HELP} for rule, text in _RULES.items()],
    }
    run = {
        "tool": {"driver": driver},
        "results": [_result(row, suite) for row in found.rows if row.gate in {"failed", "unknown"}],
        "columnKind": "utf16CodeUnits",
        "properties": {
            "suite": found.suite,
            "gate": found.fail_on,
            "verdict": found.verdict,
            "said": verdict(found),
            "headline": headline(found),
        },
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def _result(row: Rechecked, suite: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(suite)}, "region": {"startLine": 1}}
    # A stranger's names may stand in a suite: what tells a bug from another one is a hash of them.
    own = hashlib.sha256(json.dumps([row.label, *row.words]).encode()).hexdigest()
    return {
        "ruleId": row.rule,
        "ruleIndex": list(_RULES).index(row.rule),
        "level": "warning" if row.gate == "unknown" else "error",
        "message": {"text": stopped(reason(row))},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"name": about(row), "kind": "object"}]}],
        "partialFingerprints": {"bug/v1": own},
        "properties": plain(row),
    }
