"""The key of a piece of work: what it covers decides the result, and nothing else is in it.

Comes in: what a plug-in says of itself (spec, arguments, fingerprint, version), a prompt, a seed, an image's hash. Goes
out: short hexadecimal keys, and seeds. Neighbour: `run/archive.py` keeps results under these keys; resume means "do the
keys that are missing". Nothing here knows a class index: two classifiers with the same labels in another order share
every image, caption and judgement.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping

from foible.arms import Stream

IDENTITY_VERSION = 3
"""Raised when the meaning of a key changes, so that old results are never taken for new ones."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)


def canonical(value: object) -> str:
    """Write a JSON-able value so that equal values give equal text (sorted keys, no spaces; others by `str`)."""
    return _ENCODER.encode(value)


def digest(value: object) -> str:
    """Hash a JSON-able value: 32 hexadecimal digits of BLAKE2b over its canonical text."""
    return hashlib.blake2b(canonical(value).encode(), digest_size=16).hexdigest()


def request_key(generator: Mapping[str, object], text: str, seed: int) -> str:
    """Key of the pixels that a request asks for.

    Args:
        generator: the generator's identity: spec, arguments (the size is one of them), weights fingerprint, version.
        text: the whole prompt, the words of the treatment in it.
        seed: 0 .. 2**32 - 1.
    """
    return digest(["request", IDENTITY_VERSION, generator, text, seed])


def photograph_key(image: str) -> str:
    """Key of a photograph: that of its pixels, whatever set it stands in.

    Args:
        image: hash of the pixels.
    """
    return digest(["photograph", IDENTITY_VERSION, image])


def question_key(part: Mapping[str, object], question: str = "") -> str:
    """Key of a question that is asked of many images.

    Args:
        part: the identity of the classifier, captioner, embedder or judge.
        question: what else decides the answer: for a judge, the label it is asked about.
    """
    return digest(["question", IDENTITY_VERSION, part, question])


def answer_key(question: str, image: str) -> str:
    """Key of what a part says of an image.

    Args:
        question: the key of what the part is asked.
        image: hash of the pixels that were shown.
    """
    return digest(["answer", IDENTITY_VERSION, question, image])


def derive_seed(root: int, stream: Stream, label: str, number: int) -> int:
    """Seed of draw `number` of a label, 0 .. 2**32 - 1.

    A seed of one stream of a run can never be one of another, nor one of a stream from 4 on one of another such.
    Whatever a generator makes of seeds, such as the remainder by the number of images that it has, the seeds of each
    stream are spread over all of it.
    """
    text = f"{IDENTITY_VERSION}/{root}/{stream}/{canonical(label)}/{number}"
    value = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
    # The four streams of a run share all numbers among them by two bits; what goes on from a run needs a third, or two
    # more. The lowest three bits of 8 and up to 11 are those of none from 4 to 7.
    bits = 2 if stream < 4 else 3 if stream < 8 else 4  # noqa: PLR2004 - as above
    return _spread((value & -(1 << bits)) | stream)


def sibling(seed: int, number: int) -> int:
    """Give another seed of the stream that a seed is of, 0 .. 2**32 - 1; number 0 is the seed itself.

    What is chosen among several draws for one seed must not take those of another stream.
    """
    if number == 0:
        return seed
    value = int.from_bytes(hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=4).digest(), "big")
    return _spread((value & ~15) | (_gathered(seed) & 15))


_FIRST, _SECOND = 0x85EBCA6B, 0xC2B2AE35


def _spread(number: int) -> int:
    """Map 0 .. 2**32 - 1 onto itself, each bit hanging on all bits (the finaliser of MurmurHash3, public domain)."""
    number = (number ^ number >> 16) * _FIRST % 2**32
    number = (number ^ number >> 13) * _SECOND % 2**32
    return number ^ number >> 16


def _gathered(number: int) -> int:
    """Undo `_spread`."""
    number = (number ^ number >> 16) * pow(_SECOND, -1, 2**32) % 2**32
    number = (number ^ number >> 13 ^ number >> 26) * pow(_FIRST, -1, 2**32) % 2**32
    return number ^ number >> 16


def seed_stream(root: int, stream: Stream, label: str, without: Collection[int] = ()) -> Iterator[int]:
    """Seeds of the draws of a label, without end, all different: one image that counts twice is no evidence.

    Args:
        root: of the run.
        stream: which seeds.
        label: its name.
        without: seeds that are left out, such as those of the run that a repair goes on from.
    """
    seen: set[int] = set(without)
    number = 0
    while True:
        seed = derive_seed(root, stream, label, number)
        number += 1
        if seed not in seen:
            seen.add(seed)
            yield seed
