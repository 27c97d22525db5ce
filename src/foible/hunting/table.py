"""Every draw of a run as a table of Arrow, a row for each draw and classifier.

Comes in: where a finished run and its archive lie. Goes out: a `pyarrow.Table`. Neighbours: `finished.py` offers it;
`replay.py` walks the run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from foible.errors import PluginError
from foible.hunting.replay import reread_whole
from foible.labels import called
from foible.records import Answered, ClassMap, Fault, Prediction
from foible.run.archive import Archive
from foible.run.journal import Journal

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 5
"""Highest scores of a row; of a thousand classes nine hundred may share one."""


def table_of(folder: Path, where: Path) -> pa.Table:
    """Return every draw of a run, in the order in which they were made.

    Args:
        folder: the run directory.
        where: its archive.

    Raises:
        InputError: pyarrow is not installed, or run or archive cannot be read.
    """
    try:
        import pyarrow as pa
    except ImportError:
        message = 'a table of draws needs pyarrow, which is not installed: pip install "foible[table]"'
        raise PluginError(message) from None
    with Journal(folder, write=False) as journal, Archive(where, write=False) as archive:
        found = reread_whole(journal, archive)
        answered = list(found.answered.values())
        made = [one.draw for one in answered]
        said = [found.loop.predictions(made, place) for place in range(len(found.study.maps))]
        rows = [
            _row(one, place, classes, said[place].get(one.request.key))
            for one in answered
            for place, classes in enumerate(found.study.maps)
        ]
    text, number, real = pa.string(), pa.int64(), pa.float64()
    kinds = {
        **dict.fromkeys(("key", "classifier", "label", "description", "prompt"), text),
        "seed": number,
        **dict.fromkeys(("arm", "image", "outcome", "reason"), text),
        "predicted": number,
        "predicted_name": text,
        "score": real,
        "scores": pa.list_(real),
        "classes": pa.list_(number),
        "caption": text,
    }
    return pa.Table.from_pylist(rows, schema=pa.schema(list(kinds.items())))


def _row(one: Answered, place: int, classes: ClassMap, said: Prediction | Fault | None) -> dict[str, Any]:
    outcome, request = one.outcomes[place], one.request
    highest = _highest(said) if isinstance(said, Prediction) else []
    predicted = said.index if isinstance(said, Prediction) else None
    return {
        "key": request.key,
        "classifier": classes.classifier,
        "label": request.label,
        "description": request.treatment.description,
        "prompt": request.text,
        "seed": request.seed,
        "arm": request.arm,
        "image": one.draw.image or None,
        "outcome": outcome.status,
        "reason": outcome.reason,
        "predicted": predicted,
        "predicted_name": None if predicted is None else called(predicted, classes),
        "score": highest[0][1] if highest else None,
        "scores": [score for _, score in highest],
        "classes": [index for index, _ in highest],
        "caption": one.caption,
    }


def _highest(said: Prediction) -> list[tuple[int, float]]:
    """Give (class, score) of the highest scores, best first."""
    every = ((index, level.score) for level in said.levels for run in level.runs for index in run)
    return [pair for pair, _ in zip(every, range(MOST), strict=False)]
