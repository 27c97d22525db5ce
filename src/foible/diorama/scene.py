"""What is to be drawn: a prompt and a seed in, a complete `Scene` out, and a scene back into words.

The text is understood by `grammar`; pixels are made by `render`. Each attribute is filled from its own
stream of the seed, so a prompt that says one thing more changes that one thing and nothing else:
"with" and "without" on one seed are a matched pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from .grammar import parse
from .vocabulary import ATTRIBUTES, DEFAULTS, LABELS, WEIGHTS, phrase, words


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that words can say about one image; each field is a value's `word`."""

    label: str
    colour: str
    texture: str
    ground: str
    light: str
    weather: str
    viewpoint: str
    distance: str
    companion: str


@dataclass(frozen=True, slots=True)
class Imagined:
    """A scene, and the words of the prompt that had no part in it."""

    scene: Scene
    ignored: tuple[str, ...]


def imagine(prompt: str, seed: int) -> Imagined:
    """The scene that a prompt asks for, with everything unsaid chosen by the seed.

    Any text and any integer will do. An object that is not named is chosen by the seed as well.
    """
    parsed = parse(prompt)
    names = tuple(label.name for label in LABELS)
    label = parsed.label or _choose(seed, "label", names)
    values = {
        attribute: parsed.attributes.get(attribute) or _choose(seed, attribute, words(attribute))
        for attribute in ATTRIBUTES
    }
    return Imagined(Scene(label, **values), parsed.ignored)


def stream(seed: int, field: str) -> float:
    """A number in [0, 1) that depends on this seed and this field alone, the same everywhere."""
    digest = blake2b(f"{seed}/{field}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "little") / 2.0**48


def caption(scene: Scene) -> str:
    """The scene in one line of controlled English, with what goes without saying left out."""
    return _sentence(scene, DEFAULTS)


def full_caption(scene: Scene) -> str:
    """The scene in one line that says every value: `imagine` gives the scene back on any seed."""
    return _sentence(scene, {})


def _choose(seed: int, field: str, among: tuple[str, ...]) -> str:
    """One of the words, by the field's own stream and its weights."""
    weights = WEIGHTS.get(field, (1,) * len(among))
    mark = stream(seed, field) * sum(weights)
    for word, weight in zip(among, weights, strict=True):
        mark -= weight
        if mark < 0:
            return word
    return among[-1]


def _sentence(scene: Scene, unsaid: dict[str, str]) -> str:
    """Adjectives, noun, place, light, weather; then, after commas, how it is seen and with what."""

    def say(attribute: str) -> str:
        word = getattr(scene, attribute)
        return "" if unsaid.get(attribute) == word else phrase(attribute, word)

    first = ["colour", "texture"], ["ground", "light", "weather"]
    noun = " ".join(filter(None, [*map(say, first[0]), scene.label, *map(say, first[1])]))
    article = "an" if noun[0] in "aeiou" else "a"
    tail = filter(None, map(say, ("viewpoint", "distance", "companion")))
    return ", ".join([f"{article} {noun}", *tail])
