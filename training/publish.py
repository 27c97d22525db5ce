"""What leaves training: a trained model in, the folder of weights that ships out.

Weights are kept in half precision, which halves the files; their configs say float32, so that a
plain `from_pretrained` computes in single precision. A README in each folder is the model card.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from data import SIZE, place
from transformers import CLIPImageProcessorPil, PreTrainedModel


def save(model: PreTrainedModel, name: str) -> Path:
    """Write weights, config and image processor to the folder of this name; return the folder."""
    folder = place(name)
    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        key: value.detach().half().contiguous() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    model.save_pretrained(folder, state_dict=halves)
    CLIPImageProcessorPil(
        size={"shortest_edge": SIZE},
        crop_size={"height": SIZE, "width": SIZE},
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    ).save_pretrained(folder)
    return folder


def write_json(folder: Path, name: str, content: object) -> None:
    """Write one small JSON file, readable by people too."""
    (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_card(
    name: str, what: str, *, command: str, seconds: float, details: list[str], measured: dict[str, float]
) -> None:
    """Write the model card: what it is, how it was made, and what was measured on held-out images.

    `measured` maps what was measured to a share between 0 and 1.
    """
    version = torch.__version__.split("+")[0]
    rows = [f"| {key} | {value:.1%} |" for key, value in measured.items()]
    lines = [
        f"# {place(name).name}",
        "",
        what,
        "",
        *(f"- {detail}" for detail in details),
        f"- Made by `{command}`, after `python training/data.py`.",
        f"- That took {round(seconds)} s on one thread of a CPU, with torch {version}.",
        "- Apache-2.0, like the rest of foible. Made for the diorama alone: it knows nothing of the real world.",
        "",
        "Measured by `python training/check.py`, on images of seeds kept out of training:",
        "",
        "| what | value |",
        "|---|---|",
        *rows,
    ]
    (place(name) / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
