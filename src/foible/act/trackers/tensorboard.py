"""Writes a run as TensorBoard reads it.

Comes in: what is told, and a folder of logs. Goes out: a file of events in a folder of the run. Neighbour: `track.py`.
"""

from __future__ import annotations

from pathlib import Path

from foible.act.trackers.told import COLUMNS, Told
from foible.errors import PluginError, StoreError


def send_to_tensorboard(told: Told, logs: Path) -> str:
    """Write numbers, pictures, the table of findings and the settings; return the folder.

    Raises:
        PluginError: TensorBoard is not installed.
        StoreError: the folder has this run already, or cannot be written.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        message = 'TensorBoard is not installed: pip install "foible[tensorboard]"'
        raise PluginError(message) from None
    folder = logs / told.name
    if folder.exists():
        message = f"{folder} is there already, and TensorBoard would show both runs as one; name another folder of logs"
        raise StoreError(message)
    try:
        with SummaryWriter(str(folder)) as writer:
            for name, value in told.numbers.items():
                writer.add_scalar(name, value, 0)
            for one in told.pictures:
                writer.add_image(one.name, one.image, 0, dataformats="HWC")
            writer.add_text("summary", told.text, 0)
            writer.add_text("findings", _table(COLUMNS, told.rows), 0)
            writer.add_text("settings", _table(("setting", "value"), tuple(told.settings.items())), 0)
    except OSError as problem:
        message = f"{folder} cannot be written ({problem.strerror}); free the place or name another folder of logs"
        raise StoreError(message) from problem
    return str(folder)


def _table(columns: tuple[str, ...], rows: tuple[tuple[object, ...], ...]) -> str:
    """Write a table as TensorBoard's Markdown has it; what could be markup is shown as it is."""
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(one) for one in line)} |" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return "".join(f"&#{ord(c)};" if c in r"|<>&`*_[]\!#~" else c for c in text)
