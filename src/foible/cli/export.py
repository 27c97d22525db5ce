"""The verb `export`: images of a classifier's bugs as a data set, those that a run has or, adversarially, fresh ones.

Comes in: flags. Goes out: a folder, and what is in it. Neighbours: `foible.act.sets`, which does it; `proofs.py`, which
has other verbs that go on from a run; `hunts.py`, whose `hunt` comes first where `--of` names a classifier.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foible.cli.flags import Assignments, File, Json, Quiet, app, cell, resolved, told, while_read
from foible.cli.proofs import Archive, Findings, specs_of
from foible.config import declared
from foible.errors import ConfigError
from foible.progress import Bars, Silent

if TYPE_CHECKING:
    from rich.console import Console

    from foible.act.sets.rows import AdversarialExport, Exported
    from foible.config import HuntConfig

RunDirectory = Annotated[
    Path, typer.Argument(help="The directory of a finished hunt; with --of, where the hunt goes.", metavar="RUN")
]
Out = Annotated[Path, typer.Option("--out", help="The folder to make.", metavar="DIR")]
Format = Annotated[str, typer.Option("--format", help="imagefolder, parquet, datasets, webdataset or fiftyone.")]
Draws = Annotated[
    str, typer.Option("--draws", help="failing, passing or both. An adversarial set holds those that fail.")
]
Size = Annotated[
    int | None, typer.Option("--size", help="At most this many images; --adversarial draws until there are.", min=1)
]
Distinct = Annotated[
    float | None,
    typer.Option("--distinct", help="Leave out images that an embedder places closer to another than this cosine."),
]
Embedder = Annotated[
    str | None,
    typer.Option("--embedder", help="Who says what is close; that of the run where not given.", metavar="SPEC"),
]
Classifiers = Annotated[
    list[str] | None,
    typer.Option("--classifier", help="Who else fails on the images? Give it again for more.", metavar="SPEC"),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label", "-l", help='For a label that these call otherwise: "504|968=coffee mug". With --of: to hunt over.'
    ),
]
Licence = Annotated[str, typer.Option("--licence", help="What the card says of the images.")]
Requests = Annotated[int | None, typer.Option("--max-requests", help=declared("max_requests").description, min=1)]
Adversarial = Annotated[
    bool, typer.Option("--adversarial", help="Draw fresh images of the bugs, and keep those that fail.")
]
Of = Annotated[
    str | None,
    typer.Option(
        "--of", help="Adversarial: hunt this classifier first, by --label, --config and --set.", metavar="SPEC"
    ),
]
MaxDraws = Annotated[
    int | None,
    typer.Option("--max-draws", help="Adversarial: draw at most so many images; ten for each that is wanted.", min=1),
]
Against = Annotated[
    str, typer.Option("--against", help="Adversarial: which classifier of the run; the first where not given.")
]
Seed = Annotated[
    int | None, typer.Option("--seed", help="Adversarial: where the seeds come from; the run's where not given.")
]
Code = Annotated[
    bool,
    typer.Option(
        "--code", help="Adversarial: load what the run names though it runs code of its own or asks a server."
    ),
]


@app.command()
def export(  # noqa: PLR0913 - each is a flag of its own
    run: RunDirectory,
    out: Out,
    form: Format = "imagefolder",
    draws: Draws = "failing",
    size: Size = None,
    finding: Findings = None,
    distinct: Distinct = None,
    embedder: Embedder = None,
    classifier: Classifiers = None,
    label: Labels = None,
    archive: Archive = None,
    licence: Licence = "unknown",
    max_requests: Requests = None,
    of: Of = None,
    max_draws: MaxDraws = None,
    against: Against = "",
    seed: Seed = None,
    config: File = None,
    assign: Assignments = None,
    *,
    adversarial: Adversarial = False,
    code: Code = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Write the images of a run's confirmed findings as a data set, with a card; --adversarial draws fresh ones."""
    own: dict[str, object] = {"of": of, "max_draws": max_draws, "against": against, "seed": seed, "code": code}
    _refuse(own, adversarial=adversarial, draws=draws, size=size, max_requests=max_requests)
    given: dict[str, object] = {
        "form": form,
        "size": size,
        "findings": finding or (),
        "distinct": distinct,
        "embedder": embedder,
        "archive": archive,
        "licence": licence,
        "max_requests": max_requests,
    }
    if of is not None:
        named = {"classifier": of, "out": run, "labels": label, "archive": archive}
        layer = {name: value for name, value in named.items() if value}
        _hunt(resolved(config, assign, [("--of", layer)])[0], quiet=quiet)
        given |= {"classifiers": specs_of(classifier, None, None)}
    else:
        given |= {"classifiers": specs_of(classifier, config, assign), "labels": label or ()}
    if adversarial:
        given |= {name: own[name] for name in ("max_draws", "against", "seed", "code")}
        _adversarial(run, out, {**given, "progress": not quiet}, as_json=as_json)
    else:
        _export(run, out, {**given, "draws": draws}, as_json=as_json)


def _refuse(
    own: dict[str, object], *, adversarial: bool, draws: str, size: int | None, max_requests: int | None
) -> None:
    """Refuse flags that do not go together.

    Raises:
        ConfigError: they do not.
    """
    if not adversarial and (
        wrong := next((name for name, value in own.items() if value not in {None, "", False}), None)
    ):
        message = f"--{wrong.replace('_', '-')} is for an adversarial set; say --adversarial, or leave it out"
        raise ConfigError(message)
    if adversarial and (size is None or draws != "failing"):
        message = "an adversarial set is of so many images that fail; say how many with --size, and leave --draws out"
        raise ConfigError(message)
    if own["of"] is not None and max_requests is not None:
        message = "--max-requests counts the requests of one step, and --of makes two; hunt first, with foible hunt"
        raise ConfigError(message)


def _hunt(config: HuntConfig, *, quiet: bool) -> None:
    """Hunt, or go on with a hunt."""
    from foible.hunting.api import run as hunt

    hunt(config, progress=Silent() if quiet else Bars())


def _export(run: Path, out: Path, given: dict[str, object], *, as_json: bool) -> None:
    from foible.act.sets.export import export as write
    from foible.act.sets.told import export_json

    done = write(run, out, **given)  # type: ignore[arg-type]  # typer has checked each
    with while_read() as console:
        if as_json:
            print(export_json(done), end="")
        else:
            _print_exported(done, console)


def _print_exported(done: Exported, console: Console) -> None:
    from foible.act.sets.card import fails_told
    from foible.report.words import count

    for found, number in done.counts:
        about = found.trial.hypothesis
        console.print(cell(f"{number:6,}  {about.label} “{about.description}”"), soft_wrap=True)
    for one in done.fails:
        console.print(cell(f"{one.classifier} fails on {fails_told(one)} of {one.images}"), soft_wrap=True)
    gone = f"; {count(done.gone, 'image')} more have gone from the archive" if done.gone else ""
    alike = f"; left out, too much like another: {done.alike:,}" if done.alike else ""
    console.print(cell(f"{count(done.images, 'image')} in {done.folder}{gone}{alike}"), soft_wrap=True)


def _adversarial(run: Path, out: Path, given: dict[str, object], *, as_json: bool) -> None:
    from foible.act.sets.adversarial import export_adversarial
    from foible.act.sets.told import adversarial_json, shortfalls

    found = export_adversarial(run, out, **given)  # type: ignore[arg-type]  # typer has checked each
    with while_read() as console:
        if as_json:
            print(adversarial_json(found), end="")
        else:
            _print_adversarial(found, console)
    for sentence in shortfalls(found):
        told(sentence, 0)


def _print_adversarial(found: AdversarialExport, console: Console) -> None:
    from foible.act.sets.card import fails_told
    from foible.report.words import count

    for one in found.bugs:
        about = one.finding.trial.hypothesis
        line = f"{one.images:6,}  {about.label} “{about.description}”, which fails in {fails_told(one.before)} of "
        console.print(cell(f"{line}{one.before.images:,} before any choice"), soft_wrap=True)
    own, *others = found.before
    line = f"{own.classifier} fails on {fails_told(own)} of {own.images:,} before any choice, and on the set by choice"
    console.print(cell(line), soft_wrap=True)
    for before, on in zip(others, found.exported.fails, strict=True):
        line = f"{before.classifier} fails on {fails_told(before)} of {before.images:,} before any choice, on "
        console.print(cell(f"{line}{fails_told(on)} of {on.images:,} of the set"), soft_wrap=True)
    alike = f"; left out, too much like another: {found.exported.alike:,}" if found.exported.alike else ""
    done = f"{count(found.exported.images, 'image')} in {found.exported.folder}, of {count(found.draws, 'draw')}{alike}"
    console.print(cell(done, "bold"), soft_wrap=True)
