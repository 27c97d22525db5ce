"""The English of guided draws: how many were led to fail, and in how many of these the judge still sees the label.

Comes in: a result. Goes out: plain printable text and the cells of a table. Neighbours: `hunting/result.py` counts;
`sentences.py` has the findings that they led to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.report.words import by, count, interval, percent

if TYPE_CHECKING:
    from foible.findings import HuntResult

GUIDED_HEAD = ("label", "led", "fails, and shows its label", "lost its label", "share that shows it", "interval")


def guided_sentence(result: HuntResult) -> str:
    """Say what guided draws are, and are not."""
    method, steps = (result.settings.get(f"guide.{name}") for name in ("method", "steps"))
    who = "the first classifier" if len(result.classifiers) > 1 else "the classifier"
    cost = f", each of up to {count(steps, 'image')}" if isinstance(steps, int) else ""
    return (
        f"Explored draws that passed were led on towards a failure of {who} (method {method}{cost}). A led image is no "
        "draw of its prompt: what failed among them was put into words and followed, and no rate or test has one. Only "
        "where the judge still sees the label is it a find."
    )


def guided_rows(result: HuntResult) -> list[tuple[str, ...]]:
    """Give a row for each label and classifier, as `GUIDED_HEAD` names the cells."""
    return [
        (
            f"{one.label} ({by(one.classifier, result)})" if by(one.classifier, result) else one.label,
            f"{one.tally.draws:,}",
            f"{one.tally.failures:,}",
            f"{one.tally.unfaithful:,}",
            percent(one.shows.value),
            interval(one.shows),
        )
        for one in result.guided
    ]
