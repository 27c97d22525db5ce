"""`findings.json` read back.

Comes in: the text of a file, not trusted. Goes out: the `HuntResult` that it was written from (floats at 10 significant
digits), or one sentence that says where the file is wrong. Neighbour: `encode.py` writes it.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, TypeVar, cast, get_args

from foible.errors import StoreError, brief
from foible.records import (
    Arm,
    Counterfactual,
    Draw,
    Finding,
    HuntResult,
    Hypothesis,
    Label,
    LabelSummary,
    Observation,
    Outcome,
    Prompt,
    Rate,
    Ratio,
    Status,
    Tally,
    Trial,
    Verdict,
)
from foible.report.encode import PAIRS, SCHEMA, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def from_json(text: str) -> HuntResult:
    """Read the text of `findings.json`.

    Raises:
        StoreError: it is no JSON, of another schema, of a newer version, or a field is missing or of the wrong kind.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as problem:
        raise StoreError(f"expected the JSON text of findings.json, got something else ({brief(problem)})") from None
    document = _Object(value, "the file")
    schema, version = document.text("schema"), document.whole("schema_version")
    if schema != SCHEMA:
        raise StoreError(f"expected a file of schema {SCHEMA!r}, got {brief(schema)!r}; give a findings.json of foible")
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"findings.json has schema_version {brief(version)}, and this foible reads up to {SCHEMA_VERSION}; "
            "read it with a newer foible"
        )
    if version < 1:
        raise StoreError(
            f"expected schema_version 1 or more in findings.json, got {brief(version)}; the file is broken"
        )
    return _result(document)


class _Object:
    """A JSON object, and where in the file it stands; each getter checks the kind of one field."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, "an object", value)
        self.value: dict[str, object] = value
        self.where = where

    def get(self, name: str) -> tuple[object, str]:
        where = name if self.where == "the file" else f"{self.where}.{name}"
        if name not in self.value:
            raise StoreError(f"findings.json lacks the field {brief(where)}; the file is broken or was edited")
        return self.value[name], where

    def text(self, name: str) -> str:
        return _text(*self.get(name))

    def whole(self, name: str) -> int:
        return _whole(*self.get(name))

    def number(self, name: str) -> float:
        return _number(*self.get(name))

    def maybe(self, name: str, read: Callable[[object, str], T]) -> T | None:
        value, where = self.get(name)
        return None if value is None else read(value, where)

    def since_2(self, name: str, read: Callable[[object, str], T], before: T) -> T:
        """Read a field that files of schema version 1 lack."""
        return read(*self.get(name)) if name in self.value else before

    def one_of(self, name: str, words: tuple[str, ...]) -> str:
        value, where = self.get(name)
        if value not in words:
            raise _wrong(where, " or ".join(words), value)
        return str(value)

    def inner(self, name: str) -> _Object:
        return _Object(*self.get(name))

    def items(self, name: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
        value, where = self.get(name)
        if not isinstance(value, list):
            raise _wrong(where, "a list", value)
        return tuple(read(item, f"{where}[{place}]") for place, item in enumerate(value))

    def mapping(self, name: str, read: Callable[[object, str], T]) -> dict[str, T]:
        inner = self.inner(name)
        return {key: read(value, f"{inner.where}.{key}") for key, value in inner.value.items()}


def _result(document: _Object) -> HuntResult:
    return HuntResult(
        foible_version=document.text("foible_version"),
        settings=document.inner("settings").value,
        parts=document.mapping("parts", lambda value, where: _Object(value, where).value),
        labels=document.items("labels", _label),
        class_names={_index(key): name for key, name in document.mapping("class_names", _text).items()},
        failure=document.text("failure"),
        findings=document.items("findings", _finding),
        untested=document.items("untested", _hypothesis),
        explored=document.items("explored", _label_summary),
        unscored=document.items("unscored", _reason),
        draws=document.mapping("draws", _whole),
        observations={
            key: _observation(key, inner) for key, inner in document.mapping("observations", _Object).items()
        },
        captions=document.mapping("captions", _text),
    )


def _finding(value: object, where: str) -> Finding:
    it = _Object(value, where)
    rates, counts = it.inner("rates"), it.inner("counts")
    nothing: tuple[Rate | None, Rate | None] = (None, None)
    treat_corrected, control_corrected = it.since_2("corrected", _corrected, nothing)
    pairs = counts.inner("pairs")
    both, treat, control, neither = (pairs.whole(name) for name in PAIRS)
    return Finding(
        trial=Trial(
            _hypothesis(value, where),
            _tally(*counts.get("treat")),
            _tally(*counts.get("control")),
            (both, treat, control, neither),
        ),
        verdict=cast("Verdict", it.one_of("verdict", get_args(Verdict))),
        reason=it.text("reason"),
        p_value=it.number("p_value"),
        adjusted=it.number("adjusted"),
        treat=_rate(*rates.get("treat")),
        control=_rate(*rates.get("control")),
        difference=_rate(*it.get("difference")),
        confused_with=it.items("confused_with", _confusion),
        failing=it.items("failing", _key),
        passing=it.items("passing", _key),
        paired=it.items("paired", _key),
        counterfactuals=it.items("counterfactuals", _counterfactual),
        treat_corrected=treat_corrected,
        control_corrected=control_corrected,
        ratio=it.since_2("ratio", _ratio, None),
    )


def _corrected(value: object, where: str) -> tuple[Rate | None, Rate | None]:
    if value is None:
        return None, None
    it = _Object(value, where)
    return _rate(*it.get("treat")), _rate(*it.get("control"))


def _ratio(value: object, where: str) -> Ratio | None:
    if value is None:
        return None
    it = _Object(value, where)
    return Ratio(it.maybe("value", _number), it.number("low"), it.maybe("high", _number))


def _hypothesis(value: object, where: str) -> Hypothesis:
    it = _Object(value, where)
    return Hypothesis(
        label=it.text("label"),
        phrases=it.items("phrases", _text),
        predicted=it.maybe("predicted", _whole),
        score=_score(*it.get("score")),
    )


def _counterfactual(value: object, where: str) -> Counterfactual:
    it = _Object(value, where)
    return Counterfactual(
        change=it.text("change"),
        phrase=it.text("phrase"),
        description=it.text("description"),
        tally=_tally(*it.get("counts")),
        rate=_rate(*it.get("rate")),
        examples=it.items("examples", _key),
    )


def _observation(key: str, it: _Object) -> Observation:
    prompt = Prompt(label=it.text("label"), description=it.text("description"), text=it.text("prompt"))
    return Observation(
        draw=Draw(key=key, prompt=prompt, seed=it.whole("seed"), arm=cast("Arm", it.one_of("arm", get_args(Arm)))),
        outcome=Outcome(
            status=cast("Status", it.one_of("status", get_args(Status))),
            predicted=it.maybe("predicted", _whole),
            reason=it.text("reason"),
        ),
        image_sha256=it.text("image_sha256"),
        ignored=it.items("ignored", _text),
    )


def _label_summary(value: object, where: str) -> LabelSummary:
    it = _Object(value, where)
    return LabelSummary(
        label=it.text("label"),
        tally=_tally(*it.get("counts")),
        rate=_rate(*it.get("rate")),
        unscored_reasons=it.items("unscored", _reason),
        at_most=it.since_2("at_most", _number, 1.0),
        raises=it.since_2("raises", _number_or_none, None),
    )


def _label(value: object, where: str) -> Label:
    it = _Object(value, where)
    return Label(
        index=it.whole("index"),
        name=it.text("name"),
        hypernym=it.text("hypernym"),
        accepted=frozenset(it.items("accepted", _whole)),
    )


def _rate(value: object, where: str) -> Rate:
    it = _Object(value, where)
    return Rate(value=it.maybe("value", _number), low=it.number("low"), high=it.number("high"))


def _tally(value: object, where: str) -> Tally:
    it = _Object(value, where)
    return Tally(it.whole("draws"), it.whole("failures"), it.whole("unscored"), it.since_2("unfaithful", _whole, 0))


def _reason(value: object, where: str) -> tuple[str, int]:
    it = _Object(value, where)
    return it.text("reason"), it.whole("count")


def _confusion(value: object, where: str) -> tuple[int, int]:
    it = _Object(value, where)
    return it.whole("index"), it.whole("count")


def _key(value: object, where: str) -> str:
    return _Object(value, where).text("key")


def _index(key: str) -> int:
    if not (key.isascii() and key.isdigit()):
        raise _wrong("class_names", "class indices as keys", key)
    return int(key)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(where, "a text", value)
    return value


def _whole(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(where, "a whole number", value)
    return value


def _number(value: object, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _wrong(where, "a finite number", value)
    return float(value)


def _number_or_none(value: object, where: str) -> float | None:
    return None if value is None else _number(value, where)


def _score(value: object, where: str) -> float:
    return float(value) if isinstance(value, str) and value in ("inf", "-inf", "nan") else _number(value, where)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _wrong(where: str, wanted: str, got: object) -> StoreError:
    return StoreError(
        f"expected {wanted} at {brief(where)} of findings.json, got {brief(repr(got), 60)}; the file is broken"
    )
