"""Captions from a server that speaks OpenAI's protocol (`POST /chat/completions`, with an image).

Comes in: images. Goes out: one caption each, or why there is none. Neighbours: `_openai.py` finds the server;
`caption_transformers.py` runs a model on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from foible.adapters.servers import openai as _openai
from foible.adapters.servers import server as _http
from foible.errors import ArgumentError, PartError, brief
from foible.parts import answers as _answers

if TYPE_CHECKING:
    from foible.parts.ceiling import Ceiling
    from foible.parts.protocols import Image

PROMPT = "Describe this photograph in one short sentence: what it shows, where, in which light, from which viewpoint."


class OpenAICaptioner:
    """One request for each image. Captions are sampled at temperature 0, where the server takes a temperature."""

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        base_url: str | None = None,
        key_env: str | None = None,
        prompt: str = PROMPT,
        max_tokens: int = 60,
        options: dict[str, Any] | None = None,
        timeout: float = 120.0,
        retries: int = 6,
        concurrency: int = 4,
    ) -> None:
        """Check the arguments; nothing is asked yet.

        Args:
            name: the model, as the server calls it.
            base_url: the server, up to and with `/v1`; OpenAI's own by default.
            key_env: name of the environment variable that holds the key; `OPENAI_API_KEY` for OpenAI, none elsewhere.
            prompt: what is asked about each image.
            max_tokens: where a caption is cut, in tokens.
            options: further fields of the request; a field that is null is not sent, such as `{"temperature": null}`.
            timeout: seconds until an answer must be whole.
            retries: new tries after an answer such as 429 or 503, or a lost connection.
            concurrency: requests that may be under way at once.

        Raises:
            ArgumentError: a value that cannot be.
            PluginError: there is no key where one is needed.
        """
        if not isinstance(prompt, str) or not prompt.strip():
            message = f"the argument prompt of {name!r} is a question about the image, but got {brief(repr(prompt))}"
            raise ArgumentError(message)
        if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1:
            message = f"max_tokens must be a whole number from 1 up, but is {brief(repr(max_tokens))}"
            raise ArgumentError(message)
        if options is not None and (not isinstance(options, dict) or not _OWN.isdisjoint(options)):
            message = f"options of {name!r} are fields of the request beside {', '.join(sorted(_OWN))}, by name"
            raise ArgumentError(f"{message}; got {brief(repr(options), 80)}")
        self._prompt = prompt
        fields = {"model": name, "max_tokens": max_tokens, "temperature": 0, **(options or {})}
        self._body = {field: value for field, value in fields.items() if value is not None}
        patience = {"timeout": timeout, "retries": retries, "concurrency": concurrency}
        self._server = _openai.server(name, "/chat/completions", base_url, key_env, **patience)
        self.fingerprint = _openai.identity(name, self._server.address)
        self.resolved = {**_http.RUNTIME, "key_env": None, "prompt": prompt}
        self.version = _openai.VERSION

    def count_on(self, ceiling: Ceiling) -> None:
        """Take every request from a ceiling that other parts share."""
        self._server.count_on(ceiling)

    def caption(self, images: Sequence[Image]) -> list[str | PartError]:
        """Caption each image; a `PartError` stands where the server gave no words, or refused.

        Raises:
            OutOfRequests: the ceiling of requests is reached.
        """
        return self._server.each(self._request, _words, images)

    def _request(self, image: Image) -> dict[str, Any]:
        shown = {"type": "image_url", "image_url": {"url": _openai.data_url(image)}}
        asked = {"type": "text", "text": self._prompt}
        return {**self._body, "messages": [{"role": "user", "content": [shown, asked]}]}


_OWN = frozenset({"model", "messages", "n", "stream"})


def _words(answer: Any) -> str:
    """Take what the model says out of an answer; which of it is the caption, `parts/answers.py` knows.

    Raises:
        PartError: there is none, and why.
    """
    choice = answer["choices"][0]
    message, ended = choice["message"], choice.get("finish_reason")
    if message.get("refusal") or ended == "content_filter":
        raise PartError(_answers.REFUSED)
    said = _text(message.get("content"))
    if not said and ended == "length":
        raise PartError(_answers.UNFINISHED)  # all of it went into a thought that the server keeps apart
    return said


def _text(content: Any) -> str:
    """Read a message: a text, or a list of parts, of which those of text count and thoughts do not."""
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    kinds = ("text", "output_text")
    return "\n".join(part["text"] for part in parts if part.get("type") in kinds and part["text"] is not None).strip()
