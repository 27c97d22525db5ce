"""Whether an image shows its label, by a joint embedding of images and texts.

Comes in: images and their labels. Goes out: judgements. Neighbours: `embed_transformers.py` makes the vectors,
`_votes.py` makes one judgement of several scores; a classifier under test is never its own judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from foible.adapters.shared import votes as _votes
from foible.adapters.transformers import models as shared
from foible.adapters.transformers.embedder import TransformersEmbedder
from foible.errors import ArgumentError, PartError, PluginError, brief

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image
    from foible.records import Judgement, Label

TEMPLATE = "a photo of a {name}"


class ClipJudge:
    """Compares the cosine of an image with its label to its cosines with other things.

    With contrasts, a score is cosine(image, label) minus the largest cosine(image, contrast); without, it is
    cosine(image, label). There is a score for each template, and an image is faithful when enough of them reach their
    thresholds. A contrast that names the label itself, in whatever case, is left out. For models such as CLIP
    (arXiv 2103.00020) and SigLIP (arXiv 2303.15343).
    """

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        contrasts: Sequence[str] | None = None,
        template: str | Sequence[str] | None = None,
        threshold: float | Sequence[float] | None = None,
        needed: int | None = None,
        calibration: str | None = None,
        device: str | None = None,
        dtype: str = "float32",
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        """Load the model.

        Args:
            name: a folder, or a name on the hub, of a CLIP-like model.
            contrasts: names of other things that an image could show.
            template: the text for a name, which goes where `{name}` stands (and `{kind}`); several give several
                scores. "a photo of a {name}" by default.
            threshold: smallest score that is faithful, for all templates or one for each; 0 by default with contrasts,
                and needed without.
            needed: how many scores must reach their thresholds; 2 by default, 1 with one template.
            calibration: a file of `foible calibrate-judge`, in place of the four above.
            device: `cpu`, `cuda`, `mps`; by default the fastest there is.
            dtype: `float32`, `float16` or `bfloat16`.
            revision: which version on the hub.
            trust_remote_code: run code that comes with the model.
        """
        given = {"contrasts": contrasts, "template": template, "threshold": threshold, "needed": needed}
        shared.must_exist(name)
        if calibration is None:  # before the model is loaded, which takes longer
            _checked(name, given)
        self._embedder = TransformersEmbedder(
            name, device=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code
        )
        if not self._embedder.reads_text:
            message = f"{name!r} embeds images alone; a judge needs a model of images and texts, such as CLIP"
            raise PluginError(message)
        self.fingerprint = self._embedder.fingerprint
        settled = _votes.settle(name, given, calibration, self.fingerprint)
        self._contrasts, self._templates, self._votes = _checked(name, settled)
        self._vectors: dict[tuple[str, str, str], NDArray[np.float64]] = {}
        self._unread: dict[tuple[str, str], tuple[str, ...]] = {}
        self._contrasts_fit(name)
        self.calibrates = {"contrasts": list(self._contrasts), "template": list(self._templates)}
        self.resolved = {
            **self._embedder.resolved,
            **self.calibrates,
            "threshold": list(self._votes.thresholds),
            "needed": self._votes.needed,
            "calibration": None,
        }
        self.version = self._embedder.version

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement | PartError]:
        """Judge each image against its own label; a `PartError` stands where the model cannot read all of a label."""
        cut = [self._cut(label) for label in labels]
        rows = [row for row, words in enumerate(cut) if not words]
        scores = self.scores([images[row] for row in rows], [labels[row] for row in rows]) if rows else None
        judged = iter([] if scores is None else self._votes.judge(scores))
        return [
            next(judged)
            if not words
            else PartError(
                f"the judge has no room for the last words of the label {brief(label.name, 60)!r} "
                f"({brief(' '.join(words), 60)}): give it a shorter name or template"
            )
            for label, words in zip(labels, cut, strict=True)
        ]

    def _cut(self, label: Label) -> tuple[str, ...]:
        """List the words of a label, in its templates, that the model does not read."""
        key = (label.name, label.kind)
        if key not in self._unread:
            texts = [_votes.filled(template, *key) for template in self._templates]
            self._unread[key] = next((words for words in map(self._embedder.unread, texts) if words), ())
        return self._unread[key]

    def scores(self, images: Sequence[Image], labels: Sequence[Label]) -> NDArray[np.float64]:
        """Score each image for its own label: (n, templates), float64, -2 .. 2."""
        vectors = self._embedder.embed(images).astype(np.float64)
        rows = [
            [self._score(vector, template, label) for template in self._templates]
            for vector, label in zip(vectors, labels, strict=True)
        ]
        return np.array(rows, np.float64).reshape(len(vectors), len(self._templates))

    def _contrasts_fit(self, name: str) -> None:
        for contrast in self._contrasts:
            words = next(
                (w for t in self._templates if (w := self._embedder.unread(_votes.filled(t, contrast, "")))), ()
            )
            if words:
                message = (
                    f"{name!r} has no room for the last words of the contrast {brief(contrast, 60)!r} "
                    f"({brief(' '.join(words), 60)}): give it a shorter name"
                )
                raise ArgumentError(message)

    def _score(self, image: NDArray[np.float64], template: str, label: Label) -> float:
        others = [other for other in self._contrasts if other.casefold() != label.name.casefold()]
        own = float(image @ self._text(template, label.name, label.kind))
        return own - max((float(image @ self._text(template, other, "")) for other in others), default=0.0)

    def _text(self, template: str, name: str, kind: str) -> NDArray[np.float64]:
        key = (template, name, kind)
        if key not in self._vectors:
            text = _votes.filled(template, name, kind)
            self._vectors[key] = self._embedder.embed_texts([text])[0].astype(np.float64)
        return self._vectors[key]


def _checked(name: str, given: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[str, ...], _votes.Votes]:
    """Give contrasts, templates and rule."""
    contrasts = _names(name, given["contrasts"])
    templates = _votes.texts(name, "template", TEMPLATE if given["template"] is None else given["template"])
    default = 0.0 if contrasts else None
    return contrasts, templates, _votes.votes(name, len(templates), given["threshold"], given["needed"], default)


def _names(spec: str, contrasts: object) -> tuple[str, ...]:
    listed = () if contrasts is None else contrasts
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) and one.strip() for one in listed):
        message = f"the contrasts of {spec!r} must be a list of names, but are {brief(repr(contrasts))}"
        raise ArgumentError(message)
    return tuple(listed)
