"""The verb `explain`: which region of an image, drawn anew, turns a classifier's answer?

Comes in: flags. Goes out: a few lines, and a folder of pictures with their page. Neighbours: `act/explain/`, which does
it; `hunts.py` holds the verbs that find bugs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foible.cli.flags import Assignments, File, Json, Quiet, app, cell, layered, show_rows, while_read
from foible.config import declared
from foible.progress import Bars, Silent

if TYPE_CHECKING:
    from rich.console import Console

    from foible.explaining import VisualExplanation


def _part(kind: str) -> Any:
    return typer.Option(f"--{kind}", help=declared(kind).description, metavar="SPEC")


Image = Annotated[Path, typer.Argument(help="An image file, or the directory of a run.")]
To = Annotated[str, typer.Option("--to", help="The wanted answer; of a failing image by default what it shows.")]
Label = Annotated[str, typer.Option("--label", "-l", help="What the image shows; of a draw it is known.")]
Number = Annotated[int | None, typer.Option("--finding", help="Of a run: its first failing draw, from 1.")]
Draw = Annotated[str, typer.Option("--draw", help="Of a run: the key of a draw, or how it begins.")]
Places = Annotated[
    str, typer.Option("--where", help="What may change.", metavar="attribution|object|background|random")
]
Classifier = Annotated[str | None, _part("classifier")]
Generator = Annotated[str | None, _part("generator")]
Judge = Annotated[str | None, _part("judge")]
Captioner = Annotated[str | None, _part("captioner")]
Embedder = Annotated[str | None, _part("embedder")]
Looks = Annotated[
    str | None, typer.Option("--attribution", help="How it is found where to look.", metavar="gradients|occlusion")
]
Guided = Annotated[
    str | None, typer.Option("--guidance", help="By gradients, or the best of several.", metavar="steer|select")
]
Seeds = Annotated[int, typer.Option("--seeds", help="How many times it is tried.")]
Strength = Annotated[
    float | None,
    typer.Option("--strength", help="How much is noise at first: 0.6, then 0.8 and 1; of a background 1."),
]
Rates = Annotated[list[float] | None, typer.Option("--rate", help="Of guidance, the mildest first: 0.5, 1, 2.")]
Prompt = Annotated[str, typer.Option("--prompt", help="What the whole image should show.")]
Seed = Annotated[int | None, typer.Option("--seed", help=declared("seed").description)]
Archive = Annotated[Path | None, typer.Option("--archive", help=declared("archive").description)]
Out = Annotated[Path | None, typer.Option("--out", help="Where pictures and page go: a new folder in `explained`.")]
Resize = Annotated[bool, typer.Option("--resize", help="Cut and scale an image of another size.")]
Tested = Annotated[bool, typer.Option("--words/--no-words", help="Test the words that changed on fresh draws.")]
Control = Annotated[bool, typer.Option("--control/--no-control", help="Try random masks of equal area.")]
Thin = Annotated[bool, typer.Option("--thin/--no-thin", help="Thin a mask that turned the answer.")]
Lpips = Annotated[
    str | None, typer.Option("--lpips", help="Say how far it looks, by this network.", metavar="squeeze|alex|vgg")
]
Code = Annotated[
    bool, typer.Option("--code", help="Load what the run names though it runs code of its own or asks a server.")
]


@app.command()
def explain(  # noqa: PLR0913 - each is a flag of its own
    image: Image,
    to: To = "",
    label: Label = "",
    finding: Number = None,
    draw: Draw = "",
    where: Places = "attribution",
    classifier: Classifier = None,
    generator: Generator = None,
    judge: Judge = None,
    captioner: Captioner = None,
    embedder: Embedder = None,
    attribution: Looks = None,
    guidance: Guided = None,
    seeds: Seeds = 5,
    strength: Strength = None,
    rate: Rates = None,
    prompt: Prompt = "",
    lpips: Lpips = None,
    seed: Seed = None,
    archive: Archive = None,
    out: Out = None,
    config: File = None,
    assign: Assignments = None,
    *,
    resize: Resize = False,
    words: Tested = True,
    control: Control = True,
    thin: Thin = True,
    code: Code = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Find the region of an image that, drawn anew by a generator, turns the classifier's answer."""
    from foible.act.explain.explain import explain_wanted
    from foible.act.explain.wanted import Wanted
    from foible.explaining import Search

    parts = {"classifier": classifier, "generator": generator, "judge": judge, "captioner": captioner}
    own: dict[str, object] = {**parts, "embedder": embedder, "seed": seed, "archive": archive, "out": out}
    given = [(f"--{name}", {name: value}) for name, value in own.items() if value is not None]
    looks: dict[str, Any] = {"attribution": attribution, "guidance": guidance, "strength": strength, "prompt": prompt}
    looks |= {"resize": resize, "words": words, "control": control, "thin": thin, "lpips": lpips}
    search = Search(seeds=seeds, rates=tuple(rate or ()), **looks)
    asked: dict[str, Any] = {"to": to, "label": label, "finding": finding, "draw": draw, "where": where, "code": code}
    wanted = Wanted(what=image, search=search, layers=layered(config, assign, given), **asked)
    found, folder = explain_wanted(wanted, Silent() if quiet else Bars())
    _show(found, folder, as_json=as_json)


def _show(found: VisualExplanation, folder: Path, *, as_json: bool) -> None:
    from foible.report import explaining as pages

    with while_read() as console:
        if as_json:
            print(pages.to_json(found), end="")
        else:
            _print(found, folder, console)


def _print(found: VisualExplanation, folder: Path, console: Console) -> None:
    from foible.report import explaining as pages
    from foible.report.words import percent

    console.print(cell(pages.headline(found), "bold"), soft_wrap=True)
    for line in pages.lines(found):
        console.print(cell(line), soft_wrap=True)
    rows = [
        [
            cell(one.seed),
            cell(pages.STATUS[one.status]),
            cell(one.said or one.reason),
            cell(percent(one.share)),
            cell("–" if one.l1 is None else f"{one.l1:.3f}"),
            cell("–" if one.control is None else pages.STATUS[one.control.status]),
            cell(one.caption),
        ]
        for one in found.attempts
    ]
    headings = ("seed", "answer", "says", "changed", "L1", "random mask", "caption")
    show_rows(console, headings, rows, ("says", "caption"))
    for word in found.words.changed[:6]:
        console.print(cell(f"{word.side}: “{word.phrase}”, in {word.attempts} of the captions"), soft_wrap=True)
    for finding in found.words.tested:
        console.print(cell(pages.tested_line(finding)), soft_wrap=True)
    if found.words.untested:
        console.print(cell(f"the words are untested: {found.words.untested}"), soft_wrap=True)
    for note in found.notes:
        console.print(cell(note, "dim"), soft_wrap=True)
    console.print(cell(f"page: {folder / 'explain.html'}"), soft_wrap=True)
