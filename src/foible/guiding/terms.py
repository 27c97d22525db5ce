"""What else is weighed while an image is led: that it stays near its start, shows a text, raises a class or a unit.

Comes in: terms; images with gradients, what they were at first, their prompts. Goes out: a number for each image. Terms
move images and decide nothing: whether the objective is reached is asked without them. Neighbours: `asked.py` reads
terms; `objective.py` adds them to its own number; `sight.py` and `unit.py` look at the classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from foible.errors import ConfigError, PluginError, brief, near
from foible.guiding.asked import Term, read_unit
from foible.guiding.followed import Followed
from foible.guiding.lpips import NETWORKS, lpips
from foible.guiding.objective import Pull
from foible.guiding.sight import Sight
from foible.guiding.unit import Watched
from foible.labels import split_name
from foible.parts.protocols import DifferentiableEmbedder, EmbedsTexts, offers
from foible.parts.registry import Part
from foible.records import ClassMap

if TYPE_CHECKING:
    from torch import Tensor

_TINY = 1e-12
"""Under the root of l2, whose gradient would else not be finite at the start."""


class Terms:
    """Terms that are weighed together."""

    def __init__(self, terms: Sequence[Term], classifier: tuple[Part, ClassMap], embedder: Part | None) -> None:
        """Load what the terms ask.

        Args:
            terms: one or more.
            classifier: the first one, and what its classes mean.
            embedder: asked by some; None where none is named.

        Raises:
            PluginError: a part has no gradients, reads no text or is missing.
            ConfigError: the classifier has no such class, layer or unit.
        """
        self._pulls = [(one.weight, _PULLS[one.kind](one.argument, classifier, embedder)) for one in terms]

    def __call__(self, images: Tensor, prompts: Sequence[str], starts: Tensor) -> Tensor:
        """Weigh images: (n,), with gradients."""
        weighed = [weight * pull(images, prompts, starts.to(images)) for weight, pull in self._pulls]
        return torch.stack(weighed).sum(0)


Classifier = tuple[Part, ClassMap]


def _l1(argument: str, classifier: Classifier, embedder: Part | None) -> Pull:  # noqa: ARG001 - one shape for all
    return lambda images, _, starts: (images - starts).abs().mean(dim=(1, 2, 3))


def _l2(argument: str, classifier: Classifier, embedder: Part | None) -> Pull:  # noqa: ARG001 - as above
    return lambda images, _, starts: ((images - starts).square().mean(dim=(1, 2, 3)) + _TINY).sqrt()


def _lpips(argument: str, classifier: Classifier, embedder: Part | None) -> Pull:  # noqa: ARG001 - as above
    apart = lpips(argument or NETWORKS[0])
    return lambda images, _, starts: apart(images, starts)


def _embedder(argument: str, classifier: Classifier, embedder: Part | None) -> Pull:  # noqa: ARG001 - as above
    looking = _Looking("embedder", embedder)
    return lambda images, _, starts: 1 - (looking.vectors(images) * looking.vectors(starts).detach()).sum(1)


def _text(argument: str, classifier: Classifier, embedder: Part | None) -> Pull:  # noqa: ARG001 - as above
    return _Looking("text", embedder).text(argument)


def _unit(argument: str, classifier: Classifier, embedder: Part | None) -> Pull:  # noqa: ARG001 - as above
    sight, watched = Sight(classifier[0]), Watched(classifier[0], read_unit(argument))
    return lambda images, _, __: watched.graded(sight, images)


def _class(name: str, classifier: Classifier, embedder: Part | None) -> Pull:  # noqa: ARG001 - as above
    """Give the log-probability of a class, or of all classes with its name."""
    part, classes = classifier
    sight, names = Sight(part), classes.names or ()
    sight.differentiable()
    places = [at for at, one in enumerate(names) if name in {one, split_name(one)[0]}]
    if not places:
        own = list(dict.fromkeys(split_name(one)[0] for one in names))
        message = f"the classifier {brief(part.identity['spec'], 80)} has no class {brief(name, 80)!r}: "
        raise ConfigError(message + near(name, own))

    def pull(images: Tensor, _: Sequence[str], __: Tensor) -> Tensor:
        found: Tensor = sight.scores(images).log_softmax(1)[:, places].logsumexp(1)
        return found

    return pull


class _Looking:
    """An embedder with gradients."""

    def __init__(self, kind: str, part: Part | None) -> None:
        if part is None:
            message = f"the term {kind} asks an embedder: name one"
            raise PluginError(message)
        self._spec = brief(part.identity["spec"], 80)
        if not offers(part.object, DifferentiableEmbedder):
            message = f"the embedder {self._spec} has no gradients, which the term {kind} wants: name another one, or "
            raise PluginError(f"{message}leave the term out")
        self._embedder = part.object
        self._embedder.network.requires_grad_(requires_grad=False)
        self._followed = Followed(self._embedder.prepare, f"the embedder {self._spec}")

    def vectors(self, images: Tensor) -> Tensor:
        """Embed images of 0..1 with gradients: (n, dimensions), each of length 1."""
        return self._embedder.vectors(self._followed(images))

    def text(self, words: str) -> Pull:
        """Give the logit of a text, or of each draw's prompt where it is empty."""
        reader = self._embedder
        if not offers(reader, EmbedsTexts) or not reader.reads_text:
            message = f"the embedder {self._spec} reads no text, which the term text wants; name one such as CLIP"
            raise PluginError(message)
        factor, known = reader.scale[0], dict[str, "Tensor"]()

        def of(text: str) -> Tensor:
            if text not in known:
                known[text] = torch.from_numpy(reader.embed_texts([text])[0])
            return known[text]

        def pull(images: Tensor, prompts: Sequence[str], _: Tensor) -> Tensor:
            texts = torch.stack([of(words or prompt) for prompt in prompts])
            vectors = self.vectors(images)
            return factor * (vectors * texts.to(vectors)).sum(1)

        return pull


_PULLS: Mapping[str, Callable[[str, Classifier, Part | None], Pull]] = {
    "l1": _l1,
    "l2": _l2,
    "lpips": _lpips,
    "embedder": _embedder,
    "text": _text,
    "class": _class,
    "unit": _unit,
}
