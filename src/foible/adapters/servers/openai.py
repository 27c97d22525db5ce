"""What the adapters share that speak OpenAI's protocol, to OpenAI or to any server that speaks it.

Comes in: an address and the name of an environment variable. Goes out: a `Server`. Neighbour: `_http.py`, which asks.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from foible import pixels
from foible.adapters.servers import server as _http
from foible.errors import ArgumentError, PartError, brief
from foible.parts import fingerprint

if TYPE_CHECKING:
    from foible.parts.protocols import Image

HOME = "https://api.openai.com/v1"
KEY = "OPENAI_API_KEY"
_URL_SAFE = str.maketrans("-_", "+/")
VERSION = "adapter 1; the server's own model, which may change unseen"


def server(name: str, path: str, base_url: str | None, key_env: str | None, **patience: Any) -> _http.Server:
    """Give the server of a part; OpenAI's own where no address is given.

    `OPENAI_API_KEY` goes to OpenAI alone: another server gets a key only where `key_env` names one.

    Raises:
        ArgumentError: a value that cannot be.
        PluginError: there is no key where one is needed.
    """
    if base_url is not None and not isinstance(base_url, str):
        message = f"the argument base_url of {name!r} is an address such as http://localhost:8000/v1, "
        raise ArgumentError(message + f"but got {brief(repr(base_url), 60)}")
    where = (base_url or HOME).rstrip("/")
    variable = key_env if key_env is not None or where != HOME else KEY
    return _http.Server(name, where + path, key_env=variable, **patience)


def identity(model: str, address: str) -> str:
    """Name what answers: weights behind a server cannot be hashed, so address and model stand for them."""
    return fingerprint.of_object((model, address))


def picture(entry: Any) -> Image:
    """Read the image out of one entry of an answer.

    Raises:
        PartError: it is no image that may be read.
    """
    told = entry.get("b64_json")
    if told is None and isinstance(entry.get("url"), str):
        message = "the server's answer holds an address in place of an image; foible fetches nothing from there"
        raise PartError(message)
    try:
        content = base64.b64decode(_plain(told), validate=True)
    except (binascii.Error, AttributeError, TypeError, ValueError) as error:
        message = "the server's answer holds no image as b64_json"
        raise PartError(message) from error
    return pixels.read(content)


def _plain(told: str) -> str:
    """Write base64 in its plain form: in one line, without `data:image/png;base64,`, in the usual alphabet, padded."""
    head, comma, tail = told.partition(",") if told[:5].lower() == "data:" else ("", "", told)
    if comma and not head.lower().endswith(";base64"):
        raise ValueError(head)
    whole = "".join(tail.split()).translate(_URL_SAFE).rstrip("=")
    return whole + "=" * (-len(whole) % 4)


def data_url(image: Image) -> str:
    """Write an image into a text, without loss."""
    return "data:image/png;base64," + base64.b64encode(pixels.write_png(image)).decode("ascii")
