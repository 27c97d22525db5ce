"""What the parts of a run are called, and the key of what each says of an image.

Comes in: who the parts are, what each classifier's classes mean, the labels. Goes out: keys of answers. Neighbours:
`observe.py` looks answers up under them; `identity.py` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foible.identity import answer_key, canonical, question_key
from foible.records import ClassMap, Label

GENERATOR, CAPTIONER, EMBEDDER, JUDGE = "generator", "captioner", "embedder", "judge"
GUIDE = "guide"
"""The generator, led by a classifier: what draws where the arm is guided."""
KEPT = 5
"""How many of a classifier's highest scores are kept, at the least."""


def classifier(place: int) -> str:
    """Give what a run calls the classifier at a place."""
    return f"classifier {place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What every part of a run is asked."""

    identities: Mapping[str, Mapping[str, Any]]
    """Of each part, by what the run calls it."""
    maps: Sequence[ClassMap]
    """Of each classifier."""
    labels: Mapping[str, Label]
    """By name."""
    _known: dict[tuple[str, str], str] = field(init=False, default_factory=dict)
    """Keys of questions, by part and, where the part is asked about one, the label."""

    def key(self, part: str, label: str, image: str) -> str:
        """Give the key of what a part says of an image that was drawn for a label."""
        asked = part, label if part == JUDGE else ""
        if asked not in self._known:
            self._known[asked] = question_key(self.identities[part], self._text(part, label))
        return answer_key(self._known[asked], image)

    def _text(self, part: str, label: str) -> str:
        """Say what decides an answer beside the part and the pixels."""
        if part == JUDGE:
            return canonical([self.labels[label].name, self.labels[label].kind])
        if part.startswith("classifier"):
            return f"the {max((KEPT, *(m.top for m in self.maps)))} highest scores, and all that equal the last"
        return ""
