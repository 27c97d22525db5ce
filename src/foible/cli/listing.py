"""The verbs that list: `models` and `config`.

Comes in: flags. Goes out: tables, or JSON, on stdout. Neighbour: `checks.py`, whose verbs try what is listed here.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from foible.cli.flags import Assignments, File, Json, app, cell, resolved, show_rows, while_read
from foible.config import declared, fields, plain
from foible.errors import brief


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="As JSON lines.")] = False) -> None:
    """List the plug-ins: what is installed, and what is missing."""
    import dataclasses
    import json

    from foible.checks.plugins import listing

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
def show_config(config: File = None, assign: Assignments = None, as_json: Json = False) -> None:
    """Print every field with its value, where the value came from, and what the field is for."""
    import json

    found, origins = resolved(config, assign)
    if as_json:
        rows = {
            name: {
                "value": plain(value),
                "origin": origins[name],
                "role": role,
                "description": declared(name).description,
            }
            for name, value, role in fields(found)
        }
        with while_read():
            print(json.dumps(rows, indent=2, default=str))
        return
    headings = ("field", "value, and what it is for", "from", "role")
    cells = [
        [cell(name), _said(plain(value), declared(name).description or ""), cell(origins[name]), cell(role)]
        for name, value, role in fields(found)
    ]
    with while_read() as console:
        show_rows(console, headings, cells, headings[1:])


def _said(value: object, description: str) -> Text:
    shown = brief(value, 200) if value not in (None, "", [], {}) else "-"
    return Text.assemble(cell(shown), "\n", cell(description, "dim"))
