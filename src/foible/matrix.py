"""The records of a transfer: which classifiers share the bugs that a hunt found.

Comes in: findings. Goes out: plain data, which `report/` writes. Neighbours: `findings.py` has the result of a hunt;
`act/transfer.py` makes these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from foible.findings import Finding, Rate, Subject
from foible.records import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How one classifier does on the draws of one finding."""

    finding: Finding | None
    """Its rates with and without the description, and a verdict of its own; None where it does not have the label."""
    shared: Rate
    """Of the draws with the description that fail for the classifier whose finding it is: the share that fails here."""
    reason: str = ""
    """Why there is no finding; empty where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One finding, and what every classifier does on its draws."""

    found: Finding
    """As the hunt confirmed it."""
    cells: tuple[Cell, ...]
    """By classifier, in the order of `Matrix.classifiers`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdversarialSet:
    """The images with a description that fail for one classifier, of all its findings together."""

    images: int
    """Different ones, by their pixels."""
    fails: tuple[Rate, ...]
    """For every classifier, the share of them that fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Which classifiers share the findings of a run: rows say what was found, columns who fails."""

    foible_version: str
    settings: Mapping[str, object]
    """Of the run, by dotted name; margin and level hold for the cells too."""
    labels: tuple[Label, ...]
    classifiers: tuple[Subject, ...]
    """Those under test in the run, then the others."""
    found_with: int
    """How many of the classifiers, from the first, were under test in the run."""
    rows: tuple[Row, ...]
    left_out: tuple[tuple[Finding, str], ...]
    """Findings that were chosen, and why nothing can be said of them."""
    sets: tuple[AdversarialSet, ...]
    """For each classifier that was under test in the run."""
