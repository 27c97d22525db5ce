"""`findings.json`: a result as text, for people and programs.

Comes in: a `HuntResult`. Goes out: the same bytes for the same result. Neighbours: `decode.py` reads the text back;
`schema.json` is its JSON Schema; `docs/findings.md` explains every field. Fields that repeat others for the reader
(sentences, names, prompts beside a key) are marked "derived" there and are not read back.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from numbers import Integral, Real
from typing import TYPE_CHECKING

from foible.records import Spec
from foible.report.sentences import headline, sentence, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from foible.records import (
        Counterfactual,
        Finding,
        HuntResult,
        Hypothesis,
        Label,
        LabelSummary,
        Observation,
        Rate,
        Ratio,
        Tally,
    )

SCHEMA = "foible/findings"
SCHEMA_VERSION = 2

ARMS = ("explore", "narrow", "treat", "control", "counterfactual")
PAIRS = ("both_failed", "only_treat", "only_control", "both_passed")

_DIGITS = 10
"""Significant digits of a float, so that the last bits of one machine's arithmetic do not show."""
_WIDTH = 180
"""A list or object that fits on one line of this many characters stands on one."""
_UNSAFE = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]")
"""Characters that are legal in JSON but break UTF-8, lines or the direction of text; written as escapes."""

Json = dict[str, object]


def to_json(result: HuntResult) -> str:
    """Write a result as the text of `findings.json`: UTF-8, one newline at the end.

    Raises:
        ValueError: a rate or a p-value is not finite.
        TypeError: a setting is of a kind that JSON has no word for.
    """
    document: Json = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "foible_version": result.foible_version,
        "headline": headline(result),
        "summary": summary(result),
        "failure": result.failure,
        "draws": {arm: result.draws[arm] for arm in _in_order(result.draws, ARMS)},
        "unscored": _reasons(result.unscored),
        "findings": [_finding(finding, result) for finding in result.findings],
        "untested": [_hypothesis(hypothesis, result) for hypothesis in result.untested],
        "explored": [_label_summary(one) for one in result.explored],
        "labels": [_label(label) for label in result.labels],
        "class_names": {str(index): result.class_names[index] for index in sorted(result.class_names)},
        "parts": _free(result.parts),
        "settings": _free(result.settings),
        "captions": {key: result.captions[key] for key in sorted(result.captions)},
        "observations": {key: _observation(result.observations[key], result) for key in sorted(result.observations)},
    }
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", _layout(_stable(document), "")) + "\n"


def _finding(finding: Finding, result: HuntResult) -> Json:
    trial = finding.trial
    return {
        "sentence": sentence(finding, result),
        "verdict": finding.verdict,
        "reason": finding.reason,
        **_hypothesis(trial.hypothesis, result),
        "rates": {"treat": _rate(finding.treat), "control": _rate(finding.control)},
        "corrected": _corrected(finding),
        "difference": _rate(finding.difference),
        "ratio": _ratio(finding.ratio),
        "p_value": finding.p_value,
        "adjusted": finding.adjusted,
        "counts": {
            "treat": _tally(trial.treat),
            "control": _tally(trial.control),
            "pairs": dict(zip(PAIRS, trial.pairs, strict=True)),
        },
        "confused_with": [
            {"index": index, "name": _class_name(index, result), "count": count}
            for index, count in finding.confused_with
        ],
        "failing": [_example(key, result) for key in finding.failing],
        "paired": [_example(key, result) for key in finding.paired],
        "passing": [_example(key, result) for key in finding.passing],
        "counterfactuals": [_counterfactual(one, result) for one in finding.counterfactuals],
    }


def _corrected(finding: Finding) -> Json | None:
    treat, control = finding.treat_corrected, finding.control_corrected
    return None if treat is None or control is None else {"treat": _rate(treat), "control": _rate(control)}


def _hypothesis(hypothesis: Hypothesis, result: HuntResult) -> Json:
    return {
        "label": hypothesis.label,
        "description": hypothesis.description,
        "phrases": list(hypothesis.phrases),
        "predicted": hypothesis.predicted,
        "predicted_name": _class_name(hypothesis.predicted, result),
        "score": _number(hypothesis.score),
    }


def _counterfactual(one: Counterfactual, result: HuntResult) -> Json:
    return {
        "change": one.change,
        "phrase": one.phrase,
        "description": one.description,
        "rate": _rate(one.rate),
        "counts": _tally(one.tally),
        "examples": [_example(key, result) for key in one.examples],
    }


def _example(key: str, result: HuntResult) -> Json:
    """Refer to a draw by its key; the rest is derived from `observations`."""
    seen = result.observations.get(key)
    if seen is None:
        return {"key": key, "seed": None, "prompt": None, "status": None, "predicted_name": None}
    return {
        "key": key,
        "seed": seen.draw.seed,
        "prompt": seen.draw.prompt.text,
        "status": seen.outcome.status,
        "predicted_name": _class_name(seen.outcome.predicted, result),
    }


def _observation(seen: Observation, result: HuntResult) -> Json:
    prompt = seen.draw.prompt
    return {
        "label": prompt.label,
        "description": prompt.description,
        "prompt": prompt.text,
        "seed": seen.draw.seed,
        "arm": seen.draw.arm,
        "status": seen.outcome.status,
        "predicted": seen.outcome.predicted,
        "predicted_name": _class_name(seen.outcome.predicted, result),
        "reason": seen.outcome.reason,
        "image_sha256": seen.image_sha256,
        "ignored": list(seen.ignored),
    }


def _label_summary(one: LabelSummary) -> Json:
    return {
        "label": one.label,
        "rate": _rate(one.rate),
        "counts": _tally(one.tally),
        "unscored": _reasons(one.unscored_reasons),
        "at_most": one.at_most,
        "raises": one.raises,
    }


def _label(label: Label) -> Json:
    return {
        "index": label.index,
        "name": label.name,
        "hypernym": label.hypernym,
        "accepted": sorted(label.accepted),
    }


def _rate(rate: Rate) -> Json:
    return {"value": rate.value, "low": rate.low, "high": rate.high}


def _ratio(ratio: Ratio | None) -> Json | None:
    return None if ratio is None else {"value": ratio.value, "low": ratio.low, "high": ratio.high}


def _tally(tally: Tally) -> Json:
    return {
        "draws": tally.draws,
        "failures": tally.failures,
        "unscored": tally.unscored,
        "unfaithful": tally.unfaithful,
    }


def _reasons(reasons: Iterable[tuple[str, int]]) -> list[Json]:
    return [{"reason": reason, "count": count} for reason, count in reasons]


def _class_name(index: int | None, result: HuntResult) -> str | None:
    return None if index is None else result.class_names.get(index)


def _in_order(given: Iterable[str], known: Sequence[str]) -> list[str]:
    """Sort words: the known ones in their order, then others by name."""
    return sorted(given, key=lambda word: (known.index(word) if word in known else len(known), word))


def _number(value: float) -> float | str:
    """Let a number that need not be finite be written: "inf", "-inf", "nan"."""
    return value if math.isfinite(value) else str(float(value))


def _free(value: object) -> object:
    """Turn a setting, or what a part says of itself, into plain JSON values; the order of keys is kept."""
    if isinstance(value, Spec):
        return {"name": value.name, "args": _free(value.args)}
    if isinstance(value, Mapping):
        return {str(key): _free(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted((_free(item) for item in value), key=repr)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_free(item) for item in value]
    return _number(value) if isinstance(value, float) else value


def _stable(value: object) -> object:
    """Round floats to 10 significant digits and turn number-like values into Python's own."""
    if isinstance(value, dict):
        return {key: _stable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stable(item) for item in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return float(f"{number:.{_DIGITS}g}") + 0.0 if math.isfinite(number) else number
    raise TypeError(f"expected a value that JSON has a word for, got {type(value).__name__}")


def _layout(value: object, indent: str) -> str:
    """Write JSON with short lists and objects on one line and long ones indented."""
    flat = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, dict | list) or not value or len(indent) + len(flat) <= _WIDTH:
        return flat
    deeper = indent + "  "
    if isinstance(value, dict):
        inner = [f"{json.dumps(key, ensure_ascii=False)}: {_layout(item, deeper)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        inner = [_layout(item, deeper) for item in value]
        opening, closing = "[", "]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(inner) + f"\n{indent}{closing}"
