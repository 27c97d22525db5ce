"""Draws become images, through the archive: a draw made once is never made again.

Comes in: a unit of draws. Goes out: `Shown` records, with the image or the reason why there is none. Neighbour:
`prompts.py` planned the draws; `observe.py` has the images classified and judged.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor

from foible.archive import Archive, Archived
from foible.errors import PluginError
from foible.records import Draw, Drawn
from foible.stages.answer import Shown
from foible.stages.context import Context
from foible.store import DrawRow, Store
from foible.wrappers import Fault, ask_generator

WRITERS = 8
"""Images that are written at once."""


def draw_unit(unit: Sequence[Draw], context: Context) -> list[Shown]:
    """Return the images of a unit of draws, making what is missing or torn.

    Images are written first, then their rows, so that a row never speaks of an image that is not there. When one image
    is missing the generator is given the whole unit, since its arithmetic can depend on the batch; images that are
    already archived stay. What a server lost in an earlier call is alone asked for again, as in `answer.py`.

    Raises:
        PluginError: the generator has never drawn anything, and draws nothing of this unit.
        StoreError: the archive or the store cannot be written.
    """
    store = context.store
    rows = store.draws(draw.key for draw in unit)
    held = {draw.key: _held(draw, rows, context.archive) for draw in unit}
    if any(shown is None for shown in held.values()):
        missing = {key for key, shown in held.items() if shown is None}
        again = [draw for draw in unit if draw.key in missing] if store.lost(missing) == missing else unit
        made = _make(again, held.keys() - missing, context)
        _refuse_a_dead_generator(made, context)
        held.update({shown.draw.key: shown for shown in made})
    all_shown = [shown for draw in unit if (shown := held[draw.key]) is not None]
    _note_size(all_shown, store)
    unnoted = [shown for shown in all_shown if _noted(rows.get(shown.draw.key)) != (shown.sha256, shown.fault)]
    if unnoted:
        store.add_draws([_row(shown) for shown in unnoted])
    return all_shown


def load(draws: Sequence[Draw], context: Context) -> list[Shown]:
    """Return draws that were made before, from the archive."""
    rows = context.store.draws(draw.key for draw in draws)
    found = [_held(draw, rows, context.archive) for draw in draws]
    return [s or Shown(d, None, fault="the image has gone from the archive") for d, s in zip(draws, found, strict=True)]


def _held(draw: Draw, rows: dict[str, DrawRow], archive: Archive) -> Shown | None:
    """Return a draw that is already there: its image, or the fault that was noted."""
    row = rows.get(draw.key)
    if row is not None and row.fault:
        return Shown(draw, None, fault=row.fault)
    archived = archive.get(draw.key, row.image_sha256 if row is not None else "")
    return None if archived is None else _shown(draw, archived)


def _shown(draw: Draw, archived: Archived) -> Shown:
    return Shown(draw, archived.image, archived.sha256, archived.ignored)


def _make(unit: Sequence[Draw], held: AbstractSet[str], context: Context) -> list[Shown]:
    """Draw a unit and archive what is not held yet; writing waits for the disk, so several are written at once."""
    began = time.perf_counter()
    generator = context.generator
    size = context.store.about("image_size")
    answers = ask_generator(
        generator, [draw.prompt.text for draw in unit], [draw.seed for draw in unit], tuple(size) if size else None
    )
    context.store.spend("generator", len(unit), time.perf_counter() - began)

    def keep(draw: Draw, answer: Drawn | Fault) -> Shown:
        if isinstance(answer, Fault):
            return Shown(draw, None, fault=answer.reason, passing=answer.passing)
        return Shown(draw, answer.image, context.archive.put(draw, answer, generator.identity), answer.ignored)

    new = [(draw, answer) for draw, answer in zip(unit, answers, strict=True) if draw.key not in held]
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(keep, *zip(*new, strict=True)))


def _refuse_a_dead_generator(made: Sequence[Shown], context: Context) -> None:
    if made and all(shown.fault for shown in made) and not context.store.has_draw():
        spec = context.generator.identity["spec"]
        message = f"the generator {spec} drew none of the first {len(made)} images: {made[0].fault}"
        raise PluginError(message)


def _note_size(unit: Sequence[Shown], store: Store) -> None:
    """Note the size of the first image of the hunt: what every later one must measure."""
    first = next((shown.image for shown in unit if shown.image is not None), None)
    if first is not None and store.about("image_size") is None:
        store.note("image_size", first.shape[:2])


def _noted(row: DrawRow | None) -> tuple[str, str] | None:
    return None if row is None else (row.image_sha256, row.fault)


def _row(shown: Shown) -> DrawRow:
    prompt, draw = shown.draw.prompt, shown.draw
    return DrawRow(
        draw.key,
        prompt.label,
        prompt.description,
        prompt.text,
        draw.seed,
        draw.arm,
        shown.sha256,
        shown.ignored,
        shown.fault,
        shown.passing,
    )
