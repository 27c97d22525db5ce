"""The verbs that list: `models` and `config`.

Comes in: flags. Goes out: tables, or JSON, on stdout. Neighbour: `checks.py`, whose verbs try what is listed here.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from foible.cli.flags import Assignments, File, Json, app, resolved, while_read
from foible.config import declared, fields, plain
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
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "spec", "from", "state"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in (row.kind, row.spec, row.source, row.missing or "installed")))
    with while_read() as console:
        console.print(table)


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
    table = Table(box=None, pad_edge=False)
    for heading in ("field", "value, and what it is for", "from", "role"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "field")
    for name, value, role in fields(found):
        said = Text.assemble(_value(plain(value)), "\n", (declared(name).description or "", "dim"))
        table.add_row(name, said, Text(origins[name]), role)
    with while_read() as console:
        console.print(table)


def _value(value: object) -> str:
    return brief(value, 200) if value not in (None, "", [], {}) else "-"
