"""Images from a server that speaks OpenAI's protocol (`POST /images/generations`).

Comes in: prompts and seeds. Goes out: one image each, or why there is none. Neighbours: `_openai.py` finds the server;
`draw_diffusers.py` runs a model on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foible.errors import ArgumentError, PartError, brief
from foible.models import _http, _openai
from foible.pixels import LARGEST_SIDE

if TYPE_CHECKING:
    from foible.protocols import Image


class OpenAIImages:
    """One request for each draw.

    A server that takes no seed draws something else each time; the archive keeps the first, so a hunt can still be gone
    on with, but draws "with the same seed" have nothing in common then.
    """

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        base_url: str | None = None,
        key_env: str | None = None,
        size: str = "1024x1024",
        options: dict[str, Any] | None = None,
        send_seed: bool | None = None,
        timeout: float = 120.0,
        retries: int = 6,
        concurrency: int = 4,
    ) -> None:
        """Check the arguments; nothing is asked yet.

        Args:
            name: the model, as the server calls it.
            base_url: the server, up to and with `/v1`; OpenAI's own by default.
            key_env: name of the environment variable that holds the key; `OPENAI_API_KEY` for OpenAI, none elsewhere.
            size: width and height of every image, such as `1024x1024`.
            options: further fields of the request, such as `{"quality": "low"}`.
            send_seed: whether the field `seed` is sent; by default to every server but OpenAI's, which refuses it.
            timeout: seconds until an answer must be whole.
            retries: new tries after an answer such as 429 or 503, or a lost connection.
            concurrency: requests that may be under way at once.

        Raises:
            ArgumentError: a value that cannot be.
            PluginError: there is no key where one is needed.
        """
        self._size = _sides(name, size)
        if options is not None and (not isinstance(options, dict) or not _OWN.isdisjoint(options)):
            message = f"options of {name!r} are fields of the request beside {', '.join(sorted(_OWN))}, by name"
            raise ArgumentError(f"{message}; got {brief(repr(options), 80)}")
        patience = {"timeout": timeout, "retries": retries, "concurrency": concurrency}
        self._server = _openai.server(name, "/images/generations", base_url, key_env, **patience)
        self._seeded = send_seed if send_seed is not None else not self._server.address.startswith(_openai.HOME)
        self._body = {"model": name, "size": size, "n": 1, **({} if _returns_base64(name) else _BASE64)}
        self._body |= options or {}
        self.fingerprint = _openai.identity(name, self._server.address)
        self.resolved = {**_http.RUNTIME, "key_env": None, "send_seed": self._seeded}
        self.version = _openai.VERSION

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | PartError]:
        """Draw one image for each prompt and seed; a `PartError` stands where the server gave none.

        Raises:
            OutOfRequests: the ceiling of requests is reached.
        """
        return self._server.each(self._request, self._image, list(zip(prompts, seeds, strict=True)))

    def _request(self, row: tuple[str, int]) -> dict[str, Any]:
        prompt, seed = row
        return {**self._body, "prompt": prompt, **({"seed": int(seed)} if self._seeded else {})}

    def _image(self, answer: Any) -> Image:
        image = _openai.picture(answer["data"][0])
        high, wide = image.shape[:2]
        if (wide, high) != self._size:
            message = f"the server drew {wide}x{high} pixels where {self._size[0]}x{self._size[1]} were asked for"
            raise PartError(message)
        return image


_OWN = frozenset({"model", "prompt", "n", "size", "seed", "response_format", "stream"})
_BASE64 = {"response_format": "b64_json"}


def _returns_base64(name: str) -> bool:
    """Say whether a model answers in base64 alone and refuses to be asked for it."""
    return name.startswith("gpt-image")


def _sides(name: str, size: str) -> tuple[int, int]:
    sides = size.split("x") if isinstance(size, str) else ()
    if len(sides) != 2 or not all(side.isdecimal() and 1 <= int(side) <= LARGEST_SIDE for side in sides):  # noqa: PLR2004 - width and height, in pixels
        message = (
            f"the argument size of {name!r} is width and height up to {LARGEST_SIDE}, such as 1024x1024, but got "
            f"{brief(repr(size), 40)}"
        )
        raise ArgumentError(message)
    return int(sides[0]), int(sides[1])
