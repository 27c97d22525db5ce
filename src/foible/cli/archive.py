"""The verb `archive`: what it holds, whether it is whole, what it can do without, and how it gets elsewhere.

Comes in: flags. Goes out: counts, an exit code, another archive. Neighbour: `foible.act.archive`, which does it.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Json, app, cell, sized, told, while_read

if TYPE_CHECKING:
    from collections.abc import Sequence

archives = typer.Typer(no_args_is_help=True, help="The images and answers that hunts share.")
app.add_typer(archives, name="archive")

Folder = Annotated[Path, typer.Option("--archive", help="The archive.", metavar="DIR")]
Runs = Annotated[
    list[Path] | None,
    typer.Option("--run", help="Only what this run needs; give it again for further ones.", metavar="RUN"),
]
_HERE = Path("runs/archive")


@archives.command()
def info(archive: Folder = _HERE, *, as_json: Json = False) -> None:
    """Count what an archive holds, and say how much room it takes."""
    from foible.act.archive.info import info as read
    from foible.report.words import count

    found = read(archive)
    if as_json:
        document = {**asdict(found), "folder": str(found.folder)}
        with while_read():
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    files = f"{sized(found.shown)}, in {count(found.shards, 'file')} of {sized(found.files)}"
    rows = [
        ("draws", count(found.draws)),
        ("answers", count(found.answers)),
        ("images", f"{count(found.images)}, {files}"),
        ("rows", sized(found.rows)),
        ("kept", _between(found.first, found.last)),
        ("shared", f"{found.url}, of which {count(found.entries, 'entry', 'entries')} are here" if found.url else ""),
    ]
    _say(rows)


@archives.command()
def verify(archive: Folder = _HERE) -> None:
    """Hash every row and every image again; exit code 1 where one is damaged or has gone."""
    from foible.act.archive.info import check
    from foible.report.words import count

    found = check(archive)
    with while_read() as console:
        for line in found.damaged:
            console.print(cell(line), soft_wrap=True)
        more = found.damages - len(found.damaged)
        if more:
            console.print(f"and {more:,} more", soft_wrap=True)
        whole = f"{count(found.draws, 'draw')}, {count(found.answers, 'answer')}, {count(found.images, 'image')}"
        console.print(f"whole: {whole}", soft_wrap=True)
    if found.damages:
        mended = "a hunt that needs it makes it again"
        raise typer.Exit(told(f"{count(found.damages, 'row')} of {archive} damaged; {mended}", 1))


@archives.command()
def gc(
    archive: Folder = _HERE,
    keep: Annotated[
        list[Path] | None,
        typer.Option("--keep", help="Drop what no such run needs; give it again for further ones.", metavar="RUN"),
    ] = None,
    recent: Annotated[
        float, typer.Option("--recent", help="Leave files alone that were written in the last so many hours.", min=0)
    ] = 24.0,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be freed.")] = False,
) -> None:
    """Give room back: copies and torn images; with --keep, everything but what these runs need."""
    from foible.act.archive.free import free
    from foible.report.words import count

    freed = free(archive, keep or (), recent=3600 * recent, dry=dry_run)
    rows = f"{count(freed.draws, 'draw')}, {count(freed.answers, 'answer')}, {count(freed.images, 'image')}"
    with while_read() as console:
        console.print(f"{'would free' if dry_run else 'freed'}: {rows}, {sized(freed.bytes)}", soft_wrap=True)
        if freed.recent:
            left = f"{count(freed.recent, 'file')} of images left alone: a hunt may be writing"
            console.print(f"{left}; --recent 0 where none is", soft_wrap=True)


@archives.command(name="export")
def export_rows(
    target: Annotated[Path, typer.Argument(help="The other archive; made where there is none.", metavar="DIR")],
    archive: Folder = _HERE,
    run: Runs = None,
) -> None:
    """Copy an archive, or what some runs need of it, into another one."""
    _copy(archive, target, run)


@archives.command(name="import")
def import_rows(
    source: Annotated[Path, typer.Argument(help="The other archive.", metavar="DIR")],
    archive: Folder = _HERE,
    run: Runs = None,
) -> None:
    """Copy another archive, or what some runs need of it, into this one; import only from people you trust."""
    _copy(source, archive, run)


@archives.command()
def show(
    image: Annotated[str, typer.Argument(help="The hash of its pixels, or the first 8 digits of it.", metavar="IMAGE")],
    archive: Folder = _HERE,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file; by default HASH.png, here.", metavar="FILE")
    ] = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that is there.")] = False,
) -> None:
    """Write an image of the archive to a file."""
    from foible.act.archive.info import image_of
    from foible.errors import InputError

    name, data = image_of(archive, image)
    path = Path(f"{name}.png") if out is None else out
    try:
        with path.open("wb" if replace else "xb") as file:
            file.write(data)
    except FileExistsError:
        message = f"{path} is there; name another --out, or give --replace"
        raise InputError(message) from None
    except OSError as problem:
        message = f"{path} cannot be written ({problem.strerror}); name another --out"
        raise InputError(message) from None
    with while_read() as console:
        console.print(cell(f"image: {path}"), soft_wrap=True)


def _copy(source: Path, target: Path, runs: Sequence[Path] | None) -> None:
    from foible.act.archive.copies import copy
    from foible.report.words import count

    done = copy(source, target, runs)
    with while_read() as console:
        text = f"copied {count(done.draws, 'draw')} and {count(done.answers, 'answer')}"
        console.print(cell(f"{text} into {target}; {count(done.there)} were there"), soft_wrap=True)
    if done.lost:
        lost = f"{count(done.lost, 'draw or answer', 'draws or answers')} of {source}"
        raise typer.Exit(told(f"{lost} damaged, and left behind; foible archive verify names them", 1))


def _between(first: float | None, last: float | None) -> str:
    days = [dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d") for at in (first, last) if at is not None]
    return " to ".join(dict.fromkeys(days))


def _say(rows: Sequence[tuple[str, str]]) -> None:
    with while_read() as console:
        for name, text in rows:
            if text:
                console.print(cell(f"{name:<8} {text}"), soft_wrap=True)
