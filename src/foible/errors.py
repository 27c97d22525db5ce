"""Every error that foible raises on purpose.

    FoibleError
    ├── InputError              what the user gave cannot be used           (exit code 2)
    │   ├── ConfigError         a field, a value or a combination of them
    │   ├── LabelError          a label is unknown, doubled or out of range
    │   ├── PluginError         a spec names nothing, or what it names does not load
    │   │   ├── ArgumentError   a plug-in was given an argument it does not take
    │   │   └── AccessError     a server takes no more requests: the key, or the account, is no good (any longer)
    │   ├── MisfitError         the parts do not fit each other, as the first draws show
    │   ├── TrainingError       a training came to no better weights
    │   └── StoreError          a run directory or archive cannot be used
    │       └── OtherVersionError   another version of foible wrote it, or walked it to another end
    ├── OutOfTime               a hunt reached the minutes it was given; it can go on      (exit code 130)
    │   └── OutOfRequests       the same of the requests to servers
    └── PartError               a part (generator, classifier, …) broke its promise on one batch
        └── PassingError        a server was lost for the moment: the next call asks again

Comes in: nothing. Goes out: exception classes. Each message is one sentence that says what was wanted, what came and
what to do. An `InputError` ends a hunt before it starts; an `AccessError` at any time, and the hunt can go on. A
`PartError` concerns one batch: the stages turn it into *unscored* outcomes, which are counted and shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 40
"""A sentence lists at most this many known words."""


class FoibleError(Exception):
    """The root: anything that foible raises on purpose."""


class InputError(FoibleError):
    """What the user gave cannot be used."""


class ConfigError(InputError):
    """A field of the configuration, its value, or a combination of values."""


class LabelError(InputError):
    """A label is unknown, given twice, or outside the classifier's outputs."""


class PluginError(InputError):
    """A spec names nothing that is known, or what it names does not load."""


class ArgumentError(PluginError):
    """A plug-in was given an argument, or a value, that it does not take."""


class AccessError(PluginError):
    """A server refuses the key, or the account is empty; what was finished is kept, and the same call goes on."""


class MisfitError(InputError):
    """The parts do not fit each other or the labels, as the first draws show: what would follow could not be scored."""


class TrainingError(InputError):
    """A training came to no better weights than it began with: it diverged, or nothing could be learned."""


class StoreError(InputError):
    """A run directory or an image archive cannot be read or written."""


class OtherVersionError(StoreError):
    """A run was written by another version of foible: it is whole, and this one reads or ends it otherwise."""


class OutOfTime(FoibleError):  # noqa: N818 - nothing is wrong
    """A hunt reached the minutes that it was given; what was finished is kept, and the same call goes on."""


class OutOfRequests(OutOfTime):
    """A hunt reached the requests to servers that it was given; as above."""


class PartError(FoibleError):
    """A part broke its promise on one batch; what it was to score stays unscored."""


class PassingError(PartError):
    """A server was lost for the moment, whatever it was asked about; unscored now, and asked again by the next call."""


def near(word: str, known: Iterable[str]) -> str:
    """Say what is near a mistyped word and what is known.

    Args:
        word: what was given.
        known: every accepted word.

    Returns:
        `did you mean 'x'? known: a, b, x`, without the first part where nothing is near; at most `LISTED` words.
    """
    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    close = close or [name for name in names if word and word.casefold() in name.casefold()]
    listed = ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
    return (f"did you mean {close[0]!r}? " if close else "") + f"known: {listed or 'nothing'}"


def visible(text: object) -> str:
    """Make an untrusted text safe to show anywhere, a terminal included: one line that can only be read.

    Each control, format or surrogate character becomes "·": none can move the cursor, colour or hide what follows,
    turn the direction of reading, or be refused by an encoding of Unicode.
    """
    line = str(text)
    return line if line.isprintable() else "".join(c if c.isprintable() else "·" for c in line)


def brief(text: object, limit: int = 200) -> str:
    """Shorten an untrusted text to one printable line of at most `limit` characters, for an error message."""
    line = visible(str(text)[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"
