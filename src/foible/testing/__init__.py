"""For whoever writes a plug-in: does it keep the promises of its kind? And a trivial plug-in of each kind.

Comes in: a spec or an object. Goes out: the promises it breaks, one sentence each; none when it conforms. Neighbours:
`naming.py` looks at names and words, `training.py` at what can be trained, `trivial.py` has the plug-ins;
`parts/protocols.py` states the promises, `parts/asking.py` guards a hunt against parts that break them all the same.

    assert not foible.testing.check("classifier", MyClassifier())
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.errors import FoibleError, brief
from foible.parts import asking as wrappers
from foible.parts.fingerprint import without_addresses
from foible.parts.protocols import AcceptsClasses, EmbedsTexts, HoldsPhotographs, NamesClasses, offers
from foible.parts.registry import METHODS, Part, load
from foible.records import Drawn, Fault, Judgement, Label
from foible.testing import naming, noise, repaint, training
from foible.testing.trivial import ColourClassifier, ConstantCaptioner, MeanEmbedder, NoiseGenerator, YesJudge

if TYPE_CHECKING:
    from foible.parts.protocols import Image

__all__ = [
    "LEVELS",
    "TOLERANCE",
    "ColourClassifier",
    "ConstantCaptioner",
    "MeanEmbedder",
    "NoiseGenerator",
    "YesJudge",
    "check",
    "patterns",
]

TOLERANCE = 1e-4
"""By how much scores and vectors may differ, absolutely and relatively, between one call and another."""

LEVELS = 2
"""By how many of the 256 levels a pixel may differ when its image is drawn in a batch of another size."""

Columns = Sequence[Sequence[Any]]
"""What one call is given: a list of images; or prompts and seeds; or images and labels."""


def check(  # noqa: PLR0913 - what to hold to its promises is three of them
    kind: str,
    what: object,
    args: Mapping[str, Any] | None = None,
    *,
    images: Sequence[Image] | None = None,
    shows: Sequence[str] = (),
    size: int = 64,
) -> list[str]:
    """List the promises that a plug-in breaks.

    Args:
        kind: `generator`, `classifier`, `captioner`, `embedder` or `judge`.
        what: a spec, an object, or a plain function of a batch.
        args: arguments of the plug-in, beside a spec.
        images: at least three different images to show it, each (height, width, 3) uint8; by default simple patterns.
        shows: what each of your images shows, as labels are written: a classifier that is wrong about more than half
            of them has another preprocessing, output or order of classes than it should.
        size: side of the patterns, in pixels.

    Returns:
        One sentence for each broken promise; empty when it conforms.
    """
    try:
        part = load(kind, what, args)
        again = load(kind, what, args)
    except FoibleError as error:
        return [f"it loads: {error}"]
    shown = list(images) if images is not None else patterns(size)
    probe = _Probe(kind, part, again, _columns(part, shown), size, tuple(shows) if images is not None else ())
    unanswered = list(_answers(probe))
    tried = () if unanswered else _PROMISES
    broken = [*unanswered, *(sentence for promise in tried for sentence in promise(probe))]
    return list(dict.fromkeys([*broken, *_names(probe), *_identity(probe)]))


def patterns(size: int = 64) -> list[Image]:
    """Make three different images: a gradient, stripes, noise."""
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    gradient = np.stack(
        [np.tile(ramp, (size, 1)), np.tile(ramp[:, None] // 2, (1, size)), np.full((size, size), 90)], axis=2
    )
    stripes = np.where(np.arange(size)[:, None, None] // 4 % 2 == 0, np.array([220, 40, 40]), np.array([20, 60, 180]))
    dots = np.random.default_rng(0).integers(0, 256, (size, size, 3))
    return [pixels.astype(np.uint8) for pixels in (gradient, np.broadcast_to(stripes, (size, size, 3)), dots)]


# --- promises: each takes a probe and gives the sentences that are broken ------------------------------------------


@dataclass(frozen=True)
class _Probe:
    """What the promises are tried on."""

    kind: str
    part: Part
    again: Part
    """The same plug-in, loaded a second time."""
    columns: Columns
    size: int
    shows: tuple[str, ...] = ()
    """What each image shows; empty where that is not known."""

    def ask(self, columns: Columns) -> list[Any]:
        """Ask once, without the second chance that a hunt gives. Raises `Broken`."""
        answer = wrappers.call(self.kind, self.part, columns)
        return _READERS[self.kind](self.kind, answer, len(columns[0]))

    def take(self, rows: Sequence[int]) -> Columns:
        return [[column[row] for row in rows] for column in self.columns]


def _answers(probe: _Probe) -> Iterator[str]:
    """Every element of a batch gets an answer, whether it comes alone or with others."""
    for count in (1, len(probe.columns[0])):
        promise = f"a batch of {count} gets {count} answer{'s' if count > 1 else ''}"
        try:
            answers = probe.ask(probe.take(range(count)))
        except wrappers.Broken as broken:
            yield f"{promise}: {broken}"
        else:
            yield from (f"{promise}: {one.reason}" for one in answers if isinstance(one, Fault))


def _same_again(probe: _Probe) -> Iterator[str]:
    """The same batch gets the same answers, whatever the global random state."""
    with _random_state():
        _disturb(1)
        first = _quietly(probe, probe.columns)
        _disturb(2)
        second = _quietly(probe, probe.columns)
    if first is not None and second is not None and not _alike(first, second, levels=0):
        yield "the same input gets the same answer: asked twice, it answered differently (is it seeded by its input?)"


def _order(probe: _Probe) -> Iterator[str]:
    """An answer belongs to its element: it does not depend on the place in the batch, or on the neighbours."""
    count = len(probe.columns[0])
    whole = _quietly(probe, probe.columns)
    if whole is None:
        return
    backward = _quietly(probe, probe.take(range(count - 1, -1, -1)))
    if backward is not None and not _alike(whole, backward[::-1], levels=LEVELS):
        yield "answers come in the order of the batch: a reversed batch got other answers"
    singles = [_quietly(probe, probe.take([row])) for row in range(count)]
    alone = [one for single in singles if single is not None for one in single]
    if len(alone) == count and not _alike(whole, alone, levels=LEVELS):
        yield "an answer does not depend on the rest of the batch: asked one by one, it answered differently"


def _inputs_stay(probe: _Probe) -> Iterator[str]:
    """Images are read, never written."""
    if probe.kind == "generator":
        return
    given = [image.copy() for image in probe.columns[0]]
    try:
        getattr(probe.part.object, METHODS[probe.kind][0])(given, *probe.columns[1:])
    except Exception:  # noqa: BLE001 - `_answers` tells of it
        return
    if any(not np.array_equal(now, before) for now, before in zip(given, probe.columns[0], strict=True)):
        yield "images are left as they are: it wrote into the arrays that it was given"


def _edges(probe: _Probe) -> Iterator[str]:
    """Odd input gets an answer, or an exception; never a wrong shape, NaN or the like. Plain input gets an answer."""
    for name, columns, may_raise in _odd(probe):
        try:
            answers = probe.ask(columns)
        except wrappers.Broken as broken:
            if broken.__cause__ is None or not may_raise:
                yield f"{name} gets an answer{' or an exception' if may_raise else ''}: {broken}"
        else:
            faults = [one.reason for one in answers if isinstance(one, Fault)]
            yield from (f"{name} gets an answer: {reason}" for reason in faults)


def _odd(probe: _Probe) -> Iterator[tuple[str, Columns, bool]]:
    """Give odd inputs: what they are, the batch, and whether an exception will do."""
    if offers(probe.part.object, HoldsPhotographs):  # it is asked for its own photographs alone
        return
    if probe.kind == "generator":
        yield "an empty prompt", [[""], [0]], False
        yield "a prompt of 2,000 characters", [["a red cup, " * 182], [1]], False
        yield "a prompt of signs and foreign letters", [["<b>\u00e9\u4e2d\U0001f600\t'\";--{}%s"], [2]], False
        yield "the largest seed", [["a cup"], [2**32 - 1]], False
        return
    side = probe.columns[0][0].shape[0]
    plain = {
        "a black image": np.zeros((side, side, 3), np.uint8),
        "a white image": np.full((side, side, 3), 255, np.uint8),
        "an image that is a flipped view": np.flip(probe.columns[0][0], axis=1),
    }
    odd = {
        "an image of one pixel": np.full((1, 1, 3), 128, np.uint8),
        "an image higher than wide": np.full((2 * side, side, 3), 128, np.uint8),
    }
    rest = [[column[0]] for column in probe.columns[1:]]
    yield from ((name, [[image], *rest], False) for name, image in plain.items())
    yield from ((name, [[image], *rest], True) for name, image in odd.items())


def _draws(probe: _Probe) -> Iterator[str]:
    """A generator draws another image for another seed, all of one size."""
    if probe.kind != "generator" or offers(probe.part.object, HoldsPhotographs):
        return
    drawn = _quietly(probe, [["a photo of a cup"] * 4, [0, 1, 2, 3]])
    if drawn is None:
        return
    if all(np.array_equal(one.image, drawn[0].image) for one in drawn[1:]):
        yield "another seed gives another image: four seeds gave the same image"
    sizes = sorted({one.image.shape[:2] for one in drawn})
    if len(sizes) > 1:
        yield f"all images have one size: they have {', '.join(map(str, sizes))}"


def _texts(probe: _Probe) -> Iterator[str]:
    """An embedder of texts gives each a vector of length 1 in the space of its images, alone or with others."""
    part = probe.part.object
    images = _quietly(probe, probe.columns)
    if probe.kind != "embedder" or not offers(part, EmbedsTexts) or not part.reads_text or images is None:
        return
    texts = ["a photo of a red cup", "a photo of a ball on grass"]
    both, alone = (np.asarray(part.embed_texts(some), np.float64) for some in (texts, texts[:1]))
    wanted = (len(texts), len(images[0]))
    if both.shape != wanted or not np.isfinite(both).all():
        yield f"texts have vectors in the space of images: wanted finite numbers {wanted}, got {both.shape}"
    elif not np.allclose(np.linalg.norm(both, axis=1), 1.0, atol=TOLERANCE):
        yield "the vectors of texts have length 1: they have others"
    elif not np.allclose(both[:1], alone, rtol=TOLERANCE, atol=TOLERANCE):
        yield "a text has one vector, alone or with others: it had two"


def _names(probe: _Probe) -> Iterator[str]:
    """A classifier that names its classes names every one of them, with words, and always the same."""
    if probe.kind != "classifier":
        return
    target, again = probe.part.object, probe.again.object
    before = _listed(target.labels) if offers(target, NamesClasses) else None
    scores = _quietly(probe, probe.columns)
    also = target.accepted if offers(target, AcceptsClasses) else {}
    if before is not None:
        yield from naming.named(before, scores)
        yield from naming.steady(before, _listed(target.labels), _listed(again.labels))
        yield from naming.accepted(also, len(before))
    if scores is not None:
        yield from naming.alone_at_the_top(scores)
        yield from naming.in_order(str(probe.part.identity["spec"]), scores)
        if probe.shows:
            yield from naming.right_about(scores, probe.shows, before, also)


def _listed(labels: Any) -> Any:
    """Keep names as they are now: a plug-in may change its own list."""
    return tuple(labels) if isinstance(labels, list | tuple) else labels


def _trained(probe: _Probe) -> Iterator[str]:
    """A classifier that can be trained ranks by its logits, and answers by what it wrote."""
    if probe.kind == "classifier":
        yield from training.trained(probe.part, probe.columns[0])


def _sampled(probe: _Probe) -> Iterator[str]:
    """A generator whose noise can be moved draws from it what it draws from the seed, with gradients."""
    if probe.kind == "generator":
        yield from noise.sampled(probe.part)


def _repainted(probe: _Probe) -> Iterator[str]:
    """A generator that draws part of an image anew leaves the rest as it is."""
    if probe.kind == "generator":
        yield from repaint.repainted(probe.part)


def _loaded_again(probe: _Probe) -> Iterator[str]:
    """The same plug-in, loaded again, gives the same answers: nothing in it is made by chance when it is loaded."""
    if probe.again.object is probe.part.object:
        return
    first, second = _quietly(probe, probe.columns), _quietly(replace(probe, part=probe.again), probe.columns)
    if first is not None and second is not None and not _alike(first, second, levels=LEVELS):
        yield "loaded again, it gives the same answers: it answered differently (are all of its weights loaded?)"


def _identity(probe: _Probe) -> Iterator[str]:
    """A plug-in says what decides its answers, and says the same whenever it is loaded."""
    identity, again = dict(probe.part.identity), dict(probe.again.identity)
    text = json.dumps(identity, sort_keys=True)
    if without_addresses(text) != text:
        yield "its identity holds no memory address, which differs from run to run: " + brief(text)
    for name in sorted(identity):
        if identity[name] != again[name]:
            yield f"its {name} is the same each time it is loaded: it was {brief(identity[name], 60)}, then " + brief(
                again[name], 60
            )


_PROMISES = (_same_again, _loaded_again, _order, _inputs_stay, _edges, _draws, _texts, _trained, _sampled, _repainted)
"""What can be tried once a plug-in answers at all."""

_READERS: Mapping[str, Callable[[str, Any, int], list[Any]]] = {
    "generator": wrappers.drawings,
    "classifier": lambda kind, answer, count: wrappers.vectors(kind, answer, count, None),
    "captioner": wrappers.captions,
    "embedder": lambda kind, answer, count: wrappers.vectors(kind, answer, count, None),
    "judge": wrappers.judgements,
}


# --- helpers -----------------------------------------------------------------------------------------------------


def _columns(part: Part, images: Sequence[Image]) -> Columns:
    kind = part.kind
    if offers(part.object, HoldsPhotographs):
        places = [one.place for one in part.object.photographs.photographs[:3]]
        return [places, list(range(len(places)))]
    if kind == "generator":
        return [["a photo of a red cup", "a photo of a ball on grass", "a photo of a red cup"], [7, 8, 9]]
    if kind == "judge":
        names = ("cup", "ball", "vase")
        return [images, [Label(names[row % len(names)]) for row in range(len(images))]]
    return [images]


def _quietly(probe: _Probe, columns: Columns) -> list[Any] | None:
    """Ask; None where `_answers` already tells what is wrong."""
    try:
        answers = probe.ask(columns)
    except wrappers.Broken:
        return None
    return None if any(isinstance(one, Fault) for one in answers) else answers


def _alike(some: Sequence[Any], others: Sequence[Any], *, levels: int) -> bool:
    return all(_equal(one, other, levels) for one, other in zip(some, others, strict=True))


def _equal(one: Any, other: Any, levels: int) -> bool:
    if isinstance(one, Drawn):
        if one.image.shape != other.image.shape:
            return False
        return int(np.abs(one.image.astype(int) - other.image.astype(int)).max()) <= levels
    if isinstance(one, Judgement):
        same = abs(one.score - other.score) <= TOLERANCE * max(1.0, abs(one.score))
        return bool(one.faithful == other.faithful and same)
    if isinstance(one, str):
        return one == str(other)
    return bool(one.shape == other.shape and np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE))


def _disturb(number: int) -> None:
    """Set every global random state, as a neighbour in the same process may."""
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - the old global state is what is tried here
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(number)


@contextmanager
def _random_state() -> Iterator[None]:
    """Put the global random states back as they were."""
    torch = sys.modules.get("torch")
    plain, numerical = random.getstate(), np.random.get_state()  # noqa: NPY002 - as above
    tensor = torch.get_rng_state() if torch is not None else None
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(numerical)  # noqa: NPY002 - as above
        if torch is not None:
            torch.set_rng_state(tensor)
