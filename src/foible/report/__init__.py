"""The report of a hunt: `findings.json` for programs, `findings.md` for reviews, `report.html` for people.

Comes in: a `HuntResult` and a way to fetch images. Goes out: three files, and nothing else in the folder. Neighbours:
the hunt makes the result; this package only shows it, and deleting its output changes no result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.errors import StoreError
from foible.report.decode import from_json, version_of
from foible.report.encode import SCHEMA, SCHEMA_VERSION, to_json
from foible.report.files import sweep, write_atomically
from foible.report.html import to_html, write_html
from foible.report.markdown import to_markdown
from foible.report.sentences import headline, no_bug_sentence, sentence, summary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from foible.attributions import Attributions
    from foible.findings import HuntResult

__all__ = [
    "FILES",
    "SCHEMA",
    "SCHEMA_VERSION",
    "from_json",
    "headline",
    "make_ready",
    "no_bug_sentence",
    "sentence",
    "summary",
    "to_html",
    "to_json",
    "to_markdown",
    "write",
    "write_html",
]


FILES = ("findings.json", "findings.md", "report.html")
"""What a run directory holds for people and programs, in the order in which they are written."""


def make_ready(folder: Path) -> None:
    """Remove what killed processes left half written, and refuse to replace what a newer foible wrote.

    Raises:
        StoreError: the folder has a `findings.json` of a newer version, which would be lost.
    """
    sweep(folder, FILES)
    version = version_of(folder / FILES[0])
    if version is not None and version > SCHEMA_VERSION:
        message = f"{folder / FILES[0]} is of version {version}, and this foible writes {SCHEMA_VERSION}: a newer one"
        raise StoreError(f"{message} wrote it; use that, name another --out, or move the file away")


def write(
    result: HuntResult,
    image: Callable[[str], bytes | None],
    folder: Path,
    attributed: Attributions | None = None,
) -> None:
    """Write `findings.json`, `findings.md` and `report.html`, in that order, each whole or not at all.

    Images that the page shows reduced are written to `images` before it.

    Args:
        result: what the hunt found.
        image: gives the PNG file of an image by the hash of its pixels; None where there is none.
        folder: where the files go; it exists.
        attributed: what the answers to its examples react to; None for a page without.

    Raises:
        StoreError: a file cannot be written, or would replace one that a newer foible wrote.
    """
    make_ready(folder)
    write_atomically(folder / FILES[0], to_json(result))
    write_atomically(folder / FILES[1], to_markdown(result))
    write_html(result, image, folder / FILES[2], attributed)
