"""Which output of an exported program has the scores of its classes, and whether its answers can be relied on.

Comes in: what the program gave for a few images, output by output. Goes out: the one output, or one sentence.
Neighbours: `_scores.py` says whether an answer is a matrix of scores; the adapters know how to ask.

A wrong output looks like a classifier that always fails, or never. So only what cannot be mistaken is taken, and
otherwise the user is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foible.adapters.shared import classes as _classes
from foible.adapters.shared import names as _names
from foible.adapters.shared import scores as _scores
from foible.errors import ArgumentError, PluginError, brief, near
from foible.parts.fingerprint import without_addresses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

_SCORES = re.compile(
    r"(?:^|_)(?:logits?|prob(?:s|abilit(?:y|ies))?|scores?|softmax|predictions?|class_?scores|output_probability)(?:_|$)"
)
_OTHER_TASK = re.compile(r"(?:^|_)(?:box(?:es)?|detections?|masks?|key_?points?|landmarks?)(?:_|$)")
_PIECES = re.compile(r"[^a-z0-9]+|(?<=[a-z])(?=[0-9])")
_VECTORS = re.compile(r"(?:^|_)(?:embed(?:s|dings?)?|features?|hidden|pooler|pooled|distances?)(?:_|$)")
_AUXILIARY = re.compile(r"(?:^|_)aux(?:iliary)?(?:_|$)")
_TOP = ("TopK", "TOPK_V2")
_SIGMOID = ("Sigmoid", "LOGISTIC")
_ON = frozenset({
    "Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Softmax", "LogSoftmax", "DequantizeLinear",
    "QuantizeLinear", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST", "SOFTMAX", "LOG_SOFTMAX", "DEQUANTIZE", "QUANTIZE",
})  # fmt: skip
"""Steps that leave the order of scores as it is."""
_EACH = frozenset(
    {"Mul", "Div", "Add", "Sub", "Neg", "Exp", "Log", "MUL", "DIV", "ADD", "SUB", "NEG", "EXP", "LOG", *_SIGMOID}
)
"""Steps that work on each number: what was sorted before them still lies by rank, and not by class."""
_DIFFERS = 0.01
"""Share of the largest score by which answers may differ: half precision and other sizes of batches stay far below."""
_SUM = 0.05
"""How far from 1 probabilities in eight bits may add up."""
_MATRIX = 2


@dataclass(frozen=True)
class Output:
    """One output of a program."""

    name: str
    answer: Any
    """What it gave for the images: an array, or something else."""
    rows: int
    """How many images these were."""
    trail: tuple[str, ...] = ()
    """The operations that made it, the last one first, as far as they work on each number alone."""

    @property
    def scores(self) -> NDArray[np.float32] | None:
        """(rows, classes), or None where it is no matrix of real numbers."""
        if _kind(self) != "f":
            return None
        try:
            return _scores.matrix(self.answer, self.rows)
        except PluginError:
            return None

    @property
    def is_top(self) -> bool:
        """Whether it holds the few best scores, in place of a score for each class."""
        return any(step in _TOP for step in self.trail)

    @property
    def is_sigmoid(self) -> bool:
        """Whether each number is a probability of its own."""
        return next((step for step in self.trail if step not in _ON), "") in _SIGMOID

    def __str__(self) -> str:
        """Show name, type and shape."""
        sides = [str(side) for side in np.shape(self.answer)] if hasattr(self.answer, "shape") else ["no array"]
        shape = " x ".join(["n", *sides[1:]] if sides[:1] == [str(self.rows)] else sides or ["1"])
        return f"{self.name!r} ({getattr(self.answer, 'dtype', type(self.answer).__name__)}, {shape})"


@dataclass(frozen=True)
class Settled:
    """What is known of a program that was tried."""

    place: int
    """Of the output with the scores."""
    output: str
    """Its name."""
    classes: int
    named: _names.Names


def trail(made_by: Mapping[Hashable, tuple[str, Hashable]], output: Hashable) -> tuple[str, ...]:
    """Follow an output back.

    Args:
        made_by: tensor -> the operation that makes it, and the first tensor that goes in.
        output: where to start.
    """
    steps: list[str] = []
    while output in made_by and len(steps) <= len(made_by):
        step, output = made_by[output]
        steps.append(step)
        if step not in _ON | _EACH:
            break
    return tuple(steps)


def settle(  # noqa: PLR0913 - what an adapter knows by then
    model: str,
    recipe: Any,
    run: Callable[[Sequence[Image]], list[Any]],
    ends: Sequence[tuple[str, tuple[str, ...]]],
    *,
    wanted: str | None,
    labels: str | Sequence[str] | None,
    own: Any,
    alone: bool = False,
    multi: bool = False,
    single_label: bool = False,
) -> Settled:
    """Try a program, find its scores, see that they hold, and name its classes.

    Args:
        model: as the user called it, for errors.
        recipe: makes its input.
        run: gives each output for a batch.
        ends: name and trail of each output.
        wanted: the argument `output`.
        labels: the argument `labels`.
        own: names in the model's own files, as `_names.names` takes them.
        alone: whether it is always asked about one image at a time.
        multi: whether a file says that an image may show several of its classes.
        single_label: the argument; rank such classes all the same.

    Raises:
        PluginError: it is no classifier, or was exported in training mode.
        ArgumentError: something must be said that was not, or was said wrongly.
    """
    answers = _tried(model, recipe, run)
    known = _names.names(model, None, given=labels, own=own).labels or ()
    counts = {len(known)} - {0} | ({len(known) + 1} if labels == _names.IMAGENET else set())
    outputs = [
        Output(name, answer, len(answers), steps) for (name, steps), answer in zip(ends, _joined(answers), strict=True)
    ]
    place = choose(model, outputs, wanted=wanted, counts=counts)
    classes = max(2, _width(outputs[place]))
    several = _width(outputs[place]) > 1 and (multi or outputs[place].is_sigmoid)
    why = "by its config.json" if multi else "it ends with a sigmoid for each"
    _classes.must_rank(model, why, known, multi=several, single_label=single_label)
    must_be_steady(model, recipe, lambda some: scores(run(some)[place], len(some)), alone=alone)
    own = None if len(known) == 1 else own  # what one yes is called names no pair
    named = _names.names(model, classes, given=labels, own=own)
    return Settled(place, outputs[place].name, classes, named)


def scores(answer: Any, rows: int) -> NDArray[np.float32]:
    """Give a score for each class: of the one probability p of a yes, there are 1 - p (no) and p (yes).

    Raises:
        PluginError: the answer is no matrix (rows, classes).
    """
    found = _scores.matrix(answer, rows)
    return np.concatenate([1 - found, found], axis=1) if found.shape[1] == 1 else found


def by_row(answer: Any) -> Any:
    """Give the answer for one image as a batch of one, where the program leaves that side away."""
    return answer[np.newaxis] if getattr(answer, "ndim", 0) == 1 and len(answer) > 1 else answer


def trial_images(size: Sequence[int]) -> list[Image]:
    """Make four images to try a network on: coarse noise of different brightness and contrast; always the same."""
    dice = np.random.default_rng(5)
    made = []
    for low, high in ((0, 256), (0, 120), (130, 256), (90, 160)):
        coarse = dice.integers(low, high, (-(-size[0] // 4), -(-size[1] // 4), 3), dtype=np.uint8)
        made.append(np.ascontiguousarray(coarse.repeat(4, 0).repeat(4, 1)[: size[0], : size[1]]))
    return made


def choose(model: str, outputs: Sequence[Output], *, wanted: str | None, counts: Collection[int]) -> int:
    """Find the output that has a score for each class: its place among the outputs.

    Args:
        model: as the user called it, for errors.
        outputs: all of them, asked about the same images.
        wanted: the argument `output`.
        counts: how many classes have names; empty where nothing names them.

    Raises:
        ArgumentError: several may be it, or there is none of the wanted name.
        PluginError: none has a score for each class.
    """
    if wanted is not None and wanted not in {one.name for one in outputs}:
        message = f"{model!r} has no output {brief(wanted)!r}; {near(str(wanted), [one.name for one in outputs])}"
        raise ArgumentError(message)
    asked = [one for one in outputs if wanted in (None, one.name)]
    pairs = {one.answer.shape for one in outputs if _kind(one) in ("i", "u") and np.size(one.answer) > one.rows}
    fitting = [one for one in asked if one.scores is not None and not one.is_top and np.shape(one.answer) not in pairs]
    if not fitting:
        raise PluginError(_none(model, asked, top=any(one.is_top for one in asked) or bool(pairs)))
    if wanted is None and len(outputs) == 1 and _says(_VECTORS, fitting[0].name) and _width(fitting[0]) not in counts:
        message = (
            f"{model!r} has one output, and by its name it holds vectors or distances: {fitting[0]}; export the "
            f"network with its logits, or give output={brief(fitting[0].name, 60)!r} if it has a score for each class"
        )
        raise ArgumentError(message)
    found = fitting[0] if wanted is not None or len(outputs) == 1 else _unmistakable(outputs, fitting, counts)
    if found is None:
        told = ", ".join(map(str, outputs))
        main = [one for one in fitting if not _says(_AUXILIARY, one.name)] or fitting
        likely = next((one.name for one in main if _is_named(one.name)), main[-1].name)
        message = (
            f"{model!r} has several outputs, and which one has the scores of its classes is not said: "
            f"{brief(told, 300)}; give the argument output, such as output={brief(likely, 60)!r}"
        )
        raise ArgumentError(message)
    if _width(found) == 1 and not found.is_sigmoid:
        message = (
            f"{model!r} has one score alone ({found}), and nothing says that it is the probability of a yes: export "
            "the network with a sigmoid at its end (then it is no or yes, at 0.5), or with a score for each class"
        )
        raise PluginError(message)
    return outputs.index(found)


def must_be_steady(
    model: str, recipe: Any, ask: Callable[[Sequence[Image]], NDArray[np.float32]], *, alone: bool
) -> None:
    """Refuse a program that gives an image other scores each time, or in other company.

    Args:
        model: as the user called it, for errors.
        recipe: makes its input.
        ask: gives the scores of a batch.
        alone: whether it is always asked about one image at a time.

    Raises:
        PluginError: as the summary says: it was exported in training mode.
    """
    images = trial_images(recipe.size)
    first, again = (np.concatenate([ask([image]) for image in images]) for _ in range(2))
    if _differ(first, again):
        message = (
            f"{model!r} gives the same image other scores each time it is asked, so it was exported in training mode "
            "(with dropout at work): call .eval() on the network and export it again"
        )
        raise PluginError(message)
    if not alone and _differ(first, ask(images)):
        message = (
            f"{model!r} gives an image other scores in other company, so it was exported in training mode (batch "
            "normalisation by the batch): call .eval() on the network and export it again"
        )
        raise PluginError(message)


def _tried(model: str, recipe: Any, run: Callable[[Sequence[Image]], list[Any]]) -> list[list[Any]]:
    """Ask a program about the trial images, one by one.

    Raises:
        PluginError: it does not take the input that the recipe makes.
    """
    images = trial_images(recipe.size)
    try:
        return [run([image]) for image in images]
    except PluginError:
        raise
    except Exception as error:
        told = brief(without_addresses(" ".join(str(error).split())), 200)
        shape = "x".join(map(str, recipe.batch(images[:1]).shape))
        message = f"{model!r} does not take a {shape} batch (are size and layout as it was trained?): {told}"
        raise PluginError(message) from error


def _joined(answers: Sequence[Sequence[Any]]) -> list[Any]:
    """Put together what each output gave for one image after another."""
    return [
        np.concatenate(some) if all(getattr(one, "ndim", 0) and len(one) == 1 for one in some) else some[0]
        for some in zip(*answers, strict=True)
    ]


def _differ(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    known = np.isfinite(one) & np.isfinite(other)
    largest = float(np.abs(one[known]).max(initial=1e-6))
    return bool((np.isfinite(one) != np.isfinite(other)).any()) or bool(
        np.abs(one[known] - other[known]).max(initial=0.0) > _DIFFERS * largest
    )


def _unmistakable(outputs: Sequence[Output], fitting: Sequence[Output], counts: Collection[int]) -> Output | None:
    """Tell by the count of names, then by the name of the output, then by what probabilities are."""
    if any(_says(_OTHER_TASK, one.name) for one in outputs):  # a detector's "scores" are of boxes
        return None
    of_width = [one for one in fitting if {_width(one), 2 if one.is_sigmoid and _width(one) == 1 else 0} & set(counts)]
    pool = of_width or list(fitting)
    maps = [one for one in outputs if one.scores is None and _kind(one) == "f"]
    if len(pool) == 1 and (of_width or not maps):
        return pool[0]
    named = [one for one in pool if _is_named(one.name)]
    some = named or [one for one in pool if _width(one) > 1 and _are_probabilities(one)]
    return some[0] if some and all(_same_classes(some[0], other) for other in some[1:]) else None


def _kind(output: Output) -> str:
    """Give the kind of numbers as numpy calls it, such as "f"; empty where it is no array."""
    return str(getattr(getattr(output.answer, "dtype", None), "kind", ""))


def _width(output: Output) -> int:
    return 0 if output.scores is None else output.scores.shape[1]


def _is_named(name: str) -> bool:
    """Say whether a name has a word for scores in it, such as "output/logits" or "probabilities:0"."""
    return _says(_SCORES, name)


def _says(words: re.Pattern[str], name: str) -> bool:
    return bool(words.search("_".join(_PIECES.split(name.lower()))))


def _are_probabilities(output: Output) -> bool:
    scores = output.scores
    return scores is not None and bool((scores >= 0).all() and (np.abs(scores.sum(axis=1) - 1) < _SUM).all())


def _same_classes(one: Output, other: Output) -> bool:
    """Say whether two outputs are the same scores, as logits and as probabilities."""
    if _width(one) != _width(other):
        return False
    return bool(np.allclose(_normal(one), _normal(other), atol=_DIFFERS))


def _normal(output: Output) -> NDArray[np.float32]:
    scores = np.asarray(output.scores)
    if _are_probabilities(output):
        return scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _none(model: str, outputs: Sequence[Output], *, top: bool) -> str:
    told = brief(", ".join(map(str, outputs)), 300) or "none"
    wanted = f"{model!r} gives no score for each class: its outputs are {told}; "
    if top:
        return wanted + "the few best classes do not do, so export the network without its top-k step"
    return wanted + "export the network with its logits or probabilities (n, classes) as an output"
