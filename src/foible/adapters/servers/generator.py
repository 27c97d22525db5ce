"""Images from a server that speaks OpenAI's protocol (`POST /images/generations`).

Comes in: prompts and seeds. Goes out: one image each, or why there is none. Neighbours: `_openai.py` finds the server;
`draw_diffusers.py` runs a model on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foible.adapters.servers import openai as _openai
from foible.adapters.servers import server as _http
from foible.errors import ArgumentError, PartError, brief
from foible.pixels import LARGEST_SIDE

if TYPE_CHECKING:
    from foible.parts.ceiling import Ceiling
    from foible.parts.protocols import Image


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
            options: further fields of the request, such as `{"quality": "low"}`; a field that is null is not sent, and
                `{"response_format": null}` never asks for base64.
            send_seed: whether the field `seed` is sent; by default to every server but OpenAI's, which refuses it, and
                not for OpenAI's models behind another server.
            timeout: seconds until an answer must be whole.
            retries: new tries after an answer such as 429 or 503, or a lost connection.
            concurrency: requests that may be under way at once.

        Raises:
            ArgumentError: a value that cannot be.
            PluginError: there is no key where one is needed.
        """
        self._size = _sides(name, size)
        if options is not None and (not isinstance(options, dict) or not _may_be(options)):
            message = f"options of {name!r} are fields of the request beside {', '.join(sorted(_OWN))}, by name"
            raise ArgumentError(f"{message}; got {brief(repr(options), 80)}")
        patience = {"timeout": timeout, "retries": retries, "concurrency": concurrency}
        self._server = _openai.server(name, "/images/generations", base_url, key_env, **patience)
        self._seeded = send_seed if send_seed is not None else self._takes_seeds(name)
        self._format = {} if _returns_base64(name) or _FORMAT in (options or {}) else _BASE64
        fields = {"model": name, "size": size, "n": 1, **(options or {})}
        self._body = {field: value for field, value in fields.items() if value is not None}
        self.fingerprint = _openai.identity(name, self._server.address)
        self.resolved = {**_http.RUNTIME, "key_env": None, "send_seed": self._seeded}
        self.version = _openai.VERSION

    def count_on(self, ceiling: Ceiling) -> None:
        """Take every request from a ceiling that other parts share."""
        self._server.count_on(ceiling)

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | PartError]:
        """Draw one image for each prompt and seed; a `PartError` stands where the server gave none.

        Raises:
            OutOfRequests: the ceiling of requests is reached.
        """
        rows = list(zip(prompts, seeds, strict=True))
        answers: list[Image | PartError] = self._server.each(self._request, self._image, rows)
        refused = [place for place, answer in enumerate(answers) if self._format and _refuses(answer, _FORMAT)]
        answers = self._without_format(rows, answers, refused) if refused else answers
        return [_about_seeds(answer) if self._seeded and _refuses(answer, "seed") else answer for answer in answers]

    def _takes_seeds(self, name: str) -> bool:
        own = name.rpartition("/")[2].startswith(_OPENAI_S)
        return not own and not self._server.address.startswith(_openai.HOME)

    def _without_format(
        self, rows: Sequence[tuple[str, int]], answers: list[Image | PartError], refused: Sequence[int]
    ) -> list[Image | PartError]:
        """Ask again without the field that a server refuses; where that helps, it is not sent any more.

        Whether a server knows the field cannot be told from its address or from the name of its model.
        """
        sent, self._format = self._format, {}
        again: list[Image | PartError] = self._server.each(
            self._request, self._image, [rows[place] for place in refused]
        )
        if all(isinstance(answer, PartError) for answer in again):
            self._format = sent
        found = dict(zip(refused, again, strict=True))
        return [found.get(place, answer) for place, answer in enumerate(answers)]

    def _request(self, row: tuple[str, int]) -> dict[str, Any]:
        prompt, seed = row
        return {**self._body, **self._format, "prompt": prompt, **({"seed": int(seed)} if self._seeded else {})}

    def _image(self, answer: Any) -> Image:
        image = _openai.picture(answer["data"][0])
        high, wide = image.shape[:2]
        if (wide, high) != self._size:
            message = f"the server drew {wide}x{high} pixels where {self._size[0]}x{self._size[1]} were asked for"
            raise PartError(message)
        return image


_FORMAT = "response_format"
_OWN = frozenset({"model", "prompt", "n", "size", "seed", _FORMAT, "stream"})
_BASE64 = {_FORMAT: "b64_json"}
_OPENAI_S = ("gpt-image", "chatgpt-image", "dall-e")
"""How the names of OpenAI's own models begin, none of which takes a seed."""


def _may_be(options: dict[str, Any]) -> bool:
    """Say whether options are no fields that the part fills itself; the format alone may be left out."""
    return _OWN.isdisjoint(options.keys() - ({_FORMAT} if options.get(_FORMAT, "") is None else set()))


def _refuses(answer: object, field: str) -> bool:
    """Say whether a server refused a request for one of its fields, whose name it quotes in one way or another."""
    return isinstance(answer, _http.Refused) and any(f"{mark}{field}{mark}" in answer.told for mark in "'\"`")


def _about_seeds(answer: Image | PartError) -> PartError:
    return PartError(f"{answer}; give the argument send_seed: false")


def _returns_base64(name: str) -> bool:
    """Say whether a model answers in base64 alone and refuses to be asked for it, also behind a proxy (`openai/…`)."""
    return name.rpartition("/")[2].startswith(("gpt-image", "chatgpt-image"))


def _sides(name: str, size: str) -> tuple[int, int]:
    sides = size.split("x") if isinstance(size, str) else ()
    if len(sides) != 2 or not all(side.isdecimal() and 1 <= int(side) <= LARGEST_SIDE for side in sides):  # noqa: PLR2004 - width and height, in pixels
        message = (
            f"the argument size of {name!r} is width and height up to {LARGEST_SIDE}, such as 1024x1024, but got "
            f"{brief(repr(size), 40)}"
        )
        raise ArgumentError(message)
    return int(sides[0]), int(sides[1])
