"""The card of a data set: what the images are, where they come from, and what may not be claimed from them.

Comes in: what was written. Goes out: Markdown, with the head that Hugging Face reads. Neighbour: `export.py`.
"""

from __future__ import annotations

import json
import re

from foible._version import __version__
from foible.act.sets.rows import Exported, FailsOn
from foible.errors import visible
from foible.hunting.replay import Reread
from foible.report.words import interval, percent

DRAWN = {"failing": "those that fail", "passing": "those that pass", "both": "those that fail or pass"}


def card(done: Exported, read: Reread, draws: str, licence: str, files: str) -> str:
    """Write the card."""
    config = read.study.config
    names = [m.classifier for m in read.study.maps]
    rows = "\n".join(
        f"| {plain(f.trial.hypothesis.label)} | {plain(f.trial.hypothesis.description)} "
        f"| {plain(names[f.trial.hypothesis.classifier])} | {n} |"
        for f, n in done.counts
    )
    return f"""---
{head(licence)}
---

# Images on which a classifier was found to fail

{done.images} different images, drawn from text by a generator and judged to show their label: {files}. Of the draws of
each bug with its description, {DRAWN[draws]} are here, taken from label to label and from bug to bug, each image once.

| label | description | found for | images |
|---|---|---|---|
{rows}
{_fails(done)}
{parts(read)}
- foible {__version__}, seed {config.seed}; prompt and seed of each image stand in the table.
{alike(done)}
What failed means: {plain(read.result.failure)}.

## What may not be claimed from it

- A failure rate. The images were chosen by what the classifier said of them: how often it fails stands in the run, with
  an interval.
- That another classifier that fails on them has the same bug: some images are hard for everybody. `foible transfer`
  asks with and without the description.
- Anything of photographs: these images are drawn.
- That a classifier that was trained on them has lost the bug, where it is tested on them: draw fresh ones.
"""


def head(licence: str) -> str:
    """Write what stands between the lines at the head of a card: YAML, as JSON is."""
    told = {"license": licence, "task_categories": ["image-classification"], "tags": ["synthetic", "foible"]}
    return json.dumps(told)


def parts(read: Reread) -> str:
    """Name who drew and who judged, a line each."""
    known = read.study.identities
    return "\n".join(f"- {kind}: `{plain(known[kind]['spec'])}`" for kind in ("generator", "judge") if kind in known)


def _fails(done: Exported) -> str:
    """Say who fails on the images."""
    if not done.fails:
        return ""
    lines = "\n".join(f"| {plain(one.classifier)} | {fails_told(one)} | {one.images} |" for one in done.fails)
    return f"""
| classifier | fails on these images | of images |
|---|---|---|
{lines}

Images were chosen by what the classifier says that they were found for. The intervals are exact ones at 95 %, for
images that are drawn and chosen like these.
"""


def fails_told(one: FailsOn) -> str:
    """Say how often a classifier fails on the images of a set."""
    return "nothing was scored" if one.rate.value is None else f"{percent(one.rate.value)} {interval(one.rate)}"


def alike(done: Exported) -> str:
    """Say how many images were too much like another one; nothing where none were."""
    return f"- {done.alike} images more were too much like another one and were left out.\n" if done.alike else ""


def plain(text: object) -> str:
    """Make any text one line that no Markdown hides in."""
    line = visible(" ".join(str(text).split()))
    return re.sub(r"([\\`*_{}\[\]<>()#|!~])", r"\\\1", line)
