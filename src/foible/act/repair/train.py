"""Trains a classifier further: its last layer, or all of them, until images that were held out get no better.

Comes in: a trainable classifier, and images with the classes that are right for them. Goes out: the weights of the best
pass; the classifier itself has those it came with again, since it is asked on. Neighbours: `lessons.py` says which
images; `checkpoint.py` keeps what a killed training goes on from; `prove.py` says what became of the bugs, on images
that are not seen here.

The network stays in evaluation mode: batch normalisation keeps its statistics, and no dropout is drawn. Each pass goes
through all images in an order that hangs on the seed and the pass alone. So the same call gives the same weights on the
same machine, and a training that was stopped ends as one that was not. The step of each parameter is a share of its own
size (as in Shazeer and Stern's Adafactor, arXiv 1804.04235), so that one rate fits networks of any scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from foible.act.repair.checkpoint import Checkpoint, Passed, Tensors
from foible.errors import TrainingError
from foible.repairs import Layers

if TYPE_CHECKING:
    from foible.parts.protocols import Image, Trainable
    from foible.progress import Show

_BATCH = 64
_STEPS = 24
"""Of a pass, at least: each is held against the held-out images, and is kept."""
_SMALLEST = 1e-3
"""Of a parameter's size: one that begins with zeros moves all the same."""
_CLOSE = 1e-4
"""By how much scores may differ that a layer gives by itself."""
_KEPT = 2**30
"""Bytes of what a layer is given that are kept, at most; what is beyond is worked out anew in each pass."""
_COLLAPSE = 0.1
"""A training has collapsed where base prompts fail more often by this share than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, and how long."""

    rate: float
    """Step of a parameter, as a share of its root mean square."""
    passes: int
    """At most."""
    patience: int
    """Passes without a better one after which it ends."""


PACES: dict[Layers, Pace] = {
    "last": Pace(rate=0.02, passes=60, patience=6),
    "all": Pace(rate=0.005, passes=20, patience=4),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One image, and what it teaches."""

    image: str
    """What it is fetched by."""
    right: tuple[int, ...]
    """The classes that are right for it."""
    weight: float
    """How much it counts."""
    base: bool
    """Whether it is what the classifier must not lose: a base prompt, or a photograph of the user's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What came of a training."""

    parameters: tuple[str, ...]
    numbers: int
    epochs: int
    best: int
    before: float
    """Loss on the held-out images before the first pass."""
    after: float
    weights: Tensors
    """Of the best pass, by name."""


def fit(  # noqa: PLR0913 - what trains meets here, by name
    model: Trainable,
    *,
    layers: Layers,
    samples: Sequence[Sample],
    held: Sequence[Sample],
    images: Callable[[str], Image],
    seed: int,
    checkpoint: Checkpoint,
    show: Show,
) -> Fitted:
    """Train a network.

    Args:
        model: the classifier.
        layers: what is trained.
        samples: what is learned from.
        held: what ends the training.
        images: fetches an image.
        seed: of the order.
        checkpoint: where each pass is kept.
        show: told how many passes are done.

    Raises:
        TrainingError: the loss is no number any more, no pass was better than none, or base prompts fail far more.
        StoreError: the checkpoint cannot be written.
    """
    names = model.last_layer() if layers == "last" else [name for name, _ in model.network.named_parameters()]
    network = _Network(model, names, images, frozen=layers == "last")
    with network.trained():
        done = _passes(network, PACES[layers], samples, held, seed, checkpoint, show)
    _refuse_useless(done, layers)
    return Fitted(
        parameters=tuple(names),
        numbers=sum(one.numel() for one in done.best.values()),
        epochs=done.epoch,
        best=done.best_epoch,
        before=done.losses[0],
        after=done.losses[done.best_epoch],
        weights=done.best,
    )


def _passes(  # noqa: PLR0913, PLR0917 - as `fit`
    network: _Network,
    pace: Pace,
    samples: Sequence[Sample],
    held: Sequence[Sample],
    seed: int,
    checkpoint: Checkpoint,
    show: Show,
) -> Passed:
    """Go through all images again and again, from the last pass that was kept."""
    start = network.weights()
    done = checkpoint.read(list(start))
    if done is None:
        value, lost = network.measure(held)
        done = Passed(epoch=0, losses=(value,), failing=(lost,), best=start, now=start)
    network.put(done.now)
    optimiser = torch.optim.AdamW(network.groups(start, pace.rate), weight_decay=0.0)
    if done.optimiser is not None:
        optimiser.load_state_dict(done.optimiser)
    show(done.epoch, pace.passes, 0)
    while done.epoch < pace.passes and done.epoch - done.best_epoch < pace.patience:
        for chosen in _order(len(samples), seed, done.epoch):
            loss = network.loss([samples[at] for at in chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch leaves it without types
            optimiser.step()
        value, lost = network.measure(held)
        if not math.isfinite(value):
            message = f"the training diverged: its loss is no number after pass {done.epoch + 1}, so no weights were "
            raise TrainingError(f"{message}written; give it more images with --draws, or train other --layers")
        done = done.then(value, lost, network.weights(), optimiser.state_dict())
        checkpoint.write(done)
        show(done.epoch, pace.passes, 0)
    return done


def _refuse_useless(done: Passed, layers: Layers) -> None:
    """Refuse a training that came to nothing better.

    Raises:
        TrainingError: as the summary says.
    """
    if done.best_epoch == 0:
        message = f"of {done.epoch} passes none made it better on images that were held out"
        raise TrainingError(f"{message}, so no weights were written; {_instead(layers)}")
    before, after = done.failing[0], done.failing[done.best_epoch]
    if after > before + _COLLAPSE:
        message = f"the training collapsed: base prompts fail in {after:.0%} of images that were held out, where "
        raise TrainingError(f"{message}{before:.0%} did before; no weights were written; {_instead(layers)}")


def _instead(layers: Layers) -> str:
    more = "give it more images with --draws"
    return f"{more}, or train --layers all" if layers == "last" else f"{more}, or train the last layer alone"


def _order(count: int, seed: int, epoch: int) -> Iterator[Sequence[int]]:
    """Give the places of one pass in batches; where these would be few, all images come several times."""
    dice = np.random.default_rng([seed, epoch])
    for _ in range(math.ceil(_STEPS / math.ceil(count / _BATCH))):
        places: list[int] = dice.permutation(count).tolist()
        yield from (places[start : start + _BATCH] for start in range(0, count, _BATCH))


class _Network:
    """A classifier while it is trained."""

    def __init__(self, model: Trainable, names: Sequence[str], images: Callable[[str], Image], *, frozen: bool) -> None:
        """Name the parameters that are trained.

        Where all else is frozen and the answer is what the last layer gives, what that layer is given is worked out
        once for each image.
        """
        self._model = model
        self._images = images
        self._own = {name: one for name, one in model.network.named_parameters() if name in set(names)}
        self._device = next(iter(self._own.values())).device
        self._given: dict[str, torch.Tensor] = {}
        places = {name.rpartition(".")[0] for name in names}
        self._head = model.network.get_submodule(places.pop()) if frozen and len(places) == 1 else None

    @contextmanager
    def trained(self) -> Iterator[None]:
        """Let the named parameters want gradients; afterwards they are what they were, whatever ends it."""
        before = self.weights()
        wanted = {name: one.requires_grad for name, one in self._model.network.named_parameters()}
        try:
            for name, one in self._model.network.named_parameters():
                one.requires_grad_(name in self._own)
            yield
        finally:
            self.put(before)
            for name, one in self._model.network.named_parameters():
                one.requires_grad_(wanted[name])

    def weights(self) -> dict[str, torch.Tensor]:
        """Copy the weights that are trained."""
        return {name: one.detach().cpu().clone() for name, one in self._own.items()}

    def put(self, weights: dict[str, torch.Tensor]) -> None:
        """Put weights in their places."""
        with torch.no_grad():
            for name, one in self._own.items():
                one.copy_(weights[name])

    def groups(self, start: dict[str, torch.Tensor], rate: float) -> list[dict[str, object]]:
        """Give each parameter a step that fits its size at the start."""
        sizes = {name: float(start[name].float().square().mean().sqrt()) for name in self._own}
        return [{"params": [one], "lr": rate * max(sizes[name], _SMALLEST)} for name, one in self._own.items()]

    def loss(self, part: Sequence[Sample]) -> torch.Tensor:
        """Give the weighted mean of -log of the probability that is on right classes."""
        return (self._losses(self._scores(part, training=True), part) * self._weights(part)).mean()

    def measure(self, held: Sequence[Sample]) -> tuple[float, float]:
        """Give the loss over images, and the share of those that must not be lost which fail."""
        total, lost, base = 0.0, 0.0, 0.0
        for start in range(0, len(held), _BATCH):
            part = held[start : start + _BATCH]
            with torch.no_grad():
                scores = self._scores(part, training=False)
                total += float((self._losses(scores, part) * self._weights(part)).sum())
            first = scores.argmax(dim=1).tolist()
            for sample, index in zip(part, first, strict=True):
                base += sample.weight * sample.base
                lost += sample.weight * sample.base * (index not in sample.right)
        return total / len(held), lost / base if base else 0.0

    def _scores(self, part: Sequence[Sample], *, training: bool) -> torch.Tensor:
        if self._head is None or not self._given.keys() >= {one.image for one in part}:
            return self._through(part, training=training)
        return self._model_scores(torch.stack([self._given[one.image] for one in part]))

    def _through(self, part: Sequence[Sample], *, training: bool) -> torch.Tensor:
        """Ask the whole network; note what its last layer is given, where that tells the whole answer."""
        batch = self._model.prepare([self._images(one.image) for one in part])
        if self._head is None:
            return self._model.logits(batch)
        kept: list[torch.Tensor] = []
        hook = self._head.register_forward_pre_hook(lambda _module, given: kept.append(given[0].detach()))
        try:
            with torch.set_grad_enabled(training):
                scores = self._model.logits(batch)
        finally:
            hook.remove()
        alone = self._model_scores(kept[-1]) if kept and len(kept[-1]) == len(part) else None
        if alone is None or alone.shape != scores.shape or not torch.allclose(alone, scores, rtol=_CLOSE, atol=_CLOSE):
            self._head = None  # something stands behind it, or it is at work several times
            return scores
        if len(self._given) * kept[-1][0].nbytes < _KEPT:
            self._given |= {one.image: row for one, row in zip(part, kept[-1], strict=True)}
        return scores

    def _model_scores(self, given: torch.Tensor) -> torch.Tensor:
        assert self._head is not None  # noqa: S101 - asked before
        scores: torch.Tensor = self._head(given)
        return scores.float()

    def _losses(self, scores: torch.Tensor, part: Sequence[Sample]) -> torch.Tensor:
        right = torch.zeros(scores.shape, dtype=torch.bool)
        for row, sample in enumerate(part):
            right[row, list(sample.right)] = True
        among = scores.masked_fill(~right.to(scores.device), -math.inf)
        return scores.logsumexp(dim=1) - among.logsumexp(dim=1)

    def _weights(self, part: Sequence[Sample]) -> torch.Tensor:
        return torch.tensor([one.weight for one in part], dtype=torch.float32, device=self._device)
