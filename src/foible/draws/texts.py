"""What a joint embedder says of texts, kept in the archive like what it says of images.

Comes in: an embedder, or its identity, and texts. Goes out: vectors, one below the other, and the factor that turns a
cosine into a logit. Neighbours: `questions.py` has the keys of images; `hunting/bearing.py` compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foible.draws.values import read_vector, write_vector
from foible.errors import FoibleError, PluginError, StoreError, brief
from foible.identity import answer_key, digest, question_key
from foible.parts.registry import Part
from foible.run.archive import Archive

_AT_ONCE = 256


def keep_texts(part: Part, texts: Sequence[str], archive: Archive) -> None:
    """Ask an embedder about texts that the archive does not have; an answer that is there stays.

    Raises:
        PluginError: it gives no usable vectors.
        StoreError: the archive cannot be written.
    """
    keys = _keys(part.identity, texts)
    scale = _scale_key(part.identity)
    known = archive.answers([*keys.values(), scale])
    lacking = [text for text, key in keys.items() if key not in known]
    if scale not in known:
        archive.add([], {scale: [float(part.object.scale[0])]})
    for start in range(0, len(lacking), _AT_ONCE):
        some = lacking[start : start + _AT_ONCE]
        archive.add([], {keys[text]: write_vector(row) for text, row in zip(some, _asked(part, some), strict=True)})


def refuse_same(texts: Sequence[str], vectors: NDArray[np.float64]) -> None:
    """Refuse texts of which an embedder reads the same: which of them a photograph shows would be chance.

    Args:
        texts: those that were asked about.
        vectors: of each, one below the other.

    Raises:
        PluginError: two have one vector.
    """
    seen: dict[bytes, str] = {}
    for text, row in zip(texts, np.round(vectors, 5) + 0.0, strict=True):
        before = seen.setdefault(row.tobytes(), text)
        if before != text:
            message = f"the embedder reads the same of {brief(before, 80)!r} and {brief(text, 80)!r}; leave one out"
            raise PluginError(message)


def read_texts(
    identity: Mapping[str, Any], texts: Sequence[str], archive: Archive
) -> tuple[float, NDArray[np.float64]]:
    """Give the factor, and the vectors of texts: (texts, dimensions), each row of length 1.

    Raises:
        StoreError: the archive lacks some.
    """
    keys = _keys(identity, texts)
    scale = _scale_key(identity)
    known = archive.answers([*keys.values(), scale])
    if lacking := [text for text, key in keys.items() if key not in known]:
        message = f"the archive lacks what the embedder says of {len(lacking)} texts, such as {brief(lacking[0], 80)!r}"
        raise StoreError(f"{message}; the hunt's own command asks again")
    rows = np.stack([read_vector(known[keys[text]]) for text in texts]).astype(np.float64)
    factor = known.get(scale)
    if not isinstance(factor, list) or len(factor) != 1 or not isinstance(factor[0], int | float):
        message = "the archive lacks the scale of the embedder; the hunt's own command asks again"
        raise StoreError(message)
    return float(factor[0]), rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _keys(identity: Mapping[str, Any], texts: Sequence[str]) -> dict[str, str]:
    question = question_key(identity, "a text")
    return {text: answer_key(question, digest(text)) for text in texts}


def _scale_key(identity: Mapping[str, Any]) -> str:
    return answer_key(question_key(identity, "its scale"), "")


def _asked(part: Part, texts: Sequence[str]) -> NDArray[np.float64]:
    try:
        found = np.asarray(part.object.embed_texts(list(texts)), np.float64)
    except FoibleError:
        raise
    except Exception as problem:
        message = f"the embedder {brief(part.identity['spec'])} could not embed texts: {type(problem).__name__}"
        raise PluginError(message) from problem
    if found.ndim != 2 or len(found) != len(texts) or not np.isfinite(found).all():  # noqa: PLR2004 - rows of numbers
        message = (
            f"the embedder {brief(part.identity['spec'])} gave no vector of finite numbers for each of {len(texts)}"
        )
        raise PluginError(f"{message} texts")
    return found
