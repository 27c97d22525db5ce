"""A run directory remembered: what its parts said, looked up in place of asked.

Comes in: an open store, not trusted, and an archive. Goes out: a `Context` whose parts have an identity and answer
nothing, and observations of draws that were made before. Neighbours: `stages/` ask parts; `verify.py` works a run out
again from what is remembered here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from foible.archive import Archive
from foible.config import HuntConfig, fields, resolve
from foible.errors import StoreError
from foible.identity import answer_key, canonical
from foible.progress import Silent
from foible.records import Draw, Hypothesis, Judgement, Label, Observation, Outcome, Prediction
from foible.registry import KINDS, Part
from foible.stages.answer import Shown
from foible.stages.context import Context, Failure
from foible.stages.observe import outcome
from foible.store import AnswerRow, DrawRow, Store
from foible.wrappers import Fault

T = TypeVar("T")

IDENTITY = ("spec", "args", "fingerprint", "version")


def remember(store: Store, archive: Archive) -> Context:
    """Put together what the stages need from what a store notes.

    Raises:
        StoreError: the store notes no finished hunt, or something that cannot be.
        ConfigError: it notes a setting that cannot be.
    """
    noted = store.about("settings")
    noted = noted if isinstance(noted, dict) else {}
    given: dict[str, Any] = {}
    for name, _, role in fields(HuntConfig()):
        if role != "runtime" and name != "labels" and name in noted:
            given[name] = noted[name]
    config = resolve([("the store", _nested(given))])[0]
    parts = {
        kind: Part(kind, None, {field: noted.get(f"{kind}.{field}") for field in IDENTITY})
        for kind in KINDS
        if f"{kind}.spec" in noted
    }
    if not {"generator", "classifier", "judge"} <= parts.keys():
        message = f"{store.folder} does not note its parts; it holds no finished hunt"
        raise StoreError(message)
    labels = {label.name: label for label in map(_label, listed(noted.get("labels"), "labels"))}
    target = noted.get("failure.index")
    if not (target is None or type(target) is int):
        raise damaged("failure.index")
    failure = Failure(config.failure.top, target)
    described = parts.get("captioner"), parts.get("embedder")
    tested = parts["generator"], parts["classifier"], parts["judge"]
    return Context(*tested, *described, config, labels, None, failure, store, archive, Silent())


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        inner = nested
        *path, last = name.split(".")
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return nested


def _label(noted: Any) -> Label:
    if not (isinstance(noted, list) and len(noted) == 4):  # noqa: PLR2004 - index, name, hypernym, accepted
        raise damaged("labels")
    index, name, hypernym, accepted = noted
    indices = [index, *listed(accepted, "labels")]
    if not (isinstance(name, str) and isinstance(hypernym, str) and all(type(i) is int for i in indices)):
        raise damaged("labels")
    return Label(index, name, hypernym, frozenset(indices))


def probed(context: Context) -> bool:
    """Tell whether a person's own hypotheses were tested, and nothing was explored."""
    noted = context.store.about("settings")
    return isinstance(noted, dict) and bool(noted.get("probe"))


def hypotheses(context: Context) -> list[Hypothesis]:
    """Return what was tried.

    Raises:
        StoreError: the store notes something that is no hypothesis about one of its labels.
    """
    return [_hypothesis(noted, context) for noted in listed(context.store.about("tried") or [], "tried")]


def _hypothesis(noted: Any, context: Context) -> Hypothesis:
    if not (isinstance(noted, list) and len(noted) == 4):  # noqa: PLR2004 - label, phrases, predicted, score
        raise damaged("tried")
    label, phrases, predicted, score = noted
    named = isinstance(label, str) and label in context.labels
    words = isinstance(phrases, list) and phrases and all(isinstance(phrase, str) for phrase in phrases)
    if not (named and words and (predicted is None or type(predicted) is int) and type(score) in (int, float)):
        raise damaged("tried")
    return Hypothesis(label, tuple(phrases), predicted, float(score))


def listed(noted: Any, name: str) -> list[Any]:
    """Pass a list on, or say that what is noted under a name is none."""
    if not isinstance(noted, list):
        raise damaged(name)
    return noted


def damaged(name: str) -> StoreError:
    """Say that what is noted under a name cannot be."""
    return StoreError(f"what the store notes as {name} cannot be read; the run directory is damaged")


class Recall:
    """Looks draws up in place of making them: from rows and stored answers to observations."""

    def __init__(self, context: Context, rows: dict[str, DrawRow]) -> None:
        self.context = context
        self.rows = rows
        self.differences: list[str] = []

    def __call__(self, plan: Sequence[Draw]) -> list[Observation]:
        """Give what became of the draws of a plan; what the store lacks is a difference, and unscored."""
        known = {draw.key: self.rows[draw.key] for draw in plan if draw.key in self.rows}
        predictions = self._answers("classifier", known)
        judgements = self._answers("judge", known)
        return [self._one(draw, known.get(draw.key), predictions, judgements) for draw in plan]

    def captions(self, keys: Sequence[str]) -> dict[str, str]:
        """Give the stored captions of draws."""
        known = {key: self.rows[key] for key in keys if key in self.rows}
        answers = self._answers("captioner", known) if self.context.captioner is not None else {}
        return {key: answer.value for key, answer in answers.items() if isinstance(answer.value, str)}

    def _answers(self, kind: str, rows: dict[str, DrawRow]) -> dict[str, AnswerRow]:
        """Give what a part said of images, by the key of the draw."""
        part: Part = getattr(self.context, kind)
        asked = {
            key: answer_key(part.identity, row.image_sha256, self._question(kind, row)) for key, row in rows.items()
        }
        found = self.context.store.answers(asked.values())
        return {key: found[answer] for key, answer in asked.items() if answer in found}

    def _question(self, kind: str, row: DrawRow) -> str:
        label = self.context.labels.get(row.label)
        return canonical([label.name, label.hypernym]) if kind == "judge" and label is not None else ""

    def _one(
        self, draw: Draw, row: DrawRow | None, predictions: dict[str, AnswerRow], judgements: dict[str, AnswerRow]
    ) -> Observation:
        if row is None:
            self.differences.append(f"draw {draw.key}: the store has no row of it")
            return Observation(draw, Outcome("unscored", None, "the store has no row of it"))
        shown = Shown(draw, None, row.image_sha256, row.ignored, row.fault)
        if row.fault:
            prediction, judgement = None, None
        else:
            prediction = self._read(draw, "classifier", predictions.get(draw.key), _prediction)
            judgement = self._read(draw, "judge", judgements.get(draw.key), _judgement)
        label = self.context.labels[draw.prompt.label]
        result = outcome(shown, prediction, judgement, label, self.context.failure)
        return Observation(draw, result, row.image_sha256, row.ignored)

    def _read(self, draw: Draw, kind: str, answer: AnswerRow | None, make: Any) -> Any:
        if answer is not None and answer.fault:
            return Fault(answer.fault)
        value = None if answer is None else make(answer.value)
        if value is None:
            self.differences.append(f"draw {draw.key}: the store has no answer of the {kind} for it")
        return value


def _prediction(value: Any) -> Prediction | None:
    pairs = value if isinstance(value, list) else []
    usable = all(
        isinstance(pair, list) and len(pair) == 2 and type(pair[0]) is int and isinstance(pair[1], int | float)  # noqa: PLR2004
        for pair in pairs
    )
    return Prediction(tuple((pair[0], float(pair[1])) for pair in pairs)) if pairs and usable else None


def _judgement(value: Any) -> Judgement | None:
    usable = isinstance(value, list) and len(value) == 2 and isinstance(value[0], bool)  # noqa: PLR2004
    return Judgement(value[0], 0.0) if usable else None
