"""Loads `diffusers` pipelines: whole ones alone, and never a pickle.

Comes in: a folder or a hub name, a scheduler, LoRA files. Goes out: a pipeline on its device, and the fingerprint of
its files. Neighbour: `generator.py`, which asks it.

A weight that is missing would be filled in at random, so it is an error; the library only notes it in its log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.utils import logging as noise

from foible.adapters.transformers import models as _transformers
from foible.diorama.models import PIPELINE, weights
from foible.errors import ArgumentError, FoibleError, PluginError, brief, near
from foible.parts import fingerprint

VERSION = f"adapter 1; diffusers {diffusers.__version__}; {_transformers.VERSION}"
OFFLOADS = ("model", "sequential")

DIORAMA = "diorama"
"""The name of the pipeline that ships with foible: it was trained on the narrow diorama."""
SHIPPED = weights(PIPELINE)

_FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_PICKLES = ("*.bin", "*.ckpt", "*.pt", "*.pth")
_FOR_ANY = ("LCMScheduler", "TCDScheduler")
"""Schedulers for distilled models, which are put in the place of any that predicts noise."""
_FLOW = "FlowMatch"
_UNTRAINED = ("newly initialized", "MISSING", "not initialized from")
_DENOISERS = ("unet", "transformer", "transformer_2", "prior", "decoder")


def folder(name: str, revision: str | None, variant: str | None) -> Path:
    """Find the files, from a folder or from the hub (its local cache alone where `HF_HUB_OFFLINE` is set).

    Raises:
        PluginError: no such folder or hub name, no pipeline, or no safetensors in it.
    """
    found = SHIPPED if name == DIORAMA else Path(name).expanduser()
    if not found.is_dir():
        found = _from_hub(name, revision, variant)
    if not (found / "model_index.json").is_file():
        message = f"{name!r} is no diffusers pipeline: {found} has no model_index.json"
        raise PluginError(message)
    if not any(found.rglob("*.safetensors")):
        pickles = sorted(str(file.relative_to(found)) for kind in _PICKLES for file in found.rglob(kind))
        held = (
            f"holds its weights as pickles ({pickles[0]}), which can run code when they are read; if you trust them, "
        )
        message = held + "load it with diffusers and call save_pretrained(folder), which writes safetensors"
        raise PluginError(f"{name!r} {message if pickles else 'has no weights: there is no *.safetensors file in it'}")
    return found


def pipeline(name: str, found: Path, dtype: torch.dtype, variant: str | None) -> Any:
    """Load the pipeline that makes images of texts with these files.

    Raises:
        PluginError: its files are not whole, or it makes something else.
    """
    with _whole(name):
        made = diffusers.AutoPipelineForText2Image.from_pretrained(  # type: ignore[no-untyped-call]
            found, torch_dtype=dtype, use_safetensors=True, local_files_only=True, variant=variant
        )
    made.set_progress_bar_config(disable=True)
    return made


def schedule(name: str, pipe: Any, wanted: str | None) -> str:
    """Put another scheduler in the place of the pipeline's own, with its configuration; give the name of what is there.

    Args:
        name: what the user called the model.
        pipe: the pipeline; its scheduler is replaced.
        wanted: name of a class of `diffusers`, with or without "Scheduler", in any case; None leaves it.

    Raises:
        ArgumentError: there is none of that name that fits.
    """
    own = type(pipe.scheduler)
    if wanted is None:
        return own.__name__
    known = {_short(one): one for one in _fitting(own)}
    chosen = known.get(_plain(str(wanted)))
    if chosen is None:
        message = f"the scheduler {brief(wanted, 60)!r} does not fit {name!r}; {near(_plain(str(wanted)), known)}"
        raise ArgumentError(message)
    with _whole(name):
        pipe.scheduler = chosen.from_config(pipe.scheduler.config)
    return str(chosen.__name__)


def adapt(name: str, pipe: Any, lora: str | Sequence[str] | Mapping[str, float] | None) -> str:
    """Add LoRA files (arXiv 2106.09685).

    Args:
        name: what the user called the model.
        pipe: the pipeline.
        lora: a file, several, or several with their weights.

    Returns:
        A hash of the files and weights; empty without any.

    Raises:
        ArgumentError: a weight that is no number.
        PluginError: no such file, not a safetensors file, or one for another model.
    """
    wanted = _weights(name, lora)
    told = []
    for number, (text, weight) in enumerate(wanted.items()):
        file = Path(text).expanduser()
        if file.suffix != ".safetensors" or not file.is_file():
            message = f"the LoRA {brief(text)!r} of {name!r} must be a *.safetensors file that is there"
            raise PluginError(message)
        _add(name, pipe, file, f"lora{number}")
        told.append(f"{fingerprint.of_files([file], file.parent)} {weight}")
    if told:
        pipe.set_adapters([f"lora{number}" for number in range(len(told))], list(wanted.values()))
    return fingerprint.of_object(told) if told else ""


def place(name: str, pipe: Any, device: torch.device, offload: str | None, *, compiled: bool) -> None:
    """Move the pipeline to its device, or have its parts moved there while they are needed.

    Raises:
        ArgumentError: no such way to offload, or nothing to offload from.
    """
    if offload is not None and (offload not in OFFLOADS or device.type == "cpu"):
        why = "there is nothing to offload from on a CPU" if offload in OFFLOADS else near(str(offload), OFFLOADS)
        message = f"{name!r} cannot have offload {brief(offload, 40)!r}: {why}"
        raise ArgumentError(message)
    with _whole(name):
        if offload == "model":
            pipe.enable_model_cpu_offload(device=device)
        elif offload == "sequential":
            pipe.enable_sequential_cpu_offload(device=device)
        else:
            pipe.to(device)
    for part in (getattr(pipe, name, None) for name in _DENOISERS) if compiled else ():
        if part is not None:
            part.compile()


def unread(pipe: Any, prompt: str) -> tuple[str, ...]:
    """List the words at the end of a prompt that no text encoder of the pipeline has room for."""
    named: list[Any] = [getattr(pipe, name, None) for name in ("tokenizer", "tokenizer_2", "tokenizer_3")]
    readers = [one for one in named if hasattr(one, "model_max_length")]
    if not readers:
        return ()
    widest = max(readers, key=lambda one: one.model_max_length)
    with silent():
        tokens = widest(prompt, add_special_tokens=True)["input_ids"]
    if len(tokens) <= widest.model_max_length:
        return ()
    ends = widest.num_special_tokens_to_add() - 1  # the mark at the end is kept, in the place of a word
    return tuple(widest.decode(tokens[widest.model_max_length - ends :], skip_special_tokens=True).split())


def hashed(found: Path, lora: str) -> str:
    """Hash every file that decides the images."""
    files = {file for kind in _FILES for file in found.rglob(kind)}
    whole = fingerprint.of_files(files, found)
    return fingerprint.of_object((whole, lora)) if lora else whole


def _weights(name: str, lora: str | Sequence[str] | Mapping[str, float] | None) -> dict[str, float]:
    """Give each LoRA file its weight."""
    wanted = {} if lora is None else dict(lora) if isinstance(lora, Mapping) else None
    if wanted is None and isinstance(lora, str | list):
        wanted = dict.fromkeys([lora] if isinstance(lora, str) else map(str, lora), 1.0)
    if wanted is None or any(isinstance(one, bool) or not isinstance(one, int | float) for one in wanted.values()):
        message = f"the argument lora of {name!r} is a file, a list of files, or a mapping from file to weight, "
        raise ArgumentError(message + f"but got {brief(repr(lora), 80)}")
    return {str(file): float(weight) for file, weight in wanted.items()}


def _add(name: str, pipe: Any, file: Path, adapter: str) -> None:
    if not hasattr(pipe, "load_lora_weights"):
        message = f"{name!r} is a {type(pipe).__name__}, which takes no LoRA"
        raise PluginError(message)
    with _whole(f"{name} with the LoRA {file.name}"):
        pipe.load_lora_weights(file.parent, weight_name=file.name, adapter_name=adapter, use_safetensors=True)
    if not any(adapter in names for names in pipe.get_list_adapters().values()):
        message = f"the LoRA {file.name!r} changes nothing in {name!r}: it is made for another model"
        raise PluginError(message)


def _fitting(own: type) -> list[Any]:
    """List the schedulers that can do the work of one."""
    flows = own.__name__.startswith(_FLOW)
    names = [name for name in dir(diffusers) if name.endswith("Scheduler") and name.startswith(_FLOW)]
    names = names if flows else [*_FOR_ANY, *getattr(own, "_compatibles", [])]
    # A dummy stands in for a class that needs a package which is not installed.
    found = [getattr(diffusers, name, None) for name in {own.__name__, *names}]
    return [one for one in found if one is not None and issubclass(one, diffusers.SchedulerMixin)]


def _plain(name: str) -> str:
    return name.casefold().removesuffix("scheduler")


def _short(kind: type) -> str:
    return _plain(kind.__name__)


@contextmanager
def _whole(name: str) -> Iterator[None]:
    """Turn whatever the library raises, or notes of weights that it made up, into one sentence."""
    notes = _Notes()
    loggers = [logging.getLogger(library) for library in ("diffusers", "transformers")]
    for logger in loggers:
        logger.addHandler(notes)
    try:
        with silent():
            yield
    except FoibleError:
        raise
    except Exception as error:
        told = brief(fingerprint.without_addresses(" ".join(str(error).split())), 240)
        message = f"{name!r} could not be loaded (are its files whole?): {type(error).__name__}: {told}"
        raise PluginError(message) from error
    finally:
        for logger in loggers:
            logger.removeHandler(notes)
    if notes.heard:
        message = f"the weights in {name!r} are not whole, and would be made up: {brief(notes.heard, 240)}"
        raise PluginError(message)


@contextmanager
def silent() -> Iterator[None]:
    """Keep both libraries off the terminal, warnings and bars too; `_Notes` hear of them all the same."""
    loggers = [logging.getLogger(library) for library in ("diffusers", "transformers")]
    with _transformers.quiet():
        before = [(logger, list(logger.handlers), logger.propagate, logger.level) for logger in loggers]
        noise.disable_progress_bar()
        for logger in loggers:
            kept = [one for one in logger.handlers if isinstance(one, _Notes)]
            logger.handlers, logger.propagate = [*kept, logging.NullHandler()], False
            logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            noise.enable_progress_bar()
            for logger, handlers, spreads, level in before:
                logger.handlers, logger.propagate = handlers, spreads
                logger.setLevel(level)


class _Notes(logging.Handler):
    """Hears of weights that were made up."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first such note."""
        text = " ".join(record.getMessage().split())
        if not self.heard and any(words in text for words in _UNTRAINED):
            self.heard = text


def _from_hub(name: str, revision: str | None, variant: str | None) -> Path:
    if name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1:
        message = f"{name!r} could not be loaded: there is no such folder"
        raise PluginError(message)
    try:
        with silent():
            given = diffusers.DiffusionPipeline.download(name, revision=revision, variant=variant, use_safetensors=True)
        return Path(given)
    except Exception as error:
        message = f"{name!r} could not be loaded: it is no folder, and the hub gave nothing of that name: "
        raise PluginError(message + brief(" ".join(str(error).split()), 160)) from error
