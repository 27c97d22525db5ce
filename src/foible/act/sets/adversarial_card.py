"""The card of an adversarial set: for whom it was made, how often classifiers fail, and what may not be claimed.

Comes in: what was written. Goes out: Markdown, with the head that Hugging Face reads. Neighbours: `card.py` is that of
images which a run has already; `told.py` has the sentences that the console says, too.
"""

from __future__ import annotations

from foible._version import __version__
from foible.act.sets.card import alike, fails_told, head, parts, plain
from foible.act.sets.rows import AdversarialExport, Collected
from foible.act.sets.told import shortfalls
from foible.hunting.replay import Reread
from foible.report.words import count


def adversarial_card(found: AdversarialExport, read: Reread, licence: str, files: str) -> str:
    """Write the card."""
    name = plain(found.classifier)
    rows = "\n".join(_row(one) for one in found.bugs)
    short = "".join(f"- {plain(one)}.\n" for one in shortfalls(found))
    return f"""---
{head(licence)}
---

# Images on which {name} fails

{count(found.exported.images, "different image")}, drawn from text by a generator and judged to show their label:
{files}. Each is a fresh draw of a bug that a hunt confirmed for {name}, on which {name} fails.
No image of the hunt is among them.

## How often classifiers fail

| classifier | before any choice | of images | on this set | of images |
|---|---|---|---|---|
{_rates(found)}

**Before any choice**: the first draws of each bug, as many as its even share of the set, or as may be made; how many
these are hung on nothing that was seen. So often a classifier fails on such images.

**On this set**: images are here because {name} fails on them. That it fails on all of them is how they were
chosen, and no rate of it. Of another classifier it says how hard they are for it: harder than such images are by
themselves, where it errs as {name} does.

The intervals are exact ones at 95 %, each by itself.

| bug | label | description | images | even share | draws | {name} fails before any choice | of images |
|---|---|---|---|---|---|---|---|
{rows}

{short}{parts(read)}
- foible {__version__}, seed {found.seed}; {count(found.draws, "draw")} of at most {found.most:,} were made. Prompt
  and seed of each image stand in the table.
{alike(found.exported)}
What failed means: {plain(read.result.failure)}.

## What may not be claimed from it

- A failure rate of {name}, or of one trained from it: only the column before any choice is one.
- That another classifier that fails on the images has the same bug: some images are hard for everybody.
  `foible transfer` asks with and without the description.
- Anything of photographs: these images are drawn.
- That a classifier that was trained on them has lost the bug, where it is tested on them: draw others, with another
  `--seed`.
"""


def _rates(found: AdversarialExport) -> str:
    own, *others = found.before
    made_for = f"| {plain(own.classifier)}, for which it was made | {fails_told(own)} | {own.images} "
    lines = [f"{made_for}| 100 %, by choice | {found.exported.images} |"]
    lines += [
        f"| {plain(before.classifier)} | {fails_told(before)} | {before.images} | {fails_told(on)} | {on.images} |"
        for before, on in zip(others, found.exported.fails, strict=True)
    ]
    return "\n".join(lines)


def _row(one: Collected) -> str:
    about = one.finding.trial.hypothesis
    return (
        f"| {one.number} | {plain(about.label)} | {plain(about.description)} | {one.images} | {one.share} "
        f"| {one.draws} | {fails_told(one.before)} | {one.before.images} |"
    )
