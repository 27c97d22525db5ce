"""What the `transformers` adapters share: finding the files, loading them quietly, refusing what is broken.

Comes in: a folder or a hub name. Goes out: a model in evaluation mode on its device, its image processor, its
tokenizer, and the fingerprint of the files they were made of. Neighbours: the adapters, one per kind, which know what
to ask a model.

Weights are untrusted: only safetensors are read, and code that comes with a model runs only when `trust_remote_code` is
asked for by that name. A weight that is missing or has the wrong shape would be filled in at random, so it is an error.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import PIL
import torch
import transformers
from transformers.utils import logging

from foible.adapters.shared import devices as _torch
from foible.errors import FoibleError, PluginError, brief
from foible.parts import answers as _answers
from foible.parts import fingerprint

if TYPE_CHECKING:
    from foible.parts.protocols import Image

ADAPTER_VERSION = 1
"""Raised when an adapter changes what it answers."""

VERSION = (
    f"adapter {ADAPTER_VERSION}; transformers {transformers.__version__}; torch {torch.__version__}; "
    f"pillow {PIL.__version__}"
)

_TEXTS = (
    "*config.json",
    "added_tokens.json",
    "chat_template*",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "vocab*",
    "*.model",
)
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
"""What Pillow's numbers of them mean."""
_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True)
class Source:
    """A folder of files that make a model, and how to run it."""

    name: str
    """As it was given."""
    folder: Path
    device: torch.device
    dtype: torch.dtype
    trust_remote_code: bool

    @property
    def fingerprint(self) -> str:
        """Hash of every file that decides the answers; computed anew at each call."""
        weights = {file for pattern in _WEIGHTS for file in self.folder.glob(pattern)}
        return fingerprint.of_files({*self.texts, *weights}, self.folder)

    @property
    def texts(self) -> frozenset[Path]:
        """Every file that decides the answers, but for the weights."""
        patterns = (*_TEXTS, *(("*.py",) if self.trust_remote_code else ()))
        return frozenset(file for pattern in patterns for file in self.folder.glob(pattern))

    @property
    def resolved(self) -> dict[str, str]:
        """What was chosen where the arguments left it open, and can change the last bits of an answer."""
        return _torch.resolved(self.device, self.dtype)


def source(
    name: str,
    *,
    device: str | None,
    dtype: str | None = "float32",
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Source:
    """Find the files, from a folder or from the hub (its local cache alone where `HF_HUB_OFFLINE` is set).

    Device and dtype are chosen where they are None.

    Raises:
        PluginError: no such folder or hub name, or no safetensors in it.
        ArgumentError: an unknown device or dtype.
    """
    where = _torch.device(name, device)
    numbers = _torch.dtype(name, dtype, where)
    folder = Path(name).expanduser()
    folder = folder if folder.is_dir() else _from_hub(name, revision, code=trust_remote_code)
    if not (folder / "config.json").is_file():
        message = f"{name!r} is no transformers model: {folder} has no config.json"
        raise PluginError(message)
    if not any(folder.glob("*.safetensors")):
        pickles = sorted(file.name for pattern in _PICKLES for file in folder.glob(pattern))
        raise PluginError(_no_safetensors(name, folder, pickles))
    _refuse_more_classes(name, folder)
    return Source(name, folder, where, numbers, trust_remote_code)


def _refuse_more_classes(name: str, folder: Path) -> None:
    """Refuse a config with more classes than its weights have bytes: the library would name each of them first."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return  # the library says what is wrong with it
    count = config.get("num_labels") if isinstance(config, dict) else None
    held = sum(file.stat().st_size for file in folder.glob("*.safetensors") if file.is_file())
    if isinstance(count, int) and count > held:
        message = (
            f"the config.json of {name!r} says {brief(count, 40)} classes, more than its weights of {held:,} bytes "
        )
        raise PluginError(f"{message}can hold: mend its num_labels, or fetch the weights again")


def model(found: Source, auto: Any, *, may_lack: tuple[str, ...] = ()) -> tuple[Any, frozenset[str]]:
    """Load a model with one of the `Auto…` classes.

    Args:
        found: the files.
        auto: the class.
        may_lack: beginnings of the names of weights that the caller can do without.

    Returns:
        The model, and the names of the weights that it lacks (all of them allowed by `may_lack`).
    """
    _must_be(found, auto)
    with _sentence(found.name), quiet():
        made, report = auto.from_pretrained(
            found.folder,
            dtype=found.dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=found.trust_remote_code,
            output_loading_info=True,
        )
        made = made.to(found.device).eval().requires_grad_(requires_grad=False)
    lacking = frozenset(report["missing_keys"])
    wrong = sorted(name for name in lacking if not name.startswith(may_lack or ("\0",)))
    if wrong:
        message = f"the weights in {found.name!r} are not whole: {type(made).__name__} also needs {_some(wrong)}"
        raise PluginError(message)
    return made, lacking


def _must_be(found: Source, auto: Any) -> None:
    """Say what a folder holds when it is no model of the wanted kind; the library's own answer lists hundreds."""
    with _sentence(found.name), quiet():
        config = transformers.AutoConfig.from_pretrained(
            found.folder, local_files_only=True, trust_remote_code=found.trust_remote_code
        )
    remote = getattr(config, "auto_map", None) or {}
    if type(config) not in auto._model_mapping and auto.__name__ not in remote:  # noqa: SLF001 - no public way
        message = f"{found.name!r} is a {config.model_type} model, which {auto.__name__} cannot load: "
        raise PluginError(message + "it does another job")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names[3:]) else "")


def image_processor(found: Source, scaling: Mapping[str, Any] | None = None) -> Any:
    """Load the processor, always the PIL one: the other backend gives slightly different pixels.

    Args:
        found: the files.
        scaling: settings that go before its own, such as `image_mean`.
    """
    with _sentence(found.name), quiet():
        return transformers.AutoImageProcessor.from_pretrained(
            found.folder,
            backend="pil",
            local_files_only=True,
            trust_remote_code=found.trust_remote_code,
            **(scaling or {}),
        )


def recipe(processor: Any) -> dict[str, Any]:
    """Say what an image processor does, as `ShowsRecipe` has it; what it does in a way of its own is left out."""
    said = processor.to_dict()
    cut = said.get("crop_size") if said.get("do_center_crop") else None
    sides = cut or said.get("size") or {}
    high, wide = (sides.get(side) for side in ("height", "width"))
    found: dict[str, Any] = {"size": [high, wide]} if high and wide else {}
    shorter = (said.get("size") or {}).get("shortest_edge")
    if cut and shorter and high and wide:
        found["crop"] = round(min(high, wide) / shorter, 4)
    elif not cut and found:
        found["crop"] = None
    if said.get("do_normalize") and said.get("do_rescale", True):
        found |= {"mean": list(said["image_mean"]), "std": list(said["image_std"])}
    elif said.get("do_rescale"):
        found |= {"mean": [0.0] * 3, "std": [1.0] * 3}
    elif not said.get("do_normalize"):
        found |= {"mean": None, "std": None}
    resample = said.get("resample")
    return {**found, **({"interpolation": _FILTERS[int(resample)]} if resample in _FILTERS else {})}


def tokenizer(found: Source) -> Any:
    """Load the tokenizer."""
    with _sentence(found.name), quiet():
        return transformers.AutoTokenizer.from_pretrained(
            found.folder, local_files_only=True, trust_remote_code=found.trust_remote_code
        )


def chat_processor(found: Source) -> Any:
    """Load what turns chats about images into tensors.

    Raises:
        PluginError: the model has no chat template.
    """
    with _sentence(found.name), quiet():
        processor = transformers.AutoProcessor.from_pretrained(
            found.folder, backend="pil", local_files_only=True, trust_remote_code=found.trust_remote_code
        )
    if getattr(processor, "chat_template", None) is None or not hasattr(processor, "tokenizer"):
        message = f"{found.name!r} has no chat template for images, so it cannot be asked a question; name a chat model"
        raise PluginError(message)
    return processor


BRIEFLY = {"enable_thinking": False}
"""For a chat template: models that may think before they answer do not, where their template knows this name."""


def thinks(found: Source, processor: Any) -> bool:
    """Say whether a chat template lets every answer begin amid a thought, so that its first words answer nothing."""
    talk = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "?"}]}]
    with _sentence(found.name), quiet():
        asked = processor.apply_chat_template(talk, tokenize=False, add_generation_prompt=True, **BRIEFLY)
    return _answers.opens_thought(asked)


def pixels(processor: Any, images: Sequence[Image], found: Source) -> torch.Tensor:
    """Turn images into the tensor that the model takes: (n, channels, height, width)."""
    batch = processor(images=list(images), return_tensors="pt", input_data_format="channels_last")
    return batch["pixel_values"].to(found.device, found.dtype)  # type: ignore[no-any-return]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the library's notes and progress bars off the terminal, and leave its settings as they were."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _sentence(name: str) -> Iterator[None]:
    """Turn whatever the library raises over broken files into one sentence."""
    try:
        yield
    except FoibleError:
        raise
    except Exception as error:
        told = brief(fingerprint.without_addresses(" ".join(str(error).split())), 240)
        if "`trust_remote_code=True`" in str(error):
            message = f"{name!r} comes with code of its own: give the argument trust_remote_code: true if you trust it"
            raise PluginError(message) from error
        message = f"{name!r} could not be loaded (are its files whole?): {type(error).__name__}: {told}"
        raise PluginError(message) from error


def must_exist(name: str) -> None:
    """Refuse a path of a folder that is not there, at once; what may be a name on the hub passes.

    Raises:
        PluginError: there is no such folder.
    """
    a_path = name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1
    if a_path and not Path(name).expanduser().is_dir():
        message = f"{name!r} could not be loaded: there is no such folder"
        raise PluginError(message)


def _from_hub(name: str, revision: str | None, *, code: bool) -> Path:
    from huggingface_hub import snapshot_download

    must_exist(name)
    wanted = [*_TEXTS, "model*.safetensors", "model*.safetensors.index.json", *(["*.py"] if code else [])]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except Exception as error:
        message = f"{name!r} could not be loaded: it is no folder, and the hub gave nothing of that name: "
        raise PluginError(message + brief(" ".join(str(error).split()), 160)) from error


def _no_safetensors(name: str, folder: Path, pickles: list[str]) -> str:
    if not pickles:
        return f"{name!r} has no weights: there is no *.safetensors file in it"
    place = str(folder) if Path(name).expanduser().is_dir() else "folder"
    first = "" if place != "folder" else f"hf download {name} --local-dir folder, and "
    return (
        f"{name!r} holds its weights as a pickle ({brief(pickles[0], 60)}), which can run code when it is read; if you "
        f'trust it: {first}python -c "from transformers import {_made_as(folder)} as Model; '
        f'Model.from_pretrained({place!r}).save_pretrained({place!r})"'
    )


def _made_as(folder: Path) -> str:
    """Give the class that a folder's model was saved from: another one would leave its head out."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        wanted = str(config["architectures"][0])
    except (OSError, ValueError, LookupError, TypeError):
        wanted = ""
    return wanted if wanted.isidentifier() and hasattr(transformers, wanted) else "AutoModelForImageClassification"
