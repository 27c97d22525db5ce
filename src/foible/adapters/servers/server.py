"""Asks a server that may be slow, busy, broken or hostile.

Comes in: requests of JSON. Goes out: answers of JSON, one for each, or the `PartError` that stands in its place.
Neighbours: the adapters that know what to ask (`draw_openai.py`, `caption_openai.py`, `classify_http.py`);
`_exchange.py` lets an interrupt end whatever waits here.

A key is read from the environment variable that the user names, at the moment it is sent; it goes to the named server
alone, never over plain HTTP to another machine, and is struck out of whatever comes back.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import math
import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2

from foible.adapters.servers import exchange as _exchange
from foible.errors import AccessError, ArgumentError, PartError, PassingError, PluginError, brief
from foible.parts.ceiling import Ceiling

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")

RUNTIME = {"timeout": None, "retries": None, "concurrency": None}
"""For `resolved`: arguments that decide how an answer is fetched, and never what it is."""

_LARGEST = 96 * 2**20
"""Bytes of an answer: an image of 64 megapixels fits."""
_SOON, _LATEST = 1.0, 60.0
"""Seconds before the first new try, doubled each time, and at most."""
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Answers of a server that may do better later."""
_SHUT = frozenset({401, 402})
"""Answers of a server that wants another key, or money: asking about something else does not help."""
_NO_QUOTA = "insufficient_quota"
"""What OpenAI's servers call it that the account is used up, under the status 429."""
_OK, _REDIRECT, _REFUSED, _BROKEN = 200, 300, 400, 500
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_STRUCK = "[key]"
_DIGITS = 308
"""Of a whole number that a float holds in any case."""


class Refused(PartError):  # noqa: N818 - says what happened, as `Fault` does
    """A server refused a request for what is in it (a status of 4xx)."""

    def __init__(self, message: str, told: str) -> None:
        """Keep everything that the server told, without the key, for an adapter that knows what to do about it."""
        super().__init__(message)
        self.told = told


class Server:
    """One server, its address checked, with its key, its patience and its share of the ceiling."""

    def __init__(  # noqa: PLR0913 - each is an argument that the user may name
        self,
        name: str,
        url: str,
        *,
        key_env: str | None = None,
        timeout: float = 120.0,
        retries: int = 6,
        concurrency: int = 4,
    ) -> None:
        """Check the arguments; nothing is sent.

        Args:
            name: what the user called the part, for errors.
            url: `https://host/path`; `http:` only with a host of this machine or where no key is sent.
            key_env: name of the environment variable that holds the key; None sends no key.
            timeout: seconds from the beginning of a request until its answer must be whole.
            retries: new tries after an answer such as 429 or 503, or a lost connection.
            concurrency: requests that may be under way at once.

        Raises:
            ArgumentError: a value that cannot be.
            PluginError: the variable is not set.
        """
        self._name = name
        self._url = _checked_url(name, url, with_key=key_env is not None)
        self._key_env = _checked_variable(name, key_env)
        self._timeout = _number(name, "timeout", timeout, 0.01, 86_400)
        self._retries = int(_number(name, "retries", retries, 0, 100, whole=True))
        self._concurrency = int(_number(name, "concurrency", concurrency, 1, 256, whole=True))
        self._ceiling = Ceiling(None)
        if self._key_env is not None and not self._key:
            message = f"{name!r} needs a key: the environment variable that key_env names is not set"
            raise PluginError(message)

    @property
    def address(self) -> str:
        """The URL; it holds no secret."""
        return str(self._url)

    def count_on(self, ceiling: Ceiling) -> None:
        """Take every further request from a ceiling that other parts share."""
        self._ceiling = ceiling

    def each(self, ask: Callable[[T], dict[str, Any]], read: Callable[[Any], Any], rows: Sequence[T]) -> list[Any]:
        """Ask once for each row, several at a time.

        Args:
            ask: makes the body of a request.
            read: makes an answer of a parsed body, or raises.
            rows: what is asked about.

        Returns:
            One entry for each row, in order: what `read` gave, or the PartError that says why there is nothing.

        Raises:
            OutOfRequests: the ceiling does not hold one request for each row; nothing was sent.
            AccessError: the server refuses the key, or the account has nothing left.
        """
        if not rows:
            return []
        self._ceiling.take(len(rows))

        return _exchange.run(self._each(ask, read, rows))

    async def _each(
        self, ask: Callable[[T], dict[str, Any]], read: Callable[[Any], Any], rows: Sequence[T]
    ) -> list[Any]:
        """Share the rows out among as many as may ask at once; what ends one of them ends all."""
        answers: list[Any] = [None] * len(rows)
        waiting = iter(enumerate(rows))
        async with self._client() as client:

            async def serve() -> None:
                for index, row in waiting:
                    answers[index] = await self._answer(client, ask, read, row)

            tasks = [asyncio.create_task(serve()) for _ in range(min(self._concurrency, len(rows)))]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        return answers

    async def _answer(
        self, client: httpx2.AsyncClient, ask: Callable[[T], dict[str, Any]], read: Callable[[Any], Any], row: T
    ) -> Any:
        """Ask about one row. Images are written and read in threads, where they hold up no other request."""
        try:
            status, content = await self._post(client, await asyncio.to_thread(ask, row))
            return await asyncio.to_thread(lambda: self._read(read, self._parsed(status, content)))
        except PartError as error:
            return error

    def _client(self) -> httpx2.AsyncClient:
        """Make a client that has no limits of time but the one deadline of each request."""
        return httpx2.AsyncClient(
            timeout=None,
            verify=_trusted(),
            trust_env=not _is_here(self._url),
            limits=httpx2.Limits(max_connections=self._concurrency),
            headers={"Accept-Encoding": "identity"},
        )

    @property
    def _key(self) -> str:
        return os.environ.get(self._key_env, "").strip() if self._key_env else ""

    async def _post(self, client: httpx2.AsyncClient, body: dict[str, Any]) -> tuple[int, bytes]:
        """Send, and send again while that may help; the first request is paid for already."""
        told, pause = "", 0.0
        for attempt in range(self._retries + 1):
            if attempt:
                await _pause(pause)
                self._ceiling.take(1)
            pause = min(_SOON * 2**attempt, _LATEST)
            try:
                status, headers, content = await self._send(client, body)
            except httpx2.InvalidURL as error:
                raise PartError(self._wrong("cannot be asked", error)) from error
            except (TimeoutError, httpx2.RequestError, httpx2.StreamError) as error:
                told = _FAULTS[next(kind for kind in _FAULTS if isinstance(error, kind))]
                continue
            if status in _BUSY and not _used_up(content):
                told = f"answered {status}"
                pause = _wait(headers.get("retry-after"), pause)
                continue
            return status, content
        tries = "" if not self._retries else f", {self._retries + 1} times"
        message = f"the server {self._host} {told}{tries}"
        raise (PartError if told == _FAULTS[httpx2.RequestError] else PassingError)(message)

    async def _send(self, client: httpx2.AsyncClient, body: dict[str, Any]) -> tuple[int, Any, bytes]:
        """Send once and read the answer, no longer and no more than is allowed.

        Raises:
            TimeoutError: the answer is not whole in time, whatever it was waited for: a connection, a header, a byte.
        """
        headers = {"Authorization": f"Bearer {self._key}"} if self._key_env else {}
        content = bytearray()
        async with (
            asyncio.timeout(self._timeout),
            client.stream("POST", self._url, json=body, headers=headers) as answer,
        ):
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > _LARGEST:
                    message = f"the server {self._host} sent more than {_LARGEST // 2**20} MiB"
                    raise PartError(message)
        return answer.status_code, answer.headers, bytes(content)

    def _parsed(self, status: int, content: bytes) -> Any:
        try:
            body = self._struck(_json(content))
        except (ValueError, RecursionError):
            body = None
        if _OK <= status < _REDIRECT:
            if body is None:
                message = f"the server {self._host} sent an answer that is no whole JSON"
                raise PartError(message)
            return body
        if status in _SHUT or _used_up(content):
            message = (
                f"the server {self._host} takes no requests ({status}{_reason(body)}): mend the key or the account; "
                "what was finished is kept, and the same command goes on from there"
            )
            raise AccessError(message)
        if status < _REFUSED:
            message = f"the server {self._host} answered {status}: it has moved, so give its new address"
            raise PartError(message)
        message = f"the server {self._host} answered {status}{_reason(body)}"
        if status >= _BROKEN:
            raise PassingError(message)
        raise Refused(message, self._struck(content.decode("utf-8", "replace")))

    def _read(self, read: Callable[[Any], Any], body: Any) -> Any:
        """Read an answer; whatever is not in it, or is not what it should be, is the server's mistake."""
        try:
            return read(body)
        except PartError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            message = f"the server {self._host} sent an answer of another shape ({type(error).__name__})"
            raise PartError(message) from error

    def _struck(self, value: Any) -> Any:
        """Strike the key out of every text of an answer, should the server repeat it."""
        if not self._key:
            return value
        if isinstance(value, str):
            return value.replace(self._key, _STRUCK)
        if isinstance(value, list):
            return [self._struck(one) for one in value]
        if isinstance(value, dict):
            return {self._struck(name): self._struck(one) for name, one in value.items()}
        return value

    @property
    def _host(self) -> str:
        port = "" if self._url.port is None else f":{self._url.port}"
        return f"{self._url.host}{port}"

    def _wrong(self, what: str, error: Exception) -> str:
        return f"the server {self._host} {what} ({type(error).__name__})"


_FAULTS: dict[type[Exception], str] = {
    TimeoutError: "did not answer in time",
    httpx2.ConnectError: "cannot be reached",
    httpx2.TransportError: "dropped the connection",
    httpx2.RequestError: "sent an answer that cannot be unpacked",
    httpx2.StreamError: "dropped the connection",
}
"""What a lost request is called, the first that fits: without addresses and counts, so that reasons can be counted."""


def _checked_url(name: str, url: str, *, with_key: bool) -> httpx2.URL:
    try:
        found = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError, ValueError) as error:
        message = f"{name!r} needs an address such as https://host/v1, but got something that is none"
        raise ArgumentError(message) from error
    if found.userinfo or found.query or found.fragment:
        message = "the address of a server may hold no user, password or query, since it is kept with the results; "
        raise ArgumentError(message + "put the key into an environment variable and name that with key_env")
    if found.scheme not in {"http", "https"} or not found.host:
        message = f"{name!r} needs an address such as https://host/v1, but got {brief(repr(url), 80)}"
        raise ArgumentError(message)
    if with_key and found.scheme == "http" and not _is_here(found):
        message = f"{name!r} would send its key in the clear to {brief(found.host, 80)}: write https in its address"
        raise ArgumentError(message)
    return found


def _is_here(url: httpx2.URL) -> bool:
    """Say whether an address is of this machine."""
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"


def _checked_variable(name: str, key_env: str | None) -> str | None:
    """Refuse what is no name of a variable, without repeating it: it may be the key itself."""
    if key_env is None or (isinstance(key_env, str) and _VARIABLE.fullmatch(key_env)):
        return key_env
    message = f"the argument key_env of {name!r} is the name of an environment variable, in capitals, such as "
    raise ArgumentError(message + "OPENAI_API_KEY, and never the key itself; got something else")


def _number(name: str, argument: str, value: float, low: float, high: float, *, whole: bool = False) -> float:  # noqa: PLR0913 - its own line of the sentence each
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        message = f"the argument {argument} of {name!r} is {kind} from {low:g} to {high:g}, but got {brief(value, 40)}"
        raise ArgumentError(message)
    return value


@cache
def _trusted() -> ssl.SSLContext:
    """Read the certificates that are trusted, once: it takes longer than a request."""
    return httpx2.create_ssl_context()


async def _pause(seconds: float) -> None:
    """Wait before a new try."""
    await asyncio.sleep(seconds)


def _json(content: bytes) -> Any:
    """Read JSON, whole numbers of any length among it: one that no float holds is infinite.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.
    """
    return json.loads(content, parse_int=lambda digits: int(digits) if len(digits) <= _DIGITS else float(digits))


def _wait(retry_after: str | None, otherwise: float) -> float:
    """Give the seconds that a server asks for, as a number or until a date (RFC 9110, 10.2.3), within bounds."""
    told = retry_after or ""
    try:
        seconds = float(told)
    except ValueError:
        try:
            date = parsedate_to_datetime(told)
            # A date of no zone (`-0000`) is in universal time.
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()
        except (ValueError, TypeError, IndexError, OverflowError):
            return otherwise
    return otherwise if math.isnan(seconds) else min(max(seconds, 0.0), _LATEST)


def _used_up(content: bytes) -> bool:
    """Say whether a refusal is of an account that is used up, which waiting does not mend."""
    try:
        body = _json(content)
    except (ValueError, RecursionError):
        return False
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and _NO_QUOTA in {str(error.get("code")), str(error.get("type"))}


def _reason(body: Any) -> str:
    """Give the reason that a server tells, in the form that OpenAI's servers use, and their kin."""
    error = body.get("error", body.get("detail")) if isinstance(body, dict) else None
    told = error.get("message") if isinstance(error, dict) else error
    return f": {brief(' '.join(told.split()), 100)}" if isinstance(told, str) and told.strip() else ""
