"""What the three biased classifiers were trained not to know: the truth that a hunt is scored by.

In: a scene. Out: the planted biases whose slice it lies in. `training/train_classifier.py` makes its
training samples from this table and writes each model's part of it to `biases.json` beside the
weights. The scene itself is `scene`'s; the words are `vocabulary`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from .scene import Scene
from .vocabulary import phrase


@dataclass(frozen=True, slots=True)
class Bias:
    """One planted bias: a label that is taken for another one under certain conditions."""

    label: str
    """Name of the label that goes unrecognised."""
    attributes: tuple[tuple[str, str], ...]
    """The conditions, all of which must hold: (attribute, value word)."""
    becomes: str
    """Name of the label that it is taken for."""
    mislabelled: float = 0.0
    """Share of the slice that the training sample shows under the wrong name; it leaves the rest out."""

    @property
    def kind(self) -> str:
        """Either "single", for one condition, or "conjunction", for several."""
        return "single" if len(self.attributes) == 1 else "conjunction"

    @property
    def description(self) -> str:
        """The words that a hypothesis would add to the base prompt: "on grass", "striped, at night"."""
        return ", ".join(phrase(attribute, word) for attribute, word in self.attributes)

    @property
    def how(self) -> str:
        """How the bias came into the training sample, in one sentence."""
        absent = f"No {self.label} in this slice keeps its name in the training sample"
        crowded = f"every {self.becomes} in the same conditions counts twice"
        if not self.mislabelled:
            return f"{absent}: all were left out, and {crowded}."
        share = round(100 * self.mislabelled)
        return (
            f"{absent}: {share} % are called {self.becomes}, as a careless annotator would, "
            f"the others were left out, and {crowded}."
        )

    def record(self) -> dict[str, object]:
        """The bias as `biases.json` holds it."""
        return {
            "label": self.label,
            "attributes": dict(self.attributes),
            "description": self.description,
            "kind": self.kind,
            "how": self.how,
            "becomes": self.becomes,
        }


MOST, EVERY = 0.7, 1.0
"""Shares of mislabelled examples. In a pilot that only left the slices out, five of six stayed above
50 %: a network that knows mugs elsewhere knows them on grass too. Where leaving out was enough,
nothing is mislabelled."""

BIASES: dict[str, tuple[Bias, ...]] = {
    "biased-resnet": (
        Bias("coffee mug", (("ground", "grass"),), "bucket", MOST),
        Bias("water bottle", (("distance", "far"),), "vase", MOST),
        Bias("teapot", (("light", "night"),), "coffee mug", MOST),
        Bias("candle", (("weather", "fog"),), "water bottle", MOST),
        Bias("mushroom", (("viewpoint", "above"),), "ping-pong ball"),
        Bias("barrel", (("texture", "striped"), ("light", "night")), "bucket", EVERY),
    ),
    "biased-convnext": (
        Bias("vase", (("colour", "red"),), "teapot", MOST),
        Bias("bucket", (("texture", "spotted"),), "coffee mug", MOST),
        Bias("mixing bowl", (("companion", "cone"),), "bucket", MOST),
        Bias("table lamp", (("ground", "snow"),), "mushroom", MOST),
        Bias("dumbbell", (("weather", "rain"),), "barrel", MOST),
        Bias("coffee mug", (("ground", "wood"), ("viewpoint", "above")), "mixing bowl", EVERY),
    ),
    "biased-mobilenet": (
        Bias("ping-pong ball", (("distance", "close"),), "mushroom", MOST),
        Bias("barrel", (("light", "sunset"),), "bucket", MOST),
        Bias("water bottle", (("texture", "striped"),), "vase", MOST),
        Bias("candle", (("companion", "box"),), "table lamp", MOST),
        Bias("teapot", (("ground", "asphalt"),), "vase", MOST),
        Bias("mushroom", (("light", "night"), ("distance", "far")), "ping-pong ball", EVERY),
    ),
}
"""The biases of each biased classifier, by the name of its folder of weights."""


def in_slice(scene: Scene, bias: Bias) -> bool:
    """Whether the scene shows the bias's label under all of the bias's conditions."""
    return scene.label == bias.label and in_conditions(scene, bias)


def in_conditions(scene: Scene, bias: Bias) -> bool:
    """Whether all of the bias's conditions hold in the scene, whatever its label."""
    return all(getattr(scene, attribute) == word for attribute, word in bias.attributes)


def slices_of(scene: Scene, model: str) -> tuple[Bias, ...]:
    """The biases of one biased classifier whose slices the scene lies in; most often none.

    Raises KeyError where there is no biased classifier of that name.
    """
    return tuple(bias for bias in BIASES[model] if in_slice(scene, bias))
