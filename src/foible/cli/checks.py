"""The verbs that try before a hunt does: `plan`, `doctor` and `calibrate-judge`.

Comes in: flags. Goes out: what a hunt may cost, whether its parts work, a calibration. Neighbours: `forecast.py`,
`doctor.py` and `calibrate.py` in `foible.checks`, which do it.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from foible.cli.flags import (
    CLASSIFIERS,
    PARTS,
    Assignments,
    Json,
    app,
    cell,
    lasting,
    over,
    resolved,
    show_rows,
    sized,
    told,
    while_read,
)
from foible.config import HuntConfig
from foible.errors import ArgumentError, brief
from foible.parts.registry import KINDS

if TYPE_CHECKING:
    from foible.checks.forecast import Plan

ALIKE = 5
"""Classes that may be the same as a label, and that `plan` names."""


@app.command()
@over(CLASSIFIERS, "source", "labels", *PARTS, "guide.method", "budget", "max_minutes", "max_requests")
def plan(
    config: HuntConfig,
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Load no part and take no time; check specs and arguments alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Foretell a hunt, before any draw: what it may cost, and the smallest failure rate that it can see."""
    from foible.checks.forecast import plan as foretell

    found = foretell(config, offline=offline)
    with while_read() as console:
        if as_json:
            print(json.dumps(dataclasses.asdict(found), indent=2))
            return
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, told in (*_costs(found), *_sight(found), *_alike(found)):
            table.add_row(cell(name, "bold"), cell(told))
        console.print(table)


@app.command()
@over(CLASSIFIERS, "source", *PARTS, "labels", "max_requests")
def doctor(
    config: HuntConfig,
    *,
    specs: Annotated[
        list[str] | None, typer.Argument(help="kind=family:name, such as judge=clip:…; by default the config's parts.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option("--image", help="A photograph that the parts are shown first.", metavar="FILE")
    ] = None,
    as_json: Json = False,
) -> None:
    """Load each part, ask it a little, and say what came, how fast, where; or what mends it.

    Of a classifier it says how an image becomes its input, what its classes are called, and what it says of an image.
    """
    from foible.checks.doctor import examine, read_spec
    from foible.labels import split_name
    from foible.records import Label

    named = [read_spec(text) for text in specs or ()]
    drawn = [("generator", config.source.spec, config.source.args)] if config.source.spec else []
    own = [*drawn, *((kind, part.spec, part.args) for kind in KINDS for part in config.parts(kind) if part.spec)]
    names = [Label(*split_name(text.rpartition("=")[2])) for text in config.labels]
    wanted = [(kind, spec, _args_for(kind, spec, config)) for kind, spec in named] or own
    for sentence in _left_out([kind for kind, _ in named], config):
        told(sentence, 0)
    checkups = examine(wanted, names, config.max_requests, image)
    with while_read() as console:
        if as_json:
            print(json.dumps([dataclasses.asdict(one) for one in checkups], indent=2))
        else:
            headings = ("kind", "spec", "answers with", "device", "loaded in", "each")
            rows = []
            for one in checkups:
                came = (one.answer, one.device or "-", f"{one.loading:.1f} s", _each(one.each))
                rows.append([cell(text) for text in (one.kind, one.spec, *(("",) * 4 if one.trouble else came))])
            show_rows(console, headings, rows, headings)
            for one in checkups:
                more = {"takes": one.recipe, "classes": one.classes, "says": one.says, "mind": one.note}
                if any(more.values()):
                    console.print(cell(f"{one.kind} {one.spec}", "bold"), soft_wrap=True)
                for name, text in more.items():
                    if text:
                        console.print(cell(f"  {name:<8}{text}"), soft_wrap=True)
            for one in (one for one in checkups if one.trouble):
                console.print(cell(f"{one.kind}: {one.trouble}", "bold red"), soft_wrap=True)
    if any(one.trouble for one in checkups):
        raise typer.Exit(2)


def _args_for(kind: str, spec: str, config: HuntConfig) -> Mapping[str, Any]:
    """Give the arguments that --set or --config hold for a part whose spec stands on the command line.

    Raises:
        ArgumentError: they were written for a part of another spec.
    """
    part = config.parts(kind)[0]
    if part.args and part.spec not in (spec, HuntConfig().parts(kind)[0].spec):
        message = f"the arguments of the {kind} are for {part.spec!r}, not for {spec!r}; give --{kind} {spec} instead"
        raise ArgumentError(message)
    return part.args


def _left_out(named: Collection[str], config: HuntConfig) -> Iterator[str]:
    """Say which parts were set, and are not examined because others are named on the command line."""
    for kind in KINDS if named else ():
        for part in config.parts(kind) if kind not in named else ():
            if part.args or part.spec not in {HuntConfig().parts(kind)[0].spec, ""}:
                its = ", nor are its arguments used" if part.args else ""
                spec = brief(part.spec)
                yield f"the {kind} {spec} is not examined{its}: name it too, as in {kind}={spec}"


@app.command("calibrate-judge")
def calibrate_judge(
    judge: Annotated[str, typer.Option("--judge", help="clip:… or vlm:…", metavar="SPEC")],
    images: Annotated[Path, typer.Option("--images", help="A folder for each label, with its images.", metavar="DIR")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.", metavar="FILE")],
    specificity: Annotated[
        float, typer.Option("--specificity", help="Say no to this share of wrong labels.", min=0.5, max=1.0)
    ] = 0.95,
    assign: Assignments = None,
) -> None:
    """Set a judge's thresholds on labelled images, and count how well it does on others: sensitivity, specificity."""
    from foible.checks.calibrate import calibrate
    from foible.errors import InputError

    found = resolved(None, assign, [("--judge", {"judge": judge})])[0].judge
    done = calibrate(found.spec, found.args, images, specificity=specificity)
    try:
        out.write_text(done.text(), encoding="utf-8")
    except OSError as problem:
        message = f"the calibration cannot be written to {out} ({problem.strerror}); name another file with --out"
        raise InputError(message) from None
    yes, no = done.sensitivity, done.specificity
    with while_read() as console:
        console.print(f"sensitivity {yes.rate:.0%} ({yes.right} of {yes.of}), specificity {no.rate:.0%}", end=" ")
        console.print(f"({no.right} of {no.of}), on images that set no threshold")
        if done.broken:
            console.print(f"{done.broken} files cannot be read as images, and were left out")
        console.print(cell(f"use it: --judge {found.spec} --set judge.args.calibration={out}"), soft_wrap=True)


def _costs(found: Plan) -> list[tuple[str, str]]:
    """Tell what a hunt may cost."""
    from foible.checks.likely import SUPPOSED

    stages, likely = (
        ", ".join(f"{name} {count:,}" for name, count in of.items()) for of in (found.draws, found.likely)
    )
    sent = ", ".join(f"{kind} {count:,}" for kind, count in found.requests.items())
    if "test" in found.draws:
        rows = [("photographs", f"at most {found.total:,} ({stages})")]
    else:
        rows = [
            ("draws", f"likely {sum(found.likely.values()):,} ({likely}), {SUPPOSED}; {found.bare:,} without a bug"),
            ("  at most", f"{found.total:,} ({stages})"),
        ]
    rows += [("requests", f"at most {sum(found.requests.values()):,} ({sent})" if sent else "none")]
    if found.disk is None:
        rows.append(("disk", "not known: the generator decides the size of its images"))
    else:
        rows.append(("disk", f"{'about' if found.measured else 'at most'} {sized(found.disk)} of images"))
    if found.seconds:
        slowest = sorted(found.seconds.items(), key=lambda item: -item[1])
        shares = ", ".join(f"{kind} {lasting(seconds)}" for kind, seconds in slowest)
        rows.append(
            ("time", f"likely {lasting(sum(found.seconds.values()))} ({shares}), at most {lasting(found.longest)}")
        )
    if found.max_minutes is not None:
        minutes = sum(found.seconds.values()) / 60
        parts = f"; the whole is likely to take {minutes / found.max_minutes:.1f} times that" if found.seconds else ""
        rows.append(("stops after", f"{found.max_minutes:g} minutes, to be gone on with{parts}"))
    rows += [("mind", note) for note in found.notes]
    return rows


def _sight(found: Plan) -> list[tuple[str, str]]:
    """Tell what a hunt can see."""
    from foible.report.words import count

    labels, hypotheses = count(found.labels, "label"), count(found.hypotheses, "hypothesis", "hypotheses")
    pairs = ("" if found.fixed else "at most ") + count(found.pairs, "pair")
    seen = "is confirmed, 9 times of 10" if found.fixed else "is expected to be confirmed by then"
    shown = f"shows the {count(found.failures, 'failure')} that a hypothesis takes"
    rows = [
        ("explores", f"{labels}; one that fails at {found.seen:.1%} {shown}, 9 times of 10"),
        ("no failure", f"would exclude failure rates of a label above {found.excluded:.1%}, at 95 %"),
    ]
    if "test" in found.draws:
        return [
            *rows,
            ("tests", f"at most {hypotheses}, on the other half: {count(found.pairs, 'photograph')} a label, or more"),
        ]
    rows.append(("tests", f"at most {hypotheses}, with {pairs} each"))
    for base, effect in found.effects.items():
        told = f"a failure rate of {effect:.0%} {seen}" if effect else "nothing can be confirmed"
        rows.append((f"  base {base:.0%}", told))
    return rows


def _alike(found: Plan) -> list[tuple[str, str]]:
    """Tell which classes may be the same thing as a label, and how to accept them."""
    rows: list[tuple[str, str]] = []
    for one in found.alike[:ALIKE]:
        why = (
            "one is the kind of the other"
            if one.share is None
            else f"annotators saw both in {one.share:.0%} of pictures"
        )
        how = f"accept with --label {shlex.quote(one.accept)}" if one.accept else "list its class among the label's"
        rows.append(("" if rows else "may be the same", f"{one.label} and {one.name} ({why}): {how}"))
    more = len(found.alike) - ALIKE
    return [*rows, ("", f"and {more} more; see --json")] if more > 0 else rows


def _each(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
