"""What a classifier that can be trained promises: its logits rank the classes, and what it writes answers as it does.

Comes in: a part. Goes out: broken promises. Neighbour: `testing/__init__.py`, which asks; `act/repair/` relies on it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.errors import FoibleError, brief
from foible.parts import asking
from foible.parts.again import as_written
from foible.parts.protocols import Trainable, offers
from foible.parts.registry import Part, load
from foible.records import Fault

if TYPE_CHECKING:
    from foible.parts.protocols import Image

_CLOSE = 1e-3
_LOUDER = 1.5
"""What the last layer is multiplied by to see that its new weights are written."""


def trained(part: Part, images: Sequence[Image]) -> Iterator[str]:
    """List the promises that a trainable classifier breaks; nothing for one that is none."""
    if not offers(part.object, Trainable) or part.object.untrainable:
        return
    try:
        yield from _broken(part, part.object, images)
    except Exception as error:  # noqa: BLE001 - a stranger's code
        told = brief(" ".join(str(error).split()), 160)
        yield f"it can be trained and written: it raised {type(error).__name__}: {told}"


def _broken(part: Part, model: Trainable, images: Sequence[Image]) -> Iterator[str]:
    import torch

    own = dict(model.network.named_parameters())
    last = list(model.last_layer())
    if model.network.training:
        yield "its network is in evaluation mode: it is in training mode"
    if not last or not set(last) <= own.keys():
        yield f"its last layer names parameters of its network: it names {brief(', '.join(last) or 'none', 120)}"
        return
    scores = asking.ask_classifier(part, images)
    logits = model.logits(model.prepare(images))
    if logits.shape[0] != len(images) or [int(row.argmax()) for row in logits.detach().cpu()] != _first(scores):
        yield "its logits rank the classes as `classify` does: they give another class the highest"
    for name in last:
        own[name].requires_grad_(True)  # noqa: FBT003 - torch takes it by position alone
    model.logits(model.prepare(images)).square().sum().backward()  # type: ignore[no-untyped-call] # torch leaves it so
    dead = [name for name in last if own[name].grad is None]
    for name in last:
        own[name].requires_grad_(False)  # noqa: FBT003 - as above
        own[name].grad = None
    if dead:
        yield f"gradients reach its last layer: none reaches {brief(', '.join(dead), 120)}"
    before = {name: own[name].detach().clone() for name in last}
    try:
        with torch.no_grad():
            for name in last:
                own[name].mul_(_LOUDER).add_(
                    torch.linspace(0, 1, own[name].numel()).reshape(own[name].shape).to(own[name])
                )
        yield from _written(part, model, images, scores)
    finally:
        with torch.no_grad():
            for name, value in before.items():
                own[name].copy_(value)


def _written(part: Part, model: Trainable, images: Sequence[Image], before: Sequence[Any]) -> Iterator[str]:
    """See that new weights are written, and answer as they did."""
    now = asking.ask_classifier(part, images)
    if _alike(now, before):
        yield "`classify` uses the weights of its network: with others it gave the same answers"
    with tempfile.TemporaryDirectory() as folder:
        spec = model.save(Path(folder))
        try:
            again = load("classifier", as_written(part.identity, spec))
        except FoibleError as error:
            yield f"what it writes loads again: {error}"
            return
        if not _alike(asking.ask_classifier(again, images), now):
            yield "what it writes answers as it did: loaded again, it gave other answers"


def _first(scores: Sequence[Any]) -> list[int]:
    return [-1 if isinstance(one, Fault) else int(one.argmax()) for one in scores]


def _alike(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return all(
        not isinstance(one, Fault)
        and not isinstance(other, Fault)
        and one.shape == other.shape
        and bool(np.allclose(one, other, rtol=_CLOSE, atol=_CLOSE))
        for one, other in zip(some, others, strict=True)
    )
