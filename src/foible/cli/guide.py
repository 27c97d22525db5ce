"""The verb `guide`: draws of chosen labels are led to an end, and shown from their start to it.

Comes in: flags. Goes out: a table, two files. Neighbours: `foible.act.guide`, which does it; `hunts.py` has the hunt,
in which guided draws are followed and tested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.cli.flags import CLASSIFIERS, Flag, Json, Quiet, app, cell, over, show_rows, while_read
from foible.config import HuntConfig
from foible.progress import Bars, Silent

if TYPE_CHECKING:
    from pathlib import Path

    from foible.guidance import Guidance

METHOD = Flag(
    "guide.method",
    plain=True,
    told="select: draws on, for any generator and classifier. noise, steer, embedding, evolve: move the noise of a "
    "diffusers pipeline, or more; all but the last along gradients.",
)


@app.command()
@over(
    *(CLASSIFIERS, "labels", "generator", "judge", METHOD, "guide.objective", "failure.target"),
    *("guide.unit", "guide.terms", "captioner", "embedder", "guide.draws", "guide.steps", "guide.rate", "seed"),
    *("max_minutes", "max_requests", "out", "archive"),
)
def guide(config: HuntConfig, *, quiet: Quiet = False, as_json: Json = False) -> None:
    """Lead draws of chosen labels to mistakes of a classifier, and show each from its start to its end."""
    from foible.act.guide import guide_wanted
    from foible.report import guidance as pages

    found, folder = guide_wanted(config, {}, Silent() if quiet else Bars())
    if as_json:
        with while_read():
            print(pages.to_json(found), end="")
    else:
        _print(found, folder)


def _print(found: Guidance, folder: Path) -> None:
    from foible.report import guidance as pages

    with while_read() as console:
        console.print(cell(pages.headline(found), "bold"), soft_wrap=True)
        rows = [[cell(text) for text in pages.row(one, found)] for one in found.labels]
        show_rows(console, pages.head(found), rows, pages.head(found))
        if found.words:
            words = [[cell(text) for text in pages.word_row(one)] for one in found.words]
            show_rows(console, pages.WORD_HEAD, words, pages.WORD_HEAD)
        for line in pages.lines(found):
            console.print(cell(line), soft_wrap=True)
        console.print(cell(f"page: {folder / 'guided.html'}"), soft_wrap=True)
