"""The verbs that look at what was found: `runs`, `show` and `report`. None makes a draw.

Comes in: flags. Goes out: lists and sentences on stdout, files. What a run directory holds is not trusted: each text of
it passes `cell`. Neighbours: `foible.hunting.opening`, which opens a run again; `hunts.py` has the verbs that hunt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from foible.cli.flags import Assignments, Quiet, app, cell, show_rows, while_read
from foible.config import declared
from foible.errors import ConfigError, FoibleError, InputError, OtherVersionError, StoreError, brief
from foible.progress import Bars, Silent

_LARGEST = 256 * 2**20
"""Bytes of a findings.json beyond which it is none of ours."""

Where = Annotated[Path | None, typer.Option("--archive", help=declared("archive").description, metavar="DIR")]
Folder = Annotated[Path, typer.Argument(help="The run directory.", metavar="RUN")]


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="Where the run directories lie.", metavar="DIR")] = Path("runs"),
) -> None:
    """List the runs in a directory: whether they are finished, what they found, and how many draws that took."""
    from foible.run.journal import NAME

    try:
        found = sorted(one for one in folder.iterdir() if (one / NAME).exists())
    except OSError as problem:
        message = f"{folder} cannot be read ({problem.strerror}); name the directory that the runs lie in"
        raise InputError(message) from None
    rows = [[cell(text) for text in (one.name, *_state(one))] for one in found]
    headings = ("run", "state", "draws", "found")
    with while_read() as console:
        if rows:
            show_rows(console, headings, rows, ("run", "found"))
        else:
            console.print(cell(f"no run lies in {folder}"))


@app.command()
def show(
    run: Folder,
    finding: Annotated[
        int | None, typer.Argument(help="The number of a finding, as the list has it.", metavar="[FINDING]", min=1)
    ] = None,
) -> None:
    """Show what a run found; with the number of a finding, all that is said of it, and which images fail."""
    from foible.report import headline, summary
    from foible.report.sentences import plain, title

    result = _read(run)
    if finding is not None and finding > len(result.findings):
        message = f"{run} has {len(result.findings)} findings, and no number {finding}; foible show {run} lists them"
        raise InputError(message)
    with while_read() as console:
        if finding is not None:
            for line in _told(result.findings[finding - 1], result):
                console.print(cell(line), soft_wrap=True)
            return
        console.print(cell(headline(result), "bold"))
        console.print(cell(summary(result)))
        for number, one in enumerate(result.findings, 1):
            console.print(
                Text.assemble(cell(f"{number:>3} "), cell(f"{one.verdict}: "), cell(plain(title(one, result))))
            )


@app.command()
def report(  # noqa: PLR0913 - each is a flag of its own
    run: Folder,
    archive: Where = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the files there. Default: the run directory.", metavar="DIR")
    ] = None,
    assign: Assignments = None,
    classifier: Annotated[
        list[str] | None,
        typer.Option("--classifier", help="With --attribution: the run's, where it cannot be loaded.", metavar="SPEC"),
    ] = None,
    *,
    attribution: Annotated[
        bool, typer.Option("--attribution", help="Show beside the bugs' images what the score reacts to (captum).")
    ] = False,
    code: Annotated[
        bool, typer.Option("--code", help="Load a classifier though it runs code of its own or asks a server.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a finished run's files again; with --set by another margin or level, or more examples.

    No model is loaded but for --attribution, which asks the classifiers what their scores react to.
    """
    from foible.hunting.opening import open_run, write_again
    from foible.layers import read_assignment
    from foible.report.afterwards import afterwards_sentence

    settings: dict[str, object] = {}
    for text in assign or ():
        settings |= _dotted(read_assignment(text))
    if (classifier or code) and not attribution:
        message = "--classifier and --code say how a classifier is loaded, which --attribution alone does; give it, too"
        raise ConfigError(message)
    opened = open_run(run, archive=archive, settings=settings)
    said: list[str] = []
    if attribution:
        from foible.act.attribute import attributed
        from foible.report.attribution import told

        found, page = attributed(opened, classifier or (), Silent() if quiet else Bars(), code=code, out=out)
        said = told(found)
    else:
        page = write_again(opened, out)
    with while_read() as console:
        console.print(f"{len(opened.confirmed)} confirmed of {len(opened)} tested", style="italic")
        if opened.result.afterwards:
            console.print(cell(afterwards_sentence(opened.result)))
        for line in said:
            console.print(cell(line), soft_wrap=True)
        console.print(cell(f"report: {page}"), soft_wrap=True)


def _state(folder: Path) -> tuple[str, str, str]:
    """Say of a run directory: state, draws, and what was found."""
    from foible.report import headline
    from foible.run.journal import Journal

    try:
        with Journal(folder, write=False) as journal:
            if journal.began is None:
                return "nothing noted", "0", ""
            asked = sum(len(block.seeds) for event in journal.asked() for block in event.blocks)
            if not journal.ended:
                return "unfinished", f"{asked:,}", "the same command goes on with it"
    except OtherVersionError as problem:
        return "of another foible", "", brief(problem, 160)
    except FoibleError as problem:
        return "damaged", "", brief(problem, 160)
    try:
        result = _read(folder)
    except FoibleError as problem:  # the files can be made again from the journal
        return "finished", f"{asked:,}", f"{brief(problem, 120)}; foible report {folder} writes it again"
    return "finished", f"{sum(result.draws.values()):,}", headline(result)


def _read(folder: Path) -> Any:
    """Read the findings of a run.

    Raises:
        StoreError: there are none, or the file is none of ours.
    """
    from foible.report import from_json

    path = folder / "findings.json"
    try:
        if path.is_file() and path.stat().st_size <= _LARGEST:  # a pipe would never end
            return from_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        message = f"{path} cannot be read ({brief(problem)}); foible report {folder} writes it again"
        raise StoreError(message) from None
    message = f"{folder} has no findings.json; name the directory of a finished run, or go on with it by its command"
    raise StoreError(message)


def _told(finding: Any, result: Any) -> list[str]:
    """Say all that is known of a finding, a line each."""
    from foible.report import sentence
    from foible.report.notes import notes
    from foible.report.words import as_sentence, probability

    shown = [result.observations[key] for key in finding.failing if key in result.observations]
    images = [one.draw.image for one in shown if one.draw.image]
    lines = [
        f"{finding.verdict}: {sentence(finding, result)}",
        *notes(finding),
        f"Why {finding.verdict}: {as_sentence(finding.reason)}",
        f"p = {probability(finding.p_value)}, adjusted {probability(finding.adjusted)}",
    ]
    return [*lines, *(f"failing: image {image}" for image in images)]


def _dotted(nested: Any, prefix: str = "") -> dict[str, object]:
    """Name fields by their dotted names."""
    found: dict[str, object] = {}
    for name, value in nested.items():
        found |= _dotted(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found
