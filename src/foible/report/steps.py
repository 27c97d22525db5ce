"""What a reader does next, in one or two plain sentences.

Comes in: a result. Goes out: words that stand on the first screen of page, table and text. Neighbour: `pilots.py` and
`bases.py`, whose sentences say it themselves where the parts do not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.report.pilots import pilot_headline

if TYPE_CHECKING:
    from foible.findings import HuntResult


_LOOK = "Look at the images of {} first: whether they show the label, and whether what they are taken for is {}. {}"
_TRAINED = "What matters in use can be trained on with {}, and hunted for again."
_DRAWN = {
    "confirmed": _TRAINED.format("images like these (foible export)"),
    "undecided": "More draws may decide what is undecided: raise confirm.most, and --budget where there is one.",
    "nothing": "A description that matters in use and was not tried is tested by foible probe.",
}
_PHOTOGRAPHS = {
    "confirmed": _TRAINED.format("more photographs of the attribute"),
    "undecided": "More photographs may decide what is undecided: add them, and hunt again into another directory.",
    "nothing": "What the set does not show, it cannot tell: photographs of what matters in use may.",
}


def next_step(result: HuntResult) -> str:
    """Say what to do with a result; empty where its first lines say it already."""
    if pilot_headline(result):
        return ""
    said = _DRAWN if result.photographs is None else _PHOTOGRAPHS
    verdicts = [finding.verdict for finding in result.findings]
    if bugs := verdicts.count("confirmed"):
        return _LOOK.format("the bug" if bugs == 1 else "each bug", "wrong", said["confirmed"])
    if result.base_failures:
        accepted = "A class that is right can be accepted, as in --label 'mug|cup=mug'."
        return _LOOK.format("what fails by itself", "not right too", accepted)
    return said["undecided" if "undecided" in verdicts else "nothing"]
