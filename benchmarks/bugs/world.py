"""Draws from the pool: a label, attributes and seeds in, images of the pool and what became of them out.

A draw is an image of the pool that shows the label and satisfies the description, picked by a hash of both and the
seed, so that every method sees the same images for the same prompt and seed. Drawing is with replacement: the pool is
the population, and what is true of it is known exactly. Generator and judge may err at given rates, by the same hash:
the generator then shows another label, the judge says the opposite of the truth.

Neighbours: `pool.py` has the images, `recipe.py` classifiers, `methods.py` spends the draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bugs.live import FIRST, Live
from bugs.pool import FIELDS, WORDS, Pool
from foible.diorama.grammar import parse
from foible.diorama.vocabulary import LABELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image
    from foible.records import Label

NAMES = tuple(f"{label.name} ({label.hypernym})" for label in LABELS)
FAILED, PASSED, UNSCORED = 1, 0, -1
LEAST = 30
"""Images that a description must have in the pool: with fewer, drawing with replacement would show the same few."""

Attributes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Picked:
    """Images of the pool, one for each seed, and where the generator or the judge errs."""

    images: NDArray[np.intp]
    misjudged: NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """A pool, the answers of one classifier, and the error rates of generator and judge."""

    pool: Pool
    answers: NDArray[np.uint8]
    """(n,): the class that the classifier under test predicts for each image of the pool."""
    generator_error: float = 0.0
    judge_error: float = 0.0
    live: Live | None = None
    """Draws what the pool has too few images of; without it the few there are must do."""
    _rows: dict[tuple[str, tuple[tuple[str, str], ...]], NDArray[np.intp]] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """Name what decides the images and what the parts say of them, so that hunts over one world share an archive.

        No archive may outlive the world: live images have the numbers that they were drawn under.
        """
        digest = hashlib.sha256(f"{self.generator_error}/{self.judge_error}/{self.pool.natural}".encode())
        for array in (self.pool.codes, self.pool.vectors, self.answers):
            digest.update(array.tobytes())
        digest.update("\n".join(self.pool.captions).encode())
        return digest.hexdigest()

    def rows(self, label: str, attributes: Attributes) -> NDArray[np.intp]:
        """Give the images of the pool that show the label and satisfy every attribute; all that were described so."""
        key = (label, tuple(sorted(attributes.items())))
        if key not in self._rows:
            codes = self.pool.codes
            fits = codes[:, 0] == WORDS["label"].index(label)
            for name, word in attributes.items():
                fits &= codes[:, FIELDS.index(name)] == WORDS[name].index(word)
            if len(attributes) < len(FIELDS) - 1:  # a full description was drawn for itself; others draw natural scenes
                fits[self.pool.natural :] = False
            self._rows[key] = np.flatnonzero(fits)
        return self._rows[key]

    def can_draw(self, label: str, attributes: Attributes) -> bool:
        """Tell whether the pool has enough images of a description."""
        return len(self.rows(label, attributes)) >= LEAST

    def numbers(self, prompts: Sequence[str], seeds: Sequence[int]) -> tuple[list[int], list[bool]]:
        """Give for each prompt and seed the number of an image, and whether the judge errs on it.

        Raises:
            LookupError: the pool has none, and nothing is drawn live.
        """
        numbers, misjudged, fresh = [], [], []
        for row, (prompt, seed) in enumerate(zip(prompts, seeds, strict=True)):
            asked = parse(prompt)
            label = str(asked.label)
            pooled = self.live is None or self.can_draw(label, asked.attributes)
            picked = self.pick(label, asked.attributes if pooled else {}, [seed])
            numbers.append(int(picked.images[0]))
            misjudged.append(bool(picked.misjudged[0]))
            # Where the generator errs, another label's image was picked, and stays.
            if not pooled and self.pool.codes[numbers[row], 0] == WORDS["label"].index(label):
                fresh.append(row)
        if self.live is not None:
            drawn = self.live.draw([prompts[row] for row in fresh], [seeds[row] for row in fresh])
            for row, number in zip(fresh, drawn, strict=True):
                numbers[row] = number
        return numbers, misjudged

    def pick(self, label: str, attributes: Attributes, seeds: Sequence[int] | NDArray[np.int64]) -> Picked:
        """Pick an image for each seed.

        Raises:
            LookupError: the pool has none.
        """
        rows = self.rows(label, attributes)
        if not len(rows):
            message = f"the pool has no image of a {label} with {dict(attributes)}"
            raise LookupError(message)
        text = label + "".join(f"/{name}={word}" for name, word in sorted(attributes.items()))
        key = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
        mixed = [_mix(np.asarray(seeds, np.uint64), key, salt) for salt in range(4)]
        images = rows[_below(mixed[0], len(rows))]
        wrong = _share(mixed[1]) < self.generator_error
        others = np.flatnonzero(self.pool.codes[: self.pool.natural, 0] != WORDS["label"].index(label))
        images = np.where(wrong, others[_below(mixed[2], len(others))], images)
        return Picked(images, _share(mixed[3]) < self.judge_error)

    def outcomes(self, label: str, picked: Picked) -> NDArray[np.int8]:
        """Say what becomes of picked images: FAILED, PASSED or UNSCORED."""
        index = WORDS["label"].index(label)
        faithful = (self.pool.codes[picked.images, 0] == index) ^ picked.misjudged
        failed = self.answers[picked.images] != index
        return np.where(faithful, np.where(failed, FAILED, PASSED), UNSCORED).astype(np.int8)

    def true_rate(self, label: str, attributes: Attributes) -> float:
        """Give the failure rate over all images of the pool that fit: what a perfect generator and judge would find."""
        return float((self.answers[self.rows(label, attributes)] != WORDS["label"].index(label)).mean())

    def said(self, images: Sequence[Image], pooled: Any, ask: Callable[[Live, list[int]], Sequence[Any]]) -> list[Any]:
        """Give what a part said of images: for those of the pool by number, for live ones by asking."""
        numbers = _numbers(images)
        fresh = [number for number in numbers if number >= FIRST]
        asked = iter(ask(self.live, fresh) if self.live is not None and fresh else ())
        return [next(asked) if number >= FIRST else pooled[number] for number in numbers]

    def parts(self) -> dict[str, Any]:
        """Give the plug-ins of a hunt over this world."""
        return {
            "classifier": _Classifier(self),
            "generator": _Generator(self),
            "captioner": _Captioner(self),
            "embedder": _Embedder(self),
            "judge": _Judge(self),
        }


@dataclass(frozen=True)
class _Part:
    world: World

    @property
    def fingerprint(self) -> str:
        return f"{type(self).__name__} of {self.world.fingerprint}"


class _Generator(_Part):
    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Pick an image for each prompt and seed, and write its number into pixels."""
        images = []
        for number, misjudged in zip(*self.world.numbers(prompts, seeds), strict=True):
            image = np.zeros((16, 16, 3), np.uint8)
            image[0, :4, 0] = list(number.to_bytes(4, "big"))
            image[0, 4, 0] = misjudged
            images.append(image)
        return images


class _Classifier(_Part):
    labels = NAMES

    def classify(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Give 1 to the class that was predicted and 0 to the others."""
        answers = self.world.said(images, self.world.answers, Live.answers)
        return np.eye(len(NAMES))[np.array(answers, dtype=np.intp)]


class _Judge(_Part):
    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[bool]:
        """Say the truth, or its opposite where the judge errs."""
        shown = self.world.said(images, self.world.pool.codes[:, 0], Live.labels)
        truth = [WORDS["label"][code] == label.name for code, label in zip(shown, labels, strict=True)]
        return [bool(true) != bool(image[0, 4, 0]) for true, image in zip(truth, images, strict=True)]


class _Captioner(_Part):
    def caption(self, images: Sequence[Image]) -> list[str]:
        """Give the captions that the real captioner wrote."""
        return self.world.said(images, self.world.pool.captions, Live.captions)


class _Embedder(_Part):
    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Give the vectors of the real embedder."""
        return np.stack(self.world.said(images, self.world.pool.vectors, lambda live, n: list(live.vectors(n))))


def _numbers(images: Sequence[Image]) -> list[int]:
    """Read the numbers of images of the pool from their pixels."""
    return [int.from_bytes(bytes(image[0, :4, 0]), "big") for image in images]


def _mix(seeds: NDArray[np.uint64], key: int, salt: int) -> NDArray[np.uint64]:
    """Hash seeds with a key; the finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        mixed = seeds * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key) + np.uint64(salt) * np.uint64(0xD1B54A32D192ED03)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))


def _share(mixed: NDArray[np.uint64]) -> NDArray[np.float64]:
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _below(mixed: NDArray[np.uint64], count: int) -> NDArray[np.intp]:
    return (mixed % np.uint64(max(count, 1))).astype(np.intp)
