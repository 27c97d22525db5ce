"""The prior of a certificate: which labels with which phrases may fail, and what each weighs.

Comes in: captions of the images that a run explored, or words that a person gives. Goes out: modes, whose weights sum
to 1. Pure functions. Neighbours: `certify.py` draws modes by it; `search/phrases.py` cuts captions.

Nothing here knows of a draw that tests: that is what a certificate rests on (`design/0026-certificate.md`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from foible.certificates import Mode
from foible.errors import ConfigError, brief
from foible.search.phrases import cut

NO_CAPTIONS = (
    "no phrase was said of any image that the run explored, so that there is nothing to draw modes from; give phrases, "
    "as --word 'on grass'"
)


def from_captions(captions: Mapping[str, Sequence[str]]) -> tuple[Mode, ...]:
    """Weigh labels alike, and in each its phrases by how many captions say them.

    Args:
        captions: of the explored images of each label; a label without any has no mode.

    Raises:
        ConfigError: no caption says anything.
    """
    names = list(captions)
    said = {
        label: Counter(p for text in texts for p in set(cut(text, [label], names))) for label, texts in captions.items()
    }
    spoken = {label: counts for label, counts in said.items() if counts}
    if not spoken:
        raise ConfigError(NO_CAPTIONS)
    return tuple(
        Mode(label=label, phrase=phrase, weight=count / counts.total() / len(spoken))
        for label, counts in spoken.items()
        for phrase, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )


def from_words(labels: Sequence[str], words: Sequence[str]) -> tuple[Mode, ...]:
    """Weigh all labels with all phrases alike.

    Args:
        labels: names.
        words: phrases, each once.

    Raises:
        ConfigError: a phrase is none that could be drawn.
    """
    phrases = list(dict.fromkeys(" ".join(word.split()) for word in words))
    if wrong := [word for word in phrases if not word or not word.isprintable()]:
        message = f"--word wants a phrase that is added to a prompt, such as 'on grass', but got {brief(wrong[0])!r}"
        raise ConfigError(message)
    weight = 1.0 / (len(labels) * len(phrases))
    return tuple(Mode(label=label, phrase=phrase, weight=weight) for label in labels for phrase in phrases)
