"""The English of guided draws: how many were led to fail, and in how many of these the judge still sees the label.

Comes in: a result. Goes out: plain printable text and the cells of a table. Neighbours: `hunting/result.py` counts;
`sentences.py` has the findings that they led to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.report.words import by, count, interval, percent, shorten

if TYPE_CHECKING:
    from foible.findings import HuntResult, LabelSummary
    from foible.records import Tally

GUIDED_HEAD = (
    *("label", "led", "fails, and shows its label", "lost its label", "share that shows it", "interval"),
    "images sampled for each find",
)
_NAMED = 12
"""Labels of which a text says that nothing was led."""


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


def unled(result: HuntResult) -> list[str]:
    """Say of which labels nothing was led though a guide was named, and why; a sentence each."""
    if result.settings.get("guide.method", "none") == "none" or not result.explored:
        return []
    led = {one.label for one in result.guided}
    without = [one for one in result.explored if one.classifier == 0 and one.label not in led]
    said = [f"Nothing was led of {shorten(one.label, 80)}: {_why(one)}." for one in without[:_NAMED]]
    more = len(without) - _NAMED
    return [*said, *([f"Nor of {count(more, 'more label')}."] if more > 0 else [])]


def _why(one: LabelSummary) -> str:
    if one.tally.scored > one.tally.failures:
        return "the budget or the pilot left it out"
    return no_pass(one.tally)


def no_pass(tally: Tally) -> str:
    """Say that no draw passed that could be led, and what became of the draws."""
    unscored = f", {tally.unscored:,} unscored" if tally.unscored else ""
    return (
        f"none of {count(tally.draws, 'explored draw')} passed ({tally.failures:,} failed{unscored}), and only a draw "
        "that passes can be led"
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
            images_each(one.samplings, one.tally.failures),
        )
        for one in result.guided
    ]


def images_each(samplings: int, finds: int) -> str:
    """Write how many images were sampled for each find: "7.3"; "–" where there is none."""
    return f"{samplings / finds:,.1f}" if finds else "–"
