"""A run of a suite as JUnit XML, which every CI server shows as tests.

Comes in: a `SuiteRun`. Goes out: XML; the same run gives the same bytes. Neighbours: `sarif.py` writes the same for
code scanning, `suites.py` for people and programs.

A bug or label is a test: it fails where it fails the gate, and is an error where nothing can be said of it, since then
it has not passed. Without a gate none fails, and what cannot be said is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from foible.report.comparison import reason, verdict
from foible.report.suites import headline, name, said
from foible.report.words import shorten

if TYPE_CHECKING:
    from foible.suites import Rechecked, SuiteRun


def to_junit(found: SuiteRun, suite: str) -> str:
    """Write a run of a suite as JUnit XML.

    Args:
        found: the run.
        suite: what the suite is called.
    """
    gates = [row.gate for row in found.rows]
    skipped = sum(_skipped(row) for row in found.rows)
    counts = {"failures": gates.count("failed"), "errors": gates.count("unknown"), "skipped": skipped}
    named = {"name": f"foible suite {shorten(suite, 200)}", "tests": len(gates), **counts}
    root = ET.Element("testsuites")
    inner = ET.SubElement(root, "testsuite", {key: str(value) for key, value in named.items()})
    about = {"suite": found.suite, "gate": found.fail_on, "verdict": verdict(found), "result": headline(found)}
    properties = ET.SubElement(inner, "properties")
    for key, value in about.items():
        ET.SubElement(properties, "property", {"name": key, "value": shorten(value, 400)})
    for row in found.rows:
        _case(inner, row)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(inner: ET.Element, row: Rechecked) -> None:
    case = ET.SubElement(inner, "testcase", {"classname": shorten(row.label, 60), "name": name(row)})
    kind = {"failed": "failure", "unknown": "error"}.get(row.gate)
    if kind is not None:
        ET.SubElement(case, kind, {"type": row.change or "unknown", "message": reason(row)})
    elif _skipped(row):
        ET.SubElement(case, "skipped", {"message": reason(row)})
    ET.SubElement(case, "system-out").text = said(row)


def _skipped(row: Rechecked) -> bool:
    return row.change is None and row.gate == "none"
