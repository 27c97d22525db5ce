"""Attributions that the archive keeps: under which key, in which form, and those of a run's page.

Comes in: a result and the archive, which is not trusted. Goes out: maps. Neighbours: `act/attribute.py` makes what is
missing; `checks/verify.py` holds a page with them against what is kept.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from foible.attributions import SIDE, Attributions, How, Looked, Map
from foible.errors import StoreError, brief
from foible.identity import answer_key, question_key
from foible.report.attribution import looked_at

if TYPE_CHECKING:
    from foible.findings import HuntResult
    from foible.run.archive import Archive

VERSION = 1
"""Raised when the same question gives another map."""


def kept(result: HuntResult, archive: Archive) -> Attributions:
    """Give what the archive knows of the attributions of a run's page; it may be nothing.

    Raises:
        StoreError: the archive holds something else in the place of a map.
    """
    identities = [one.identity for one in result.classifiers]
    return Attributions(maps=known(looked_at(result), identities, archive))


def known(looked: Sequence[Looked], identities: Sequence[Mapping[str, object]], archive: Archive) -> dict[Looked, Map]:
    """Look maps up, those by gradients first.

    Args:
        looked: of which answers.
        identities: of each classifier.
        archive: where they are kept.

    Raises:
        StoreError: as `kept`.
    """
    found: dict[Looked, Map] = {}
    for how in get_args(How):
        keys = {key_of(one, identities[one.classifier], how): one for one in looked if one not in found}
        found |= {keys[key]: read_map(value, how) for key, value in archive.answers(keys).items()}
    return found


def key_of(one: Looked, identity: Mapping[str, object], how: How) -> str:
    """Give the key of a map: classifier, image, class and way decide it."""
    question = f"what the margin of class {one.predicted} reacts to, by {how}, {VERSION}"
    return answer_key(question_key(identity, question), one.image)


def write_map(numbers: np.ndarray[Any, np.dtype[np.uint8]]) -> list[object]:
    """Write [rows, columns, numbers in base64]."""
    return [*numbers.shape, base64.b64encode(numbers.tobytes()).decode("ascii")]


def read_map(value: Any, how: How) -> Map:
    """Read a map.

    Raises:
        StoreError: the value is none that `write_map` writes.
    """
    try:
        rows, columns, text = value
        numbers = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
        sides = all(type(side) is int and 1 <= side <= SIDE for side in (rows, columns))
        if sides and len(numbers) == rows * columns:
            return Map(how=how, numbers=numbers.reshape(rows, columns))
    except (TypeError, ValueError, binascii.Error):
        pass
    message = f"the archive holds {brief(repr(value), 60)} where an attribution should be; it is damaged"
    raise StoreError(message)
