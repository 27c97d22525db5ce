"""The verbs that list: `models` and `config`.

Comes in: flags. Goes out: tables, or JSON, on stdout. Neighbour: `checks.py`, whose verbs try what is listed here.
"""

from __future__ import annotations

from typing import Annotated

import typer

from foible.cli.flags import Assignments, File, app, cell, resolved, show_rows, while_read
from foible.config import fields
from foible.errors import brief


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="As JSON lines.")] = False) -> None:
    """List the plug-ins: what is installed, and what is missing."""
    import dataclasses
    import json

    from foible.registry import listing

    rows = listing()
    if as_json:
        with while_read():
            print("\n".join(json.dumps(dataclasses.asdict(row)) for row in rows))
        return
    headings = ("kind", "spec", "from", "state")
    cells = [[cell(text) for text in (row.kind, row.spec, row.source, row.missing or "installed")] for row in rows]
    with while_read() as console:
        show_rows(console, headings, cells, headings)


@app.command("config")
def show_config(
    config: File = None,
    assign: Assignments = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print every field with its value and where the value came from."""
    import json

    found, origins = resolved(config, assign, {})
    if as_json:
        rows = {n: {"value": v, "origin": origins[n], "role": r} for n, v, r in fields(found)}
        with while_read():
            print(json.dumps(rows, indent=2, default=str))
        return
    cells = [[cell(text) for text in (name, _value(value), origins[name], role)] for name, value, role in fields(found)]
    with while_read() as console:
        show_rows(console, ("field", "value", "from", "role"), cells, ("value", "from", "role"))


def _value(value: object) -> str:
    return brief(value, 200) if value not in (None, "", ()) else "-"
