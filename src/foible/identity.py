"""The key of a piece of work: what it covers decides the result, and nothing else is in it.

Comes in: what a plug-in says of itself (spec, arguments, fingerprint, version), a prompt, a seed, an image's hash. Goes
out: short hexadecimal keys. Neighbour: `store.py` keeps results under these keys; resume means "do the keys that are
missing".
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping

IDENTITY_VERSION = 1
"""Raised when the meaning of a key changes, so that old results are never taken for new ones."""

Stream = str
"""`explore` or `test`: which seeds. The two never meet."""


def canonical(value: object) -> str:
    """Write a JSON-able value so that equal values give equal text (sorted keys, no spaces; others by `str`)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def digest(value: object) -> str:
    """Hash a JSON-able value: 32 hexadecimal digits of BLAKE2b over its canonical text."""
    return hashlib.blake2b(canonical(value).encode(), digest_size=16).hexdigest()


def draw_key(generator: Mapping[str, object], text: str, seed: int) -> str:
    """Key of the pixels of one draw.

    Args:
        generator: the generator's identity: spec, arguments (the size is one of them), weights fingerprint, version.
        text: the whole prompt.
        seed: 0 .. 2**32 - 1.
    """
    return digest(["draw", IDENTITY_VERSION, generator, text, seed])


def answer_key(part: Mapping[str, object], image_sha256: str, question: str = "") -> str:
    """Key of what a part says of an image.

    Args:
        part: the identity of the classifier, captioner, embedder or judge.
        image_sha256: of the PNG file that was shown.
        question: what else decides the answer: for a judge, the label it was asked about.
    """
    return digest(["answer", IDENTITY_VERSION, part, image_sha256, question])


def derive_seed(root: int, stream: Stream, label: str, number: int) -> int:
    """Seed of draw `number` of a label, 0 .. 2**32 - 1.

    The lowest bit tells the stream, so that a seed of the explore stream can never be one of the test stream.
    """
    text = f"{IDENTITY_VERSION}/{root}/{stream}/{label}/{number}"
    value = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
    return (value & ~1) | (0 if stream == "explore" else 1)


def derive_seeds(root: int, stream: Stream, label: str, count: int) -> list[int]:
    """Seeds of the first `count` draws of a label, all different: one image that counts twice is no evidence."""
    return list(itertools.islice(seed_stream(root, stream, label), count))


def seed_stream(root: int, stream: Stream, label: str) -> Iterator[int]:
    """Seeds of the draws of a label one after another, without end, all different: those of `derive_seeds`."""
    seen: set[int] = set()
    for number in itertools.count():
        seed = derive_seed(root, stream, label, number)
        if seed not in seen:
            seen.add(seed)
            yield seed


def sha256(data: bytes) -> str:
    """Hash the bytes of a file."""
    return hashlib.sha256(data).hexdigest()
