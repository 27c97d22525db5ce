"""The words of the diorama: its twelve labels and its nine attributes.

In: nothing. Out: two tables that every other file of the world reads. What a sentence may look like
is in `grammar`; what a word looks like is in `shapes`, `grounds` and `shade`.

The order of labels, attributes and values is part of the world (models are trained on it): append,
never reorder, and raise `WORLD_VERSION` in `generator` when anything here changes what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DioramaLabel:
    """One kind of object that the diorama can draw."""

    name: str
    """What it is called in prompts and captions: "coffee mug"."""
    hypernym: str
    """The broader word that stands in parentheses after the name: "cup"."""
    imagenet: int | None
    """Its index among the 1,000 ImageNet classes, or None where ImageNet has no such class."""
    synonyms: tuple[str, ...] = ()
    """Other names that the grammar accepts, besides the hypernym."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of one attribute."""

    word: str
    """The value's own name, as it stands in a `Scene`: "above"."""
    phrase: str
    """How a caption says it: "from above"."""
    synonyms: tuple[str, ...] = ()
    """Other ways to say it that the grammar accepts."""


LABELS: tuple[DioramaLabel, ...] = (
    DioramaLabel("coffee mug", "cup", 504, ("mug", "coffee cup", "teacup", "tea cup")),
    DioramaLabel("mixing bowl", "bowl", 659, ("salad bowl",)),
    DioramaLabel("water bottle", "bottle", 898, ("flask",)),
    DioramaLabel("vase", "jar", 883, ("flower vase", "urn")),
    DioramaLabel("mushroom", "fungus", 947, ("toadstool",)),
    DioramaLabel("table lamp", "lamp", 846, ("desk lamp", "bedside lamp")),
    DioramaLabel("bucket", "vessel", 463, ("pail",)),
    DioramaLabel("ping-pong ball", "ball", 722, ("pingpong ball", "table tennis ball", "table-tennis ball")),
    DioramaLabel("teapot", "pot", 849, ("tea pot",)),
    DioramaLabel("candle", "taper", 470, ()),
    DioramaLabel("barrel", "cask", 427, ("keg",)),
    DioramaLabel("dumbbell", "weight", 543, ("dumb bell", "barbell")),
)

ATTRIBUTES: dict[str, tuple[Value, ...]] = {
    "colour": (
        Value("red", "red", ("crimson", "scarlet")),
        Value("orange", "orange", ("tangerine",)),
        Value("yellow", "yellow", ("lemon yellow",)),
        Value("green", "green", ("emerald",)),
        Value("blue", "blue", ("azure", "navy")),
        Value("purple", "purple", ("violet", "lilac")),
        Value("white", "white", ("ivory",)),
        Value("black", "black", ("jet black",)),
    ),
    "texture": (
        Value("plain", "plain", ("unpatterned", "solid coloured", "solid colored")),
        Value("striped", "striped", ("stripes", "stripy", "stripey", "banded")),
        Value(
            "spotted",
            "spotted",
            ("spots", "spotty", "dotted", "dots", "polka dot", "polka dots", "polka dotted"),
        ),
    ),
    "ground": (
        Value("grass", "on grass", ("lawn", "grassy", "meadow", "turf")),
        Value("sand", "on sand", ("sandy", "beach", "desert", "dune", "dunes")),
        Value(
            "wood",
            "on wood",
            ("wooden floor", "wooden table", "wooden deck", "wooden planks", "planks", "floorboards"),
        ),
        Value("snow", "on snow", ("snowy", "snow covered ground")),
        Value("tiles", "on tiles", ("tile", "tiled", "tiled floor", "tile floor")),
        Value("asphalt", "on asphalt", ("tarmac", "pavement", "road", "street", "blacktop")),
    ),
    "light": (
        Value(
            "daylight",
            "in daylight",
            ("day", "daytime", "by day", "noon", "midday", "sunlight", "sunny", "sunlit"),
        ),
        Value("sunset", "at sunset", ("dusk", "sundown", "evening", "golden hour")),
        Value(
            "night",
            "at night",
            ("nighttime", "night time", "in the dark", "after dark", "moonlight", "moonlit"),
        ),
    ),
    "weather": (
        Value("clear", "in clear weather", ("clear weather", "under a clear sky", "clear sky")),
        Value("fog", "in fog", ("foggy", "mist", "misty", "haze", "hazy")),
        Value("rain", "in rain", ("rainy", "raining", "drizzle", "downpour", "in the wet")),
    ),
    "viewpoint": (
        Value("eye level", "at eye level", ("from the side", "side view", "from the front")),
        Value(
            "above",
            "from above",
            ("overhead", "from overhead", "top view", "top down", "birds eye view", "looking down"),
        ),
    ),
    "distance": (
        Value("close", "close up", ("closeup", "up close", "nearby")),
        Value(
            "middle",
            "at medium distance",
            ("medium distance", "at a medium distance", "middle distance", "in the middle distance"),
        ),
        Value(
            "far",
            "far away",
            ("distant", "faraway", "far off", "in the distance", "from afar", "from a distance"),
        ),
    ),
    "companion": (
        Value("none", "alone", ("by itself", "on its own", "beside nothing")),
        Value("box", "beside a box", ("crate", "wooden box", "wooden crate", "cardboard box")),
        Value("cone", "beside a cone", ("traffic cone", "safety cone")),
    ),
}

DEFAULTS: dict[str, str] = {
    "texture": "plain",
    "weather": "clear",
    "viewpoint": "eye level",
    "distance": "middle",
    "companion": "none",
}
"""The values that a short caption leaves out, because they are what one would expect."""

WEIGHTS: dict[str, tuple[int, ...]] = {
    "light": (40, 30, 30),
    "weather": (50, 25, 25),
    "companion": (60, 20, 20),
}
"""How often an unsaid value is imagined, in percent; attributes not named here are uniform."""


def words(attribute: str) -> tuple[str, ...]:
    """The values of one attribute, in order. Raises KeyError for an attribute that does not exist."""
    return tuple(value.word for value in ATTRIBUTES[attribute])


def phrase(attribute: str, word: str) -> str:
    """How a caption says that `attribute` is `word`. Raises KeyError where there is no such value."""
    for value in ATTRIBUTES[attribute]:
        if value.word == word:
            return value.phrase
    raise KeyError(f"{attribute} has no value {word!r}")
