"""`foible export`: a data set of the images that a hunt's bugs were seen in, to train on, to test on, to look at.

Comes in: a finished run. Goes out: a folder that other libraries read: images in a folder for each label with a table
beside them (torchvision's ImageFolder, `datasets` and pandas read it), or one Parquet file with the images in it; and a
card that says where they come from, and what may not be claimed from them. Neighbours: `hunting/replay.py` reads the
run; `transfer.py` asks other classifiers about the images without exporting any.

Images are taken one by one, from label to label and in each from bug to bug, so that a set of any size is as even as
the images allow. Only draws that are scored are taken: the judge saw the label in them.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foible._version import __version__
from foible.act.chosen import chosen
from foible.act.placed import placed
from foible.errors import ConfigError, StoreError, brief, near, visible
from foible.findings import Finding
from foible.hunting.replay import Reread, reread_whole
from foible.identity import digest
from foible.labels import called
from foible.records import Answered, Observation, Treatment
from foible.run.archive import Archive
from foible.run.images import Images
from foible.run.journal import Journal

COLUMNS = (
    *("file_name", "label", "kind", "description", "outcome", "predicted", "classifier", "finding"),
    *("prompt", "seed", "arm", "pixel_hash", "generator"),
)
"""Of the table, in order. `pixel_hash` names the pixels, `finding` the number of the bug in the run's own table."""
_STATUSES = {"failing": {"failed"}, "passing": {"passed"}, "both": {"failed", "passed"}}
_DRAWN = {"failing": "those that fail", "passing": "those that pass", "both": "those that fail or pass"}
_ROW_GROUP = 256
"""Rows of a Parquet file that are read at once, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    folder: Path
    images: int
    counts: tuple[tuple[Finding, int], ...]
    """How many images of each bug; an image that shows two bugs counts for the first."""
    gone: int
    """Images that were wanted, and that the archive does not have, or that are torn there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """One image of the set."""

    number: int
    """Of the bug, from 1."""
    finding: Finding
    seen: Observation


def export(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    out: Path | str,
    *,
    form: str = "imagefolder",
    draws: str = "failing",
    size: int | None = None,
    findings: Sequence[int] = (),
    archive: Path | str | None = None,
    licence: str = "unknown",
) -> Exported:
    """Write the images of a run's confirmed findings as a data set.

    Args:
        run: the directory of a finished hunt or probe.
        out: the folder to make; it must not exist, or be empty.
        form: "imagefolder": `data/LABEL/IMAGE.png` with `metadata.csv`; "parquet": one `data.parquet`.
        draws: which draws with the description: those that fail, those that pass, or both.
        size: at most this many images; None for all.
        findings: numbers of confirmed findings, from 1. Empty for all.
        archive: where the run's images lie; None for `archive` beside it.
        licence: what the card says of the licence of the images; whoever draws them has to know.

    Returns:
        How many images there are of each bug.

    Raises:
        InputError: the run cannot be used, has no such images, or the folder cannot be written; nothing is left then.
    """
    folder, target = Path(run), Path(out)
    where = folder.parent / "archive" if archive is None else Path(archive)
    _refuse(form, draws, size)
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        read = reread_whole(journal, kept)
        if read.study.photographs is not None:
            message = "the run is over photographs that are there already, and drew no image that could be exported"
            raise ConfigError(f"{message}; its table of draws (run.table()) says which of them fail")
        bugs = chosen(read.result, findings)
        wanted = list(itertools.islice(_evenly(read, bugs, draws), size))
        taken = [one for one in wanted if kept.images.get(one.seen.draw.image) is not None]
        if not taken:
            message = f"none of the chosen bugs has an image that is {draws} and scored; choose others with --finding"
            raise ConfigError(message if not wanted else f"the archive {where} has none of {len(wanted)} images")
        tally = Counter(one.number for one in taken)
        done = Exported(
            folder=target,
            images=len(taken),
            counts=tuple((finding, tally[number]) for number, finding in bugs.items()),
            gone=len(wanted) - len(taken),
        )
        with placed(target, "the data set", "name a new folder with --out") as place:
            rows = [_row(one, read, form) for one in taken]
            _WRITERS[form](place, rows, kept.images)
            (place / "README.md").write_text(_card(done, read, draws, licence, form), encoding="utf-8", newline="\n")
    return done


def _refuse(form: str, draws: str, size: int | None) -> None:
    """Refuse what can be told from the arguments alone."""
    for text, known, what in ((form, _WRITERS, "format"), (draws, _STATUSES, "choice of draws")):
        if text not in known:
            message = f"there is no {what} {brief(text)!r}: {near(text, known)}"
            raise ConfigError(message)
    if size is not None and size < 1:
        message = f"a data set has at least 1 image, but got a size of {size}"
        raise ConfigError(message)


def _evenly(read: Reread, bugs: Mapping[int, Finding], which: str) -> Iterator[_Taken]:
    """Give images one by one: from label to label, in each from bug to bug; each different image once."""
    by_about: dict[tuple[str, Treatment], list[Answered]] = {}
    for one in read.answered.values():
        if one.request.arm in {"treat", "measure"} and one.request.treatment:
            by_about.setdefault((one.request.label, one.request.treatment), []).append(one)
    of_labels: dict[str, list[Iterator[_Taken]]] = {}
    for number, finding in bugs.items():
        hypothesis = finding.trial.hypothesis
        seen = (one.seen_by(hypothesis.classifier) for one in by_about.get(hypothesis.about, ()))
        own = [_Taken(number=number, finding=finding, seen=o) for o in seen if o.outcome.status in _STATUSES[which]]
        of_labels.setdefault(hypothesis.label, []).append(iter(own))
    shown: set[str] = set()
    for taken in _in_turn([_in_turn(own) for own in of_labels.values()]):
        if taken.seen.draw.image not in shown:
            shown.add(taken.seen.draw.image)
            yield taken


def _in_turn(sources: Sequence[Iterator[_Taken]]) -> Iterator[_Taken]:
    """Take one of each source after the other, until all are at their end."""
    left = list(sources)
    while left:
        going = []
        for source in left:
            one = next(source, None)
            if one is not None:
                going.append(source)
                yield one
        left = going


def _row(taken: _Taken, read: Reread, form: str) -> dict[str, Any]:
    """Give what the table says of an image, by column."""
    seen, hypothesis = taken.seen, taken.finding.trial.hypothesis
    label, classes = read.study.labels[hypothesis.label], read.study.maps[hypothesis.classifier]
    predicted = seen.outcome.predicted
    name = f"{seen.draw.image}.png"
    return {
        "file_name": f"data/{folder_name(label.name)}/{name}" if form == "imagefolder" else name,
        "label": label.name,
        "kind": label.kind,
        "description": hypothesis.description,
        "outcome": seen.outcome.status,
        "predicted": "" if predicted is None else called(predicted, classes),
        "classifier": classes.classifier,
        "finding": taken.number,
        "prompt": seen.request.text,
        "seed": seen.request.seed,
        "arm": seen.request.arm,
        "pixel_hash": seen.draw.image,
        "generator": str(read.study.identities["generator"]["spec"]),
    }


def folder_name(label: str) -> str:
    """Name a folder after a label: letters, digits, blanks, dots and hyphens; what was changed is told by a hash."""
    name = re.sub(r"[^\w .-]+", "_", label)[:60].strip(" .")
    return name if name == label else f"{name or 'label'}-{digest(label)[:8]}"


def _write_folder(place: Path, rows: Sequence[dict[str, Any]], images: Images) -> None:
    for row in rows:
        path = place / row["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_png(images, row["pixel_hash"]))
    with (place / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)


def _write_parquet(place: Path, rows: Sequence[dict[str, Any]], images: Images) -> None:
    """Write one table with the images in it, the column of which `datasets` knows as images."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        message = 'Parquet files need pyarrow: pip install "foible[datasets]"'
        raise ConfigError(message) from None
    shown = [{"bytes": _png(images, row["pixel_hash"]), "path": row["file_name"]} for row in rows]
    columns = {"image": shown} | {name: [row[name] for row in rows] for name in COLUMNS}
    whole = {"finding", "seed"}
    features = {name: {"dtype": "int64" if name in whole else "string", "_type": "Value"} for name in COLUMNS}
    known = json.dumps({"info": {"features": {"image": {"_type": "Image"}, **features}}})
    kinds = [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    kinds += [(name, pa.int64() if name in whole else pa.string()) for name in COLUMNS]
    table = pa.table(columns, schema=pa.schema(kinds, metadata={"huggingface": known}))
    parquet.write_table(table, place / "data.parquet", row_group_size=_ROW_GROUP)


def _png(images: Images, image: str) -> bytes:
    data = images.bytes(image)
    if data is None:
        message = f"the image {image[:16]}… has gone from the archive while it was read; repeat the command"
        raise StoreError(message)
    return data


_WRITERS = {"imagefolder": _write_folder, "parquet": _write_parquet}


def _card(done: Exported, read: Reread, draws: str, licence: str, form: str) -> str:
    """Write the card: what the images are, where they come from, and what may not be claimed from them."""
    config, parts = read.study.config, read.study.identities
    names = [m.classifier for m in read.study.maps]
    rows = "\n".join(
        f"| {_plain(f.trial.hypothesis.label)} | {_plain(f.trial.hypothesis.description)} "
        f"| {_plain(names[f.trial.hypothesis.classifier])} | {n} |"
        for f, n in done.counts
    )
    used = "\n".join(f"- {kind}: `{_plain(parts[kind]['spec'])}`" for kind in ("generator", "judge") if kind in parts)
    head = json.dumps(
        {"license": licence, "task_categories": ["image-classification"], "tags": ["synthetic", "foible"]}
    )
    file = "`data/LABEL/*.png` and `metadata.csv`" if form == "imagefolder" else "`data.parquet`"
    return f"""---
{head}
---

# Images on which a classifier was found to fail

{done.images} different images, drawn from text by a generator and judged to show their label: {file}. Of the draws of
each bug with its description, {_DRAWN[draws]} are here, taken from label to label and from bug to bug, each image once.

| label | description | found for | images |
|---|---|---|---|
{rows}

{used}
- foible {__version__}, seed {config.seed}; prompt and seed of each image stand in the table.

What failed means: {_plain(read.result.failure)}.

## What may not be claimed from it

- A failure rate. The images were chosen by what the classifier said of them: how often it fails stands in the run, with
  an interval.
- That another classifier that fails on them has the same bug: some images are hard for everybody. `foible transfer`
  asks with and without the description.
- Anything of photographs: these images are drawn.
- That a classifier that was trained on them has lost the bug, where it is tested on them: draw fresh ones.
"""


def _plain(text: object) -> str:
    """Make any text one line that no Markdown hides in."""
    line = visible(" ".join(str(text).split()))
    return re.sub(r"([\\`*_{}\[\]<>()#|!~])", r"\\\1", line)
